//! Counts to rows: what is asked for, grouped, scored and suppressed.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Display, Measured, Shown, Suppressed, Suppression, Tally, Yardstick,
    range::{day_start, local_text},
};
use crate::{
    central::store::Count,
    model::{QuestionId, Scale, SiteId, TouchpointId},
    questionnaire::{Hospital, Question, Questionnaire, Texts},
};

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// The headline questions of all touchpoints together, by scale.
    Site,
    /// Each touchpoint's headline question.
    #[default]
    Touchpoint,
    /// Every question of each touchpoint.
    Question,
    /// Each touchpoint's headline question, by day in the site's time zone.
    Day,
    /// Each touchpoint's headline question, by hour in the site's time zone.
    Hour,
}

impl Grouping {
    /// Whether hours must be kept apart in the counts.
    pub const fn is_timed(self) -> bool {
        match self {
            Self::Day | Self::Hour => true,
            Self::Site | Self::Touchpoint | Self::Question => false,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked where, and was.
    pub hospital: &'a Hospital,
    /// Its places that are closed: they have a row only where they have answers.
    pub closed: &'a BTreeSet<TouchpointId>,
    /// The site.
    pub site: &'a SiteId,
    /// Its time zone.
    pub zone: Tz,
    /// Only this touchpoint.
    pub touchpoint: Option<&'a TouchpointId>,
    /// What a row stands for.
    pub by: Grouping,
    /// Whether doubted answers count too.
    pub raw: bool,
    /// The rule for small counts.
    pub rule: Suppression,
    /// Most rows of hours or days; a report that would have more ends early, at the start of one of them.
    pub rows_max: usize,
}

/// Scores, and where a long report goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// In journey order, then question, then time.
    pub rows: Vec<ScoreRow>,
    /// The hour or day it ends before, in Unix seconds, if there is more.
    pub next: Option<i64>,
}

/// One score of one cell.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ScoreRow {
    /// The site.
    #[schema(value_type = String)]
    pub site: SiteId,
    /// The touchpoint; none for the whole site.
    #[schema(value_type = Option<String>)]
    pub touchpoint: Option<TouchpointId>,
    /// The touchpoint is no longer configured; it has the name it had last.
    pub closed: bool,
    /// The touchpoint's or site's name by language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub names: Texts,
    /// The question; none for the whole site.
    #[schema(value_type = Option<String>)]
    pub question: Option<QuestionId>,
    /// The question's wording by language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub texts: Texts,
    /// The scale.
    #[schema(value_type = String)]
    pub scale: Scale,
    /// Start of the day or hour, with the site's offset from UTC.
    pub start: Option<String>,
    /// Answers; none where that is hidden.
    pub n: Option<u64>,
    /// Which score: `csat`, `ces`, `ces_mean`, `nps`, `fft_positive`, `fft_negative`, `index`, `positive`, `good_rate`, `yes`.
    #[schema(value_type = String)]
    pub score: &'static str,
    /// Whether it is the first score of its scale.
    pub headline: bool,
    /// Percent, points or steps, to two decimals; none where that is suppressed.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval.
    pub high: Option<f64>,
    /// What stands behind the number: `%`, or nothing for points and steps.
    #[schema(value_type = String)]
    pub unit: &'static str,
    /// Digits behind the point, as it is written for people.
    pub digits: usize,
    /// The figures as they are written for people.
    pub written: Written,
    /// Lowest possible value.
    pub min: f64,
    /// Highest possible value.
    pub max: f64,
    /// Why less is shown.
    pub suppressed: Option<Suppressed>,
    /// How to draw it.
    pub display: Option<Display>,
    /// How it is made, in words.
    #[schema(value_type = String)]
    pub formula: &'static str,
}

/// Figures as they are written for people, without units; none where the figure is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Written {
    /// The number of answers.
    pub n: Option<String>,
    /// The score.
    pub value: Option<String>,
    /// Lower end of its interval.
    pub low: Option<String>,
    /// Upper end.
    pub high: Option<String>,
}

