//! The rows of a file, one after the other.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::Read,
};

use super::{
    FileEncoding, Findings, Identity, Options, Plan, Row,
    columns::Found,
    dates::{Reading, Seen, Written},
    finding::{Finding, quoted},
    names::{fold, fold_tight},
    text::unreadable,
};
use crate::{chain, model::Value};

/// More rated places than any hospital has; beyond it a column of something else was named.
const PLACES_MAX: usize = 2000;

/// Longest name of a place, in characters.
const NAME_CHARS_MAX: usize = 200;

/// Spellings of one place that a note lists.
const SPELLINGS_MAX: usize = 5;

/// A row before the order of day and month is known.
struct Raw {
    line: u64,
    written: Written,
    place: u32,
    value: Option<Value>,
    respondent: [u8; 16],
}

/// One place and how the rows write it.
struct Place {
    name: String,
    spellings: Vec<String>,
}

pub(super) struct Reader<'a> {
    options: &'a Options,
    columns: &'a Found,
    encoding: FileEncoding,
    rows: Vec<Raw>,
    places: Vec<Place>,
    by_name: HashMap<String, u32>,
    seen: Seen,
    empty_rows: u64,
    header_rows: u64,
    findings: Findings,
}

impl<'a> Reader<'a> {
    pub(super) fn new(options: &'a Options, columns: &'a Found, encoding: FileEncoding) -> Self {
        Self {
            options,
            columns,
            encoding,
            rows: Vec::new(),
            places: Vec::new(),
            by_name: HashMap::new(),
            seen: Seen::default(),
            empty_rows: 0,
            header_rows: 0,
            findings: Findings::default(),
        }
    }

