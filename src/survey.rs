//! One visitor at a time: `(state, event, now) -> (state, effects)`.
//!
//! Pure: time since boot and fresh ids are arguments, storing is an effect whose result comes back as an event. Invariants:
//! - every accepted tap on a rating becomes an `answer` entry; flags are opinions and never drop one;
//! - [`Page::Thanks`] is reached only after every entry of the visit was reported stored;
//! - a visit that stored something, or got past the first tap, ends with exactly one `response_end`;
//! - the page at rest is always in the default language, or on its way there;
//! - while the screen is cleaned no touch changes anything, and every touch that changes nothing is counted ([`Survey::tally`]).

mod aside;
mod flags;
mod moves;
mod strikes;
mod visit;

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    model::{Lang, ResponseId, TouchpointId},
    questionnaire::{Hospital, Question, Questionnaire, ReasonGroup, Touchpoint},
    wire::Body,
};
use flags::FlagWatch;
use strikes::Strike;
use visit::Visit;

/// Waits, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Without a touch for this long, the visitor is asked whether they are still there.
    pub idle_ms: u64,
    /// How long that question waits.
    pub warning_ms: u64,
    /// How long the thank-you page offers to change the answer.
    pub undo_ms: u64,
    /// How long "could not be saved" stays.
    pub not_stored_ms: u64,
    /// How long nobody is asked after that: each tap would be in vain, and the next one after it shows whether storing works again.
    pub out_of_service_ms: u64,
    /// A second strike within this time on the same target, or on what took its place, is the same tap (EN 301 549 5.8).
    pub double_strike_ms: u64,
    /// A tap on another target within this time is a palm or a second finger: no hand moves that fast from one target to the next.
    pub palm_ms: u64,
    /// How long a call for help waits for central before it says that nobody could be reached.
    pub help_wait_ms: u64,
    /// How long the page of a call for help stays.
    pub help_ms: u64,
    /// A second call within this time is the same call.
    pub help_again_ms: u64,
    /// How long the screen is locked for wiping.
    pub cleaning_ms: u64,
}

impl Default for Timing {
    /// The numbers of WCAG 2.2.1, 3.3.4 and EN 301 549.
    fn default() -> Self {
        Self {
            idle_ms: 30_000,
            warning_ms: 20_000,
            undo_ms: 5_000,
            not_stored_ms: 10_000,
            out_of_service_ms: 60_000,
            double_strike_ms: 500,
            palm_ms: 120,
            help_wait_ms: 8_000,
            help_ms: 20_000,
            help_again_ms: 60_000,
            cleaning_ms: 30_000,
        }
    }
}

/// What the terminal shows at rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// An invitation; a touch begins.
    Attract,
    /// The question itself: one tap is enough. Only with a single touchpoint.
    Question,
}

/// What the terminal does outside the opening hours of everything it rates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OutOfHours {
    /// The same as inside.
    #[default]
    Ask,
    /// Says that the desk is closed, and offers to rate an earlier visit.
    Offer,
    /// Says that the desk is closed.
    Close,
}

/// Why nobody is asked anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutOfService {
    /// Nobody has said yet what is rated here.
    NotSetUp,
    /// What is tapped cannot be stored.
    Storage,
}

/// What a terminal asks, where, and in which languages. Built from checked configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// The hospital's touchpoints and questionnaires.
    pub hospital: Arc<Hospital>,
    /// What can be rated here; several at an exit. At least one, each in `hospital`.
    pub touchpoints: Vec<TouchpointId>,
    /// Languages on offer, the first is the default. At least one.
    pub languages: Vec<Lang>,
    /// The page at rest.
    pub start: Start,
    /// Outside the opening hours.
    pub out_of_hours: OutOfHours,
    /// Nothing is asked at all; what says so is the page at rest.
    pub out_of_service: Option<OutOfService>,
    /// Somebody can be called from here.
    pub help: bool,
    /// Waits.
    pub timing: Timing,
}

