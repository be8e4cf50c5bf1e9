//! Where a terminal stands: at its enrolment's touchpoint until one of its entries says otherwise.
//!
//! A terminal says what it asks about when it starts and when that changes (`boot` and `config` entries). One that asks about several
//! touchpoints is not moved by each answer: it stays where it is as long as that is one of them. A terminal that never said (an older
//! program) is moved by its answers, but not back to where it stood within the last day, which is what a list to choose from looks like.
//!
//! Invariants:
//! - a row of the history is never changed, no two begin at the same time, and rows come at the corrected time of the entry, not of its arrival;
//! - what happened before the enrolment, or at an unknown time, moves nothing.

use super::time::{TimeBasis, Timed};
use crate::{
    model::TouchpointId,
    wire::{Body, Entry},
};

/// Answers within this time at two touchpoints mean that both are asked about.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What is known of a terminal's places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Since when it stands where, Unix milliseconds, earliest first.
    pub assigned: Vec<(i64, TouchpointId)>,
    /// What it last said that it asks about, and when; empty if it never said.
    pub told: (i64, Vec<TouchpointId>),
}

impl Standing {
    /// Takes an entry in; gives the new row of the history, if it moved the terminal.
    pub fn take(&mut self, entry: &Entry, at: Timed) -> Option<(i64, TouchpointId)> {
        if at.basis == TimeBasis::Bounded {
            return None;
        }
        let place = match &entry.body {
            Body::Boot(facts) => self.tell(at.at_ms, &facts.touchpoints),
            Body::Config(change) if change.accepted => self.tell(at.at_ms, &change.touchpoints),
            Body::Config(_) => None,
            Body::Answer(answer) => self.used(at.at_ms, &answer.touchpoint),
            Body::Reasons(reasons) => self.used(at.at_ms, &reasons.touchpoint),
            Body::ResponseEnd(end) => end.touchpoint.as_ref().and_then(|place| self.used(at.at_ms, place)),
            Body::HelpCalled(call) => self.used(at.at_ms, &call.touchpoint),
            Body::Cleaning(cleaning) => self.used(at.at_ms, &cleaning.touchpoint),
            Body::SelfTest(test) => self.used(at.at_ms, &test.touchpoint),
        }?;
        if self.assigned.iter().any(|(from, _)| *from == at.at_ms) {
            return None;
        }
        let row = (at.at_ms, place);
        let next = self.assigned.partition_point(|(from, _)| *from <= at.at_ms);
        self.assigned.insert(next, row.clone());
        Some(row)
    }

    /// The terminal says what it asks about: it moves to the first, unless it stands at one of them.
    fn tell(&mut self, at_ms: i64, places: &[TouchpointId]) -> Option<TouchpointId> {
        let first = places.first()?;
        if at_ms >= self.told.0 {
            self.told = (at_ms, places.to_vec());
        }
        let now = self.place_at(at_ms)?;
        (!places.contains(now)).then(|| first.clone())
    }

    /// Something happened at a touchpoint.
    fn used(&self, at_ms: i64, place: &TouchpointId) -> Option<TouchpointId> {
        let now = self.place_at(at_ms)?;
        let explained = if self.told.1.is_empty() {
            let recent = |(from, stood): &(i64, TouchpointId)| {
                stood == place && *from <= at_ms && at_ms.saturating_sub(*from) < DAY_MS
            };
            self.assigned.iter().any(recent)
        } else {
            self.told.1.contains(now) || !self.told.1.contains(place)
        };
        (now != place && !explained).then(|| place.clone())
    }

    fn place_at(&self, at_ms: i64) -> Option<&TouchpointId> {
        self.assigned.iter().rev().find(|(from, _)| *from <= at_ms).map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        faults::survived,
        model::{BootId, EntryId, Moment, TimeQuality},
        wire::{BootFacts, ConfigChange, Draft, HelpCall},
    };

    const HOUR: i64 = 60 * 60 * 1000;

    fn id(text: &str) -> TouchpointId {
        text.parse().unwrap()
    }

    fn ids(texts: &[&str]) -> Vec<TouchpointId> {
        texts.iter().map(|text| id(text)).collect()
    }

    fn enrolled_at(place: &str) -> Standing {
        Standing { assigned: vec![(0, id(place))], told: (0, Vec::new()) }
    }

