//! Codec between columns and types.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use rusqlite::Row;

use super::Read;
use crate::{
    central::{
        domain::ingest::{AnswerRow, Counter, HelpRow, Origin, ReasonsRow, ResponseRow},
        store::{StoreError, names},
    },
    model::{BootId, ChainId, EntryId, Hash, ResponseId, Value},
};

pub(super) fn damaged(what: &'static str, text: &(impl ToString + ?Sized)) -> StoreError {
    StoreError::damaged(what, text)
}

pub(super) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub(super) fn instant(ms: i64) -> Read<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| damaged("time", &ms))
}

/// Sequence numbers and counts stay below 2^63: batches beyond are refused.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(n: i64) -> Read<u64> {
    u64::try_from(n).map_err(|_| damaged("number", &n))
}

pub(super) fn text<T: FromStr>(what: &'static str, text: &str) -> Read<T> {
    text.parse().map_err(|_| damaged(what, text))
}

pub(super) fn hash(bytes: &[u8]) -> Read<Hash> {
    bytes.try_into().map(Hash).map_err(|_| damaged("hash", &bytes.len()))
}

pub(super) fn chain(bytes: &[u8]) -> Read<ChainId> {
    bytes.try_into().map(ChainId).map_err(|_| damaged("chain id", &bytes.len()))
}

/// A limit of rows.
pub(super) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn uuid(bytes: &[u8]) -> Read<uuid::Uuid> {
    uuid::Uuid::from_slice(bytes).map_err(|_| damaged("uuid", &bytes.len()))
}

pub(super) fn value(n: i64) -> Read<Value> {
    u8::try_from(n).map(Value).map_err(|_| damaged("value", &n))
}

pub(super) fn json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Read<T> {
    serde_json::from_str(text).map_err(|_| damaged(what, text))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Read<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(Box::new(error)))
}

pub(super) const ANSWER_COLUMNS: &str = "response, question, touchpoint, questionnaire, scale, value, lang, shown_ms, \
    flags, counted, terminal, chain, seq, received_at, boot, up_ms, at, time_basis, hour";

pub(super) fn answer(row: &Row<'_>) -> Read<AnswerRow> {
    Ok(AnswerRow {
        response: ResponseId(uuid(row.get_ref(0)?.as_blob().map_err(|_| damaged("uuid", "no blob"))?)?),
        question: text("question", &row.get::<_, String>(1)?)?,
        touchpoint: text("touchpoint", &row.get::<_, String>(2)?)?,
        questionnaire: text("questionnaire", &row.get::<_, String>(3)?)?,
        scale: names::scale(&row.get::<_, String>(4)?)?,
        value: value(row.get(5)?)?,
        lang: text("language", &row.get::<_, String>(6)?)?,
        shown_ms: row.get::<_, Option<i64>>(7)?.map(unsigned).transpose()?,
        flags: names::flags(&row.get::<_, String>(8)?),
        counted: row.get(9)?,
        terminal: text("terminal", &row.get::<_, String>(10)?)?,
        origin: Origin {
            chain: chain(&row.get::<_, Vec<u8>>(11)?)?,
            seq: unsigned(row.get(12)?)?,
            boot: BootId(uuid(&row.get::<_, Vec<u8>>(14)?)?),
            up_ms: unsigned(row.get(15)?)?,
            received_ms: row.get(13)?,
        },
        timed: names::timed(row.get(16)?, &row.get::<_, String>(17)?)?,
        hour: row.get(18)?,
    })
}

pub(super) const RESPONSE_COLUMNS: &str = "response, terminal, touchpoint, outcome, replaces, first_at";

pub(super) fn response(row: &Row<'_>) -> Read<ResponseRow> {
    Ok(ResponseRow {
        response: ResponseId(uuid(&row.get::<_, Vec<u8>>(0)?)?),
        terminal: text("terminal", &row.get::<_, String>(1)?)?,
        touchpoint: row.get::<_, Option<String>>(2)?.map(|id| text("touchpoint", &id)).transpose()?,
        outcome: row.get::<_, Option<String>>(3)?.map(|name| names::outcome(&name)).transpose()?,
        replaces: row.get::<_, Option<Vec<u8>>>(4)?.map(|id| uuid(&id).map(ResponseId)).transpose()?,
        first_ms: row.get(5)?,
    })
}

pub(super) const REASONS_COLUMNS: &str = "response, question, touchpoint, questionnaire, value, chosen, lang, chain, seq, received_at, boot, up_ms";

pub(super) fn reasons(row: &Row<'_>) -> Read<ReasonsRow> {
    Ok(ReasonsRow {
        response: ResponseId(uuid(&row.get::<_, Vec<u8>>(0)?)?),
        question: text("question", &row.get::<_, String>(1)?)?,
        touchpoint: text("touchpoint", &row.get::<_, String>(2)?)?,
        questionnaire: text("questionnaire", &row.get::<_, String>(3)?)?,
        value: value(row.get(4)?)?,
        chosen: json("list of reasons", &row.get::<_, String>(5)?)?,
        lang: text("language", &row.get::<_, String>(6)?)?,
        origin: Origin {
            chain: chain(&row.get::<_, Vec<u8>>(7)?)?,
            seq: unsigned(row.get(8)?)?,
            boot: BootId(uuid(&row.get::<_, Vec<u8>>(10)?)?),
            up_ms: unsigned(row.get(11)?)?,
            received_ms: row.get(9)?,
        },
    })
}

/// Followed by how many calls the row stands for, and whether it is folded.
pub(super) const HELP_COLUMNS: &str =
    "entry, terminal, touchpoint, lang, at, time_basis, received_at, late, answered_at";

pub(super) fn help(row: &Row<'_>) -> Read<HelpRow> {
    Ok(HelpRow {
        id: EntryId(uuid(&row.get::<_, Vec<u8>>(0)?)?),
        terminal: text("terminal", &row.get::<_, String>(1)?)?,
        touchpoint: text("touchpoint", &row.get::<_, String>(2)?)?,
        lang: text("language", &row.get::<_, String>(3)?)?,
        timed: names::timed(row.get(4)?, &row.get::<_, String>(5)?)?,
        received_ms: row.get(6)?,
        late: row.get(7)?,
        answered_ms: row.get(8)?,
        calls: unsigned(row.get(9)?)?,
        folded: row.get(10)?,
    })
}

/// Reads touchpoint, questionnaire, question, scale, hour, flagged, value from seven columns.
pub(super) fn counter(row: &Row<'_>) -> Read<Counter> {
    Ok(Counter {
        touchpoint: text("touchpoint", &row.get::<_, String>(0)?)?,
        questionnaire: text("questionnaire", &row.get::<_, String>(1)?)?,
        question: text("question", &row.get::<_, String>(2)?)?,
        scale: names::scale(&row.get::<_, String>(3)?)?,
        hour: row.get(4)?,
        flagged: row.get(5)?,
        value: value(row.get(6)?)?,
    })
}

pub(super) fn blob(id: &EntryId) -> &[u8] {
    id.0.as_bytes()
}

pub(super) fn boot(bytes: &[u8]) -> Read<BootId> {
    uuid(bytes).map(BootId)
}
