//! Rows in and out of the database, so that the rest speaks of numbers and hashes and not of columns.

use rusqlite::{Connection, OptionalExtension, params};

use serde::Deserialize;

use super::{State, key};
use crate::{
    chain,
    model::{ChainId, EntryId, Hash},
};

/// The id in a line, whatever version or kind the entry is.
pub(super) fn entry_id(line: &[u8]) -> Option<EntryId> {
    #[derive(Deserialize)]
    struct Named {
        id: EntryId,
    }
    serde_json::from_slice(line).ok().map(|Named { id }| id)
}

/// One entry as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// `chain.base + seq`.
    pub n: u64,
    pub hash: Hash,
    pub leaf: Hash,
    /// `None` once erased.
    pub line: Option<Vec<u8>>,
    pub refused: Option<String>,
    /// A newer chain has it as well.
    pub is_carried: bool,
}

impl Row {
    /// The line if it is the one that was hashed.
    pub(crate) fn intact(&self) -> Option<&[u8]> {
        self.line.as_deref().filter(|line| chain::leaf(line) == self.leaf)
    }
}

/// A chain as stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ChainRow {
    pub id: ChainId,
    pub base: u64,
    pub cursor: u64,
}

/// SQLite's integers are signed. A journal never gets near the limit; a damaged number that does becomes the largest.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The reverse of [`int`]; a negative number, which the schema forbids, becomes zero.
pub(super) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

const COLUMNS: &str = "n, hash, leaf, line, refused, carried IS NOT NULL";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let line = row.get_ref(3)?.as_bytes_or_null()?.map(<[u8]>::to_vec);
    Ok(Row {
        n: uint(row.get(0)?),
        hash: Hash(row.get(1)?),
        leaf: Hash(row.get(2)?),
        line,
        refused: row.get(4)?,
        is_carried: row.get(5)?,
    })
}

/// One entry.
pub(super) fn get(conn: &Connection, n: u64) -> rusqlite::Result<Option<Row>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM entry WHERE n = ?1"))?
        .query_row([int(n)], read)
        .optional()
}

/// Entries `first..=last`, at most `limit`, in order; `take` says when it has enough.
pub(super) fn scan(
    conn: &Connection,
    first: u64,
    last: u64,
    limit: usize,
    mut take: impl FnMut(Row) -> bool,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE n BETWEEN ?1 AND ?2 ORDER BY n LIMIT ?3");
    let mut statement = conn.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = statement.query(params![int(first), int(last), limit])?;
    while let Some(row) = found.next()? {
        if !take(read(row)?) {
            break;
        }
    }
    Ok(())
}

/// Adds an entry at the end.
pub(super) fn insert(conn: &Connection, row: &Row) -> rusqlite::Result<()> {
    let line = row.line.as_deref().map(String::from_utf8_lossy);
    conn.prepare_cached("INSERT INTO entry (n, hash, leaf, line, refused) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![int(row.n), row.hash.0, row.leaf.0, line, row.refused])?;
    Ok(())
}

/// The hash at a place of a chain, its first hash at place 0.
pub(super) fn hash_at(
    conn: &Connection,
    chain: ChainId,
    base: u64,
    seq: u64,
) -> rusqlite::Result<Option<Hash>> {
    if seq == 0 {
        return Ok(Some(chain::genesis(chain)));
    }
    conn.prepare_cached("SELECT hash FROM entry WHERE n = ?1")?
        .query_row([int(base + seq)], |row| row.get(0).map(Hash))
        .optional()
}

/// All chains, oldest first.
pub(super) fn chains(conn: &Connection) -> rusqlite::Result<Vec<ChainRow>> {
    conn.prepare("SELECT id, base, cursor FROM chain ORDER BY number")?
        .query_map([], |row| {
            Ok(ChainRow { id: ChainId(row.get(0)?), base: uint(row.get(1)?), cursor: uint(row.get(2)?) })
        })?
        .collect()
}

/// The number of the last row of all chains.
pub(super) fn last_n(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT coalesce(max(n), 0) FROM entry", [], |row| row.get(0).map(uint))
}

/// The first row that is still to be carried over.
pub(super) fn first_carry(conn: &Connection) -> rusqlite::Result<Option<u64>> {
    Ok(conn.query_row("SELECT min(first) FROM carry", [], |row| row.get::<_, Option<i64>>(0))?.map(uint))
}

pub(super) fn meta(conn: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

pub(super) fn set_meta(conn: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?.execute([key, value])?;
    Ok(())
}

/// A number kept in `meta`; 0 if it was never written.
pub(super) fn meta_number(conn: &Connection, key: &str) -> rusqlite::Result<u64> {
    Ok(meta(conn, key)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Reads what [`State`] keeps in memory; `None` if no chain was begun.
pub(super) fn state(conn: &Connection) -> rusqlite::Result<Option<State>> {
    let Some(row) = chains(conn)?.pop() else { return Ok(None) };
    let last_n = last_n(conn)?.max(row.base);
    let last_seq = last_n - row.base;
    let last_hash = hash_at(conn, row.id, row.base, last_seq)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let to_carry =
        conn.query_row("SELECT coalesce(sum(last - first + 1), 0) FROM carry", [], |r| r.get(0))?;
    let refused = conn.query_row("SELECT count(*) FROM entry WHERE refused IS NOT NULL", [], |r| r.get(0))?;
    Ok(Some(State {
        chain: row.id,
        base: row.base,
        last_seq,
        last_hash,
        cursor: row.cursor.min(last_seq),
        to_carry: uint(to_carry),
        refused: uint(refused),
        restarts: meta_number(conn, key::RESTARTS)?,
        lost_after: meta(conn, key::LOST_AFTER)?.and_then(|text| text.parse().ok()),
    }))
}
