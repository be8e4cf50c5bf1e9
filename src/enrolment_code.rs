//! An enrolment code, as central makes it and a terminal reads it: digits alone, so that a keypad of twelve keys can type them.
//!
//! Fifteen digits are the secret that central knows a terminal by. Where central serves a certificate that it made itself, five more bind the
//! code to the key of that certificate: they are the end of SHA-256 over the secret and the key, so only who knows the secret can tell which
//! keys they fit. A terminal compares them before it sends anything. Something in between that shows another key does not know the secret and
//! has one chance in 100,000 each time somebody enters a code; it learns nothing to compute with, however long it computes.
//!
//! Invariants:
//! - the secret is sent only to a server whose key the code fits;
//! - no `Debug` shows a digit.

use std::fmt;

use crate::{chain, model::Hash};

/// Digits of the secret: 49.8 bits.
pub(crate) const SECRET_DIGITS: usize = 15;

/// Digits that bind a code to a key.
pub(crate) const BINDING_DIGITS: usize = 5;

/// Digits between two dashes: as many as a person keeps in mind from one look to the keypad.
const GROUP: usize = 5;

/// All bindings.
const BINDINGS: u64 = 10_u64.pow(5);

/// Stands before what is hashed, so that the hash means nothing anywhere else.
const LABEL: &str = "xinsheng enrolment code 1";

/// A code of the right length.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentCode {
    /// [`SECRET_DIGITS`] digits, or these and [`BINDING_DIGITS`] more.
    digits: String,
}

impl EnrolmentCode {
    /// Reads a code however it was typed: only its digits count. `None` if there are neither fifteen nor twenty.
    pub fn read(typed: &str) -> Option<Self> {
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        is_length(digits.len()).then_some(Self { digits })
    }

    /// The code with this secret, and without any other digits.
    #[must_use]
    pub fn unbound(mut self) -> Self {
        self.digits.truncate(SECRET_DIGITS);
        self
    }

    /// The same secret, bound to the key of a certificate.
    #[must_use]
    pub fn bound_to(self, key: Hash) -> Self {
        let secret = self.unbound();
        let binding = binding(secret.secret(), key);
        Self { digits: secret.digits + &binding }
    }

    /// What central knows the terminal by.
    pub fn secret(&self) -> &str {
        self.digits.get(..SECRET_DIGITS).unwrap_or_default()
    }

    /// Whether the code says which key central has.
    pub fn is_bound(&self) -> bool {
        self.digits.len() > SECRET_DIGITS
    }

    /// Whether a server with this key is the one the code was made for.
    pub fn fits(&self, key: Hash) -> bool {
        self.digits.get(SECRET_DIGITS..) == Some(&binding(self.secret(), key))
    }
}

/// Whether a code can have this many digits.
pub(crate) fn is_length(digits: usize) -> bool {
    digits == SECRET_DIGITS || digits == SECRET_DIGITS + BINDING_DIGITS
}

/// Everything that is hashed has one length, so nothing can be moved from one part to the next.
fn binding(secret: &str, key: Hash) -> String {
    let hash = chain::sha256(format!("{LABEL}\n{secret}\n{key}").as_bytes());
    let end = hash.0.last_chunk().copied().map_or(0, u64::from_be_bytes);
    format!("{:0BINDING_DIGITS$}", end % BINDINGS)
}

/// In groups of five.
impl fmt::Display for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, digit) in self.digits.chars().enumerate() {
            if place > 0 && place.is_multiple_of(GROUP) {
                f.write_str("-")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(typed: &str) -> EnrolmentCode {
        EnrolmentCode::read(typed).unwrap()
    }

    #[test]
    fn a_code_is_read_however_it_is_typed_and_written_in_groups() {
        let plain = code("12345-67890-12345");
        for typed in
            ["123456789012345", " 12345 67890 12345 ", "12345–67890/12345", "code: 12345-67890-12345"]
        {
            assert_eq!(code(typed), plain, "{typed}");
        }
        assert_eq!(plain.to_string(), "12345-67890-12345");
        assert!(!plain.is_bound());
        let bound = code("12345 67890 12345 00001");
        assert_eq!(bound.to_string(), "12345-67890-12345-00001");
        assert!(bound.is_bound());
        assert_eq!(bound.secret(), plain.secret());
        assert_eq!(bound.unbound(), plain);
        for short in ["", "12345-67890-1234", "12345-67890-12345-6789", "12345-67890-12345-67890-1"] {
            assert_eq!(EnrolmentCode::read(short), None, "{short}");
        }
        assert!(!format!("{plain:?}").contains('1'));
    }

    #[test]
    fn a_bound_code_fits_its_own_key_and_one_in_a_hundred_thousand_others() {
        const OTHERS: u32 = 300_000;
        let key = |n: u32| chain::sha256(&n.to_le_bytes());
        let bound = code("12345-67890-12345").bound_to(key(0));
        assert!(bound.fits(key(0)) && code(&bound.to_string()).fits(key(0)));
        // Three are expected; more than fourteen by chance come once in a million such tests, and the keys are always the same.
        let fitting = (1..=OTHERS).filter(|n| bound.fits(key(*n))).count();
        assert!(fitting < 15, "{fitting}");
        assert!(!code("12345-67890-12345").fits(key(0)), "a code without them fits no key");
    }

    #[test]
    fn which_keys_a_binding_fits_depends_on_every_digit_of_the_secret() {
        let key = chain::sha256(b"key");
        let bound = code("12345-67890-12345").bound_to(key);
        let binding = bound.to_string().split_off(18);
        let differing = (0..SECRET_DIGITS).filter(|place| {
            let mut digits: Vec<u8> = bound.secret().bytes().collect();
            digits[*place] = b'0' + (digits[*place] - b'0' + 1) % 10;
            let typed = format!("{}{binding}", String::from_utf8(digits).unwrap());
            !code(&typed).fits(key)
        });
        assert_eq!(differing.count(), SECRET_DIGITS);
    }
}
