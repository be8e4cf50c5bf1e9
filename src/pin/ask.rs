//! How a new PIN is asked for: twice, and refused if it would be among the first that somebody tries.

use std::io;

use super::{DIGITS_MAX, DIGITS_MIN, Pin, PinHash, PinHashError};

/// Why there is no new PIN.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Letters, or too few or too many digits.
    #[error("a PIN has {DIGITS_MIN} to {DIGITS_MAX} digits and nothing else")]
    Digits,
    /// Among the first that are tried.
    #[error(
        "this PIN is among the first that somebody tries; choose one without a pattern, a year or repeated digits"
    )]
    Weak,
    /// The second was another.
    #[error("the two PINs are not the same; nothing was changed")]
    Differ,
    /// Nobody answered.
    #[error("the PIN cannot be read")]
    Read(#[from] io::Error),
    /// The hash could not be made.
    #[error("the PIN cannot be hashed")]
    Hash(#[from] PinHashError),
}

/// Asks for a PIN twice and hashes it. `read` shows a prompt and brings a line, without showing what is typed.
pub fn ask(read: &mut dyn FnMut(&str) -> io::Result<String>, salt: &[u8; 16]) -> Result<PinHash, AskError> {
    let first = read("New PIN, 4 to 12 digits: ")?;
    let pin = Pin::new(first.trim()).ok_or(AskError::Digits)?;
    if pin.is_weak() {
        return Err(AskError::Weak);
    }
    let second = read("Once more: ")?;
    if Pin::new(second.trim()).as_ref() != Some(&pin) {
        return Err(AskError::Differ);
    }
    Ok(PinHash::new(&pin, salt)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &[&str]) -> Result<PinHash, AskError> {
        let mut lines = lines.iter();
        let mut read = |_: &str| {
            lines.next().map(|line| format!("{line}\n")).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        };
        ask(&mut read, &[3; 16])
    }

    #[test]
    fn a_pin_typed_twice_becomes_its_hash() {
        let hash = typed(&["4071", "4071"]).unwrap();
        assert!(hash.verify(&Pin::new("4071").unwrap()));
    }

    #[test]
    fn weak_wrong_and_different_ones_are_refused_and_never_repeated() {
        assert!(matches!(typed(&["1234"]), Err(AskError::Weak)));
        assert!(matches!(typed(&["407"]), Err(AskError::Digits)));
        assert!(matches!(typed(&["four"]), Err(AskError::Digits)));
        assert!(matches!(typed(&["4071", "4072"]), Err(AskError::Differ)));
        assert!(matches!(typed(&["4071"]), Err(AskError::Read(_))));
        let shown = format!("{:?}", typed(&["4071", "4072"]));
        assert!(!shown.contains("407"));
    }
}
