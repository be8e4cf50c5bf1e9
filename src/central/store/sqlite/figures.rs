//! Counts of answers and of reasons, the answers themselves, and the recount.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::{
    Read, SiteDb, SqliteStore,
    codec::{ANSWER_COLUMNS, answer, counter, json, limit_of, text, unsigned},
};
use crate::{
    central::{
        domain::ingest::HOUR_UNKNOWN,
        store::{
            AnswerKey, Count, CountQuery, Drift, ExplainedAnswer, FigureStore, ReasonCount, StoreError,
            TimeSpan,
        },
    },
    model::{SiteId, TouchpointId},
};

#[async_trait]
impl FigureStore for SqliteStore {
    async fn counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<Count>, StoreError> {
        self.report(site, move |db| sums(db, &query, ("rollups", "''"), count)).await
    }

    async fn reason_counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<ReasonCount>, StoreError> {
        self.report(site, move |db| sums(db, &query, ("reason_rollups", "reason"), reason_count)).await
    }

    async fn answers(
        &self,
        site: &SiteId,
        span: TimeSpan,
        after: Option<AnswerKey>,
        limit: usize,
    ) -> Result<Vec<ExplainedAnswer>, StoreError> {
        self.report(site, move |db| answers(db, span, after, limit)).await
    }

    async fn drift(&self, site: &SiteId) -> Result<Vec<Drift>, StoreError> {
        self.read(site, drift).await
    }
}

/// Sums of a rollup table; `reason` is among the columns of the one for reasons.
fn sums<T>(
    db: SiteDb<'_>,
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
    db.all(&sql, params![db.site(), touchpoint, query.from_hour, query.to_hour], read)
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

fn reason_count(row: &Row<'_>) -> Read<ReasonCount> {
    let reason: String = row.get(7)?;
    let reason = if reason.is_empty() { None } else { Some(text("reason", &reason)?) };
    Ok(ReasonCount { of: count(row)?, reason })
}

fn answers(
    db: SiteDb<'_>,
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
    let params = params![db.site(), from_ms, response, question, span.to_ms, limit_of(limit)];
    db.all(&sql, params, |row| {
        let chosen: Option<String> = row.get(columns.len())?;
        let reasons = chosen.map(|chosen| json("list of reasons", &chosen)).transpose()?;
        Ok(ExplainedAnswer { answer: answer(row)?, reasons })
    })
}

fn drift(db: SiteDb<'_>) -> Read<Vec<Drift>> {
    let columns = "touchpoint, questionnaire, question, scale, hour, flagged, value";
    db.all(
        &format!(
            "select {columns}, sum(rollup), sum(recount), reason from ( \
             select {columns}, null as reason, n as rollup, 0 as recount from rollups where site = ?1 union all \
             select {columns}, null, 0, 1 from answers where site = ?1 and counted = 1 union all \
             select {columns}, reason, n, 0 from reason_rollups where site = ?1 union all \
             select {columns}, reason, 0, 1 from counted_reasons where site = ?1) \
             group by {columns}, reason having sum(rollup) <> sum(recount)"
        ),
        params![db.site()],
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
