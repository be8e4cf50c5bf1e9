//! Scores, and counts of the reasons that visitors gave, as JSON and CSV: `/v1/scores`, `/v1/reasons`.

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::read_query;
use crate::{
    central::{
        app::{App, Shared},
        domain::scores::{
            self, Asked, Bound, Grouping, Period, QuestionReasons, Range, RangeError, ScoreRow, Slot,
            day_or_instant, days_of, local_text, range_of, slots,
        },
        error::ApiError,
        export,
        in_force::InForce,
        store::CountQuery,
    },
    model::{QuestionId, SiteId, TouchpointId, millis},
    questionnaire::Site,
    wire::{EXAMPLE_HARDWARE, Problem},
};

/// Rows of one answer by hour or day: half a megabyte to two, which a browser draws at once.
const ROWS_MAX: usize = 2_000;

/// Rows of one CSV file by hour or day: a month of hours of a hospital with twenty touchpoints.
const CSV_ROWS_MAX: usize = 50_000;

/// Which answers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::central) enum Filter {
    /// Without answers the terminal flagged.
    #[default]
    Filtered,
    /// All answers.
    Raw,
}

/// How the answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::central) enum Format {
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
pub(in crate::central) struct ScoresQuery {
    /// What a row stands for; `touchpoint` if not given.
    #[param(inline)]
    by: Option<Grouping>,
    /// A span that ends now, in days of the site's time zone. If no span is given at all: `all`, by day `28d`, by hour `24h`.
    #[param(inline)]
    period: Option<Period>,
    /// First day (in the site's time zone) or instant. By hour a request may cover 31 days, by day 400.
    #[param(schema_with = day_or_instant)]
    from: Option<String>,
    /// Day or instant that is no longer part of it.
    #[param(schema_with = day_or_instant)]
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

/// Which reasons.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::central) struct ReasonsQuery {
    /// A span that ends now, in days of the site's time zone; `all` if no span is given at all.
    #[param(inline)]
    period: Option<Period>,
    /// First day (in the site's time zone) or instant.
    #[param(schema_with = day_or_instant)]
    from: Option<String>,
    /// Day or instant that is no longer part of it.
    #[param(schema_with = day_or_instant)]
    to: Option<String>,
    /// `filtered` if not given.
    #[param(inline)]
    filter: Option<Filter>,
    /// Only this touchpoint.
    touchpoint: Option<String>,
    /// Only this question.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")]
    question: Option<String>,
    /// Only this site.
    site: Option<String>,
    /// `json` if not given.
    #[param(inline)]
    format: Option<Format>,
}

/// The span that the rows of a site cover.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct Span {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// Its time zone, in which days and hours are counted.
    time_zone: String,
    /// The time there when the figures were computed.
    now: String,
    /// First instant; none: since there are answers.
    from: Option<String>,
    /// First instant that is no longer part of it; none: up to the latest answer.
    to: Option<String>,
    /// First day.
    first_day: Option<String>,
    /// Last day.
    last_day: Option<String>,
    /// Every hour or day of it, also those without answers; empty for sums.
    slots: Vec<Slot>,
}

impl Span {
    fn new(site: &Site, range: Range, by: Grouping, now: DateTime<Utc>) -> Self {
        let zone = site.time_zone;
        let (first_day, last_day) = days_of(range, zone);
        Self {
            site: site.id.clone(),
            time_zone: zone.name().to_owned(),
            now: local_text(now.timestamp(), zone),
            from: range.from.map(|at| local_text(at, zone)),
            to: range.to.map(|at| local_text(at, zone)),
            first_day,
            last_day,
            slots: slots(range, by, zone),
        }
    }
}

/// Scores.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct Scores {
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
    /// The span of each site.
    spans: Vec<Span>,
    /// Where a long answer goes on: ask again with this as `from` and the same `to`. None if this is all.
    next: Option<String>,
    /// The scores.
    rows: Vec<ScoreRow>,
}

