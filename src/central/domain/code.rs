//! Enrolment codes as central makes and keeps them: few enough digits to read out, too many to be guessed. What they consist of is in
//! [`crate::enrolment_code`].

use std::fmt::Write as _;

use chrono::TimeDelta;

use crate::{
    chain,
    enrolment_code::{EnrolmentCode, SECRET_DIGITS},
    model::Hash,
};

/// How long a code lasts: staff make it in the morning and set the terminal up during the day.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// All codes of [`SECRET_DIGITS`] digits.
const CODES: u128 = 10_u128.pow(15);

/// Crockford's base 32: no I, L, O, U, so that nothing is misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new code from random bytes, as `12345-67890-12345`; with the key of the certificate that central made itself, bound to that, as
/// `12345-67890-12345-67890`.
///
/// Every code is as likely as any other but for one part in 10^23: so little is the remainder of 128 bits off even, and unlike drawing
/// again until a number fits it needs no second draw.
pub fn new_code(random: [u8; 16], tls_key: Option<Hash>) -> String {
    let digits = format!("{:0SECRET_DIGITS$}", u128::from_le_bytes(random) % CODES);
    let code = EnrolmentCode::read(&digits);
    code.map_or(digits, |code| tls_key.map_or(code.clone(), |key| code.bound_to(key)).to_string())
}

/// What the store keeps of a code, however it was typed: only its digits count, and of these the secret ones.
pub(crate) fn hash_of(code: &str) -> Hash {
    match EnrolmentCode::read(code) {
        Some(code) => chain::sha256(code.secret().as_bytes()),
        // No code has another length; so no code has this hash.
        None => chain::sha256(code.as_bytes()),
    }
}

/// A terminal's name from random bytes, as `t-xxxxxxxx`.
pub(crate) fn terminal_name(random: [u8; 8]) -> String {
    let letters = random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
    std::iter::once("t-".to_owned())
        .chain(letters.map(|letter| char::from(letter.to_ascii_lowercase()).to_string()))
        .collect()
}

/// Lower-case hexadecimal, for nonces.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_fifteen_digits_and_the_same_however_it_is_typed() {
        let code = new_code(123_456_789_012_345_u128.to_le_bytes(), None);
        assert_eq!(code, "12345-67890-12345");
        for typed in
            ["123456789012345", " 12345 67890 12345 ", "12345–67890/12345", "code: 12345-67890-12345"]
        {
            assert_eq!(hash_of(typed), hash_of(&code), "{typed}");
        }
        assert_ne!(hash_of("12345-67890-12346"), hash_of(&code));
        assert_ne!(hash_of("12345-67890-1234"), hash_of(&code));
        let bound = new_code(123_456_789_012_345_u128.to_le_bytes(), Some(chain::sha256(b"key")));
        assert!(bound.starts_with("12345-67890-12345-") && bound.len() == 23, "{bound}");
        assert_eq!(hash_of(&bound), hash_of(&code), "a terminal sends the secret alone, and need not");
        assert_eq!(new_code([0; 16], None), "00000-00000-00000");
        assert_eq!(new_code(10_u128.pow(15).to_le_bytes(), None), "00000-00000-00000");
    }

    #[test]
    fn every_digit_is_as_likely_as_any_other_at_every_place() {
        const DRAWS: u32 = 10_000;
        let mut seen = [[0_u32; 10]; SECRET_DIGITS];
        for draw in 0..DRAWS {
            let random = chain::sha256(&draw.to_le_bytes()).0;
            let code = new_code(random[..16].try_into().unwrap(), None);
            for (place, digit) in code.chars().filter_map(|c| c.to_digit(10)).enumerate() {
                seen[place][usize::try_from(digit).unwrap()] += 1;
            }
        }
        // A thousand each, with a standard deviation of thirty.
        assert!(seen.iter().flatten().all(|n| (850..1150).contains(n)), "{seen:?}");
    }

    #[test]
    fn names_are_ids() {
        assert!(terminal_name([9; 8]).parse::<crate::model::TerminalId>().is_ok());
        assert_eq!(terminal_name([0, 1, 31, 10, 200, 255, 9, 8]), "t-01za8z98");
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
