//! Calls for help that are open, and their acknowledgement by staff.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{SiteQuery, read_query};
use crate::central::{
    app::Shared,
    domain::ingest::{HelpRow, TimeBasis},
    error::ApiError,
    events::Event,
};
use crate::{
    model::{EntryId, Lang, SiteId, TerminalId, TouchpointId, millis},
    questionnaire::{Hospital, Texts},
    wire::Problem,
};

/// Calls of a site listed; those that ring come first.
const CALLS_MAX: usize = 200;

/// Calls that no longer ring are listed for this long after they came: the shift that follows can still read what happened.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// How a call stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::central) enum CallState {
    /// It rings.
    Open,
    /// It came more than 30 minutes after it was made, or nobody knows when it was made: it never rang.
    Late,
    /// Staff marked it answered.
    Answered,
}

/// A call for help.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct CallRow {
    /// The site.
    #[schema(value_type = String)]
    site: SiteId,
    /// The call.
    #[schema(value_type = String)]
    id: EntryId,
    /// The terminal.
    #[schema(value_type = String)]
    terminal: TerminalId,
    /// Where it stands.
    #[schema(value_type = String)]
    touchpoint: TouchpointId,
    /// The touchpoint's name by language; empty if it is not configured.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    names: Texts,
    /// The caller's language.
    #[schema(value_type = String)]
    lang: Lang,
    /// How it stands.
    state: CallState,
    /// It came too late to ring, whatever became of it since.
    late: bool,
    /// When it was made, corrected for a wrong clock; the earliest that it can have been, where `time_known` is false.
    #[serde(with = "millis")]
    at: DateTime<Utc>,
    /// Whether that time is known.
    time_known: bool,
    /// Seconds since then by central's clock.
    age_s: u64,
    /// When it came to central.
    #[serde(with = "millis")]
    received_at: DateTime<Utc>,
    /// Calls this line stands for: more than one where a terminal sends so many that they would hide those of others. Marking the line
    /// answered marks all of them.
    calls: u64,
    /// When staff marked it answered.
    answered_at: Option<DateTime<Utc>>,
}

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
    let (now, in_force) = (app.now(), app.in_force());
    let mut rows = Vec::new();
    for site in app.sites(query.site.as_deref())? {
        let calls = app.store.help_calls(&site.id, now - RECENT, CALLS_MAX).await?;
        rows.extend(calls.into_iter().map(|call| call_row(&in_force.history.hospital, &site.id, call, now)));
    }
    Ok(Json(rows))
}

fn call_row(hospital: &Hospital, site: &SiteId, call: HelpRow, now: DateTime<Utc>) -> CallRow {
    let instant = |ms: i64| DateTime::from_timestamp_millis(ms).unwrap_or_default();
    let at = instant(call.timed.at_ms);
    let state = match (call.answered_ms, call.late) {
        (Some(_), _) => CallState::Answered,
        (None, true) => CallState::Late,
        (None, false) => CallState::Open,
    };
    CallRow {
        site: site.clone(),
        id: call.id,
        terminal: call.terminal,
        names: hospital.touchpoint(&call.touchpoint).map(|found| found.name.clone()).unwrap_or_default(),
        touchpoint: call.touchpoint,
        lang: call.lang,
        state,
        late: call.late,
        at,
        time_known: call.timed.basis != TimeBasis::Bounded,
        age_s: u64::try_from((now - at).num_seconds()).unwrap_or(0),
        received_at: instant(call.received_ms),
        calls: call.calls,
        answered_at: call.answered_ms.map(instant),
    }
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
    let unknown = || ApiError::not_found(format!("there is no call for help `{id}`"));
    let call: EntryId = id.parse().map_err(|_| unknown())?;
    let now = app.now();
    for site in &app.hospital().sites {
        if let Some(answered_at) = app.store.answer_help(&site.id, call, now).await? {
            if answered_at.timestamp_millis() == now.timestamp_millis() {
                tracing::info!(%call, "a call for help was answered");
            }
            app.tell(Event::Help { site: site.id.clone() });
            return Ok(Json(Answered { id: call, answered_at }));
        }
    }
    Err(unknown())
}
