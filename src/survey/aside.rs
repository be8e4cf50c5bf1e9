//! What is no answer: a call for help, and the wiping of the screen.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each move names the one state it leaves; in every other one the event changes nothing"
)]

use super::{Effect, HelpStage, State, Survey, Token, visit::Visit, visit_of};
use crate::{
    model::TouchpointId,
    wire::{Body, Cleaning, EndOutcome, HelpCall},
};

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
        let timing = self.plan.timing;
        let again = self.last_help.filter(|(stage, at)| {
            *stage != HelpStage::Untold && now_ms.saturating_sub(*at) < timing.help_again_ms
        });
        self.state = if let Some((stage, _)) = again {
            let wait = if stage == HelpStage::Calling { timing.help_wait_ms } else { timing.help_ms };
            State::Help { back, call: None, stage, until_ms: now_ms + wait }
        } else {
            let body = Body::HelpCalled(HelpCall { touchpoint, lang: self.lang.clone() });
            let call = Some(self.store(vec![body], None, effects));
            self.last_help = Some((HelpStage::Calling, now_ms));
            State::Help { back, call, stage: HelpStage::Calling, until_ms: now_ms + timing.help_wait_ms }
        };
    }

    /// The call is stored: from now on central's word that it has everything covers it.
    pub(super) fn help_stored(&mut self, token: Token) {
        if let Some(State::Help { call, .. }) = help_of(&mut self.state)
            && *call == Some(token)
        {
            *call = None;
        }
    }

    pub(super) fn help_failed(&mut self, token: Token, now_ms: u64) {
        if let Some(State::Help { call, .. }) = help_of(&mut self.state)
            && *call == Some(token)
        {
            self.help_turned(HelpStage::Untold, now_ms);
        }
    }

    /// Central has everything that was stored before.
    pub(super) fn delivered(&mut self, now_ms: u64) {
        if let Some(State::Help { call: None, stage: HelpStage::Calling | HelpStage::Untold, .. }) =
            help_of(&mut self.state)
        {
            self.help_turned(HelpStage::Told, now_ms);
        }
    }

    /// The wait for central is over, or the page has been read.
    pub(super) fn help_time_is_up(&mut self, help: State, now_ms: u64) {
        let calling = matches!(help, State::Help { stage: HelpStage::Calling, .. });
        self.state = help;
        if calling {
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
            (State::Thanking { .. }, _) => EndOutcome::Completed,
            (_, true) => EndOutcome::TimedOut,
            (_, false) => EndOutcome::Left,
        }
    }

    fn help_turned(&mut self, to: HelpStage, now_ms: u64) {
        let help_ms = self.plan.timing.help_ms;
        if let Some((stage, _)) = &mut self.last_help {
            *stage = to;
        }
        if let Some(State::Help { stage, until_ms, .. }) = help_of(&mut self.state) {
            *stage = to;
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
