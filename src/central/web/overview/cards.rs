//! A card for each touchpoint: its score with the interval, the reasons, and the last hours.

use std::collections::BTreeMap;

use crate::{
    central::{
        domain::scores::{Display, QuestionReasons, ReasonRow, ScoreRow, Slot, Suppressed},
        queries::scores::{Reasons, Scores},
        web::words::Words,
    },
    lang::CentralText,
};

/// Reasons shown on a card.
const REASONS_SHOWN: usize = 4;

/// Width of the drawings, and the margin of the scale within it.
const WIDTH: f64 = 320.0;
const MARGIN: f64 = 10.0;

/// Height of the bars of hours.
const HOURS_HEIGHT: f64 = 40.0;

/// A card.
pub(super) struct Card {
    /// What tells it from every other.
    pub(super) key: String,
    pub(super) touchpoint: String,
    pub(super) score: &'static str,
    /// `shown`, or why it is not.
    pub(super) state: &'static str,
    pub(super) name: String,
    /// Another place has the same name.
    pub(super) is_twice: bool,
    pub(super) closed: bool,
    pub(super) question: String,
    pub(super) figure: Option<Figure>,
    /// What stands in its place.
    pub(super) less: String,
    pub(super) reasons: Vec<Group>,
    pub(super) hours: Option<Hours>,
    /// Nothing to show.
    pub(super) quiet: bool,
}

/// A score with its drawing.
pub(super) struct Figure {
    pub(super) value: String,
    pub(super) unit: &'static str,
    pub(super) measure: &'static str,
    pub(super) n: String,
    pub(super) low: String,
    pub(super) high: String,
    pub(super) said: String,
    pub(super) from: String,
    pub(super) width: String,
    pub(super) dot: String,
    pub(super) hatched: bool,
    pub(super) min: String,
    pub(super) middle: String,
    pub(super) max: String,
    pub(super) others: Vec<Other>,
}

/// Another score of the same answers.
pub(super) struct Other {
    pub(super) measure: &'static str,
    pub(super) value: String,
    pub(super) low: String,
    pub(super) high: String,
}

/// The reasons for some values of a question.
pub(super) struct Group {
    pub(super) prompt: String,
    pub(super) asked: String,
    pub(super) lines: Vec<Line>,
    /// What is said of those without a line.
    pub(super) rest: String,
}

/// One reason.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) figure: String,
    /// Its number is not shown.
    pub(super) soft: bool,
    pub(super) share: Option<Share>,
}

/// The share of a reason.
pub(super) struct Share {
    pub(super) text: String,
    pub(super) interval: String,
    pub(super) width: String,
    pub(super) hatched: bool,
}

/// The last hours.
pub(super) struct Hours {
    pub(super) said: String,
    pub(super) marks: Vec<Mark>,
    pub(super) bars: Vec<Bar>,
}

/// The name of an hour below the bars.
pub(super) struct Mark {
    pub(super) x: String,
    pub(super) text: String,
}

/// An hour.
pub(super) struct Bar {
    pub(super) is_dot: bool,
    pub(super) class: &'static str,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) said: String,
}

/// Cards in journey order, those without anything to show after the others.
pub(super) fn cards(words: Words, figures: &Scores, hours: &Scores, reasons: &Reasons) -> Vec<Card> {
    let mut groups: Vec<Vec<&ScoreRow>> = Vec::new();
    for row in &figures.rows {
        let key =
            |row: &ScoreRow| (row.site.clone(), row.touchpoint.clone(), row.question.clone(), row.scale);
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|first| key(first) == key(row)) => group.push(row),
            _ => groups.push(vec![row]),
        }
    }
    let mut named: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for first in groups.iter().filter_map(|group| group.first()) {
        let places = named.entry((&first.site, words.name(&first.names))).or_default();
        if !places.contains(&&first.touchpoint) {
            places.push(&first.touchpoint);
        }
    }
    let is_twice = |row: &ScoreRow| {
        named.get(&(&row.site, words.name(&row.names))).is_some_and(|places| places.len() > 1)
    };
    let k = figures.hide_below.to_string();
    let cards = groups.iter().filter_map(|rows| {
        let head = *rows.iter().find(|row| row.headline).or(rows.first())?;
        Some(card(words, (head, rows), is_twice(head), hours, reasons, &k))
    });
    let (quiet, shown): (Vec<Card>, Vec<Card>) = cards.partition(|card| card.quiet);
    shown.into_iter().chain(quiet).collect()
}

