//! Incidents: `/v1/incidents`.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};

use super::query::{SiteQuery, read_query};
use crate::central::{
    app::Shared,
    error::ApiError,
    queries::incidents::{IncidentRow, incidents},
};

/// Incidents: the configuration's first, then the quarantine by terminal and reason, then the others, latest first.
///
/// Those of the configuration and the quarantine end when they are mended.
#[utoipa::path(
    get, path = "/v1/incidents", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<IncidentRow>),
    )
)]
pub(in crate::central) async fn list_incidents(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<IncidentRow>>, ApiError> {
    let query = read_query(query)?;
    Ok(Json(incidents(&app, query.site.as_deref()).await?))
}
