//! Whole copies of the database: made beside a running server, and looked at before they are trusted.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{
    migrate::{APPLICATION_ID, STEPS, usable},
    open::{BUSY_TIMEOUT, OpenError},
};

/// What a copy says of itself.
pub(in crate::central) struct Found {
    pub(in crate::central) public_key: Option<String>,
    pub(in crate::central) entries: u64,
}

/// Copies a database as it is at one moment. The target may exist if it is empty.
pub(in crate::central) fn vacuum_into(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute("vacuum into ?1", [to.to_string_lossy()])?;
    Ok(())
}

/// Looks at a copy that nobody else uses: is it whole, ours, and of a schema that this program can use?
pub(in crate::central) fn inspect(path: &Path) -> Result<Found, anyhow::Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()).into());
    }
    usable(&connection, path, STEPS)?;
    let verdict: String = connection.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    anyhow::ensure!(verdict == "ok", "the database is damaged: {verdict}");
    // An earlier schema does not keep the key.
    let has_key = connection.prepare("select public_key from store_info").is_ok();
    let public_key = if has_key {
        connection.query_row("select public_key from store_info", [], |row| row.get(0))?
    } else {
        None
    };
    Ok(Found { public_key, entries: count(&connection)? })
}

/// Entries and enrolled terminals of a database: what somebody would miss.
pub(in crate::central) fn entries(path: &Path) -> rusqlite::Result<u64> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let terminals: i64 = connection.query_row("select count(*) from terminals", [], |row| row.get(0))?;
    Ok(count(&connection)?.saturating_add(u64::try_from(terminals).unwrap_or(0)))
}

fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let n: i64 = connection.query_row("select count(*) from entries", [], |row| row.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}