    /// Takes in all rows; the first stands in line `first`.
    pub(super) fn read<R: Read>(
        &mut self,
        (mut reader, first): (csv::Reader<R>, u64),
    ) -> Result<(), Findings> {
        let mut bytes = csv::ByteRecord::new();
        loop {
            let before = reader.position().line();
            match reader.read_byte_record(&mut bytes) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    return Err(if let csv::ErrorKind::Io(error) = error.into_kind() {
                        unreadable(&error)
                    } else {
                        // No other kind comes of reading bytes into a flexible record.
                        Findings::whole("the rows cannot be read", "save the file as CSV, UTF-8")
                    });
                }
            }
            // The reader skips blank lines before a row, so its beginning is counted back from its end. Every line has an end; a row that
            // took none but its own is ended by the file, because a quote mark is not closed.
            let within = bytes.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            let after = reader.position().line();
            let end = u64::from(after - before > within);
            let line = (first + after).saturating_sub(1 + end + within);
            let row = csv::StringRecord::from_byte_record_lossy(bytes);
            self.take(line, within, &row);
            bytes = row.into_byte_record();
        }
    }

    fn take(&mut self, line: u64, breaks: u64, row: &csv::StringRecord) {
        if row.iter().all(|cell| cell.trim_matches(is_blank).is_empty()) {
            self.empty_rows += 1;
            return;
        }
        if self.columns.is_repeated_in(row) {
            self.header_rows += 1;
            return;
        }
        let wrong = match self.understand(line, breaks, row) {
            Ok(raw) => {
                self.seen.see(&raw.written, line);
                self.rows.push(raw);
                return;
            }
            Err(wrong) => wrong,
        };
        let is_dated = Written::read(self.columns.date.of(row)).is_ok();
        let (what, fix) = if !is_dated && is_sum(row) {
            let what = "the row is a sum and no visit".to_owned();
            (what, "remove the row; central computes the sums".to_owned())
        } else {
            wrong
        };
        self.findings.add(Finding { line: Some(line), what, fix });
    }

    fn understand(
        &mut self,
        line: u64,
        breaks: u64,
        row: &csv::StringRecord,
    ) -> Result<Raw, (String, String)> {
        let columns = self.columns;
        self.check_shape(breaks, row)?;
        let (date, name, rating) = (columns.date.of(row), columns.touchpoint.of(row), columns.rating.of(row));
        let written = Written::read(date).map_err(|fault| fault.says(&quoted(date.trim())))?;
        let value = self.options.ratings.read(rating).map_err(|fault| {
            let cell = quoted(rating.trim());
            (format!("{cell} is no rating"), self.options.ratings.fix(&fault, rating))
        })?;
        let place = self.place(name)?;
        let respondent = columns.respondent.of(row).trim();
        let hash = chain::sha256(respondent.as_bytes());
        let mut kept = [0; 16];
        if !respondent.is_empty() {
            kept.copy_from_slice(&hash.0[..16]);
        }
        Ok(Raw { line, written, place, value, respondent: kept })
    }

    fn check_shape(&self, breaks: u64, row: &csv::StringRecord) -> Result<(), (String, String)> {
        let unclosed = if breaks > 0 {
            format!("; the row runs over {} lines, so a quote mark may not be closed", breaks + 1)
        } else {
            String::new()
        };
        let count = |n: usize| if n == 1 { "1 field".to_owned() } else { format!("{n} fields") };
        if row.len() < self.columns.needed() {
            let what = format!(
                "a row cannot be read: it has {}, the header {}{unclosed}",
                count(row.len()),
                self.columns.width
            );
            let fix = if breaks > 0 {
                "close the quote mark: a field begins and ends with one, and holds it only doubled"
            } else {
                "fill in what is missing, like: p1,2026-01-31,Pharmacy,2"
            };
            return Err((what, fix.into()));
        }
        let surplus = row.iter().skip(self.columns.width).any(|cell| !cell.trim().is_empty());
        if surplus {
            let what = format!(
                "a row cannot be read: it has {}, the header {}{unclosed}",
                count(row.len()),
                self.columns.width
            );
            return Err((what, "put quote marks round a field that holds the separator".into()));
        }
        if row.iter().any(|cell| cell.contains('\0')) {
            return Err(("the row holds a zero byte".into(), "save the file again as CSV, UTF-8".into()));
        }
        let needed =
            [&self.columns.respondent, &self.columns.date, &self.columns.touchpoint, &self.columns.rating];
        if needed.iter().any(|cell| cell.of(row).contains('\u{fffd}')) {
            let what = format!("the row holds signs that are not {}", self.encoding.name());
            return Err((
                what,
                "save the file as UTF-8, or say what it is, for example: --encoding gbk".into(),
            ));
        }
        Ok(())
    }

    fn place(&mut self, cell: &str) -> Result<u32, (String, String)> {
        let name = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            return Err(("no touchpoint".into(), "name the place that was rated".into()));
        }
        if name.chars().nth(NAME_CHARS_MAX).is_some() {
            return Err((
                format!("{} is too long for the name of a place", quoted(&name)),
                "look whether another column holds the place: --columns touchpoint=\"...\"".into(),
            ));
        }
        let key = fold(&name);
        if key.is_empty() {
            return Err((
                format!("{} is no name of a place", quoted(&name)),
                "name the place that was rated".into(),
            ));
        }
        if let Some(&at) = self.by_name.get(&key) {
            if let Some(place) = self.places.get_mut(at as usize)
                && place.spellings.len() < SPELLINGS_MAX
                && !place.spellings.contains(&name)
            {
                place.spellings.push(name);
            }
            return Ok(at);
        }
        let at = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        if self.places.len() >= PLACES_MAX {
            return Err((
                format!("{} is place number {}", quoted(&name), PLACES_MAX + 1),
                "look whether another column holds the place: --columns touchpoint=\"...\"".into(),
            ));
        }
        self.places.push(Place { name: name.clone(), spellings: vec![name] });
        self.by_name.insert(key, at);
        Ok(at)
    }

    /// The plan, now that all rows are known.
    pub(super) fn close(mut self, mut notes: Vec<String>) -> Result<Plan, Findings> {
        let reading = match self.seen.decide(self.options.day_month) {
            Ok((reading, said)) => {
                notes.extend(said);
                Some(reading)
            }
            Err(undecided) => {
                let (line, what, fix) = undecided.says();
                self.findings.add(Finding { line, what, fix });
                None
            }
        };
        let mut rows = match reading {
            Some(reading) => self.resolve(reading),
            None => Vec::new(),
        };
        if self.findings.is_empty() && rows.is_empty() {
            return Err(Findings::whole("the file has no rows", "add rows like: p1,2026-01-31,Pharmacy,2"));
        }
        if !self.findings.is_empty() {
            return Err(self.findings);
        }
        rows.sort_by_key(|(row, _)| (row.date, row.time, row.line));
        let repeats = identify(&mut rows, &self.places, self.options.once_per_respondent);
        notes.extend(self.about_names());
        notes.extend(repeats.notes());
        if self.empty_rows > 0 {
            notes.push(format!("{} empty rows are left out", self.empty_rows));
        }
        if self.header_rows > 0 {
            notes.push(format!("{} rows repeat the header and are left out", self.header_rows));
        }
        Ok(Plan {
            rows: rows.into_iter().map(|(row, _)| row).collect(),
            places: self.places.into_iter().map(|place| place.name).collect(),
            scale: self.options.ratings.scale(),
            notes,
        })
    }

    fn resolve(&mut self, reading: Reading) -> Vec<(Row, [u8; 16])> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for raw in std::mem::take(&mut self.rows) {
            match raw.written.resolve(reading, self.options.time_zone, self.options.today) {
                Ok((date, time)) => {
                    let place = raw.place as usize;
                    let row = Row {
                        line: raw.line,
                        date,
                        time,
                        place,
                        value: raw.value,
                        identity: Identity([0; 16]),
                    };
                    rows.push((row, raw.respondent));
                }
                Err(fault) => {
                    let (what, fix) = fault.says(&quoted(&raw.written.to_string()));
                    self.findings.add(Finding { line: Some(raw.line), what, fix });
                }
            }
        }
        rows
    }

    fn about_names(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for place in self.places.iter().filter(|place| place.spellings.len() > 1) {
            let names: Vec<String> = place.spellings.iter().map(|name| quoted(name)).collect();
            notes.push(format!("{} are taken for one place", names.join(" and ")));
        }
        let mut tight: BTreeMap<String, &str> = BTreeMap::new();
        for place in &self.places {
            if let Some(other) = tight.insert(fold_tight(&place.name), &place.name) {
                notes.push(format!(
                    "{} and {} differ by blanks only and stay two places; rename one if they are the same",
                    quoted(other),
                    quoted(&place.name)
                ));
            }
        }
        notes
    }
}

