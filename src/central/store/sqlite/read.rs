//! What is read for staff, auditors and scores.

use rusqlite::{Connection, Row, params};

use super::{
    columns::{
        ANSWER_COLUMNS, Read, answer, chain as chain_id, counter, hash, instant, json, scale, signed, text,
        unsigned, value,
    },
    help,
};
use crate::{
    central::{
        ingest::{AnswerRow, HOUR_UNKNOWN},
        store::{
            Alarm, ChainSummary, Checkpoint, Count, CountQuery, Cursor, Drift, QuarantineGroup,
            QuarantinedEntry, SignedRequest, SiteLevels, StoredEntry,
        },
    },
    model::{ChainId, QuestionId, ResponseId, SiteId, TerminalId, TouchpointId},
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

pub(super) fn counts(connection: &Connection, site: &SiteId, query: &CountQuery) -> Read<Vec<Count>> {
    let hour = if query.hourly { "hour" } else { "-1" };
    let sql = format!(
        "select touchpoint, questionnaire, question, scale, {hour}, flagged, value, sum(n) from rollups \
         where site = ?1 and (?2 is null or touchpoint = ?2) \
         and (?3 is null or (hour >= ?3 and hour <> -1)) and (?4 is null or (hour < ?4 and hour <> -1)) \
         group by 1, 2, 3, 4, 5, 6, 7 having sum(n) > 0"
    );
    let touchpoint = query.touchpoint.as_ref().map(TouchpointId::as_str);
    all(connection, &sql, params![site.as_str(), touchpoint, query.from_hour, query.to_hour], |row| {
        let hour: i64 = row.get(4)?;
        Ok(Count {
            touchpoint: text("touchpoint", &row.get::<_, String>(0)?)?,
            questionnaire: text("questionnaire", &row.get::<_, String>(1)?)?,
            question: text("question", &row.get::<_, String>(2)?)?,
            scale: scale(&row.get::<_, String>(3)?)?,
            hour: (hour != HOUR_UNKNOWN).then_some(hour),
            flagged: row.get(5)?,
            value: value(row.get(6)?)?,
            n: unsigned(row.get(7)?)?,
        })
    })
}

pub(super) fn answers_after(
    connection: &Connection,
    site: &SiteId,
    after: Option<(ResponseId, QuestionId)>,
    limit: usize,
) -> Read<Vec<AnswerRow>> {
    let (response, question) = after.unzip();
    let response = response.map_or([0; 16], |id| *id.0.as_bytes());
    let question = question.map_or_else(String::new, String::from);
    let sql = format!(
        "select {ANSWER_COLUMNS} from answers where site = ?1 and (response, question) > (?2, ?3) \
         order by response, question limit ?4"
    );
    all(connection, &sql, params![site.as_str(), response, question, limit_of(limit)], answer)
}

pub(super) fn drift(connection: &Connection, site: &SiteId) -> Read<Vec<Drift>> {
    all(
        connection,
        "select touchpoint, questionnaire, question, scale, hour, flagged, value, sum(rollup), sum(recount) from ( \
         select touchpoint, questionnaire, question, scale, hour, flagged, value, n as rollup, 0 as recount \
         from rollups where site = ?1 union all \
         select touchpoint, questionnaire, question, scale, hour, flagged, value, 0, 1 \
         from answers where site = ?1 and counted = 1) \
         group by 1, 2, 3, 4, 5, 6, 7 having sum(rollup) <> sum(recount)",
        params![site.as_str()],
        |row| Ok(Drift { counter: counter(row)?, rollup: row.get(7)?, recount: row.get(8)? }),
    )
}
