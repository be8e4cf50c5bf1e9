//! Calls for help, and their acknowledgement by staff: `/v1/help`.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{SiteQuery, read_query};
use crate::{
    central::{
        app::Shared,
        error::ApiError,
        queries::help::{CallRow, answer, calls},
    },
    model::{EntryId, millis},
    wire::Problem,
};

/// Calls for help: all that ring, and those of the last 24 hours.
#[utoipa::path(
    get, path = "/v1/help", tag = "help", params(SiteQuery),
    responses(
        (status = 200, body = Vec<CallRow>),
    )
)]
pub(in crate::central) async fn list_calls(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<CallRow>>, ApiError> {
    let query = read_query(query)?;
    Ok(Json(calls(&app, query.site.as_deref()).await?))
}

/// A call that was answered.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct Answered {
    /// The call.
    #[schema(value_type = String)]
    id: EntryId,
    /// When it was marked first.
    #[serde(with = "millis")]
    answered_at: DateTime<Utc>,
}

/// Marks a call for help answered: it stops ringing on every open page.
///
/// Marking it again changes nothing and gets the same answer. Like the lists for staff it asks for no login: keep central within the
/// hospital's own network.
#[utoipa::path(
    post, path = "/v1/help/{id}/answered", tag = "help",
    params(("id" = String, Path, description = "the call")),
    responses(
        (status = 200, body = Answered),
        (status = 404, description = "no such call", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn answer_call(
    State(app): State<Shared>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Answered>, ApiError> {
    // What is no text is no call either.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let (id, answered_at) = answer(&app, &id).await?;
    Ok(Json(Answered { id, answered_at }))
}
