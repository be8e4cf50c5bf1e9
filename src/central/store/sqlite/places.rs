//! What places and questions were called when they were last configured.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::{
    columns::{Read, json, millis, scale, text, to_json},
    read::all,
};
use crate::{
    central::store::Remembered,
    model::{QuestionId, SiteId},
    questionnaire::{Hospital, OpeningHours, Order, Question, Questionnaire, Texts, Touchpoint},
};

/// The parts of a question that a score needs.
#[derive(Serialize, Deserialize)]
struct KeptQuestion {
    id: QuestionId,
    scale: String,
    text: Texts,
}

pub(super) fn remember(
    connection: &Connection,
    site: &SiteId,
    hospital: &Arc<Hospital>,
    at: DateTime<Utc>,
) -> Read<()> {
    for place in hospital.touchpoints.iter().filter(|place| &place.site == site) {
        connection
            .prepare_cached(
                "insert into places (site, touchpoint, stage, names, questionnaire, last_at) \
                 values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (site, touchpoint) do update set stage = excluded.stage, \
                 names = excluded.names, questionnaire = excluded.questionnaire, last_at = excluded.last_at",
            )?
            .execute(params![
                site.as_str(),
                place.id.as_str(),
                to_json(&place.stage)?,
                to_json(&place.name)?,
                place.questionnaire.to_string(),
                millis(at)
            ])?;
    }
    for questionnaire in &hospital.questionnaires {
        let kept = |question: &Question| KeptQuestion {
            id: question.id.clone(),
            scale: question.scale.name().to_owned(),
            text: question.text.clone(),
        };
        let questions: Vec<KeptQuestion> = questionnaire.questions.iter().map(kept).collect();
        connection
            .prepare_cached(
                "insert into questionnaires (site, questionnaire, questions, last_at) values (?1, ?2, ?3, ?4) \
                 on conflict (site, questionnaire) do update set questions = excluded.questions, last_at = excluded.last_at",
            )?
            .execute(params![site.as_str(), questionnaire.id.to_string(), to_json(&questions)?, millis(at)])?;
    }
    Ok(())
}

pub(super) fn remembered(connection: &Connection, site: &SiteId) -> Read<Remembered> {
    let places = all(
        connection,
        "select touchpoint, stage, names, questionnaire from places where site = ?1 order by last_at desc, touchpoint",
        [site.as_str()],
        |row| {
            Ok(Touchpoint {
                id: text("touchpoint", &row.get::<_, String>(0)?)?,
                site: site.clone(),
                name: json("names", &row.get::<_, String>(2)?)?,
                stage: json("stage", &row.get::<_, String>(1)?)?,
                dimension: None,
                hours: OpeningHours::default(),
                icon: "generic".to_owned(),
                questionnaire: text("questionnaire", &row.get::<_, String>(3)?)?,
            })
        },
    )?;
    let questionnaires = all(
        connection,
        "select questionnaire, questions from questionnaires where site = ?1 order by questionnaire",
        [site.as_str()],
        |row| {
            let kept: Vec<KeptQuestion> = json("questions", &row.get::<_, String>(1)?)?;
            let questions = kept.into_iter().map(|question| {
                Ok(Question {
                    id: question.id,
                    text: question.text,
                    scale: scale(&question.scale)?,
                    order: Order::default(),
                    reasons: Vec::new(),
                })
            });
            Ok(Questionnaire {
                id: text("questionnaire", &row.get::<_, String>(0)?)?,
                questions: questions.collect::<Read<_>>()?,
            })
        },
    )?;
    Ok(Remembered { places, questionnaires })
}
