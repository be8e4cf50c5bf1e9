//! Entries that were not understood: `/v1/quarantine`.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};

use super::query::{SiteQuery, read_query};
use crate::central::{
    app::Shared,
    error::ApiError,
    queries::quarantine::{QuarantineRow, quarantine},
};

/// Entries that are kept and not understood; after the configuration is mended, `xinsheng-central quarantine replay` tries them again.
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<QuarantineRow>),
    )
)]
pub(in crate::central) async fn list_quarantine(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<QuarantineRow>>, ApiError> {
    let query = read_query(query)?;
    Ok(Json(quarantine(&app, query.site.as_deref()).await?))
}
