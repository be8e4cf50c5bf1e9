//! Where a text may break into lines, written into the text itself as marks that take no room.
//!
//! Scripts without spaces may break between any two characters, which tears words and leaves one character alone on a line. So a text
//! is cut into phrases: at its own marks (`\n`), else into words by the dictionary of the segmentation library that the text layout
//! uses too. Invariants:
//! - no line of a text that breaks between its phrases has one character alone, unless the text is no longer than that;
//! - without the marks ([`unmarked`]) a text has the characters it had before, but for spaces that became no-break spaces.

use icu_segmenter::{WordSegmenter, options::WordBreakInvariantOptions};

const ZERO_WIDTH_SPACE: char = '\u{200b}';
const WORD_JOINER: char = '\u{2060}';
const RIGHT_TO_LEFT_MARK: char = '\u{200f}';
const NO_BREAK_SPACE: char = '\u{a0}';

/// The dot that ends a Tibetan syllable: a line may break after it, and no space follows it.
const TSHEG: char = '\u{0f0b}';

/// The fewest characters on a line.
const LEAST_ON_A_LINE: usize = 2;

/// Single characters that belong to the word after them; all others belong to the word before them.
const LEANING_FORWARD: &str = "不没很太最更再";

/// A text that breaks by meaning: each phrase is held together, between phrases it may break.
pub fn breakable(text: &str) -> String {
    let mut line = Line::new(text);
    if line.without_spaces() {
        if !line.marked && line.chars.iter().copied().any(is_wide) {
            line.cut_words();
        }
        line.cut_after_spaces();
        if line.marked || line.chars.iter().copied().any(is_wide) {
            line.join_singles();
            return line.drawn(|line, at| if line.cuts.contains(&at) { Place::Cut } else { Place::Held });
        }
    }
    line.loosely()
}

/// A text for a line that is too short for one of its phrases: it breaks wherever its script allows, and leaves no character alone.
pub fn loose(text: &str) -> String {
    Line::new(text).loosely()
}

/// A text without its marks, on one line.
pub fn unbroken(text: &str) -> String {
    Line::new(text).chars.into_iter().collect()
}

/// A text as it is drawn without the marks that nobody sees.
pub fn unmarked(text: &str) -> String {
    text.chars().filter(|c| ![ZERO_WIDTH_SPACE, WORD_JOINER, RIGHT_TO_LEFT_MARK].contains(c)).collect()
}

/// How many characters a reader sees, without signs, spaces and what is set above or below another one.
fn characters(chars: &[char]) -> usize {
    let stacked = |c: char| matches!(c, '\u{f71}'..='\u{f84}' | '\u{f8d}'..='\u{fbc}');
    chars.iter().filter(|c| c.is_alphanumeric() && !stacked(**c)).count()
}

/// A text on one line, and where its phrases begin.
struct Line {
    chars: Vec<char>,
    /// It came with marks of its own.
    marked: bool,
    /// Places before a character, in order.
    cuts: Vec<usize>,
}

/// What is between two characters.
enum Place {
    /// The line may break here.
    Cut,
    /// It must not.
    Held,
    /// As the script has it.
    Natural,
}

impl Line {
    fn new(text: &str) -> Self {
        let (mut chars, mut cuts) = (Vec::with_capacity(text.len()), Vec::new());
        for c in text.chars() {
            match c {
                '\n' | ZERO_WIDTH_SPACE => {}
                // A text that is part of another one has its marks already.
                WORD_JOINER | RIGHT_TO_LEFT_MARK => continue,
                NO_BREAK_SPACE => {
                    chars.push(' ');
                    continue;
                }
                _ => {
                    chars.push(c);
                    continue;
                }
            }
            if !chars.last().copied().is_some_and(ends_without_space) {
                chars.push(' ');
            }
            cuts.push(chars.len());
        }
        Self { marked: !cuts.is_empty(), chars, cuts }
    }

    /// Whether its script, or one of its scripts, has no spaces between words.
    fn without_spaces(&self) -> bool {
        self.chars.iter().any(|c| ends_without_space(*c))
    }

