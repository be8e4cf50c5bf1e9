//! Visits as a survey ends them: an answer, the reasons for it, the end of the pass. Pure: a seed gives the same visits.

use chrono::TimeDelta;

use crate::{
    example::visits::Dice,
    model::{
        EntryId, Lang, Moment, QuestionId, QuestionnaireRef, ReasonId, ResponseId, Scale, TouchpointId, Value,
    },
    questionnaire::Hospital,
    wire::{Answer, Body, Draft, EndOutcome, Reasons, ResponseEnd},
};

/// What is asked at a touchpoint: its first question, where some values lead to reasons.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) touchpoint: TouchpointId,
    questionnaire: QuestionnaireRef,
    question: QuestionId,
    scale: Scale,
    order: Vec<Value>,
    /// A value, and the reasons that are asked after it.
    explained: Vec<(Value, Vec<ReasonId>)>,
    lang: Lang,
}

impl Place {
    /// The places of a hospital's first site where a visit can have three entries.
    pub(super) fn all(hospital: &Hospital) -> Vec<Self> {
        let site = hospital.sites.first().map(|site| &site.id);
        let here = hospital.touchpoints.iter().filter(|touchpoint| Some(&touchpoint.site) == site);
        here.filter_map(|touchpoint| {
            let question = hospital.questionnaire(&touchpoint.questionnaire)?.questions.first()?;
            let explained: Vec<_> = question
                .reasons
                .iter()
                .flat_map(|group| group.values.iter().map(move |value| (*value, group)))
                .map(|(value, group)| (value, group.reasons.iter().map(|reason| reason.id.clone()).collect()))
                .collect();
            (!explained.is_empty()).then_some(Self {
                touchpoint: touchpoint.id.clone(),
                questionnaire: touchpoint.questionnaire.clone(),
                question: question.id.clone(),
                scale: question.scale,
                order: question.levels_on_screen().iter().map(|level| level.value).collect(),
                explained,
                lang: hospital.languages.first()?.clone(),
            })
        })
        .collect()
    }
}

/// One visitor after the other at one place.
pub(super) struct Visits {
    place: Place,
    dice: Dice,
    now: Moment,
    /// Seconds between two visitors, on average.
    apart_s: u64,
}

impl Visits {
    pub(super) fn new(place: Place, seed: u64, from: Moment, apart_s: u64) -> Self {
        Self { place, dice: Dice::new(seed), now: from, apart_s }
    }

    /// Random bytes that the seed decides.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.dice.next().to_le_bytes()[0])
    }

    /// The moment at which the last visit ended.
    pub(super) fn now(&self) -> Moment {
        self.now
    }

    /// The next visit.
    pub(super) fn visit(&mut self) -> [Draft; 3] {
        let half = self.apart_s * 500;
        let idle = half + self.dice.below(2 * half + 1);
        self.pass(idle);
        let response = ResponseId::from_parts(self.unix_ms(), self.bytes());
        let chosen = self.dice.below(self.place.explained.len() as u64);
        let at = usize::try_from(chosen).unwrap_or(0) % self.place.explained.len();
        let place = self.place.clone();
        let (value, offered) = &place.explained[at];
        let answer = Answer {
            response,
            touchpoint: place.touchpoint.clone(),
            questionnaire: place.questionnaire.clone(),
            question: place.question.clone(),
            scale: place.scale,
            value: *value,
            lang: place.lang.clone(),
            shown_ms: Some(1_000 + self.dice.below(4_000)),
            order: place.order,
            flags: vec![],
        };
        let first = self.draft(Body::Answer(answer));
        let shown_ms = 900 + self.dice.below(6_000);
        self.pass(shown_ms + 300);
        let reasons = Reasons {
            response,
            touchpoint: place.touchpoint.clone(),
            questionnaire: place.questionnaire,
            question: place.question,
            value: *value,
            reasons: offered.iter().filter(|_| self.dice.percent(30)).cloned().collect(),
            order: offered.clone(),
            lang: place.lang,
            shown_ms,
        };
        let second = self.draft(Body::Reasons(reasons));
        self.pass(2);
        let end = ResponseEnd {
            response,
            touchpoint: Some(place.touchpoint),
            outcome: EndOutcome::Completed,
            replaces: None,
        };
        [first, second, self.draft(Body::ResponseEnd(end))]
    }

    /// What is written at this moment.
    pub(super) fn draft(&mut self, body: Body) -> Draft {
        Draft { id: EntryId::from_parts(self.unix_ms(), self.bytes()), at: self.now, body }
    }

    fn pass(&mut self, ms: u64) {
        self.now.up_ms += ms;
        self.now.wall += TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(0));
    }

    fn unix_ms(&self) -> u64 {
        u64::try_from(self.now.wall.timestamp_millis()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BootId, TimeQuality};

    fn some(seed: u64, n: usize) -> Vec<Draft> {
        let place = Place::all(&crate::config::example().value.hospital).swap_remove(0);
        let (boot, quality) = (BootId::from_parts(1, [2; 10]), TimeQuality::Synced);
        let wall = chrono::DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let mut visits = Visits::new(place, seed, Moment { wall, boot, up_ms: 1, quality }, 60);
        (0..n).flat_map(|_| visits.visit()).collect()
    }

    #[test]
    fn a_seed_gives_the_same_visits_of_an_answer_its_reasons_and_an_end() {
        let drafts = some(7, 50);
        assert_eq!(drafts, some(7, 50));
        assert_ne!(drafts, some(8, 50));
        for visit in drafts.chunks(3) {
            let kinds: Vec<_> = visit.iter().map(|draft| draft.body.kind()).collect();
            assert_eq!(kinds, ["answer", "reasons", "response_end"]);
            assert!(visit[0].at.up_ms < visit[1].at.up_ms && visit[1].at.up_ms < visit[2].at.up_ms);
        }
    }
}
