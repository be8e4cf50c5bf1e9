//! Getting unsent entries out of a database that was set aside.
//!
//! First by SQL, row by row, so that a bad page costs only its own rows. What SQL cannot reach is carved: a stored line stands in one
//! piece in its page, right after the 32 bytes of its leaf hash, so the raw files are searched for text that begins like an entry and
//! hashes to the bytes before it. Nothing unproven is ever taken, and nothing is written to the files.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::Path,
};

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Row,
    files::{self, Side},
    key, rows, schema,
};
use crate::{
    chain,
    model::{ChainId, EntryId},
    wire::ENTRY_BYTES_MAX,
};

/// A damaged cursor can claim any number of rows; more than this is not looked up one by one. Ten years of a busy terminal.
const ROWS_MAX: u64 = 10_000_000;

/// Bytes searched at a time.
const WINDOW_BYTES: usize = 1024 * 1024;

/// Leaf hash and line: what may be cut by the end of a window.
const OVERLAP_BYTES: usize = ENTRY_BYTES_MAX + LEAF_BYTES;

const LEAF_BYTES: usize = 32;

/// How every line begins.
const LINE_START: &[u8] = b"{\"v\":";

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Salvage {
    /// Entries handed on.
    pub entries: u64,
    /// Unsent rows that were known of and could not be read.
    pub unreadable: u64,
    /// The newest readable entry.
    pub newest: Option<EntryId>,
    /// The chain, if it could be told.
    pub chain: Option<ChainId>,
    /// Small facts to keep.
    pub meta: Vec<(String, String)>,
}

/// Takes what can be proven out of the files in a folder; `sink` gets each unsent line once, with the reason if it was refused.
pub(super) fn salvage<E>(
    dir: &Path,
    side: Option<&Side>,
    mut sink: impl FnMut(&[u8], Option<String>) -> Result<(), E>,
) -> Result<Salvage, E> {
    let mut found = Salvage { chain: side.map(|side| side.head.chain), ..Salvage::default() };
    let mut seen = HashSet::new();
    let mut newest_seq = 0;
    let mut take = |found: &mut Salvage, seq: u64, line: &[u8], refused| {
        let Some(id) = rows::entry_id(line) else { return Ok(()) };
        if seq >= newest_seq {
            (newest_seq, found.newest) = (seq, Some(id));
        }
        if seen.insert(id) {
            found.entries += 1;
            sink(line, refused)?;
        }
        Ok(())
    };
    let wanted = match Source::open(dir, side) {
        Ok(source) => {
            found.chain = Some(source.chain);
            found.meta.clone_from(&source.meta);
            let mut missing = HashSet::new();
            for (first, last) in source.ranges.clone() {
                for n in first..=last {
                    match source.look(n) {
                        Look::Line(row, line) => take(&mut found, source.seq(n), &line, row.refused)?,
                        Look::Nothing => {}
                        Look::Changed => found.unreadable += 1,
                        Look::Unreadable => {
                            missing.insert(source.seq(n));
                            found.unreadable += 1;
                        }
                    }
                }
            }
            Wanted::These(missing)
        }
        Err(error) => {
            tracing::warn!(%error, dir = %dir.display(), "the database does not open; searching its files for entries");
            Wanted::After(side.map_or(0, |side| side.cursor))
        }
    };
    let before = found.entries;
    for name in [files::DB, files::WAL] {
        let searched = carve(&dir.join(name), &wanted, &mut |seq, line| take(&mut found, seq, line, None))?;
        if let Err(error) = searched {
            tracing::warn!(%error, dir = %dir.display(), name, "a file could not be searched to its end");
        }
    }
    found.unreadable = found.unreadable.saturating_sub(found.entries - before);
    Ok(found)
}

/// A damaged database that still answers.
struct Source {
    conn: Connection,
    chain: ChainId,
    base: u64,
    /// Rows that were not delivered, both ends included.
    ranges: Vec<(u64, u64)>,
    /// Whether the end of the last range is known; a guessed one has rows that never were.
    end_known: bool,
    meta: Vec<(String, String)>,
}

enum Look {
    Line(Row, Vec<u8>),
    Nothing,
    Changed,
    Unreadable,
}