/// What a row is about; closed places come after the open ones.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Place {
    /// The whole site.
    Site,
    /// A touchpoint by its place in the list: configured, or closed and remembered; see [`is_closed`].
    Open(usize),
    /// One that nobody remembers.
    Closed(TouchpointId),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    place: Place,
    question: Option<(usize, QuestionId)>,
    scale: Scale,
}

/// Rows in journey order, then question, then time. Touchpoints without answers are there too; days and hours without answers are not.
pub fn report(request: Request<'_>, counts: &[Count]) -> Report {
    let closed = closed_headlines(request.hospital, counts);
    let mut cells: BTreeMap<Group, BTreeMap<Option<i64>, Tally>> = BTreeMap::new();
    if !request.by.is_timed() && request.by != Grouping::Site {
        for group in configured(request) {
            let tally = Tally::new(group.scale);
            cells.entry(group).or_default().insert(None, tally);
        }
    }
    for count in counts.iter().filter(|count| request.raw || !count.flagged) {
        let Some(group) = group_of(request, &closed, count) else { continue };
        let start = match (request.by, count.hour) {
            (Grouping::Hour | Grouping::Day, None) => continue,
            (Grouping::Hour, Some(hour)) => Some(hour),
            (Grouping::Day, Some(hour)) => Some(day_start(hour, request.zone)),
            (Grouping::Site | Grouping::Touchpoint | Grouping::Question, _) => None,
        };
        let scale = group.scale;
        let cell = cells.entry(group).or_default().entry(start).or_insert_with(|| Tally::new(scale));
        cell.add(count.value, count.n);
    }
    let next = end_of_page(&cells, request.rows_max);
    if next.is_some() {
        cells.values_mut().for_each(|times| times.retain(|start, _| *start < next));
    }
    let hidden_by_total =
        if request.by == Grouping::Site { reveals(request, &closed, counts) } else { BTreeSet::new() };
    let mut rows = Vec::new();
    for (group, times) in &cells {
        let numbers: Vec<u64> = times.values().map(Tally::n).collect();
        let mut shown = request.rule.cells(&numbers);
        if hidden_by_total.contains(&group.scale) {
            shown.fill(Shown::Less(Suppressed::Complement));
        }
        for ((start, tally), shown) in times.iter().zip(shown) {
            rows.extend(rows_of(request, group, *start, tally, shown));
        }
    }
    Report { rows, next }
}

/// The first hour or day that no longer fits into so many rows; at least one fits.
fn end_of_page(cells: &BTreeMap<Group, BTreeMap<Option<i64>, Tally>>, rows_max: usize) -> Option<i64> {
    let mut rows: BTreeMap<i64, usize> = BTreeMap::new();
    for (group, times) in cells {
        for start in times.keys().flatten() {
            *rows.entry(*start).or_default() += Yardstick::of(group.scale).len();
        }
    }
    let mut so_far = 0;
    let mut starts = rows.into_iter();
    starts
        .by_ref()
        .enumerate()
        .find(|(i, (_, rows))| {
            so_far += rows;
            *i > 0 && so_far > rows_max
        })
        .map(|(_, (start, _))| start)
}

fn rows_of<'a>(
    request: Request<'a>,
    group: &'a Group,
    start: Option<i64>,
    tally: &'a Tally,
    shown: Shown,
) -> impl Iterator<Item = ScoreRow> + 'a {
    let (id, names) = named(request, &group.place);
    let question = group.question.as_ref().map(|(_, id)| id.clone());
    let texts = question.as_ref().map(|id| wording(request.hospital, &group.place, id)).unwrap_or_default();
    Yardstick::of(group.scale).iter().enumerate().map(move |(i, yardstick)| {
        let (measured, suppressed, display) = match shown {
            Shown::Score(display) => (yardstick.measure(tally), None, Some(display)),
            Shown::Less(why) => (None, Some(why), None),
        };
        let n = visible(tally.n(), suppressed);
        let (min, max) = yardstick.range();
        let written = |value: fn(&Measured) -> f64| measured.as_ref().map(|m| yardstick.written(value(m)));
        ScoreRow {
            site: request.site.clone(),
            touchpoint: id.clone(),
            names: names.clone(),
            question: question.clone(),
            texts: texts.clone(),
            scale: group.scale,
            start: start.map(|at| local_text(at, request.zone)),
            closed: is_closed(request, &group.place),
            n,
            score: yardstick.name(),
            headline: i == 0,
            value: measured.map(|m| rounded(m.value)),
            low: measured.map(|m| rounded(m.interval.low)),
            high: measured.map(|m| rounded(m.interval.high)),
            unit: yardstick.unit(),
            digits: yardstick.digits(),
            written: Written {
                n: n.map(grouped),
                value: written(|m| m.value),
                low: written(|m| m.interval.low),
                high: written(|m| m.interval.high),
            },
            min,
            max,
            suppressed,
            display,
            formula: yardstick.formula(),
        }
    })
}

