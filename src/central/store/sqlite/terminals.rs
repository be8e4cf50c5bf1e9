//! Enrolment codes, terminals, and their health.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Row, params};

use super::{
    Read, SiteDb, SqliteStore, apply,
    codec::{instant, json, millis, signed, text, to_json},
    incidents,
    snapshot::{boot_start, boot_time, undated},
};
use crate::{
    central::{
        domain::{
            enrolment::{self, HeldCode, User},
            health::{self, HealthSnapshot},
        },
        store::{Enrolled, Fleet, NewCode, NewTerminal, Report, StoreError, Terminal, TerminalStore},
    },
    model::{SiteId, TerminalId, TouchpointId},
    wire::Health,
};

#[async_trait]
impl TerminalStore for SqliteStore {
    async fn sites(&self) -> Result<Vec<SiteId>, StoreError> {
        let sites = |connection: &rusqlite::Connection| -> Read<Vec<SiteId>> {
            let mut statement =
                connection.prepare_cached("select distinct site from terminals order by site")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            names.iter().map(|name| text("site", name)).collect()
        };
        self.for_people.run(sites).await
    }

    async fn add_code(&self, site: &SiteId, code: NewCode) -> Result<(), StoreError> {
        self.write(site, move |db| add_code(db, &code)).await
    }

    async fn enrol(&self, site: &SiteId, terminal: NewTerminal) -> Result<Enrolled, StoreError> {
        self.write(site, move |db| enrol(db, &terminal)).await
    }

    async fn terminal(&self, site: &SiteId, id: &TerminalId) -> Result<Option<Terminal>, StoreError> {
        let id = id.clone();
        let sql = format!("{TERMINAL_SELECT} and t.terminal = ?2");
        self.look_up(site, move |db| db.first(&sql, params![db.site(), id.as_str()], |row| terminal(db, row)))
            .await
    }

    async fn terminals(&self, site: &SiteId) -> Result<Vec<Terminal>, StoreError> {
        let sql = format!("{TERMINAL_SELECT} order by t.terminal");
        self.read(site, move |db| db.all(&sql, [db.site()], |row| terminal(db, row))).await
    }

    async fn fleet(&self, site: &SiteId, silent_before: DateTime<Utc>) -> Result<Fleet, StoreError> {
        self.read(site, move |db| fleet(db, silent_before)).await
    }

    async fn revoke(&self, site: &SiteId, id: &TerminalId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(site, move |db| revoke(db, &id, at)).await
    }

    async fn record_health(&self, report: Report) -> Result<(), StoreError> {
        let site = report.site.clone();
        self.write(&site, move |db| record_health(db, &report)).await
    }
}

fn add_code(db: SiteDb<'_>, code: &NewCode) -> Read<()> {
    db.run(
        "insert into enrolment_codes (site, code_hash, touchpoint, made_at, expires_at) values (?1, ?2, ?3, ?4, ?5)",
        params![
            db.site(),
            code.code_hash.0,
            code.touchpoint.as_str(),
            millis(code.made_at),
            millis(code.expires_at)
        ],
    )?;
    Ok(())
}

fn enrol(db: SiteDb<'_>, new: &NewTerminal) -> Read<Enrolled> {
    let decision = enrolment::decide(code(db, new)?, new);
    if let Enrolled::Welcome { touchpoint, .. } = &decision.outcome
        && decision.takes_in
    {
        take_in(db, new, touchpoint)?;
    }
    Ok(decision.outcome)
}

fn code(db: SiteDb<'_>, new: &NewTerminal) -> Read<Option<HeldCode>> {
    db.first(
        "select c.touchpoint, c.expires_at, c.terminal, t.public_key, t.revoked_at is not null \
         from enrolment_codes c left join terminals t on t.site = c.site and t.terminal = c.terminal \
         where c.site = ?1 and c.code_hash = ?2",
        params![db.site(), new.code_hash.0],
        |row| {
            let used_by: Option<String> = row.get(2)?;
            let (key, revoked): (Option<String>, bool) = (row.get(3)?, row.get(4)?);
            let user = |name: String| -> Read<User> {
                Ok(User { terminal: text("terminal", &name)?, key: key.map(|key| (key, revoked)) })
            };
            Ok(HeldCode {
                touchpoint: text("touchpoint", &row.get::<_, String>(0)?)?,
                expires_at: instant(row.get(1)?)?,
                used_by: used_by.map(user).transpose()?,
            })
        },
    )
}

