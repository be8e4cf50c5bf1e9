//! Corrects the time of an entry where the terminal's clock was wrong.
//!
//! A terminal's wall clock may be wrong, its boot clock never jumps. An entry whose wall clock was disciplined keeps it. Any other is
//! dated by the moment its boot began, learnt from a signed contact (central's clock minus the terminal's up time) or from a
//! disciplined entry of the same boot; the first knowledge of a boot stays, so that a dated entry never moves. An entry of a boot
//! that was never seen is bounded by its neighbours: it has no hour, and counts in totals only.
//!
//! Invariants:
//! - no time is known that is later than [`AHEAD_MS_MAX`] after central received the entry, or earlier than [`EARLIEST_MS`]: what a
//!   broken clock claims beyond that is bounded like a boot that was never seen;
//! - no number of a terminal overflows: every sum saturates.

use std::collections::HashMap;

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;

use crate::model::{BootId, Moment, TimeQuality};

/// Stands in a rollup's hour for "not known"; no hour starts at this second in any time zone.
pub(crate) const HOUR_UNKNOWN: i64 = -1;

/// How far ahead of central a disciplined clock may be before it is not believed: time servers differ by seconds, a wrong
/// one by hours.
const AHEAD_MS_MAX: i64 = 5 * 60 * 1000;

/// 2000-01-01: no entry is older, and feedback that was collected before there were terminals can still be taken in under its own dates.
pub(crate) const EARLIEST_MS: i64 = 946_684_800_000;

/// Whether something that was received at one time can have happened at another, both in Unix milliseconds.
pub(crate) fn is_possible(at_ms: i64, received_ms: i64) -> bool {
    EARLIEST_MS <= at_ms && at_ms <= received_ms.saturating_add(AHEAD_MS_MAX)
}

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

    /// The source with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Contact, Self::Entry].into_iter().find(|source| source.name() == name)
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

impl BootStart {
    /// The start of a boot whose up time was told in a signed request, if it is possible.
    pub(crate) fn from_contact(sent: &Moment, received_ms: i64) -> Option<Self> {
        Self::possible(received_ms.saturating_sub(up(sent.up_ms)), received_ms, LearntFrom::Contact)
    }

    fn possible(began_ms: i64, received_ms: i64, from: LearntFrom) -> Option<Self> {
        is_possible(began_ms, received_ms).then_some(Self { began_ms, from })
    }

    /// When something happened that long into the boot, if it is possible.
    pub fn date(self, up_ms: u64, received_ms: i64) -> Option<Timed> {
        let at_ms = self.began_ms.saturating_add(up(up_ms));
        is_possible(at_ms, received_ms).then_some(Timed { at_ms, basis: TimeBasis::Boot })
    }
}

/// Dates the entries of one journal, in order.
#[derive(Debug)]
pub(crate) struct Timekeeper {
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
        self.learn(sent.boot, BootStart::from_contact(sent, self.received_ms));
    }

    /// Learns from an entry, if its clock was disciplined.
    pub(crate) fn observe(&mut self, at: &Moment) {
        if self.believes(at) {
            let began_ms = at.wall.timestamp_millis().saturating_sub(up(at.up_ms));
            self.learn(at.boot, BootStart::possible(began_ms, self.received_ms, LearntFrom::Entry));
        }
    }

    /// Dates the next entry.
    pub fn date(&mut self, at: &Moment) -> Timed {
        let known = if self.believes(at) {
            Some(Timed { at_ms: at.wall.timestamp_millis(), basis: TimeBasis::Synced })
        } else {
            self.boots.get(&at.boot).and_then(|boot| boot.date(at.up_ms, self.received_ms))
        };
        if let Some(timed) = known {
            self.last_known_ms = Some(timed.at_ms);
            return timed;
        }
        // What an earlier version stored may be out of range.
        let neighbour = self.last_known_ms.filter(|at_ms| is_possible(*at_ms, self.received_ms));
        Timed {
            at_ms: neighbour.unwrap_or(self.received_ms).min(self.received_ms),
            basis: TimeBasis::Bounded,
        }
    }

    /// The latest dated entry so far.
    pub(crate) fn last_known_ms(&self) -> Option<i64> {
        self.last_known_ms
    }

    /// The boots learnt since the start.
    pub(crate) fn learnt(&self) -> &[(BootId, BootStart)] {
        &self.learnt
    }

    fn believes(&self, at: &Moment) -> bool {
        at.quality == TimeQuality::Synced && is_possible(at.wall.timestamp_millis(), self.received_ms)
    }

    fn learn(&mut self, boot: BootId, start: Option<BootStart>) {
        if let (std::collections::hash_map::Entry::Vacant(free), Some(start)) =
            (self.boots.entry(boot), start)
        {
            free.insert(start);
            self.learnt.push((boot, start));
        }
    }
}

fn up(up_ms: u64) -> i64 {
    i64::try_from(up_ms).unwrap_or(i64::MAX)
}

