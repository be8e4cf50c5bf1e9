//! Scores as JSON and CSV: `/v1/scores`.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{Format, csv_file, read_query};
use crate::{
    central::{
        app::Shared,
        domain::scores::{Asked as AskedSpan, Grouping, Period, day_or_instant},
        error::ApiError,
        export,
        queries::scores::{Asked, Filter, Scores, scores},
    },
    wire::Problem,
};

/// Rows of one answer by hour or day: half a megabyte to two, which a browser draws at once.
const ROWS_MAX: usize = 2_000;

/// Rows of one CSV file by hour or day: a month of hours of a hospital with twenty touchpoints.
const CSV_ROWS_MAX: usize = 50_000;

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
    let format = query.format.unwrap_or_default();
    let rows_max = if format == Format::Csv { CSV_ROWS_MAX } else { ROWS_MAX };
    let asked = Asked {
        span: AskedSpan { period: query.period, from: query.from.as_deref(), to: query.to.as_deref() },
        filter: query.filter.unwrap_or_default(),
        touchpoint: query.touchpoint.as_deref(),
        site: query.site.as_deref(),
    };
    let scores = scores(&app, asked, query.by.unwrap_or_default(), rows_max).await?;
    match format {
        Format::Csv if scores.next.is_some() => Err(ApiError::no_such_span(format!(
            "this would be more than {CSV_ROWS_MAX} rows; ask for a shorter span or one `touchpoint`"
        ))),
        Format::Csv => Ok(csv_file("scores.csv", export::scores_csv(&scores.rows))),
        Format::Json => Ok(Json(scores).into_response()),
    }
}
