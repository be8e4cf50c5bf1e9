//! Which column holds what.

use std::fmt::Write as _;

use super::{Finding, Findings, names::fold, ratings::unquoted};

/// Where one thing about a visit is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// In the column of this name.
    Column(String),
    /// Nowhere: it is the same for all rows.
    Constant(String),
}

/// Why a mapping of columns cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{text}` {what}; write it like --columns respondent=\"Respondent ID\",date=\"Date\",touchpoint=\"Service\",rating=\"Answer\", \
     or touchpoint==\"Name\" for a place that is the same in all rows"
)]
pub struct ColumnsError {
    text: String,
    what: String,
}

/// Signs between a key and its column: the plain one, and that of a Chinese keyboard.
const EQUALS: [char; 2] = ['=', '＝'];

/// Signs between two of them. A name of a column may hold them too.
const COMMAS: [char; 4] = [',', '，', ';', '；'];

const KEYS: [&str; 4] = ["respondent", "date", "touchpoint", "rating"];

/// Where respondent, date, touchpoint and rating are: by default in the columns of these names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns {
    sources: [Source; 4],
    /// Which of them somebody named.
    named: [bool; 4],
}

impl Default for Columns {
    fn default() -> Self {
        Self { sources: KEYS.map(|key| Source::Column(key.to_owned())), named: [false; 4] }
    }
}

impl Columns {
    /// Changes where some of them are: `date="Date of visit",touchpoint==Ward`.
    ///
    /// # Errors
    /// A part that is not `key=name` or `key==value` of one of the four keys.
    pub fn with(mut self, text: &str) -> Result<Self, ColumnsError> {
        let because = |what: String| ColumnsError { text: text.to_owned(), what };
        let wrong = || because("names no column".to_owned());
        for part in split(text) {
            let (key, name) = part.split_once(EQUALS).ok_or_else(wrong)?;
            let at = KEYS.iter().position(|known| *known == fold(unquoted(key))).ok_or_else(wrong)?;
            if self.named[at] {
                return Err(because(format!("names the column of `{}` twice", KEYS[at])));
            }
            let source = match name.strip_prefix(EQUALS) {
                Some(value) => Source::Constant(unquoted(value).to_owned()),
                None => Source::Column(unquoted(name).to_owned()),
            };
            let (Source::Column(text) | Source::Constant(text)) = &source;
            if text.is_empty() {
                return Err(wrong());
            }
            self.sources[at] = source;
            self.named[at] = true;
        }
        Ok(self)
    }

