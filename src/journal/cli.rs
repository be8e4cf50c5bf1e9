//! `status`, `verify` and `export` of the terminal program: they read beside a running kiosk, without its lock and without writing.

use std::{io::Write, path::Path};

use anyhow::{Context, bail};
use rusqlite::Connection;

use super::{audit, files, key, rows, schema};

/// What a command found; a shell wants a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All is well.
    Good,
    /// Something is wrong; it was written out.
    Bad,
}

impl Verdict {
    /// 0 or 1.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
        }
    }
}

/// Writes how the journal is, one fact a line.
pub fn status(dir: &Path, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let conn = look(dir)?;
    let reading = || format!("cannot read the journal in {}", dir.display());
    let state = rows::state(&conn).with_context(reading)?.with_context(|| "the journal has no chain")?;
    let size = |name| std::fs::metadata(dir.join(name)).map_or(0, |meta| meta.len());
    writeln!(out, "chain           {}", state.chain)?;
    writeln!(out, "last entry      {}", state.last_seq)?;
    writeln!(out, "head hash       {}", state.last_hash)?;
    writeln!(out, "acknowledged    {}", state.cursor)?;
    writeln!(out, "unsent          {}", state.last_seq - state.cursor + state.to_carry)?;
    writeln!(out, "refused         {}", state.refused)?;
    let quarantined = rows::meta_number(&conn, key::QUARANTINED).with_context(reading)?;
    writeln!(out, "not counted     {quarantined}")?;
    writeln!(out, "starts          {}", state.restarts)?;
    let erased = rows::meta_number(&conn, key::ERASED_THROUGH).with_context(reading)?;
    writeln!(out, "erased rows     {erased}")?;
    writeln!(out, "database bytes  {}", size(files::DB))?;
    writeln!(out, "log bytes       {}", size(files::WAL))?;
    writeln!(out, "ballast bytes   {}", size(files::BALLAST))?;
    for (chain, end) in audit::spans(&conn).with_context(reading)? {
        writeln!(out, "{}: 1-{}, acknowledged through {}", chain.id, end - chain.base, chain.cursor)?;
    }
    for (id, reason) in refused(&conn).with_context(reading)? {
        writeln!(out, "refused row {id}: {reason}")?;
    }
    if quarantined > 0 {
        let reason = rows::meta(&conn, key::QUARANTINE_REASON).with_context(reading)?;
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        writeln!(
            out,
            "central keeps {quarantined} entries of this terminal and cannot count them{reason}; its list of incidents says how to mend it"
        )?;
    }
    let Some(id) = state.lost_after else { return Ok(Verdict::Good) };
    writeln!(out, "storage was damaged: entries after {id} may be lost")?;
    Ok(Verdict::Bad)
}

/// Recomputes every chain and writes what is whole and what is not.
pub fn verify(dir: &Path, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let conn = look(dir)?;
    // The side file first: it may only fall behind the database while this runs.
    let side = files::SideFile::read(dir).context("cannot read the side file")?;
    let report = audit::verify(&conn, &side)
        .with_context(|| format!("cannot read the journal in {}", dir.display()))?;
    for found in &report.chains {
        let audit::ChainReport { chain, last_seq, head_hash, cursor, erased, refused } = found;
        writeln!(
            out,
            "{chain}: 1-{last_seq}, head {head_hash}, acknowledged {cursor}, erased {erased}, refused {refused}"
        )?;
    }
    for flaw in &report.flaws {
        writeln!(out, "flaw: {flaw:?}")?;
    }
    writeln!(out, "{} flaws", report.flaw_count)?;
    Ok(if report.is_whole() { Verdict::Good } else { Verdict::Bad })
}

/// Writes every entry as a line of JSON.
pub fn export(dir: &Path, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let conn = look(dir)?;
    audit::export(&conn, out).with_context(|| format!("cannot export the journal in {}", dir.display()))?;
    Ok(Verdict::Good)
}

/// Most refused entries listed on a status page.
const REFUSED_LISTED: u32 = 20;

fn refused(conn: &Connection) -> rusqlite::Result<Vec<(u64, String)>> {
    conn.prepare("SELECT n, refused FROM entry WHERE refused IS NOT NULL ORDER BY n DESC LIMIT ?1")?
        .query_map([REFUSED_LISTED], |row| Ok((rows::uint(row.get(0)?), row.get(1)?)))?
        .collect()
}

fn look(dir: &Path) -> anyhow::Result<Connection> {
    let path = dir.join(files::DB);
    if !path.is_file() {
        bail!("there is no journal in {}", dir.display());
    }
    let opening = || format!("cannot open {}", path.display());
    let conn = schema::connect_read_only(&path).with_context(opening)?;
    let application = schema::application_id(&conn).with_context(opening)?;
    if application != schema::APPLICATION_ID {
        bail!("{} is not a journal: its application id is {application:#x}", path.display());
    }
    Ok(conn)
}
