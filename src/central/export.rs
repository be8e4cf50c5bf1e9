//! CSV: scores as a table, answers one by one.

use std::{sync::Arc, time::Duration};

use chrono_tz::Tz;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};

use super::{
    domain::{
        ingest::HOUR_UNKNOWN,
        scores::{QuestionReasons, ScoreRow, local_text_ms},
    },
    store::{ExplainedAnswer, Store, StoreError, TimeSpan},
};
use crate::{
    model::{ReasonId, SiteId},
    questionnaire::Texts,
};

/// Tells spreadsheets that the file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Answers read at a time: memory stays flat however many there are.
const PAGE: usize = 2_000;

/// A reader that takes nothing for so long has gone away.
const STALLED: Duration = Duration::from_mins(1);

const ANSWER_HEADER: [&str; 18] = [
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
    "reasons",
];

/// Scores as CSV text.
pub(super) fn scores_csv(rows: &[ScoreRow]) -> String {
    let header = [
        "site",
        "touchpoint",
        "name",
        "closed",
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
    let lines = rows.iter().map(|row| {
        vec![
            row.site.to_string(),
            row.touchpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
            all_languages(&row.names),
            row.closed.to_string(),
            row.question.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.scale.to_string(),
            row.start.clone().unwrap_or_default(),
            row.n.map(|n| n.to_string()).unwrap_or_default(),
            row.score.to_owned(),
            number(row.value),
            number(row.low),
            number(row.high),
            word(&row.suppressed),
            word(&row.display),
            row.formula.to_owned(),
        ]
    });
    table(Some(&header), lines)
}

/// Reasons as CSV text, a row for each reason.
pub(super) fn reasons_csv(rows: &[QuestionReasons]) -> String {
    let header = [
        "site",
        "touchpoint",
        "name",
        "closed",
        "question",
        "values",
        "asked",
        "reason",
        "text",
        "n",
        "value",
        "low",
        "high",
        "suppressed",
        "display",
        "formula",
    ];
    let lines = rows.iter().flat_map(|of| of.reasons.iter().map(move |row| (of, row))).map(|(of, row)| {
        vec![
            of.site.to_string(),
            of.touchpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
            all_languages(&of.names),
            of.closed.to_string(),
            of.question.to_string(),
            of.values.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
            of.asked.map(|n| n.to_string()).unwrap_or_default(),
            row.reason.to_string(),
            all_languages(&row.texts),
            row.n.map(|n| n.to_string()).unwrap_or_default(),
            number(row.value),
            number(row.low),
            number(row.high),
            word(&row.suppressed),
            word(&row.display),
            row.formula.to_owned(),
        ]
    });
    table(Some(&header), lines)
}

fn number(value: Option<f64>) -> String {
    value.map(|value| format!("{value:.2}")).unwrap_or_default()
}

/// The name a value has in JSON.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn all_languages(texts: &Texts) -> String {
    texts.0.values().map(|text| text.replace('\n', "")).collect::<Vec<_>>().join(" / ")
}

/// What of one site is exported.
pub(super) struct Part {
    pub(super) site: SiteId,
    pub(super) zone: Tz,
    pub(super) span: TimeSpan,
}

/// Answers as CSV text, page by page. The seat is held until the last page is gone.
pub(super) fn answers_csv(
    store: Arc<dyn Store>,
    parts: Vec<Part>,
    seat: Option<OwnedSemaphorePermit>,
) -> impl Stream<Item = Result<String, StoreError>> {
    // One page ahead: the reader's pace bounds what is held in memory.
    let (pages, stream) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let _seat = seat;
        for part in parts {
            let mut after = None;
            loop {
                let page = store.answers(&part.site, part.span, after.clone(), PAGE).await;
                after = page.as_ref().ok().and_then(|page| page.last()).map(ExplainedAnswer::key);
                let is_last = page.as_ref().map_or(true, |page| page.len() < PAGE);
                let text = page.map(|page| table(None, page.iter().map(|row| answer_line(&part, row))));
                // The reader may be gone, or hold the seat without reading.
                let sent = tokio::time::timeout(STALLED, pages.send(text)).await;
                if !matches!(sent, Ok(Ok(()))) || is_last {
                    break;
                }
            }
        }
    });
    tokio_stream::once(Ok(table(Some(&ANSWER_HEADER), std::iter::empty()))).chain(ReceiverStream::new(stream))
}

fn answer_line(part: &Part, ExplainedAnswer { answer: row, reasons }: &ExplainedAnswer) -> Vec<String> {
    let local = |ms: i64| local_text_ms(ms, part.zone);
    vec![
        part.site.to_string(),
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
        reasons.as_deref().unwrap_or_default().iter().map(ReasonId::as_str).collect::<Vec<_>>().join("|"),
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
