//! Brings a database to the schema of this program, or refuses it.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::open::OpenError;
use crate::model::StoreId;

/// `XSCE` in ASCII: tells this file from other SQLite files.
pub(super) const APPLICATION_ID: i32 = 0x5853_4345;

/// The schema, step by step; a step never changes once released.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("0001_tables.sql"),
    include_str!("0002_help.sql"),
    include_str!("0003_keeping.sql"),
    include_str!("0004_reasons.sql"),
    include_str!("0005_self_tests.sql"),
    include_str!("0006_incidents.sql"),
];

/// Brings the database to the newest schema known here.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    // Exclusive from the start: of two programs that start together one migrates and the other finds it done.
    let tx =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let pragma = |name: &str| tx.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(failed);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 =
        tx.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        return Err(OpenError::Newer { path: path.to_owned(), found: version, known: MIGRATIONS.len() });
    }
    for step in MIGRATIONS.iter().skip(version) {
        tx.execute_batch(step).map_err(failed)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    tx.pragma_update(None, "user_version", i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX))
        .map_err(failed)?;
    tx.commit().map_err(failed)
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
