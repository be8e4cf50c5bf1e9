//! The time span of a report, in days and hours of the site's time zone; central computes it, so that no browser's clock or zone matters.
//!
//! Invariants: a report by hour or day covers a bounded span; days begin at the first instant of their date, also where summer time skips
//! midnight; no time, however far off, stops the program.

use chrono::{
    DateTime, Days, FixedOffset, Months, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
};

use super::Grouping;
use crate::central::domain::ingest::hour_start;

/// Longest span of a report by hour: a month, so that its days can be compared.
const HOURLY_DAYS_MAX: i64 = 31;

/// Longest span of a report by day, and of an export: a year and a month, so that a month can be compared with the year before.
const DAILY_DAYS_MAX: i64 = 400;

/// Years that a day or instant may have.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

const DAY_S: i64 = 86_400;

/// Slack for the hours that summer time adds to a span.
const SUMMER_TIME_S: i64 = 2 * 3600;

/// A span that is named, ending now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub enum Period {
    /// Today.
    #[serde(rename = "today")]
    Today,
    /// This hour and the 23 before it.
    #[serde(rename = "24h")]
    Hours24,
    /// Today and the 6 days before it.
    #[serde(rename = "7d")]
    Days7,
    /// Today and the 27 days before it.
    #[serde(rename = "28d")]
    Days28,
    /// Today and the 90 days before it.
    #[serde(rename = "91d")]
    Days91,
    /// Today and the 364 days before it.
    #[serde(rename = "365d")]
    Days365,
    /// All that is held, answers whose hour is not known included.
    #[serde(rename = "all")]
    All,
}

/// What a request says about time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// A named span.
    pub period: Option<Period>,
    /// First day or instant.
    pub from: Option<&'a str>,
    /// First day or instant that is no longer part of it.
    pub to: Option<&'a str>,
}

/// From an instant to before another, in Unix seconds; open ends reach as far as there is anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// First second.
    pub from: Option<i64>,
    /// First second that is no longer part of it.
    pub to: Option<i64>,
}

/// What is wrong with a span, and how to mend it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum RangeError {
    /// Neither day nor instant.
    #[error("`{0}` is no day (2026-11-21) and no instant (2026-11-21T08:00:00Z) of the years 1970 to 9999")]
    Unreadable(String),
    /// Two ways to say it.
    #[error("give either `period`, or `from` and `to`")]
    Twice,
    /// The end is not after the beginning.
    #[error("`from` has to be before `to`")]
    Backwards,
    /// Too much at once.
    #[error("this covers {asked} days and may cover {most} days; ask for shorter spans one after the other")]
    TooLong {
        /// Days asked for.
        asked: i64,
        /// Days allowed.
        most: i64,
    },
    /// No end at all.
    #[error("this may cover {0} days; give another `period`, or `from` and `to`")]
    Endless(i64),
}

/// How long a span may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bound {
    /// Sums over any time: as many rows however long.
    Sums,
    /// A row for each hour.
    Hours,
    /// A row for each day, or for each answer.
    Days,
}

impl From<Grouping> for Bound {
    fn from(by: Grouping) -> Self {
        match by {
            Grouping::Site | Grouping::Touchpoint | Grouping::Question => Self::Sums,
            Grouping::Hour => Self::Hours,
            Grouping::Day => Self::Days,
        }
    }
}

impl Bound {
    /// The span where none is asked for.
    const fn default_period(self) -> Period {
        match self {
            Self::Sums => Period::All,
            Self::Hours => Period::Hours24,
            Self::Days => Period::Days28,
        }
    }

    const fn days_max(self) -> Option<i64> {
        match self {
            Self::Sums => None,
            Self::Hours => Some(HOURLY_DAYS_MAX),
            Self::Days => Some(DAILY_DAYS_MAX),
        }
    }
}

