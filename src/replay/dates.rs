//! Dates as people write them.
//!
//! Whether the day or the month comes first is decided for the whole file and never for a row: one row of `31/01/2026` shows it for all. A
//! file that leaves it open is refused until somebody says it. Year-first dates are year-month-day, as ISO 8601 has them; published files hold
//! rows with the two exchanged, and where the month would be above twelve only the exchange can be meant: these rows are read so and counted.

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::names::half_width;

/// Earlier years are mistakes: no rating that is worth replaying is that old.
const YEAR_MIN: i32 = 2000;
/// Spreadsheets count days from here, so that 1 March 1900 and all later days are right.
const SPREADSHEET_EPOCH: (i32, u32, u32) = (1899, 12, 30);
/// Serial numbers of spreadsheets between the years 1982 and 2119; other numbers are something else.
const SERIALS: std::ops::RangeInclusive<i64> = 30_000..=80_000;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Whether the day or the month comes first where both are numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DayMonth {
    /// `31/01/2026`
    DayFirst,
    /// `01/31/2026`
    MonthFirst,
}

impl FromStr for DayMonth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "dmy" | "day-first" => Ok(Self::DayFirst),
            "mdy" | "month-first" => Ok(Self::MonthFirst),
            other => Err(format!("`{other}` is no order of day and month; write dmy or mdy")),
        }
    }
}

/// A cell, before day and month are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Written {
    day: Shape,
    time: Option<NaiveTime>,
    offset_minutes: Option<i16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// No doubt.
    Plain(NaiveDate),
    /// Four digits, then two numbers.
    YearFirst(i32, u8, u8),
    /// Two numbers, then four digits.
    YearLast(i32, u8, u8),
    /// A spreadsheet's number of days.
    Serial(NaiveDate),
}

/// Why a cell is no date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DateFault {
    Empty,
    NoDate,
    TwoDigitYear,
    Time,
    TooOld,
    Future,
}

impl DateFault {
    pub(super) fn says(self, cell: &str) -> (String, String) {
        let iso = "write it like 2026-01-31".to_owned();
        match self {
            Self::Empty => ("no date".into(), iso),
            Self::NoDate => (format!("{cell} is not a date"), iso),
            Self::TwoDigitYear => (
                format!("{cell} has a year of two digits, which can be read as several days"),
                "write the year with four digits, like 2026-01-31".into(),
            ),
            Self::Time => (
                format!("the time in {cell} cannot be read"),
                "write it like 2026-01-31 08:30, or leave it out".into(),
            ),
            Self::TooOld => (
                format!("{cell} is before the year {YEAR_MIN}"),
                "look at the year; a spreadsheet shows an empty date as 1900".into(),
            ),
            Self::Future => (
                format!("{cell} is later than tomorrow"),
                "look at the year and at the order of day and month; nobody has rated anything then".into(),
            ),
        }
    }
}

/// What the cells of a file show about the order of day and month.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    year_first: Order,
    year_last: Order,
    serials: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Order {
    /// Rows whose first number can only be a day, with the first such line.
    first_is_day: (u64, u64),
    /// Rows whose second number can only be a day.
    second_is_day: (u64, u64),
    /// Rows that can be read both ways as different days.
    open: (u64, u64),
}

impl Order {
    fn see(&mut self, first: u8, second: u8, line: u64) {
        let count = match (first > 12, second > 12) {
            (true, _) => &mut self.first_is_day,
            (false, true) => &mut self.second_is_day,
            (false, false) if first == second => return,
            (false, false) => &mut self.open,
        };
        if count.0 == 0 {
            count.1 = line;
        }
        count.0 += 1;
    }
}

impl Seen {
    pub(super) fn see(&mut self, written: &Written, line: u64) {
        match written.day {
            Shape::Plain(_) => {}
            Shape::YearFirst(_, first, second) => self.year_first.see(first, second, line),
            Shape::YearLast(_, first, second) => self.year_last.see(first, second, line),
            Shape::Serial(_) => self.serials += 1,
        }
    }