/// A number of answers, unless the rule for small counts hides it.
pub(super) fn visible(n: u64, suppressed: Option<Suppressed>) -> Option<u64> {
    match suppressed {
        None | Some(Suppressed::CountOnly | Suppressed::NoAnswers) => Some(n),
        Some(Suppressed::Hidden | Suppressed::Complement) => None,
    }
}

/// A whole number with its thousands set apart.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Id and names of a place.
pub(super) fn named(request: Request<'_>, place: &Place) -> (Option<TouchpointId>, Texts) {
    match place {
        Place::Site => {
            (None, request.hospital.site(request.site).map(|site| site.name.clone()).unwrap_or_default())
        }
        Place::Open(i) => match request.hospital.touchpoints.get(*i) {
            Some(touchpoint) => (Some(touchpoint.id.clone()), touchpoint.name.clone()),
            None => (None, Texts::default()),
        },
        Place::Closed(id) => (Some(id.clone()), Texts::default()),
    }
}

fn is_asked_for(request: Request<'_>, touchpoint: &TouchpointId) -> bool {
    request.touchpoint.is_none_or(|wanted| wanted == touchpoint)
}

/// The cells that the present configuration asks for.
fn configured(request: Request<'_>) -> Vec<Group> {
    let mut groups = Vec::new();
    for (i, touchpoint) in request.hospital.touchpoints.iter().enumerate() {
        let is_closed = request.closed.contains(&touchpoint.id);
        if &touchpoint.site != request.site || is_closed || !is_asked_for(request, &touchpoint.id) {
            continue;
        }
        let questions =
            request.hospital.questionnaire(&touchpoint.questionnaire).map(|q| q.questions.as_slice());
        let wanted = if request.by == Grouping::Question { usize::MAX } else { 1 };
        for (place, question) in questions.unwrap_or_default().iter().enumerate().take(wanted) {
            let question_key = Some((place, question.id.clone()));
            groups.push(Group { place: Place::Open(i), question: question_key, scale: question.scale });
        }
    }
    groups
}

/// Whether a place is no longer configured: the store may remember what it was called and asked.
pub(super) fn is_closed(request: Request<'_>, place: &Place) -> bool {
    match place {
        Place::Site => false,
        Place::Open(i) => {
            request.hospital.touchpoints.get(*i).is_some_and(|place| request.closed.contains(&place.id))
        }
        Place::Closed(_) => true,
    }
}

/// The place a touchpoint id stands for.
pub(super) fn place_of(hospital: &Hospital, id: &TouchpointId) -> Place {
    let found = hospital.touchpoints.iter().position(|touchpoint| &touchpoint.id == id);
    found.map_or_else(|| Place::Closed(id.clone()), Place::Open)
}

/// The questionnaire an answer was given to, or the one its place asks now.
fn asked<'a>(hospital: &'a Hospital, count: &Count) -> Option<&'a Questionnaire> {
    let present = || hospital.questionnaire(&hospital.touchpoint(&count.touchpoint)?.questionnaire);
    hospital.questionnaire(&count.questionnaire).or_else(present)
}

/// The headlines of places whose questionnaires the file no longer has either: the question that was answered most there.
type ClosedHeadlines = BTreeMap<TouchpointId, QuestionId>;

