//! The schema, step by step, and which programs may use what they made.
//!
//! Invariants:
//! - a step never changes once released;
//! - expand, then contract: a step that only adds leaves the floor, the oldest schema whose program may use the database, where it was; a step
//!   that programs before it cannot live with raises the floor to itself, and comes a version after the last program that needs the old form;
//! - a program uses a newer database from the floor on, so that an upgrade can be rolled back, and changes nothing of its schema.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::open::OpenError;
use crate::model::StoreId;

/// `XSCE` in ASCII: tells this file from other SQLite files.
pub(super) const APPLICATION_ID: i32 = 0x5853_4345;

/// One step of the schema.
#[derive(Clone, Copy)]
pub(super) struct Step {
    sql: &'static str,
    change: Change,
}

/// What a step means for programs that do not know it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Tables, columns and indexes that they need not know.
    Adds,
    /// They would misread or spoil something.
    Breaks,
}

const fn adds(sql: &'static str) -> Step {
    Step { sql, change: Change::Adds }
}

const fn breaks(sql: &'static str) -> Step {
    Step { sql, change: Change::Breaks }
}

/// All of them. Programs that knew only the first five or fewer refuse every newer schema.
pub(super) const STEPS: &[Step] = &[
    breaks(include_str!("0001_tables.sql")),
    breaks(include_str!("0002_help.sql")),
    breaks(include_str!("0003_keeping.sql")),
    breaks(include_str!("0004_reasons.sql")),
    adds(include_str!("0005_self_tests.sql")),
    breaks(include_str!("0006_incidents.sql")),
];

/// Brings a database to the newest schema of these steps, or finds that a newer one may be used as it is.
pub(super) fn migrate(connection: &mut Connection, path: &Path, steps: &[Step]) -> Result<(), OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    // Exclusive from the start: of two programs that start together one migrates and the other finds it done.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let application = pragma(&tx, "application_id").map_err(failed)?;
    let tables: i64 =
        tx.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let version = usable(&tx, path, steps)?;
    if version > steps.len() {
        tracing::warn!(
            schema = version,
            known = steps.len(),
            "the database is of a newer central; this one can use it"
        );
        return Ok(());
    }
    for step in steps.iter().skip(version) {
        tx.execute_batch(step.sql).map_err(failed)?;
    }
    if version < steps.len() || floor(&tx).map_err(failed)?.is_none() {
        note(&tx, steps).map_err(failed)?;
    }
    tx.commit().map_err(failed)
}

