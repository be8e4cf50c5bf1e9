//! The public half of central's key, in the database that it belongs to. A connection of its own: it is looked at once, at a start.

use std::path::Path;

use rusqlite::Connection;

use crate::central::signing_key::Kept;

/// What the database says.
pub(in crate::central) fn kept(path: &Path) -> rusqlite::Result<Kept> {
    let connection = Connection::open(path)?;
    let public_key = connection.query_row("select public_key from store_info", [], |row| row.get(0))?;
    let in_use = connection.query_row(
        "select exists (select 1 from terminals) or exists (select 1 from enrolment_codes)",
        [],
        |row| row.get(0),
    )?;
    Ok(Kept { public_key, in_use })
}

/// Notes the key, once.
pub(in crate::central) fn note(path: &Path, public_key: &str) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(super::open::BUSY_TIMEOUT)?;
    connection.execute("update store_info set public_key = coalesce(public_key, ?1)", [public_key])?;
    Ok(())
}
