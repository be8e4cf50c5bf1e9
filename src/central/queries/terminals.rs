//! The terminals as staff see them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{QueryError, sites};
use crate::{
    central::{
        app::App,
        store::{SelfTested, Terminal},
    },
    model::{SiteId, TerminalId, TouchpointId},
    questionnaire::Texts,
    wire::EXAMPLE_HARDWARE,
};

/// A terminal not heard of for this many of its intervals is stale; one lost request is no reason to send somebody.
const STALE_INTERVALS: i64 = 3;

/// But never before this: a restart takes a minute.
const STALE_FROM: TimeDelta = TimeDelta::minutes(5);

/// A terminal as staff see it.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct TerminalRow {
    /// The site.
    #[schema(value_type = String)]
    pub(in crate::central) site: SiteId,
    /// Its name.
    #[schema(value_type = String)]
    pub(in crate::central) terminal: TerminalId,
    /// Where it stands.
    #[schema(value_type = String)]
    pub(in crate::central) touchpoint: TouchpointId,
    /// The touchpoint's name by language.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub(in crate::central) names: Texts,
    /// What tells the machine from a copy of its card.
    pub(in crate::central) hardware_id: String,
    /// Its answers were made by a program to show what the page looks like; nobody gave them.
    pub(in crate::central) example: bool,
    /// Program version.
    pub(in crate::central) software: String,
    /// When it was taken in.
    pub(in crate::central) enrolled_at: DateTime<Utc>,
    /// When its key was revoked.
    pub(in crate::central) revoked_at: Option<DateTime<Utc>>,
    /// Its last signed request.
    pub(in crate::central) last_seen: Option<DateTime<Utc>>,
    /// Not heard of for too long.
    pub(in crate::central) stale: bool,
    /// Entries waiting, as last reported.
    pub(in crate::central) queue_depth: Option<u64>,
    /// Age of the oldest of them, seconds.
    pub(in crate::central) oldest_unsent_s: Option<u64>,
    /// Entries central refused one by one.
    pub(in crate::central) refused: Option<u64>,
    /// What went wrong last.
    pub(in crate::central) last_error: Option<String>,
    /// Degrees Celsius.
    pub(in crate::central) temperature_c: Option<f32>,
    /// Free bytes.
    pub(in crate::central) disk_free_bytes: Option<u64>,
    /// What its clock is worth.
    #[schema(value_type = Option<String>)]
    pub(in crate::central) clock: Option<crate::model::TimeQuality>,
    /// The configuration in force.
    pub(in crate::central) config_hash: Option<String>,
    /// Program starts since its journal was made.
    pub(in crate::central) restarts: Option<u64>,
    /// When staff last tested one of its buttons.
    pub(in crate::central) self_test_at: Option<DateTime<Utc>>,
    /// Different buttons of that test.
    pub(in crate::central) self_test_targets: Option<u64>,
    /// How many buttons it has to test; `null` from programs that do not say.
    pub(in crate::central) self_test_of: Option<u64>,
}

/// All terminals of one site, or of all.
pub(in crate::central) async fn terminals(
    app: &App,
    site: Option<&str>,
) -> Result<Vec<TerminalRow>, QueryError> {
    let stale_before = stale_before(app);
    let mut rows = Vec::new();
    for site in sites(app, site)? {
        let tests = app.store.self_tests(&site.id).await?;
        rows.extend(app.store.terminals(&site.id).await?.into_iter().map(|terminal| {
            let tested = tests.iter().find(|test| test.terminal == terminal.id);
            terminal_row(app, terminal, tested, stale_before)
        }));
    }
    Ok(rows)
}

fn terminal_row(
    app: &App,
    terminal: Terminal,
    tested: Option<&SelfTested>,
    stale_before: DateTime<Utc>,
) -> TerminalRow {
    let heard = terminal.last_seen.unwrap_or(terminal.enrolled_at);
    let stale = terminal.revoked_at.is_none() && heard < stale_before;
    let in_force = app.in_force();
    let names =
        in_force.history.hospital.touchpoint(&terminal.touchpoint).map(|touchpoint| touchpoint.name.clone());
    let health = terminal.health.as_ref();
    TerminalRow {
        names: names.unwrap_or_default(),
        stale,
        queue_depth: health.map(|h| h.queue_depth),
        oldest_unsent_s: health.and_then(|h| h.oldest_unsent_s),
        refused: health.map(|h| h.refused),
        last_error: health.and_then(|h| h.last_error.clone()),
        temperature_c: health.and_then(|h| h.temperature_c),
        disk_free_bytes: health.and_then(|h| h.disk_free_bytes),
        clock: health.map(|h| h.clock),
        config_hash: health.map(|h| h.config_hash.clone()),
        restarts: health.map(|h| h.restarts),
        self_test_at: tested.map(|test| test.at),
        self_test_targets: tested.map(|test| test.targets),
        self_test_of: tested.and_then(|test| test.of),
        software: health.map_or(terminal.software, |h| h.software.clone()),
        site: terminal.site,
        terminal: terminal.id,
        touchpoint: terminal.touchpoint,
        example: terminal.hardware_id == EXAMPLE_HARDWARE,
        hardware_id: terminal.hardware_id,
        enrolled_at: terminal.enrolled_at,
        revoked_at: terminal.revoked_at,
        last_seen: terminal.last_seen,
    }
}

/// A terminal last heard of before this is stale.
pub(in crate::central) fn stale_before(app: &App) -> DateTime<Utc> {
    let intervals = TimeDelta::seconds(STALE_INTERVALS * i64::from(app.in_force().next_sync_after_s));
    app.now() - intervals.max(STALE_FROM)
}
