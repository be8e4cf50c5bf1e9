//! Opens the database file.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::{
    SqliteStore,
    migrate::{STEPS, identity, migrate},
    readers::Readers,
    writer::Writer,
};
use crate::{durable, model::StoreId};

/// The first version without the bug that can corrupt a database when the WAL is reset.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Connections for people's queries: more than the cores of a small server would only compete.
pub(super) const READERS: usize = 4;

/// Of these, connections that people's reports may hold at once: the others are left to their other queries.
const REPORT_READERS: usize = 2;

/// Connections that only terminals' requests use: each looks up a few rows, and no query of people can hold them up.
const TERMINAL_READERS: usize = 2;

/// How long a query of people waits for a connection: who waits longer has gone, and asks for more by asking again.
const QUERY_PATIENCE: Duration = Duration::from_secs(5);

/// The same for terminals, whose requests have a deadline of their own.
const TERMINAL_PATIENCE: Duration = Duration::from_secs(20);

/// How long a statement waits for the lock of another process.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite said no.
    #[error("the database {path} cannot be opened")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The file cannot be made, or its mode cannot be set.
    #[error("the database {path} cannot be made readable for its owner alone")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody else's file.
    #[error("{0} is a database of another program; name another data folder")]
    Foreign(PathBuf),
    /// Written by a newer program, in a form that this one would misread.
    #[error(
        "{path} is of a newer central: it has schema {found}, which programs from schema {floor} on can use, and this one knows {known}. \
         Install the newer program again, or restore the backup from before the upgrade"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema version.
        found: usize,
        /// The oldest one whose program may use it.
        floor: usize,
        /// The newest one known here.
        known: usize,
    },
    /// The library is too old.
    #[error("SQLite {0} can corrupt a database; link 3.51.3 or later")]
    Library(&'static str),
}

impl SqliteStore {
    /// Opens or makes the database. `fresh_id` names the store if it is made, at `now`.
    pub fn open(path: &Path, fresh_id: StoreId, now: DateTime<Utc>) -> Result<Self, OpenError> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(OpenError::Library(rusqlite::version()));
        }
        let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
        own_file(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
        let mut connection = connect(path, OpenFlags::default()).map_err(failed)?;
        migrate(&mut connection, path, STEPS)?;
        let id = identity(&connection, fresh_id, now).map_err(failed)?;
        let for_people = Readers::open(path, READERS, QUERY_PATIENCE).map_err(failed)?;
        let for_terminals = Readers::open(path, TERMINAL_READERS, TERMINAL_PATIENCE).map_err(failed)?;
        let reporting = Arc::new(Semaphore::new(REPORT_READERS));
        Ok(Self { id, writer: Writer::start(connection), for_people, for_terminals, reporting })
    }
}

/// The database belongs to central's user alone, whatever the umask; SQLite gives its other files the same mode.
fn own_file(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    ["", "-wal", "-shm"].iter().try_for_each(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        durable::make_private(Path::new(&name))
    })
}

pub(super) fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(128);
    if !flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) {
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        // Bounds the WAL file after a burst; it is truncated at the next checkpoint.
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    }
    connection.pragma_update(None, "temp_store", "memory")?;
    // 32 MiB, so that the upper levels of the indexes stay in memory.
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    Ok(connection)
}
