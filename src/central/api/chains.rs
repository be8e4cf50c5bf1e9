//! What is held of each journal: `/v1/chains`.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};

use super::query::{SiteQuery, read_query};
use crate::central::{
    app::Shared,
    error::ApiError,
    queries::chains::{ChainRow, chains},
};

/// What is held of each journal.
#[utoipa::path(
    get, path = "/v1/chains", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<ChainRow>),
    )
)]
pub(in crate::central) async fn list_chains(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<ChainRow>>, ApiError> {
    let query = read_query(query)?;
    Ok(Json(chains(&app, query.site.as_deref()).await?))
}
