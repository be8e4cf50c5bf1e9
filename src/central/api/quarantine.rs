//! Entries that were not understood: `/v1/quarantine`.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{SiteQuery, read_query};
use crate::{
    central::{app::Shared, error::ApiError},
    model::{SiteId, TerminalId},
};

/// Entries of the quarantine shown.
const QUARANTINE_MAX: usize = 200;

/// An entry that was not understood.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct QuarantineRow {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// The terminal.
    #[schema(value_type = String)]
    terminal: TerminalId,
    /// The journal.
    chain: String,
    /// Its place there.
    seq: u64,
    /// Why.
    reason: String,
    /// When it came.
    received_at: DateTime<Utc>,
    /// The line; bytes that are no UTF-8 are replaced.
    line: String,
}

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
    let mut rows = Vec::new();
    for site in app.sites(query.site.as_deref())? {
        rows.extend(app.store.quarantine(&site.id, QUARANTINE_MAX).await?.into_iter().map(|entry| {
            QuarantineRow {
                site: site.id.clone(),
                terminal: entry.terminal,
                chain: entry.chain.to_string(),
                seq: entry.seq,
                reason: entry.reason,
                received_at: entry.received_at,
                line: String::from_utf8_lossy(&entry.line).into_owned(),
            }
        }));
    }
    Ok(Json(rows))
}
