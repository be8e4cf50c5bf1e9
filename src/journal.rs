//! The terminal's memory: every entry on disk before anybody is thanked, and kept until central has signed for it.
//!
//! One folder per terminal:
//! - `journal.db`: SQLite in WAL mode with `synchronous=FULL`, one writing connection; the schema is in `journal/*.sql`;
//! - `journal.head`: the side file, a high-water mark (chain, seq, hash) beside the database;
//! - `ballast`: room to drop when the disk is full, because on a full disk SQLite cannot even delete;
//! - `lock`: held while a program has the journal;
//! - `corrupt-<n>/`: databases that were set aside. Nothing in them is ever written or deleted.
//!
//! While the disk refuses entries, [`Keeper`] holds them in memory.
//!
//! Invariants:
//! - [`Journal::append`] returns `Ok` only after the commit reached the disk;
//! - an entry that central has not acknowledged is never erased, whatever the clock says;
//! - a line is frozen: what is stored is what was hashed and what is sent;
//! - the cursor moves only with a hash equal to the journal's own;
//! - a database that cannot be trusted is moved, never overwritten; its unsent entries are carried into a new chain under their ids.
//!
//! The side file exists because a zero-length database opens as a valid empty one and a lying card forgets flushes it confirmed. Writing
//! it costs a file sync, a rename and a folder sync, three times the cost of a commit, so it is not written at every tap: it is written
//! when a chain begins, after `SIDE_ENTRIES` entries, when the terminal is idle and it is older than `SIDE_MS`, and at the end. An
//! empty or exchanged database is found however old the mark is, because its chain is missing; a database that lost its last rows is
//! found here if they are below the mark, and by central's own cursor if central has them ([`JournalError::Ahead`]).

mod append;
mod audit;
mod carry;
pub mod cli;
mod deliver;
mod files;
mod keeper;
mod open;
mod recorder;
mod report;
mod rows;
mod salvage;
mod schema;
mod set_aside;
mod upkeep;

use std::{
    collections::VecDeque,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

pub use append::AppendError;
pub use audit::Flaw;
pub use deliver::{Batch, BatchLimits};
pub use keeper::{Keeper, Kept, MEMORY_ENTRIES_MAX, Names};
pub(crate) use recorder::{Gone, RecorderHandle};
pub use recorder::{Keeping, Recorder};
pub(crate) use report::Lost;
pub use report::{OpenError, OpenReport, Opened, Why};
pub use upkeep::Upkeep;

use self::rows::Row;
use crate::{
    model::{ChainId, EntryId, Hash, Moment},
    wire::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Entry},
};

/// Acknowledged entries stay at least this long, so that a central restored from a month-old backup can be filled again.
const KEEP_DAYS: u32 = 30;

/// Acknowledged entries stay at least until this many newer ones exist: a wrong clock alone erases nothing recent.
const KEEP_ENTRIES: u64 = 100_000;

/// Room to drop when the disk is full: 6,000 more answers, some days of a busy terminal.
const BALLAST_BYTES: u64 = 4 * 1024 * 1024;

/// The side file is written after this many entries: three syncs in 256 commits cost about one percent.
const SIDE_ENTRIES: u64 = 256;

/// An idle terminal writes the side file when it is older than this, in milliseconds.
const SIDE_MS: u64 = 60_000;

/// Entries kept in memory to be written again if storage fails: more than can be in flight between two syncs.
const TAIL_ENTRIES: usize = 64;

/// Integrity is checked for at most this long at start, in milliseconds: a terminal with a million entries must start in two seconds.
const QUICK_CHECK_MS: u64 = 1000;

/// Keys of the `meta` table that the journal itself uses.
mod key {
    pub(crate) const RESTARTS: &str = "restarts";
    pub(crate) const ERASED_THROUGH: &str = "erased_through";
    pub(crate) const SET_ASIDE: &str = "set_aside";
    pub(crate) const LOST_AFTER: &str = "lost_after";
    pub(crate) const READABLE_FROM: &str = "readable_from";
    pub(crate) const QUARANTINED: &str = "quarantined";
    pub(crate) const QUARANTINE_REASON: &str = "quarantine_reason";
}

/// How to open a journal.
#[derive(Clone)]
pub struct OpenArgs {
    /// The identity of a new chain, should one be needed.
    pub chain_if_new: ChainId,
    /// The moment of opening.
    pub now: Moment,
    /// How long acknowledged entries stay.
    pub retention: Retention,
    /// Size of the ballast file in bytes.
    pub ballast_bytes: u64,
    /// Time limit of the integrity check in milliseconds.
    pub quick_check_ms: u64,
    /// Switches of the tests.
    #[doc(hidden)]
    pub hooks: TestHooks,
}

impl OpenArgs {
    /// The limits of a terminal in service.
    pub fn new(chain_if_new: ChainId, now: Moment) -> Self {
        Self {
            chain_if_new,
            now,
            retention: Retention::default(),
            ballast_bytes: BALLAST_BYTES,
            quick_check_ms: QUICK_CHECK_MS,
            hooks: TestHooks::default(),
        }
    }
}