    /// Finds the columns in a header.
    pub(super) fn find(&self, header: &csv::StringRecord, line: u64) -> Result<Found, Findings> {
        let mut findings = Findings::default();
        let mut cells = Vec::new();
        for ((key, source), named) in KEYS.iter().zip(&self.sources).zip(self.named) {
            cells.push(match source {
                Source::Constant(value) => Cell::Constant(value.clone()),
                Source::Column(name) => match column(header, name) {
                    Ok(at) => Cell::At(at),
                    // Nobody has to be named.
                    Err(Missing::Absent) if *key == "respondent" && !named => Cell::Constant(String::new()),
                    Err(Missing::Absent) if let Some((what, fix)) = whole_header(header) => {
                        return Err(Findings::one(Finding { line: Some(line), what, fix: fix.to_owned() }));
                    }
                    Err(missing) => {
                        findings.add(missing.finding(key, name, header, line));
                        Cell::Constant(String::new())
                    }
                },
            });
        }
        for (at, cell) in cells.iter().enumerate() {
            if let (Cell::At(column), Some(other)) =
                (cell, cells[..at].iter().position(|other| other == cell))
            {
                findings.add(Finding {
                    line: Some(line),
                    what: format!(
                        "`{}` and `{}` are both said to be in the column {}",
                        KEYS[other],
                        KEYS[at],
                        super::finding::quoted(header.get(*column).unwrap_or_default())
                    ),
                    fix: format!(
                        "say which column is which: --columns {}=\"...\",{}=\"...\"",
                        KEYS[other], KEYS[at]
                    ),
                });
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let mut cells = cells.into_iter();
        let mut next = || cells.next().unwrap_or(Cell::Constant(String::new()));
        let (respondent, date, touchpoint, rating) = (next(), next(), next(), next());
        Ok(Found { respondent, date, touchpoint, rating, width: header.len(), names: header.clone() })
    }
}

/// Parts between commas, each of which begins with a known key: names of columns may hold commas.
fn split(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split_inclusive(COMMAS) {
        let begins =
            piece.split_once(EQUALS).is_some_and(|(key, _)| KEYS.contains(&fold(unquoted(key)).as_str()));
        match parts.last_mut() {
            Some(open) if !begins => open.push_str(piece),
            Some(_) | None => parts.push(piece.to_owned()),
        }
    }
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter_mut().enumerate() {
        if at < last || part.ends_with(COMMAS) {
            part.pop();
        }
    }
    parts
}

enum Missing {
    Absent,
    Several(usize),
}

impl Missing {
    fn finding(&self, key: &str, name: &str, header: &csv::StringRecord, line: u64) -> Finding {
        let listed = list(header);
        match self {
            Self::Absent => Finding {
                line: Some(line),
                what: format!("the header has no column `{name}`; it has {listed}"),
                fix: format!("say which column it is: --columns {key}=\"...\""),
            },
            Self::Several(count) => Finding {
                line: Some(line),
                what: format!("{count} columns of the header are called `{name}`"),
                fix: format!("rename the ones that are not the {key}"),
            },
        }
    }
}

/// What is wrong with a header that was not taken apart, or is none.
fn whole_header(header: &csv::StringRecord) -> Option<(String, &'static str)> {
    if header.iter().any(|cell| cell.contains(is_no_text)) {
        let fix = "save the file as CSV UTF-8, or say how it is encoded, for example: --encoding gbk";
        return Some((
            "the first line is no text in the encoding that the file was taken for".to_owned(),
            fix,
        ));
    }
    let only = header.get(0).filter(|_| header.len() == 1)?;
    let keys = KEYS.iter().filter(|key| fold(only).contains(**key)).count();
    if keys >= 2 && only.contains('，') {
        let what = "the fields are separated by the full-width comma `，`".to_owned();
        return Some((what, "replace every `，` that separates fields by a plain comma"));
    }
    if keys >= 2 && only.contains([',', ';', '\t']) {
        let what = "each line stands in quote marks as a whole, and so is one field".to_owned();
        return Some((what, "remove the quote marks round the lines, or save the file as CSV again"));
    }
    None
}

fn is_no_text(c: char) -> bool {
    c == '\u{fffd}' || (c.is_control() && !c.is_whitespace())
}

/// The column with this name; the exact one before those that only read the same.
fn column(header: &csv::StringRecord, name: &str) -> Result<usize, Missing> {
    let wanted = fold(name);
    let exact: Vec<usize> = places(header, |cell| cell.trim() == name.trim());
    let alike = if exact.is_empty() { places(header, |cell| fold(cell) == wanted) } else { exact };
    match alike.as_slice() {
        [] => Err(Missing::Absent),
        [only] => Ok(*only),
        several => Err(Missing::Several(several.len())),
    }
}

fn places(header: &csv::StringRecord, is_it: impl Fn(&str) -> bool) -> Vec<usize> {
    header.iter().enumerate().filter(|(_, cell)| is_it(cell)).map(|(at, _)| at).collect()
}

/// The names in a header, as a message lists them.
fn list(header: &csv::StringRecord) -> String {
    const LISTED_MAX: usize = 30;
    let mut listed = String::new();
    for (i, cell) in header.iter().take(LISTED_MAX).enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let _ = write!(listed, "{comma}{}", super::finding::quoted(cell));
    }
    if header.len() > LISTED_MAX {
        let _ = write!(listed, " and {} more", header.len() - LISTED_MAX);
    }
    listed
}

/// Where a row has one thing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Cell {
    At(usize),
    Constant(String),
}

impl Cell {
    pub(super) fn of<'a>(&'a self, row: &'a csv::StringRecord) -> &'a str {
        match self {
            Self::At(at) => row.get(*at).unwrap_or_default(),
            Self::Constant(value) => value,
        }
    }
}

/// The columns of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) respondent: Cell,
    pub(super) date: Cell,
    pub(super) touchpoint: Cell,
    pub(super) rating: Cell,
    pub(super) width: usize,
    /// The header's own cells.
    pub(super) names: csv::StringRecord,
}

impl Found {
    /// Whether a row is the header once more, as where two exports were joined.
    pub(super) fn is_repeated_in(&self, row: &csv::StringRecord) -> bool {
        let cells = [&self.respondent, &self.date, &self.touchpoint, &self.rating];
        cells.into_iter().all(|cell| fold(cell.of(row)) == fold(cell.of(&self.names)))
            && cells.into_iter().any(|cell| matches!(cell, Cell::At(_)))
    }

    /// Fields a row must have.
    pub(super) fn needed(&self) -> usize {
        let end = |cell: &Cell| match cell {
            Cell::At(at) => at + 1,
            Cell::Constant(_) => 0,
        };
        [&self.respondent, &self.date, &self.touchpoint, &self.rating].into_iter().map(end).max().unwrap_or(0)
    }
}
