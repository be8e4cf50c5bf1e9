//! What places and questions were called when they were last configured.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::params;

use super::{
    Read, SiteDb, SqliteStore,
    codec::{json, millis, text, to_json},
};
use crate::{
    central::store::{
        PlaceStore, Remembered, StoreError,
        places::{KeptPlace, KeptQuestion},
    },
    model::SiteId,
    questionnaire::Hospital,
};

#[async_trait]
impl PlaceStore for SqliteStore {
    async fn remember(
        &self,
        site: &SiteId,
        hospital: Arc<Hospital>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(site, move |db| remember(db, &hospital, at)).await
    }

    async fn remembered(&self, site: &SiteId) -> Result<Remembered, StoreError> {
        self.read(site, remembered).await
    }
}

fn remember(db: SiteDb<'_>, hospital: &Hospital, at: DateTime<Utc>) -> Read<()> {
    for place in KeptPlace::all(db.site, hospital) {
        db.run(
            "insert into places (site, touchpoint, stage, names, questionnaire, last_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (site, touchpoint) do update set stage = excluded.stage, \
             names = excluded.names, questionnaire = excluded.questionnaire, last_at = excluded.last_at",
            params![
                db.site(),
                place.id.as_str(),
                to_json(&place.stage)?,
                to_json(&place.names)?,
                place.questionnaire.to_string(),
                millis(at)
            ],
        )?;
    }
    for questionnaire in &hospital.questionnaires {
        let questions = to_json(&KeptQuestion::all(questionnaire))?;
        db.run(
            "insert into questionnaires (site, questionnaire, questions, last_at) values (?1, ?2, ?3, ?4) \
             on conflict (site, questionnaire) do update set questions = excluded.questions, last_at = excluded.last_at",
            params![db.site(), questionnaire.id.to_string(), questions, millis(at)],
        )?;
    }
    Ok(())
}

fn remembered(db: SiteDb<'_>) -> Read<Remembered> {
    let places = db.all(
        "select touchpoint, stage, names, questionnaire from places where site = ?1 order by last_at desc, touchpoint",
        [db.site()],
        |row| {
            let kept = KeptPlace {
                id: text("touchpoint", &row.get::<_, String>(0)?)?,
                stage: json("stage", &row.get::<_, String>(1)?)?,
                names: json("names", &row.get::<_, String>(2)?)?,
                questionnaire: text("questionnaire", &row.get::<_, String>(3)?)?,
            };
            Ok(kept.into_touchpoint(db.site))
        },
    )?;
    let questionnaires = db.all(
        "select questionnaire, questions from questionnaires where site = ?1 order by questionnaire",
        [db.site()],
        |row| {
            let id = text("questionnaire", &row.get::<_, String>(0)?)?;
            KeptQuestion::into_questionnaire(id, json("questions", &row.get::<_, String>(1)?)?)
        },
    )?;
    Ok(Remembered { places, questionnaires })
}
