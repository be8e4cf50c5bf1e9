//! Tries an entry of the quarantine again, with the configuration in force.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{Context, EntryState, Line, Reading, Snapshot, Timed, Writes, project::project};
use crate::{
    model::{ChainId, SiteId, TerminalId},
    questionnaire::Hospital,
};

/// What is tried again with what.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The site.
    pub site: SiteId,
    /// Its time zone.
    pub zone: Tz,
    /// What is asked where.
    pub hospital: Arc<Hospital>,
}

/// What a replay of the quarantine did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Entries now understood.
    pub understood: u64,
    /// Entries that stay.
    pub remaining: u64,
}

/// An entry in the quarantine as it is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeptEntry {
    pub(crate) terminal: TerminalId,
    pub(crate) chain: ChainId,
    pub(crate) line: Line,
    pub(crate) timed: Option<Timed>,
    pub(crate) received_at: DateTime<Utc>,
}

impl KeptEntry {
    /// What the meaning of its line depends on.
    pub(crate) fn context<'a>(&'a self, retry: &'a Retry) -> Context<'a> {
        Context {
            hospital: &retry.hospital,
            site: &retry.site,
            zone: retry.zone,
            terminal: &self.terminal,
            chain: self.chain,
            received_at: self.received_at,
        }
    }
}

/// What a store writes because of an entry that was tried again.
#[derive(Debug)]
pub(crate) struct Retried {
    /// How the entry stands from now on.
    pub(crate) state: EntryState,
    /// Its corrected time; the first one stays.
    pub(crate) timed: Option<Timed>,
    /// Whether it has left the quarantine: its journal then has one entry less there.
    pub(crate) understood: bool,
    /// What it means. Its place in the journal stays as it is.
    pub(crate) writes: Writes,
}

/// Decides about an entry of the quarantine. `reading` reads its line alone, `held` is what
/// [`Ask::about_lines`](super::Ask::about_lines) names.
pub(crate) fn retry(retry: &Retry, entry: &KeptEntry, reading: Reading<'_>, mut held: Snapshot) -> Retried {
    if let Some(chain) = &mut held.chain {
        // Entries that came later say nothing about when this one was written.
        let received_ms = entry.received_at.timestamp_millis();
        chain.last_known_ms = chain.last_known_ms.map(|known| known.min(received_ms));
    }
    let writes = project(entry.context(retry), reading, held, None);
    let row = writes.entries.first();
    let state = row.map_or_else(|| EntryState::Quarantined(String::new()), |row| row.state.clone());
    Retried {
        timed: entry.timed.or(row.and_then(|row| row.timed)),
        understood: !matches!(state, EntryState::Quarantined(_)),
        state,
        writes,
    }
}
