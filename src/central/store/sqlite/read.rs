//! What is read for staff, auditors and scores.

use rusqlite::{Connection, Row, params};

use super::{
    columns::{
        ANSWER_COLUMNS, Read, answer, chain as chain_id, counter, hash, instant, json, signed, text, unsigned,
    },
    help,
};
use crate::{
    central::{
        domain::ingest::HOUR_UNKNOWN,
        store::{
            Alarm, AnswerKey, ChainSummary, Checkpoint, Count, CountQuery, Cursor, Drift, ExplainedAnswer,
            QuarantineGroup, QuarantinedEntry, ReasonCount, SignedRequest, SiteLevels, StoredEntry, TimeSpan,
        },
    },
    model::{ChainId, SiteId, TerminalId, TouchpointId},
};

pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn cursor_row(row: &Row<'_>) -> Read<Cursor> {
    Ok(Cursor {
        terminal: text("terminal", &row.get::<_, String>(0)?)?,
        accepted_through: unsigned(row.get(1)?)?,
        head_hash: hash(&row.get::<_, Vec<u8>>(2)?)?,
        first_received: instant(row.get(3)?)?,
        last_received: instant(row.get(4)?)?,
    })
}

pub(super) fn cursor(connection: &Connection, site: &SiteId, chain: ChainId) -> Read<Option<Cursor>> {
    let found = all(
        connection,
        "select terminal, accepted_through, head_hash, first_received, last_received from chains \
         where site = ?1 and chain = ?2",
        params![site.as_str(), chain.0],
        cursor_row,
    )?;
    Ok(found.into_iter().next())
}

pub(super) fn chains(connection: &Connection, site: &SiteId) -> Read<Vec<ChainSummary>> {
    all(
        connection,
        "select terminal, accepted_through, head_hash, first_received, last_received, chain, quarantined, withheld \
         from chains where site = ?1 order by first_received, chain",
        params![site.as_str()],
        |row| {
            Ok(ChainSummary {
                cursor: cursor_row(row)?,
                chain: chain_id(&row.get::<_, Vec<u8>>(5)?)?,
                quarantined: unsigned(row.get(6)?)?,
                withheld: unsigned(row.get(7)?)?,
            })
        },
    )
}

pub(super) fn entries(
    connection: &Connection,
    site: &SiteId,
    chain: ChainId,
    after: u64,
    limit: usize,
) -> Read<Vec<StoredEntry>> {
    all(
        connection,
        "select seq, hash, line, leaf, received_at, state, reason from entries \
         where site = ?1 and chain = ?2 and seq > ?3 order by seq limit ?4",
        params![site.as_str(), chain.0, signed(after), limit_of(limit)],
        |row| {
            Ok(StoredEntry {
                seq: unsigned(row.get(0)?)?,
                hash: hash(&row.get::<_, Vec<u8>>(1)?)?,
                line: row.get(2)?,
                leaf: row.get::<_, Option<Vec<u8>>>(3)?.map(|bytes| hash(&bytes)).transpose()?,
                received_at: instant(row.get(4)?)?,
                state: row.get(5)?,
                reason: row.get(6)?,
            })
        },
    )
}

pub(super) fn checkpoints(connection: &Connection, site: &SiteId, chain: ChainId) -> Read<Vec<Checkpoint>> {
    all(
        connection,
        "select first_seq, seq, head_hash, terminal, public_key, header_line, signed_headers, content \
         from checkpoints where site = ?1 and chain = ?2 order by seq, first_seq",
        params![site.as_str(), chain.0],
        |row| {
            let proof: SignedRequest = json("signed request", &row.get::<_, String>(6)?)?;
            Ok(Checkpoint {
                first_seq: unsigned(row.get(0)?)?,
                seq: unsigned(row.get(1)?)?,
                head_hash: hash(&row.get::<_, Vec<u8>>(2)?)?,
                terminal: text("terminal", &row.get::<_, String>(3)?)?,
                public_key: row.get(4)?,
                header_line: row.get(5)?,
                proof: SignedRequest { content: row.get(7)?, ..proof },
            })
        },
    )
}

