//! Real feedback from a file, tapped row by row on the real pages.
//!
//! [`crate::replay`] has read the file. Where it knows no time of day, visits are spread over the opening hours of their day. There may be
//! more of them than a day has room for on one screen (exports often date a whole month on its last day): the wall clock follows the file,
//! the boot clock goes on as the visits do.

use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::visitor::{Outcome, Visitor};
use crate::{
    model::TouchpointId,
    questionnaire::Hospital,
    replay::{Plan, Row},
};

/// Visits of a day begin at this local hour, and are over after this many milliseconds.
const OPENS_HOUR: i64 = 8;
const OPEN_MS: i64 = 10 * 3_600 * 1_000;
/// Between two visitors: nobody is taken for a repeat of the one before.
const BETWEEN_VISITS_MS: u64 = 30_000;

/// What a terminal needs to replay a file.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The hospital with the places of the file, each asked the file's question.
    pub hospital: Arc<Hospital>,
    /// The touchpoint of each of the plan's places.
    pub places: Vec<TouchpointId>,
    /// The zone the days are counted in.
    pub time_zone: Tz,
}

impl Setup {
    /// The touchpoints without repetition.
    pub fn touchpoints(&self) -> Vec<TouchpointId> {
        let mut touchpoints = self.places.clone();
        touchpoints.sort();
        touchpoints.dedup();
        touchpoints
    }
}

/// What a replay did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Visits that ended with the thank-you page.
    pub thanked: u64,
    /// Visits without an answer.
    pub left: u64,
}

/// A row and the moment its visitor comes.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The row.
    pub row: &'a Row,
    /// The moment; never later than now.
    pub at: DateTime<Utc>,
}

/// When the visitors come, in order.
pub(crate) fn schedule(plan: &Plan, zone: Tz, now: DateTime<Utc>) -> Vec<Visit<'_>> {
    let mut visits = Vec::with_capacity(plan.rows.len());
    for day in plan.rows.chunk_by(|a, b| a.date == b.date) {
        let without_time = day.iter().filter(|row| row.time.is_none()).count();
        let mut nth = 0;
        for row in day {
            let time = row.time.unwrap_or_else(|| {
                nth += 1;
                spread(nth - 1, without_time)
            });
            visits.push(Visit { row, at: instant(row.date, time, zone).min(now) });
        }
    }
    visits.sort_by_key(|visit| (visit.at, visit.row.line));
    visits
}

/// The time of the visitor of this number of that many.
fn spread(nth: usize, of: usize) -> NaiveTime {
    let (nth, of) = (i64::try_from(nth).unwrap_or(0), i64::try_from(of).unwrap_or(i64::MAX).max(1));
    let offset_ms = OPEN_MS.saturating_mul(nth) / of;
    let since_midnight = TimeDelta::hours(OPENS_HOUR) + TimeDelta::milliseconds(offset_ms);
    NaiveTime::MIN.overflowing_add_signed(since_midnight).0
}

/// A local time as an instant. One that the clocks skip in spring is an hour later.
fn instant(date: NaiveDate, time: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let local: NaiveDateTime = date.and_time(time);
    let at = |local: NaiveDateTime| zone.from_local_datetime(&local).earliest();
    let found = at(local).or_else(|| at(local + TimeDelta::hours(1)));
    found.map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}

/// Taps every visit. `before` is told of each row before it is tapped.
///
/// # Errors
/// The row that could not be tapped, and the page it stuck on.
pub fn run(
    visitor: &mut Visitor<'_>,
    setup: &Setup,
    visits: &[Visit<'_>],
    mut before: impl FnMut(&Row) -> anyhow::Result<()>,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for visit in visits {
        let touchpoint = setup.places.get(visit.row.place).context("a touchpoint that was not set up")?;
        before(visit.row)?;
        visitor.arrive(visit.at, BETWEEN_VISITS_MS);
        let outcome = visitor
            .rate(touchpoint, visit.row.value)
            .with_context(|| format!("the visit of line {}, on {}", visit.row.line, visit.row.date))?;
        match outcome {
            Outcome::Thanked => tally.thanked += 1,
            Outcome::Left => tally.left += 1,
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::replay::{self, Options};

    fn plan(rows: &str) -> Plan {
        let today = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        let text = format!("respondent,date,touchpoint,rating\n{rows}");
        replay::read(Cursor::new(text), &Options::new(today, chrono_tz::Europe::London)).unwrap()
    }

    fn times(rows: &str, now: &str) -> Vec<String> {
        schedule(&plan(rows), chrono_tz::Europe::London, now.parse().unwrap())
            .iter()
            .map(|visit| visit.at.format("%FT%R").to_string())
            .collect()
    }

    #[test]
    fn a_time_in_the_file_is_kept_and_days_without_one_are_spread_over_opening_hours() {
        let rows = "a,2026-01-30,N,1\nb,2026-01-30,N,1\nc,2026-01-30 07:15,N,1\nd,2026-01-29,N,1\n";
        assert_eq!(
            times(rows, "2026-11-25T00:00:00Z"),
            ["2026-01-29T08:00", "2026-01-30T07:15", "2026-01-30T08:00", "2026-01-30T13:00"]
        );
    }

    #[test]
    fn a_skipped_hour_and_a_day_that_is_not_over_are_no_obstacle() {
        assert_eq!(times("a,2026-03-29 01:30,N,1\n", "2026-11-25T00:00:00Z"), ["2026-03-29T01:30"]);
        assert_eq!(times("a,2026-11-26,N,1\n", "2026-11-25T09:00:00Z"), ["2026-11-25T09:00"]);
    }

    #[test]
    fn a_day_takes_any_number_of_rows() {
        let rows: String = (0..5000).map(|i| format!("p{i},2026-01-30,N,1\n")).collect();
        let plan = plan(&rows);
        let visits = schedule(&plan, chrono_tz::Europe::London, "2026-11-25T00:00:00Z".parse().unwrap());
        assert_eq!(visits.len(), 5000);
        assert!(visits.iter().all(|visit| visit.at.date_naive() == visit.row.date));
    }
}
