//! Counts to rows: what is asked for, grouped, scored and suppressed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveTime, Offset as _, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Display, Shown, Suppressed, Suppression, Tally, Yardstick};
use crate::{
    central::store::Count,
    model::{QuestionId, QuestionnaireRef, Scale, SiteId, TouchpointId, rfc3339},
    questionnaire::{Hospital, Texts},
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

/// The first question of a touchpoint's present questionnaire.
pub fn headline_of<'a>(
    hospital: &'a Hospital,
    id: &TouchpointId,
) -> Option<&'a crate::questionnaire::Question> {
    hospital.questionnaire(&hospital.touchpoint(id)?.questionnaire)?.questions.first()
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    touchpoint: Option<usize>,
    question: Option<(usize, QuestionId)>,
    scale: Scale,
}

/// Rows in journey order, then question, then time. Touchpoints without answers are there too; days and hours without answers are not.
pub fn report(request: Request<'_>, counts: &[Count]) -> Vec<ScoreRow> {
    let mut cells: BTreeMap<Group, BTreeMap<Option<i64>, Tally>> = BTreeMap::new();
    if !request.by.is_timed() && request.by != Grouping::Site {
        for group in configured(request) {
            let tally = Tally::new(group.scale);
            cells.entry(group).or_default().insert(None, tally);
        }
    }
    for count in counts.iter().filter(|count| request.raw || !count.flagged) {
        let Some(group) = group_of(request, count) else { continue };
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
    let hidden_by_total =
        if request.by == Grouping::Site { reveals(request, counts) } else { BTreeSet::new() };
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
    rows
}

fn rows_of<'a>(
    request: Request<'a>,
    group: &'a Group,
    start: Option<i64>,
    tally: &'a Tally,
    shown: Shown,
) -> impl Iterator<Item = ScoreRow> + 'a {
    let touchpoint = group.touchpoint.and_then(|i| request.hospital.touchpoints.get(i));
    let site_name = request.hospital.site(request.site).map(|site| site.name.clone());
    let names = touchpoint.map(|t| t.name.clone()).or(site_name).unwrap_or_default();
    let question = group.question.as_ref().map(|(_, id)| id.clone());
    let texts =
        question.as_ref().map(|id| wording(request.hospital, touchpoint.map(|t| &t.questionnaire), id));
    let texts = texts.unwrap_or_default();
    Yardstick::of(group.scale).iter().enumerate().map(move |(i, yardstick)| {
        let (measured, suppressed, display) = match shown {
            Shown::Score(display) => (yardstick.measure(tally), None, Some(display)),
            Shown::Less(why) => (None, Some(why), None),
        };
        let n = match suppressed {
            None | Some(Suppressed::CountOnly) => Some(tally.n()),
            Some(Suppressed::Hidden | Suppressed::Complement) => None,
        };
        let (min, max) = yardstick.range();
        ScoreRow {
            site: request.site.clone(),
            touchpoint: touchpoint.map(|t| t.id.clone()),
            closed: touchpoint.is_some_and(|t| request.closed.contains(&t.id)),
            names: names.clone(),
            question: question.clone(),
            texts: texts.clone(),
            scale: group.scale,
            start: start.map(|at| local_text(at, request.zone)),
            n,
            score: yardstick.name(),
            headline: i == 0,
            value: measured.map(|m| rounded(m.value)),
            low: measured.map(|m| rounded(m.interval.low)),
            high: measured.map(|m| rounded(m.interval.high)),
            min,
            max,
            suppressed,
            display,
            formula: yardstick.formula(),
        }
    })
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
            groups.push(Group { touchpoint: Some(i), question: question_key, scale: question.scale });
        }
    }
    groups
}

