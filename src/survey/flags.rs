//! Opinions about an answer: `repeat`, `burst`, `too_fast`, `sweep`. They are recorded with the answer and never drop it.

use std::collections::VecDeque;

use super::visit::Visit;
use crate::{model::ResponseId, wire::Flag};

/// A new response this soon after the last answer of another one is probably the same hand.
const REPEAT_MS: u64 = 5_000;
/// More than this many responses within [`BURST_WINDOW_MS`] is probably play.
const BURST_RESPONSES_MAX: usize = 6;
const BURST_WINDOW_MS: u64 = 60_000;
/// Nobody reads a question in less.
const TOO_FAST_MS: u64 = 300;
/// Presses of this many different targets within [`SWEEP_WINDOW_MS`] are a cloth or a palm.
const SWEEP_TARGETS_MIN: usize = 3;
const SWEEP_WINDOW_MS: u64 = 1_000;
/// Presses remembered: ten fingers.
const PRESSES_MAX: usize = 10;

/// What is remembered from one visitor to the next: times and targets, nothing about the person.
#[derive(Clone, Debug, Default)]
pub(super) struct FlagWatch {
    presses: VecDeque<(usize, u64)>,
    responses: VecDeque<(ResponseId, u64)>,
    last_answer: Option<(ResponseId, u64)>,
}

impl FlagWatch {
    pub fn pressed(&mut self, target: usize, now_ms: u64) {
        if self.presses.len() == PRESSES_MAX {
            self.presses.pop_front();
        }
        self.presses.push_back((target, now_ms));
    }

    /// The flags of an answer given now, and remembers it.
    pub fn judge(&mut self, visit: &Visit, target: usize, shown_ms: Option<u64>, now_ms: u64) -> Vec<Flag> {
        let response = visit.response;
        let known_visitor = visit.same_visitor || visit.replaces.is_some();
        if self.responses.back().is_none_or(|(id, _)| *id != response) {
            self.responses.push_back((response, now_ms));
        }
        self.responses.retain(|(_, at)| now_ms.saturating_sub(*at) < BURST_WINDOW_MS);
        let repeat = !known_visitor
            && self
                .last_answer
                .is_some_and(|(id, at)| id != response && now_ms.saturating_sub(at) < REPEAT_MS);
        let burst = self.responses.len() > BURST_RESPONSES_MAX;
        let too_fast = shown_ms.is_some_and(|ms| ms < TOO_FAST_MS);
        let sweep = self.swept(target, now_ms);
        self.last_answer = Some((response, now_ms));
        self.presses.clear();
        [(repeat, Flag::Repeat), (burst, Flag::Burst), (too_fast, Flag::TooFast), (sweep, Flag::Sweep)]
            .into_iter()
            .filter_map(|(set, flag)| set.then_some(flag))
            .collect()
    }

    fn swept(&self, target: usize, now_ms: u64) -> bool {
        let mut targets: Vec<usize> = self
            .presses
            .iter()
            .filter(|(_, at)| now_ms.saturating_sub(*at) < SWEEP_WINDOW_MS)
            .map(|(t, _)| *t)
            .chain([target])
            .collect();
        targets.sort_unstable();
        targets.dedup();
        targets.len() >= SWEEP_TARGETS_MIN
    }
}
