//! Takes visits through the survey of a terminal and collects what it stores.

use std::{collections::BTreeSet, sync::Arc};

use super::visits::{Dice, Visit};
use crate::{
    model::{EntryId, Moment, Polarity, ResponseId},
    questionnaire::{Hospital, Question, ReasonGroup},
    survey::{Effect, Event, OutOfHours, Page, Plan, PlanError, Start, StoreOutcome, Survey, Timing},
    wire::Draft,
};

/// A questionnaire is short; a visit of more steps than these has gone astray and is left to the idle timer.
const STEPS_MAX: usize = 24;

/// One terminal at an exit, at which every place can be rated.
pub(super) struct Walk {
    survey: Survey,
    now: Moment,
    ids: Dice,
    drafts: Vec<Draft>,
}

/// What a visitor does next.
enum Step {
    Do(Event),
    Reasons(Vec<usize>),
    Over,
}

impl Walk {
    pub(super) fn new(hospital: &Arc<Hospital>, now: Moment, seed: u64) -> Result<Self, PlanError> {
        let site = hospital.sites.first().map(|site| site.id.clone());
        let here = hospital.touchpoints.iter().filter(|touchpoint| Some(&touchpoint.site) == site.as_ref());
        let plan = Plan {
            hospital: hospital.clone(),
            touchpoints: here.map(|touchpoint| touchpoint.id.clone()).collect(),
            languages: hospital.languages.clone(),
            start: Start::Attract,
            out_of_hours: OutOfHours::Ask,
            out_of_service: None,
            help: false,
            timing: Timing::default(),
        };
        Ok(Self { survey: Survey::new(plan)?, now, ids: Dice::new(!seed), drafts: Vec::new() })
    }

    /// What was stored since the last call.
    pub(super) fn take(&mut self) -> Vec<Draft> {
        std::mem::take(&mut self.drafts)
    }

    /// One visit, until the screen is at rest again.
    pub(super) fn visit(&mut self, visit: &Visit) {
        let wait_ms = (visit.at - self.now.wall).num_milliseconds();
        self.pass(u64::try_from(wait_ms).unwrap_or(0));
        let mut dice = Dice::new(visit.dice);
        if visit.second_language && self.survey.plan().languages.len() > 1 {
            self.act(Event::OpenLanguages);
            self.pass(1_500);
            self.act(Event::PickLanguage(1));
            self.pass(1_500);
        }
        for _ in 0..STEPS_MAX {
            match self.step(visit, &mut dice) {
                Step::Do(event) => self.act(event),
                Step::Reasons(chosen) => {
                    for reason in chosen {
                        self.act(Event::ToggleReason(reason));
                        self.pass(900 + dice.below(1_500));
                    }
                    self.act(Event::ReasonsDone);
                }
                Step::Over => break,
            }
            self.pass(1_200 + dice.below(2_600));
        }
        self.wait_for_rest();
    }

    fn step(&self, visit: &Visit, dice: &mut Dice) -> Step {
        match self.survey.page() {
            Page::Attract => Step::Do(Event::Begin),
            Page::Choice(places) => match places.iter().position(|place| place.id == visit.touchpoint) {
                Some(place) => Step::Do(Event::PickTouchpoint(place)),
                None => Step::Over,
            },
            Page::Question { .. } if visit.leaves => Step::Over,
            Page::Question { question, pressed: None, .. } => {
                Step::Do(Event::Rate(level(question, visit.mood, dice)))
            }
            Page::Reasons { group, saving: false, .. } => Step::Reasons(reasons(group, dice)),
            Page::Question { .. }
            | Page::Reasons { .. }
            | Page::Thanks { .. }
            | Page::StillThere { .. }
            | Page::Language(_)
            | Page::StillSaving
            | Page::Held(_)
            | Page::NotStored
            | Page::Help(_)
            | Page::Cleaning { .. }
            | Page::Closed { .. }
            | Page::OutOfService(_) => Step::Over,
        }
    }

    fn wait_for_rest(&mut self) {
        for _ in 0..STEPS_MAX {
            let Some(due_ms) = self.survey.deadline_ms() else { return };
            self.pass(due_ms.saturating_sub(self.now.up_ms).max(1));
            self.act(Event::Tick);
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now.up_ms += ms;
        self.now.wall += chrono::TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(0));
    }