/// The schema version of a database, if a program with these steps may use it.
pub(super) fn usable(connection: &Connection, path: &Path, steps: &[Step]) -> Result<usize, OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let found = usize::try_from(pragma(connection, "user_version").map_err(failed)?).unwrap_or(usize::MAX);
    // A program that notes no floor allows nobody older.
    let floor = floor(connection).map_err(failed)?.unwrap_or(found);
    if found > steps.len() && floor > steps.len() {
        return Err(OpenError::Newer { path: path.to_owned(), found, floor, known: steps.len() });
    }
    Ok(found)
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// The oldest schema whose program may use the database; `None` if nobody has noted it.
fn floor(connection: &Connection) -> rusqlite::Result<Option<usize>> {
    let noted = "select 1 from sqlite_schema where type = 'table' and name = 'schema_use'";
    if connection.query_row(noted, [], |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    let found: Option<i64> =
        connection.query_row("select min_reader from schema_use", [], |row| row.get(0)).optional()?;
    Ok(found.map(|floor| usize::try_from(floor).unwrap_or(usize::MAX)))
}

fn note(connection: &Connection, steps: &[Step]) -> rusqlite::Result<()> {
    let last = steps.iter().rposition(|step| step.change == Change::Breaks).map_or(0, |at| at + 1);
    let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    connection.execute_batch(
        "create table if not exists schema_use (one integer primary key check (one = 1), min_reader integer not null)",
    )?;
    connection.execute(
        "insert into schema_use (one, min_reader) values (1, ?1) on conflict (one) do update set min_reader = ?1",
        [number(last)],
    )?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", number(steps.len()))
}

/// The identity of the store; a new one is given the fresh id.
pub(super) fn identity(
    connection: &Connection,
    fresh: StoreId,
    now: DateTime<Utc>,
) -> rusqlite::Result<StoreId> {
    connection.execute(
        "insert into store_info (one, store, made_at) values (1, ?1, ?2) on conflict do nothing",
        (fresh.to_string(), now.timestamp_millis()),
    )?;
    let text: Option<String> =
        connection.query_row("select store from store_info", [], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(fresh))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[Step] = &[breaks("create table visits (id integer primary key, mark integer not null)")];
    const GROWN: &[Step] = &[
        OLD[0],
        adds("create table words (word text); alter table visits add column ward text not null default ''"),
    ];
    const SHRUNK: &[Step] = &[GROWN[0], GROWN[1], breaks("alter table visits rename column mark to value")];

    fn opened(path: &Path, steps: &[Step]) -> Result<Connection, String> {
        let mut connection = Connection::open(path).unwrap();
        migrate(&mut connection, path, steps).map_err(|error| error.to_string())?;
        Ok(connection)
    }

    #[test]
    fn a_program_uses_a_newer_schema_that_only_added_and_leaves_it_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite");
        let write = |connection: &Connection| {
            connection.execute("insert into visits (mark) values (5)", []).unwrap();
        };
        write(&opened(&path, OLD).unwrap());
        write(&opened(&path, GROWN).unwrap());
        // The upgrade is rolled back, and made again.
        let old = opened(&path, OLD).unwrap();
        write(&old);
        assert_eq!((pragma(&old, "user_version").unwrap(), floor(&old).unwrap()), (2, Some(1)));
        drop(old);
        let grown = opened(&path, GROWN).unwrap();
        let found: i64 =
            grown.query_row("select count(*) from visits where ward = ''", [], |row| row.get(0)).unwrap();
        assert_eq!(found, 3, "what each of them wrote is whole for the other");
    }

    #[test]
    fn a_schema_that_took_something_away_is_refused_to_programs_before_it_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite");
        drop(opened(&path, SHRUNK).unwrap());
        let before = std::fs::read(&path).unwrap();
        for steps in [OLD, GROWN] {
            let refused = opened(&path, steps).unwrap_err();
            assert!(refused.contains("schema 3") && refused.contains("restore the backup"), "{refused}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
        opened(&path, SHRUNK).unwrap();
    }

    #[test]
    fn a_newer_schema_of_a_program_that_notes_no_floor_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite");
        opened(&path, GROWN).unwrap().execute_batch("drop table schema_use").unwrap();
        assert!(opened(&path, OLD).unwrap_err().contains("schema 2"));
        let again = opened(&path, GROWN).unwrap();
        assert_eq!(floor(&again).unwrap(), Some(1), "noted by the first program that does");
    }

    #[test]
    fn steps_that_claim_to_add_only_add() {
        for (at, step) in STEPS.iter().enumerate().filter(|(_, step)| step.change == Change::Adds) {
            assert_eq!(first_that_does_more(step.sql), None, "step {}", at + 1);
        }
        for added in
            ["create table a (b)", "-- why\ncreate index i on a (b); create view v as select 1", GROWN[1].sql]
        {
            assert_eq!(first_that_does_more(added), None);
        }
        for more in [
            "drop table a",
            "alter table a rename to b",
            "alter table a add column b text not null",
            "create table a (b); update a set b = 1",
            "create unique index i on a (b)",
            "create trigger t after insert on a begin select 1; end",
        ] {
            assert!(first_that_does_more(more).is_some(), "{more}");
        }
    }

    /// The first statement that an older program could notice.
    fn first_that_does_more(sql: &str) -> Option<String> {
        let bare: String = sql
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default().to_lowercase() + "\n")
            .collect();
        let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
        bare.split(';').map(words).filter(|statement| !statement.is_empty()).find(|statement| {
            let column = statement.starts_with("alter table ") && statement.contains(" add column ");
            let needs_a_value = column && statement.contains(" not null") && !statement.contains(" default ");
            let makes = ["create table ", "create index ", "create view "]
                .iter()
                .any(|made| statement.starts_with(made));
            !(makes || column) || needs_a_value
        })
    }
}
