//! One line of words, ready for a page: in two languages, with the marks where it may break.

use super::{
    Catalogue, Texts,
    phrases::{breakable, loose, unbroken},
};

/// One line in two languages, ready for a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// In the visitor's language, with marks where it may break.
    pub text: String,
    /// The same for a line that is too short for a phrase of it: it may break anywhere, and leaves no character alone.
    pub loose: String,
    /// In the second language; empty: none.
    pub second: String,
    /// `text` without marks, as it is spoken and found by tests.
    pub spoken: String,
}

impl Words {
    /// `second` is left out when it says the same.
    pub fn new(first: &str, second: Option<&str>) -> Self {
        let spoken = unbroken(first);
        let second = second.filter(|second| unbroken(second) != spoken).map(breakable).unwrap_or_default();
        Self { text: breakable(first), loose: loose(first), second, spoken }
    }

    /// The same with a number or a name in place of `{n}`.
    #[must_use]
    pub fn with(mut self, n: &str) -> Self {
        for line in [&mut self.text, &mut self.loose, &mut self.second, &mut self.spoken] {
            *line = line.replace("{n}", n);
        }
        self
    }
}

impl<T: Texts> Catalogue<T> {
    /// A text in two languages.
    pub fn words(&self, first: &str, second: Option<&str>, text: T) -> Words {
        Words::new(self.text(first, text), second.map(|tag| self.text(tag, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_language_that_says_the_same_is_left_out() {
        assert_eq!(Words::new("Yes", Some("Yes")).second, "");
        assert_eq!(Words::new("是", Some("Yes")).second, "Yes");
    }
}
