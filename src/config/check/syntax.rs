//! From bytes to a TOML tree, with advice for the mistakes people make in an editor.

use toml::{Spanned, de::DeTable};

use super::{
    finding::{Finding, Severity, Source},
    located::Span,
};

/// Most syntax errors reported: one missing quote makes many, and the first ones are the ones to fix.
const SYNTAX_ERRORS_MAX: usize = 8;

/// Most syntax errors looked at.
const SYNTAX_ERRORS_SEEN_MAX: usize = 400;

/// Larger files are no configuration: the largest example has 40 KB.
const BYTES_MAX: usize = 1 << 20;

/// Signs an input method makes in place of the ones TOML knows.
pub(super) const FULL_WIDTH: [(char, &str); 27] = [
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('‘', "\""),
    ('’', "\""),
    ('＂', "\""),
    ('＇', "\""),
    ('「', "\""),
    ('」', "\""),
    ('『', "\""),
    ('』', "\""),
    ('《', "\""),
    ('》', "\""),
    ('＝', "="),
    ('：', "="),
    ('，', ","),
    ('、', ","),
    ('；', ","),
    ('［', "["),
    ('］', "]"),
    ('【', "["),
    ('】', "]"),
    ('｛', "{"),
    ('｝', "}"),
    ('＃', "#"),
    ('．', "."),
    ('－', "-"),
];

/// The text of a file; a finding if it is not UTF-8. A byte-order mark is harmless.
pub(crate) fn text_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Finding>> {
    let save = "save it again as UTF-8 (in Windows Notepad: Save As 另存为, encoding 编码 UTF-8)";
    let wrong = |good: &str, what: String, fix: &str| {
        let (source, span) = (Source::new(file, good), good.len()..good.len());
        Box::new(source.finding(&span, Severity::Error, String::new(), what, fix.to_owned()))
    };
    if bytes.len() > BYTES_MAX {
        let what = format!("the file has {} KB, more than any configuration", bytes.len() / 1024);
        return Err(wrong("", what, "check the name of the file"));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if is_utf_16(bytes) {
        return Err(wrong("", "the file is saved as UTF-16".to_owned(), save));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes
            .get(..error.valid_up_to())
            .and_then(|good| std::str::from_utf8(good).ok())
            .unwrap_or_default();
        let what = match legacy_encoding(bytes) {
            Some(name) => format!("the file is not UTF-8 text from here on; it is probably saved as {name}"),
            None => "the file is not UTF-8 text from here on".to_owned(),
        };
        wrong(good, what, save)
    })?;
    match text.find('\0') {
        Some(at) => Err(wrong(
            &text[..at],
            "the file holds a zero byte here".to_owned(),
            "delete the sign, or restore the file",
        )),
        None => Ok(text),
    }
}

/// A mark says so, or every other byte of the first ones is zero.
fn is_utf_16(bytes: &[u8]) -> bool {
    let zeros = |odd: usize| bytes.iter().take(64).skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let many = bytes.len().min(64) / 4;
    bytes.starts_with(b"\xFF\xFE")
        || bytes.starts_with(b"\xFE\xFF")
        || (many > 1 && (zeros(0) > many || zeros(1) > many))
}

/// The encoding of earlier systems that every byte of a file fits.
fn legacy_encoding(bytes: &[u8]) -> Option<&'static str> {
    let fits = |encoding: &'static encoding_rs::Encoding| !encoding.decode_without_bom_handling(bytes).1;
    [(encoding_rs::GB18030, "GBK"), (encoding_rs::BIG5, "Big5"), (encoding_rs::SHIFT_JIS, "Shift-JIS")]
        .into_iter()
        .find_map(|(encoding, name)| fits(encoding).then_some(name))
}

/// The tree of a file, and its syntax errors, at most one a line. With any error the tree may lack parts.
pub fn parse<'a>(source: &Source<'a>) -> (Spanned<DeTable<'a>>, Vec<Finding>) {
    let (tree, errors) = DeTable::parse_recoverable(source.text);
    let mut findings: Vec<Finding> = Vec::new();
    for error in errors.into_iter().take(SYNTAX_ERRORS_SEEN_MAX) {
        let span = error.span().unwrap_or(source.text.len()..source.text.len());
        // Some errors begin at the line end before the place they mean.
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        let place = source.finding(&span, Severity::Error, String::new(), what.clone(), String::new());
        if findings.iter().any(|earlier| earlier.line == place.line) {
            continue;
        }
        let odd = odd_sign(source.text, &span);
        let finding = match &odd {
            Some(odd) => source.finding(&odd.at, Severity::Error, String::new(), what, odd.fix.clone()),
            None => Finding { fix: advice(&place), ..place },
        };
        findings.push(finding);
    }
    findings.sort_by_key(|finding| finding.line);
    findings.truncate(SYNTAX_ERRORS_MAX);
    (tree, findings)
}

/// A sign that looks like one of TOML's and is none, outside quotes, in the line of an error.
struct OddSign {
    at: Span,
    fix: String,
}

fn odd_sign(text: &str, span: &Span) -> Option<OddSign> {
    let start = (0..=span.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at))?;
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[from..].lines().next()?;
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return None,
            _ if quoted => {}
            _ => {
                let at = from + at..from + at + c.len_utf8();
                if let Some((wide, plain)) = FULL_WIDTH.iter().find(|(wide, _)| *wide == c) {
                    let fix = format!(
                        "type {plain} in place of the full-width `{wide}` (switch the keyboard to English 英文标点)"
                    );
                    return Some(OddSign { at, fix });
                }
                if is_odd_blank(c) {
                    let name = blank_name(c);
                    let fix = format!(
                        "delete the {name} (U+{:04X}) and type an ordinary space, or none",
                        u32::from(c)
                    );
                    return Some(OddSign { at, fix });
                }
            }
        }
    }
    None
}

/// Blanks that nobody sees and TOML does not know.
pub(super) fn is_odd_blank(c: char) -> bool {
    (c.is_whitespace() && !matches!(c, ' ' | '\t' | '\r' | '\n'))
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{3164}' | '\u{feff}')
}

fn blank_name(c: char) -> &'static str {
    match c {
        '\u{3000}' => "full-width blank 全角空格",
        '\u{a0}' | '\u{202f}' => "no-break space",
        _ if c.is_whitespace() => "blank that is no ordinary space",
        _ => "invisible sign",
    }
}

fn advice(finding: &Finding) -> String {
    let what = finding.what.as_str();
    if what.contains("duplicate key") {
        return "keep one of the two lines; for another place begin a new [[touchpoint]] section".to_owned();
    }
    let line = finding.excerpt.trim();
    if line.matches('"').count() % 2 == 1 {
        return "a quote \" is missing on this line: put every text between two of them".to_owned();
    }
    if let Some((_, value)) = line.split_once('=')
        && value.trim().chars().next().is_some_and(char::is_alphabetic)
        && !matches!(value.trim(), "true" | "false")
    {
        return "put the text between two quotes: \"...\"".to_owned();
    }
    if line.starts_with('[') && !line.ends_with(']') {
        return "close the section's name with the same number of ] as there are [".to_owned();
    }
    "write the line as key = \"text\", key = 30, or [section]; the example files show each form".to_owned()
}
