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
pub(super) const FULL_WIDTH: [(char, &str); 31] = [
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
    ('−', "-"),
    ('–', "-"),
    ('—', "-"),
    ('。', "."),
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
        if what.contains("array elements")
            && let Some(list) = open_list(source.text, &span)
        {
            let what = "the list that begins here is not closed".to_owned();
            let fix = "put ] behind its last item".to_owned();
            findings.push(source.finding(&list, Severity::Error, String::new(), what, fix));
            // Everything below was read as a part of the list.
            break;
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

/// The bracket of the list in which a line of a section was found, if the line is none of a list.
fn open_list(text: &str, found: &Span) -> Option<Span> {
    let start = text.get(..found.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next()?.trim_start();
    let is_key = |key: &str| key.trim_end().chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    let name = line.trim_start_matches('[').split(']').next().unwrap_or_default().trim();
    let is_header = line.starts_with('[') && name.starts_with(char::is_alphabetic) && is_key(name);
    if !is_header && !line.split_once('=').is_some_and(|(key, _)| is_key(key)) {
        return None;
    }
    let mut open: Vec<usize> = Vec::new();
    let mut from = 0;
    for line in text[..start].split_inclusive('\n') {
        let is_header = open.is_empty() && line.trim_start().starts_with('[');
        let (mut quote, mut escaped) = (None, false);
        for (at, c) in line.char_indices().take_while(|_| !is_header) {
            match (quote, c) {
                _ if escaped => escaped = false,
                (Some('"'), '\\') => escaped = true,
                (Some(begin), c) if begin == c => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, '#') => break,
                (None, '[') => open.push(from + at),
                (None, ']') => _ = open.pop(),
                // Within quotes, or a character of a value.
                _ => {}
            }
        }
        from += line.len();
    }
    let at = *open.last()?;
    Some(at..at + 1)
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
                if let Some(plain) = u32::from(c).checked_sub(0xfee0).and_then(char::from_u32)
                    && plain.is_ascii_alphanumeric()
                {
                    let fix = format!(
                        "type {plain} in place of the full-width `{c}` (switch the keyboard to half-width 半角)"
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
    let (what, line) = (finding.what.as_str(), finding.excerpt.trim());
    if what.contains("duplicate key") {
        return twice(line);
    }
    let plain = of_sign(what, line)
        .or_else(|| line.split_once('=').and_then(|(key, value)| of_value(key.trim(), value.trim())));
    if let Some(fix) = plain {
        return fix;
    }
    if line.matches('"').count() % 2 == 1 {
        return "a quote \" is missing on this line: put every text between two of them".to_owned();
    }
    if line.starts_with('[') && !line.ends_with(']') {
        return "close the section's name with the same number of ] as there are [".to_owned();
    }
    "write the line as key = \"text\", key = 30, or [section]; the example files show each form".to_owned()
}

/// A key or a section that is there already.
fn twice(line: &str) -> String {
    let name = line.trim_matches(['[', ']']);
    if line.starts_with("[[") {
        return format!(
            "write [[{name}]] with two brackets at every {name}: an earlier one is written with one, as [{name}], or as {name} = ..."
        );
    }
    match line.strip_prefix('[') {
        Some(_) => format!(
            "put the lines of both sections below one [{name}]; of several places each is a [[touchpoint]]"
        ),
        None => "keep one of the two lines; for another place begin a new [[touchpoint]] section".to_owned(),
    }
}

/// What signs of other kinds of file mean.
fn of_sign(what: &str, line: &str) -> Option<String> {
    if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
        return Some(
            "git left this mark where two versions met: keep one of them and delete the marks".to_owned(),
        );
    }
    if line.starts_with("//") || line.starts_with(';') || line.starts_with("--") {
        return Some("begin a comment with #".to_owned());
    }
    if what.contains("carriage return") {
        return Some("save the file with the line ends of Unix or Windows (LF or CRLF)".to_owned());
    }
    if what.contains("leading zero") {
        return Some("write the number without zeros in front".to_owned());
    }
    if line.contains('\\') && (what.contains("escape") || what.contains("unicode")) {
        return Some(
            "between \" a backslash is written twice; or write the name between ', like 'C:\\data', or with /".to_owned(),
        );
    }
    if what.contains("missing comma") {
        let fix =
            "put a comma between two items, and ] behind the last one; the list may begin in a line above";
        return Some(fix.to_owned());
    }
    let sign = line.find([':', '='])?;
    let is_key = line[..sign].chars().all(|c| c.is_alphanumeric() || c == '_');
    (line[sign..].starts_with(':') && is_key).then(|| "write = in place of the colon".to_owned())
}

/// What a value without quotes was meant to be.
fn of_value(key: &str, value: &str) -> Option<String> {
    if key.contains(' ') && !key.contains(['"', '\'', '.']) {
        return Some(format!("write the key as one word: {}", key.replace(' ', "_")));
    }
    let words = value.split('#').next().unwrap_or_default().trim();
    if matches!(words.to_lowercase().as_str(), "yes" | "no" | "on" | "off" | "true" | "false" | "是" | "否")
        && !matches!(words, "true" | "false")
    {
        return Some("write true or false, in small letters and without quotes".to_owned());
    }
    let number = words.trim_start_matches(['-', '+']);
    if number.starts_with(|c: char| c.is_ascii_digit()) && !number.trim_end_matches('"').contains('"') {
        let rest = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if rest.starts_with(',') {
            return Some("write the number with a point, like 15.6".to_owned());
        }
        return (!rest.is_empty()).then(|| "write the number alone, without a unit".to_owned());
    }
    let text = words.trim_start_matches(['[', ' ']);
    (text.starts_with(char::is_alphabetic) && !text.starts_with("true") && !text.starts_with("false"))
        .then(|| "put the text between two quotes: \"...\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is advised about the first mistake of a file.
    fn advised(text: &str) -> String {
        let source = Source::new("kiosk.toml", text);
        let (_, findings) = parse(&source);
        findings.first().unwrap_or_else(|| panic!("no mistake in {text}")).fix.clone()
    }

    #[test]
    fn a_list_that_is_not_closed_is_one_mistake_at_its_beginning() {
        let text = "x = [\"[a\", # [\n  \"b\"\n[[site]]\nid = \"main\"\nname = \"y\"\n";
        let source = Source::new("touchpoints.toml", text);
        let findings = parse(&source).1;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].line, findings[0].column), (1, 5));
        let keys = Source::new("touchpoints.toml", "x = [1\ny = 2\nz = 3\n");
        assert_eq!(parse(&keys).1.len(), 1);
        let comma = Source::new("touchpoints.toml", "x = [\n \"a\"\n \"b\"\n]\n");
        assert!(parse(&comma).1[0].fix.contains("comma"), "a closed list keeps its own advice");
        for closed in ["x = [\n [1]\n [2]\n]\n", "x = [\n '[', \"\\\"[\"\n 1\n]\n"] {
            let source = Source::new("touchpoints.toml", closed);
            let findings = parse(&source).1;
            assert!(findings.iter().all(|finding| !finding.what.contains("not closed")), "{findings:?}");
        }
    }

    #[test]
    fn a_slip_is_answered_by_what_to_write_in_its_place() {
        for (text, words) in [
            ("x = True", "true or false"),
            ("x = yes # wanted", "true or false"),
            ("x = word", "two quotes"),
            ("x = [desk-a]", "two quotes"),
            ("x = 15,6", "with a point"),
            ("x = 1920px", "without a unit"),
            ("x = 15.6\"", "without a unit"),
            ("x = 01920", "without zeros in front"),
            ("x = １９２０", "type 1 in place of the full-width `１`"),
            ("x = −90", "type - in place of"),
            ("x = 15。6", "type . in place of"),
            ("[ｐanel]", "type p in place of"),
            ("x: 1920", "= in place of the colon"),
            ("// words", "comment with #"),
            ("; words", "comment with #"),
            ("full screen = true", "full_screen"),
            ("x = \"C:\\Users\\x\"", "written twice"),
            ("x = \"D:\\xinsheng\"", "written twice"),
            ("x = 1\ry = 2", "line ends"),
            ("<<<<<<< HEAD\nx = 1", "git left this mark"),
            ("x = [\"a\"\n[panel]\ny = 1", "] behind its last item"),
            ("[panel]\nx = 1\n[panel]\ny = 1", "below one [panel]"),
            ("[touchpoint]\nid = \"a\"\n[[touchpoint]]\nid = \"b\"", "[[touchpoint]] with two brackets"),
            ("x = 1\nx = 2", "keep one of the two lines"),
            ("x = \"a", "a quote \" is missing"),
        ] {
            let fix = advised(text);
            assert!(fix.contains(words), "{text}: {fix}");
        }
    }
}
