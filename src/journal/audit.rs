//! Recomputing and handing out a journal. Reads in short steps, so that it never holds up the writer or keeps its log from shrinking.

use std::io::Write;

use rusqlite::Connection;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Journal, JournalError,
    deliver::linking_leaf,
    files::SideFile,
    rows::{self, ChainRow, Row},
};
use crate::{
    chain,
    model::{ChainId, Hash},
};

/// Rows read in one step.
const PAGE_ROWS: usize = 1000;

/// Flaws listed one by one; a wholly damaged journal of a million entries need not name them all.
const FLAWS_MAX: usize = 100;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// An entry is not there.
    Missing {
        /// Which chain.
        chain: ChainId,
        /// Its place.
        seq: u64,
    },
    /// A line is not the one that was hashed.
    LineChanged {
        /// Which chain.
        chain: ChainId,
        /// Its place.
        seq: u64,
    },
    /// A hash does not follow from the one before it.
    ChainBroken {
        /// Which chain.
        chain: ChainId,
        /// Where.
        seq: u64,
    },
    /// The side file cannot be read.
    SideDamaged,
    /// The side file has seen entries that are not there.
    SideAhead {
        /// Which chain.
        chain: ChainId,
        /// The highest entry it has seen.
        seq: u64,
    },
}

/// What was recomputed of one chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainReport {
    /// Which chain.
    pub chain: ChainId,
    /// Its last entry.
    pub last_seq: u64,
    /// The hash there.
    pub head_hash: Hash,
    /// Acknowledged through this entry.
    pub cursor: u64,
    /// Lines erased after their retention time; their hashes are there.
    pub erased: u64,
    /// Entries central refused.
    pub refused: u64,
}

/// What was recomputed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VerifyReport {
    /// Every chain, oldest first.
    pub chains: Vec<ChainReport>,
    /// The first flaws.
    pub flaws: Vec<Flaw>,
    /// How many there are.
    pub flaw_count: u64,
}

impl VerifyReport {
    /// Whether everything is there and follows.
    pub const fn is_whole(&self) -> bool {
        self.flaw_count == 0
    }

    fn flaw(&mut self, flaw: Flaw) {
        self.flaw_count += 1;
        if self.flaws.len() < FLAWS_MAX {
            self.flaws.push(flaw);
        }
    }
}

impl Journal {
    /// Recomputes every chain from its first entry.
    pub fn verify(&mut self) -> Result<VerifyReport, JournalError> {
        let side = SideFile::read(&self.dir)?;
        Ok(verify(self.db()?, &side)?)
    }

    /// Writes every entry of every chain as a line `{chain, seq, hash, entry}`; the bytes of `entry` are the ones that were hashed.
    pub fn export(&mut self, out: &mut dyn Write) -> Result<u64, JournalError> {
        export(self.db()?, out)
    }
}

pub(super) fn verify(conn: &Connection, side: &SideFile) -> rusqlite::Result<VerifyReport> {
    let mut report = VerifyReport::default();
    for (chain, last_n) in spans(conn)? {
        let found = verify_chain(conn, chain, last_n, &mut report)?;
        report.chains.push(found);
    }
    match side {
        SideFile::Missing => {}
        SideFile::Damaged => report.flaw(Flaw::SideDamaged),
        SideFile::Read(side) => {
            let (chain, seq) = (side.head.chain, side.head.seq);
            let held =
                report.chains.iter().find(|found| found.chain == chain).map_or(0, |found| found.last_seq);
            if seq > held {
                report.flaw(Flaw::SideAhead { chain, seq });
            }
        }
    }
    Ok(report)
}

fn verify_chain(
    conn: &Connection,
    chain: ChainRow,
    last_n: u64,
    report: &mut VerifyReport,
) -> rusqlite::Result<ChainReport> {
    let id = chain.id;
    let mut found = ChainReport {
        chain: id,
        last_seq: last_n - chain.base,
        head_hash: chain::genesis(id),
        cursor: chain.cursor,
        erased: 0,
        refused: 0,
    };
    let mut expected = 1;
    pages(conn, chain.base + 1, last_n, |row| {
        let seq = row.n - chain.base;
        let complete = seq == expected;
        for seq in expected..seq {
            report.flaw(Flaw::Missing { chain: id, seq });
        }
        // After a gap nothing can be said about the first hash; the chain is taken up again from it.
        match linking_leaf(&row, found.head_hash) {
            Some(leaf) if complete => {
                if row.line.as_deref().is_some_and(|line| chain::leaf(line) != leaf) {
                    report.flaw(Flaw::LineChanged { chain: id, seq });
                }
            }
            None if complete => report.flaw(Flaw::ChainBroken { chain: id, seq }),
            Some(_) | None => {}
        }
        found.head_hash = row.hash;
        found.erased += u64::from(row.line.is_none());
        found.refused += u64::from(row.refused.is_some());
        expected = seq + 1;
        Ok::<(), rusqlite::Error>(())
    })?;
    for seq in expected..=found.last_seq {
        report.flaw(Flaw::Missing { chain: id, seq });
    }
    Ok(found)
}

#[derive(Serialize)]
struct Exported<'a> {
    chain: ChainId,
    seq: u64,
    hash: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a str>,
    #[serde(flatten)]
    line: ExportedLine<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ExportedLine<'a> {
    Entry(&'a RawValue),
    Damaged(String),
    Erased(Hash),
}

pub(super) fn export(conn: &Connection, out: &mut dyn Write) -> Result<u64, JournalError> {
    let mut count = 0;
    for (chain, last_n) in spans(conn)? {
        pages(conn, chain.base + 1, last_n, |row| {
            let line = match (&row.line, row.intact().and_then(|line| serde_json::from_slice(line).ok())) {
                (_, Some(raw)) => ExportedLine::Entry(raw),
                (Some(bytes), None) => ExportedLine::Damaged(String::from_utf8_lossy(bytes).into_owned()),
                (None, None) => ExportedLine::Erased(row.leaf),
            };
            let seq = row.n - chain.base;
            let refused = row.refused.as_deref();
            let exported = Exported { chain: chain.id, seq, hash: row.hash, refused, line };
            serde_json::to_writer(&mut *out, &exported).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
            count += 1;
            Ok::<(), JournalError>(())
        })?;
    }
    out.flush()?;
    Ok(count)
}

/// Every chain with the number of its last row.
pub(super) fn spans(conn: &Connection) -> rusqlite::Result<Vec<(ChainRow, u64)>> {
    let chains = rows::chains(conn)?;
    let last_n = rows::last_n(conn)?;
    let ends: Vec<u64> = chains.iter().skip(1).map(|next| next.base).chain([last_n]).collect();
    Ok(chains.into_iter().zip(ends).map(|(chain, end)| (chain, end.max(chain.base))).collect())
}

fn pages<E: From<rusqlite::Error>>(
    conn: &Connection,
    first: u64,
    last: u64,
    mut each: impl FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    let mut next = first;
    while next <= last {
        let mut page = Vec::new();
        rows::scan(conn, next, last, PAGE_ROWS, |row| {
            page.push(row);
            true
        })?;
        let Some(end) = page.last().map(|row| row.n) else { break };
        page.into_iter().try_for_each(&mut each)?;
        next = end + 1;
    }
    Ok(())
}