    /// Cuts at the words of the dictionary. Signs stay with the word they belong to.
    fn cut_words(&mut self) {
        let text: String = self.chars.iter().collect();
        let words = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
        let mut at = 0;
        let mut ends = words.segment_str(&text).peekable();
        let mut starts = Vec::new();
        for (place, (byte, _)) in text.char_indices().enumerate() {
            while ends.next_if(|end| *end <= byte).is_some() {
                at = place;
            }
            if at == place && place > 0 && may_part(self.chars[place - 1], self.chars[place]) {
                starts.push(place);
            }
        }
        self.cuts = starts;
    }

    fn cut_after_spaces(&mut self) {
        let after = (1..self.chars.len()).filter(|at| self.chars[at - 1] == ' ' && self.chars[*at] != ' ');
        self.cuts.extend(after);
        self.cuts.retain(|at| (1..self.chars.len()).contains(at));
        self.cuts.sort_unstable();
        self.cuts.dedup();
    }

    /// Takes out the cuts that would leave a character alone: single characters in a row belong together, and one between two words
    /// to one of them.
    fn join_singles(&mut self) {
        let single = |cuts: &[usize], phrase: usize| self.characters_of(cuts, phrase) < LEAST_ON_A_LINE;
        let both = |at: usize| single(&self.cuts, at) && single(&self.cuts, at + 1);
        let mut cuts: Vec<usize> =
            self.cuts.iter().enumerate().filter(|(at, _)| !both(*at)).map(|(_, cut)| *cut).collect();
        let mut phrase = 0;
        while phrase <= cuts.len() && !cuts.is_empty() {
            if !single(&cuts, phrase) {
                phrase += 1;
                continue;
            }
            let start = if phrase == 0 { 0 } else { cuts[phrase - 1] };
            let forward = LEANING_FORWARD.contains(self.chars[start]) && phrase < cuts.len();
            cuts.remove(if phrase == 0 || forward { phrase } else { phrase - 1 });
        }
        self.cuts = cuts;
    }

    /// How many characters a phrase has, counted from 0.
    fn characters_of(&self, cuts: &[usize], phrase: usize) -> usize {
        let start = if phrase == 0 { 0 } else { cuts[phrase - 1] };
        let end = cuts.get(phrase).copied().unwrap_or(self.chars.len());
        characters(&self.chars[start..end])
    }

    /// Breaks wherever the script allows; the first and the last characters are held together. In other scripts that is a last word or
    /// syllable of one letter or digit.
    fn loosely(&self) -> String {
        let count = |range: &[char]| characters(range);
        let wide = self.chars.iter().copied().any(is_wide);
        self.drawn(|line, at| {
            let (before, after) = line.chars.split_at(at);
            let alone = count(after) < LEAST_ON_A_LINE || wide && count(before) < LEAST_ON_A_LINE;
            if alone { Place::Held } else { Place::Natural }
        })
    }

    /// The text with its marks.
    fn drawn(&self, place: impl Fn(&Self, usize) -> Place) -> String {
        let mut drawn = String::with_capacity(4 * self.chars.len());
        for (at, c) in self.chars.iter().copied().enumerate() {
            let Some(before) = at.checked_sub(1).map(|before| self.chars[before]) else {
                drawn.push(c);
                continue;
            };
            match place(self, at) {
                Place::Cut if ends_without_space(before) => drawn.push(ZERO_WIDTH_SPACE),
                Place::Held if before == ' ' && c != ' ' && characters(&self.chars[at..]) > 0 => {
                    drawn.pop();
                    drawn.push(NO_BREAK_SPACE);
                }
                // In Tibetan only after a syllable: within one the signs are stacked, and a joiner would tear the stack.
                Place::Held
                    if ![c, before].contains(&NO_BREAK_SPACE)
                        && c != ' '
                        && (is_wide(c) || ends_without_space(before)) =>
                {
                    drawn.push(WORD_JOINER);
                }
                Place::Cut | Place::Held | Place::Natural => {}
            }
            drawn.push(c);
        }
        if starts_right_to_left(&drawn) { anchor_spaces(&drawn) } else { drawn }
    }
}