fn closed_headlines(hospital: &Hospital, counts: &[Count]) -> ClosedHeadlines {
    let mut answers: BTreeMap<&TouchpointId, BTreeMap<&QuestionId, u64>> = BTreeMap::new();
    for count in counts.iter().filter(|count| asked(hospital, count).is_none()) {
        *answers.entry(&count.touchpoint).or_default().entry(&count.question).or_default() += count.n;
    }
    let most = |questions: BTreeMap<&QuestionId, u64>| {
        let most = questions.into_iter().rev().max_by_key(|(_, n)| *n);
        most.map(|(question, _)| question.clone())
    };
    answers.into_iter().filter_map(|(id, questions)| Some((id.clone(), most(questions)?))).collect()
}

/// Where a count belongs; `None` if it is not asked for.
fn group_of(request: Request<'_>, closed: &ClosedHeadlines, count: &Count) -> Option<Group> {
    let hospital = request.hospital;
    let headline = match asked(hospital, count) {
        Some(questionnaire) => questionnaire.questions.first().map(|question| &question.id),
        None => closed.get(&count.touchpoint),
    };
    let is_headline = headline == Some(&count.question);
    if !is_asked_for(request, &count.touchpoint) || (request.by != Grouping::Question && !is_headline) {
        return None;
    }
    let place = place_of(hospital, &count.touchpoint);
    let (place, question) = match request.by {
        Grouping::Site => (Place::Site, None),
        Grouping::Touchpoint | Grouping::Question | Grouping::Day | Grouping::Hour => {
            let order = order_of(hospital, &place, &count.question);
            (place, Some((order, count.question.clone())))
        }
    };
    Some(Group { place, question, scale: count.scale })
}

/// Where a question stands in the present questionnaire of its place; questions of older versions come after those.
pub(super) fn order_of(hospital: &Hospital, place: &Place, question: &QuestionId) -> usize {
    present_of(hospital, place)
        .and_then(|q| q.questions.iter().position(|asked| &asked.id == question))
        .unwrap_or(usize::MAX)
}

fn present_of<'a>(hospital: &'a Hospital, place: &Place) -> Option<&'a Questionnaire> {
    match place {
        Place::Open(i) => hospital.questionnaire(&hospital.touchpoints.get(*i)?.questionnaire),
        Place::Site | Place::Closed(_) => None,
    }
}

/// The question's words: those of the present questionnaire, else of the latest that has it.
pub(super) fn question_of<'a>(
    hospital: &'a Hospital,
    place: &Place,
    question: &QuestionId,
) -> Option<&'a Question> {
    let current = present_of(hospital, place).and_then(|q| q.question(question));
    current.or_else(|| hospital.questionnaires.iter().rev().find_map(|q| q.question(question)))
}

fn wording(hospital: &Hospital, place: &Place, question: &QuestionId) -> Texts {
    question_of(hospital, place, question).map(|q| q.text.clone()).unwrap_or_default()
}

/// Scales whose total over the site would give the one hidden touchpoint away.
fn reveals(request: Request<'_>, closed: &ClosedHeadlines, counts: &[Count]) -> BTreeSet<Scale> {
    let mut by_scale: BTreeMap<Scale, BTreeMap<Place, u64>> = BTreeMap::new();
    let parts = Request { by: Grouping::Touchpoint, ..request };
    for count in counts.iter().filter(|count| request.raw || !count.flagged) {
        if let Some(Group { place, scale, .. }) = group_of(parts, closed, count) {
            *by_scale.entry(scale).or_default().entry(place).or_default() += count.n;
        }
    }
    let is_given_away = |parts: &BTreeMap<Place, u64>| {
        let shown = request.rule.cells(&parts.values().copied().collect::<Vec<_>>());
        shown.contains(&Shown::Less(Suppressed::Complement))
    };
    by_scale.into_iter().filter(|(_, parts)| is_given_away(parts)).map(|(scale, _)| scale).collect()
}

pub(super) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts: Vec<String> = [0, 12, 999, 1_000, 98_765, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(texts, ["0", "12", "999", "1,000", "98,765", "1,234,567"]);
    }
}
