//! One visitor's pass, and the entries it leaves.

use std::collections::BTreeSet;

use super::{JournalPlace, Survey, Token};
use crate::{
    model::{ResponseId, TouchpointId, Value},
    wire::{Answer, Body, EndOutcome, Flag, Reasons, ResponseEnd},
};

/// A pass under way.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Visit {
    pub response: ResponseId,
    pub touchpoint: Option<TouchpointId>,
    /// At least one answer was given to the journal.
    pub answered: bool,
    /// Given to the journal, not yet reported stored.
    pub unstored: BTreeSet<Token>,
    /// The last of its entries that is held in memory alone.
    pub held: Option<JournalPlace>,
    /// After "change my answer": what this pass replaces.
    pub replaces: Option<ResponseId>,
    /// After "rate another place": the terminal knows that this is no repeat.
    pub same_visitor: bool,
}

impl Visit {
    pub fn new(response: ResponseId, touchpoint: Option<TouchpointId>) -> Self {
        Self {
            response,
            touchpoint,
            answered: false,
            unstored: BTreeSet::new(),
            held: None,
            replaces: None,
            same_visitor: false,
        }
    }

    pub fn end(&self, outcome: EndOutcome) -> Body {
        Body::ResponseEnd(ResponseEnd {
            response: self.response,
            touchpoint: self.touchpoint.clone(),
            outcome,
            replaces: self.replaces,
        })
    }
}

impl Survey {
    pub(super) fn answer(
        &self,
        visit: &Visit,
        index: usize,
        value: Value,
        shown_ms: Option<u64>,
        flags: Vec<Flag>,
    ) -> Option<Body> {
        let touchpoint = visit.touchpoint.clone()?;
        let question = self.question(visit, index)?;
        Some(Body::Answer(Answer {
            response: visit.response,
            questionnaire: self.plan.questionnaire(&touchpoint)?.id.clone(),
            touchpoint,
            question: question.id.clone(),
            scale: question.scale,
            value,
            lang: self.lang.clone(),
            shown_ms,
            order: question.levels_on_screen().iter().map(|level| level.value).collect(),
            flags,
        }))
    }

    pub(super) fn reasons(
        &self,
        visit: &Visit,
        index: usize,
        level: usize,
        selected: &BTreeSet<usize>,
        shown_ms: u64,
    ) -> Option<Body> {
        let touchpoint = visit.touchpoint.clone()?;
        let question = self.question(visit, index)?;
        let group = self.group(visit, index, level)?;
        Some(Body::Reasons(Reasons {
            response: visit.response,
            questionnaire: self.plan.questionnaire(&touchpoint)?.id.clone(),
            touchpoint,
            question: question.id.clone(),
            value: question.levels_on_screen().get(level)?.value,
            reasons: selected.iter().filter_map(|&i| Some(group.reasons.get(i)?.id.clone())).collect(),
            order: group.reasons.iter().map(|reason| reason.id.clone()).collect(),
            lang: self.lang.clone(),
            shown_ms,
        }))
    }
}
