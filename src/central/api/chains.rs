//! What is held of each journal: `/v1/chains`.

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

/// What is held of a journal.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct ChainRow {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// The terminal that writes it.
    #[schema(value_type = String)]
    terminal: TerminalId,
    /// The journal.
    chain: String,
    /// `1-4012`; empty if nothing is held.
    range: String,
    /// Whether that is all the terminal has written, as far as it said.
    complete: bool,
    /// Last entry the terminal said it wrote in this journal.
    last_seq: Option<u64>,
    /// Entries not understood.
    quarantined: u64,
    /// Entries whose line did not come.
    withheld: u64,
    /// Chain hash at the end of the range.
    head_hash: String,
    /// When its last new entry came.
    last_received: DateTime<Utc>,
    /// `t-abc: 1-4012 complete`.
    summary: String,
}

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
    let mut rows = Vec::new();
    for site in app.sites(query.site.as_deref())? {
        let terminals = app.store.terminals(&site.id).await?;
        for held in app.store.chains(&site.id).await? {
            let through = held.cursor.accepted_through;
            let last_seq = terminals
                .iter()
                .filter_map(|terminal| terminal.health.as_ref())
                .find(|health| health.chain == held.chain)
                .map(|health| health.last_seq);
            let complete = last_seq.is_none_or(|last| last <= through);
            let range = format!("1-{through}");
            let word = if complete { "complete" } else { "incomplete" };
            rows.push(ChainRow {
                site: site.id.clone(),
                summary: format!("{}: {range} {word}", held.cursor.terminal),
                terminal: held.cursor.terminal,
                chain: held.chain.to_string(),
                range,
                complete,
                last_seq,
                quarantined: held.quarantined,
                withheld: held.withheld,
                head_hash: held.cursor.head_hash.to_string(),
                last_received: held.cursor.last_received,
            });
        }
    }
    Ok(Json(rows))
}
