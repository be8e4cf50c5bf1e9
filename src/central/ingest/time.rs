//! When an entry really happened.
//!
//! A terminal's wall clock may be wrong, its boot clock never jumps. An entry whose wall clock was disciplined keeps it. Any other is
//! dated by the moment its boot began, learnt from a signed contact (central's clock minus the terminal's up time) or from a
//! disciplined entry of the same boot; the first knowledge of a boot stays, so that a dated entry never moves. An entry of a boot
//! that was never seen is bounded by its neighbours: it has no hour, and counts in totals only.

use std::collections::HashMap;

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;

use crate::model::{BootId, Moment, TimeQuality};

/// Stands in a rollup's hour for "not known"; no hour starts at this second in any time zone.
pub const HOUR_UNKNOWN: i64 = -1;

/// How far ahead of central a disciplined clock may be before it is not believed: time servers differ by seconds, a wrong
/// one by hours.
const AHEAD_MS_MAX: i64 = 5 * 60 * 1000;

/// Where an entry's corrected time comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimeBasis {
    /// The terminal's own disciplined clock.
    Synced,
    /// The start of its boot plus its up time.
    Boot,
    /// Only its neighbours: the time is a lower bound.
    Bounded,
}

impl TimeBasis {
    /// The name in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Boot => "boot",
            Self::Bounded => "bounded",
        }
    }

    /// The basis with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Synced, Self::Boot, Self::Bounded].into_iter().find(|basis| basis.name() == name)
    }
}

/// An entry's corrected time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timed {
    /// Unix milliseconds; a lower bound where the basis is [`TimeBasis::Bounded`].
    pub at_ms: i64,
    /// Where it comes from.
    pub basis: TimeBasis,
}

impl Timed {
    /// Start of the site-local hour in Unix seconds, or [`HOUR_UNKNOWN`].
    pub fn hour(self, zone: Tz) -> i64 {
        match self.basis {
            TimeBasis::Bounded => HOUR_UNKNOWN,
            TimeBasis::Synced | TimeBasis::Boot => hour_start(self.at_ms, zone),
        }
    }
}

/// What taught the start of a boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LearntFrom {
    /// A signed request.
    Contact,
    /// An entry with a disciplined clock.
    Entry,
}

impl LearntFrom {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Entry => "entry",
        }
    }
}

/// When a boot began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootStart {
    /// Unix milliseconds.
    pub began_ms: i64,
    /// How that is known.
    pub from: LearntFrom,
}

/// Dates the entries of one journal, in order.
#[derive(Debug)]
pub struct Timekeeper {
    boots: HashMap<BootId, BootStart>,
    learnt: Vec<(BootId, BootStart)>,
    received_ms: i64,
    last_known_ms: Option<i64>,
}

impl Timekeeper {
    /// Starts from the boots known so far and the latest dated entry of the journal.
    pub fn new(
        boots: HashMap<BootId, BootStart>,
        last_known_ms: Option<i64>,
        received_at: DateTime<Utc>,
    ) -> Self {
        Self { boots, learnt: Vec::new(), received_ms: received_at.timestamp_millis(), last_known_ms }
    }

    /// Learns from the moment a signed request was sent.
    pub fn contact(&mut self, sent: &Moment) {
        self.learn(sent.boot, self.received_ms.saturating_sub(up(sent)), LearntFrom::Contact);
    }

    /// Learns from an entry, if its clock was disciplined.
    pub fn observe(&mut self, at: &Moment) {
        if self.believes(at) {
            self.learn(at.boot, at.wall.timestamp_millis().saturating_sub(up(at)), LearntFrom::Entry);
        }
    }

    /// Dates the next entry.
    pub fn date(&mut self, at: &Moment) -> Timed {
        let known = if self.believes(at) {
            Some((at.wall.timestamp_millis(), TimeBasis::Synced))
        } else {
            self.boots.get(&at.boot).map(|boot| (boot.began_ms.saturating_add(up(at)), TimeBasis::Boot))
        };
        match known {
            Some((at_ms, basis)) => {
                self.last_known_ms = Some(at_ms);
                Timed { at_ms, basis }
            }
            None => Timed {
                at_ms: self.last_known_ms.unwrap_or(self.received_ms).min(self.received_ms),
                basis: TimeBasis::Bounded,
            },
        }
    }

    /// The latest dated entry so far.
    pub fn last_known_ms(&self) -> Option<i64> {
        self.last_known_ms
    }

    /// The boots learnt since the start.
    pub fn learnt(&self) -> &[(BootId, BootStart)] {
        &self.learnt
    }

