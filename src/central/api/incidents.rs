//! Incidents: what staff must know about the integrity of the data.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{SiteQuery, read_query};
use crate::{
    central::{app::Shared, domain::incidents, error::ApiError},
    model::{SiteId, TerminalId},
};

/// Alarms shown.
const ALARMS_MAX: usize = 100;

/// Groups of quarantined entries listed among the incidents.
const QUARANTINE_GROUPS_MAX: usize = 50;

/// Something staff must know.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct AlarmRow {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// `clone`, `lost_entries`, `quarantine` (entries that are kept and not understood), `config_refused`, `restart_needed` or `site_missing`.
    kind: String,
    /// The journal it is about, or the reason that quarantined entries have in common; empty for central's configuration.
    subject: String,
    /// The terminal; none where it is about central itself.
    #[schema(value_type = Option<String>)]
    terminal: Option<TerminalId>,
    /// First seen.
    first_at: DateTime<Utc>,
    /// Last seen.
    last_at: DateTime<Utc>,
    /// How often; for the quarantine, how many entries.
    times: u64,
    /// In words: what, and how to mend it.
    detail: String,
}

/// Incidents: the configuration's first, then the quarantine by terminal and reason, then the others, latest first.
///
/// Those of the configuration and the quarantine end when they are mended.
#[utoipa::path(
    get, path = "/v1/alarms", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<AlarmRow>),
    )
)]
pub(in crate::central) async fn list_alarms(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<AlarmRow>>, ApiError> {
    let query = read_query(query)?;
    let mut rows = Vec::new();
    for site in app.sites(query.site.as_deref())? {
        rows.extend(app.trouble().map(|trouble| AlarmRow {
            site: site.id.clone(),
            kind: trouble.kind.to_owned(),
            subject: String::new(),
            terminal: None,
            first_at: trouble.at,
            last_at: trouble.at,
            times: 1,
            detail: trouble.detail,
        }));
        let groups = app.store.quarantine_groups(&site.id, QUARANTINE_GROUPS_MAX).await?;
        rows.extend(groups.into_iter().map(|group| AlarmRow {
            site: site.id.clone(),
            kind: "quarantine".to_owned(),
            detail: incidents::quarantine_words(&group),
            subject: group.reason,
            terminal: Some(group.terminal),
            first_at: group.first_at,
            last_at: group.last_at,
            times: group.entries,
        }));
        rows.extend(app.store.alarms(&site.id, ALARMS_MAX).await?.into_iter().map(|alarm| AlarmRow {
            site: site.id.clone(),
            kind: alarm.kind,
            subject: alarm.subject,
            terminal: Some(alarm.terminal),
            first_at: alarm.first_at,
            last_at: alarm.last_at,
            times: alarm.times,
            detail: alarm.detail,
        }));
    }
    Ok(Json(rows))
}
