//! One line of words, ready for a page: in two languages, with the marks where it may break.

/// One line in two languages, ready for a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// In the visitor's language, with marks where it may break.
    pub text: String,
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
        Self { text: breakable(first), second, spoken }
    }

    /// The same with a number or a name in place of `{n}`.
    #[must_use]
    pub fn with(mut self, n: &str) -> Self {
        for line in [&mut self.text, &mut self.second, &mut self.spoken] {
            *line = line.replace("{n}", n);
        }
        self
    }
}

/// A text with `\n` where it may break: each phrase is held together, between phrases it may break. A text without marks breaks where
/// its language allows.
pub fn breakable(text: &str) -> String {
    let held = if text.contains('\n') { hold(text) } else { text.to_owned() };
    if starts_right_to_left(text) { anchor_spaces(&held) } else { held }
}

/// Ties phrases together.
fn hold(text: &str) -> String {
    let mut held = String::with_capacity(2 * text.len());
    let mut before: Option<char> = None;
    for c in text.chars() {
        if c == '\n' {
            held.push(if before.is_some_and(ends_without_space) { ZERO_WIDTH_SPACE } else { ' ' });
            before = None;
            continue;
        }
        // In Tibetan only after a syllable: within one the signs are stacked, and a joiner would tear the stack.
        if before.is_some_and(|before| is_wide(c) || ends_without_space(before)) {
            held.push(WORD_JOINER);
        }
        held.push(c);
        before = Some(c);
    }
    held
}

/// In a line from right to left, the space after a number or a Latin word is set beside a right-to-left mark. Without it the text layout
/// (parley 0.11) takes the space for one at the line's end and cuts as much off the last letter.
fn anchor_spaces(text: &str) -> String {
    let mut anchored = String::with_capacity(text.len());
    for c in text.chars() {
        // A brace ends a place for a number.
        if c == ' ' && anchored.ends_with(|before: char| before.is_ascii_alphanumeric() || before == '}') {
            anchored.push(RIGHT_TO_LEFT_MARK);
        }
        anchored.push(c);
    }
    anchored
}

/// Whether the first letter, which decides how a line runs, is Hebrew, Arabic or of a script between them.
fn starts_right_to_left(text: &str) -> bool {
    let first = text.replace("{n}", "").chars().find(|c| c.is_alphabetic());
    first.is_some_and(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{feff}'))
}

/// A text without its marks, on one line.
pub fn unbroken(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    for c in text.chars() {
        if c != '\n' {
            line.push(c);
        } else if !before.is_some_and(ends_without_space) {
            line.push(' ');
        }
        before = Some(c);
    }
    line
}

/// A text as it is drawn without the marks that nobody sees.
pub fn unmarked(text: &str) -> String {
    text.chars().filter(|c| ![ZERO_WIDTH_SPACE, WORD_JOINER, RIGHT_TO_LEFT_MARK].contains(c)).collect()
}

const ZERO_WIDTH_SPACE: char = '\u{200b}';
const WORD_JOINER: char = '\u{2060}';
const RIGHT_TO_LEFT_MARK: char = '\u{200f}';

/// The dot that ends a Tibetan syllable: a line may break after it, and no space follows it.
const TSHEG: char = '\u{0f0b}';

/// What the next word follows without a space, and where a line could break without a mark.
fn ends_without_space(c: char) -> bool {
    is_wide(c) || c == TSHEG
}

/// Ideographs, kana and full-width signs: scripts without spaces between words.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_language_that_says_the_same_is_left_out() {
        assert_eq!(Words::new("Yes", Some("Yes")).second, "");
        assert_eq!(Words::new("是", Some("Yes")).second, "Yes");
    }

    #[test]
    fn a_mark_is_the_only_place_to_break() {
        assert_eq!(breakable("一般"), "一般");
        assert_eq!(breakable("非常\n不满意"), "非\u{2060}常\u{200b}不\u{2060}满\u{2060}意");
        assert_eq!(breakable("Very\nbad"), "Very bad");
        assert_eq!(unbroken("非常\n不满意"), "非常不满意");
        assert_eq!(unbroken("Very\nbad"), "Very bad");
        assert_eq!(Words::new("非常\n不满意", Some("Very bad")).spoken, "非常不满意");
    }

    #[test]
    fn tibetan_is_held_at_its_dots_and_never_torn_inside_a_syllable() {
        let text = "སྐད་ཡིག་\nའདེམས་རོགས།";
        assert_eq!(breakable(text), "སྐད་\u{2060}ཡིག་\u{200b}འདེམས་\u{2060}རོགས།");
        assert_eq!(unbroken(text), "སྐད་ཡིག་འདེམས་རོགས།");
        assert_eq!(
            unbroken("ཐུགས་རྗེ་ཆེ།\nཐོ་འགོད་"),
            "ཐུགས་རྗེ་ཆེ། ཐོ་འགོད་",
            "a space follows the stroke that ends a phrase"
        );
    }

    #[test]
    fn a_space_after_a_number_stays_in_a_line_from_right_to_left() {
        assert_eq!(breakable("{n} مىنۇت بۇرۇن"), "{n}\u{200f} مىنۇت بۇرۇن");
        assert_eq!(breakable("پارول kiosk.toml دا"), "پارول kiosk.toml\u{200f} دا");
        assert_eq!(breakable("{n} minutes ago"), "{n} minutes ago");
        assert_eq!(unbroken("{n} مىنۇت بۇرۇن"), "{n} مىنۇت بۇرۇن");
    }
}
