//! The part of the gettext format that our .po files are written in, read strictly: what is not understood is refused with its line, its
//! column and what to write instead, and nothing else can happen, whatever the bytes.
//!
//! An entry is `msgctxt "..."` (may be left out), `msgid "..."` and `msgstr "..."`, each followed by any number of lines `"..."` that go on
//! with the text. Comments begin with `#`, lines with `#~` are obsolete and passed over, `#, fuzzy` marks a translation as doubtful. Plural
//! forms are read and left out: no text of ours has them. A byte-order mark and line ends of Windows are harmless.

use std::collections::HashMap;

/// Larger files are none of ours: all words of a language take 30 KB.
const BYTES_MAX: usize = 1 << 20;

/// Quotes that editors and input methods make in place of the plain one.
const CURLY: [char; 20] = [
    '“', '”', '„', '‟', '«', '»', '＂', '〝', '〞', '「', '」', '『', '』', '‘', '’', '″', '‹', '›', '\'',
    '`',
];

/// Why a file is no .po file, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}; {fix}")]
pub struct PoError {
    /// Counted from 1.
    pub line: usize,
    /// Character in the line, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Po {
    /// The lines `Key: value` of the entry with the empty `msgid`.
    pub headers: HashMap<String, String>,
    /// All others, in the order of the file.
    pub entries: Vec<Entry>,
}

/// One text and its translation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Where it begins, counted from 1.
    pub line: usize,
    /// `msgctxt`; empty where there is none.
    pub context: String,
    /// `msgid`.
    pub id: String,
    /// `msgstr`; empty where it is not translated.
    pub text: String,
    /// Marked as doubtful.
    pub fuzzy: bool,
}

/// Reads a file.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Po, PoError> {
    let text = text_of(bytes)?;
    let mut reader = Reader::default();
    // Line ends of Unix, Windows and old Macs.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (index, line) in text.lines().enumerate() {
        reader.line(index + 1, line.trim_end())?;
    }
    reader.finish()
}

fn error(line: usize, column: usize, what: impl Into<String>, fix: impl Into<String>) -> PoError {
    PoError { line, column, what: what.into(), fix: fix.into() }
}

fn text_of(bytes: &[u8]) -> Result<&str, PoError> {
    if bytes.len() > BYTES_MAX {
        let what = format!("the file has {} KB, more than any .po file of this program", bytes.len() / 1024);
        return Err(error(1, 1, what, "put the .po file of one language here"));
    }
    let save = "save it again as UTF-8 (in Windows Notepad: Save As 另存为, encoding 编码 UTF-8)";
    if bytes.starts_with(b"\xDE\x12\x04\x95") || bytes.starts_with(b"\x95\x04\x12\xDE") {
        let fix = "put the .po file here from which it was made (msgunfmt makes one from a .mo file)";
        return Err(error(1, 1, "the file is a compiled .mo file", fix));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(error(1, 1, "the file is saved as UTF-16", save));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|wrong| {
        let good = bytes.get(..wrong.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        let last = good.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let column = String::from_utf8_lossy(last).chars().count() + 1;
        error(line, column, "the file is not UTF-8 text from here on; it may be GBK", save)
    })?;
    match text.find('\0') {
        Some(at) => {
            let line = text[..at].matches('\n').count() + 1;
            Err(error(line, 1, "the line holds a zero byte", save))
        }
        None => Ok(text),
    }
}

/// What a quoted line goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Field {
    #[default]
    None,
    Context,
    Id,
    Plural,
    Text,
    PluralText,
}

