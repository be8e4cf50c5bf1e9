//! Enrolment codes: short enough to type at a terminal, long enough not to be guessed.

use std::fmt::Write as _;

use chrono::TimeDelta;

use crate::{chain, model::Hash};

/// How long a code lasts: staff make it in the morning and set the terminal up during the day.
pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Crockford's base 32: no I, L, O, U, so that nothing is misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Ten letters of five bits: 50 bits.
const LETTERS: usize = 10;

/// A new code from random bytes, as `XXXXX-XXXXX`.
pub fn new_code(random: [u8; LETTERS]) -> String {
    let mut code = letters(&random);
    code.insert(LETTERS / 2, '-');
    code
}

/// What the store keeps of a code, however it was typed: upper or lower case, with or without the dash, O for 0, I or L for 1.
pub fn hash_of(code: &str) -> Hash {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    chain::sha256(letters.collect::<String>().as_bytes())
}

/// A terminal's name from random bytes, as `t-xxxxxxxx`.
pub fn terminal_name(random: [u8; 8]) -> String {
    let mut name = "t-".to_owned();
    name.push_str(&letters(&random).to_ascii_lowercase());
    name
}

/// Lower-case hexadecimal, for nonces.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn letters(random: &[u8]) -> String {
    random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31))).map(|b| char::from(*b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = new_code([0, 1, 2, 3, 31, 30, 29, 10, 200, 255]);
        assert_eq!(code, "0123Z-YXA8Z");
        for typed in ["0123zyxa8z", "o123Z YXA8Z", "OI23Z-YXA8Z", " 0l23z-yxa8z "] {
            assert_eq!(hash_of(typed), hash_of(&code), "{typed}");
        }
        assert_ne!(hash_of("0123Z-YXA80"), hash_of(&code));
    }

    #[test]
    fn names_are_ids() {
        assert!(terminal_name([9; 8]).parse::<crate::model::TerminalId>().is_ok());
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