/// Blank, or the sign that ends a file of old programs.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{1a}'
}

/// Whether a row that is no visit says that it is a sum of the others.
fn is_sum(row: &csv::StringRecord) -> bool {
    const WORDS: [&str; 14] = [
        "total",
        "totals",
        "grand total",
        "subtotal",
        "sum",
        "average",
        "mean",
        "合计",
        "总计",
        "总和",
        "小计",
        "平均",
        "平均分",
        "平均值",
    ];
    row.iter().any(|cell| WORDS.contains(&fold(cell).trim_end_matches(':')))
}

/// Rows that say what another row says.
#[derive(Default)]
struct Repeats {
    same: u64,
    other_rating: u64,
    left_out: u64,
}

impl Repeats {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.left_out > 0 {
            notes.push(format!(
                "{} rows of respondents who rated that place on that day already are left out",
                self.left_out
            ));
        }
        if self.same > 0 {
            notes.push(format!(
                "{} rows repeat respondent, date, touchpoint and rating of another row, and each counts; if a visitor has several rows: \
                 --once-per-respondent",
                self.same
            ));
        }
        if self.other_rating > 0 {
            notes.push(format!(
                "{} rows rate a place again on the same day as the same respondent, with another rating, and each counts",
                self.other_rating
            ));
        }
        notes
    }
}

/// Gives rows their identities: what the row says, and the how-manieth of its kind it is.
fn identify(rows: &mut Vec<(Row, [u8; 16])>, places: &[Place], once: bool) -> Repeats {
    let mut repeats = Repeats::default();
    let mut visits: HashSet<[u8; 16]> = HashSet::with_capacity(rows.len());
    let mut times: HashMap<[u8; 16], u32> = HashMap::with_capacity(rows.len());
    let names: Vec<String> = places.iter().map(|place| fold(&place.name)).collect();
    rows.retain_mut(|(row, respondent)| {
        let mut said = Vec::with_capacity(96);
        said.extend_from_slice(respondent);
        said.extend_from_slice(row.date.to_string().as_bytes());
        said.extend_from_slice(names.get(row.place).map(String::as_bytes).unwrap_or_default());
        let is_first = visits.insert(digest(&said));
        let has_name = *respondent != [0; 16];
        if once && has_name && !is_first {
            repeats.left_out += 1;
            return false;
        }
        said.push(0);
        said.extend_from_slice(row.time.map(|time| time.to_string()).unwrap_or_default().as_bytes());
        said.push(row.value.map_or(u8::MAX, |value| value.0));
        let nth = times.entry(digest(&said)).or_default();
        *nth += 1;
        if has_name && *nth > 1 {
            repeats.same += 1;
        } else if has_name && !is_first {
            repeats.other_rating += 1;
        }
        said.extend_from_slice(&nth.to_be_bytes());
        row.identity = Identity(digest(&said));
        true
    });
    repeats
}

fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&chain::sha256(bytes).0[..16]);
    half
}
