//! What a visitor is told about storage: that everything is saved, that it is not yet, that it is held in memory alone, or that it is lost.
//!
//! Only entries on the disk are thanked for. A disk that answers late is waited for, first with a page that says so and then not any longer;
//! what lands after that is in the journal and counts there, without anybody being thanked. Entries that the terminal holds in memory because
//! its disk refuses them are being sent at once: the page says so, and that the hospital has them only when central has signed for them.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is not waiting for this stays as it is")]

use super::{
    Effect, HeldStage, JournalPlace, SavingPage, State, Survey, Token, moves::visit_of_mut, visit::Visit,
};
use crate::{model::ChainId, wire::EndOutcome};

impl Survey {
    /// Entries of a commit are on the disk, or in memory alone.
    pub(super) fn landed(&mut self, token: Token, at: JournalPlace, in_memory: bool, now_ms: u64) {
        self.settled(token);
        if let Some(visit) = visit_of_mut(&mut self.state)
            && visit.unstored.remove(&token)
            && in_memory
        {
            visit.held = Some(at);
        }
        self.help_stored(token, at, now_ms);
        self.state = match self.take() {
            State::Saving { visit, .. } if visit.unstored.is_empty() => self.told(visit, now_ms),
            other => other,
        };
    }

    /// What is said when the last commit of a visit has been answered.
    fn told(&self, visit: Visit, now_ms: u64) -> State {
        let timing = self.plan.timing;
        match visit.held {
            None => State::Thanking { visit, until_ms: now_ms + timing.undo_ms },
            Some(at) if self.acknowledged.is_some_and(|through| at.is_within(through)) => {
                State::Held { visit, stage: HeldStage::Received, until_ms: now_ms + timing.not_stored_ms }
            }
            Some(_) => {
                State::Held { visit, stage: HeldStage::Sending, until_ms: now_ms + timing.help_wait_ms }
            }
        }
    }

    /// Central has signed for everything up to a place: an answer that is held in memory is with the hospital now.
    pub(super) fn held_delivered(&mut self, through: JournalPlace, now_ms: u64) {
        let read_ms = self.plan.timing.not_stored_ms;
        if let Some(State::Held { visit, stage, until_ms }) = held_of(&mut self.state)
            && *stage != HeldStage::Received
            && visit.held.is_some_and(|at| at.is_within(through))
        {
            (*stage, *until_ms) = (HeldStage::Received, now_ms + read_ms);
        }
    }

    /// What a chain in memory held and central has not is on the disk.
    pub(super) fn saved(&mut self, chain: ChainId, now_ms: u64) {
        self.unsaved = 0;
        if let Some(visit) = visit_of_mut(&mut self.state)
            && visit.held.is_some_and(|at| at.chain == chain)
        {
            visit.held = None;
        }
        self.state = match self.take() {
            State::Held { visit, .. } if visit.held.is_none() => self.told(visit, now_ms),
            other => other,
        };
    }

    /// The time of a page about held answers is up.
    pub(super) fn held_time_is_up(
        &mut self,
        mut visit: Visit,
        stage: HeldStage,
        now_ms: u64,
        effects: &mut Vec<Effect>,
    ) {
        if stage == HeldStage::Sending {
            let stage = HeldStage::Waiting { unsaved: self.unsaved };
            self.state = State::Held { visit, stage, until_ms: now_ms + self.plan.timing.not_stored_ms };
        } else {
            self.end(&mut visit, EndOutcome::Completed, effects);
            self.rest();
        }
    }

    /// A commit takes long: first the page says so, then it is no longer waited for.
    pub(super) fn saving_takes_long(
        &mut self,
        visit: Visit,
        last: SavingPage,
        since_ms: u64,
        told: bool,
        now_ms: u64,
        effects: &mut Vec<Effect>,
    ) {
        if told {
            self.given_up.extend(&visit.unstored);
            self.not_stored(&visit, now_ms, effects);
        } else {
            self.state = State::Saving { visit, last, since_ms, told: true };
        }
    }

    pub(super) fn store_failed(&mut self, token: Token, now_ms: u64, effects: &mut Vec<Effect>) {
        self.help_failed(token, now_ms);
        if self.given_up.remove(&token) {
            self.leave_out_of_service();
        }
        let Some(visit) = visit_of_mut(&mut self.state).filter(|visit| visit.unstored.contains(&token))
        else {
            return;
        };
        let visit = visit.clone();
        self.not_stored(&visit, now_ms, effects);
    }

    /// Earlier answers of this visit may be on the disk, or land there yet: they get their end, if the disk takes it.
    fn not_stored(&mut self, visit: &Visit, now_ms: u64, effects: &mut Vec<Effect>) {
        let end = visit.end(EndOutcome::TimedOut);
        self.rest();
        self.store(vec![end], None, effects);
        let was_late = !self.given_up.is_empty();
        self.state = State::NotStored { until_ms: now_ms + self.plan.timing.not_stored_ms, was_late };
    }

    /// A commit that a visitor was no longer waiting for has been made: the disk answers again.
    fn settled(&mut self, token: Token) {
        if self.given_up.remove(&token) {
            self.tally.saved_late += 1;
            self.leave_out_of_service();
        }
    }

    /// The page that says that nothing can be stored goes when the last commit in doubt has been answered.
    fn leave_out_of_service(&mut self) {
        if self.given_up.is_empty() && matches!(self.state, State::OutOfService { .. }) {
            self.rest();
        }
    }

    /// "Could not be saved" has been read. As long as the disk does not answer every tap would be in vain; once it does, the next visitor
    /// is asked as ever.
    pub(super) fn after_not_stored(&mut self, was_late: bool, now_ms: u64) {
        self.rest();
        if !(was_late && self.given_up.is_empty()) {
            let until_ms = now_ms + self.plan.timing.out_of_service_ms;
            self.state = State::OutOfService { until_ms };
        }
    }

    /// Out of service for a while: longer if the disk still does not answer.
    pub(super) fn out_of_service_again(&mut self, now_ms: u64) {
        self.rest();
        if !self.given_up.is_empty() {
            self.state = State::OutOfService { until_ms: now_ms + self.plan.timing.out_of_service_ms };
        }
    }
}

/// The page about held answers that shows, or waits behind the list of languages.
fn held_of(state: &mut State) -> Option<&mut State> {
    match state {
        held @ State::Held { .. } => Some(held),
        State::Language { back } => held_of(back),
        State::Rest
        | State::Choosing(_)
        | State::Asking { .. }
        | State::Reasoning { .. }
        | State::Saving { .. }
        | State::Thanking { .. }
        | State::StillThere { .. }
        | State::NotStored { .. }
        | State::OutOfService { .. }
        | State::Help { .. }
        | State::Cleaning { .. } => None,
    }
}