    fn entry(body: Body) -> Entry {
        let at = Moment {
            wall: chrono::DateTime::UNIX_EPOCH,
            boot: BootId::from_parts(1, [0; 10]),
            up_ms: 0,
            quality: TimeQuality::Synced,
        };
        Entry::new(Draft { id: EntryId::from_parts(1, [1; 10]), at, body }, 1)
    }

    fn boot(places: &[&str]) -> Entry {
        entry(Body::Boot(BootFacts {
            software: String::new(),
            config_hash: String::new(),
            boot: BootId::from_parts(1, [0; 10]),
            clock: TimeQuality::Synced,
            touchpoints: ids(places),
            in_memory: false,
        }))
    }

    fn config(places: &[&str], accepted: bool) -> Entry {
        let touchpoints = ids(places);
        entry(Body::Config(ConfigChange { config_hash: String::new(), accepted, reason: None, touchpoints }))
    }

    fn call(place: &str) -> Entry {
        entry(Body::HelpCalled(HelpCall { touchpoint: id(place), lang: "en".parse().unwrap() }))
    }

    fn known(at_ms: i64) -> Timed {
        Timed { at_ms, basis: TimeBasis::Synced }
    }

    #[test]
    fn a_terminal_moves_when_its_configuration_says_so_and_once() {
        let mut standing = enrolled_at("desk-a");
        assert_eq!(standing.take(&boot(&["desk-a"]), known(HOUR)), None);
        assert_eq!(standing.take(&config(&["desk-c"], false), known(2 * HOUR)), None, "refused");
        assert_eq!(
            standing.take(&config(&["desk-b"], true), known(3 * HOUR)),
            Some((3 * HOUR, id("desk-b")))
        );
        assert_eq!(standing.take(&call("desk-b"), known(4 * HOUR)), None);
        assert_eq!(standing.take(&boot(&["desk-b"]), known(5 * HOUR)), None);
        survived!(32; standing.assigned.len() - 1, "move");
    }

    #[test]
    fn a_terminal_with_several_touchpoints_is_not_moved_by_each_answer() {
        let mut standing = enrolled_at("desk-a");
        assert_eq!(standing.take(&boot(&["desk-b", "desk-a"]), known(HOUR)), None);
        for (n, place) in ["desk-b", "desk-a", "desk-b"].into_iter().enumerate() {
            assert_eq!(standing.take(&call(place), known(HOUR + i64::try_from(n).unwrap())), None);
        }
    }

    #[test]
    fn a_terminal_that_never_said_what_it_asks_about_is_moved_by_what_happens_at_it() {
        let mut standing = enrolled_at("desk-a");
        assert_eq!(standing.take(&call("desk-b"), known(HOUR)), Some((HOUR, id("desk-b"))));
        assert_eq!(standing.take(&call("desk-a"), known(2 * HOUR)), None, "a list to choose from");
        assert_eq!(standing.take(&call("desk-a"), known(30 * HOUR)), Some((30 * HOUR, id("desk-a"))));
    }

    #[test]
    fn of_two_moves_at_the_same_time_the_first_stays() {
        let mut standing = enrolled_at("desk-a");
        assert_eq!(standing.take(&boot(&["desk-b"]), known(0)), None, "the time of its enrolment");
        assert!(standing.take(&config(&["desk-b"], true), known(HOUR)).is_some());
        assert_eq!(standing.take(&config(&["desk-c"], true), known(HOUR)), None);
        assert_eq!(standing.assigned.last().unwrap().1, id("desk-b"));
    }

    #[test]
    fn late_entries_write_history_and_do_not_move_the_terminal_back() {
        let mut standing = enrolled_at("desk-a");
        standing.take(&config(&["desk-c"], true), known(9 * HOUR));
        assert_eq!(
            standing.take(&config(&["desk-b"], true), known(3 * HOUR)),
            Some((3 * HOUR, id("desk-b")))
        );
        assert_eq!(standing.assigned.last().unwrap().1, id("desk-c"));
        assert_eq!(standing.take(&boot(&["desk-b"]), known(-HOUR)), None, "before the enrolment");
        let bounded = Timed { at_ms: 20 * HOUR, basis: TimeBasis::Bounded };
        assert_eq!(standing.take(&boot(&["desk-b"]), bounded), None);
        survived!(32; standing.assigned.len() - 1, "moves");
    }
}
