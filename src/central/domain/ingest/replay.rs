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
pub(crate) fn retry(retry: &Retry, entry: &KeptEntry, reading: Reading<'_>, held: Snapshot) -> Retried {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        central::domain::ingest::{Content, HeldChain, TimeBasis},
        central::domain::machine::Machine,
        model::{BootId, EntryId, Hash, Moment, TimeQuality},
        wire::{Body, Cleaning, Draft, Entry},
    };

    fn received() -> DateTime<Utc> {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn with_no_places() -> Retry {
        let hospital = Hospital {
            languages: Vec::new(),
            sites: Vec::new(),
            touchpoints: Vec::new(),
            questionnaires: Vec::new(),
        };
        Retry { site: "main".parse().unwrap(), zone: chrono_tz::UTC, hospital: Arc::new(hospital) }
    }

    fn kept(line: Vec<u8>, timed: Option<Timed>) -> KeptEntry {
        KeptEntry {
            terminal: "t-1".parse().unwrap(),
            chain: ChainId([7; 16]),
            line: Line { seq: 4, hash: Hash([1; 32]), content: Content::Line(line) },
            timed,
            received_at: received(),
        }
    }

    /// A line of a boot that was never seen.
    fn cleaning() -> Vec<u8> {
        let at = Moment {
            wall: DateTime::UNIX_EPOCH,
            boot: BootId::from_parts(9, [9; 10]),
            up_ms: 5,
            quality: TimeQuality::Unset,
        };
        let body = Body::Cleaning(Cleaning { touchpoint: "ward".parse().unwrap(), seconds: 60 });
        let draft = Draft { id: EntryId::from_parts(1, [1; 10]), at, body };
        Entry::new(draft, 4).to_line().unwrap().into_bytes()
    }

    fn tried(entry: &KeptEntry, held: Snapshot) -> Retried {
        retry(&with_no_places(), entry, Reading::new(std::slice::from_ref(&entry.line)), held)
    }

    #[test]
    fn what_is_still_not_understood_stays_with_its_reason() {
        let retried = tried(&kept(b"{]".to_vec(), None), Snapshot::default());
        assert!(!retried.understood && retried.timed.is_none());
        assert!(retried.state.reason().is_some_and(|reason| !reason.is_empty()));
    }

    #[test]
    fn what_is_understood_leaves_the_quarantine_and_keeps_the_time_it_got_first() {
        let first = Timed { at_ms: 5, basis: TimeBasis::Synced };
        let retried = tried(&kept(cleaning(), Some(first)), Snapshot::default());
        assert!(retried.understood);
        assert_eq!((retried.state, retried.timed), (EntryState::NotCounted, Some(first)));
    }

    #[test]
    fn entries_that_came_later_do_not_date_an_entry_after_its_arrival() {
        let owner = Machine { terminal: "t-1".parse().unwrap(), hardware: None };
        let last_known_ms = Some(received().timestamp_millis() + 60_000);
        let chain = HeldChain { owner, accepted_through: 9, head_hash: Hash([2; 32]), last_known_ms };
        let held = Snapshot { chain: Some(chain), ..Snapshot::default() };
        let timed = tried(&kept(cleaning(), None), held).timed.unwrap();
        assert_eq!(timed, Timed { at_ms: received().timestamp_millis(), basis: TimeBasis::Bounded });
    }
}
