//! What a keypad types: the digits of a PIN, which nobody may see, and an enrolment code in groups.

use std::fmt;

use crate::{
    enrolment_code::{BINDING_DIGITS, SECRET_DIGITS, is_length},
    pin::{DIGITS_MAX, Pin},
};

/// Most digits of an enrolment code.
const CODE_DIGITS_MAX: usize = SECRET_DIGITS + BINDING_DIGITS;

/// Digits between two dashes.
const GROUP: usize = 5;

/// A sign of a keypad. It may belong to a PIN, so it is not shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(char);

impl From<char> for Key {
    fn from(sign: char) -> Self {
        Self(sign)
    }
}

impl Key {
    /// The sign if it is a digit.
    pub(super) fn digit(self) -> Option<char> {
        Some(self.0).filter(char::is_ascii_digit)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The digits of a PIN as far as it was typed.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Digits(String);

impl Digits {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn push(&mut self, digit: char) {
        if self.0.len() < DIGITS_MAX {
            self.0.push(digit);
        }
    }

    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Takes them as a PIN if they can be one.
    pub fn take(&mut self) -> Option<Pin> {
        let pin = Pin::new(&self.0)?;
        self.0.clear();
        Some(pin)
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(..)")
    }
}

/// An enrolment code as far as it was typed: fifteen digits, `12345-67890-12345`, or twenty.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Code {
    grouped: String,
}

impl Code {
    /// What was typed, in groups of five.
    pub fn grouped(&self) -> &str {
        &self.grouped
    }

    /// Whether nothing is missing.
    pub(super) fn is_complete(&self) -> bool {
        is_length(self.digits())
    }

    pub(super) fn push(&mut self, digit: char) {
        let digits = self.digits();
        if digits == CODE_DIGITS_MAX {
            return;
        }
        if digits > 0 && digits.is_multiple_of(GROUP) {
            self.grouped.push('-');
        }
        self.grouped.push(digit);
    }

    pub(super) fn pop(&mut self) {
        self.grouped.pop();
        if self.grouped.ends_with('-') {
            self.grouped.pop();
        }
    }

    fn digits(&self) -> usize {
        self.grouped.bytes().filter(u8::is_ascii_digit).count()
    }
}

/// What somebody types who presses these digits one after the other.
impl FromIterator<char> for Code {
    fn from_iter<T: IntoIterator<Item = char>>(typed: T) -> Self {
        let mut code = Self::default();
        typed.into_iter().filter(char::is_ascii_digit).for_each(|digit| code.push(digit));
        code
    }
}

/// A code is a key until it is used.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_typed_and_erased_in_groups_of_five() {
        let mut code = Code::default();
        let mut shown = Vec::new();
        for digit in "123456789012345678901".chars() {
            code.push(digit);
            shown.push(code.grouped().to_owned());
        }
        assert_eq!(shown[4], "12345");
        assert_eq!(shown[5], "12345-6");
        assert_eq!(shown[14], "12345-67890-12345");
        assert_eq!(shown[20], "12345-67890-12345-67890", "the twenty-first is not taken");
        assert!(code.is_complete());
        for (count, before) in (1..20).zip(&shown).rev() {
            code.pop();
            assert_eq!(code.grouped(), before);
            assert_eq!(code.is_complete(), count == 15, "fifteen digits are a code, or twenty");
        }
        code.pop();
        code.pop();
        assert_eq!(code, Code::default());
    }

    #[test]
    fn a_pin_is_taken_once_and_only_when_it_can_be_one() {
        let mut digits = Digits::default();
        "407".chars().for_each(|digit| digits.push(digit));
        assert_eq!(digits.take(), None);
        assert_eq!(digits.len(), 3, "what is too short stays to be completed");
        "1234567890".chars().for_each(|digit| digits.push(digit));
        assert_eq!(digits.len(), DIGITS_MAX);
        assert_eq!(digits.take(), Pin::new("407123456789"));
        assert_eq!(digits.len(), 0);
    }

    #[test]
    fn nothing_typed_is_shown_to_a_log() {
        let (mut digits, mut code) = (Digits::default(), Code::default());
        digits.push('7');
        code.push('7');
        assert!(!format!("{:?} {digits:?} {code:?}", Key('7')).contains('7'));
    }
}
