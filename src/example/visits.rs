//! Who comes when, and what they think. Pure: a seed, a hospital and a moment give a list.
//!
//! The numbers are those of a middling hospital (measured volumes are low: some 40 taps a day at one place): more visits in the morning and
//! on Mondays, none while a place is closed, queues that annoy at busy hours, one place that is poor, and one that has got better.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc, Weekday};

use crate::{
    chain,
    model::TouchpointId,
    questionnaire::{Hospital, Touchpoint},
};

/// Nobody comes while the one before is still there.
const APART: TimeDelta = TimeDelta::seconds(75);
/// Visits a place gets on an ordinary Wednesday, at least and at most.
const VISITS_A_DAY: (u64, u64) = (7, 18);
/// A place that was changed has been better for this many days.
const BETTER_FOR_DAYS: i64 = 9;
/// Tries to find an hour at which a place is open.
const TRIES: usize = 24;

/// Which history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The same seed, the same people.
    pub seed: u64,
    /// How many days, the last one being today.
    pub days: u32,
    /// Nobody comes later than this.
    pub until: DateTime<Utc>,
}

/// One visit.
#[derive(Clone, PartialEq, Debug)]
pub struct Visit {
    /// The day at the site.
    pub day: NaiveDate,
    /// When it begins.
    pub at: DateTime<Utc>,
    /// What is rated.
    pub touchpoint: TouchpointId,
    /// How content the visitor is, 0 to 1.
    pub mood: f64,
    /// Chooses the second language.
    pub second_language: bool,
    /// Walks away before answering.
    pub leaves: bool,
    /// What else this visitor decides.
    pub dice: u64,
}

/// Throws dice: `SplitMix64`, which is the same in every version of everything.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice for a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 for 0.
    pub const fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }

    /// True so many times of a hundred.
    pub const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// 0 to 1.
    pub fn unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(bits) / f64::from(u32::MAX)
    }
}

/// The visits of the first site, in order of their time.
pub fn make(hospital: &Hospital, wanted: &Wanted) -> Vec<Visit> {
    let Some(site) = hospital.sites.first() else { return Vec::new() };
    let zone = site.time_zone;
    let today = wanted.until.with_timezone(&zone).date_naive();
    let mut dice = Dice::new(wanted.seed);
    let mut visits = Vec::new();
    for back in (0..i64::from(wanted.days)).rev() {
        let Some(day) = today.checked_sub_signed(TimeDelta::days(back)) else { continue };
        for touchpoint in hospital.touchpoints.iter().filter(|touchpoint| touchpoint.site == site.id) {
            let character = Character::of(touchpoint);
            for _ in 0..character.visits_on(day, &mut dice) {
                let Some(time) = hour(&mut dice) else { continue };
                let local = zone.from_local_datetime(&day.and_time(time)).earliest();
                let Some(at) = local.map(|at| at.with_timezone(&Utc)) else { continue };
                let visit = Visit {
                    day,
                    at,
                    touchpoint: touchpoint.id.clone(),
                    mood: character.mood(back, time, &mut dice),
                    second_language: dice.percent(6),
                    leaves: dice.percent(4),
                    dice: dice.next(),
                };
                // Thrown for closed hours too, so that other opening hours do not change other visits.
                if touchpoint.hours.open_at(at, zone) {
                    visits.push(visit);
                }
            }
        }
    }
    visits.sort_by(|a, b| (a.at, &a.touchpoint).cmp(&(b.at, &b.touchpoint)));
    let mut free = DateTime::<Utc>::MIN_UTC;
    visits.retain_mut(|visit| {
        visit.at = visit.at.max(free);
        free = visit.at + APART;
        free <= wanted.until && visit.at.with_timezone(&zone).date_naive() == visit.day
    });
    visits
}

/// A time of day: mornings are busiest, as at every outpatient department.
fn hour(dice: &mut Dice) -> Option<NaiveTime> {
    /// Visits by hour from 0:00, in parts of a thousand or so.
    const BUSY: [u64; 24] =
        [4, 3, 2, 2, 3, 5, 14, 60, 130, 150, 130, 85, 40, 60, 95, 90, 60, 35, 22, 18, 14, 10, 8, 6];
    for _ in 0..TRIES {
        let hour = dice.below(24);
        let busy = BUSY.get(usize::try_from(hour).unwrap_or(0)).copied().unwrap_or(0);
        if dice.below(150) < busy {
            let (minute, second) = (dice.below(60), dice.below(60));
            let small = |n: u64| u32::try_from(n).unwrap_or(0);
            return NaiveTime::from_hms_opt(small(hour), small(minute), small(second));
        }
    }
    None
}

