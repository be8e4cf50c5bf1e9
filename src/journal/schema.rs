//! The connection and its schema.
//!
//! Migrations are append-only and numbered by `user_version`; each runs in one transaction with its version, so a cut leaves the old
//! schema or the new one. They only add: a program one version older, after an update fell back, must still be able to read and append
//! (`meta.readable_from` names the oldest that can).

use std::{
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use rusqlite::{
    Batch, Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, config::DbConfig,
    fallible_iterator::FallibleIterator as _,
};

use super::TestHooks;

/// `Xins`: tells a journal from any other SQLite file.
pub(super) const APPLICATION_ID: i32 = 0x5869_6e73;

/// Older ones can corrupt a database when the write-ahead log is reset.
pub(super) const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// All migrations; number n brings `user_version` to n.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("0001_first.sql")];

/// The write-ahead log is cut back to this after a burst, in bytes: the pages of [`AUTOCHECKPOINT_PAGES`] and some.
const WAL_BYTES_MAX: i64 = 8 * 1024 * 1024;

/// A checkpoint in the middle of a rush, if there was no idle moment before: about 4 MiB.
const AUTOCHECKPOINT_PAGES: i64 = 1000;

/// A reader such as `status` holds no lock that stops a writer for longer than its own start, in milliseconds.
const BUSY_MS: u64 = 2000;

/// Opens an existing database file for writing, without changing it. A file of no bytes is an empty database.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_millis(BUSY_MS))?;
    Ok(conn)
}

/// Opens a database file to look at it: nothing is written back into it when it closes.
pub(super) fn connect_to_look(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_millis(BUSY_MS))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// Opens a database file beside the program that writes it.
pub(super) fn connect_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_millis(BUSY_MS))?;
    Ok(conn)
}

/// Makes a connection the journal's writer: WAL, and a commit that returns after the disk has it.
pub(super) fn make_writer(conn: &Connection, hooks: &TestHooks) -> rusqlite::Result<()> {
    conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    let synchronous = if hooks.synchronous_normal { "normal" } else { "full" };
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_MAX, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", AUTOCHECKPOINT_PAGES, |_| Ok(()))?;
    Ok(())
}

/// Copies the write-ahead log into the database and syncs both; says whether all of it could be copied. `TRUNCATE` also empties the log.
pub(super) fn checkpoint(conn: &Connection, mode: &str) -> rusqlite::Result<bool> {
    conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// Brings the schema up to the newest of these migrations.
pub(super) fn migrate(conn: &mut Connection, migrations: &[&str], hooks: &TestHooks) -> rusqlite::Result<()> {
    for (version, sql) in (1i32..).zip(migrations) {
        if user_version(conn)? >= version {
            continue;
        }
        let transaction = begin(conn)?;
        apply(&transaction, version, sql, hooks)?;
        hooks.probe("migration before commit");
        transaction.commit()?;
    }
    Ok(())
}

/// Applies one migration inside a transaction, statement by statement.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    version: i32,
    sql: &str,
    hooks: &TestHooks,
) -> rusqlite::Result<()> {
    let mut statements = Batch::new(transaction, sql);
    while let Some(mut statement) = statements.next()? {
        // What a statement returns has no meaning here, but it has to be run to its end.
        let mut returned = statement.query([])?;
        while returned.next()?.is_some() {}
        hooks.probe("migration after a statement");
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)
}

/// Begins a writing transaction.
pub(super) fn begin(conn: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate)
}

pub(super) fn user_version(conn: &Connection) -> rusqlite::Result<i32> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

pub(super) fn application_id(conn: &Connection) -> rusqlite::Result<i32> {
    conn.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// The schema version this program writes.
pub(super) fn newest() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// What an integrity check found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Check {
    /// Nothing wrong.
    Sound,
    /// Nothing wrong in the time there was.
    OutOfTime,
    /// Damage, in SQLite's words.
    Damaged(String),
}

