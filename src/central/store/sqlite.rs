//! Central's store on SQLite: a hospital to a city.
//!
//! One thread owns the one writing connection. It takes all writes that wait, runs each in a savepoint of one transaction, commits once
//! (WAL, `synchronous=FULL`: one fsync), and only then answers all of them. Reads run on a few connections of their own and never wait
//! for a write; what terminals ask has connections that people's queries cannot take. Other processes (the command line beside a running server) share the file through SQLite's own locks.

mod book;
mod columns;
pub(in crate::central) mod copy;
mod help;
pub(in crate::central) mod key;
mod migrate;
mod places;
mod read;
mod readers;
mod terminals;
mod writer;

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::Semaphore;

use super::{
    Alarm, AnswerKey, ChainSummary, Checkpoint, Count, CountQuery, Cursor, Drift, Enrolled, ExplainedAnswer,
    Ingested, NewCode, NewTerminal, QuarantineGroup, QuarantinedEntry, ReasonCount, Remembered, Replayed,
    SelfTested, SiteLevels, Store, StoreError, StoredEntry, Submission, Terminal, TimeSpan,
};
use crate::{
    central::domain::ingest::HelpRow,
    durable,
    model::{ChainId, EntryId, SiteId, StoreId, TerminalId},
    questionnaire::Hospital,
    wire::Health,
};
use readers::Readers;
use writer::Writer;

/// The first version without the bug that can corrupt a database when the WAL is reset.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Connections for people's queries: more than the cores of a small server would only compete.
const READERS: usize = 4;

/// Of these, connections that people's reports may hold at once: the others are left to their other queries.
const REPORT_READERS: usize = 2;

/// Connections that only terminals' requests use: each looks up a few rows, and no query of people can hold them up.
const TERMINAL_READERS: usize = 2;

/// How long a query of people waits for a connection: who waits longer has gone, and asks for more by asking again.
const QUERY_PATIENCE: Duration = Duration::from_secs(5);

/// The same for terminals, whose requests have a deadline of their own.
const TERMINAL_PATIENCE: Duration = Duration::from_secs(20);

/// How long a statement waits for the lock of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

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

/// Central's store on SQLite.
pub struct SqliteStore {
    id: StoreId,
    writer: Writer,
    for_people: Readers,
    for_terminals: Readers,
    reporting: Arc<Semaphore>,
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
        migrate::migrate(&mut connection, path, migrate::STEPS)?;
        let id = identity(&connection, fresh_id, now).map_err(failed)?;
        let for_people = Readers::open(path, READERS, QUERY_PATIENCE).map_err(failed)?;
        let for_terminals = Readers::open(path, TERMINAL_READERS, TERMINAL_PATIENCE).map_err(failed)?;
        let reporting = Arc::new(Semaphore::new(REPORT_READERS));
        Ok(Self { id, writer: Writer::start(connection), for_people, for_terminals, reporting })
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.for_people.run(job).await
    }
}

impl SqliteStore {
    /// A read for people: it may be long, and waits while two others are under way.
    async fn report<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.reporting.acquire().await.map_err(|_| StoreError::Closed)?;
        self.read(job).await
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
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

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
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

fn identity(connection: &Connection, fresh: StoreId, now: DateTime<Utc>) -> rusqlite::Result<StoreId> {
    connection.execute(
        "insert into store_info (one, store, made_at) values (1, ?1, ?2) on conflict do nothing",
        (fresh.to_string(), now.timestamp_millis()),
    )?;
    let text: Option<String> =
        connection.query_row("select store from store_info", [], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(fresh))
}

#[async_trait]
impl Store for SqliteStore {
    fn id(&self) -> StoreId {
        self.id
    }

    async fn sites(&self) -> Result<Vec<SiteId>, StoreError> {
        self.read(terminals::sites).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.writer.run(|connection| Ok(connection.execute_batch("select 1 from store_info")?)).await
    }

    async fn add_code(&self, site: &SiteId, code: NewCode) -> Result<(), StoreError> {
        let site = site.clone();
        self.writer.run(move |connection| terminals::add_code(connection, &site, &code)).await
    }

    async fn enrol(&self, site: &SiteId, terminal: NewTerminal) -> Result<Enrolled, StoreError> {
        let site = site.clone();
        self.writer.run(move |connection| terminals::enrol(connection, &site, &terminal)).await
    }

    async fn terminal(&self, site: &SiteId, id: &TerminalId) -> Result<Option<Terminal>, StoreError> {
        let (site, id) = (site.clone(), id.clone());
        self.for_terminals.run(move |connection| terminals::terminal(connection, &site, &id)).await
    }

    async fn terminals(&self, site: &SiteId) -> Result<Vec<Terminal>, StoreError> {
        let site = site.clone();
        self.read(move |connection| terminals::terminals(connection, &site)).await
    }