/// Why a plan cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing to rate.
    #[error("no touchpoint is configured for this terminal")]
    NoTouchpoint,
    /// No language.
    #[error("no language is configured for this terminal")]
    NoLanguage,
    /// A touchpoint, or its questionnaire, is not in the hospital's file.
    #[error("touchpoint `{0}` or its questionnaire is not in touchpoints.toml")]
    Dangling(TouchpointId),
}

impl Plan {
    fn check(&self) -> Result<(), PlanError> {
        if self.touchpoints.is_empty() {
            return Err(PlanError::NoTouchpoint);
        }
        if self.languages.is_empty() {
            return Err(PlanError::NoLanguage);
        }
        match self.touchpoints.iter().find(|id| self.questionnaire(id).is_none_or(|q| q.questions.is_empty()))
        {
            Some(id) => Err(PlanError::Dangling(id.clone())),
            None => Ok(()),
        }
    }

    /// The questionnaire of a touchpoint.
    fn questionnaire(&self, id: &TouchpointId) -> Option<&Questionnaire> {
        self.hospital.questionnaire(&self.hospital.touchpoint(id)?.questionnaire)
    }

    fn only_touchpoint(&self) -> Option<&TouchpointId> {
        match self.touchpoints.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether the question itself stands on the screen at rest.
    pub fn rests_on_question(&self) -> bool {
        self.start == Start::Question && self.touchpoints.len() == 1 && self.out_of_service.is_none()
    }
}

/// Names one [`Effect::Store`] until its result is reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Token(u64);

/// What happened. Indexes count options as they lie on screen, from 0.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The invitation was touched.
    Begin,
    /// A touchpoint was chosen.
    PickTouchpoint(usize),
    /// A finger went down on an option; it may or may not become a tap.
    Pressed(usize),
    /// A level was tapped.
    Rate(usize),
    /// A reason was tapped.
    ToggleReason(usize),
    /// The reasons are complete.
    ReasonsDone,
    /// Back from the reasons to their question.
    Back,
    /// "Change my answer" on the thank-you page.
    Undo,
    /// "Rate another place" on the thank-you page.
    Another,
    /// "I am still here".
    StillHere,
    /// The language button.
    OpenLanguages,
    /// A language was chosen.
    PickLanguage(usize),
    /// Back from the languages without choosing.
    KeepLanguage,
    /// Staff are called.
    CallHelp,
    /// Central has every entry of the journal up to this one.
    Delivered {
        /// The place of the last one.
        through: u64,
    },
    /// Away from the page of a call for help.
    Dismiss,
    /// Somebody is about to wipe the screen.
    Clean,
    /// Whether a place that is rated here is open now.
    Opening(bool),
    /// The glass was touched, on a target or beside.
    Touched,
    /// Storing succeeded.
    Stored {
        /// What was to be stored.
        token: Token,
        /// The place of its last entry in the journal.
        through: u64,
    },
    /// Storing failed.
    StoreFailed(Token),
    /// Time passed; see [`Survey::deadline_ms`].
    Tick,
    /// New configuration.
    NewPlan(Plan),
}

impl Event {
    /// Whether a visitor's finger or key made it.
    const fn is_by_hand(&self) -> bool {
        !matches!(
            self,
            Self::Stored { .. }
                | Self::StoreFailed(_)
                | Self::Tick
                | Self::NewPlan(_)
                | Self::Opening(_)
                | Self::Delivered { .. }
                | Self::Clean
        )
    }
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Write these entries in one commit, then report [`Event::Stored`] or [`Event::StoreFailed`].
    Store {
        /// To be given back.
        token: Token,
        /// What to write.
        bodies: Vec<Body>,
    },
}

