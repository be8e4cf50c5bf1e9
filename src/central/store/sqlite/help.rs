//! Calls for help and tested buttons.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{HELP_COLUMNS, Read, blob, help, instant, millis, text, unsigned},
    read::{all, limit_of},
};
use crate::{
    central::{
        domain::ingest::{Context, HelpRow, TestedRow},
        store::{SELF_TEST_SPAN, SelfTested, StoreError},
    },
    model::{EntryId, SiteId, TerminalId},
};

pub(super) fn insert(connection: &Connection, site: &SiteId, row: &HelpRow) -> Read<()> {
    connection
        .prepare_cached(
            "insert into help_calls (site, entry, terminal, touchpoint, lang, at, time_basis, received_at, late, \
             folded, answered_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) on conflict do nothing",
        )?
        .execute(params![
            site.as_str(),
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
        ])?;
    Ok(())
}

pub(super) fn calls(
    connection: &Connection,
    site: &SiteId,
    since: DateTime<Utc>,
    limit: usize,
) -> Read<Vec<HelpRow>> {
    let one_by_one = format!(
        "select {HELP_COLUMNS}, 1, folded from help_calls \
         where site = ?1 and folded = 0 and (received_at >= ?2 or (late = 0 and answered_at is null)) \
         order by case when late = 0 and answered_at is null then 0 else 1 end, received_at desc, at desc, entry \
         limit ?3"
    );
    let mut calls =
        all(connection, &one_by_one, params![site.as_str(), millis(since), limit_of(limit)], help)?;
    calls.extend(folded(connection, site, since)?);
    calls.sort_by_key(|call| (!call.is_open(), Reverse((call.received_ms, call.timed.at_ms)), call.id));
    calls.truncate(limit);
    Ok(calls)
}

/// One line for all calls of a terminal that were too many: with the id, place and time of the last of them. SQLite takes the other
/// columns of a group from the row that has the greatest `received_at`.
fn folded(connection: &Connection, site: &SiteId, since: DateTime<Utc>) -> Read<Vec<HelpRow>> {
    all(
        connection,
        "select entry, terminal, touchpoint, lang, at, time_basis, max(received_at), late, answered_at, count(*), folded \
         from help_calls where site = ?1 and folded = 1 group by terminal, answered_at \
         having answered_at is null or max(received_at) >= ?2",
        params![site.as_str(), millis(since)],
        help,
    )
}

/// Calls that ring; those in one line count one by one.
pub(super) fn count_open(connection: &Connection, site: &SiteId) -> Read<u64> {
    connection
        .prepare_cached(
            "select count(*) from help_calls where site = ?1 and late = 0 and answered_at is null",
        )?
        .query_row([site.as_str()], |row| row.get(0))
        .map_err(StoreError::from)
        .and_then(unsigned)
}

/// Calls of a terminal that came since then and ring.
pub(super) fn open_since(
    connection: &Connection,
    site: &SiteId,
    terminal: &TerminalId,
    since_ms: i64,
) -> Read<u64> {
    connection
        .prepare_cached(
            "select count(*) from help_calls where site = ?1 and received_at > ?2 and late = 0 \
             and answered_at is null and folded = 0 and terminal = ?3",
        )?
        .query_row(params![site.as_str(), since_ms, terminal.as_str()], |row| row.get(0))
        .map_err(StoreError::from)
        .and_then(unsigned)
}

pub(super) fn answer(
    connection: &Connection,
    site: &SiteId,
    id: EntryId,
    at: DateTime<Utc>,
) -> Read<Option<DateTime<Utc>>> {
    let answered: Option<i64> = connection
        .prepare_cached(
            "update help_calls set answered_at = coalesce(answered_at, ?3) where site = ?1 and entry = ?2 \
             returning answered_at",
        )?
        .query_row(params![site.as_str(), blob(&id), millis(at)], |row| row.get(0))
        .optional()?;
    // The line of a terminal's folded calls ends all that came up to the one it showed.
    connection
        .prepare_cached(
            "update help_calls set answered_at = ?3 where site = ?1 and folded = 1 and answered_at is null \
             and (terminal, 1) = (select terminal, folded from help_calls where site = ?1 and entry = ?2) \
             and received_at <= (select received_at from help_calls where site = ?1 and entry = ?2)",
        )?
        .execute(params![site.as_str(), blob(&id), answered])?;
    answered.map(instant).transpose()
}

pub(super) fn note_tested(connection: &Connection, context: Context<'_>, row: &TestedRow) -> Read<()> {
    connection
        .prepare_cached(
            "insert into self_tests (site, terminal, target, at, total) values (?1, ?2, ?3, ?4, ?5) \
             on conflict (site, terminal, target) do update set at = excluded.at, total = excluded.total \
             where excluded.at > self_tests.at",
        )?
        .execute(params![context.site.as_str(), context.terminal.as_str(), row.target, row.at_ms, row.of])?;
    Ok(())
}

pub(super) fn self_tests(connection: &Connection, site: &SiteId) -> Read<Vec<SelfTested>> {
    all(
        connection,
        // Of the test that was last: another number of buttons is another configuration. SQLite takes `total` from the newest row.
        "select t.terminal, l.at, count(*), l.total from self_tests t \
         join (select site, terminal, max(at) as at, total from self_tests where site = ?1 group by site, terminal) l \
         on l.site = t.site and l.terminal = t.terminal and (t.total is l.total or t.total is null) \
         where t.site = ?1 and t.at >= l.at - ?2 group by t.terminal, l.at order by t.terminal",
        params![site.as_str(), SELF_TEST_SPAN.num_milliseconds()],
        |row| {
            Ok(SelfTested {
                terminal: text("terminal", &row.get::<_, String>(0)?)?,
                at: instant(row.get(1)?)?,
                targets: unsigned(row.get(2)?)?,
                of: row.get::<_, Option<i64>>(3)?.map(unsigned).transpose()?,
            })
        },
    )
}