/// The span a request means.
pub(crate) fn range_of(
    asked: Asked<'_>,
    bound: Bound,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<Range, RangeError> {
    let edge = |text: Option<&str>| text.map(|text| read_edge(text, zone)).transpose();
    let range = match (asked.period, edge(asked.from)?, edge(asked.to)?) {
        (Some(_), from, to) if from.is_some() || to.is_some() => return Err(RangeError::Twice),
        (None, None, None) => named(bound.default_period(), now, zone),
        (Some(period), _, _) => named(period, now, zone),
        (None, Some(from), None) => {
            let end = named(Period::Today, now, zone).to;
            let longest = bound.days_max().map(|days| from.saturating_add(days * DAY_S));
            let to = end.zip(longest).map(|(end, longest)| end.min(longest).max(from.saturating_add(1)));
            Range { from: Some(from), to }
        }
        (None, None, Some(to)) => {
            let span = match bound {
                Bound::Sums => None,
                Bound::Hours => Some(DAY_S),
                Bound::Days => Some(28 * DAY_S),
            };
            Range { from: span.map(|span| to.saturating_sub(span)), to: Some(to) }
        }
        (None, from, to) => Range { from, to },
    };
    bounded(range, bound)
}

fn bounded(range: Range, bound: Bound) -> Result<Range, RangeError> {
    let length = range.from.zip(range.to).map(|(from, to)| to.saturating_sub(from));
    if length.is_some_and(|length| length <= 0) {
        return Err(RangeError::Backwards);
    }
    let Some(most) = bound.days_max() else { return Ok(range) };
    match length {
        None => Err(RangeError::Endless(most)),
        Some(length) if length > most * DAY_S + SUMMER_TIME_S => {
            Err(RangeError::TooLong { asked: (length + DAY_S - 1) / DAY_S, most })
        }
        Some(_) => Ok(range),
    }
}

fn named(period: Period, now: DateTime<Utc>, zone: Tz) -> Range {
    let today = now.with_timezone(&zone).date_naive();
    let tomorrow = today.checked_add_days(Days::new(1)).and_then(|day| first_instant(day, zone));
    let since = |days: u64| {
        let first = today.checked_sub_days(Days::new(days)).and_then(|day| first_instant(day, zone));
        Range { from: first, to: tomorrow }
    };
    match period {
        Period::Today => since(0),
        Period::Hours24 => {
            let this_hour = hour_start(now.timestamp_millis(), zone);
            let first = hour_start(this_hour.saturating_sub(23 * 3600).saturating_mul(1000), zone);
            Range { from: Some(first), to: Some(next_start(this_hour, Bound::Hours, zone)) }
        }
        Period::Days7 => since(6),
        Period::Days28 => since(27),
        Period::Days91 => since(90),
        Period::Days365 => since(364),
        Period::All => Range::default(),
    }
}

/// A day begins at the site's midnight; an instant counts as it is. Unix seconds.
fn read_edge(text: &str, zone: Tz) -> Result<i64, RangeError> {
    use chrono::Datelike as _;
    let wrong = || RangeError::Unreadable(text.chars().take(40).collect());
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day)
            .filter(|day| YEARS.contains(&day.year()))
            .and_then(|day| first_instant(day, zone))
            .ok_or_else(wrong);
    }
    // The year as it is written, whatever its offset.
    let at = text.parse::<DateTime<FixedOffset>>().map_err(|_| wrong())?;
    if YEARS.contains(&at.year()) { Ok(at.timestamp()) } else { Err(wrong()) }
}

/// How the OpenAPI document describes what [`read_edge`] takes: the pattern is [`YEARS`].
pub(crate) fn day_or_instant() -> Schema {
    let text = |format, pattern: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(format)))
            .pattern(Some(pattern))
            .build()
    };
    let years = "^(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}";
    AnyOfBuilder::new()
        .item(text(KnownFormat::Date, &format!("{years}$")))
        .item(text(KnownFormat::DateTime, &format!("{years}T")))
        .build()
        .into()
}

/// The first instant of a date, in Unix seconds: where summer time skips midnight, the one after the gap.
pub(super) fn first_instant(day: NaiveDate, zone: Tz) -> Option<i64> {
    (0..=4)
        .filter_map(|half_hours| {
            day.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(30 * half_hours))
        })
        .find_map(|at| zone.from_local_datetime(&at).earliest())
        .map(|at| at.timestamp())
}

