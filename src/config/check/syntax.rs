//! From bytes to a TOML tree, with advice for the mistakes people make in an editor.

use toml::{Spanned, de::DeTable};

use super::finding::{Finding, Severity, Source};

/// Most syntax errors reported: one missing quote makes many, and the first ones are the ones to fix.
const SYNTAX_ERRORS_MAX: usize = 8;

/// Signs a Chinese input method makes in place of the ones TOML knows.
const FULL_WIDTH: [(char, &str); 12] = [
    ('“', "\""),
    ('”', "\""),
    ('‘', "\""),
    ('’', "\""),
    ('＂', "\""),
    ('＝', "="),
    ('，', ","),
    ('［', "["),
    ('］', "]"),
    ('｛', "{"),
    ('｝', "}"),
    ('＃', "#"),
];

/// The text of a file; a finding if it is not UTF-8.
pub fn text_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Box<Finding>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default();
        let source = Source { file, text: good };
        let fix = "save it again as UTF-8 (in Windows Notepad: Save As 另存为, encoding 编码 UTF-8); it may be GBK now";
        let what = "the file is not UTF-8 text from here on".to_owned();
        let span = good.len()..good.len();
        Box::new(source.finding(&span, Severity::Error, String::new(), what, fix.to_owned()))
    })
}

/// The tree of a file, and its syntax errors, at most one a line. With any error the tree may lack parts.
pub fn parse<'a>(source: &Source<'a>) -> (Spanned<DeTable<'a>>, Vec<Finding>) {
    let (tree, errors) = DeTable::parse_recoverable(source.text);
    let mut findings: Vec<Finding> = Vec::new();
    for error in errors {
        let span = error.span().unwrap_or(source.text.len()..source.text.len());
        // Some errors begin at the line end before the place they mean.
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        let mut finding = source.finding(&span, Severity::Error, String::new(), what, String::new());
        finding.fix = advice(&finding);
        if !findings.iter().any(|earlier| earlier.line == finding.line) {
            findings.push(finding);
        }
    }
    findings.sort_by_key(|finding| finding.line);
    findings.truncate(SYNTAX_ERRORS_MAX);
    (tree, findings)
}

fn advice(finding: &Finding) -> String {
    if let Some((wide, plain)) = full_width_outside_quotes(&finding.excerpt) {
        return format!(
            "type {plain} in place of the full-width `{wide}` (switch the keyboard to English 英文标点)"
        );
    }
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

fn full_width_outside_quotes(line: &str) -> Option<(char, &'static str)> {
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return None,
            _ if !quoted => {
                if let Some(found) = FULL_WIDTH.iter().find(|(wide, _)| *wide == c) {
                    return Some(*found);
                }
            }
            _ => {}
        }
    }
    None
}