#[derive(Default)]
struct Reader {
    po: Po,
    entry: Entry,
    field: Field,
    plural: bool,
    has: [bool; 3],
    /// An empty line came since the entry began.
    parted: bool,
    /// Line of the header and of every entry.
    seen: HashMap<(String, String), usize>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), PoError> {
        let start = line.len() - line.trim_start().len();
        let (column, words) = (line[..start].chars().count() + 1, &line[start..]);
        if words.is_empty() {
            self.parted = true;
        }
        if words.is_empty() || words.starts_with("#~") {
            return Ok(());
        }
        if let Some(comment) = words.strip_prefix('#') {
            // A comment begins the next entry, once this one has its translation.
            if self.has_text() {
                self.close(number)?;
            }
            if let Some(flags) = comment.strip_prefix(',') {
                self.entry.fuzzy |= flags.split(',').any(|flag| flag.trim() == "fuzzy");
            }
            return Ok(());
        }
        if words.starts_with('"') {
            let text = quoted(number, column, words)?;
            return self.go_on(number, column, &text);
        }
        let end = words.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '[' | ']')));
        let (keyword, rest) = words.split_at(end.unwrap_or(words.len()));
        let field = self.begin(number, column, keyword, words)?;
        let blank = rest.len() - rest.trim_start().len();
        let at = column + keyword.chars().count() + rest[..blank].chars().count();
        let text = quoted(number, at, &rest[blank..])?;
        self.field = field;
        self.go_on(number, at, &text)
    }

    /// A keyword at the start of a line.
    fn begin(&mut self, number: usize, column: usize, keyword: &str, words: &str) -> Result<Field, PoError> {
        let field = match keyword {
            "msgctxt" => Field::Context,
            "msgid" => Field::Id,
            "msgid_plural" => Field::Plural,
            "msgstr" => Field::Text,
            _ if keyword.starts_with("msgstr[") && keyword.ends_with(']') => Field::PluralText,
            _ => return Err(unknown(number, column, keyword, words)),
        };
        // An empty line ends an entry too; one without its translation is told of by its own line.
        let next = matches!(field, Field::Context | Field::Id);
        if next && (self.has_text() || (self.parted && self.entry.line > 0)) {
            self.close(number)?;
        }
        self.parted = false;
        let [context, id, text] = &mut self.has;
        let twice = |what: &str| {
            let fix = format!("keep one of them; between two texts there must be a msgid and a {what}");
            error(number, column, format!("a second {keyword} for the same text"), fix)
        };
        match field {
            Field::Context if *context => return Err(twice("msgstr")),
            Field::Context if *id => {
                let what = "msgctxt stands behind its msgid, or the text before it has no msgstr";
                return Err(error(number, column, what, "write msgctxt, msgid and msgstr in this order"));
            }
            Field::Context => *context = true,
            Field::Id if *id => return Err(twice("msgstr")),
            Field::Id => *id = true,
            Field::Text if *text => return Err(twice("msgstr")),
            Field::Text if !*id => {
                return Err(error(
                    number,
                    column,
                    "a msgstr without its msgid",
                    "put the line msgid \"...\" above it",
                ));
            }
            Field::Text => *text = true,
            Field::Plural | Field::PluralText => {
                self.plural = true;
                *text |= field == Field::PluralText;
            }
            Field::None => {}
        }
        if self.entry.line == 0 {
            self.entry.line = number;
        }
        Ok(field)
    }

    fn go_on(&mut self, number: usize, column: usize, text: &str) -> Result<(), PoError> {
        match self.field {
            Field::None => {
                let fix = "put msgid or msgstr before it, or remove the line";
                return Err(error(number, column, "a text that belongs to nothing", fix));
            }
            Field::Context => self.entry.context.push_str(text),
            Field::Id => self.entry.id.push_str(text),
            Field::Text => self.entry.text.push_str(text),
            Field::Plural | Field::PluralText => {}
        }
        Ok(())
    }

    fn has_text(&self) -> bool {
        self.has[2]
    }

    /// Takes the entry that ends before a line.
    fn close(&mut self, number: usize) -> Result<(), PoError> {
        let entry = std::mem::take(&mut self.entry);
        let plural = std::mem::take(&mut self.plural);
        let [context, id, text] = std::mem::take(&mut self.has);
        self.field = Field::None;
        if !text {
            if context || id {
                let fix = "put the line msgstr \"...\" below it, with nothing between the quotes for a text without translation";
                return Err(error(entry.line, 1, "the text has no msgstr", fix));
            }
            return Ok(());
        }
        let key = (entry.context.clone(), entry.id.clone());
        if let Some(first) = self.seen.insert(key, entry.line) {
            let what = format!("the text \"{}\" stands in line {first} already", shortened(&entry.id));
            return Err(error(entry.line, 1, what, "keep one of the two entries"));
        }
        if entry.id.is_empty() && entry.context.is_empty() {
            return self.headers(&entry, number);
        }
        if !plural {
            self.po.entries.push(entry);
        }
        Ok(())
    }

    fn headers(&mut self, entry: &Entry, end: usize) -> Result<(), PoError> {
        if !self.po.entries.is_empty() {
            let what = "an empty msgid, which is the header, stands among the texts";
            return Err(error(
                entry.line,
                1,
                what,
                "put the header at the top, or write the text between the quotes",
            ));
        }
        for line in entry.text.lines() {
            if let Some((key, value)) = line.split_once(':') {
                self.po.headers.insert(key.trim().to_owned(), value.trim().to_owned());
            }
        }
        let content = self.po.headers.get("Content-Type").map_or("", String::as_str).to_lowercase();
        let charset = content.split("charset=").nth(1).unwrap_or("utf-8").trim();
        // The second one is what a template says before anybody has filled it in.
        if ["utf-8", "charset", "utf8", "ascii", "us-ascii", ""].contains(&charset) {
            return Ok(());
        }
        let what =
            format!("the header between here and line {end} says that the file is written in `{charset}`");
        Err(error(entry.line, 1, what, "save the file as UTF-8 and write charset=UTF-8 in its header"))
    }

    fn finish(mut self) -> Result<Po, PoError> {
        let end = self.entry.line.max(1);
        self.close(end)?;
        Ok(self.po)
    }
}

