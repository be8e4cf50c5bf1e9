//! Dates as people write them.
//!
//! Whether the day or the month comes first is decided for the whole file and never for a row: one row of `31/01/2026` shows it for all. A
//! file that leaves it open is refused until somebody says it. Year-first dates are year-month-day, as ISO 8601 has them; published files hold
//! rows with the two exchanged, and where the month would be above twelve only the exchange can be meant: these rows are read so and counted.

mod cell;

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Earlier years are mistakes: no rating that is worth replaying is that old.
const YEAR_MIN: i32 = 2000;
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
}
