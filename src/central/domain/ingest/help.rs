//! Calls for help and tested buttons: entries that staff are shown and that count in no score.
//!
//! A call rings at once or not at all. Whether it does is decided when it arrives and stays so: a terminal that was offline for a day
//! must not call staff for somebody who went home yesterday.

use super::{
    project::Context,
    time::{TimeBasis, Timed},
};
use crate::{
    model::{EntryId, Lang, TerminalId, TouchpointId},
    wire::HelpCall,
};

/// A call that arrives later than this after it was made does not ring: by then who called has found help or has gone, and a ring
/// that is mostly false is soon ignored.
pub(crate) const LATE_AFTER_MS: i64 = 30 * 60 * 1000;

/// Calls of one terminal that stand in the list one by one, of those that came within [`HELP_SPAN_MS`] and are open. More than that is a
/// stuck button or a broken program: it is stored and counted, and stands in the list as one line, so that it hides no other call.
pub(crate) const HELP_OPEN_MAX: u64 = 20;

/// See [`HELP_OPEN_MAX`].
pub(super) const HELP_SPAN_MS: i64 = 60 * 60 * 1000;

/// A call for help as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelpRow {
    /// Its entry's id.
    pub id: EntryId,
    /// The terminal.
    pub terminal: TerminalId,
    /// Where the terminal said it stands; not necessarily configured.
    pub touchpoint: TouchpointId,
    /// The caller's language.
    pub lang: Lang,
    /// Corrected time.
    pub timed: Timed,
    /// When central received it, Unix milliseconds.
    pub received_ms: i64,
    /// It came too late to ring.
    pub late: bool,
    /// It is one of too many of its terminal: it stands in a line with the others.
    pub folded: bool,
    /// Calls that this line of the list stands for.
    pub calls: u64,
    /// When staff marked it answered, Unix milliseconds.
    pub answered_ms: Option<i64>,
}

impl HelpRow {
    /// A call that has just arrived.
    pub(super) fn new(id: EntryId, context: Context<'_>, call: &HelpCall, timed: Timed) -> Self {
        let received_ms = context.received_at.timestamp_millis();
        Self {
            id,
            terminal: context.terminal.clone(),
            touchpoint: call.touchpoint.clone(),
            lang: call.lang.clone(),
            timed,
            received_ms,
            late: is_late(timed, received_ms),
            folded: false,
            calls: 1,
            answered_ms: None,
        }
    }

    /// Whether it rings; if so, it takes one of the places its terminal has in the list.
    pub(super) fn take_place(mut self, open: &mut u64) -> Self {
        if !self.late {
            self.folded = *open >= HELP_OPEN_MAX;
            *open = open.saturating_add(1);
        }
        self
    }

    /// Whether it rings.
    pub fn is_open(&self) -> bool {
        !self.late && self.answered_ms.is_none()
    }
}

/// Whether a call comes too late to ring. One whose time is not known does: it was made before a restart, in a boot that never
/// reached central.
pub(crate) fn is_late(timed: Timed, received_ms: i64) -> bool {
    timed.basis == TimeBasis::Bounded || received_ms.saturating_sub(timed.at_ms) > LATE_AFTER_MS
}

/// A tested button as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TestedRow {
    /// Which button.
    pub target: String,
    /// How many the terminal has to test, where it said so.
    pub of: Option<u32>,
    /// Corrected time, Unix milliseconds.
    pub at_ms: i64,
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::{
        central::domain::ingest::{Content, Line, Reading, Snapshot, project},
        model::{BootId, ChainId, Hash, Moment, TimeQuality},
        questionnaire::Hospital,
        wire::{Body, Draft, Entry},
    };

    #[test]
    fn a_call_rings_if_it_arrives_within_half_an_hour_and_its_time_is_known() {
        let at = |at_ms, basis| Timed { at_ms, basis };
        for basis in [TimeBasis::Synced, TimeBasis::Boot] {
            assert!(!is_late(at(1_000, basis), 1_000 + LATE_AFTER_MS));
            assert!(is_late(at(1_000, basis), 1_001 + LATE_AFTER_MS));
            // A clock that is a little ahead of central's.
            assert!(!is_late(at(1_000, basis), 0));
        }
        assert!(is_late(at(1_000, TimeBasis::Bounded), 1_000));
    }

    #[test]
    fn a_call_tried_again_from_the_quarantine_does_not_ring() {
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
        let at = Moment {
            wall: now,
            boot: BootId::from_parts(1, [0; 10]),
            up_ms: 5,
            quality: TimeQuality::Synced,
        };
        let body =
            Body::HelpCalled(HelpCall { touchpoint: "ward".parse().unwrap(), lang: "en".parse().unwrap() });
        let entry = Entry::new(Draft { id: EntryId::from_parts(1, [1; 10]), at, body }, 1);
        let content = Content::Line(entry.to_line().unwrap().into_bytes());
        let lines = [Line { seq: 1, hash: Hash([0; 32]), content }];
        let hospital = Hospital {
            languages: Vec::new(),
            sites: Vec::new(),
            touchpoints: Vec::new(),
            questionnaires: Vec::new(),
        };
        let about = Context {
            hospital: &hospital,
            site: &"main".parse().unwrap(),
            zone: chrono_tz::UTC,
            terminal: &"t-1".parse().unwrap(),
            chain: ChainId([1; 16]),
            received_at: now,
        };
        let rings = |sent| project(about, Reading::new(&lines), Snapshot::default(), sent).help[0].is_open();
        assert!(rings(Some(&at)));
        assert!(!rings(None));
    }
}
