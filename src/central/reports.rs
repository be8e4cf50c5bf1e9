//! Endpoints that staff read: scores, reasons, single answers, quarantine, alarms.

pub(super) mod answers;
pub(super) mod figures;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{error::ApiError, incidents, router::Shared};
use crate::model::{SiteId, TerminalId};

/// Alarms shown.
const ALARMS_MAX: usize = 100;

/// Entries of the quarantine shown.
const QUARANTINE_MAX: usize = 200;

/// Only some answers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SiteQuery {
    /// Only this site.
    pub(super) site: Option<String>,
}

/// An entry that was not understood.
#[derive(Serialize, ToSchema)]
pub(super) struct QuarantineRow {
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
pub(super) async fn list_quarantine(
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

/// Groups of quarantined entries listed among the incidents.
const QUARANTINE_GROUPS_MAX: usize = 50;

/// Something staff must know.
#[derive(Serialize, ToSchema)]
pub(super) struct AlarmRow {
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
pub(super) async fn list_alarms(
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

pub(super) fn read_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|rejection| ApiError::bad_request(rejection.body_text()))
}