/// Reasons.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct Reasons {
    /// When they were counted.
    #[serde(with = "millis")]
    time: DateTime<Utc>,
    /// Which answers count.
    filter: Filter,
    /// Cells with fewer visitors are hidden.
    hide_below: u64,
    /// The span of each site.
    spans: Vec<Span>,
    /// The reasons.
    rows: Vec<QuestionReasons>,
}

impl From<RangeError> for ApiError {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Unreadable(_) => Self::bad_request(error.to_string()),
            RangeError::Twice
            | RangeError::Backwards
            | RangeError::TooLong { .. }
            | RangeError::Endless(_) => Self::no_such_span(error.to_string()),
        }
    }
}

/// Scores with their intervals.
///
/// Answers whose hour is not known (the terminal's clock was wrong and its boot was never heard of) count where no span is given, and in
/// no day or hour. A long answer by hour or day ends early and says in `next` where to go on.
#[utoipa::path(
    get, path = "/v1/scores", tag = "scores", params(ScoresQuery),
    responses(
        (status = 200, content((Scores = "application/json"), (String = "text/csv"))),
        (status = 404, description = "no such site or touchpoint", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn get_scores(
    State(app): State<Shared>,
    query: Result<Query<ScoresQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let query = read_query(query)?;
    let (by, filter, now) = (query.by.unwrap_or_default(), query.filter.unwrap_or_default(), app.now());
    let format = query.format.unwrap_or_default();
    let rows_max = if format == Format::Csv { CSV_ROWS_MAX } else { ROWS_MAX };
    let touchpoint = query.touchpoint.as_deref().map(read_touchpoint).transpose()?;
    let asked = Asked { period: query.period, from: query.from.as_deref(), to: query.to.as_deref() };
    let (mut spans, mut reports, mut example) = (Vec::new(), Vec::new(), false);
    let (in_force, sites) = (app.in_force(), app.sites(query.site.as_deref())?);
    for site in &sites {
        example |= holds_example(&app, &site.id).await?;
        let range = range_of(asked, Bound::from(by), now, site.time_zone)?;
        let counts =
            app.store.counts(&site.id, count_query(touchpoint.as_ref(), range, by.is_timed())).await?;
        let request = request(&in_force, site, touchpoint.as_ref(), (by, filter), rows_max);
        reports.push(scores::report(request, &counts));
        spans.push((site, range));
    }
    // All sites end at the same instant, so that one `next` goes on for all.
    let next = reports.iter().filter_map(|report| report.next).min();
    let mut rows: Vec<ScoreRow> = reports.into_iter().flat_map(|report| report.rows).collect();
    if let Some(next) = next {
        let still = |row: &ScoreRow| {
            row.start
                .as_ref()
                .and_then(|start| start.parse::<DateTime<Utc>>().ok())
                .is_none_or(|at| at.timestamp() < next)
        };
        rows.retain(still);
        spans.iter_mut().for_each(|(_, range)| range.to = Some(next));
    }
    if let Some(id) = touchpoint.filter(|_| rows.is_empty()) {
        known_touchpoint(&app, &id)?;
    }
    match format {
        Format::Csv if next.is_some() => Err(ApiError::no_such_span(format!(
            "this would be more than {CSV_ROWS_MAX} rows; ask for a shorter span or one `touchpoint`"
        ))),
        Format::Csv => Ok(csv_file("scores.csv", export::scores_csv(&rows))),
        Format::Json => {
            let hide_below = in_force.suppression.limit;
            // As it can stand in a query: a plus sign would be read as a space.
            let next = next.map(|at| local_text(at, chrono_tz::UTC).replace("+00:00", "Z"));
            let spans = spans.into_iter().map(|(site, range)| Span::new(site, range, by, now)).collect();
            Ok(Json(Scores { time: now, by, filter, hide_below, example, spans, next, rows }).into_response())
        }
    }
}

/// Whether a terminal of this site sends made-up answers.
async fn holds_example(app: &App, site: &SiteId) -> Result<bool, ApiError> {
    Ok(app.store.terminals(site).await?.iter().any(|terminal| terminal.hardware_id == EXAMPLE_HARDWARE))
}

/// The reasons visitors chose, by touchpoint, question and the values they explain.
///
/// Counted like the answers they explain: a reason leaves the counts with its answer, and counts where the answer stands at the value it
/// was given for.
#[utoipa::path(
    get, path = "/v1/reasons", tag = "scores", params(ReasonsQuery),
    responses(
        (status = 200, content((Reasons = "application/json"), (String = "text/csv"))),
        (status = 404, description = "no such site or touchpoint", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn get_reasons(
    State(app): State<Shared>,
    query: Result<Query<ReasonsQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let query = read_query(query)?;
    let (filter, now, by) = (query.filter.unwrap_or_default(), app.now(), Grouping::Question);
    let touchpoint = query.touchpoint.as_deref().map(read_touchpoint).transpose()?;
    let question: Option<QuestionId> = query
        .question
        .as_deref()
        .map(|id| id.parse().map_err(|_| ApiError::bad_request(format!("`{}` is no question", short(id)))))
        .transpose()?;
    let asked = Asked { period: query.period, from: query.from.as_deref(), to: query.to.as_deref() };
    let (mut spans, mut rows) = (Vec::new(), Vec::new());
    let (in_force, sites) = (app.in_force(), app.sites(query.site.as_deref())?);
    for site in &sites {
        let range = range_of(asked, Bound::Sums, now, site.time_zone)?;
        let counts =
            app.store.reason_counts(&site.id, count_query(touchpoint.as_ref(), range, false)).await?;
        let request = request(&in_force, site, touchpoint.as_ref(), (by, filter), ROWS_MAX);
        rows.extend(scores::reasons(request, question.as_ref(), &counts));
        spans.push(Span::new(site, range, by, now));
    }
    if let Some(id) = touchpoint.filter(|_| rows.is_empty()) {
        known_touchpoint(&app, &id)?;
    }
    match query.format.unwrap_or_default() {
        Format::Csv => Ok(csv_file("reasons.csv", export::reasons_csv(&rows))),
        Format::Json => {
            let hide_below = in_force.suppression.limit;
            Ok(Json(Reasons { time: now, filter, hide_below, spans, rows }).into_response())
        }
    }
}

fn request<'a>(
    in_force: &'a InForce,
    site: &'a Site,
    touchpoint: Option<&'a TouchpointId>,
    (by, filter): (Grouping, Filter),
    rows_max: usize,
) -> scores::Request<'a> {
    scores::Request {
        hospital: &in_force.history.hospital,
        closed: &in_force.history.closed,
        site: &site.id,
        zone: site.time_zone,
        touchpoint,
        by,
        raw: filter == Filter::Raw,
        rule: in_force.suppression,
        rows_max,
    }
}

fn count_query(touchpoint: Option<&TouchpointId>, range: Range, hourly: bool) -> CountQuery {
    CountQuery { touchpoint: touchpoint.cloned(), from_hour: range.from, to_hour: range.to, hourly }
}

fn read_touchpoint(id: &str) -> Result<TouchpointId, ApiError> {
    id.parse().map_err(|_| unknown_touchpoint(id))
}

/// A place without any row exists if the touchpoints file has it; one that is closed has rows.
fn known_touchpoint(app: &App, id: &TouchpointId) -> Result<(), ApiError> {
    app.in_force().history.hospital.touchpoint(id).map(|_| ()).ok_or_else(|| unknown_touchpoint(id.as_str()))
}

fn unknown_touchpoint(id: &str) -> ApiError {
    ApiError::not_found(format!(
        "there is no touchpoint `{}` in the touchpoints file, and none with answers",
        short(id)
    ))
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// A CSV file to keep.
pub(in crate::central) fn csv_file(name: &str, body: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, body.into()).into_response()
}
