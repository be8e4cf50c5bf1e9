//! Calls for help that are open, and those of the last day.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{QueryError, short, sites};
use crate::{
    central::{
        app::App,
        domain::ingest::{HelpRow, TimeBasis},
        events::Event,
    },
    model::{EntryId, Lang, SiteId, TerminalId, TouchpointId, millis},
    questionnaire::{Hospital, Texts},
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
    pub(in crate::central) site: SiteId,
    /// The call.
    #[schema(value_type = String)]
    pub(in crate::central) id: EntryId,
    /// The terminal.
    #[schema(value_type = String)]
    pub(in crate::central) terminal: TerminalId,
    /// Where it stands.
    #[schema(value_type = String)]
    pub(in crate::central) touchpoint: TouchpointId,
    /// The touchpoint's name by language; empty if it is not configured.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub(in crate::central) names: Texts,
    /// The caller's language.
    #[schema(value_type = String)]
    pub(in crate::central) lang: Lang,
    /// How it stands.
    pub(in crate::central) state: CallState,
    /// It came too late to ring, whatever became of it since.
    pub(in crate::central) late: bool,
    /// When it was made, corrected for a wrong clock; the earliest that it can have been, where `time_known` is false.
    #[serde(with = "millis")]
    pub(in crate::central) at: DateTime<Utc>,
    /// Whether that time is known.
    pub(in crate::central) time_known: bool,
    /// Seconds since then by central's clock.
    pub(in crate::central) age_s: u64,
    /// When it came to central.
    #[serde(with = "millis")]
    pub(in crate::central) received_at: DateTime<Utc>,
    /// Calls this line stands for: more than one where a terminal sends so many that they would hide those of others. Marking the line
    /// answered marks all of them.
    pub(in crate::central) calls: u64,
    /// When staff marked it answered.
    pub(in crate::central) answered_at: Option<DateTime<Utc>>,
}

/// All calls that ring, and those of the last 24 hours.
pub(in crate::central) async fn calls(app: &App, site: Option<&str>) -> Result<Vec<CallRow>, QueryError> {
    let (now, in_force) = (app.now(), app.in_force());
    let mut rows = Vec::new();
    for site in sites(app, site)? {
        let calls = app.store.help_calls(&site.id, now - RECENT, CALLS_MAX).await?;
        rows.extend(calls.into_iter().map(|call| call_row(&in_force.history.hospital, &site.id, call, now)));
    }
    Ok(rows)
}

/// Marks a call answered; the first mark stays. Gives the call and when it was marked.
///
/// # Errors
/// [`QueryError`]: no such call, or a failing store.
pub(in crate::central) async fn answer(app: &App, id: &str) -> Result<(EntryId, DateTime<Utc>), QueryError> {
    let unknown = || QueryError::Unknown(format!("there is no call for help `{}`", short(id)));
    let call: EntryId = id.parse().map_err(|_| unknown())?;
    let now = app.now();
    for site in &app.hospital().sites {
        if let Some(answered_at) = app.store.answer_help(&site.id, call, now).await? {
            if answered_at.timestamp_millis() == now.timestamp_millis() {
                tracing::info!(%call, "a call for help was answered");
            }
            app.tell(Event::Help { site: site.id.clone() });
            return Ok((call, answered_at));
        }
    }
    Err(unknown())
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
