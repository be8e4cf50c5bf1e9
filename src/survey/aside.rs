//! What is no answer: a call for help, and the wiping of the screen.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each move names the one state it leaves; in every other one the event changes nothing"
)]

use super::{Effect, HelpStage, JournalPlace, State, Survey, Token, visit::Visit, visit_of};
use crate::{
    model::TouchpointId,
    wire::{Body, Cleaning, EndOutcome, HelpCall},
};

/// The last call for help. It outlives its page: whoever calls again meets the same call, as far as it has come by then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Call {
    stage: HelpStage,
    at_ms: u64,
    token: Token,
    /// Its place in the journal, once it is stored.
    at: Option<JournalPlace>,
}

impl Survey {
    /// Somebody calls. The page they came from waits behind the call.
    pub(super) fn call_help(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        let Some(touchpoint) = self.place_of_call().filter(|_| self.plan.help) else { return };
        let back = match self.take() {
            State::Language { back } => back,
            back @ (State::Rest | State::Choosing(_) | State::Asking { .. } | State::Reasoning { .. }) => {
                Box::new(back)
            }
            other => {
                self.state = other;
                return;
            }
        };
        let again_ms = self.plan.timing.help_again_ms;
        let same =
            |call: &Call| call.stage != HelpStage::Untold && now_ms.saturating_sub(call.at_ms) < again_ms;
        if !self.call.as_ref().is_some_and(same) {
            let body = Body::HelpCalled(HelpCall { touchpoint, lang: self.lang.clone() });
            let token = self.store(vec![body], None, effects);
            self.call = Some(Call { stage: HelpStage::Calling, at_ms: now_ms, token, at: None });
        }
        self.state = self.help_page(back, now_ms);
    }

    /// How far the last call is.
    pub(super) fn help_stage(&self) -> HelpStage {
        self.call.map_or(HelpStage::Untold, |call| call.stage)
    }

    /// The page of a call for help, with its whole time before it.
    pub(super) fn help_page(&self, back: Box<State>, now_ms: u64) -> State {
        let timing = self.plan.timing;
        let calling = self.help_stage() == HelpStage::Calling;
        State::Help { back, until_ms: now_ms + if calling { timing.help_wait_ms } else { timing.help_ms } }
    }

    /// The call is stored: central's word covers it when it reaches so far.
    pub(super) fn help_stored(&mut self, token: Token, at: JournalPlace, now_ms: u64) {
        if let Some(call) = self.call.as_mut().filter(|call| call.token == token) {
            call.at = Some(at);
        }
        if let Some(through) = self.acknowledged {
            self.help_delivered(through, now_ms);
        }
    }

    pub(super) fn help_failed(&mut self, token: Token, now_ms: u64) {
        if self.call.is_some_and(|call| call.token == token) {
            self.help_turned(HelpStage::Untold, now_ms);
        }
    }

    /// Central has everything of a chain up to a place in it.
    pub(super) fn delivered(&mut self, through: JournalPlace, now_ms: u64) {
        self.acknowledged = Some(through);
        self.help_delivered(through, now_ms);
        self.held_delivered(through, now_ms);
    }

    fn help_delivered(&mut self, through: JournalPlace, now_ms: u64) {
        let covers =
            |call: Call| call.stage != HelpStage::Told && call.at.is_some_and(|at| at.is_within(through));
        if self.call.is_some_and(covers) {
            self.help_turned(HelpStage::Told, now_ms);
        }
    }

    /// The wait for central is over, or the page has been read.
    pub(super) fn help_time_is_up(&mut self, help: State, now_ms: u64) {
        self.state = help;
        if self.help_stage() == HelpStage::Calling {
            self.help_turned(HelpStage::Untold, now_ms);
        } else {
            self.dismiss(now_ms);
        }
    }

    pub(super) fn dismiss(&mut self, now_ms: u64) {
        match self.take() {
            State::Help { back, .. } => {
                // Whoever waited for an answer gets the whole time for the page that comes back.
                self.touched_at_ms = now_ms;
                self.state = *back;
            }
            other => self.state = other,
        }
    }

    /// The screen is locked for wiping; a visit that nobody ended ends here.
    pub(super) fn clean(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        if matches!(self.state, State::Saving { .. } | State::Cleaning { .. }) {
            return;
        }
        if let Some(mut visit) = visit_of(&self.state).cloned() {
            let outcome = self.outcome_of(&visit);
            self.end(&mut visit, outcome, effects);
        }
        let cleaning_ms = self.plan.timing.cleaning_ms;
        if let Some(touchpoint) = self.plan.touchpoints.first().cloned() {
            let seconds = u32::try_from(cleaning_ms / 1_000).unwrap_or(u32::MAX);
            self.store(vec![Body::Cleaning(Cleaning { touchpoint, seconds })], None, effects);
        }
        self.rest();
        self.state = State::Cleaning { until_ms: now_ms + cleaning_ms };
    }

    fn outcome_of(&self, visit: &Visit) -> EndOutcome {
        match (&self.state, visit.answered) {
            (State::Thanking { .. } | State::Held { .. }, _) => EndOutcome::Completed,
            (_, true) => EndOutcome::TimedOut,
            (_, false) => EndOutcome::Left,
        }
    }

    fn help_turned(&mut self, to: HelpStage, now_ms: u64) {
        let help_ms = self.plan.timing.help_ms;
        if let Some(call) = &mut self.call {
            call.stage = to;
        }
        if let Some(State::Help { until_ms, .. }) = help_of(&mut self.state) {
            *until_ms = now_ms + help_ms;
        }
    }

    fn place_of_call(&self) -> Option<TouchpointId> {
        let chosen = self.visit().and_then(|visit| visit.touchpoint.clone());
        chosen.or_else(|| self.plan.touchpoints.first().cloned())
    }
}

/// The call for help that shows, or waits behind the list of languages.
fn help_of(state: &mut State) -> Option<&mut State> {
    match state {
        help @ State::Help { .. } => Some(help),
        State::Language { back } => help_of(back),
        _ => None,
    }
}
