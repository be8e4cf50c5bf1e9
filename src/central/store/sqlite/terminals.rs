//! Enrolment codes, terminals, where they stand, and their health.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    book,
    columns::{Read, instant, json, millis, signed, text, to_json},
    read::all,
};
use crate::{
    central::{
        domain::ingest::{BootStart, Context, Standing},
        store::{Enrolled, NewCode, NewTerminal, Terminal, is_newer},
    },
    model::{Moment, SiteId, TerminalId, TouchpointId},
    wire::Health,
};

pub(super) fn add_code(connection: &Connection, site: &SiteId, code: &NewCode) -> Read<()> {
    connection.prepare_cached(
        "insert into enrolment_codes (site, code_hash, touchpoint, made_at, expires_at) values (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        site.as_str(),
        code.code_hash.0,
        code.touchpoint.as_str(),
        millis(code.made_at),
        millis(code.expires_at)
    ])?;
    Ok(())
}

pub(super) fn enrol(connection: &Connection, site: &SiteId, new: &NewTerminal) -> Read<Enrolled> {
    let code: Option<(String, i64, Option<String>)> = connection
        .prepare_cached(
            "select touchpoint, expires_at, terminal from enrolment_codes where site = ?1 and code_hash = ?2",
        )?
        .query_row(params![site.as_str(), new.code_hash.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((touchpoint, expires_at, used_by)) = code else { return Ok(Enrolled::UnknownCode) };
    let touchpoint: TouchpointId = text("touchpoint", &touchpoint)?;
    if let Some(used_by) = used_by {
        let known = terminal(connection, site, &text("terminal", &used_by)?)?;
        return Ok(match known {
            Some(known) if known.public_key == new.public_key && known.revoked_at.is_none() => {
                Enrolled::Welcome { terminal: known.id, touchpoint }
            }
            Some(_) | None => Enrolled::UsedCode,
        });
    }
    if expires_at <= millis(new.at) {
        return Ok(Enrolled::ExpiredCode);
    }
    connection
        .prepare_cached(
            "insert into terminals (site, terminal, public_key, hardware_id, software, enrolled_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            site.as_str(),
            new.terminal.as_str(),
            new.public_key,
            new.hardware_id,
            new.software,
            millis(new.at)
        ])?;
    connection
        .prepare_cached(
            "insert into assignments (site, terminal, from_at, touchpoint) values (?1, ?2, ?3, ?4)",
        )?
        .execute(params![site.as_str(), new.terminal.as_str(), millis(new.at), touchpoint.as_str()])?;
    connection
        .prepare_cached(
            "update enrolment_codes set used_at = ?3, terminal = ?4 where site = ?1 and code_hash = ?2",
        )?
        .execute(params![site.as_str(), new.code_hash.0, millis(new.at), new.terminal.as_str()])?;
    Ok(Enrolled::Welcome { terminal: new.terminal.clone(), touchpoint })
}

const TERMINAL_SELECT: &str = "select t.terminal, t.public_key, t.hardware_id, t.software, t.enrolled_at, \
    t.revoked_at, t.last_seen, t.health, \
    (select a.touchpoint from assignments a where a.site = t.site and a.terminal = t.terminal \
     order by a.from_at desc limit 1) \
    from terminals t where t.site = ?1";

pub(super) fn terminal(connection: &Connection, site: &SiteId, id: &TerminalId) -> Read<Option<Terminal>> {
    let mut statement = connection.prepare_cached(&format!("{TERMINAL_SELECT} and t.terminal = ?2"))?;
    let mut rows = statement.query(params![site.as_str(), id.as_str()])?;
    rows.next()?.map(|row| terminal_row(site, row)).transpose()
}

pub(super) fn sites(connection: &Connection) -> Read<Vec<SiteId>> {
    let mut statement = connection.prepare_cached("select distinct site from terminals order by site")?;
    let mut rows = statement.query([])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(text("site", &row.get::<_, String>(0)?)?);
    }
    Ok(list)
}

pub(super) fn terminals(connection: &Connection, site: &SiteId) -> Read<Vec<Terminal>> {
    let mut statement = connection.prepare_cached(&format!("{TERMINAL_SELECT} order by t.terminal"))?;
    let mut rows = statement.query(params![site.as_str()])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(terminal_row(site, row)?);
    }
    Ok(list)
}

fn terminal_row(site: &SiteId, row: &Row<'_>) -> Read<Terminal> {
    Ok(Terminal {
        site: site.clone(),
        id: text("terminal", &row.get::<_, String>(0)?)?,
        public_key: row.get(1)?,
        hardware_id: row.get(2)?,
        software: row.get(3)?,
        enrolled_at: instant(row.get(4)?)?,
        revoked_at: row.get::<_, Option<i64>>(5)?.map(instant).transpose()?,
        last_seen: row.get::<_, Option<i64>>(6)?.map(instant).transpose()?,
        health: row.get::<_, Option<String>>(7)?.map(|health| json("health", &health)).transpose()?,
        touchpoint: text("touchpoint", &row.get::<_, String>(8)?)?,
    })
}

