//! The terminals: `/v1/terminals`.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};

use super::query::{SiteQuery, read_query};
use crate::central::{
    app::Shared,
    error::ApiError,
    queries::terminals::{TerminalRow, terminals},
};

/// All terminals.
#[utoipa::path(
    get, path = "/v1/terminals", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<TerminalRow>),
    )
)]
pub(in crate::central) async fn list_terminals(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<TerminalRow>>, ApiError> {
    let query = read_query(query)?;
    Ok(Json(terminals(&app, query.site.as_deref()).await?))
}
