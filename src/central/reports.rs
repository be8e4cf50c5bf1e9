//! What staff read: scores, quarantine, alarms, export.

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    error::ApiError,
    export,
    router::Shared,
    scores::{self, Grouping, ScoreRow},
    shell,
    state::App,
    store::CountQuery,
};
use crate::{
    model::{SiteId, TerminalId, TouchpointId, millis},
    wire::{EXAMPLE_HARDWARE, Problem},
};

/// Alarms shown.
pub(super) const ALARMS_MAX: usize = 100;

/// Entries of the quarantine shown.
const QUARANTINE_MAX: usize = 200;

/// Which answers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Filter {
    /// Without answers the terminal flagged.
    #[default]
    Filtered,
    /// All answers.
    Raw,
}

/// How the answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// JSON.
    #[default]
    Json,
    /// CSV, UTF-8 with a byte order mark for spreadsheets.
    Csv,
}

/// Which scores.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ScoresQuery {
    /// What a row stands for; `touchpoint` if not given.
    #[param(inline)]
    by: Option<Grouping>,
    /// First day (in the site's time zone) or instant.
    from: Option<String>,
    /// Day or instant that is no longer part of it.
    to: Option<String>,
    /// `filtered` if not given.
    #[param(inline)]
    filter: Option<Filter>,
    /// Only this touchpoint.
    touchpoint: Option<String>,
    /// Only this site.
    site: Option<String>,
    /// `json` if not given.
    #[param(inline)]
    format: Option<Format>,
}

/// Scores.
#[derive(Serialize, ToSchema)]
pub(super) struct Scores {
    /// When they were computed.
    #[serde(with = "millis")]
    time: DateTime<Utc>,
    /// What a row stands for.
    by: Grouping,
    /// Which answers count.
    filter: Filter,
    /// Cells with fewer answers are hidden.
    hide_below: u64,
    /// Some of the answers are example data: a program made them, and nobody gave them.
    example: bool,
    /// The scores.
    rows: Vec<ScoreRow>,
}

