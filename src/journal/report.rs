//! What opening a journal has to say.

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{JournalError, schema};
use crate::model::{ChainId, EntryId};

/// Why a journal does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another program has it.
    #[error("the journal in {} is in use by process {pid}; stop that first", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// The other program's process id, empty if unknown.
        pid: String,
    },
    /// The SQLite this program was linked with has a bug that loses data.
    #[error("SQLite {0} is too old for a journal, at least {least} is needed", least = schema::SQLITE_VERSION_MIN)]
    OldSqlite(i32),
    /// The file system refuses writes.
    #[error("the file system of {} is read-only; restart to have it checked, or exchange it", .0.display())]
    ReadOnly(PathBuf),
    /// A file beside the database.
    #[error("cannot {what}: {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// SQLite failed in a way that says nothing about the database.
    #[error("cannot open the journal in {}", dir.display())]
    Storage {
        /// The folder.
        dir: PathBuf,
        /// Why it failed.
        source: rusqlite::Error,
    },
    /// The new chain that had to begin could not.
    #[error("cannot begin a new chain in {}", dir.display())]
    NewChain {
        /// The folder.
        dir: PathBuf,
        /// Why it failed.
        source: JournalError,
    },
}

/// Why what was found cannot be continued.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There was a journal, and the database is gone.
    Missing,
    /// There was a journal, and the database is empty.
    Empty,
    /// The file is not a database.
    NotADatabase,
    /// The database is damaged, in SQLite's words.
    Corrupt(String),
    /// The database belongs to another program, with this application id.
    Foreign(i32),
    /// The database was written by a newer program, with this schema version, and this one cannot append to it.
    Newer(i32),
    /// The side file has seen more entries than the database holds: storage forgot what it had confirmed.
    SideAhead,
    /// The side file has another hash for an entry: the database was exchanged or rolled back and continued.
    SideDiffers,
    /// The newest entries do not hash to what is stored with them.
    NewestDamaged,
}

/// What opening found and did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenReport {
    /// How it went.
    pub opened: Opened,
    /// What may be lost; `None` if nothing is.
    pub lost: Option<Lost>,
    /// Whether the integrity check came to its end in its time.
    pub fully_checked: bool,
}

/// How a journal was opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opened {
    /// There was none.
    Fresh,
    /// As it was left.
    Continued,
    /// The database is sound but its chain cannot be continued; unsent entries are being carried into a new one.
    NewChain {
        /// What was wrong.
        why: Why,
    },
    /// The database was moved away and a new one begun.
    SetAside {
        /// What was wrong.
        why: Why,
        /// Where the files are.
        moved_to: PathBuf,
        /// Unsent entries that were carried into the new chain.
        salvaged: u64,
    },
}

/// What is known about a loss.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// The chain that ended.
    pub chain: Option<ChainId>,
    /// The highest sequence number it is known to have had; 0 if unknown.
    pub known_seq: u64,
    /// The newest entry that was readable; what came after it may be lost.
    pub after: Option<EntryId>,
    /// Unsent entries known to exist that could not be read.
    pub unreadable: u64,
}
