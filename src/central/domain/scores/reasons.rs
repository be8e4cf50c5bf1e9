//! Why visitors gave the ratings they gave: how many of those who were asked chose each reason.
//!
//! A visitor may choose several, so shares need not add up to 100 %. The rule for small counts is the one of the scores: few visitors with a
//! reason hide their number, few who were asked hide the share.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Display, Request, Shown, Suppressed, Written,
    formulas::share,
    report::{Place, grouped, is_closed, named, order_of, place_of, question_of, rounded, visible},
};
use crate::{
    central::store::ReasonCount,
    model::{QuestionId, ReasonId, SiteId, TouchpointId, Value},
    questionnaire::{ReasonGroup, Texts},
};

/// How the share of a reason is made, in words.
pub(crate) const REASON_FORMULA: &str = "share of those asked for reasons who chose it, Wilson 95 % interval";

/// The reasons for some values of a question at a touchpoint.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct QuestionReasons {
    /// The site.
    #[schema(value_type = String)]
    pub site: SiteId,
    /// The touchpoint.
    #[schema(value_type = Option<String>)]
    pub touchpoint: Option<TouchpointId>,
    /// Its name by language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub names: Texts,
    /// Whether the touchpoints file no longer has it.
    pub closed: bool,
    /// The question.
    #[schema(value_type = String)]
    pub question: QuestionId,
    /// What was asked for, by language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub prompt: Texts,
    /// The values of the scale that these reasons explain.
    #[schema(value_type = Vec<u8>)]
    pub values: Vec<Value>,
    /// Visitors who were asked and answered, those who chose nothing included; none where that is hidden.
    pub asked: Option<u64>,
    /// The same as it is written for people.
    pub asked_written: Option<String>,
    /// Why less is shown of that number.
    pub suppressed: Option<Suppressed>,
    /// The reasons, most often chosen first; those with less to show after the others.
    pub reasons: Vec<ReasonRow>,
}

/// One reason.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ReasonRow {
    /// The reason.
    #[schema(value_type = String)]
    pub reason: ReasonId,
    /// Its wording by language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub texts: Texts,
    /// Visitors who chose it; none where that is hidden.
    pub n: Option<u64>,
    /// Percent of those asked; none where that is suppressed.
    pub value: Option<f64>,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// The figures as they are written for people.
    pub written: Written,
    /// Why less is shown.
    pub suppressed: Option<Suppressed>,
    /// How to draw it.
    pub display: Option<Display>,
    /// How the share is made, in words.
    #[schema(value_type = String)]
    pub formula: &'static str,
}

/// A touchpoint, a question in its order, and the group of reasons that its values lead to.
type Key = (Place, usize, QuestionId, usize);

#[derive(Default)]
struct Cell {
    asked: u64,
    chosen: BTreeMap<ReasonId, u64>,
    values: BTreeSet<Value>,
}

/// Reasons in journey order, then by question. What the present configuration asks for is there also where nobody answered.
pub fn reasons(
    request: Request<'_>,
    question: Option<&QuestionId>,
    counts: &[ReasonCount],
) -> Vec<QuestionReasons> {
    let hospital = request.hospital;
    let mut cells: BTreeMap<Key, Cell> = BTreeMap::new();
    for (i, touchpoint) in hospital.touchpoints.iter().enumerate().filter(|(_, t)| &t.site == request.site) {
        let questions = hospital.questionnaire(&touchpoint.questionnaire).map(|q| q.questions.as_slice());
        for (order, asked) in questions.unwrap_or_default().iter().enumerate() {
            for group in 0..asked.reasons.len() {
                cells.entry((Place::Open(i), order, asked.id.clone(), group)).or_default();
            }
        }
    }
    for ReasonCount { of, reason } in counts.iter().filter(|count| request.raw || !count.of.flagged) {
        let place = place_of(hospital, &of.touchpoint);
        let order = order_of(hospital, &place, &of.question);
        let groups =
            question_of(hospital, &place, &of.question).map(|q| q.reasons.as_slice()).unwrap_or_default();
        let group = groups.iter().position(|group| group.values.contains(&of.value)).unwrap_or(usize::MAX);
        let cell = cells.entry((place, order, of.question.clone(), group)).or_default();
        cell.values.insert(of.value);
        match reason {
            None => cell.asked += of.n,
            Some(reason) => *cell.chosen.entry(reason.clone()).or_default() += of.n,
        }
    }
    let wanted = |(place, _, id, _): &Key| {
        let touchpoint = named(request, place).0;
        question.is_none_or(|wanted| wanted == id)
            && request.touchpoint.is_none_or(|wanted| Some(wanted) == touchpoint.as_ref())
    };
    cells
        .into_iter()
        .filter(|(key, _)| wanted(key))
        .map(|(key, cell)| question_reasons(request, key, cell))
        .collect()
}

