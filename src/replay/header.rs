//! The head of a file: comments, the header line, and the sign between fields.

use std::io::{BufRead, Read};

use super::{
    Findings,
    columns::{Columns, Found},
    finding::Finding,
    text::unreadable,
};

/// Longer than any header.
const HEADER_BYTES_MAX: u64 = 64 * 1024;

/// Comment lines before the header.
const COMMENTS_MAX: u64 = 10_000;

/// Lines of a title that may stand above the header, as in reports of a spreadsheet.
const TITLE_LINES_MAX: u64 = 20;

const SEPARATORS: [(u8, &str); 4] = [(b',', ","), (b';', ";"), (b'\t', "tab"), (b'|', "|")];

pub(super) struct Header {
    pub(super) columns: Found,
    pub(super) notes: Vec<String>,
    separator: u8,
    /// Lines before the first row.
    lines: u64,
}

impl Header {
    /// The rows that follow, and the line the first of them stands in.
    pub(super) fn rows<R: Read>(&self, text: R) -> (csv::Reader<R>, u64) {
        (reader(self.separator, text), self.lines + 1)
    }
}

fn reader<R: Read>(separator: u8, text: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .terminator(csv::Terminator::Any(b'\n'))
        .has_headers(false)
        .flexible(true)
        .from_reader(text)
}

/// Reads up to the first row.
pub(super) fn read(text: &mut impl BufRead, columns: &Columns) -> Result<Header, Findings> {
    let mut lines = 0;
    let mut told = None;
    // What is wrong with the first line that is no header, unless one follows soon.
    let mut title: Option<(u64, Findings)> = None;
    loop {
        let mut record = String::new();
        let begins = lines + 1;
        // A name in quotes may run over several lines.
        while record.is_empty() || record.matches('"').count() % 2 == 1 {
            let mut raw = Vec::new();
            let room = HEADER_BYTES_MAX.saturating_sub(record.len() as u64);
            text.take(room).read_until(b'\n', &mut raw).map_err(|error| unreadable(&error))?;
            if raw.is_empty() {
                break;
            }
            lines += 1;
            record.push_str(&String::from_utf8_lossy(&raw));
        }
        let is_whole = record.ends_with('\n');
        if let Some((at, findings)) = &title
            && (!is_whole || lines - at > TITLE_LINES_MAX)
        {
            return Err(findings.clone());
        }
        if record.is_empty() {
            return Err(if lines == 0 {
                Findings::whole("the file is empty", "export it again, or name another file")
            } else {
                Findings::whole("the file has no header line", "write one: respondent,date,touchpoint,rating")
            });
        }
        if !is_whole {
            return Err(Findings::one(Finding {
                line: Some(begins),
                what: "the header is longer than 64 KiB".into(),
                fix: "look whether this is a table, saved as CSV, and whether a quote mark is not closed"
                    .into(),
            }));
        }
        let line = record.trim_end_matches('\n');
        if let Some(sign) = line.strip_prefix("sep=").and_then(|rest| rest.bytes().next()) {
            told = Some(sign);
            continue;
        }
        let is_blank = line.trim().is_empty();
        match understand(line, begins, columns, told) {
            Ok((columns, separator)) => {
                let name =
                    SEPARATORS.iter().find(|(sign, _)| *sign == separator).map_or("?", |(_, name)| name);
                let mut notes = Vec::new();
                if separator != b',' {
                    let sign = if name == "tab" { "tabs".to_owned() } else { format!("`{name}`") };
                    notes.push(format!("fields are separated by {sign}"));
                }
                if title.is_some() {
                    notes.push(format!("the header is line {begins}; what stands above it is left out"));
                }
                return Ok(Header { columns, notes, separator, lines });
            }
            Err(_) if is_blank || (line.starts_with('#') && lines < COMMENTS_MAX) => {}
            Err(findings) => drop(title.get_or_insert((begins, findings))),
        }
    }
}

/// The columns and the separator of a header: the one with which everything is found, else the one that gives the most fields.
fn understand(line: &str, at: u64, columns: &Columns, told: Option<u8>) -> Result<(Found, u8), Findings> {
    let separators: Vec<u8> = match told {
        Some(sign) => vec![sign],
        None => SEPARATORS.iter().map(|(sign, _)| *sign).collect(),
    };
    let mut worst: Option<(usize, Findings)> = None;
    for separator in separators {
        let mut record = csv::StringRecord::new();
        if reader(separator, line.as_bytes()).read_record(&mut record).is_err() {
            continue;
        }
        match columns.find(&record, at) {
            Ok(found) => return Ok((found, separator)),
            Err(findings) if worst.as_ref().is_none_or(|(most, _)| record.len() > *most) => {
                worst = Some((record.len(), findings));
            }
            Err(_) => {}
        }
    }
    Err(worst.map_or_else(
        || Findings::whole("the header cannot be read", "save the file as CSV, UTF-8"),
        |(_, findings)| findings,
    ))
}