    /// The order for the whole file, what is to be said about it, or why it cannot be known.
    pub(super) fn decide(&self, told: Option<DayMonth>) -> Result<(Reading, Vec<String>), Undecided> {
        let mut notes = Vec::new();
        if self.serials > 0 {
            notes.push(format!("{} dates are numbers of a spreadsheet, counted from 1900", self.serials));
        }
        let Order { first_is_day, second_is_day, .. } = self.year_first;
        let all_exchanged = first_is_day.0 > 0 && second_is_day.0 == 0;
        if all_exchanged {
            notes.push("dates are year-day-month throughout".into());
        } else if first_is_day.0 > 0 {
            notes.push(format!(
                "{} dates have a month above 12 (the first in line {}): day and month are exchanged there; all others are year-month-day",
                first_is_day.0, first_is_day.1
            ));
        }
        let year_last = self.year_last.decide(told)?;
        if let Some(order) = year_last.filter(|_| told.is_none()) {
            let (words, line) = match order {
                DayMonth::DayFirst => ("day/month/year", self.year_last.first_is_day.1),
                DayMonth::MonthFirst => ("month/day/year", self.year_last.second_is_day.1),
            };
            if line > 0 {
                notes.push(format!("dates are {words} throughout, as line {line} shows"));
            }
        }
        let reading =
            Reading { year_day_month: all_exchanged, year_last: year_last.unwrap_or(DayMonth::DayFirst) };
        Ok((reading, notes))
    }
}

impl Order {
    fn decide(&self, told: Option<DayMonth>) -> Result<Option<DayMonth>, Undecided> {
        let (day, month) = (self.first_is_day, self.second_is_day);
        match (told, day.0 > 0, month.0 > 0) {
            (_, true, true) => Err(Undecided::Both { day_first: day.1, month_first: month.1 }),
            (Some(DayMonth::MonthFirst), true, false) => Err(Undecided::Told { line: day.1 }),
            (Some(DayMonth::DayFirst), false, true) => Err(Undecided::Told { line: month.1 }),
            (Some(told), _, _) => Ok(Some(told)),
            (None, true, false) => Ok(Some(DayMonth::DayFirst)),
            (None, false, true) => Ok(Some(DayMonth::MonthFirst)),
            (None, false, false) if self.open.0 > 0 => {
                Err(Undecided::Open { line: self.open.1, rows: self.open.0 })
            }
            (None, false, false) => Ok(None),
        }
    }
}

/// Why the order of day and month is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Undecided {
    /// Rows contradict each other.
    Both { day_first: u64, month_first: u64 },
    /// No row shows it.
    Open { line: u64, rows: u64 },
    /// A row contradicts what was said.
    Told { line: u64 },
}

impl Undecided {
    pub(super) fn says(self) -> (Option<u64>, String, String) {
        match self {
            Self::Both { day_first, month_first } => (
                Some(day_first.max(month_first)),
                format!(
                    "line {day_first} has the day first and line {month_first} the month: one file can only have one order"
                ),
                "write all dates like 2026-01-31".into(),
            ),
            Self::Open { line, rows } => (
                Some(line),
                format!("the day and the month cannot be told apart in this and in {} more rows", rows - 1),
                "say which comes first: --dates dmy or --dates mdy".into(),
            ),
            Self::Told { line } => (
                Some(line),
                "the date does not fit the order given with --dates".into(),
                "take the other order, or leave the option out".into(),
            ),
        }
    }
}

/// How the dates of a file are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reading {
    year_day_month: bool,
    year_last: DayMonth,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.day {
            Shape::Plain(date) | Shape::Serial(date) => date.fmt(f),
            Shape::YearFirst(year, a, b) => write!(f, "{year}-{a:02}-{b:02}"),
            Shape::YearLast(year, a, b) => write!(f, "{a:02}/{b:02}/{year}"),
        }
    }
}