/// SQLite's `quick_check` under a time limit.
pub(super) fn quick_check(conn: &Connection, limit_ms: u64) -> rusqlite::Result<Check> {
    let interrupt = conn.get_interrupt_handle();
    let (done, wait) = mpsc::channel::<()>();
    let watch = move || {
        if wait.recv_timeout(Duration::from_millis(limit_ms)) == Err(RecvTimeoutError::Timeout) {
            interrupt.interrupt();
        }
    };
    let watcher = thread::Builder::new().name("journal-check".into()).spawn(watch);
    let found = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    drop(done);
    if let Ok(watcher) = watcher {
        // The watcher only waits and interrupts; it cannot fail.
        drop(watcher.join());
    }
    match found {
        Ok(text) if text == "ok" => Ok(Check::Sound),
        Ok(text) => Ok(Check::Damaged(text)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(Check::OutOfTime)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::survived;

    const NEXT: &str = "ALTER TABLE entry ADD COLUMN mood TEXT; CREATE TABLE mood (name TEXT) STRICT;";

    fn journal(dir: &Path) -> Connection {
        std::fs::File::create(dir.join("journal.db")).expect("file");
        let mut conn = connect(&dir.join("journal.db")).expect("open");
        make_writer(&conn, &TestHooks::default()).expect("writer");
        migrate(&mut conn, MIGRATIONS, &TestHooks::default()).expect("migrate");
        conn
    }

    #[test]
    fn a_writer_is_as_durable_as_it_says() {
        let dir = tempfile::tempdir().expect("folder");
        let conn = journal(dir.path());
        let text = |name| conn.pragma_query_value(None, name, |row| row.get::<_, String>(0)).expect(name);
        let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).expect(name);
        assert_eq!(text("journal_mode"), "wal");
        assert_eq!(number("synchronous"), 2);
        assert_eq!(number("application_id"), i64::from(APPLICATION_ID));
        assert_eq!(number("user_version"), i64::from(newest()));
        assert!(rusqlite::version_number() >= SQLITE_VERSION_MIN);
    }

    #[test]
    fn a_migration_that_fails_in_the_middle_leaves_the_old_schema() {
        let dir = tempfile::tempdir().expect("folder");
        let mut conn = journal(dir.path());
        let broken = format!("{NEXT} SELECT no_such_function();");
        assert!(migrate(&mut conn, &[MIGRATIONS[0], &broken], &TestHooks::default()).is_err());
        assert_eq!(user_version(&conn), Ok(1));
        assert!(conn.prepare("SELECT mood FROM entry").is_err());
        migrate(&mut conn, &[MIGRATIONS[0], NEXT], &TestHooks::default()).expect("runs again");
        assert_eq!(user_version(&conn), Ok(2));
        assert!(conn.prepare("SELECT mood FROM entry").is_ok());
        survived!(4; 1, "broken migration");
    }

    #[test]
    fn a_power_cut_after_any_statement_of_a_migration_leaves_the_old_schema_and_it_runs_again() {
        // As many statements as there are, small pages in a tiny cache: some reach the log before the commit.
        let next = format!(
            "PRAGMA cache_size = 1; {NEXT} {}",
            "INSERT INTO mood VALUES (hex(zeroblob(3000)));".repeat(8)
        );
        let dir = tempfile::tempdir().expect("folder");
        let cuts = tempfile::tempdir().expect("folder");
        let mut conn = journal(dir.path());
        let (from, to) = (dir.path().to_owned(), cuts.path().to_owned());
        let count = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = count.clone();
        let probe = move |_: &'static str| {
            let cut = to.join(counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string());
            std::fs::create_dir(&cut).expect("mkdir");
            for name in ["journal.db", "journal.db-wal"] {
                std::fs::copy(from.join(name), cut.join(name)).expect("copy");
            }
            false
        };
        let hooks = TestHooks { probe: Some(std::sync::Arc::new(probe)), ..TestHooks::default() };
        migrate(&mut conn, &[MIGRATIONS[0], &next], &hooks).expect("migrate");
        assert_eq!(user_version(&conn), Ok(2));
        let cut_count = count.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(cut_count, 12, "after each of eleven statements, and before the commit");
        for cut in 0..cut_count {
            let path = cuts.path().join(cut.to_string()).join("journal.db");
            let mut after = connect(&path).expect("open");
            assert_eq!(user_version(&after), Ok(1), "cut {cut}");
            assert!(after.prepare("SELECT mood FROM entry").is_err(), "cut {cut}");
            migrate(&mut after, &[MIGRATIONS[0], &next], &TestHooks::default()).expect("runs again");
            assert_eq!(user_version(&after), Ok(2), "cut {cut}");
        }
        survived!(4; cut_count, "cuts, one at each statement");
    }
}