/// Start of the site-local day that holds an instant, in Unix seconds.
pub(super) fn day_start(at: i64, zone: Tz) -> i64 {
    let Some(at_utc) = DateTime::<Utc>::from_timestamp(at, 0).filter(is_writable) else { return at };
    first_instant(at_utc.with_timezone(&zone).date_naive(), zone).unwrap_or(at)
}

/// Start of the hour or day after the one that starts at an instant.
fn next_start(start: i64, bound: Bound, zone: Tz) -> i64 {
    let next = match bound {
        Bound::Hours => hour_start(start.saturating_add(3600).saturating_mul(1000), zone),
        // 30 hours on from a midnight it is tomorrow, whatever summer time does.
        Bound::Days | Bound::Sums => day_start(start.saturating_add(30 * 3600), zone),
    };
    if next > start { next } else { start.saturating_add(3600) }
}

/// One hour or day of a report, whether or not anybody answered in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Slot {
    /// Its start, in the site's time zone, as rows give it.
    pub start: String,
    /// How it is written for people: `08` for an hour, `2026-11-21` for a day.
    pub label: String,
}

/// Every hour or day of a range, in order; none for sums or where an end is open.
pub fn slots(range: Range, by: Grouping, zone: Tz) -> Vec<Slot> {
    let (Some(from), Some(to)) = (range.from, range.to) else { return Vec::new() };
    let (bound, format) = match by {
        Grouping::Hour => (Bound::Hours, "%H"),
        Grouping::Day => (Bound::Days, "%Y-%m-%d"),
        Grouping::Site | Grouping::Touchpoint | Grouping::Question => return Vec::new(),
    };
    let first = match bound {
        Bound::Hours => hour_start(from.saturating_mul(1000), zone),
        Bound::Days | Bound::Sums => day_start(from, zone),
    };
    let starts = std::iter::successors(Some(first), |start| Some(next_start(*start, bound, zone)));
    let slot = |start| {
        let label = local(start, zone).map(|at| at.format(format).to_string()).unwrap_or_default();
        Slot { start: local_text(start, zone), label }
    };
    // The range was bounded when it was asked for; this holds also if it was not.
    starts.take_while(|start| *start < to).take(1_000).map(slot).collect()
}

/// First and last day of a range, as they are written for people; none where that end is open.
pub(crate) fn days_of(range: Range, zone: Tz) -> (Option<String>, Option<String>) {
    let day = |at| local(at, zone).map(|at| at.format("%Y-%m-%d").to_string());
    (range.from.and_then(day), range.to.and_then(|to| day(to.saturating_sub(1))))
}

fn is_writable(at: &DateTime<Utc>) -> bool {
    // A year inside, so that no time zone leads out of the years with four digits.
    let (first, last) = (NaiveDate::from_ymd_opt(1, 1, 1), NaiveDate::from_ymd_opt(9999, 1, 1));
    first.and_then(|day| day.checked_add_months(Months::new(12))).is_some_and(|day| day <= at.date_naive())
        && last.is_some_and(|day| at.date_naive() < day)
}

fn local(at: i64, zone: Tz) -> Option<DateTime<Tz>> {
    DateTime::<Utc>::from_timestamp(at, 0).filter(is_writable).map(|at| at.with_timezone(&zone))
}

/// An instant in Unix seconds, as the site's clocks show it. One that no calendar writes stays a number.
pub(crate) fn local_text(at: i64, zone: Tz) -> String {
    local(at, zone).map_or_else(|| at.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, false))
}