/// The text of `"..."`, without its escapes.
fn quoted(line: usize, column: usize, words: &str) -> Result<String, PoError> {
    let Some(inner) = words.strip_prefix('"') else {
        let curly = words.chars().next().filter(|c| CURLY.contains(c));
        return Err(match (curly, words.is_empty()) {
            (Some(c), _) => error(
                line,
                column,
                format!("the text begins with `{c}`"),
                "type a plain \" in place of it (switch the keyboard to English 英文标点)",
            ),
            (None, true) => {
                error(line, column, "the text is missing", "write it between two quotes: \"...\"")
            }
            (None, false) if words.starts_with([':', '=', '：', '＝']) => {
                let fix = "remove it: a blank alone stands between the word and its text";
                error(
                    line,
                    column,
                    format!("`{}` stands before the text", shortened(&words[..first_len(words)])),
                    fix,
                )
            }
            (None, false) => {
                error(line, column, "the text is not in quotes", "put it between two quotes: \"...\"")
            }
        });
    };
    if let Some((index, c)) = inner.chars().enumerate().find(|(_, c)| c.is_control() && *c != '\t') {
        let what = format!("the text holds a sign that cannot be shown (U+{:04X})", u32::from(c));
        return Err(error(line, column + 1 + index, what, "delete it; \\n is a place for a line break"));
    }
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars().enumerate();
    while let Some((index, c)) = chars.next() {
        let at = column + 1 + index;
        match c {
            '"' => {
                let rest = chars.next();
                return match rest {
                    None => Ok(text),
                    Some((index, _)) => Err(error(
                        line,
                        column + 1 + index,
                        "something follows the quote that ends the text",
                        "write \\\" for a quote within a text, and nothing behind the last one",
                    )),
                };
            }
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(c @ ('"' | '\\')) => text.push(c),
                other => {
                    let sign = other.map_or_else(String::new, String::from);
                    let fix = "write \\\\ for a backslash; \\n is a place for a line break";
                    return Err(error(line, at, format!("`\\{sign}` means nothing"), fix));
                }
            },
            _ => text.push(c),
        }
    }
    let curly = inner.chars().last().filter(|c| CURLY.contains(c));
    let fix = match curly {
        Some(c) => format!("type a plain \" in place of `{c}` (switch the keyboard to English 英文标点)"),
        None => {
            "end the text with \" in the same line; a long text goes on in the next line, again in quotes"
                .to_owned()
        }
    };
    Err(error(line, column, "the quote that ends the text is missing", fix))
}

fn unknown(line: usize, column: usize, keyword: &str, words: &str) -> PoError {
    let fix = "a line begins with msgctxt, msgid, msgstr, \" or #";
    if words.starts_with(CURLY) {
        let c: String = words.chars().take(1).collect();
        let fix = "type a plain \" in place of it (switch the keyboard to English 英文标点)";
        return error(line, column, format!("the text begins with `{c}`"), fix);
    }
    if let Some(c) = words.chars().next().filter(|c| is_invisible(*c)) {
        let what = format!("the line begins with an invisible sign (U+{:04X})", u32::from(c));
        return error(line, column, what, "delete it");
    }
    if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| words.starts_with(mark)) {
        let fix = "keep one of the two versions and delete the marks";
        return error(line, column, "git left this mark where two versions met", fix);
    }
    let lower = keyword.to_ascii_lowercase();
    if ["msgctxt", "msgid", "msgid_plural", "msgstr"].contains(&lower.as_str()) {
        let what = format!("`{}` is not written in small letters", shortened(keyword));
        return error(line, column, what, format!("write {lower}"));
    }
    let shown = if keyword.is_empty() { shortened(words) } else { shortened(keyword) };
    error(line, column, format!("`{shown}` begins no line of a .po file"), fix)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn first_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