fn take_in(db: SiteDb<'_>, new: &NewTerminal, touchpoint: &TouchpointId) -> Read<()> {
    db.run(
        "insert into terminals (site, terminal, public_key, hardware_id, software, enrolled_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            db.site(),
            new.terminal.as_str(),
            new.public_key,
            new.hardware_id,
            new.software,
            millis(new.at)
        ],
    )?;
    db.run(
        "insert into assignments (site, terminal, from_at, touchpoint) values (?1, ?2, ?3, ?4)",
        params![db.site(), new.terminal.as_str(), millis(new.at), touchpoint.as_str()],
    )?;
    db.run(
        "update enrolment_codes set used_at = ?3, terminal = ?4 where site = ?1 and code_hash = ?2",
        params![db.site(), new.code_hash.0, millis(new.at), new.terminal.as_str()],
    )?;
    Ok(())
}

const TERMINAL_SELECT: &str = "select t.terminal, t.public_key, t.hardware_id, t.software, t.enrolled_at, \
    t.revoked_at, t.last_seen, t.health, \
    (select a.touchpoint from assignments a where a.site = t.site and a.terminal = t.terminal \
     order by a.from_at desc limit 1) \
    from terminals t where t.site = ?1";

fn terminal(db: SiteDb<'_>, row: &Row<'_>) -> Read<Terminal> {
    Ok(Terminal {
        site: db.site.clone(),
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

fn fleet(db: SiteDb<'_>, silent_before: DateTime<Utc>) -> Read<Fleet> {
    let of = |what: &str| {
        let sql =
            format!("select {what} from terminals where site = ?1 and revoked_at is null and ?2 is not null");
        db.count(&sql, params![db.site(), millis(silent_before)])
    };
    Ok(Fleet {
        terminals: of("count(*)")?,
        silent: of("count(*) filter (where coalesce(last_seen, enrolled_at) < ?2)")?,
        queue_depth: of("coalesce(sum(queue_depth), 0)")?,
    })
}

fn revoke(db: SiteDb<'_>, id: &TerminalId, at: DateTime<Utc>) -> Read<bool> {
    let held = db.first(
        "select revoked_at from terminals where site = ?1 and terminal = ?2",
        params![db.site(), id.as_str()],
        |row| row.get::<_, Option<i64>>(0)?.map(instant).transpose(),
    )?;
    let Some(revoked_at) = held else { return Ok(false) };
    let revoked_at = enrolment::revoked_at(revoked_at, at);
    db.run(
        "update terminals set revoked_at = ?3 where site = ?1 and terminal = ?2",
        params![db.site(), id.as_str(), millis(revoked_at)],
    )?;
    Ok(true)
}

fn record_health(db: SiteDb<'_>, report: &Report) -> Read<()> {
    let terminal = &report.terminal;
    let decision = health::decide(report, health_snapshot(db, report)?);
    if let Some(contact) = &decision.contact {
        apply::contact(db, terminal, contact)?;
    }
    if decision.keeps {
        db.run(
            "update terminals set health = ?3, health_at = ?4, queue_depth = ?5 where site = ?1 and terminal = ?2",
            params![
                db.site(),
                terminal.as_str(),
                to_json(&report.health)?,
                millis(report.received_at),
                signed(report.health.queue_depth)
            ],
        )?;
    }
    if let Some(incident) = &decision.incident {
        incidents::keep(db, incident)?;
    }
    if let Some((boot, start)) = decision.boot {
        apply::boot(db, terminal, boot, start)?;
    }
    apply::booked(db, &decision.booked)
}

fn health_snapshot(db: SiteDb<'_>, report: &Report) -> Read<HealthSnapshot> {
    let (terminal, boot) = (&report.terminal, report.health.sent.boot);
    let held = db.first(
        "select last_boot, last_up, health from terminals where site = ?1 and terminal = ?2",
        params![db.site(), terminal.as_str()],
        |row| {
            let health: Option<String> = row.get(2)?;
            let health: Option<Health> = health.map(|health| json("health", &health)).transpose()?;
            Ok((boot_time(row)?, health.map(|health| health.sent)))
        },
    )?;
    let (last_contact, held) = held.unwrap_or_default();
    let start = boot_start(db, terminal, boot)?;
    let undated = if start.is_none() { undated(db, terminal, boot)? } else { Vec::new() };
    Ok(HealthSnapshot { last_contact, held, boot: start, undated })
}
