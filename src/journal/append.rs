//! Writing entries, and what to do when the disk refuses.
//!
//! A failed sync leaves it unknown whether the commit is on the disk, and asking again proves nothing: the kernel may have forgotten the
//! failed pages. So the database is closed, opened again and checkpointed: that copies what the log holds into the database file and
//! syncs it anew. What is not there after that is written again from memory.

use rusqlite::{Connection, ErrorCode};

use super::{Head, Journal, Row, TAIL_ENTRIES, TestHooks, files, rows, schema};
use crate::{
    chain,
    wire::{Draft, Entry, EntryError},
};

/// With less free room than this an I/O error means a full disk: SQLite reports a shared-memory file it cannot grow as an I/O error.
const NO_ROOM_BYTES: u64 = 64 * 1024;

/// While the disk is full the log is copied into the database this often: a commit takes a whole page of the log and a fraction of one in
/// the database, so the ballast lasts for thousands of entries and not for hundreds.
const TIGHT_ENTRIES: u64 = 32;

/// Why entries are not stored. Whoever showed a "thank you" page for them would lie.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// An entry cannot be written as a line: too long.
    #[error("the entry cannot be written as a line")]
    Entry(#[from] EntryError),
    /// No room, even without the ballast.
    #[error("the disk is full and the ballast is gone; free some room")]
    Full(#[source] rusqlite::Error),
    /// The file system refuses writes.
    #[error("the disk is read-only; restart to have it checked, or exchange it")]
    ReadOnly(#[source] rusqlite::Error),
    /// The disk failed, and failed again after the database was opened anew.
    #[error("the disk does not take the entry")]
    Io(#[source] rusqlite::Error),
    /// The disk refuses, and more entries wait in memory than fit there.
    #[error("the disk refuses entries, and the memory for them is full; exchange the disk")]
    MemoryFull,
    /// The disk refuses; the entry is held in memory alone, see [`super::Keeper`].
    #[error("the disk refuses entries; this one is held in memory alone")]
    InMemory,
    /// More appends wait than the recorder holds: the disk has stalled.
    #[error("the disk has stalled, too many entries wait")]
    Stalled,
    /// The recorder has ended.
    #[error("the journal is closed")]
    Gone,
}

impl Journal {
    /// Writes entries in one transaction: all or none. When this returns `Ok` they are on the disk.
    pub fn append(&mut self, drafts: Vec<Draft>) -> Result<Head, AppendError> {
        let count = drafts.len() as u64;
        let appended = self.try_append(drafts);
        if appended.is_err() {
            self.not_stored += count;
        }
        appended
    }

    fn try_append(&mut self, drafts: Vec<Draft>) -> Result<Head, AppendError> {
        if let Err(error) = self.db() {
            return Err(self.refused(error));
        }
        let rows = self.link(drafts)?;
        match self.commit(&rows) {
            Ok(()) => {}
            Err(error) if self.is_full(&error) && self.make_room() => {
                self.commit(&rows).map_err(|error| self.refused(error))?;
            }
            Err(error) if is_doubtful(&error) && !self.is_full(&error) => {
                self.settle(&rows).map_err(|error| self.refused(error))?;
            }
            Err(error) => return Err(self.refused(error)),
        }
        self.accept(rows);
        Ok(self.head())
    }

    /// Gives drafts their place and hash.
    fn link(&self, drafts: Vec<Draft>) -> Result<Vec<Row>, EntryError> {
        let (mut seq, mut hash) = (self.state.last_seq, self.state.last_hash);
        let link = |draft| {
            seq += 1;
            let line = Entry::new(draft, seq).to_line()?.into_bytes();
            let leaf = chain::leaf(&line);
            hash = chain::link(hash, leaf);
            Ok(Row {
                n: self.state.base + seq,
                hash,
                leaf,
                line: Some(line),
                refused: None,
                is_carried: false,
            })
        };
        drafts.into_iter().map(link).collect()
    }

    fn commit(&mut self, rows: &[Row]) -> rusqlite::Result<()> {
        let hooks = self.hooks.clone();
        commit(self.db()?, rows, &hooks)
    }

    /// Finds out whether a commit in doubt happened, and does it again if not.
    fn settle(&mut self, rows: &[Row]) -> rusqlite::Result<()> {
        tracing::warn!(dir = %self.dir.display(), "the disk failed at a commit; opening the journal again");
        self.conn = None;
        self.reopen()?;
        let Some(first) = rows.first() else { return Ok(()) };
        match rows::get(self.db()?, first.n)? {
            Some(found) if found.hash == first.hash => Ok(()),
            Some(_) | None => self.commit(rows),
        }
    }

    /// The rows are on the disk.
    fn accept(&mut self, rows: Vec<Row>) {
        let count = rows.len() as u64;
        if let Some(last) = rows.last() {
            self.state.last_seq = last.n - self.state.base;
            self.state.last_hash = last.hash;
        }
        self.tail.extend(rows);
        let surplus = self.tail.len().saturating_sub(TAIL_ENTRIES);
        self.tail.drain(..surplus);
        self.since_checkpoint += count;
        if self.is_tight && self.since_checkpoint >= TIGHT_ENTRIES {
            self.reuse_log();
        }
        self.side_after_append();
    }

    /// The connection, opened again if storage had failed.
    pub(super) fn db(&mut self) -> rusqlite::Result<&mut Connection> {
        if self.conn.is_none() {
            self.reopen()?;
        }
        self.conn.as_mut().ok_or(rusqlite::Error::InvalidQuery)
    }

    /// Opens the database anew, makes durable what its log holds, and writes again from memory what it forgot.
    fn reopen(&mut self) -> rusqlite::Result<()> {
        if self.is_in_memory() {
            return Err(rusqlite::Error::InvalidQuery);
        }
        let mut conn = schema::connect(&self.dir.join(files::DB))?;
        schema::make_writer(&conn, &self.hooks)?;
        if !schema::checkpoint(&conn, "TRUNCATE")? {
            // A reader keeps a part of the log from being copied: what was in doubt is not durable yet, and the next try comes later.
            return Err(busy());
        }
        let mut found = rows::state(&conn)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        if found.chain == self.state.chain && found.last_seq < self.state.last_seq {
            let last_n = found.last_n();
            let missing: Vec<Row> = self.tail.iter().filter(|row| row.n > last_n).cloned().collect();
            if missing.first().map(|row| row.n) != Some(last_n + 1) {
                tracing::error!(
                    found = last_n,
                    expected = self.state.last_n(),
                    "storage forgot more than memory holds"
                );
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            commit(&mut conn, &missing, &self.hooks)?;
            found = rows::state(&conn)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        }
        self.state = found;
        self.conn = Some(conn);
        Ok(())
    }

    fn is_full(&self, error: &rusqlite::Error) -> bool {
        error.sqlite_error_code() == Some(ErrorCode::DiskFull)
            || (is_doubtful(error) && files::free_bytes(&self.dir).is_ok_and(|free| free < NO_ROOM_BYTES))
    }

    /// Drops the ballast, or at least lets the log begin again at its front; says whether either helped.
    fn make_room(&mut self) -> bool {
        let dropped = files::drop_ballast(&self.dir).unwrap_or(false);
        if dropped {
            tracing::warn!(dir = %self.dir.display(), "the disk is full; the ballast was dropped");
        }
        self.is_tight = true;
        self.reuse_log() || dropped
    }

    /// Copies the log into the database so that its file can be written from the front again. Says whether that went.
    fn reuse_log(&mut self) -> bool {
        let copied = self.db().and_then(|conn| schema::checkpoint(conn, "PASSIVE")).unwrap_or(false);
        self.since_checkpoint = 0;
        copied
    }

    /// Names the trouble, and lets go of a connection whose state is in doubt.
    fn refused(&mut self, error: rusqlite::Error) -> AppendError {
        let full = self.is_full(&error);
        if is_doubtful(&error) {
            self.conn = None;
        }
        if files::is_read_only(&self.dir) || error.sqlite_error_code() == Some(ErrorCode::ReadOnly) {
            AppendError::ReadOnly(error)
        } else if full {
            AppendError::Full(error)
        } else {
            AppendError::Io(error)
        }
    }
}

/// Whether the outcome of the statement is unknown, or the connection unusable.
fn is_doubtful(error: &rusqlite::Error) -> bool {
    let doubtful = [
        ErrorCode::SystemIoFailure,
        ErrorCode::CannotOpen,
        ErrorCode::DatabaseCorrupt,
        ErrorCode::NotADatabase,
        ErrorCode::ReadOnly,
    ];
    error.sqlite_error_code().is_some_and(|code| doubtful.contains(&code))
}

fn commit(conn: &mut Connection, rows: &[Row], hooks: &TestHooks) -> rusqlite::Result<()> {
    let transaction = schema::begin(conn)?;
    for row in rows {
        rows::insert(&transaction, row)?;
    }
    if hooks.probe("append before commit") {
        return Err(injected());
    }
    transaction.commit()?;
    if hooks.probe("append after commit") {
        return Err(injected());
    }
    Ok(())
}

/// Somebody else uses the log.
fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

/// A failed sync, for tests.
fn injected() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC), None)
}
