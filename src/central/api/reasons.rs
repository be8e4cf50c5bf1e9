//! Counts of the reasons that visitors gave, as JSON and CSV: `/v1/reasons`.

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
        domain::scores::{Asked as AskedSpan, Period, day_or_instant},
        error::ApiError,
        export,
        queries::scores::{Asked, Filter, Reasons, reasons},
    },
    wire::Problem,
};

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
    let asked = Asked {
        span: AskedSpan { period: query.period, from: query.from.as_deref(), to: query.to.as_deref() },
        filter: query.filter.unwrap_or_default(),
        touchpoint: query.touchpoint.as_deref(),
        site: query.site.as_deref(),
    };
    let reasons = reasons(&app, asked, query.question.as_deref()).await?;
    match query.format.unwrap_or_default() {
        Format::Csv => Ok(csv_file("reasons.csv", export::reasons_csv(&reasons.rows))),
        Format::Json => Ok(Json(reasons).into_response()),
    }
}
