//! CSV: scores as a table, answers one by one.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};

use super::{
    ingest::{AnswerRow, HOUR_UNKNOWN},
    scores::ScoreRow,
    store::{Store, StoreError},
};
use crate::model::{SiteId, rfc3339};

/// Tells spreadsheets that the file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Answers read at a time: memory stays flat however many there are.
const PAGE: usize = 2_000;

const ANSWER_HEADER: [&str; 17] = [
    "site",
    "response",
    "touchpoint",
    "questionnaire",
    "question",
    "scale",
    "value",
    "time",
    "time_basis",
    "hour",
    "lang",
    "shown_ms",
    "flags",
    "counted",
    "terminal",
    "chain",
    "seq",
];

/// Scores as CSV text.
pub(super) fn scores_csv(rows: &[ScoreRow]) -> String {
    let header = [
        "site",
        "touchpoint",
        "name",
        "question",
        "scale",
        "start",
        "n",
        "score",
        "value",
        "low",
        "high",
        "suppressed",
        "display",
        "formula",
    ];
    let number = |value: Option<f64>| value.map(|value| format!("{value:.2}")).unwrap_or_default();
    let word = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let lines = rows.iter().map(|row| {
        vec![
            row.site.to_string(),
            row.touchpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.names.0.values().cloned().collect::<Vec<_>>().join(" / "),
            row.question.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.scale.to_string(),
            row.start.clone().unwrap_or_default(),
            row.n.map(|n| n.to_string()).unwrap_or_default(),
            row.score.to_owned(),
            number(row.value),
            number(row.low),
            number(row.high),
            word(serde_json::to_value(row.suppressed)),
            word(serde_json::to_value(row.display)),
            row.formula.to_owned(),
        ]
    });
    table(Some(&header), lines)
}

/// All answers of some sites as CSV text, page by page.
pub(super) fn answers_csv(
    store: Arc<dyn Store>,
    sites: Vec<(SiteId, Tz)>,
) -> impl Stream<Item = Result<String, StoreError>> {
    // One page ahead: the reader's pace bounds what is held in memory.
    let (pages, stream) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        for (site, zone) in sites {
            let mut after = None;
            loop {
                let page = store.answers(&site, after.clone(), PAGE).await;
                after = page
                    .as_ref()
                    .ok()
                    .and_then(|page| page.last())
                    .map(|row| (row.response, row.question.clone()));
                let is_last = page.as_ref().map_or(true, |page| page.len() < PAGE);
                let text = page.map(|page| table(None, page.iter().map(|row| answer_line(&site, zone, row))));
                // The reader may be gone.
                if pages.send(text).await.is_err() || is_last {
                    break;
                }
            }
        }
    });
    tokio_stream::once(Ok(table(Some(&ANSWER_HEADER), std::iter::empty()))).chain(ReceiverStream::new(stream))
}

fn answer_line(site: &SiteId, zone: Tz, row: &AnswerRow) -> Vec<String> {
    // A time that cannot be written is one that an earlier version believed; the cell stays empty.
    let local = |ms: i64| {
        let at = DateTime::<Utc>::from_timestamp_millis(ms);
        at.and_then(|at| rfc3339(at, zone, SecondsFormat::Millis)).unwrap_or_default()
    };
    vec![
        site.to_string(),
        row.response.to_string(),
        row.touchpoint.to_string(),
        row.questionnaire.to_string(),
        row.question.to_string(),
        row.scale.to_string(),
        row.value.to_string(),
        local(row.timed.at_ms),
        row.timed.basis.name().to_owned(),
        if row.hour == HOUR_UNKNOWN { String::new() } else { local(row.hour.saturating_mul(1000)) },
        row.lang.to_string(),
        row.shown_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        row.flags.iter().map(|flag| format!("{flag:?}").to_lowercase()).collect::<Vec<_>>().join("|"),
        row.counted.to_string(),
        row.terminal.to_string(),
        row.origin.chain.to_string(),
        row.origin.seq.to_string(),
    ]
}

fn table(header: Option<&[&str]>, lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail, and all lines have the header's length.
    if let Some(header) = header {
        let _ = writer.write_record(header);
    }
    for line in lines {
        let _ = writer.write_record(line);
    }
    let text =
        writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    if header.is_some() { format!("{BYTE_ORDER_MARK}{text}") } else { text }
}
