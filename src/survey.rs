//! One visitor at a time: `(state, event, now) -> (state, effects)`.
//!
//! Pure: time since boot and fresh ids are arguments, storing is an effect whose result comes back as an event. Invariants:
//! - every accepted tap on a rating becomes an `answer` entry; flags are opinions and never drop one;
//! - [`Page::Thanks`] is reached only after every entry of the visit was reported stored; entries that are held in memory alone are not;
//! - a commit is waited for `Timing::saving_max_ms` at most; what lands later is counted, and nobody is thanked for it;
//! - a visit that stored something, or got past the first tap, ends with exactly one `response_end`;
//! - the page at rest is always in the default language, or on its way there;
//! - while the screen is cleaned no touch changes anything, and every touch that changes nothing is counted ([`Survey::tally`]).

mod aside;
mod debounce;
mod flags;
mod keeping;
mod moves;
mod plan;
mod terms;
mod visit;

use std::collections::BTreeSet;

use crate::{
    model::{Lang, ResponseId, TouchpointId},
    questionnaire::{Question, ReasonGroup, Touchpoint},
};
pub(crate) use plan::PlanError;
pub use plan::{OutOfHours, OutOfService, Plan, Start, Timing};
pub use terms::{Effect, Event, HeldStage, HelpStage, JournalPlace, Page, StoreOutcome, Tally, Token};

use debounce::TapKind;
use flags::FlagWatch;
use visit::Visit;

#[derive(Clone, PartialEq, Debug)]
enum State {
    Rest,
    Choosing(Visit),
    Asking { visit: Visit, index: usize, shown_at_ms: Option<u64> },
    Reasoning { visit: Visit, index: usize, level: usize, selected: BTreeSet<usize>, shown_at_ms: u64 },
    Saving { visit: Visit, last: SavingPage, since_ms: u64, told: bool },
    Held { visit: Visit, stage: HeldStage, until_ms: u64 },
    Thanking { visit: Visit, until_ms: u64 },
    StillThere { back: Box<State>, until_ms: u64 },
    Language { back: Box<State> },
    NotStored { until_ms: u64, was_late: bool },
    OutOfService { until_ms: u64 },
    Help { back: Box<State>, until_ms: u64 },
    Cleaning { until_ms: u64 },
}

/// The page that stays while its entries are written.
#[derive(Clone, PartialEq, Debug)]
enum SavingPage {
    Question { index: usize, level: usize },
    Reasons { index: usize, level: usize, selected: BTreeSet<usize> },
}

/// The state machine of one screen.
#[derive(Clone, Debug)]
pub struct Survey {
    plan: Plan,
    next_plan: Option<Plan>,
    state: State,
    lang: Lang,
    touched_at_ms: u64,
    last_tap: Option<debounce::Tap>,
    flags: FlagWatch,
    next_token: u64,
    open: bool,
    call: Option<aside::Call>,
    tally: Tally,
    /// The newest place that central has signed for.
    acknowledged: Option<JournalPlace>,
    /// Entries held in memory that central has not signed for, as of the last one.
    unsaved: u64,
    /// Commits that no visitor waits for any more; the disk still owes an answer.
    given_up: BTreeSet<Token>,
}