/// Whether a line may break between the last character of a word and the first one of the next.
fn may_part(end: char, start: char) -> bool {
    let opens = |c: char| "（《〈“‘「『【〔([{<".contains(c);
    // Between Latin words only a space is a place to break.
    let latin = !is_wide(end) && !is_wide(start);
    !latin && !opens(end) && (start.is_alphanumeric() || opens(start))
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

    /// A text with a stroke where it may break.
    fn cut(text: &str) -> String {
        unmarked(&breakable(text).replace(ZERO_WIDTH_SPACE, "/")).replace(NO_BREAK_SPACE, "_")
    }

    #[test]
    fn a_chinese_name_breaks_between_its_words_and_leaves_no_character_alone() {
        for (name, broken) in [
            ("挂号窗口", "挂号/窗口"),
            ("抽血化验", "抽血/化验"),
            ("抽血化验室", "抽血/化验室"),
            ("住院收费处", "住院/收费处"),
            ("核磁共振检查室", "核磁/共振/检查室"),
            ("中西医结合科", "中西医/结合科"),
            ("门诊（东区）", "门诊/（东区）"),
            ("CT室", "CT室"),
            ("门诊3号楼", "门诊/3号楼"),
            ("您对这次挂号满意吗？", "您对/这次/挂号/满意吗？"),
            ("还能试 3 次", "还能试_3_次"),
            ("急诊科", "急诊科"),
        ] {
            assert_eq!(cut(name), broken);
        }
    }

    #[test]
    fn a_name_that_is_too_long_for_its_line_still_leaves_no_character_alone() {
        let shown = |text: &str| loose(text).replace(WORD_JOINER, "+");
        assert_eq!(shown("抽血化验"), "抽+血化+验");
        assert_eq!(shown("挂号收费窗口"), "挂+号收费窗+口");
        assert_eq!(shown("满意吗？"), "满+意+吗+？");
        assert_eq!(shown("Room 2"), "Room\u{a0}2");
        assert_eq!(shown("Waiting area"), "Waiting area");
    }

    #[test]
    fn a_mark_that_would_leave_a_character_alone_is_no_place_to_break() {
        assert_eq!(cut("没讲\n清"), "没讲清");
        assert_eq!(cut("没\n讲清楚"), "没讲清楚");
        assert_eq!(cut("没听我\n说完"), "没听我/说完");
    }

    #[test]
    fn japanese_and_traditional_chinese_break_between_words_too() {
        assert_eq!(cut("診察室"), "診察室");
        assert_eq!(cut("説明が\n不明瞭"), "説明が/不明瞭");
        for (text, least) in [("掛號窗口", 2), ("領藥處", 2), ("お支払いは簡単でしたか", 2)]
        {
            assert!(cut(text).split('/').all(|phrase| phrase.chars().count() >= least), "{}", cut(text));
        }
    }

    #[test]
    fn a_tibetan_line_never_ends_in_a_syllable_of_one_letter() {
        assert_eq!(breakable("ཨང་འགོད་ས།"), "ཨང་འགོད་\u{2060}ས།");
        assert_eq!(breakable("ཐོ་འགོད་ཁང་"), "ཐོ་འགོད་ཁང་");
    }

    #[test]
    fn a_text_with_its_marks_may_become_part_of_another_one() {
        for text in ["挂号窗口", "非常\n不满意", "还能试 3 次", "ཐོ་འགོད་ཁང་", "{n} مىنۇت بۇرۇن"]
        {
            assert_eq!(breakable(&breakable(text)), breakable(text));
        }
    }

    #[test]
    fn no_text_loses_or_gains_a_character() {
        for text in ["挂号窗口", "Room 2", "还能试 {n} 次", "说“好”的人，多吗？", "", "科", " ", "。"]
        {
            for marked in [breakable(text), loose(text)] {
                assert_eq!(unmarked(&marked).replace(NO_BREAK_SPACE, " "), text);
            }
        }
    }

    #[test]
    fn a_mark_is_the_only_place_to_break() {
        assert_eq!(breakable("一般"), "一\u{2060}般", "two characters stay together without a mark too");
        assert_eq!(breakable("非常\n不满意"), "非\u{2060}常\u{200b}不\u{2060}满\u{2060}意");
        assert_eq!(breakable("Very\nbad"), "Very bad");
        assert_eq!(unbroken("非常\n不满意"), "非常不满意");
        assert_eq!(unbroken("Very\nbad"), "Very bad");
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