/// Where a count belongs; `None` if it is not asked for.
fn group_of(request: Request<'_>, count: &Count) -> Option<Group> {
    let hospital = request.hospital;
    let i = hospital.touchpoints.iter().position(|touchpoint| touchpoint.id == count.touchpoint)?;
    let present = &hospital.touchpoints.get(i)?.questionnaire;
    let asked = hospital.questionnaire(&count.questionnaire).or_else(|| hospital.questionnaire(present))?;
    let is_headline = asked.questions.first().is_some_and(|first| first.id == count.question);
    if !is_asked_for(request, &count.touchpoint) || (request.by != Grouping::Question && !is_headline) {
        return None;
    }
    let (touchpoint, question) = match request.by {
        Grouping::Site => (None, None),
        Grouping::Touchpoint | Grouping::Question | Grouping::Day | Grouping::Hour => {
            (Some(i), Some((place_of(hospital, present, &count.question), count.question.clone())))
        }
    };
    Some(Group { touchpoint, question, scale: count.scale })
}

/// Where a question stands in a questionnaire; questions of older versions come after those of the present one.
fn place_of(hospital: &Hospital, questionnaire: &QuestionnaireRef, question: &QuestionId) -> usize {
    hospital
        .questionnaire(questionnaire)
        .and_then(|q| q.questions.iter().position(|asked| &asked.id == question))
        .unwrap_or(usize::MAX)
}

fn wording(hospital: &Hospital, present: Option<&QuestionnaireRef>, question: &QuestionId) -> Texts {
    let current = present.and_then(|id| hospital.questionnaire(id)).and_then(|q| q.question(question));
    let any = || hospital.questionnaires.iter().rev().find_map(|q| q.question(question));
    current.or_else(any).map(|q| q.text.clone()).unwrap_or_default()
}

/// Scales whose total over the site would give the one hidden touchpoint away.
fn reveals(request: Request<'_>, counts: &[Count]) -> BTreeSet<Scale> {
    let mut by_scale: BTreeMap<Scale, BTreeMap<usize, u64>> = BTreeMap::new();
    let parts = Request { by: Grouping::Touchpoint, ..request };
    for count in counts.iter().filter(|count| request.raw || !count.flagged) {
        if let Some(Group { touchpoint: Some(i), scale, .. }) = group_of(parts, count) {
            *by_scale.entry(scale).or_default().entry(i).or_default() += count.n;
        }
    }
    let is_given_away = |parts: &BTreeMap<usize, u64>| {
        let shown = request.rule.cells(&parts.values().copied().collect::<Vec<_>>());
        shown.contains(&Shown::Less(Suppressed::Complement))
    };
    by_scale.into_iter().filter(|(_, parts)| is_given_away(parts)).map(|(scale, _)| scale).collect()
}

/// Start of the site-local day that holds an hour, in Unix seconds. Where midnight is skipped by summer time, the first instant after it.
fn day_start(hour: i64, zone: Tz) -> i64 {
    let at = DateTime::<Utc>::from_timestamp(hour, 0).unwrap_or_default();
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let Some(local) = at.naive_utc().checked_add_offset(offset) else { return hour };
    let midnight = local.date().and_time(NaiveTime::MIN);
    let first = (0..=4)
        .filter_map(|half_hours| midnight.checked_add_signed(chrono::Duration::minutes(30 * half_hours)))
        .find_map(|at| zone.from_local_datetime(&at).earliest());
    first.map_or(hour, |at| at.timestamp())
}

fn local_text(at: i64, zone: Tz) -> String {
    let at = DateTime::<Utc>::from_timestamp(at, 0);
    at.and_then(|at| rfc3339(at, zone, SecondsFormat::Secs)).unwrap_or_default()
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_the_first_instant_of_the_local_date() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp();
        let shanghai = chrono_tz::Asia::Shanghai;
        assert_eq!(day_start(at("2026-11-21T15:00:00Z"), shanghai), at("2026-11-20T16:00:00Z"));
        assert_eq!(day_start(at("2026-11-21T16:00:00Z"), shanghai), at("2026-11-21T16:00:00Z"));
        // Beirut skips from midnight to one on 2026-03-29.
        let beirut = chrono_tz::Asia::Beirut;
        assert_eq!(
            local_text(day_start(at("2026-03-29T09:00:00Z"), beirut), beirut),
            "2026-03-29T01:00:00+03:00"
        );
    }
}
