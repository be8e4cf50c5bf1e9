//! What a terminal asks: the part of the survey that comes from checked configuration.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Lang, TouchpointId},
    questionnaire::{Hospital, Questionnaire},
};

/// Waits, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Without a touch for this long, the visitor is asked whether they are still there.
    pub idle_ms: u64,
    /// How long that question waits.
    pub warning_ms: u64,
    /// How long the thank-you page offers to change the answer.
    pub undo_ms: u64,
    /// A commit that takes longer than this is told of.
    pub saving_ms: u64,
    /// A commit that takes longer than this is no longer waited for.
    pub saving_max_ms: u64,
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
            saving_ms: 2_000,
            saving_max_ms: 10_000,
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

/// What the terminal shows at rest. Written in kiosk.toml under these names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// An invitation; a touch begins.
    Attract,
    /// The question itself: one tap is enough. Only with a single touchpoint.
    Question,
}

/// What the terminal does outside the opening hours of everything it rates. Written in kiosk.toml under these names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
    pub(super) fn check(&self) -> Result<(), PlanError> {
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
    pub(super) fn questionnaire(&self, id: &TouchpointId) -> Option<&Questionnaire> {
        self.hospital.questionnaire(&self.hospital.touchpoint(id)?.questionnaire)
    }

    pub(super) fn only_touchpoint(&self) -> Option<&TouchpointId> {
        match self.touchpoints.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether the question itself stands on the screen at rest.
    pub(crate) fn rests_on_question(&self) -> bool {
        self.start == Start::Question && self.touchpoints.len() == 1 && self.out_of_service.is_none()
    }
}