    /// Nobody stands there and waits for thanks, so what is to be stored counts as stored at once; the commit is the day's.
    fn act(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let fresh = ResponseId::from_parts(self.unix_ms(), self.random());
            for Effect::Store { token, bodies } in self.survey.handle(event, self.now.up_ms, fresh) {
                for body in bodies {
                    let id = EntryId::from_parts(self.unix_ms(), self.random());
                    self.drafts.push(Draft { id, at: self.now, body });
                }
                events.push(StoreOutcome::PRETENDED.event(token));
            }
        }
    }

    fn unix_ms(&self) -> u64 {
        u64::try_from(self.now.wall.timestamp_millis()).unwrap_or(0)
    }

    fn random(&mut self) -> [u8; 10] {
        let (a, b) = (self.ids.next().to_be_bytes(), self.ids.next().to_be_bytes());
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&a);
        bytes[8..].copy_from_slice(&b[..2]);
        bytes
    }
}

/// Which level somebody in this mood taps: for each step of the scale a throw.
fn level(question: &Question, mood: f64, dice: &mut Dice) -> usize {
    let on_screen = question.levels_on_screen();
    let unknown = on_screen.iter().position(|level| level.polarity == Polarity::Unknown);
    if let Some(unknown) = unknown.filter(|_| dice.percent(3)) {
        return unknown;
    }
    let mut known: Vec<usize> = (0..on_screen.len()).filter(|i| Some(*i) != unknown).collect();
    let worth = |i: &usize| on_screen.get(*i).and_then(|level| level.index).unwrap_or(0.0);
    known.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
    let steps = known.len().saturating_sub(1);
    // Long scales are not thrown step by step: people tap their ends and the upper part.
    let reached = if steps > 5 {
        let half = (0..5).filter(|_| dice.unit() < mood).count();
        half * steps / 5
    } else {
        (0..steps).filter(|_| dice.unit() < mood).count()
    };
    known.get(reached).copied().unwrap_or(0)
}

/// Two of three visitors name a reason, some two; the first ones on the list more often.
fn reasons(group: &ReasonGroup, dice: &mut Dice) -> Vec<usize> {
    let count = u64::try_from(group.reasons.len()).unwrap_or(0);
    let wanted = match dice.below(6) {
        0 | 1 => 0,
        5 => 2,
        _ => 1,
    };
    let mut chosen = BTreeSet::new();
    for _ in 0..wanted {
        let reason = dice.below(count).min(dice.below(count));
        chosen.insert(usize::try_from(reason).unwrap_or(0));
    }
    chosen.into_iter().filter(|reason| *reason < group.reasons.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        example::visits::{Wanted, make},
        model::{BootId, TimeQuality},
        wire::{Body, EndOutcome},
    };

    #[test]
    fn every_visit_leaves_what_the_survey_stores_of_it_and_the_screen_is_at_rest_after_each() {
        let hospital = Arc::new(crate::config::example().value.hospital);
        let until = "2026-11-25T07:00:00Z".parse().unwrap();
        let visits = make(&hospital, &Wanted { seed: 7, days: 5, until });
        let wall = visits[0].at - chrono::TimeDelta::minutes(1);
        let now =
            Moment { wall, boot: BootId(uuid::Uuid::nil()), up_ms: 1_000, quality: TimeQuality::Synced };
        let mut walk = Walk::new(&hospital, now, 7).unwrap();
        for visit in &visits {
            assert!(walk.now.wall <= visit.at, "the visitor before is gone");
            walk.visit(visit);
            assert!(walk.survey.at_rest(), "{:?}", walk.survey.page());
        }
        let drafts = walk.take();
        let count = |is_it: &dyn Fn(&Body) -> bool| drafts.iter().filter(|draft| is_it(&draft.body)).count();
        let leaving = visits.iter().filter(|visit| visit.leaves).count();
        let ended =
            |outcome| count(&move |body| matches!(body, Body::ResponseEnd(end) if end.outcome == outcome));
        assert_eq!(ended(EndOutcome::Completed), visits.len() - leaving);
        assert!(leaving > 0 && ended(EndOutcome::Left) > 0);
        assert!(count(&|body| matches!(body, Body::Answer(_))) >= visits.len() - leaving);
        assert!(
            count(&|body| matches!(body, Body::Reasons(reasons) if !reasons.reasons.is_empty())) * 20
                > visits.len()
        );
        assert!(
            count(&|body| matches!(body, Body::Answer(answer) if !answer.flags.is_empty())) == 0,
            "nobody is doubted"
        );
        assert!(drafts.iter().all(|draft| draft.at.wall <= until));
    }
}