pub(super) fn quarantine(
    connection: &Connection,
    site: &SiteId,
    after: Option<(ChainId, u64)>,
    limit: usize,
) -> Read<Vec<QuarantinedEntry>> {
    let (chain, seq) = after.unwrap_or((ChainId([0; 16]), 0));
    all(
        connection,
        "select c.terminal, e.chain, e.seq, e.reason, e.received_at, e.line from entries e \
         join chains c on c.site = e.site and c.chain = e.chain \
         where e.site = ?1 and e.state = 'quarantined' and (e.chain, e.seq) > (?2, ?3) \
         order by e.chain, e.seq limit ?4",
        params![site.as_str(), chain.0, signed(seq), limit_of(limit)],
        |row| {
            Ok(QuarantinedEntry {
                terminal: text("terminal", &row.get::<_, String>(0)?)?,
                chain: chain_id(&row.get::<_, Vec<u8>>(1)?)?,
                seq: unsigned(row.get(2)?)?,
                reason: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                received_at: instant(row.get(4)?)?,
                line: row.get::<_, Option<Vec<u8>>>(5)?.unwrap_or_default(),
            })
        },
    )
}

/// The quarantine by terminal and reason, the most recent first.
pub(super) fn quarantine_groups(
    connection: &Connection,
    site: &SiteId,
    limit: usize,
) -> Read<Vec<QuarantineGroup>> {
    all(
        connection,
        "select c.terminal, e.reason, count(*), min(e.received_at), max(e.received_at) from entries e \
         join chains c on c.site = e.site and c.chain = e.chain \
         where e.site = ?1 and e.state = 'quarantined' group by c.terminal, e.reason \
         order by max(e.received_at) desc, c.terminal, e.reason limit ?2",
        params![site.as_str(), limit_of(limit)],
        |row| {
            Ok(QuarantineGroup {
                terminal: text("terminal", &row.get::<_, String>(0)?)?,
                reason: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                entries: unsigned(row.get(2)?)?,
                first_at: instant(row.get(3)?)?,
                last_at: instant(row.get(4)?)?,
            })
        },
    )
}

/// Entries of a terminal that are in the quarantine.
pub(super) fn quarantined_of(connection: &Connection, site: &SiteId, id: &TerminalId) -> Read<u64> {
    let n: i64 = connection
        .prepare_cached("select coalesce(sum(quarantined), 0) from chains where site = ?1 and terminal = ?2")?
        .query_row(params![site.as_str(), id.as_str()], |row| row.get(0))?;
    unsigned(n)
}

/// What is counted for the numbers of a site.
pub(super) fn levels(connection: &Connection, site: &SiteId) -> Read<SiteLevels> {
    let count = |sql: &str| -> Read<u64> {
        let n: i64 = connection.prepare_cached(sql)?.query_row([site.as_str()], |row| row.get(0))?;
        unsigned(n)
    };
    Ok(SiteLevels {
        quarantined: count("select coalesce(sum(quarantined), 0) from chains where site = ?1")?,
        incidents: count("select count(*) from alarms where site = ?1")?,
        help_open: help::count_open(connection, site)?,
    })
}

pub(super) fn alarms(connection: &Connection, site: &SiteId, limit: usize) -> Read<Vec<Alarm>> {
    all(
        connection,
        "select kind, subject, terminal, first_at, last_at, times, detail from alarms \
         where site = ?1 order by last_at desc limit ?2",
        params![site.as_str(), limit_of(limit)],
        |row| {
            Ok(Alarm {
                kind: row.get(0)?,
                subject: row.get(1)?,
                terminal: text("terminal", &row.get::<_, String>(2)?)?,
                first_at: instant(row.get(3)?)?,
                last_at: instant(row.get(4)?)?,
                times: unsigned(row.get(5)?)?,
                detail: row.get(6)?,
            })
        },
    )
}

