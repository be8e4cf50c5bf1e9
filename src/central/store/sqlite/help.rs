//! Calls for help and tested buttons.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::params;

use super::{
    Read, SiteDb, SqliteStore,
    codec::{HELP_COLUMNS, blob, help, instant, limit_of, millis, text, unsigned},
};
use crate::{
    central::{
        domain::{
            help::{self as rules, HeldCall},
            ingest::TestedRow,
            self_test::{SELF_TEST_SPAN, TestedGroup, last_tests},
        },
        store::{HelpRow, HelpStore, SelfTested, StoreError},
    },
    model::{EntryId, SiteId, TerminalId},
};

#[async_trait]
impl HelpStore for SqliteStore {
    async fn help_calls(
        &self,
        site: &SiteId,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<HelpRow>, StoreError> {
        self.read(site, move |db| {
            let mut calls = one_by_one(db, since, limit)?;
            calls.extend(folded(db, since)?);
            Ok(rules::listed(calls, limit))
        })
        .await
    }

    async fn open_help_calls(&self, site: &SiteId) -> Result<u64, StoreError> {
        let sql = "select count(*) from help_calls where site = ?1 and late = 0 and answered_at is null";
        self.read(site, move |db| db.count(sql, [db.site()])).await
    }

    async fn answer_help(
        &self,
        site: &SiteId,
        id: EntryId,
        at: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.write(site, move |db| answer(db, id, at)).await
    }

    async fn self_tests(&self, site: &SiteId) -> Result<Vec<SelfTested>, StoreError> {
        self.read(site, |db| Ok(last_tests(&tested(db)?))).await
    }
}

pub(super) fn insert(db: SiteDb<'_>, row: &HelpRow) -> Read<()> {
    db.run(
        "insert into help_calls (site, entry, terminal, touchpoint, lang, at, time_basis, received_at, late, \
         folded, answered_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) on conflict do nothing",
        params![
            db.site(),
            blob(&row.id),
            row.terminal.as_str(),
            row.touchpoint.as_str(),
            row.lang.as_str(),
            row.timed.at_ms,
            row.timed.basis.name(),
            row.received_ms,
            row.late,
            row.folded,
            row.answered_ms
        ],
    )?;
    Ok(())
}

/// Calls that stand in the list one by one: those that ring, then those that came since then.
fn one_by_one(db: SiteDb<'_>, since: DateTime<Utc>, limit: usize) -> Read<Vec<HelpRow>> {
    let sql = format!(
        "select {HELP_COLUMNS}, 1, folded from help_calls \
         where site = ?1 and folded = 0 and (received_at >= ?2 or (late = 0 and answered_at is null)) \
         order by case when late = 0 and answered_at is null then 0 else 1 end, received_at desc, at desc, entry \
         limit ?3"
    );
    db.all(&sql, params![db.site(), millis(since), limit_of(limit)], help)
}

/// One line for all calls of a terminal that were too many: with the id, place and time of the last of them. SQLite takes the other
/// columns of a group from the row that has the greatest `received_at`.
fn folded(db: SiteDb<'_>, since: DateTime<Utc>) -> Read<Vec<HelpRow>> {
    db.all(
        "select entry, terminal, touchpoint, lang, at, time_basis, max(received_at), late, answered_at, count(*), folded \
         from help_calls where site = ?1 and folded = 1 group by terminal, answered_at \
         having answered_at is null or max(received_at) >= ?2",
        params![db.site(), millis(since)],
        help,
    )
}

/// Calls of a terminal that came after then, ring, and stand in the list one by one.
pub(super) fn open_after(db: SiteDb<'_>, terminal: &TerminalId, after_ms: i64) -> Read<u64> {
    db.count(
        "select count(*) from help_calls where site = ?1 and received_at > ?2 and late = 0 \
         and answered_at is null and folded = 0 and terminal = ?3",
        params![db.site(), after_ms, terminal.as_str()],
    )
}

fn answer(db: SiteDb<'_>, id: EntryId, at: DateTime<Utc>) -> Read<Option<DateTime<Utc>>> {
    let held = db.first(
        "select terminal, received_at, folded, answered_at from help_calls where site = ?1 and entry = ?2",
        params![db.site(), blob(&id)],
        |row| {
            Ok(HeldCall {
                terminal: text("terminal", &row.get::<_, String>(0)?)?,
                received_ms: row.get(1)?,
                folded: row.get(2)?,
                answered_ms: row.get(3)?,
            })
        },
    )?;
    let Some(held) = held else { return Ok(None) };
    let answered = rules::answer(held, millis(at));
    db.run(
        "update help_calls set answered_at = ?3 where site = ?1 and entry = ?2",
        params![db.site(), blob(&id), answered.at_ms],
    )?;
    if let Some((terminal, through_ms)) = &answered.line {
        db.run(
            "update help_calls set answered_at = ?4 where site = ?1 and terminal = ?2 and folded = 1 \
             and received_at <= ?3 and answered_at is null",
            params![db.site(), terminal.as_str(), through_ms, answered.at_ms],
        )?;
    }
    instant(answered.at_ms).map(Some)
}

pub(super) fn note_tested(db: SiteDb<'_>, terminal: &TerminalId, row: &TestedRow) -> Read<()> {
    db.run(
        "insert into self_tests (site, terminal, target, at, total) values (?1, ?2, ?3, ?4, ?5) \
         on conflict (site, terminal, target) do update set at = excluded.at, total = excluded.total",
        params![db.site(), terminal.as_str(), row.target, row.at_ms, row.of],
    )?;
    Ok(())
}

/// When a button was last tested.
pub(super) fn tested_at(db: SiteDb<'_>, terminal: &TerminalId, target: &str) -> Read<Option<i64>> {
    db.first(
        "select at from self_tests where site = ?1 and terminal = ?2 and target = ?3",
        params![db.site(), terminal.as_str(), target],
        |row| Ok(row.get(0)?),
    )
}

/// What was tested on each terminal within the span before its last test, by terminal.
fn tested(db: SiteDb<'_>) -> Read<Vec<TestedGroup>> {
    db.all(
        "select t.terminal, t.total, max(t.at), count(*) from self_tests t \
         join (select site, terminal, max(at) as at from self_tests where site = ?1 group by site, terminal) l \
         on l.site = t.site and l.terminal = t.terminal \
         where t.site = ?1 and t.at >= l.at - ?2 group by t.terminal, t.total order by t.terminal",
        params![db.site(), SELF_TEST_SPAN.num_milliseconds()],
        |row| {
            Ok(TestedGroup {
                terminal: text("terminal", &row.get::<_, String>(0)?)?,
                of: row.get::<_, Option<i64>>(1)?.map(unsigned).transpose()?,
                last_at: instant(row.get(2)?)?,
                targets: unsigned(row.get(3)?)?,
            })
        },
    )
}
