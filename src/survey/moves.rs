//! The moves of the state machine: what each event changes. Each takes the state out, decides, and puts a state back.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each move names the one state it leaves; in every other one the event changes nothing"
)]

use std::collections::BTreeSet;

use super::{Effect, OutOfHours, SavingPage, State, Survey, Token, visit::Visit, visit_of};
use crate::{
    model::{Lang, ResponseId},
    wire::{Body, EndOutcome},
};

impl Survey {
    pub(super) fn take(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Rest)
    }

    pub(super) fn rest(&mut self) {
        self.state = State::Rest;
        if let Some(default) = self.plan.languages.first() {
            self.lang = default.clone();
        }
    }

    pub(super) fn take_new_plan_at_rest(&mut self) {
        if self.state != State::Rest {
            return;
        }
        if let Some(plan) = self.next_plan.take()
            && plan.check().is_ok()
        {
            self.plan = plan;
            self.rest();
        }
    }

    pub(super) fn store(
        &mut self,
        bodies: Vec<Body>,
        visit: Option<&mut Visit>,
        effects: &mut Vec<Effect>,
    ) -> Token {
        let token = Token(self.next_token);
        self.next_token += 1;
        if let Some(visit) = visit {
            visit.unstored.insert(token);
        }
        effects.push(Effect::Store { token, bodies });
        token
    }

    pub(super) fn begin(&mut self, now_ms: u64, fresh: ResponseId) {
        let invited = match (self.closed(), self.plan.out_of_hours) {
            (false, _) => !self.plan.rests_on_question(),
            (true, OutOfHours::Offer) => true,
            (true, OutOfHours::Ask | OutOfHours::Close) => false,
        };
        if self.state != State::Rest || !invited || self.plan.out_of_service.is_some() {
            return;
        }
        let only = self.plan.only_touchpoint().cloned();
        let mut visit = Visit::new(fresh, None);
        self.state = if let Some(touchpoint) = only {
            visit.touchpoint = Some(touchpoint);
            State::Asking { visit, index: 0, shown_at_ms: Some(now_ms) }
        } else {
            State::Choosing(visit)
        };
    }

    pub(super) fn pick_touchpoint(&mut self, index: usize, now_ms: u64) {
        let Some(touchpoint) = self.plan.touchpoints.get(index).cloned() else { return };
        match self.take() {
            State::Choosing(mut visit) => {
                visit.touchpoint = Some(touchpoint);
                self.state = State::Asking { visit, index: 0, shown_at_ms: Some(now_ms) };
            }
            other => self.state = other,
        }
    }

    pub(super) fn rate(&mut self, level: usize, now_ms: u64, fresh: ResponseId, effects: &mut Vec<Effect>) {
        let (mut visit, index, shown_at_ms) = match self.take() {
            State::Rest if self.plan.rests_on_question() && !self.closed() => {
                (Visit::new(fresh, self.plan.only_touchpoint().cloned()), 0, None)
            }
            State::Asking { visit, index, shown_at_ms } => (visit, index, shown_at_ms),
            other => {
                self.state = other;
                return;
            }
        };
        let Some(value) =
            self.question(&visit, index).and_then(|q| Some(q.levels_on_screen().get(level)?.value))
        else {
            self.state = State::Asking { visit, index, shown_at_ms };
            return;
        };
        let shown_ms = shown_at_ms.map(|at| now_ms.saturating_sub(at));
        let flags = self.flags.judge(&visit, level, shown_ms, now_ms);
        visit.answered = true;
        if let Some(body) = self.answer(&visit, index, value, shown_ms, flags) {
            self.store(vec![body], Some(&mut visit), effects);
        }
        self.after_answer(visit, index, level, now_ms);
    }

    fn after_answer(&mut self, visit: Visit, index: usize, level: usize, now_ms: u64) {
        self.state = if self.group(&visit, index, level).is_some() {
            State::Reasoning { visit, index, level, selected: BTreeSet::new(), shown_at_ms: now_ms }
        } else if self.question(&visit, index + 1).is_some() {
            State::Asking { visit, index: index + 1, shown_at_ms: Some(now_ms) }
        } else {
            let last = SavingPage::Question { index, level };
            State::Saving { visit, last, since_ms: now_ms, told: false }
        };
    }

    pub(super) fn toggle_reason(&mut self, reason: usize) {
        let known = match &self.state {
            State::Reasoning { visit, index, level, .. } => {
                self.group(visit, *index, *level).is_some_and(|group| reason < group.reasons.len())
            }
            _ => false,
        };
        if known
            && let State::Reasoning { selected, .. } = &mut self.state
            && !selected.remove(&reason)
        {
            selected.insert(reason);
        }
    }

    pub(super) fn reasons_done(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        match self.take() {
            State::Reasoning { mut visit, index, level, selected, shown_at_ms } => {
                let shown_ms = now_ms.saturating_sub(shown_at_ms);
                if let Some(body) = self.reasons(&visit, index, level, &selected, shown_ms) {
                    self.store(vec![body], Some(&mut visit), effects);
                }
                self.state = if self.question(&visit, index + 1).is_some() {
                    State::Asking { visit, index: index + 1, shown_at_ms: Some(now_ms) }
                } else {
                    let last = SavingPage::Reasons { index, level, selected };
                    State::Saving { visit, last, since_ms: now_ms, told: false }
                };
            }
            other => self.state = other,
        }
    }

    pub(super) fn back(&mut self, now_ms: u64) {
        match self.take() {
            State::Reasoning { visit, index, .. } => {
                self.state = State::Asking { visit, index, shown_at_ms: Some(now_ms) };
            }
            other => self.state = other,
        }
    }

    pub(super) fn undo(&mut self, now_ms: u64, fresh: ResponseId, effects: &mut Vec<Effect>) {
        match self.take() {
            State::Thanking { visit, .. } => {
                self.store(vec![visit.end(EndOutcome::Undone)], None, effects);
                let mut again = Visit::new(fresh, visit.touchpoint);
                again.replaces = Some(visit.response);
                self.state = State::Asking { visit: again, index: 0, shown_at_ms: Some(now_ms) };
            }
            other => self.state = other,
        }
    }

    pub(super) fn another(&mut self, fresh: ResponseId, effects: &mut Vec<Effect>) {
        match self.take() {
            State::Thanking { mut visit, .. } if self.plan.touchpoints.len() > 1 => {
                self.end(&mut visit, EndOutcome::Completed, effects);
                let mut next = Visit::new(fresh, None);
                next.same_visitor = true;
                self.state = State::Choosing(next);
            }
            other => self.state = other,
        }
    }

    pub(super) fn still_here(&mut self) {
        match self.take() {
            State::StillThere { back, .. } => self.state = *back,
            other => self.state = other,
        }
    }

    pub(super) fn open_languages(&mut self) {
        match self.take() {
            back @ (State::Rest
            | State::Choosing(_)
            | State::Asking { .. }
            | State::Reasoning { .. }
            | State::Thanking { .. }
            | State::Held { .. }
            | State::NotStored { .. }
            | State::OutOfService { .. }
            | State::Help { .. }) => self.state = State::Language { back: Box::new(back) },
            // Who opens the list is still there.
            State::StillThere { back, .. } => self.state = State::Language { back },
            other => self.state = other,
        }
    }

    pub(super) fn leave_languages(&mut self, chosen: Option<Lang>, now_ms: u64) {
        match self.take() {
            State::Language { back } => {
                self.lang = chosen.unwrap_or_else(|| self.lang.clone());
                self.state = self.begun_again(*back, now_ms);
            }
            other => self.state = other,
        }
    }

    /// A page that goes by itself has its whole time again when somebody comes back to it.
    fn begun_again(&self, state: State, now_ms: u64) -> State {
        let timing = self.plan.timing;
        match state {
            State::Thanking { visit, .. } => State::Thanking { visit, until_ms: now_ms + timing.undo_ms },
            State::NotStored { was_late, .. } => {
                State::NotStored { until_ms: now_ms + timing.not_stored_ms, was_late }
            }
            State::Held { visit, stage, .. } => {
                State::Held { visit, stage, until_ms: now_ms + timing.not_stored_ms }
            }
            State::OutOfService { .. } => State::OutOfService { until_ms: now_ms + timing.out_of_service_ms },
            State::Help { back, .. } => self.help_page(back, now_ms),
            other => other,
        }
    }

    pub(super) fn tick(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        if self.deadline_ms().is_none_or(|deadline| now_ms < deadline) {
            return;
        }
        match self.take() {
            State::Thanking { mut visit, .. } => {
                self.end(&mut visit, EndOutcome::Completed, effects);
                self.rest();
            }
            State::StillThere { back, .. } => {
                if let Some(mut visit) = visit_of(&back).cloned() {
                    let outcome = if visit.answered { EndOutcome::TimedOut } else { EndOutcome::Left };
                    self.end(&mut visit, outcome, effects);
                }
                self.rest();
            }
            State::Language { back } if visit_of(&back).is_none() => self.rest(),
            State::Language { back } if matches!(*back, State::Thanking { .. } | State::Held { .. }) => {
                if let Some(mut visit) = visit_of(&back).cloned() {
                    self.end(&mut visit, EndOutcome::Completed, effects);
                }
                self.rest();
            }
            help @ State::Help { .. } => self.help_time_is_up(help, now_ms),
            State::Saving { visit, last, since_ms, told } => {
                self.saving_takes_long(visit, last, since_ms, told, now_ms, effects);
            }
            State::Held { visit, stage, .. } => self.held_time_is_up(visit, stage, now_ms, effects),
            State::NotStored { was_late, .. } => self.after_not_stored(was_late, now_ms),
            State::OutOfService { .. } => self.out_of_service_again(now_ms),
            State::Rest | State::Cleaning { .. } => self.rest(),
            back => {
                self.state = State::StillThere {
                    back: Box::new(back),
                    until_ms: now_ms + self.plan.timing.warning_ms,
                };
            }
        }
    }

    pub(super) fn end(&mut self, visit: &mut Visit, outcome: EndOutcome, effects: &mut Vec<Effect>) {
        self.store(vec![visit.end(outcome)], None, effects);
    }
}

pub(super) fn visit_of_mut(state: &mut State) -> Option<&mut Visit> {
    match state {
        State::Rest | State::NotStored { .. } | State::OutOfService { .. } | State::Cleaning { .. } => None,
        State::Choosing(visit)
        | State::Asking { visit, .. }
        | State::Reasoning { visit, .. }
        | State::Saving { visit, .. }
        | State::Held { visit, .. }
        | State::Thanking { visit, .. } => Some(visit),
        State::StillThere { back, .. } | State::Language { back } | State::Help { back, .. } => {
            visit_of_mut(back)
        }
    }
}
