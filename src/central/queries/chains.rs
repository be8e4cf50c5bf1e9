//! What central holds of each journal.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{QueryError, sites};
use crate::{
    central::app::App,
    model::{SiteId, TerminalId},
};

/// What is held of a journal.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct ChainRow {
    /// The site.
    #[schema(value_type = String)]
    pub(in crate::central) site: SiteId,
    /// The terminal that writes it.
    #[schema(value_type = String)]
    pub(in crate::central) terminal: TerminalId,
    /// The journal.
    pub(in crate::central) chain: String,
    /// `1-4012`; empty if nothing is held.
    pub(in crate::central) range: String,
    /// Whether that is all the terminal has written, as far as it said.
    pub(in crate::central) complete: bool,
    /// Last entry the terminal said it wrote in this journal.
    pub(in crate::central) last_seq: Option<u64>,
    /// Entries not understood.
    pub(in crate::central) quarantined: u64,
    /// Entries whose line did not come.
    pub(in crate::central) withheld: u64,
    /// Chain hash at the end of the range.
    pub(in crate::central) head_hash: String,
    /// When its last new entry came.
    pub(in crate::central) last_received: DateTime<Utc>,
    /// `t-abc: 1-4012 complete`.
    pub(in crate::central) summary: String,
}

/// What is held of each journal of one site, or of all.
pub(in crate::central) async fn chains(app: &App, site: Option<&str>) -> Result<Vec<ChainRow>, QueryError> {
    let mut rows = Vec::new();
    for site in sites(app, site)? {
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
    Ok(rows)
}