impl Source {
    fn open(dir: &Path, side: Option<&Side>) -> rusqlite::Result<Self> {
        let conn = schema::connect_to_look(&dir.join(files::DB))?;
        let newest = rows::chains(&conn)?.pop().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let guess = newest.base + side.map_or(newest.cursor, |side| side.head.seq);
        let (last, end_known) = rows::last_n(&conn).map_or((guess, false), |last| (last, true));
        let mut ranges: Vec<(u64, u64)> = conn
            .prepare("SELECT first, last FROM carry ORDER BY first")?
            .query_map([], |row| Ok((rows::uint(row.get(0)?), rows::uint(row.get(1)?))))?
            .collect::<rusqlite::Result<_>>()?;
        ranges.push((newest.base + newest.cursor + 1, last));
        if ranges.iter().any(|(first, last)| last.saturating_sub(*first) > ROWS_MAX) {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        let meta = own_meta(&conn).unwrap_or_default();
        Ok(Self { conn, chain: newest.id, base: newest.base, ranges, end_known, meta })
    }

    /// The place of a row in the newest chain; 0 for rows of older ones.
    const fn seq(&self, n: u64) -> u64 {
        n.saturating_sub(self.base)
    }

    fn look(&self, n: u64) -> Look {
        match rows::get(&self.conn, n) {
            Ok(Some(row)) if row.is_carried => Look::Nothing,
            Ok(Some(row)) => match (row.intact().map(<[u8]>::to_vec), &row.line) {
                (Some(line), _) => Look::Line(row, line),
                (None, None) => Look::Nothing,
                (None, Some(_)) => Look::Changed,
            },
            Ok(None) if self.end_known => Look::Unreadable,
            Ok(None) => Look::Nothing,
            Err(_) => Look::Unreadable,
        }
    }
}

/// What others keep in `meta`: the journal's own facts belong to the old database.
fn own_meta(conn: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let ours = [key::RESTARTS, key::ERASED_THROUGH, key::SET_ASIDE, key::LOST_AFTER, key::READABLE_FROM];
    let all: Vec<(String, String)> = conn
        .prepare("SELECT key, value FROM meta")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(all.into_iter().filter(|(key, _)| !ours.contains(&key.as_str())).collect())
}

/// Which lines a search wants.
enum Wanted {
    /// With one of these numbers.
    These(HashSet<u64>),
    /// With a number after this one.
    After(u64),
}

impl Wanted {
    fn is_nothing(&self) -> bool {
        matches!(self, Self::These(seqs) if seqs.is_empty())
    }

    fn holds(&self, seq: u64) -> bool {
        match self {
            Self::These(seqs) => seqs.contains(&seq),
            Self::After(cursor) => seq > *cursor,
        }
    }
}

/// Searches a file for lines whose hash stands before them. The outer result is the sink's.
fn carve<E>(
    path: &Path,
    wanted: &Wanted,
    sink: &mut impl FnMut(u64, &[u8]) -> Result<(), E>,
) -> Result<io::Result<()>, E> {
    if wanted.is_nothing() {
        return Ok(Ok(()));
    }
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(())),
        Err(error) => return Ok(Err(error)),
    };
    let mut window = Vec::with_capacity(WINDOW_BYTES + OVERLAP_BYTES);
    loop {
        let got = match (&mut file).take(WINDOW_BYTES as u64).read_to_end(&mut window) {
            Ok(got) => got,
            Err(error) => return Ok(Err(error)),
        };
        for line in proven_lines(&window) {
            if let Some(seq) = seq_of(line).filter(|seq| wanted.holds(*seq)) {
                sink(seq, line)?;
            }
        }
        if got == 0 {
            return Ok(Ok(()));
        }
        // A line seen twice at the seam is known by its id.
        window.drain(..window.len().saturating_sub(OVERLAP_BYTES));
    }
}

fn seq_of(line: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    serde_json::from_slice(line).ok().map(|Numbered { seq }| seq)
}

/// Every complete JSON text in the bytes that begins like a line and follows its own hash.
fn proven_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts = bytes.windows(LINE_START.len()).enumerate().filter(|(_, at)| *at == LINE_START);
    starts.filter_map(|(start, _)| {
        let leaf = bytes.get(start.checked_sub(LEAF_BYTES)?..start)?;
        let rest = bytes.get(start..bytes.len().min(start + ENTRY_BYTES_MAX))?;
        // Bytes after the line need not be text.
        let text = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(rest.get(..error.valid_up_to())?).ok()?,
        };
        let value = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok()?;
        let line = value.get().as_bytes();
        (chain::leaf(line).0 == leaf).then_some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_follow_their_own_hash_are_carved() {
        let line = br#"{"v":1,"seq":5,"id":"01890a5d-ac96-774b-bcce-b302099a8057","text":"\u007b"}"#;
        let mut bytes = vec![0xff; 100];
        bytes.extend(chain::leaf(line).0);
        bytes.extend(line);
        bytes.extend([0xfe; 9]);
        // The same line with one bit flipped, after the hash of the right one.
        bytes.extend(chain::leaf(line).0);
        bytes.extend(line.iter().map(|b| if *b == b'5' { b'4' } else { *b }));
        assert_eq!(proven_lines(&bytes).collect::<Vec<_>>(), [line.as_slice()]);
        assert_eq!(seq_of(line), Some(5));
    }
}