/// What a place is like, from its id: the same place is the same in every history.
struct Character {
    visits: u64,
    mood: f64,
    /// Falls at busy hours by this.
    queue: f64,
    /// Was worse by this until some days ago.
    was_worse: f64,
}

impl Character {
    fn of(touchpoint: &Touchpoint) -> Self {
        let hash = chain::sha256(touchpoint.id.as_str().as_bytes());
        let bits = hash.0.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte));
        let mut dice = Dice::new(bits);
        let (least, most) = VISITS_A_DAY;
        let visits = least + dice.below(most - least + 1);
        let usual = 0.72 + 0.2 * dice.unit();
        let (mood, queue, was_worse) = match touchpoint.id.as_str() {
            "toilet" => (0.52, 0.05, 0.0),
            "registration" | "payment" => (usual, 0.22, 0.0),
            "pharmacy" => (0.86, 0.08, 0.28),
            _ => (usual, 0.06, 0.0),
        };
        Self { visits, mood, queue, was_worse }
    }

    fn visits_on(&self, day: NaiveDate, dice: &mut Dice) -> u64 {
        let percent = match day.weekday() {
            Weekday::Mon => 125,
            Weekday::Tue => 112,
            Weekday::Wed => 100,
            Weekday::Thu => 98,
            Weekday::Fri => 92,
            Weekday::Sat => 55,
            Weekday::Sun => 38,
        };
        self.visits * percent * (75 + dice.below(51)) / 10_000
    }

    fn mood(&self, days_back: i64, time: NaiveTime, dice: &mut Dice) -> f64 {
        let busy = if (8..11).contains(&time.hour()) { self.queue } else { 0.0 };
        let before = if days_back > BETTER_FOR_DAYS { self.was_worse } else { 0.0 };
        let of_the_day = 0.3 * (dice.unit() + dice.unit() - 1.0);
        (self.mood - busy - before + of_the_day).clamp(0.02, 0.98)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn hospital() -> Hospital {
        crate::config::example().value.hospital
    }

    fn wanted() -> Wanted {
        // A Wednesday afternoon in Shanghai.
        Wanted { seed: 7, days: 28, until: "2026-11-25T07:00:00Z".parse().unwrap() }
    }

    #[test]
    fn the_same_seed_and_moment_give_the_same_visits_and_another_seed_others() {
        let (hospital, wanted) = (hospital(), wanted());
        assert_eq!(make(&hospital, &wanted), make(&hospital, &wanted));
        assert_ne!(make(&hospital, &wanted), make(&hospital, &Wanted { seed: 8, ..wanted }));
    }

    #[test]
    fn nobody_comes_to_a_closed_place_or_later_than_now_or_while_another_is_there() {
        let (hospital, wanted) = (hospital(), wanted());
        let visits = make(&hospital, &wanted);
        assert!(visits.len() > 2_000 && visits.len() < 8_000, "{}", visits.len());
        for pair in visits.windows(2) {
            assert!(pair[1].at - pair[0].at >= APART);
        }
        // Waiting for the one before may take somebody past closing time, but not for long.
        let late = visits.iter().filter(|visit| {
            let touchpoint = hospital.touchpoint(&visit.touchpoint).unwrap();
            !touchpoint.hours.open_at(visit.at, chrono_tz::Asia::Shanghai)
        });
        assert!(late.count() * 50 < visits.len());
        assert!(visits.iter().all(|visit| visit.at < wanted.until));
        let days: std::collections::BTreeSet<NaiveDate> = visits.iter().map(|visit| visit.day).collect();
        assert_eq!(days.len(), 28);
    }

    #[test]
    fn weekdays_hours_and_places_differ_as_in_a_hospital() {
        let (hospital, wanted) = (hospital(), wanted());
        let visits = make(&hospital, &wanted);
        let on = |day: Weekday| visits.iter().filter(|visit| visit.day.weekday() == day).count();
        assert!(on(Weekday::Mon) > 2 * on(Weekday::Sun), "{} and {}", on(Weekday::Mon), on(Weekday::Sun));
        let at = |hour| {
            let local = |visit: &&Visit| visit.at.with_timezone(&chrono_tz::Asia::Shanghai).hour() == hour;
            visits.iter().filter(local).count()
        };
        assert!(at(9) > 3 * at(18), "{} and {}", at(9), at(18));
        let mut moods: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for visit in &visits {
            moods.entry(visit.touchpoint.as_str()).or_default().push(visit.mood);
        }
        #[expect(clippy::cast_precision_loss, reason = "some hundred visits")]
        let mean = |id: &str| moods[id].iter().sum::<f64>() / moods[id].len() as f64;
        assert!(mean("toilet") + 0.15 < mean("consulting"), "{} and {}", mean("toilet"), mean("consulting"));
        assert!(moods.values().all(|visits| visits.len() >= 30), "each place has enough to be shown plainly");
    }
}
