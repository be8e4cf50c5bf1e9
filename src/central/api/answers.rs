//! Export of single answers as CSV: `/v1/export.csv`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{csv_file, read_query};
use crate::{
    central::{
        app::Shared,
        domain::scores::{Asked, Bound, Period, Range, day_or_instant, days_of, range_of},
        error::ApiError,
        export,
        queries::{QueryError, sites},
        store::TimeSpan,
    },
    wire::Problem,
};

/// Which answers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::central) struct ExportQuery {
    /// A span that ends now, in days of the site's time zone; not `all`. If no span is given at all: `28d`.
    #[param(inline)]
    period: Option<Period>,
    /// First day (in the site's time zone) or instant. A request may cover 400 days.
    #[param(schema_with = day_or_instant)]
    from: Option<String>,
    /// Day or instant that is no longer part of it.
    #[param(schema_with = day_or_instant)]
    to: Option<String>,
    /// Only this site.
    site: Option<String>,
}

/// The answers of a span, each a row of CSV with its reasons, flagged and undone ones included and marked.
///
/// Single answers, not scores: nothing is suppressed, so handle the file as the confidential raw data it is. An answer whose hour is not
/// known stands at the earliest time it can have been given. The rows come as they are read, however many there are; two exports run at a
/// time.
#[utoipa::path(
    get, path = "/v1/export.csv", tag = "scores", params(ExportQuery),
    responses(
        (status = 200, body = String, content_type = "text/csv"),
        (status = 503, description = "other exports are running", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn export_answers(
    State(app): State<Shared>,
    query: Result<Query<ExportQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let query = read_query(query)?;
    let asked = Asked { period: query.period, from: query.from.as_deref(), to: query.to.as_deref() };
    let (now, mut parts, mut name) = (app.now(), Vec::new(), "answers.csv".to_owned());
    for site in sites(&app, query.site.as_deref())? {
        let range = range_of(asked, Bound::Days, now, site.time_zone).map_err(QueryError::from)?;
        if let (Some(first), Some(last)) = days_of(range, site.time_zone) {
            name = format!("answers_{first}_{last}.csv");
        }
        parts.push(export::Part { site: site.id.clone(), zone: site.time_zone, span: span_of(range) });
    }
    let seat = Arc::clone(&app.exports).try_acquire_owned();
    let seat = seat.map_err(|_| ApiError::unavailable("other exports are running; try again in a minute"))?;
    let pages = export::answers_csv(Arc::clone(&app.store), parts, Some(seat));
    Ok(csv_file(&name, Body::from_stream(pages)))
}

fn span_of(range: Range) -> TimeSpan {
    let ms = |at: i64| at.saturating_mul(1000);
    TimeSpan { from_ms: range.from.map_or(i64::MIN, ms), to_ms: range.to.map_or(i64::MAX, ms) }
}