    fn believes(&self, at: &Moment) -> bool {
        at.quality == TimeQuality::Synced
            && at.wall.timestamp_millis() <= self.received_ms.saturating_add(AHEAD_MS_MAX)
    }

    fn learn(&mut self, boot: BootId, began_ms: i64, from: LearntFrom) {
        if let std::collections::hash_map::Entry::Vacant(free) = self.boots.entry(boot) {
            let start = *free.insert(BootStart { began_ms, from });
            self.learnt.push((boot, start));
        }
    }
}

fn up(at: &Moment) -> i64 {
    i64::try_from(at.up_ms).unwrap_or(i64::MAX)
}

/// Start of the site-local hour that holds a time in Unix milliseconds, in Unix seconds. The repeated hour at the end of summer
/// time keeps its two starts apart.
pub fn hour_start(at_ms: i64, zone: Tz) -> i64 {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    let local = at.with_timezone(&zone);
    at.timestamp() - i64::from(local.minute()) * 60 - i64::from(local.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn moment(wall: &str, boot: u64, up_ms: u64, quality: TimeQuality) -> Moment {
        Moment { wall: utc(wall), boot: BootId::from_parts(boot, [0; 10]), up_ms, quality }
    }

    #[test]
    fn an_entry_with_a_wrong_clock_is_dated_by_the_contact_of_its_boot() {
        let mut time = Timekeeper::new(HashMap::new(), None, utc("2026-11-21T10:00:00Z"));
        time.contact(&moment("1970-01-01T02:00:00Z", 1, 7_200_000, TimeQuality::Unset));
        let timed = time.date(&moment("1970-01-01T01:00:00Z", 1, 3_600_000, TimeQuality::Unset));
        assert_eq!(
            timed,
            Timed { at_ms: utc("2026-11-21T09:00:00Z").timestamp_millis(), basis: TimeBasis::Boot }
        );
    }

    #[test]
    fn entries_before_the_time_server_answered_are_dated_by_later_ones_of_the_same_boot() {
        let mut time = Timekeeper::new(HashMap::new(), None, utc("2026-11-21T10:00:00Z"));
        time.observe(&moment("2026-11-21T08:01:00Z", 1, 60_000, TimeQuality::Synced));
        let timed = time.date(&moment("1970-01-01T00:00:30Z", 1, 30_000, TimeQuality::Unset));
        assert_eq!(timed.at_ms, utc("2026-11-21T08:00:30Z").timestamp_millis());
    }

    #[test]
    fn a_boot_never_seen_is_bounded_and_has_no_hour() {
        let mut time = Timekeeper::new(HashMap::new(), None, utc("2026-11-21T10:00:00Z"));
        time.date(&moment("2026-11-20T08:00:00Z", 1, 60_000, TimeQuality::Synced));
        let timed = time.date(&moment("1970-01-01T00:00:30Z", 2, 30_000, TimeQuality::Estimated));
        assert_eq!(timed.basis, TimeBasis::Bounded);
        assert_eq!(timed.at_ms, utc("2026-11-20T08:00:00Z").timestamp_millis());
        assert_eq!(timed.hour(chrono_tz::UTC), HOUR_UNKNOWN);
    }

    #[test]
    fn a_disciplined_clock_from_the_future_is_not_believed() {
        let mut time = Timekeeper::new(HashMap::new(), None, utc("2026-11-21T10:00:00Z"));
        time.contact(&moment("2038-01-19T03:14:08Z", 1, 1000, TimeQuality::Synced));
        let timed = time.date(&moment("2038-01-19T03:14:07Z", 1, 0, TimeQuality::Synced));
        assert_eq!(timed.at_ms, utc("2026-11-21T09:59:59Z").timestamp_millis());
    }

    #[test]
    fn local_hours_start_where_the_clock_on_the_wall_says_so() {
        let at = |text: &str, zone| hour_start(utc(text).timestamp_millis(), zone);
        assert_eq!(
            at("2026-11-21T08:59:59.999Z", chrono_tz::Asia::Shanghai),
            utc("2026-11-21T08:00:00Z").timestamp()
        );
        assert_eq!(
            at("2026-11-21T08:20:00Z", chrono_tz::Asia::Kolkata),
            utc("2026-11-21T07:30:00Z").timestamp()
        );
        // London, 2026-10-25: 01:30 happens twice, an hour apart.
        let summer = at("2026-10-25T00:30:00Z", chrono_tz::Europe::London);
        let winter = at("2026-10-25T01:30:00Z", chrono_tz::Europe::London);
        assert_eq!(winter - summer, 3600);
    }
}
