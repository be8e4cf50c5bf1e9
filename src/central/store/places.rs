//! What places and questions were called when they were last configured.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{StoreError, names};
use crate::{
    model::{QuestionId, QuestionnaireRef, SiteId, TouchpointId},
    questionnaire::{Hospital, OpeningHours, Order, Question, Questionnaire, Stage, Texts, Touchpoint},
};

/// What a site's configuration said of its places and questions when it was last in force.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Remembered {
    /// Places, configured at present or not.
    pub places: Vec<Touchpoint>,
    /// Questionnaires, configured at present or not.
    pub questionnaires: Vec<Questionnaire>,
}

/// Keeps names.
#[async_trait]
pub trait PlaceStore: Send + Sync {
    /// Keeps what the configuration says of a site's places and questions.
    async fn remember(
        &self,
        site: &SiteId,
        hospital: Arc<Hospital>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// What was kept of all configurations.
    async fn remembered(&self, site: &SiteId) -> Result<Remembered, StoreError>;
}

/// A place as it is kept.
pub(super) struct KeptPlace {
    pub(super) id: TouchpointId,
    pub(super) stage: Stage,
    pub(super) names: Texts,
    pub(super) questionnaire: QuestionnaireRef,
}

impl KeptPlace {
    /// A site's places.
    pub(super) fn all<'a>(site: &'a SiteId, hospital: &'a Hospital) -> impl Iterator<Item = Self> + 'a {
        hospital.touchpoints.iter().filter(move |place| &place.site == site).map(|place| Self {
            id: place.id.clone(),
            stage: place.stage,
            names: place.name.clone(),
            questionnaire: place.questionnaire.clone(),
        })
    }

    /// The place, with what is not kept as if it were not configured.
    pub(super) fn into_touchpoint(self, site: &SiteId) -> Touchpoint {
        Touchpoint {
            id: self.id,
            site: site.clone(),
            name: self.names,
            stage: self.stage,
            dimension: None,
            hours: OpeningHours::default(),
            icon: "generic".to_owned(),
            questionnaire: self.questionnaire,
        }
    }
}

/// The parts of a question that a score needs.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptQuestion {
    id: QuestionId,
    scale: String,
    text: Texts,
}

impl KeptQuestion {
    /// The questions of a questionnaire.
    pub(super) fn all(questionnaire: &Questionnaire) -> Vec<Self> {
        let kept = |question: &Question| Self {
            id: question.id.clone(),
            scale: question.scale.name().to_owned(),
            text: question.text.clone(),
        };
        questionnaire.questions.iter().map(kept).collect()
    }

    /// The questionnaire that these are of.
    pub(super) fn into_questionnaire(
        id: QuestionnaireRef,
        kept: Vec<Self>,
    ) -> Result<Questionnaire, StoreError> {
        let questions = kept.into_iter().map(|question| {
            Ok(Question {
                id: question.id,
                text: question.text,
                scale: names::scale(&question.scale)?,
                order: Order::default(),
                reasons: Vec::new(),
            })
        });
        Ok(Questionnaire { id, questions: questions.collect::<Result<_, StoreError>>()? })
    }
}