impl Written {
    /// The day and the time in a zone.
    pub(super) fn resolve(
        &self,
        reading: Reading,
        zone: Tz,
        today: NaiveDate,
    ) -> Result<(NaiveDate, Option<NaiveTime>), DateFault> {
        let ymd = |year, month: u8, day: u8| NaiveDate::from_ymd_opt(year, month.into(), day.into());
        let date = match self.day {
            Shape::Plain(date) | Shape::Serial(date) => Some(date),
            Shape::YearFirst(year, day, month) if reading.year_day_month => ymd(year, month, day),
            Shape::YearFirst(year, day, month) if day > 12 => ymd(year, month, day),
            Shape::YearFirst(year, month, day) => ymd(year, month, day),
            Shape::YearLast(year, first, second) => match reading.year_last {
                DayMonth::DayFirst => ymd(year, second, first),
                DayMonth::MonthFirst => ymd(year, first, second),
            },
        };
        let mut date = date.ok_or(DateFault::NoDate)?;
        let mut time = self.time;
        if let (Some(at), Some(minutes)) = (time, self.offset_minutes) {
            let utc = date
                .and_time(at)
                .checked_sub_signed(TimeDelta::minutes(minutes.into()))
                .ok_or(DateFault::NoDate)?;
            let local = Utc.from_utc_datetime(&utc).with_timezone(&zone).naive_local();
            (date, time) = (local.date(), Some(local.time()));
        }
        if date.year() < YEAR_MIN {
            return Err(DateFault::TooOld);
        }
        if date > today.succ_opt().unwrap_or(today) {
            return Err(DateFault::Future);
        }
        Ok((date, time))
    }

    /// Reads a cell.
    pub(super) fn read(cell: &str) -> Result<Self, DateFault> {
        let text: String = cell.trim().chars().map(half_width).collect();
        let text = text.trim();
        if text.is_empty() {
            return Err(DateFault::Empty);
        }
        if let Some(number) = number(text)? {
            return Ok(number);
        }
        let mut rest = text;
        let mut parts = Vec::new();
        while parts.len() < 3 {
            let (part, after) = part(rest).ok_or(DateFault::NoDate)?;
            parts.push(part);
            rest = after;
        }
        let day = shape(&parts)?;
        let (time, offset_minutes) = time(rest)?;
        Ok(Self { day, time, offset_minutes })
    }
}

/// A cell that is one number: eight digits, or a spreadsheet's count of days and their fraction.
fn number(text: &str) -> Result<Option<Written>, DateFault> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !text.starts_with(|c: char| c.is_ascii_digit())
        || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
    {
        return Ok(None);
    }
    let written = |day, time| Ok(Some(Written { day, time, offset_minutes: None }));
    if whole.len() == 8 && fraction.is_empty() {
        let date = NaiveDate::parse_from_str(whole, "%Y%m%d").map_err(|_| DateFault::NoDate)?;
        return written(Shape::Plain(date), None);
    }
    let days: i64 = whole.parse().map_err(|_| DateFault::NoDate)?;
    if !SERIALS.contains(&days) {
        return Err(DateFault::NoDate);
    }
    let (year, month, day) = SPREADSHEET_EPOCH;
    let date = NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|epoch| epoch.checked_add_signed(TimeDelta::days(days)))
        .ok_or(DateFault::NoDate)?;
    let part: f64 = format!("0.{fraction}0").parse().map_err(|_| DateFault::NoDate)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction of a day is below 86,400 seconds"
    )]
    let seconds = (part * 86_400.0).round().min(86_399.0) as u32;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).filter(|_| seconds > 0);
    written(Shape::Serial(date), time)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// A number and how many digits it has.
    Number(i32, usize),
    Month(u8),
}

/// The next number or name of a month, and what follows it and its separators.
fn part(text: &str) -> Option<(Part, &str)> {
    let text = text.trim_start();
    let end = |is_it: fn(char) -> bool| text.find(|c| !is_it(c)).unwrap_or(text.len());
    let digits = end(|c| c.is_ascii_digit());
    let (part, rest) = if digits > 0 {
        if digits > 4 {
            return None;
        }
        (Part::Number(text[..digits].parse().ok()?, digits), &text[digits..])
    } else {
        let letters = end(|c| c.is_ascii_alphabetic());
        let word = text[..letters].to_ascii_lowercase();
        let month = MONTHS.iter().position(|month| {
            word == *month
                || (word.len() >= 3 && word.len() <= 4 && month.starts_with(word.as_str()))
                || (word == "sept" && *month == "september")
        })?;
        (Part::Month(u8::try_from(month + 1).ok()?), &text[letters..])
    };
    let rest = rest.trim_start();
    let rest = rest.strip_prefix(['-', '/', '.', ',', '年', '月', '日', '号', '_']).unwrap_or(rest);
    Some((part, rest))
}