impl Survey {
    /// A survey at rest.
    ///
    /// # Errors
    /// A plan with nothing to ask.
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        plan.check()?;
        let lang = plan.languages.first().cloned().ok_or(PlanError::NoLanguage)?;
        Ok(Self {
            plan,
            next_plan: None,
            state: State::Rest,
            lang,
            touched_at_ms: 0,
            last_tap: None,
            flags: FlagWatch::default(),
            next_token: 0,
            open: true,
            call: None,
            tally: Tally::default(),
            acknowledged: None,
            unsaved: 0,
            given_up: BTreeSet::new(),
        })
    }

    /// The plan in force.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The language on screen.
    pub fn lang(&self) -> &Lang {
        &self.lang
    }

    /// The touchpoint being rated, once that is known.
    pub fn touchpoint(&self) -> Option<&Touchpoint> {
        let id = match self.visit() {
            Some(visit) => visit.touchpoint.as_ref(),
            None => self.plan.only_touchpoint(),
        }?;
        self.plan.hospital.touchpoint(id)
    }

    /// What became of the taps so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether nobody is in the middle of anything.
    pub fn at_rest(&self) -> bool {
        self.state == State::Rest
    }

    /// When [`Event::Tick`] is due, in milliseconds since boot.
    pub fn deadline_ms(&self) -> Option<u64> {
        let idle = self.touched_at_ms + self.plan.timing.idle_ms;
        match &self.state {
            State::Rest => (self.plan.languages.first() != Some(&self.lang)).then_some(idle),
            State::Choosing(_) | State::Asking { .. } | State::Reasoning { .. } | State::Language { .. } => {
                Some(idle)
            }
            State::Saving { since_ms, told: false, .. } => Some(since_ms + self.plan.timing.saving_ms),
            State::Saving { since_ms, told: true, .. } => Some(since_ms + self.plan.timing.saving_max_ms),
            State::Thanking { until_ms, .. }
            | State::Held { until_ms, .. }
            | State::StillThere { until_ms, .. }
            | State::NotStored { until_ms, .. }
            | State::OutOfService { until_ms }
            | State::Help { until_ms, .. }
            | State::Cleaning { until_ms } => Some(*until_ms),
        }
    }

    /// What to show.
    pub fn page(&self) -> Page<'_> {
        self.page_of(&self.state)
    }

    /// Takes an event. `fresh` is used if a response begins.
    pub fn handle(&mut self, event: Event, now_ms: u64, fresh: ResponseId) -> Vec<Effect> {
        let mut effects = Vec::new();
        let by_hand = event.is_by_hand();
        let is_tap = by_hand && !matches!(event, Event::Pressed(_) | Event::Touched);
        let cleaning = matches!(self.state, State::Cleaning { .. });
        if by_hand && cleaning {
            // The cloth is on the glass: nothing counts, not even as a sign that somebody is there.
            self.tally.idle += u64::from(is_tap);
            return effects;
        }
        if by_hand {
            self.touched_at_ms = now_ms;
        }
        if is_tap {
            self.take_tap(event, now_ms, fresh, &mut effects);
        } else {
            self.take_event(event, now_ms, fresh, &mut effects);
        }
        self.take_new_plan_at_rest();
        effects
    }

    fn take_tap(&mut self, event: Event, now_ms: u64, fresh: ResponseId, effects: &mut Vec<Effect>) {
        let tap = debounce::Tap::new(&event, now_ms);
        match self.last_tap.as_ref().map_or(TapKind::Tap, |last| tap.after(last, &self.plan.timing)) {
            TapKind::Double => self.tally.double_strikes += 1,
            TapKind::Palm => self.tally.palms += 1,
            TapKind::Tap => {
                let before = self.state.clone();
                self.take_event(event, now_ms, fresh, effects);
                if before == self.state && effects.is_empty() {
                    self.tally.idle += 1;
                } else {
                    self.tally.taken += 1;
                    self.last_tap = Some(tap);
                }
            }
        }
    }

    fn take_event(&mut self, event: Event, now_ms: u64, fresh: ResponseId, effects: &mut Vec<Effect>) {
        match event {
            Event::Tick => self.tick(now_ms, effects),
            Event::NewPlan(plan) => self.next_plan = Some(plan),
            Event::Opening(open) => self.open = open,
            Event::Delivered { through } => self.delivered(through, now_ms),
            Event::Stored { token, at } => self.landed(token, at, false, now_ms),
            Event::Held { token, at, unsaved } => {
                self.unsaved = unsaved;
                self.landed(token, at, true, now_ms);
            }
            Event::Saved { chain } => self.saved(chain, now_ms),
            Event::StoreFailed(token) => self.store_failed(token, now_ms, effects),
            Event::Pressed(target) => self.flags.pressed(target, now_ms),
            Event::Begin => self.begin(now_ms, fresh),
            Event::PickTouchpoint(index) => self.pick_touchpoint(index, now_ms),
            Event::Rate(index) => self.rate(index, now_ms, fresh, effects),
            Event::ToggleReason(index) => self.toggle_reason(index),
            Event::ReasonsDone => self.reasons_done(now_ms, effects),
            Event::Back => self.back(now_ms),
            Event::Undo => self.undo(now_ms, fresh, effects),
            Event::Another => self.another(fresh, effects),
            Event::StillHere => self.still_here(),
            Event::OpenLanguages => self.open_languages(),
            Event::PickLanguage(index) => {
                let lang = self.plan.languages.get(index).cloned();
                self.leave_languages(lang, now_ms);
            }
            Event::KeepLanguage => self.leave_languages(None, now_ms),
            Event::CallHelp => self.call_help(now_ms, effects),
            Event::Dismiss => self.dismiss(now_ms),
            Event::Clean => self.clean(now_ms, effects),
            Event::Touched => {}
        }
    }

    /// Whether the page at rest says that the desk is closed.
    fn closed(&self) -> bool {
        !self.open && self.plan.out_of_hours != OutOfHours::Ask
    }

    fn page_of<'a>(&'a self, state: &'a State) -> Page<'a> {
        match state {
            State::Rest if let Some(why) = self.plan.out_of_service => Page::OutOfService(why),
            State::OutOfService { .. } => Page::OutOfService(OutOfService::Storage),
            State::Rest if self.closed() => {
                Page::Closed { rate: self.plan.out_of_hours == OutOfHours::Offer }
            }
            State::Rest if self.plan.rests_on_question() => self
                .plan
                .only_touchpoint()
                .and_then(|id| self.question_page(id, 0, None))
                .unwrap_or(Page::Attract),
            State::Rest => Page::Attract,
            State::Choosing(_) => {
                let hospital = &self.plan.hospital;
                Page::Choice(self.plan.touchpoints.iter().filter_map(|id| hospital.touchpoint(id)).collect())
            }
            State::Asking { visit, index, .. } => visit
                .touchpoint
                .as_ref()
                .and_then(|id| self.question_page(id, *index, None))
                .unwrap_or(Page::Attract),
            State::Reasoning { visit, index, level, selected, .. } => {
                self.reasons_page(visit, *index, *level, selected, false)
            }
            State::Saving { told: true, .. } => Page::StillSaving,
            State::Saving { visit, last: SavingPage::Question { index, level }, .. } => visit
                .touchpoint
                .as_ref()
                .and_then(|id| self.question_page(id, *index, Some(*level)))
                .unwrap_or(Page::Attract),
            State::Saving { visit, last: SavingPage::Reasons { index, level, selected }, .. } => {
                self.reasons_page(visit, *index, *level, selected, true)
            }
            State::Thanking { .. } => Page::Thanks { another: self.plan.touchpoints.len() > 1 },
            State::StillThere { until_ms, .. } => Page::StillThere { until_ms: *until_ms },
            State::Language { .. } => Page::Language(&self.plan.languages),
            State::Held { stage, .. } => Page::Held(*stage),
            State::NotStored { .. } => Page::NotStored,
            State::Help { .. } => Page::Help(self.help_stage()),
            State::Cleaning { until_ms } => Page::Cleaning { until_ms: *until_ms },
        }
    }

    fn question_page(
        &self,
        touchpoint: &TouchpointId,
        index: usize,
        pressed: Option<usize>,
    ) -> Option<Page<'_>> {
        let questions = &self.plan.questionnaire(touchpoint)?.questions;
        let question = questions.get(index)?;
        Some(Page::Question { question, number: (index + 1, questions.len()), pressed })
    }

    fn reasons_page<'a>(
        &'a self,
        visit: &'a Visit,
        index: usize,
        level: usize,
        selected: &'a BTreeSet<usize>,
        saving: bool,
    ) -> Page<'a> {
        self.group(visit, index, level).map_or(Page::Attract, |group| Page::Reasons {
            group,
            selected,
            saving,
        })
    }

    fn visit(&self) -> Option<&Visit> {
        visit_of(&self.state)
    }

    fn question(&self, visit: &Visit, index: usize) -> Option<&Question> {
        self.plan.questionnaire(visit.touchpoint.as_ref()?)?.questions.get(index)
    }

    fn group(&self, visit: &Visit, index: usize, level: usize) -> Option<&ReasonGroup> {
        let question = self.question(visit, index)?;
        question.reasons_for(question.levels_on_screen().get(level)?.value)
    }
}

fn visit_of(state: &State) -> Option<&Visit> {
    match state {
        State::Rest | State::NotStored { .. } | State::OutOfService { .. } | State::Cleaning { .. } => None,
        State::Choosing(visit)
        | State::Asking { visit, .. }
        | State::Reasoning { visit, .. }
        | State::Saving { visit, .. }
        | State::Held { visit, .. }
        | State::Thanking { visit, .. } => Some(visit),
        State::StillThere { back, .. } | State::Language { back } | State::Help { back, .. } => {
            visit_of(back)
        }
    }
}
