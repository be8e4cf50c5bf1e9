//! One cell: the numbers and words of a date, and the time after it.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::{DateFault, Shape, Written};
use crate::replay::names::half_width;

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

impl Written {
    /// Reads a cell.
    pub(in crate::replay) fn read(cell: &str) -> Result<Self, DateFault> {
        let text: String = cell.trim().chars().map(half_width).collect();
        let text = without_weekday(text.trim());
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

/// Without the day of the week, which says nothing that the date does not say.
fn without_weekday(text: &str) -> Cow<'_, str> {
    const ENGLISH: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    for name in ["星期", "周", "礼拜"] {
        if let Some((before, after)) = text.split_once(name)
            && after.starts_with(['一', '二', '三', '四', '五', '六', '日', '天'])
        {
            let rest: String = after.chars().skip(1).collect();
            let (before, rest) = (before.trim_end_matches(['(', ' ']), rest.trim_start_matches(')'));
            return Cow::Owned(format!("{before} {rest}"));
        }
    }
    let letters = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let word = text[..letters].to_ascii_lowercase();
    let is_day = word.len() >= 3 && ENGLISH.iter().any(|day| day.starts_with(word.as_str()));
    Cow::Borrowed(if is_day { text[letters..].trim_start_matches(['.', ',', ' ']) } else { text })
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
    let plain = text.replace(['时', '時', '点', '點', '分'], ":").replace('秒', "");
    let (clock, offset_minutes) = offset(plain.trim_end_matches(':'))?;
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