fn shortened(text: &str) -> String {
    text.chars().take(24).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "# a comment\nmsgid \"\"\nmsgstr \"\"\n\"X-Language-Name: Deutsch\\n\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n\n\
        #, fuzzy\nmsgctxt \"a\"\nmsgid \"Yes\"\nmsgstr \"Ja\"\n\nmsgid \"No\"\nmsgstr \"\"\n\"Ne\"\n\"in \\\"\\\\\\n\"\n\n#~ msgid \"Old\"\n#~ msgstr \"Alt\n";

    #[test]
    fn a_slip_of_an_editor_is_called_what_it_is() {
        let with = |line: &str| {
            let text = format!("msgid \"\"\nmsgstr \"\"\n\nmsgid \"Yes\"\n{line}\n");
            read(text.as_bytes()).expect_err(line).to_string()
        };
        for (line, said) in [
            ("Msgstr \"Ja\"", "write msgstr"),
            ("msgstr 「Ja」", "begins with `「`"),
            ("msgstr 'Ja'", "begins with `'`"),
            ("msgstr: \"Ja\"", "`:` stands before the text"),
            ("msgstr = \"Ja\"", "`=` stands before the text"),
            ("msgstr： \"Ja\"", "`：` stands before the text"),
            ("\u{200b}msgstr \"Ja\"", "an invisible sign (U+200B)"),
            ("msgstr \"J\u{1b}a\"", "a sign that cannot be shown (U+001B)"),
            ("<<<<<<< HEAD", "git left this mark"),
        ] {
            let error = with(line);
            assert!(error.contains(said) && error.starts_with("line 5, column"), "{line}: {error}");
            assert!(!error.contains('\u{1b}'), "{line}");
        }
        let compiled = read(b"\xde\x12\x04\x95\0\0").expect_err("no text");
        assert!(compiled.what.contains(".mo file"), "{compiled}");
    }

    #[test]
    fn line_ends_of_old_macs_are_line_ends() {
        assert_eq!(read(GOOD.replace('\n', "\r").as_bytes()), read(GOOD.as_bytes()));
    }

    #[test]
    fn a_file_is_read_as_gettext_reads_it() {
        let po = read(GOOD.as_bytes()).unwrap();
        assert_eq!(po.headers["X-Language-Name"], "Deutsch");
        let [yes, no] = &po.entries[..] else { panic!("{:?}", po.entries) };
        assert_eq!(
            (yes.context.as_str(), yes.id.as_str(), yes.text.as_str(), yes.fuzzy),
            ("a", "Yes", "Ja", true)
        );
        assert_eq!(
            (no.context.as_str(), no.text.as_str(), no.fuzzy, no.line),
            ("", "Nein \"\\\n", false, 12)
        );
    }

    #[test]
    fn what_is_harmless_is_accepted() {
        let good = read(GOOD.as_bytes()).unwrap();
        assert_eq!(read(format!("\u{feff}{GOOD}").as_bytes()).unwrap(), good, "a byte-order mark");
        assert_eq!(read(GOOD.replace('\n', "\r\n").as_bytes()).unwrap(), good, "line ends of Windows");
        assert_eq!(read(GOOD.trim_end().as_bytes()).unwrap(), good, "no line end at the end");
        assert_eq!(
            read(GOOD.replace("charset=UTF-8", "charset=CHARSET").as_bytes()).unwrap().entries,
            good.entries
        );
        let plural =
            format!("{GOOD}\nmsgid \"day\"\nmsgid_plural \"days\"\nmsgstr[0] \"Tag\"\nmsgstr[1] \"Tage\"\n");
        assert_eq!(read(plural.as_bytes()).unwrap().entries, good.entries, "plural forms are left out");
        assert_eq!(read(b"").unwrap(), Po::default());
    }

    /// Every way of editing by hand that made the earlier reader panic, and more.
    #[test]
    fn a_wrong_line_is_refused_with_its_place_and_what_to_write() {
        for (right, wrong, line, column, words) in [
            ("msgstr \"Ja\"", "msgstr \"Ja\"\nmsgstr \"Doch\"", 11, 1, "second msgstr"),
            ("msgstr \"Ja\"", "msgstr “Ja\"", 10, 8, "英文标点"),
            ("msgstr \"Ja\"", "msgstr “Ja”", 10, 8, "plain \""),
            ("msgstr \"Ja\"", "msgstr \"Ja”", 10, 8, "in place of `”`"),
            ("msgstr \"Ja\"", "msgstr \"Ja\"\n\"", 11, 1, "quote that ends the text is missing"),
            ("msgstr \"Ja\"", "msgstr \"Ja\"\n“weiter”", 11, 1, "begins with `“`"),
            ("msgstr \"Ja\"", "msgstr Ja", 10, 8, "not in quotes"),
            ("msgstr \"Ja\"", "msgstr", 10, 7, "text is missing"),
            ("msgstr \"Ja\"", "msgstr \"Ja", 10, 8, "is missing"),
            ("msgstr \"Ja\"", "msgstr \"Ja\\\"", 10, 8, "is missing"),
            ("msgstr \"Ja\"", "msgstr \"Ja\\", 10, 11, "write \\\\ for a backslash"),
            ("msgstr \"Ja\"", "msgstr \"C:\\Ja\"", 10, 11, "`\\J` means nothing"),
            ("msgstr \"Ja\"", "msgstr \"Ja\" oder \"Doch\"", 10, 12, "follows the quote"),
            ("msgstr \"Ja\"", "msgstr \"er sagt \"Ja\"\"", 10, 18, "within a text"),
            ("msgstr \"Ja\"\n", "", 8, 1, "has no msgstr"),
            ("msgid \"Yes\"\n", "", 9, 1, "without its msgid"),
            ("msgid \"Yes\"\n", "msgid \"Yes\"\nmsgid \"Yes\"\n", 10, 1, "second msgid"),
            ("msgctxt \"a\"\nmsgid \"Yes\"", "msgid \"Yes\"\nmsgctxt \"a\"", 9, 1, "in this order"),
            ("msgid \"No\"", "msgctxt \"a\"\nmsgid \"Yes\"", 12, 1, "stands in line 8 already"),
            ("msgstr \"Ja\"", "msgst \"Ja\"", 10, 1, "`msgst` begins no line"),
            ("msgstr \"Ja\"", "Ja", 10, 1, "`Ja` begins no line"),
            ("charset=UTF-8", "charset=GB2312", 2, 1, "charset=UTF-8"),
            ("# a comment\n", "\"lost\"\n", 1, 1, "belongs to nothing"),
            ("msgid \"No\"", "msgid \"\"", 12, 1, "line 2 already"),
        ] {
            assert!(GOOD.contains(right), "{right}");
            let error = read(GOOD.replacen(right, wrong, 1).as_bytes()).expect_err(wrong);
            assert_eq!((error.line, error.column), (line, column), "{wrong}: {error}");
            assert!(error.to_string().contains(words), "{wrong}: {error}");
        }
    }

    #[test]
    fn another_encoding_is_named_with_its_place() {
        let mut gbk = b"msgid \"a\"\nmsgstr \"".to_vec();
        gbk.extend([0xB4, 0xB0, b'"']);
        let error = read(&gbk).unwrap_err();
        assert_eq!((error.line, error.column), (2, 9));
        assert!(error.to_string().contains("GBK"));
        let utf_16: Vec<u8> = "\u{feff}msgid".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(read(&utf_16).unwrap_err().to_string().contains("UTF-16"));
        assert!(read(b"msgid \"a\0\"").unwrap_err().to_string().contains("zero byte"));
        assert!(read(&vec![b'#'; BYTES_MAX + 1]).unwrap_err().to_string().contains("1024 KB"));
    }

    fn shipped() -> Vec<Vec<u8>> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/lang");
        ["zh-CN", "ug", "bo"]
            .iter()
            .map(|tag| std::fs::read(root.join(tag).join("kiosk.po")).unwrap())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(17), ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_and_no_mutation_of_a_real_file_make_the_reader_panic(
            file in 0..3_usize,
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..6_u8, prop::sample::select(b"\"\\\n#m[]~\xE2\xFF\0 u".to_vec())), 1..6),
        ) {
            let mut bytes = shipped().swap_remove(file);
            for (at, edit, byte) in edits {
                let at = at.index(bytes.len());
                let line_end = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n + 1);
                match edit {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 => { bytes.remove(at); }
                    3 => { bytes.drain(at..line_end); }
                    4 => { let line = bytes[at..line_end].to_vec(); bytes.splice(at..at, line); }
                    _ => bytes.truncate(at.max(1)),
                }
            }
            if let Err(error) = read(&bytes) {
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
                prop_assert!((1..=lines).contains(&error.line) && error.column >= 1 && !error.fix.is_empty(), "{error}");
            }
        }
    }
}