/// Start of the site-local hour that holds a time in Unix milliseconds, in Unix seconds. The repeated hour at the end of summer
/// time keeps its two starts apart.
pub(crate) fn hour_start(at_ms: i64, zone: Tz) -> i64 {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    let local = at.with_timezone(&zone);
    let into_hour = i64::from(local.minute()) * 60 + i64::from(local.second());
    at.timestamp().saturating_sub(into_hour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::survived;

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
        survived!(33; 1, "wrong clock");
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
        survived!(34; 1, "start");
    }

    #[test]
    fn a_disciplined_clock_from_the_future_is_not_believed() {
        let mut time = Timekeeper::new(HashMap::new(), None, utc("2026-11-21T10:00:00Z"));
        time.contact(&moment("2038-01-19T03:14:08Z", 1, 1000, TimeQuality::Synced));
        let timed = time.date(&moment("2038-01-19T03:14:07Z", 1, 0, TimeQuality::Synced));
        assert_eq!(timed.at_ms, utc("2026-11-21T09:59:59Z").timestamp_millis());
        survived!(33; 1, "wrong clock");
    }

    const EDGES_MS: [u64; 9] =
        [0, 1, 86_400_000, 1 << 41, 1 << 53, 8_210_266_876_799_999, (1 << 63) - 1, 1 << 63, u64::MAX];

    /// Times at and around the ends of chrono's calendar and of the numbers.
    fn walls() -> Vec<DateTime<Utc>> {
        let end = DateTime::<Utc>::MAX_UTC;
        let texts =
            ["1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2026-11-21T10:04:59Z", "2026-11-21T10:05:01Z"];
        let near_end = [end, end - chrono::TimeDelta::hours(8), end - chrono::TimeDelta::milliseconds(1)];
        texts.map(utc).into_iter().chain(near_end).chain([DateTime::<Utc>::MIN_UTC]).collect()
    }

    /// Everything that a moment can lead to: a known time is possible and can be written in every zone, a bounded one lies in the past.
    fn hold(timed: Timed, received: DateTime<Utc>) {
        let received_ms = received.timestamp_millis();
        let latest = if timed.basis == TimeBasis::Bounded { received_ms } else { received_ms + AHEAD_MS_MAX };
        assert!((EARLIEST_MS..=latest).contains(&timed.at_ms), "{timed:?}");
        for zone in [chrono_tz::UTC, chrono_tz::Asia::Shanghai, chrono_tz::America::New_York] {
            let at = DateTime::<Utc>::from_timestamp_millis(timed.at_ms).unwrap();
            assert!(crate::model::rfc3339(at, &zone, chrono::SecondsFormat::Millis).is_some());
            timed.hour(zone);
        }
    }

    #[test]
    fn nothing_later_than_five_minutes_after_its_arrival_is_known_whatever_clocks_and_up_times_say() {
        let received = utc("2026-11-21T10:00:00Z");
        let qualities = [TimeQuality::Synced, TimeQuality::Estimated, TimeQuality::Unset];
        for sent_up in EDGES_MS {
            for (up, wall) in
                EDGES_MS.into_iter().flat_map(|up| walls().into_iter().map(move |wall| (up, wall)))
            {
                for quality in qualities {
                    let moment =
                        |up_ms| Moment { wall, boot: BootId::from_parts(1, [0; 10]), up_ms, quality };
                    let mut time = Timekeeper::new(HashMap::new(), Some(i64::MAX), received);
                    time.contact(&moment(sent_up));
                    time.observe(&moment(up));
                    hold(time.date(&moment(up)), received);
                    for (_, start) in time.learnt() {
                        start
                            .date(up, received.timestamp_millis())
                            .into_iter()
                            .for_each(|at| hold(at, received));
                    }
                }
            }
        }
    }

    #[test]
    fn an_impossible_start_of_a_boot_does_not_stand_in_the_way_of_the_right_one() {
        let mut time = Timekeeper::new(HashMap::new(), None, utc("2026-11-21T10:00:00Z"));
        time.contact(&moment("1970-01-01T00:00:00Z", 1, u64::MAX, TimeQuality::Unset));
        time.contact(&moment("1970-01-01T00:00:00Z", 1, 3_600_000, TimeQuality::Unset));
        let timed = time.date(&moment("1970-01-01T00:00:00Z", 1, 0, TimeQuality::Unset));
        assert_eq!(
            timed,
            Timed { at_ms: utc("2026-11-21T09:00:00Z").timestamp_millis(), basis: TimeBasis::Boot }
        );
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
        survived!(35; 3, "zones");
    }
}

#[cfg(test)]
mod random {
    use proptest::prelude::*;

    use super::*;

    fn any_moment() -> impl Strategy<Value = Moment> {
        let quality =
            prop_oneof![Just(TimeQuality::Synced), Just(TimeQuality::Estimated), Just(TimeQuality::Unset)];
        let wall = (DateTime::<Utc>::MIN_UTC.timestamp_millis()
            ..=DateTime::<Utc>::MAX_UTC.timestamp_millis())
            .prop_map(|ms| DateTime::from_timestamp_millis(ms).unwrap_or_default());
        (wall, 0..3_u64, any::<u64>(), quality).prop_map(|(wall, boot, up_ms, quality)| Moment {
            wall,
            boot: BootId::from_parts(boot, [0; 10]),
            up_ms,
            quality,
        })
    }

    proptest! {
        #[test]
        fn no_moment_leads_to_an_impossible_time(
            sent in any_moment(),
            moments in prop::collection::vec(any_moment(), 1..8),
            received_s in 946_684_800_i64..4_102_444_800,
        ) {
            let received = DateTime::from_timestamp(received_s, 0).unwrap_or_default();
            let mut time = Timekeeper::new(HashMap::new(), None, received);
            time.contact(&sent);
            moments.iter().for_each(|at| time.observe(at));
            for at in &moments {
                let timed = time.date(at);
                prop_assert!(is_possible(timed.at_ms, received.timestamp_millis()));
                prop_assert!(timed.basis != TimeBasis::Bounded || timed.at_ms <= received.timestamp_millis());
            }
        }
    }
}