fn card(
    words: Words,
    (head, rows): (&ScoreRow, &[&ScoreRow]),
    is_twice: bool,
    hours: &Scores,
    reasons: &Reasons,
    k: &str,
) -> Card {
    let is_here =
        |row: &&ScoreRow| row.headline && row.site == head.site && row.touchpoint == head.touchpoint;
    let by_hour: Vec<&ScoreRow> = hours.rows.iter().filter(is_here).collect();
    let slots = hours.spans.iter().find(|span| span.site == head.site).map_or(&[][..], |span| &span.slots);
    let is_quiet =
        head.value.is_none() && head.suppressed != Some(Suppressed::CountOnly) && by_hour.is_empty();
    let groups: Vec<Group> = reasons
        .rows
        .iter()
        .filter(|group| group.site == head.site && group.touchpoint == head.touchpoint)
        .filter(|group| Some(&group.question) == head.question.as_ref())
        .filter(|group| group.suppressed != Some(Suppressed::NoAnswers))
        .map(|group| group_of(words, group, k))
        .collect();
    let touchpoint = head.touchpoint.as_ref().map(ToString::to_string).unwrap_or_default();
    let question = head.question.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = words.name(&head.names);
    Card {
        key: format!("{} {touchpoint} {question} {}", head.site, head.scale.name()),
        score: head.score,
        state: head.suppressed.map_or("shown", Suppressed::name),
        name: if name.is_empty() { touchpoint.clone() } else { name },
        touchpoint,
        is_twice,
        closed: head.closed,
        question: words.name(&head.texts),
        figure: figure(words, head, rows),
        less: less(words, head, k),
        reasons: groups,
        hours: (!is_quiet).then(|| hours_of(words, &by_hour, slots, k)),
        quiet: is_quiet,
    }
}

/// Why there is no score.
fn less(words: Words, row: &ScoreRow, k: &str) -> String {
    let n = row.written.n.as_deref().unwrap_or_default();
    match row.suppressed {
        Some(Suppressed::Hidden) => words.fill(CentralText::Hidden, &[("k", k)]),
        Some(Suppressed::Complement) => words.t(CentralText::Complement).to_owned(),
        Some(Suppressed::CountOnly) => words.fill(CentralText::CountOnly, &[("n", n)]),
        Some(Suppressed::NoAnswers) | None => words.t(CentralText::NoAnswers).to_owned(),
    }
}

fn figure(words: Words, head: &ScoreRow, rows: &[&ScoreRow]) -> Option<Figure> {
    let (value, low, high) = (head.value?, head.low?, head.high?);
    let x = |value: f64| MARGIN + (value - head.min) / (head.max - head.min) * (WIDTH - 2.0 * MARGIN);
    let [written, from, to] = [&head.written.value, &head.written.low, &head.written.high]
        .map(|text| text.clone().unwrap_or_default());
    let measure = measure(words, head.score);
    let others = rows.iter().filter(|row| row.score != head.score && row.value.is_some()).map(|row| Other {
        measure: self::measure(words, row.score),
        value: format!("{}{}", row.written.value.as_deref().unwrap_or_default(), row.unit),
        low: row.written.low.clone().unwrap_or_default(),
        high: row.written.high.clone().unwrap_or_default(),
    });
    Some(Figure {
        said: format!("{measure} {written}{}, {} {from} – {to}", head.unit, words.t(CentralText::Interval)),
        value: written,
        unit: head.unit,
        measure,
        n: head.written.n.clone().unwrap_or_default(),
        low: from,
        high: to,
        from: length(x(low)),
        width: length((x(high) - x(low)).max(3.0)),
        dot: length(x(value)),
        hatched: head.display == Some(Display::Hatched),
        min: head.min.to_string(),
        middle: f64::midpoint(head.min, head.max).to_string(),
        max: head.max.to_string(),
        others: others.collect(),
    })
}

fn length(pixels: f64) -> String {
    format!("{pixels:.1}")
}

/// What a score is called.
fn measure(words: Words, score: &str) -> &'static str {
    words.t(match score {
        "csat" => CentralText::Csat,
        "ces" => CentralText::Ces,
        "ces_mean" => CentralText::CesMean,
        "nps" => CentralText::Nps,
        "fft_positive" => CentralText::FftPositive,
        "fft_negative" => CentralText::FftNegative,
        "positive" => CentralText::Faces,
        "good_rate" => CentralText::GoodRate,
        "yes" => CentralText::SaidYes,
        _ => CentralText::Index,
    })
}

fn hours_of(words: Words, rows: &[&ScoreRow], slots: &[Slot], k: &str) -> Hours {
    let step = WIDTH / f64::from(u32::try_from(slots.len().max(1)).unwrap_or(u32::MAX));
    let (mut marks, mut bars) = (Vec::new(), Vec::new());
    let mut at = 0.0;
    for slot in slots {
        if slot.label.parse::<u8>().is_ok_and(|hour| hour.is_multiple_of(6)) {
            let text = slot.label.trim_start_matches('0');
            let text = if text.is_empty() { "0" } else { text }.to_owned();
            marks.push(Mark { x: length(at + step / 2.0), text });
        }
        if let Some(row) = rows.iter().find(|row| row.start.as_deref() == Some(&slot.start)) {
            bars.push(bar(words, row, slot, (at, step), k));
        }
        at += step;
    }
    let said: Vec<&str> = bars.iter().map(|bar| bar.said.as_str()).collect();
    Hours { said: format!("{}. {}", words.t(CentralText::LastHours), said.join("; ")), marks, bars }
}

