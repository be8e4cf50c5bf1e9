//! Entries that were not understood.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{QueryError, sites};
use crate::{
    central::app::App,
    model::{SiteId, TerminalId},
};

/// Entries of the quarantine shown.
const QUARANTINE_MAX: usize = 200;

/// An entry that was not understood.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct QuarantineRow {
    /// The site.
    #[schema(value_type = String)]
    pub(in crate::central) site: SiteId,
    /// The terminal.
    #[schema(value_type = String)]
    pub(in crate::central) terminal: TerminalId,
    /// The journal.
    pub(in crate::central) chain: String,
    /// Its place there.
    pub(in crate::central) seq: u64,
    /// Why.
    pub(in crate::central) reason: String,
    /// When it came.
    pub(in crate::central) received_at: DateTime<Utc>,
    /// The line; bytes that are no UTF-8 are replaced.
    pub(in crate::central) line: String,
}

/// The latest entries of the quarantine.
pub(in crate::central) async fn quarantine(
    app: &App,
    site: Option<&str>,
) -> Result<Vec<QuarantineRow>, QueryError> {
    let mut rows = Vec::new();
    for site in sites(app, site)? {
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
    Ok(rows)
}