/// How long acknowledged entries stay: until both limits are passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Days since they were acknowledged.
    pub days: u32,
    /// The newest entries that always stay.
    pub entries: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: KEEP_DAYS, entries: KEEP_ENTRIES }
    }
}

/// Breaks guards on purpose, to show that the tests notice, and tells where a crash can be simulated.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct TestHooks {
    /// `synchronous=NORMAL`.
    pub synchronous_normal: bool,
    /// Retention ignores the cursor.
    pub erase_unacknowledged: bool,
    /// The cursor moves without looking at the hash.
    pub trust_any_hash: bool,
    /// Called with a name at every point between two writes. At a commit of entries, `true` makes the commit fail like a disk.
    pub probe: Option<Probe>,
}

/// See [`TestHooks::probe`].
#[doc(hidden)]
pub(crate) type Probe = Arc<dyn Fn(&'static str) -> bool + Send + Sync>;

impl TestHooks {
    fn probe(&self, point: &'static str) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe(point))
    }
}

/// The end of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Which chain.
    pub chain: ChainId,
    /// The last entry's place; 0 while the chain is empty.
    pub seq: u64,
    /// The chain hash there.
    pub hash: Hash,
}

/// Why a journal could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Whoever says it holds this chain holds something else at this place.
    #[error("the hash at entry {seq} is not ours: another journal writes under this chain; begin a new one")]
    HeadMismatch {
        /// The place.
        seq: u64,
        /// The journal's own hash there.
        ours: Hash,
    },
    /// Central holds more than this journal: storage was rolled back.
    #[error(
        "central has {seq} entries of this chain and the journal {last_seq}: storage was rolled back; begin a new one"
    )]
    Ahead {
        /// What central holds.
        seq: u64,
        /// What the journal holds.
        last_seq: u64,
    },
    /// The entry is not waiting to be sent.
    #[error("entry {seq} is not waiting to be sent")]
    NotWaiting {
        /// The place.
        seq: u64,
    },
    /// The stored hash of an entry fits neither its line nor its leaf.
    #[error("the journal is damaged at entry {seq}; begin a new chain")]
    Damaged {
        /// The place.
        seq: u64,
    },
    /// The new chain's id was used before.
    #[error("chain {0} was used before; make a new random one")]
    ChainUsed(ChainId),
    /// SQLite failed.
    #[error("cannot use the journal's database")]
    Storage(#[from] rusqlite::Error),
    /// A file beside the database, or the output of an export.
    #[error("cannot read or write beside the journal's database")]
    Io(#[from] std::io::Error),
}

/// How a journal is.
#[derive(Clone, PartialEq, Debug)]
pub struct Stats {
    /// The chain that is written to, and its end.
    pub head: Head,
    /// Acknowledged through this entry of it.
    pub cursor: u64,
    /// Entries without a receipt. Rows still to be carried into the chain count too, though some may turn out to be carried already.
    pub queue_depth: u64,
    /// When the oldest of them happened.
    pub oldest_unsent: Option<Moment>,
    /// Entries central refused; kept.
    pub refused: u64,
    /// Entries that central keeps and cannot read, as it last said.
    pub quarantined: u64,
    /// Appends that failed since the program started: taps nobody was thanked for.
    pub not_stored: u64,
    /// Entries held in memory alone that central has not signed for; `None` while the disk takes entries.
    pub unsaved: Option<u64>,
    /// Program starts since the journal was made.
    pub restarts: u64,
    /// The newest entry that was readable when storage was last found damaged.
    pub lost_after: Option<EntryId>,
    /// Size of the database in bytes.
    pub db_bytes: u64,
    /// Size of the write-ahead log in bytes.
    pub wal_bytes: u64,
    /// Whether the ballast is there; it is not while the disk is full.
    pub ballast: bool,
}

/// An open journal. One thread owns it; see [`Recorder`].
pub struct Journal {
    dir: PathBuf,
    /// `None` after storage failed, until it can be opened again.
    conn: Option<Connection>,
    /// Held for as long as the journal is open; `None` for one in memory, which has no files.
    lock: Option<File>,
    retention: Retention,
    ballast_bytes: u64,
    hooks: TestHooks,
    state: State,
    /// The last entries that were thanked for, to be written again if storage forgot them.
    tail: VecDeque<Row>,
    /// What the side file says, and when it was written.
    side: SideMark,
    /// Entries since the last checkpoint.
    since_checkpoint: u64,
    /// The disk was full and the ballast is not back.
    is_tight: bool,
    not_stored: u64,
}

/// What the database says, kept in memory so that nothing on a tap's way has to be looked up or counted.
#[derive(Clone, PartialEq, Eq, Debug)]
struct State {
    chain: ChainId,
    /// Row number before the chain's first entry.
    base: u64,
    last_seq: u64,
    last_hash: Hash,
    cursor: u64,
    /// Rows of older chains still to be carried over.
    to_carry: u64,
    refused: u64,
    restarts: u64,
    lost_after: Option<EntryId>,
}

impl State {
    const fn head(&self) -> Head {
        Head { chain: self.chain, seq: self.last_seq, hash: self.last_hash }
    }

    const fn last_n(&self) -> u64 {
        self.base + self.last_seq
    }
}

#[derive(Clone, Copy, Debug)]
struct SideMark {
    head: Head,
    cursor: u64,
    up_ms: u64,
}

impl Journal {
    /// Opens the journal in a folder, which is made if missing, and says what was found there.
    pub fn open(dir: &Path, args: OpenArgs) -> Result<(Self, OpenReport), OpenError> {
        open::open(dir, args)
    }

    /// A journal without files, for entries that the disk refuses; see [`Keeper`].
    pub(crate) fn in_memory(args: &OpenArgs) -> rusqlite::Result<Self> {
        open::in_memory(args)
    }

    /// The end of the chain.
    pub const fn head(&self) -> Head {
        self.state.head()
    }

    /// Acknowledged through this entry.
    pub const fn cursor(&self) -> u64 {
        self.state.cursor
    }

    /// Entries without a receipt.
    pub const fn queue_depth(&self) -> u64 {
        self.state.last_seq - self.state.cursor + self.state.to_carry
    }

    /// Whether there are files.
    const fn is_in_memory(&self) -> bool {
        self.lock.is_none()
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How the journal is. Costs two row look-ups and three file look-ups, however long the queue.
    pub fn stats(&mut self) -> Result<Stats, JournalError> {
        let oldest = self.oldest_unsent()?;
        let quarantined = rows::meta_number(self.db()?, key::QUARANTINED)?;
        Ok(self.figures(oldest, quarantined))
    }

    /// What is known without the database, for a disk that lets nobody read it.
    pub(crate) fn stats_without_database(&self) -> Stats {
        self.figures(None, 0)
    }

    fn figures(&self, oldest_unsent: Option<Moment>, quarantined: u64) -> Stats {
        let size = |name| std::fs::metadata(self.dir.join(name)).map_or(0, |meta| meta.len());
        Stats {
            head: self.head(),
            cursor: self.state.cursor,
            queue_depth: self.queue_depth(),
            oldest_unsent,
            refused: self.state.refused,
            quarantined,
            not_stored: self.not_stored,
            unsaved: None,
            restarts: self.state.restarts,
            lost_after: self.state.lost_after,
            db_bytes: size(files::DB),
            wal_bytes: size(files::WAL),
            ballast: size(files::BALLAST) > 0,
        }
    }

    fn oldest_unsent(&mut self) -> Result<Option<Moment>, JournalError> {
        if self.queue_depth() == 0 {
            return Ok(None);
        }
        let next = self.state.base + self.state.cursor + 1;
        let conn = self.db()?;
        let n = rows::first_carry(conn)?.unwrap_or(next);
        let line = rows::get(conn, n)?.and_then(|row| row.line);
        Ok(line.and_then(|line| Entry::from_line(&line).ok()).map(|entry| entry.at))
    }

    /// A small fact by its key.
    pub fn meta(&mut self, key: &str) -> Result<Option<String>, JournalError> {
        Ok(rows::meta(self.db()?, key)?)
    }

    /// Keeps a small fact.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), JournalError> {
        rows::set_meta(self.db()?, key, value)?;
        Ok(())
    }

    /// Central said how many entries it keeps and cannot read, and why the last of them.
    pub(crate) fn note_quarantined(
        &mut self,
        entries: u64,
        reason: Option<&str>,
    ) -> Result<(), JournalError> {
        if entries == rows::meta_number(self.db()?, key::QUARANTINED)? {
            return Ok(());
        }
        rows::set_meta(self.db()?, key::QUARANTINED, &entries.to_string())?;
        if let Some(reason) = reason {
            rows::set_meta(self.db()?, key::QUARANTINE_REASON, reason)?;
        }
        Ok(())
    }

    /// Central has been told about the damage: [`Stats::lost_after`] is forgotten.
    pub fn clear_lost_after(&mut self) -> Result<(), JournalError> {
        self.db()?.execute("DELETE FROM meta WHERE key = ?1", [key::LOST_AFTER])?;
        self.state.lost_after = None;
        Ok(())
    }

    /// Writes everything down and closes the files. Dropping a journal does the same, without telling of errors.
    pub fn close(mut self) -> Result<(), JournalError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), JournalError> {
        let up_ms = self.side.up_ms;
        self.write_side(up_ms)?;
        match self.conn.take().map(Connection::close) {
            Some(Err((_, error))) => Err(error.into()),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.conn.is_some()
            && let Err(error) = self.finish()
        {
            tracing::warn!(%error, dir = %self.dir.display(), "journal did not close cleanly");
        }
    }
}

/// Limits of a batch; see [`BATCH_ENTRIES_MAX`] and [`BATCH_BYTES_MAX`].
impl Default for BatchLimits {
    fn default() -> Self {
        Self { entries: BATCH_ENTRIES_MAX, bytes: BATCH_BYTES_MAX }
    }
}