/// What is on the screen.
#[derive(Clone, PartialEq, Debug)]
pub enum Page<'a> {
    /// An invitation.
    Attract,
    /// Which touchpoint?
    Choice(Vec<&'a Touchpoint>),
    /// A question; `pressed` is the level being stored.
    Question {
        /// What is asked.
        question: &'a Question,
        /// Its place, from 1, and how many there are.
        number: (usize, usize),
        /// The level that was tapped and is being stored.
        pressed: Option<usize>,
    },
    /// Reasons for a level.
    Reasons {
        /// What is asked.
        group: &'a ReasonGroup,
        /// Which are chosen.
        selected: &'a BTreeSet<usize>,
        /// "Done" was tapped and the choice is being stored.
        saving: bool,
    },
    /// Everything is stored.
    Thanks {
        /// Whether another touchpoint can be rated here.
        another: bool,
    },
    /// Is anybody there?
    StillThere {
        /// Until the visit ends, in milliseconds since boot.
        until_ms: u64,
    },
    /// Which language?
    Language(&'a [Lang]),
    /// The last tap could not be stored, and the screen says so.
    NotStored,
    /// Somebody called for help.
    Help(HelpStage),
    /// The screen is being wiped.
    Cleaning {
        /// Until it is touched in earnest again, in milliseconds since boot.
        until_ms: u64,
    },
    /// Nobody is served here now.
    Closed {
        /// An earlier visit can be rated.
        rate: bool,
    },
    /// Nobody is asked anything.
    OutOfService(OutOfService),
}

/// How far a call for help is. Nobody is told that help comes before central has the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HelpStage {
    /// On its way.
    Calling,
    /// Central has it.
    Told,
    /// It is not stored, or central does not answer.
    Untold,
}

/// What became of the taps: each is counted once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Changed something.
    pub taken: u64,
    /// A second strike on the same target, or on what took its place.
    pub double_strikes: u64,
    /// A second target in the same instant.
    pub palms: u64,
    /// Meant nothing on the page that showed, or came while the screen was cleaned.
    pub idle: u64,
}

#[derive(Clone, PartialEq, Debug)]
enum State {
    Rest,
    Choosing(Visit),
    Asking { visit: Visit, index: usize, shown_at_ms: Option<u64> },
    Reasoning { visit: Visit, index: usize, level: usize, selected: BTreeSet<usize>, shown_at_ms: u64 },
    Saving { visit: Visit, last: SavingPage },
    Thanking { visit: Visit, until_ms: u64 },
    StillThere { back: Box<State>, until_ms: u64 },
    Language { back: Box<State> },
    NotStored { until_ms: u64 },
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
    last_tap: Option<strikes::Tap>,
    flags: FlagWatch,
    next_token: u64,
    open: bool,
    call: Option<aside::Call>,
    tally: Tally,
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
            State::Saving { .. } => None,
            State::Thanking { until_ms, .. }
            | State::StillThere { until_ms, .. }
            | State::NotStored { until_ms }
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
        let tap = strikes::Tap::new(&event, now_ms);
        match self.last_tap.as_ref().map_or(Strike::Tap, |last| tap.after(last, &self.plan.timing)) {
            Strike::Double => self.tally.double_strikes += 1,
            Strike::Palm => self.tally.palms += 1,
            Strike::Tap => {
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
            Event::Stored { token, through } => self.stored(token, through, now_ms),
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
            State::Saving { visit, last: SavingPage::Question { index, level } } => visit
                .touchpoint
                .as_ref()
                .and_then(|id| self.question_page(id, *index, Some(*level)))
                .unwrap_or(Page::Attract),
            State::Saving { visit, last: SavingPage::Reasons { index, level, selected } } => {
                self.reasons_page(visit, *index, *level, selected, true)
            }
            State::Thanking { .. } => Page::Thanks { another: self.plan.touchpoints.len() > 1 },
            State::StillThere { until_ms, .. } => Page::StillThere { until_ms: *until_ms },
            State::Language { .. } => Page::Language(&self.plan.languages),
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
        | State::Thanking { visit, .. } => Some(visit),
        State::StillThere { back, .. } | State::Language { back } | State::Help { back, .. } => {
            visit_of(back)
        }
    }
}
