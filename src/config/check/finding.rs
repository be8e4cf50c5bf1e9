//! What a check found: where, what, and how to fix it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::located::Span;
use crate::secrets;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file is used; somebody should look.
    Warning,
}

/// One problem in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The file, as it was named to the check.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Character in the line, counted from 1.
    pub column: usize,
    /// Which key, for example `touchpoint[pharmacy].name.en`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
    /// Error or warning.
    pub severity: Severity,
    /// The line as it stands.
    pub excerpt: String,
    /// How many characters of the line are meant.
    pub chars: usize,
}

/// Columns the line number and its bar take before the source text.
const GUTTER: usize = 5;

/// Longest excerpt in characters: a longer line is cut around the column, so that a report stays readable.
const EXCERPT_CHARS_MAX: usize = 100;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{}:{}:{}: {severity}: {}", self.file, self.line, self.column, self.what)?;
        if !self.excerpt.trim().is_empty() {
            let skipped = (self.column + 10).saturating_sub(EXCERPT_CHARS_MAX);
            let shown: String = self.excerpt.chars().skip(skipped).take(EXCERPT_CHARS_MAX).collect();
            let before: String = shown.chars().take(self.column.saturating_sub(skipped + 1)).collect();
            let marked: String = shown.chars().skip(before.chars().count()).take(self.chars.max(1)).collect();
            writeln!(f, "{:GUTTER$} | {shown}", self.line)?;
            writeln!(
                f,
                "{:GUTTER$} | {}{}",
                "",
                " ".repeat(cells(&before)),
                "^".repeat(cells(&marked).max(1))
            )?;
        }
        write!(f, "    fix: {}", self.fix)
    }
}

/// All findings of a check; an error where no value could be made.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Whether the files must not be used.
    pub fn any_error(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            finding.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

/// A file under check. Its findings go to logs and to whoever stands at the terminal, so they never repeat a secret: every sentence and
/// every line of the file goes through here.
pub(crate) struct Source<'a> {
    /// As it was named to the check.
    file: &'a str,
    pub text: &'a str,
    /// The same without its secrets, byte for byte as long.
    masked: String,
    secrets: Vec<String>,
}

impl<'a> Source<'a> {
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self::knowing(file, text, &|_| true)
    }

    /// A file whose lines are shown only where their key is known.
    pub fn knowing(file: &'a str, text: &'a str, is_known: &dyn Fn(&str) -> bool) -> Self {
        Self { file, text, masked: secrets::masked_knowing(text, is_known), secrets: secrets::values(text) }
    }

    /// What stands at some bytes, to be quoted in a sentence.
    pub(crate) fn quoted(&self, span: &Span) -> &str {
        self.masked.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default()
    }

    /// A finding at some bytes of the file.
    pub fn finding(
        &self,
        span: &Span,
        severity: Severity,
        key: String,
        what: String,
        fix: String,
    ) -> Finding {
        let start = floor_boundary(self.text, span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let end = floor_boundary(self.text, span.end).clamp(start, line_end.max(start));
        let excerpt = harmless(&self.masked[line_start..line_end].trim_end_matches('\r').replace('\t', " "));
        let [key, what, fix] =
            [key, what, fix].map(|words| shortened(&harmless(&secrets::without(&words, &self.secrets))));
        Finding {
            file: self.file.to_owned(),
            line: self.text[..start].matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            key,
            what,
            fix,
            severity,
            excerpt,
            chars: self.text[start..end].chars().count(),
        }
    }
}

/// Without signs that a terminal would obey; as many as before, for the mark below the line.
fn harmless(text: &str) -> String {
    let obeyed = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// A sentence that repeats a value of any length.
fn shortened(words: &str) -> String {
    const CHARS_MAX: usize = 600;
    if words.chars().nth(CHARS_MAX).is_none() {
        return words.to_owned();
    }
    let chars: Vec<char> = words.chars().collect();
    let (head, tail) = (&chars[..CHARS_MAX / 2], &chars[chars.len() - CHARS_MAX / 2..]);
    head.iter().chain(&[' ', '…', ' ']).chain(tail).collect()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

/// How many cells of a text terminal a text takes: Chinese characters and full-width signs take two.
pub fn cells(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { usize::from(!is_zero_width(c)) }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F
        | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD)
}

/// Signs without a place of their own: joiners, and what is written above or below a letter, also the lower letters of a Tibetan stack.
fn is_zero_width(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F | 0x064B..=0x065F | 0x0670 | 0x0F71..=0x0F7E | 0x0F80..=0x0F84 | 0x0F8D..=0x0FBC
        | 0x200B..=0x200F | 0x2060..=0x2069 | 0xFE00..=0xFE0F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_word_also_after_chinese() {
        let text = "a = 1\nname = { zh-CN = \"药房取药\", em = \"Pharmacy\" }\n";
        let at = text.find("em =").unwrap();
        let source = Source::new("config/touchpoints.toml", text);
        let finding =
            source.finding(&(at..at + 2), Severity::Error, String::new(), "wrong".into(), "right".into());
        let expected = [
            "config/touchpoints.toml:2:26: error: wrong".to_owned(),
            "    2 | name = { zh-CN = \"药房取药\", em = \"Pharmacy\" }".to_owned(),
            format!("      | {}^^", " ".repeat(29)), // four characters of the 25 before it take two cells
            "    fix: right".to_owned(),
        ];
        assert_eq!(finding.to_string(), expected.join("\n"));
    }

    #[test]
    fn a_finding_holds_no_sign_that_a_terminal_obeys_and_no_value_of_any_length() {
        let long = "a".repeat(1_000_000);
        let text = format!("x = \"\u{1b}[2J\u{202e}{long}\"");
        let source = Source::new("f", &text);
        let what = format!("`\u{1b}[2J{long}` is not an id");
        let said = source.finding(&(4..5), Severity::Error, String::new(), what, "f".into()).to_string();
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said}");
        assert!(said.len() < 1_000 && said.contains("is not an id"), "{} bytes", said.len());
    }

    #[test]
    fn any_span_is_survived() {
        let source = Source::new("f", "é\r\n药");
        for start in 0..12 {
            for end in 0..12 {
                let finding =
                    source.finding(&(start..end), Severity::Warning, String::new(), "w".into(), "f".into());
                assert!(finding.line <= 2 && finding.to_string().contains("fix: f"));
            }
        }
    }
}