fn bar(words: Words, row: &ScoreRow, slot: &Slot, (at, step): (f64, f64), k: &str) -> Bar {
    let figure = match (&row.written.value, &row.written.n) {
        (Some(value), Some(n)) => format!("{value}{} ({n})", row.unit),
        _ => less(words, row, k),
    };
    let said = format!("{}: {figure}", words.fill(CentralText::Hour, &[("h", &slot.label)]));
    let plain = |class, x: f64, y: f64, width: f64, height: f64| Bar {
        is_dot: false,
        class,
        x: length(x),
        y: length(y),
        width: length(width),
        height: length(height),
        said: said.clone(),
    };
    match (row.value, row.suppressed) {
        (Some(value), _) => {
            let tall = ((value - row.min) / (row.max - row.min) * (HOURS_HEIGHT - 2.0)).max(2.0);
            let class = if row.display == Some(Display::Hatched) { "bar-hatched" } else { "bar-plain" };
            plain(class, at + 1.5, HOURS_HEIGHT - tall, step - 3.0, tall)
        }
        (None, Some(Suppressed::CountOnly)) => {
            plain("bar-count", at + 2.0, HOURS_HEIGHT - 12.0, step - 4.0, 11.0)
        }
        (None, Some(Suppressed::Complement)) => {
            plain("bar-protected", at + step / 2.0 - 3.0, HOURS_HEIGHT - 9.0, 6.0, 6.0)
        }
        (None, _) => Bar { is_dot: true, x: length(at + step / 2.0), ..plain("", at, 0.0, 0.0, 0.0) },
    }
}

fn group_of(words: Words, group: &QuestionReasons, k: &str) -> Group {
    let chosen: Vec<&ReasonRow> =
        group.reasons.iter().filter(|row| row.suppressed != Some(Suppressed::NoAnswers)).collect();
    let seen = chosen.iter().filter(|row| row.n.is_some()).take(REASONS_SHOWN);
    let kept = chosen.iter().filter(|row| row.suppressed == Some(Suppressed::Complement));
    let few = chosen.iter().filter(|row| row.suppressed == Some(Suppressed::Hidden)).count();
    let lines: Vec<Line> = seen.chain(kept).map(|row| line(words, row, k)).collect();
    let rest = if chosen.is_empty() {
        words.t(CentralText::NobodyChose).to_owned()
    } else if few > 0 && group.asked.is_some() && lines.is_empty() {
        words.fill(CentralText::ReasonHidden, &[("k", k)])
    } else if few > 0 && group.asked.is_some() {
        words.fill(CentralText::MoreHidden, &[("n", &few.to_string()), ("k", k)])
    } else {
        String::new()
    };
    let prompt = words.name(&group.prompt);
    Group {
        prompt: if prompt.is_empty() { words.t(CentralText::Reasons).to_owned() } else { prompt },
        asked: match (&group.asked_written, group.suppressed) {
            (Some(n), _) => words.fill(CentralText::Asked, &[("n", n)]),
            (None, Some(Suppressed::Hidden)) => words.fill(CentralText::AskedFew, &[("k", k)]),
            (None, _) => words.t(CentralText::ReasonComplement).to_owned(),
        },
        lines,
        rest,
    }
}

fn line(words: Words, row: &ReasonRow, k: &str) -> Line {
    let figure = match (&row.written.n, row.suppressed) {
        (Some(n), _) => words.fill(CentralText::People, &[("n", n)]),
        (None, Some(Suppressed::Complement)) => words.t(CentralText::ReasonComplement).to_owned(),
        (None, _) => words.fill(CentralText::ReasonHidden, &[("k", k)]),
    };
    let interval = |row: &ReasonRow| Some((row.written.low.clone()?, row.written.high.clone()?));
    let share = row.value.zip(interval(row)).map(|(value, (low, high))| Share {
        text: format!("{}%", row.written.value.as_deref().unwrap_or_default()),
        interval: format!("{} {low} – {high}%", words.t(CentralText::Interval)),
        width: length(value / 100.0 * WIDTH),
        hatched: row.display == Some(Display::Hatched),
    });
    let text = words.name(&row.texts);
    Line {
        text: if text.is_empty() { row.reason.to_string() } else { text },
        id: row.reason.to_string(),
        figure,
        soft: row.n.is_none(),
        share,
    }
}
