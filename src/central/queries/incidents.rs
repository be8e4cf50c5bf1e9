//! Incidents: what staff must know about the integrity of the data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{QueryError, sites};
use crate::{
    central::{
        app::App,
        domain::incidents::{IncidentKind, quarantine_words},
    },
    model::{SiteId, TerminalId},
};

/// Incidents on record that are shown.
const INCIDENTS_MAX: usize = 100;

/// Groups of quarantined entries listed among the incidents.
const QUARANTINE_GROUPS_MAX: usize = 50;

/// Something staff must know.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct IncidentRow {
    /// The site.
    #[schema(value_type = String)]
    pub(in crate::central) site: SiteId,
    /// What kind.
    pub(in crate::central) kind: IncidentKind,
    /// The journal it is about, or the reason that quarantined entries have in common; empty for central's configuration.
    pub(in crate::central) subject: String,
    /// The terminal; none where it is about central itself.
    #[schema(value_type = Option<String>)]
    pub(in crate::central) terminal: Option<TerminalId>,
    /// First seen.
    pub(in crate::central) first_at: DateTime<Utc>,
    /// Last seen.
    pub(in crate::central) last_at: DateTime<Utc>,
    /// How often; for the quarantine, how many entries.
    pub(in crate::central) times: u64,
    /// In words: what, and how to mend it.
    pub(in crate::central) detail: String,
}

/// Incidents: the configuration's first, then the quarantine by terminal and reason, then the others, latest first.
pub(in crate::central) async fn incidents(
    app: &App,
    site: Option<&str>,
) -> Result<Vec<IncidentRow>, QueryError> {
    let mut rows = Vec::new();
    for site in sites(app, site)? {
        rows.extend(app.trouble().map(|trouble| IncidentRow {
            site: site.id.clone(),
            kind: trouble.kind,
            subject: String::new(),
            terminal: None,
            first_at: trouble.at,
            last_at: trouble.at,
            times: 1,
            detail: trouble.detail,
        }));
        let groups = app.store.quarantine_groups(&site.id, QUARANTINE_GROUPS_MAX).await?;
        rows.extend(groups.into_iter().map(|group| IncidentRow {
            site: site.id.clone(),
            kind: IncidentKind::Quarantine,
            detail: quarantine_words(&group),
            subject: group.reason,
            terminal: Some(group.terminal),
            first_at: group.first_at,
            last_at: group.last_at,
            times: group.entries,
        }));
        rows.extend(app.store.incidents(&site.id, INCIDENTS_MAX).await?.into_iter().map(|incident| {
            IncidentRow {
                site: site.id.clone(),
                kind: incident.kind,
                subject: incident.subject,
                terminal: Some(incident.terminal),
                first_at: incident.first_at,
                last_at: incident.last_at,
                times: incident.times,
                detail: incident.detail,
            }
        }));
    }
    Ok(rows)
}