fn question_reasons(
    request: Request<'_>,
    (place, _, question, group): Key,
    mut cell: Cell,
) -> QuestionReasons {
    let configured: Option<&ReasonGroup> =
        question_of(request.hospital, &place, &question).and_then(|question| question.reasons.get(group));
    let mut order: Vec<ReasonId> = Vec::new();
    if let Some(configured) = configured {
        cell.values.extend(configured.values.iter().copied());
        order.extend(configured.reasons.iter().map(|reason| reason.id.clone()));
    }
    order.extend(cell.chosen.keys().filter(|id| !order.contains(id)).cloned().collect::<Vec<_>>());
    let numbers: Vec<u64> = order.iter().map(|id| cell.chosen.get(id).copied().unwrap_or(0)).collect();
    let shown = request.rule.cells(&numbers);
    let base = request.rule.cell(cell.asked);
    let mut rows: Vec<ReasonRow> = order
        .into_iter()
        .zip(numbers.iter().zip(shown))
        .map(|(id, (n, shown))| {
            let texts = configured.and_then(|group| group.reasons.iter().find(|reason| reason.id == id));
            let texts = texts.map(|reason| reason.text.clone()).unwrap_or_default();
            reason_row(id, texts, (*n, shown), (cell.asked, base))
        })
        .collect();
    // Stable: what is not shown stays in the order of the configuration, which gives nothing away.
    rows.sort_by_key(|row| std::cmp::Reverse(row.n.unwrap_or(0)));
    let (touchpoint, names) = named(request, &place);
    let suppressed = match base {
        Shown::Score(_) => None,
        Shown::Less(why) => Some(why),
    };
    let asked = visible(cell.asked, suppressed);
    QuestionReasons {
        site: request.site.clone(),
        touchpoint,
        names,
        closed: is_closed(request, &place),
        question,
        prompt: configured.map(|group| group.prompt.clone()).unwrap_or_default(),
        values: cell.values.into_iter().collect(),
        asked,
        asked_written: asked.map(grouped),
        suppressed,
        reasons: rows,
    }
}

fn reason_row(
    reason: ReasonId,
    texts: Texts,
    (n, shown): (u64, Shown),
    (asked, base): (u64, Shown),
) -> ReasonRow {
    let suppressed = match (shown, base) {
        (Shown::Less(why @ (Suppressed::Hidden | Suppressed::Complement | Suppressed::NoAnswers)), _) => {
            Some(why)
        }
        // The number may be seen; whether its share may depends on how many were asked.
        (_, Shown::Score(_)) => None,
        (_, Shown::Less(why)) => Some(why),
    };
    let n_shown = visible(n, suppressed);
    let measured = if suppressed.is_none() { share(n, asked) } else { None };
    let percent = |value: f64| format!("{value:.0}");
    ReasonRow {
        reason,
        texts,
        n: n_shown,
        value: measured.map(|m| rounded(m.value)),
        low: measured.map(|m| rounded(m.interval.low)),
        high: measured.map(|m| rounded(m.interval.high)),
        written: Written {
            n: n_shown.map(grouped),
            value: measured.map(|m| percent(m.value)),
            low: measured.map(|m| percent(m.interval.low)),
            high: measured.map(|m| percent(m.interval.high)),
        },
        suppressed,
        display: if let (None, Shown::Score(display)) = (suppressed, base) { Some(display) } else { None },
        formula: REASON_FORMULA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::central::domain::scores::Suppression;

    const RULE: Suppression = Suppression { limit: 5 };

    fn row(n: u64, asked: u64) -> ReasonRow {
        let id = "wait".parse().unwrap();
        reason_row(id, Texts::default(), (n, RULE.cell(n)), (asked, RULE.cell(asked)))
    }

    #[test]
    fn a_reason_shows_its_number_from_five_on_and_its_share_from_ten_asked_on() {
        let (few, count, shown) = (row(4, 100), row(6, 9), row(6, 12));
        assert_eq!((few.n, few.value, few.suppressed), (None, None, Some(Suppressed::Hidden)));
        assert_eq!((count.n, count.value, count.suppressed), (Some(6), None, Some(Suppressed::CountOnly)));
        assert_eq!((shown.n, shown.value, shown.display), (Some(6), Some(50.0), Some(Display::Hatched)));
        assert_eq!((row(0, 40).n, row(0, 40).suppressed), (Some(0), Some(Suppressed::NoAnswers)));
        assert_eq!(row(6, 40).display, Some(Display::Plain));
        assert!(shown.low.unwrap() < 50.0 && 50.0 < shown.high.unwrap());
    }
}
