//! What staff read: scores, reasons, single answers, quarantine, alarms.

pub(super) mod answers;
pub(super) mod figures;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{error::ApiError, router::Shared};
use crate::{
    model::{SiteId, TerminalId},
    wire::Problem,
};

/// Alarms shown.
pub(super) const ALARMS_MAX: usize = 100;

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
        (status = 404, description = "no such site", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the store failed", body = Problem, content_type = "application/problem+json"),
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

/// Something staff must know.
#[derive(Serialize, ToSchema)]
pub(super) struct AlarmRow {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// `clone` or `lost_entries`.
    kind: String,
    /// The journal it is about.
    subject: String,
    /// The terminal.
    #[schema(value_type = String)]
    terminal: TerminalId,
    /// First seen.
    first_at: DateTime<Utc>,
    /// Last seen.
    last_at: DateTime<Utc>,
    /// How often.
    times: u64,
    /// In words.
    detail: String,
}

/// Alarms, latest first.
#[utoipa::path(
    get, path = "/v1/alarms", tag = "operation", params(SiteQuery),
    responses(
        (status = 200, body = Vec<AlarmRow>),
        (status = 404, description = "no such site", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "the store failed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_alarms(
    State(app): State<Shared>,
    query: Result<Query<SiteQuery>, QueryRejection>,
) -> Result<Json<Vec<AlarmRow>>, ApiError> {
    let query = read_query(query)?;
    let mut rows = Vec::new();
    for site in app.sites(query.site.as_deref())? {
        rows.extend(app.store.alarms(&site.id, ALARMS_MAX).await?.into_iter().map(|alarm| AlarmRow {
            site: site.id.clone(),
            kind: alarm.kind,
            subject: alarm.subject,
            terminal: alarm.terminal,
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