pub(super) fn revoke(
    connection: &Connection,
    site: &SiteId,
    id: &TerminalId,
    at: DateTime<Utc>,
) -> Read<bool> {
    let changed = connection
        .prepare_cached(
            "update terminals set revoked_at = coalesce(revoked_at, ?3) where site = ?1 and terminal = ?2",
        )?
        .execute(params![site.as_str(), id.as_str(), millis(at)])?;
    Ok(changed > 0)
}

/// Notes that a terminal was heard of. A request that is played back changes nothing: within a boot its up time is no later than the last
/// one's, and a boot that was known before the last one began is over.
pub(super) fn saw(
    connection: &Connection,
    site: &SiteId,
    id: &TerminalId,
    sent: &Moment,
    at: DateTime<Utc>,
) -> Read<()> {
    connection
        .prepare_cached(
            "update terminals set last_seen = ?3, last_boot = ?4, last_up = ?5 where site = ?1 and terminal = ?2 and \
             (last_boot is null or (last_boot = ?4 and last_up < ?5) or (last_boot <> ?4 and not exists \
             (select 1 from boots where site = ?1 and terminal = ?2 and boot = ?4)))",
        )?
        .execute(params![
            site.as_str(),
            id.as_str(),
            millis(at),
            sent.boot.0.as_bytes(),
            signed(sent.up_ms)
        ])?;
    Ok(())
}

pub(super) fn record_health(
    connection: &Connection,
    (site, zone): (&SiteId, Tz),
    id: &TerminalId,
    health: &Health,
    at: DateTime<Utc>,
) -> Read<()> {
    saw(connection, site, id, &health.sent, at)?;
    let held = terminal(connection, site, id)?.and_then(|terminal| terminal.health);
    if !is_newer(&health.sent, held.as_ref().map(|held| &held.sent)) {
        return Ok(());
    }
    connection
        .prepare_cached("update terminals set health = ?3, health_at = ?4 where site = ?1 and terminal = ?2")?
        .execute(params![site.as_str(), id.as_str(), to_json(health)?, millis(at)])?;
    if let Some(lost_after) = health.lost_after {
        let detail = format!("storage was found damaged; entries after {lost_after} may be lost");
        book::raise(connection, site, "lost_entries", &health.chain.to_string(), id, at, &detail)?;
    }
    match BootStart::from_contact(&health.sent, millis(at)) {
        Some(start) => book::learn_boot(connection, site, zone, id, (health.sent.boot, start)),
        None => Ok(()),
    }
}

/// What a terminal's machine calls itself.
pub(super) fn hardware(connection: &Connection, site: &SiteId, id: &TerminalId) -> Read<Option<String>> {
    Ok(connection
        .prepare_cached("select hardware_id from terminals where site = ?1 and terminal = ?2")?
        .query_row(params![site.as_str(), id.as_str()], |row| row.get(0))
        .optional()?)
}

/// Where a terminal stands and stood.
pub(super) fn standing(connection: &Connection, site: &SiteId, id: &TerminalId) -> Read<Standing> {
    let key = params![site.as_str(), id.as_str()];
    let assigned = all(
        connection,
        "select from_at, touchpoint from assignments where site = ?1 and terminal = ?2 order by from_at",
        key,
        |row| Ok((row.get(0)?, text("touchpoint", &row.get::<_, String>(1)?)?)),
    )?;
    let told = all(
        connection,
        "select told_at, told from terminals where site = ?1 and terminal = ?2 and told is not null",
        key,
        |row| Ok((row.get(0)?, json("list of touchpoints", &row.get::<_, String>(1)?)?)),
    )?;
    Ok(Standing { assigned, told: told.into_iter().next().unwrap_or_default() })
}

pub(super) fn note_standing(
    connection: &Connection,
    context: Context<'_>,
    assigned: &[(i64, TouchpointId)],
    told: Option<&(i64, Vec<TouchpointId>)>,
) -> Read<()> {
    let (site, terminal) = (context.site.as_str(), context.terminal.as_str());
    for (from_ms, touchpoint) in assigned {
        connection
            .prepare_cached(
                "insert into assignments (site, terminal, from_at, touchpoint) values (?1, ?2, ?3, ?4) \
             on conflict do nothing",
            )?
            .execute(params![site, terminal, from_ms, touchpoint.as_str()])?;
    }
    if let Some((at_ms, touchpoints)) = told {
        connection
            .prepare_cached("update terminals set told = ?3, told_at = ?4 where site = ?1 and terminal = ?2")?
            .execute(params![site, terminal, to_json(touchpoints)?, at_ms])?;
    }
    Ok(())
}