/// Sums of a rollup table; `reason` is among the columns of the one for reasons.
fn sums<T>(
    connection: &Connection,
    site: &SiteId,
    query: &CountQuery,
    (table, reason): (&str, &str),
    read: impl Fn(&Row<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let hour = if query.hourly { "hour" } else { "-1" };
    // Each shape of range is its own statement, so that a bounded one can use the index by hour.
    let range = match (query.from_hour, query.to_hour) {
        (None, None) => "?3 is null and ?4 is null",
        (Some(_), None) => "hour >= ?3 and hour <> -1 and ?4 is null",
        (None, Some(_)) => "hour < ?4 and hour <> -1 and ?3 is null",
        (Some(_), Some(_)) => "hour >= ?3 and hour < ?4 and hour <> -1",
    };
    let touchpoint = if query.touchpoint.is_some() { "touchpoint = ?2" } else { "?2 is null" };
    let sql = format!(
        "select touchpoint, questionnaire, question, scale, {hour}, flagged, value, {reason}, sum(n) from {table} \
         where site = ?1 and {touchpoint} and {range} group by 1, 2, 3, 4, 5, 6, 7, 8 having sum(n) > 0"
    );
    let touchpoint = query.touchpoint.as_ref().map(TouchpointId::as_str);
    all(connection, &sql, params![site.as_str(), touchpoint, query.from_hour, query.to_hour], read)
}

fn count(row: &Row<'_>) -> Read<Count> {
    let counter = counter(row)?;
    Ok(Count {
        touchpoint: counter.touchpoint,
        questionnaire: counter.questionnaire,
        question: counter.question,
        scale: counter.scale,
        hour: (counter.hour != HOUR_UNKNOWN).then_some(counter.hour),
        flagged: counter.flagged,
        value: counter.value,
        n: unsigned(row.get(8)?)?,
    })
}

pub(super) fn counts(connection: &Connection, site: &SiteId, query: &CountQuery) -> Read<Vec<Count>> {
    sums(connection, site, query, ("rollups", "''"), count)
}

pub(super) fn reason_counts(
    connection: &Connection,
    site: &SiteId,
    query: &CountQuery,
) -> Read<Vec<ReasonCount>> {
    sums(connection, site, query, ("reason_rollups", "reason"), |row| {
        let reason: String = row.get(7)?;
        let reason = if reason.is_empty() { None } else { Some(text("reason", &reason)?) };
        Ok(ReasonCount { of: count(row)?, reason })
    })
}

pub(super) fn answers_after(
    connection: &Connection,
    site: &SiteId,
    span: TimeSpan,
    after: Option<AnswerKey>,
    limit: usize,
) -> Read<Vec<ExplainedAnswer>> {
    let (from_ms, response, question) = match after {
        Some(key) => (key.at_ms, *key.response.0.as_bytes(), String::from(key.question)),
        None => (span.from_ms, [0; 16], String::new()),
    };
    let columns = ANSWER_COLUMNS.split(',').map(|name| format!("a.{}", name.trim())).collect::<Vec<_>>();
    let sql = format!(
        "select {}, r.chosen from answers a left join reasons r on r.site = a.site and r.response = a.response \
         and r.question = a.question and r.value = a.value \
         where a.site = ?1 and (a.at, a.response, a.question) > (?2, ?3, ?4) and a.at < ?5 \
         order by a.at, a.response, a.question limit ?6",
        columns.join(", ")
    );
    let params = params![site.as_str(), from_ms, response, question, span.to_ms, limit_of(limit)];
    all(connection, &sql, params, |row| {
        let chosen: Option<String> = row.get(columns.len())?;
        let reasons = chosen.map(|chosen| json("list of reasons", &chosen)).transpose()?;
        Ok(ExplainedAnswer { answer: answer(row)?, reasons })
    })
}

pub(super) fn drift(connection: &Connection, site: &SiteId) -> Read<Vec<Drift>> {
    let columns = "touchpoint, questionnaire, question, scale, hour, flagged, value";
    all(
        connection,
        &format!(
            "select {columns}, sum(rollup), sum(recount), reason from ( \
             select {columns}, null as reason, n as rollup, 0 as recount from rollups where site = ?1 union all \
             select {columns}, null, 0, 1 from answers where site = ?1 and counted = 1 union all \
             select {columns}, reason, n, 0 from reason_rollups where site = ?1 union all \
             select {columns}, reason, 0, 1 from counted_reasons where site = ?1) \
             group by {columns}, reason having sum(rollup) <> sum(recount)"
        ),
        params![site.as_str()],
        |row| {
            Ok(Drift {
                counter: counter(row)?,
                rollup: row.get(7)?,
                recount: row.get(8)?,
                reason: row.get(9)?,
            })
        },
    )
}
