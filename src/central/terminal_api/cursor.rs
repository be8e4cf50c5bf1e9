//! `GET /v1/terminals/self/cursor`: how far central is with a journal.

use axum::{
    Json,
    extract::{Query, Request, State},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::{self, Proven};
use crate::{
    central::{app::Shared, error::ApiError},
    chain,
    model::ChainId,
    wire::CursorReply,
};

/// Which journal.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::central) struct CursorQuery {
    /// The chain id, 32 hexadecimal digits.
    #[param(pattern = "^[0-9a-f]{32}$")]
    chain: String,
}

/// How far central is with a journal.
#[utoipa::path(
    get, path = "/v1/terminals/self/cursor", tag = "terminals", params(CursorQuery),
    responses(
        (status = 200, body = CursorReply),
    )
)]
pub(in crate::central) async fn get_cursor(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<CursorReply>, ApiError> {
    let asked = Query::<CursorQuery>::try_from_uri(request.uri()).map(|Query(query)| query.chain);
    let Proven { who: terminal, .. } = auth::from_terminal(&app, request).await?;
    let no_chain = || ApiError::bad_request("the query must be `chain=` and 32 hexadecimal digits");
    let chain: ChainId = asked.ok().and_then(|text| text.parse().ok()).ok_or_else(no_chain)?;
    let held = app.store.cursor(&terminal.site, chain).await?;
    Ok(Json(CursorReply {
        store: app.store.id(),
        chain,
        accepted_through: held.as_ref().map_or(0, |cursor| cursor.accepted_through),
        head_hash: held.map_or_else(|| chain::genesis(chain), |cursor| cursor.head_hash),
        time: app.now(),
    }))
}