/// The same for Unix milliseconds.
pub(crate) fn local_text_ms(at_ms: i64, zone: Tz) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).filter(is_writable);
    at.map_or_else(
        || at_ms.to_string(),
        |at| at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false),
    )
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Asia, Australia, Europe};

    use super::*;
    use crate::faults::survived;

    fn at(text: &str) -> i64 {
        text.parse::<DateTime<Utc>>().unwrap().timestamp()
    }

    fn range(period: Period, bound: Bound, now: &str, zone: Tz) -> (String, String) {
        let asked = Asked { period: Some(period), ..Asked::default() };
        let range = range_of(asked, bound, now.parse().unwrap(), zone).unwrap();
        (local_text(range.from.unwrap(), zone), local_text(range.to.unwrap(), zone))
    }

    fn pair(from: &str, to: &str) -> (String, String) {
        (from.to_owned(), to.to_owned())
    }

    #[test]
    fn today_is_the_site_s_day_wherever_the_viewer_is() {
        // 20:00 in London is four in the morning of the next day in Shanghai.
        let now = "2026-11-21T20:00:00Z";
        let shanghai = pair("2026-11-22T00:00:00+08:00", "2026-11-23T00:00:00+08:00");
        assert_eq!(range(Period::Today, Bound::Sums, now, Asia::Shanghai), shanghai);
        let london = pair("2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00");
        assert_eq!(range(Period::Today, Bound::Sums, now, Europe::London), london);
        let week = pair("2026-11-16T00:00:00+08:00", "2026-11-23T00:00:00+08:00");
        assert_eq!(range(Period::Days7, Bound::Days, now, Asia::Shanghai), week);
    }

    #[test]
    fn days_of_23_and_25_hours_are_whole_days() {
        let spring = pair("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00");
        assert_eq!(range(Period::Today, Bound::Hours, "2026-03-29T12:00:00Z", Europe::Berlin), spring);
        let autumn = pair("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00");
        assert_eq!(range(Period::Today, Bound::Hours, "2026-10-25T22:30:00Z", Europe::Berlin), autumn);
        let labels = |now: &str| {
            let asked = Asked { period: Some(Period::Today), ..Asked::default() };
            let range = range_of(asked, Bound::Hours, now.parse().unwrap(), Europe::Berlin).unwrap();
            slots(range, Grouping::Hour, Europe::Berlin)
                .into_iter()
                .map(|slot| slot.label)
                .collect::<Vec<_>>()
        };
        let (spring, autumn) = (labels("2026-03-29T12:00:00Z"), labels("2026-10-25T12:00:00Z"));
        assert_eq!((spring.len(), &spring[..3]), (23, &["00".to_owned(), "01".into(), "03".into()][..]));
        assert_eq!((autumn.len(), &autumn[1..4]), (25, &["01".to_owned(), "02".into(), "02".into()][..]));
        let week = range_of(
            Asked { from: Some("2026-10-20"), to: Some("2026-10-27"), ..Asked::default() },
            Bound::Days,
            Utc.timestamp_opt(0, 0).unwrap(),
            Europe::Berlin,
        )
        .unwrap();
        assert_eq!(slots(week, Grouping::Day, Europe::Berlin).len(), 7);
        assert_eq!(days_of(week, Europe::Berlin), (Some("2026-10-20".into()), Some("2026-10-26".into())));
        survived!(35; 2, "days with a jump");
    }

    #[test]
    fn days_begin_at_the_first_instant_of_the_local_date() {
        assert_eq!(day_start(at("2026-11-21T15:00:00Z"), Asia::Shanghai), at("2026-11-20T16:00:00Z"));
        assert_eq!(day_start(at("2026-11-21T16:00:00Z"), Asia::Shanghai), at("2026-11-21T16:00:00Z"));
        // Beirut skips from midnight to one on 2026-03-29.
        let text = |at| local_text(day_start(at, Asia::Beirut), Asia::Beirut);
        assert_eq!(text(at("2026-03-29T09:00:00Z")), "2026-03-29T01:00:00+03:00");
        let beirut = pair("2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00");
        assert_eq!(range(Period::Today, Bound::Days, "2026-03-29T09:00:00Z", Asia::Beirut), beirut);
    }

    #[test]
    fn the_last_24_hours_are_24_hours_also_where_the_clock_jumps() {
        let days = [
            ("2026-11-21T20:59:59Z", Asia::Shanghai),
            ("2026-03-29T12:10:00Z", Europe::Berlin),
            ("2026-10-25T12:10:00Z", Europe::Berlin),
            ("2026-11-21T20:10:00Z", Asia::Kathmandu),
        ];
        for (now, zone) in days {
            let range = range_of(Asked::default(), Bound::Hours, now.parse().unwrap(), zone).unwrap();
            assert_eq!(slots(range, Grouping::Hour, zone).len(), 24, "{now} {zone}");
            assert!(range.from.unwrap() < at(now) && at(now) < range.to.unwrap());
        }
        // Lord Howe moves by half an hour: there is an hour more or less, and an end.
        let asked = Asked { from: Some("2026-04-04"), to: Some("2026-04-07"), ..Asked::default() };
        let range = range_of(asked, Bound::Hours, noon(), Australia::Lord_Howe).unwrap();
        assert!((72..=74).contains(&slots(range, Grouping::Hour, Australia::Lord_Howe).len()));
        survived!(35; days.len(), "days");
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_span_without_end_or_beyond_the_limit_is_refused_with_the_fix() {
        let now = noon();
        let ask = |from, to, bound| {
            range_of(Asked { period: None, from, to }, bound, now, Asia::Shanghai).map(|range| {
                let text = |at: Option<i64>| at.map(|at| local_text(at, Asia::Shanghai));
                (text(range.from), text(range.to))
            })
        };
        let most = RangeError::TooLong { asked: 32, most: 31 };
        assert_eq!(ask(Some("2026-10-01"), Some("2026-11-02"), Bound::Hours), Err(most));
        assert!(ask(Some("2026-10-01"), Some("2026-11-01"), Bound::Hours).is_ok());
        assert!(ask(Some("2020-01-01"), Some("2026-11-01"), Bound::Days).is_err());
        assert!(ask(Some("2020-01-01"), Some("2026-11-01"), Bound::Sums).is_ok());
        assert_eq!(ask(Some("2026-11-02"), Some("2026-11-02"), Bound::Days), Err(RangeError::Backwards));
        let all = Asked { period: Some(Period::All), ..Asked::default() };
        assert_eq!(range_of(all, Bound::Days, now, Asia::Shanghai), Err(RangeError::Endless(400)));
        let twice = Asked { from: Some("2026-11-01"), ..all };
        assert_eq!(range_of(twice, Bound::Sums, now, Asia::Shanghai), Err(RangeError::Twice));
        // With one end, the other is as far away as is allowed or usual.
        let (from, to) = ask(Some("2026-01-01"), None, Bound::Hours).unwrap();
        assert_eq!(
            (from.unwrap(), to.unwrap()),
            pair("2026-01-01T00:00:00+08:00", "2026-02-01T00:00:00+08:00")
        );
        let (from, to) = ask(None, Some("2026-11-02"), Bound::Hours).unwrap();
        assert_eq!(
            (from.unwrap(), to.unwrap()),
            pair("2026-11-01T00:00:00+08:00", "2026-11-02T00:00:00+08:00")
        );
        for wrong in ["yesterday", "0001-01-01", "+262142-12-31", "-0044-03-15", "9999-13-01", ""] {
            assert!(matches!(ask(Some(wrong), None, Bound::Days), Err(RangeError::Unreadable(_))), "{wrong}");
        }
    }

    #[test]
    fn no_time_however_far_off_stops_the_program() {
        for at in [i64::MIN, i64::MIN / 1000, -62_135_596_800, -1, 253_402_300_799, i64::MAX / 1000, i64::MAX]
        {
            for zone in [Asia::Shanghai, Europe::Berlin, chrono_tz::Pacific::Kiritimati, chrono_tz::UTC] {
                assert!(!local_text(at, zone).is_empty() && !local_text_ms(at, zone).is_empty());
                day_start(at, zone);
                slots(Range { from: Some(at), to: Some(at.saturating_add(86_400)) }, Grouping::Hour, zone);
                days_of(Range { from: Some(at), to: Some(at) }, zone);
            }
        }
        let last = DateTime::<Utc>::MAX_UTC.timestamp_millis();
        assert_eq!(local_text_ms(last, Asia::Shanghai), last.to_string());
    }
}
