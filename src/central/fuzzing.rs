//! What fuzz targets call: everything that central reads of a terminal, from bytes to what is stored and shown, without a store.
//!
//! None of these may panic, whatever the bytes; a refusal is an answer.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};

use super::domain::ingest::{Batch, BatchError, Content, Context, Line, Reading, Snapshot, Writes, project};
pub use super::terminal_api::body::{read_enrolment, read_health};
use crate::{
    chain,
    model::{ChainId, Moment, rfc3339},
    questionnaire::Hospital,
};

/// The body of a batch, decompressed.
pub(crate) fn read_batch(body: &[u8]) -> Result<Batch, BatchError> {
    Batch::read(body)
}

/// A whole batch as it is booked by an empty store, and every time of it written as the export writes it.
pub fn book_batch(
    body: &[u8],
    hospital: &Hospital,
    received_at: DateTime<Utc>,
) -> Result<Writes, BatchError> {
    let batch = read_batch(body)?;
    Ok(book(&batch.lines, batch.header.chain, Some(&batch.header.sent), hospital, received_at))
}

/// One line as it is booked by an empty store, at the first place of a journal.
pub fn book_line(line: &[u8], hospital: &Hospital, received_at: DateTime<Utc>) -> Writes {
    let chain = ChainId([1; 16]);
    let hash = chain::link(chain::genesis(chain), chain::leaf(line));
    let lines = [Line { seq: 1, hash, content: Content::Line(line.to_vec()) }];
    book(&lines, chain, None, hospital, received_at)
}

fn book(
    lines: &[Line],
    chain: ChainId,
    sent: Option<&Moment>,
    hospital: &Hospital,
    received_at: DateTime<Utc>,
) -> Writes {
    let (Some(site), Ok(terminal)) = (hospital.sites.first(), "t-fuzzed".parse()) else {
        return Writes::default();
    };
    let context =
        Context { hospital, site: &site.id, zone: site.time_zone, terminal: &terminal, chain, received_at };
    let writes = project(context, Reading::new(lines), Snapshot::default(), sent);
    let times: BTreeSet<i64> = writes
        .entries
        .iter()
        .filter_map(|row| row.timed.map(|timed| timed.at_ms))
        .chain(
            writes.booked.answers.iter().filter(|row| row.hour >= 0).map(|row| row.hour.saturating_mul(1000)),
        )
        .chain(writes.tested.iter().map(|row| row.at_ms))
        .collect();
    for ms in times {
        let text = DateTime::from_timestamp_millis(ms)
            .and_then(|at| rfc3339(at, &site.time_zone, SecondsFormat::Millis));
        debug_assert!(text.is_some(), "{ms} is stored as a time and cannot be written");
    }
    writes
}
