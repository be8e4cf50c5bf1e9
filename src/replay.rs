//! Feedback that people have in a file: from bytes to a [`Plan`] of visits, or to [`Findings`] that name every line that is wrong.
//!
//! The file is a table with the columns respondent, date, touchpoint and rating, as a spreadsheet or a survey tool writes it; docs/replay.md
//! says what is understood. Pure but for the file itself, which is an argument. Invariants:
//! - nothing is guessed silently: what was chosen for the file (encoding, separator, order of day and month, names taken for one place)
//!   is in [`Plan::notes`], and what has two readings is refused with the option that decides it;
//! - one pass over the rows; of each row a fixed number of bytes is kept, so that a file of a million lines needs no more memory than its plan;
//! - a row's [`Identity`] depends on what the row says, never on its line, the encoding or the order of the columns: the same row in a longer
//!   export is the same row.

pub mod columns;
pub mod dates;
mod finding;
mod header;
pub mod names;
pub mod ratings;
mod rows;
mod text;

#[cfg(test)]
mod tests;

use std::io::{Read, Seek};

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

pub(crate) use columns::Columns;
pub(crate) use dates::DayMonth;
pub use finding::{Finding, Findings};
pub use ratings::Ratings;
pub(crate) use text::FileEncoding;

use crate::model::{Scale, Value};

/// What the person who has the file can say about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where in the file respondent, date, touchpoint and rating are.
    pub columns: Columns,
    /// What the ratings mean.
    pub ratings: Ratings,
    /// Whether the day or the month comes first, where the file does not show it.
    pub day_month: Option<DayMonth>,
    /// How the text is encoded, if not as the file shows.
    pub encoding: Option<FileEncoding>,
    /// A respondent counts once at a place on a day, whatever the number of rows.
    pub once_per_respondent: bool,
    /// Later days than the one after this are mistakes.
    pub today: NaiveDate,
    /// Times with an offset from UTC are counted in this zone.
    pub time_zone: Tz,
}

impl Options {
    /// The usual columns of the Friends and Family Test.
    pub fn new(today: NaiveDate, time_zone: Tz) -> Self {
        Self {
            columns: Columns::default(),
            ratings: Ratings::new(Scale::Fft6),
            day_month: None,
            encoding: None,
            once_per_respondent: false,
            today,
            time_zone,
        }
    }
}

/// What a row says, whatever file it stands in: the first half of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identity(pub [u8; 16]);

/// One visit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The line in the file, from 1.
    pub line: u64,
    /// The day.
    pub date: NaiveDate,
    /// The time of day, if the file has one.
    pub time: Option<NaiveTime>,
    /// Which of [`Plan::places`].
    pub place: usize,
    /// What was tapped; `None`: the visitor left without an answer.
    pub value: Option<Value>,
    /// What makes it the same row in another file.
    pub identity: Identity,
}

/// A file that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The visits, in order of their time.
    pub rows: Vec<Row>,
    /// The names of the rated places, as the file writes them, in the order in which they appear.
    pub places: Vec<String>,
    /// The scale of the ratings.
    pub scale: Scale,
    /// What the reader should know: how the file was understood, and what looks odd.
    pub notes: Vec<String>,
}

/// Reads a whole file.
///
/// # Errors
/// Everything that is wrong with it, the first fifty in words.
pub fn read(mut file: impl Read + Seek, options: &Options) -> Result<Plan, Findings> {
    let opened = text::open(&mut file, options.encoding)?;
    let mut notes = opened.notes;
    let mut text = opened.text;
    let header = header::read(&mut text, &options.columns)?;
    notes.extend(header.notes.iter().cloned());
    let mut reader = rows::Reader::new(options, &header.columns, opened.encoding);
    reader.read(header.rows(text))?;
    reader.close(notes)
}
