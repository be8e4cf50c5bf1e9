//! Opening hours as staff write them: `Mon-Fri 08:00-12:00 14:00-17:30, Sat 08:00-12:00`.
//!
//! Parts are separated by commas; a part is a day or a range of days and one or more spans of time. A span whose end is before its
//! start runs over midnight (`20:00-06:00`); `24:00` is the end of the day. `daily` is every day. Chinese day names (周一 .. 周日) and
//! full-width punctuation are read as well.

use std::ops::Range;

use chrono::{NaiveTime, Weekday};

use crate::questionnaire::{OpenSpan, OpeningHours};

/// What is wrong with a text of opening hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoursError {
    /// Bytes of the text.
    pub at: Range<usize>,
    /// What is wrong.
    pub what: String,
    /// How to write it.
    pub fix: String,
}

const DAYS: [(Weekday, &str, &str); 7] = [
    (Weekday::Mon, "mon", "周一"),
    (Weekday::Tue, "tue", "周二"),
    (Weekday::Wed, "wed", "周三"),
    (Weekday::Thu, "thu", "周四"),
    (Weekday::Fri, "fri", "周五"),
    (Weekday::Sat, "sat", "周六"),
    (Weekday::Sun, "sun", "周日"),
];

const DASHES: [char; 5] = ['-', '–', '—', '－', '至'];

/// Reads opening hours.
pub fn parse(text: &str) -> Result<OpeningHours, HoursError> {
    let mut hours = OpeningHours::default();
    for part in pieces(text, |c| c == ',' || c == '，' || c == ';' || c == '；') {
        parse_part(text, part, &mut hours)?;
    }
    if hours.spans.is_empty() {
        return Err(error(
            0..text.len(),
            "opening hours are empty".to_owned(),
            "write them like \"Mon-Fri 08:00-17:30\", or leave the key out for a place that never closes",
        ));
    }
    Ok(hours)
}

fn parse_part(text: &str, part: Range<usize>, hours: &mut OpeningHours) -> Result<(), HoursError> {
    let words: Vec<Range<usize>> = pieces(&text[part.clone()], char::is_whitespace)
        .into_iter()
        .map(|word| part.start + word.start..part.start + word.end)
        .collect();
    let Some((first, times)) = words.split_first() else {
        return Err(error(part, "a part of the opening hours is empty".to_owned(), "remove the extra comma"));
    };
    let days = parse_days(&text[first.clone()]).ok_or_else(|| {
        error(
            first.clone(),
            format!("`{}` is not a day or a range of days", &text[first.clone()]),
            "begin with days: Mon, Tue, Wed, Thu, Fri, Sat, Sun, a range like Mon-Fri, or daily",
        )
    })?;
    if times.is_empty() {
        return Err(error(
            first.clone(),
            format!("`{}` has no time", &text[first.clone()]),
            "add a time after the day, like 08:00-17:30; leave out days that are closed",
        ));
    }
    for time in times {
        let (from, to) = parse_times(&text[time.clone()]).ok_or_else(|| {
            error(
                time.clone(),
                format!("`{}` is not a span of time", &text[time.clone()]),
                "write hours and minutes like 08:00-17:30, or 20:00-06:00 over midnight",
            )
        })?;
        hours.spans.extend(days.iter().map(|&day| OpenSpan { day, from, to }));
    }
    Ok(())
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    if text.eq_ignore_ascii_case("daily") || text == "每天" {
        return Some(DAYS.map(|(day, _, _)| day).to_vec());
    }
    let mut ends = text.splitn(2, DASHES);
    let first = parse_day(ends.next()?)?;
    let last = ends.next().map_or(Some(first), parse_day)?;
    let mut days = vec![first];
    while days.last() != Some(&last) {
        days.push(days.last()?.succ());
    }
    Some(days)
}

fn parse_day(text: &str) -> Option<Weekday> {
    DAYS.iter().find(|(_, en, zh)| text.eq_ignore_ascii_case(en) || text == *zh).map(|(day, _, _)| *day)
}

/// A span of time like `08:00-17:30`.
pub(crate) fn parse_times(text: &str) -> Option<(NaiveTime, NaiveTime)> {
    let mut ends = text.splitn(2, DASHES);
    let from = parse_time(ends.next()?)?;
    let end = ends.next()?;
    let to = if matches!(end, "24:00" | "24：00") { NaiveTime::MIN } else { parse_time(end)? };
    // The same minute twice could mean never or always; `00:00-24:00` says always.
    (from != to || end.starts_with("24")).then_some((from, to))
}

fn parse_time(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once([':', '：'])?;
    let digits = |part: &str, len: std::ops::RangeInclusive<usize>| {
        len.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(hour, 1..=2) || !digits(minute, 2..=2) {
        return None;
    }
    NaiveTime::from_hms_opt(hour.parse().ok()?, minute.parse().ok()?, 0)
}

/// The byte ranges between separators; an all-blank piece between two commas stays, so that it can be reported.
pub fn pieces(text: &str, is_separator: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
        if at == text.len() || is_separator(c) {
            if at > start {
                found.push(start..at);
            }
            start = at + c.len_utf8();
        }
    }
    found
}

/// What is wrong with a part of a text.
pub fn error(at: Range<usize>, what: String, fix: &str) -> HoursError {
    HoursError { at, what, fix: fix.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<String> {
        let hours = parse(text).unwrap();
        hours
            .spans
            .iter()
            .map(|s| format!("{} {}-{}", s.day, s.from.format("%H:%M"), s.to.format("%H:%M")))
            .collect()
    }

    #[test]
    fn days_ranges_breaks_and_nights_are_read() {
        assert_eq!(
            spans("Mon-Tue 08:00-12:00 14:00-17:30, Sat 8:00-12:00"),
            ["Mon 08:00-12:00", "Tue 08:00-12:00", "Mon 14:00-17:30", "Tue 14:00-17:30", "Sat 08:00-12:00"]
        );
        assert_eq!(spans("Sun-Mon 20:00-06:00"), ["Sun 20:00-06:00", "Mon 20:00-06:00"]);
        assert_eq!(spans("fri 00:00-24:00"), ["Fri 00:00-00:00"]);
        assert_eq!(spans("daily 07:00-19:00").len(), 7);
        assert_eq!(spans("周一至周二 08：00－12：00，周六 08:00-12:00").len(), 3);
    }

    #[test]
    fn the_wrong_word_is_pointed_at() {
        let wrong = |text: &str| {
            let error = parse(text).unwrap_err();
            text[error.at].to_owned()
        };
        assert_eq!(wrong("Mon-Fri 08:00-17:30, Sta 08:00-12:00"), "Sta");
        assert_eq!(wrong("Mon-Fri 08:00-25:30"), "08:00-25:30");
        assert_eq!(wrong("Mon-Fri 0800-1730"), "0800-1730");
        assert_eq!(wrong("Mon-Fri"), "Mon-Fri");
        assert_eq!(wrong("08:00-17:30"), "08:00-17:30");
        assert_eq!(wrong("Mon 08:00-08:00"), "08:00-08:00");
        assert_eq!(wrong(""), "");
        assert_eq!(wrong("Mon 08:00-12:00, , Tue 08:00-12:00"), " ");
        assert_eq!(wrong("Mon 08:00-1é:00"), "08:00-1é:00");
    }
}