    async fn revoke(&self, site: &SiteId, id: &TerminalId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let (site, id) = (site.clone(), id.clone());
        self.writer.run(move |connection| terminals::revoke(connection, &site, &id, at)).await
    }

    async fn record_health(
        &self,
        site: &SiteId,
        zone: Tz,
        id: &TerminalId,
        health: &Health,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (site, id, health) = (site.clone(), id.clone(), health.clone());
        self.writer
            .run(move |connection| terminals::record_health(connection, (&site, zone), &id, &health, at))
            .await
    }

    async fn cursor(&self, site: &SiteId, chain: ChainId) -> Result<Option<Cursor>, StoreError> {
        let site = site.clone();
        self.for_terminals.run(move |connection| read::cursor(connection, &site, chain)).await
    }

    async fn ingest(&self, submission: Submission) -> Result<Ingested, StoreError> {
        self.writer.run(move |connection| book::ingest(connection, &submission)).await
    }

    async fn chains(&self, site: &SiteId) -> Result<Vec<ChainSummary>, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::chains(connection, &site)).await
    }

    async fn entries(
        &self,
        site: &SiteId,
        chain: ChainId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::entries(connection, &site, chain, after, limit)).await
    }

    async fn checkpoints(&self, site: &SiteId, chain: ChainId) -> Result<Vec<Checkpoint>, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::checkpoints(connection, &site, chain)).await
    }

    async fn quarantine(&self, site: &SiteId, limit: usize) -> Result<Vec<QuarantinedEntry>, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::quarantine(connection, &site, None, limit)).await
    }

    async fn quarantine_groups(
        &self,
        site: &SiteId,
        limit: usize,
    ) -> Result<Vec<QuarantineGroup>, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::quarantine_groups(connection, &site, limit)).await
    }

    async fn quarantined_of(&self, site: &SiteId, id: &TerminalId) -> Result<u64, StoreError> {
        let (site, id) = (site.clone(), id.clone());
        self.for_terminals.run(move |connection| read::quarantined_of(connection, &site, &id)).await
    }

    async fn levels(&self, site: &SiteId) -> Result<SiteLevels, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::levels(connection, &site)).await
    }

    async fn remember(
        &self,
        site: &SiteId,
        hospital: Arc<Hospital>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let site = site.clone();
        self.writer.run(move |connection| places::remember(connection, &site, &hospital, at)).await
    }

    async fn remembered(&self, site: &SiteId) -> Result<Remembered, StoreError> {
        let site = site.clone();
        self.read(move |connection| places::remembered(connection, &site)).await
    }

    async fn replay_quarantine(
        &self,
        site: &SiteId,
        zone: Tz,
        hospital: Arc<Hospital>,
    ) -> Result<Replayed, StoreError> {
        let mut done = Replayed::default();
        let mut after = None;
        // A page at a time, so that a long quarantine does not hold up the batches that come in meanwhile.
        loop {
            let (site, hospital, from) = (site.clone(), Arc::clone(&hospital), after);
            let (page, last) = self
                .writer
                .run(move |connection| book::replay(connection, &site, zone, &hospital, from))
                .await?;
            done.understood += page.understood;
            done.remaining += page.remaining;
            if last.is_none() {
                return Ok(done);
            }
            after = last;
        }
    }

    async fn help_calls(
        &self,
        site: &SiteId,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<HelpRow>, StoreError> {
        let site = site.clone();
        self.read(move |connection| help::calls(connection, &site, since, limit)).await
    }

    async fn answer_help(
        &self,
        site: &SiteId,
        id: EntryId,
        at: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let site = site.clone();
        self.writer.run(move |connection| help::answer(connection, &site, id, at)).await
    }

    async fn self_tests(&self, site: &SiteId) -> Result<Vec<SelfTested>, StoreError> {
        let site = site.clone();
        self.read(move |connection| help::self_tests(connection, &site)).await
    }

    async fn alarms(&self, site: &SiteId, limit: usize) -> Result<Vec<Alarm>, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::alarms(connection, &site, limit)).await
    }

    async fn counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<Count>, StoreError> {
        let site = site.clone();
        self.report(move |connection| read::counts(connection, &site, &query)).await
    }

    async fn reason_counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<ReasonCount>, StoreError> {
        let site = site.clone();
        self.report(move |connection| read::reason_counts(connection, &site, &query)).await
    }

    async fn answers(
        &self,
        site: &SiteId,
        span: TimeSpan,
        after: Option<AnswerKey>,
        limit: usize,
    ) -> Result<Vec<ExplainedAnswer>, StoreError> {
        let site = site.clone();
        self.report(move |connection| read::answers_after(connection, &site, span, after, limit)).await
    }

    async fn drift(&self, site: &SiteId) -> Result<Vec<Drift>, StoreError> {
        let site = site.clone();
        self.read(move |connection| read::drift(connection, &site)).await
    }
}