fn shape(parts: &[Part]) -> Result<Shape, DateFault> {
    let small = |n: i32| u8::try_from(n).map_err(|_| DateFault::NoDate);
    let plain = |year, month: u8, day: i32| {
        let day = u32::try_from(day).map_err(|_| DateFault::NoDate)?;
        NaiveDate::from_ymd_opt(year, month.into(), day).map(Shape::Plain).ok_or(DateFault::NoDate)
    };
    match *parts {
        [Part::Number(year, 4), Part::Number(a, 1 | 2), Part::Number(b, 1 | 2)] => {
            Ok(Shape::YearFirst(year, small(a)?, small(b)?))
        }
        [Part::Number(a, 1 | 2), Part::Number(b, 1 | 2), Part::Number(year, 4)] => {
            Ok(Shape::YearLast(year, small(a)?, small(b)?))
        }
        [Part::Month(month), Part::Number(day, 1 | 2), Part::Number(year, 4)]
        | [Part::Number(day, 1 | 2), Part::Month(month), Part::Number(year, 4)]
        | [Part::Number(year, 4), Part::Month(month), Part::Number(day, 1 | 2)] => plain(year, month, day),
        [Part::Number(_, 1 | 2), Part::Number(_, 1 | 2) | Part::Month(_), Part::Number(_, 1 | 2)]
        | [Part::Month(_), Part::Number(_, 1 | 2), Part::Number(_, 1 | 2)] => Err(DateFault::TwoDigitYear),
        _ => Err(DateFault::NoDate),
    }
}

/// What follows a day: nothing, or a time with or without an offset from UTC. Midnight is what programs write that know no time.
fn time(text: &str) -> Result<(Option<NaiveTime>, Option<i16>), DateFault> {
    let mut text = text.trim().trim_start_matches(['T', 't', ',']).trim();
    if text.is_empty() {
        return Ok((None, None));
    }
    let (mut morning, mut afternoon) = (false, false);
    for (mark, is_afternoon) in
        [("上午", false), ("下午", true), ("AM", false), ("PM", true), ("am", false), ("pm", true)]
    {
        if let Some(rest) = text.strip_prefix(mark).or_else(|| text.strip_suffix(mark)) {
            text = rest.trim();
            (morning, afternoon) = (!is_afternoon, is_afternoon);
        }
    }
    let (clock, offset_minutes) = offset(text)?;
    let mut numbers = clock.split(':');
    let mut next = |default: Option<&'static str>| -> Result<u32, DateFault> {
        let part = numbers.next().or(default).ok_or(DateFault::Time)?;
        // Fractions of a second tell nothing here.
        let whole = part.split(['.', ',']).next().unwrap_or(part);
        if whole.is_empty() || whole.len() > 2 || !whole.bytes().all(|b| b.is_ascii_digit()) {
            return Err(DateFault::Time);
        }
        whole.parse().map_err(|_| DateFault::Time)
    };
    let (mut hour, minute, second) = (next(None)?, next(None)?, next(Some("00"))?);
    if numbers.next().is_some() || ((morning || afternoon) && !(1..=12).contains(&hour)) {
        return Err(DateFault::Time);
    }
    if morning || afternoon {
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    // A leap second is the last one of its minute.
    let at = NaiveTime::from_hms_opt(hour, minute, second.min(59))
        .filter(|_| second <= 60)
        .ok_or(DateFault::Time)?;
    if at == NaiveTime::MIN && offset_minutes.is_none() {
        return Ok((None, None));
    }
    Ok((Some(at), offset_minutes))
}

/// Cuts an offset off the end of a time.
fn offset(text: &str) -> Result<(&str, Option<i16>), DateFault> {
    if let Some(clock) = text
        .strip_suffix(['Z', 'z'])
        .or_else(|| text.strip_suffix("UTC"))
        .or_else(|| text.strip_suffix("GMT"))
    {
        return Ok((clock.trim_end(), Some(0)));
    }
    let Some(at) = text.find(['+', '-']) else { return Ok((text, None)) };
    let (clock, written) = text.split_at(at);
    let digits: String = written[1..].chars().filter(|c| *c != ':').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
        return Err(DateFault::Time);
    }
    let (hours, minutes) = digits.split_at(2);
    let hours: i16 = hours.parse().map_err(|_| DateFault::Time)?;
    let minutes: i16 = if minutes.is_empty() { 0 } else { minutes.parse().map_err(|_| DateFault::Time)? };
    if hours > 14 || minutes > 59 {
        return Err(DateFault::Time);
    }
    let total = hours * 60 + minutes;
    Ok((clock.trim_end(), Some(if written.starts_with('-') { -total } else { total })))
}