/// Scores with their intervals.
///
/// Answers whose hour is not known (the terminal's clock was wrong and its boot was never heard of) count where neither `from` nor `to` is
/// given, and in no day or hour.
#[utoipa::path(
    get, path = "/v1/scores", tag = "scores", params(ScoresQuery),
    responses(
        (status = 200, content((Scores = "application/json"), (String = "text/csv"))),
        (status = 400, description = "a parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no such site or touchpoint", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the store failed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_scores(
    State(app): State<Shared>,
    query: Result<Query<ScoresQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let query = read_query(query)?;
    let (by, filter) = (query.by.unwrap_or_default(), query.filter.unwrap_or_default());
    let touchpoint = query.touchpoint.as_deref().map(|id| known_touchpoint(&app, id)).transpose()?;
    let mut rows = Vec::new();
    let mut example = false;
    for site in app.sites(query.site.as_deref())? {
        example |= holds_example(&app, &site.id).await?;
        let edge =
            |text: &Option<String>| text.as_deref().map(|text| read_edge(text, site.time_zone)).transpose();
        let wanted = CountQuery {
            touchpoint: touchpoint.clone(),
            from_hour: edge(&query.from)?,
            to_hour: edge(&query.to)?,
            hourly: by.is_timed(),
        };
        let counts = app.store.counts(&site.id, wanted).await?;
        let request = scores::Request {
            hospital: &app.hospital,
            site: &site.id,
            zone: site.time_zone,
            touchpoint: touchpoint.as_ref(),
            by,
            raw: filter == Filter::Raw,
            rule: app.settings.suppression(),
        };
        rows.extend(scores::report(request, &counts));
    }
    match query.format.unwrap_or_default() {
        Format::Csv => Ok(csv_file("scores.csv", export::scores_csv(&rows))),
        Format::Json => {
            let hide_below = app.settings.suppression().limit;
            Ok(Json(Scores { time: shell::now(), by, filter, hide_below, example, rows }).into_response())
        }
    }
}

/// Whether a terminal of this site sends made-up answers.
async fn holds_example(app: &App, site: &SiteId) -> Result<bool, ApiError> {
    Ok(app.store.terminals(site).await?.iter().any(|terminal| terminal.hardware_id == EXAMPLE_HARDWARE))
}

/// Only some answers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SiteQuery {
    /// Only this site.
    pub(super) site: Option<String>,
}

/// Every answer as a row of CSV, flagged and undone ones included and marked.
///
/// Single answers, not scores: nothing is suppressed, so handle the file as the confidential raw data it is.
#[utoipa::path(
    get, path = "/v1/export.csv", tag = "scores", params(SiteQuery),
    responses(
        (status = 200, body = String, content_type = "text/csv"),
        (status = 400, description = "a parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no such site", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn export_answers(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let query = read_query(query)?;
    let sites =
        app.sites(query.site.as_deref())?.into_iter().map(|site| (site.id.clone(), site.time_zone)).collect();
    let pages = export::answers_csv(std::sync::Arc::clone(&app.store), sites);
    Ok(csv_file("answers.csv", Body::from_stream(pages)))
}

/// An entry that was not understood.
#[derive(Serialize, ToSchema)]
pub(super) struct QuarantineRow {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// The terminal.
    #[schema(value_type = String)]
    terminal: TerminalId,
    /// The journal.
    chain: String,
    /// Its place there.
    seq: u64,
    /// Why.
    reason: String,
    /// When it came.
    received_at: DateTime<Utc>,
    /// The line; bytes that are no UTF-8 are replaced.
    line: String,
}

/// Entries that are kept and not understood; after the configuration is mended, `xinsheng-central quarantine replay` tries them again.
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<QuarantineRow>),
        (status = 404, description = "no such site", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the store failed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_quarantine(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<QuarantineRow>>, ApiError> {
    let query = read_query(query)?;
    let mut rows = Vec::new();
    for site in app.sites(query.site.as_deref())? {
        rows.extend(app.store.quarantine(&site.id, QUARANTINE_MAX).await?.into_iter().map(|entry| {
            QuarantineRow {
                site: site.id.clone(),
                terminal: entry.terminal,
                chain: entry.chain.to_string(),
                seq: entry.seq,
                reason: entry.reason,
                received_at: entry.received_at,
                line: String::from_utf8_lossy(&entry.line).into_owned(),
            }
        }));
    }
    Ok(Json(rows))
}

/// Something staff must know.
#[derive(Serialize, ToSchema)]
pub(super) struct AlarmRow {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// `clone` or `lost_entries`.
    kind: String,
    /// The journal it is about.
    subject: String,
    /// The terminal.
    #[schema(value_type = String)]
    terminal: TerminalId,
    /// First seen.
    first_at: DateTime<Utc>,
    /// Last seen.
    last_at: DateTime<Utc>,
    /// How often.
    times: u64,
    /// In words.
    detail: String,
}

/// Alarms, latest first.
#[utoipa::path(
    get, path = "/v1/alarms", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<AlarmRow>),
        (status = 404, description = "no such site", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the store failed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_alarms(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<AlarmRow>>, ApiError> {
    let query = read_query(query)?;
    let mut rows = Vec::new();
    for site in app.sites(query.site.as_deref())? {
        rows.extend(app.store.alarms(&site.id, ALARMS_MAX).await?.into_iter().map(|alarm| AlarmRow {
            site: site.id.clone(),
            kind: alarm.kind,
            subject: alarm.subject,
            terminal: alarm.terminal,
            first_at: alarm.first_at,
            last_at: alarm.last_at,
            times: alarm.times,
            detail: alarm.detail,
        }));
    }
    Ok(Json(rows))
}

pub(super) fn read_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|rejection| ApiError::bad_request(rejection.body_text()))
}

fn known_touchpoint(app: &App, id: &str) -> Result<TouchpointId, ApiError> {
    let found = app.hospital.touchpoints.iter().find(|touchpoint| touchpoint.id.as_str() == id);
    found
        .map(|touchpoint| touchpoint.id.clone())
        .ok_or_else(|| ApiError::not_found(format!("there is no touchpoint `{id}` in the touchpoints file")))
}

/// A day begins at the site's midnight; an instant counts as it is. Unix seconds.
fn read_edge(text: &str, zone: Tz) -> Result<i64, ApiError> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let midnight = day.and_time(NaiveTime::MIN);
        // Where summer time skips midnight the day begins an hour later.
        let start = zone.from_local_datetime(&midnight).earliest();
        let later = || zone.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest();
        return start.or_else(later).map(|at| at.timestamp()).ok_or_else(|| wrong_edge(text));
    }
    text.parse::<DateTime<Utc>>().map(|at| at.timestamp()).map_err(|_| wrong_edge(text))
}

fn wrong_edge(text: &str) -> ApiError {
    ApiError::bad_request(format!("`{text}` is no day (2026-11-21) and no instant (2026-11-21T08:00:00Z)"))
}

fn csv_file(name: &str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, body).into_response()
}
