//! What is asked where: sites, touchpoints and questionnaires, after validation.
//!
//! Pure data, built only by `config::hospital` (which checks and explains) or by tests. Invariants of a [`Hospital`]:
//! - every touchpoint names a site and a questionnaire that exist;
//! - every questionnaire has at least one question, every question a text in every language of the hospital;
//! - a reason group's values belong to its question's scale, and no value is in two groups.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Lang, Level, QuestionId, QuestionnaireRef, ReasonId, Scale, SiteId, TouchpointId, Value};

/// A text in several languages.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Texts(pub BTreeMap<Lang, String>);

impl Texts {
    /// The text in a language, else in its base language, else in any; empty only if there is none at all.
    pub fn get(&self, lang: &Lang) -> &str {
        let base = |l: &Lang| l.as_str().split('-').next().map(str::to_owned);
        self.0
            .get(lang)
            .or_else(|| self.0.iter().find(|(l, _)| base(l) == base(lang)).map(|(_, text)| text))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }

    /// Whether the language itself is there.
    pub fn has(&self, lang: &Lang) -> bool {
        self.0.contains_key(lang)
    }
}

/// Everything touchpoints.toml says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hospital {
    /// Languages every text is written in; the first is the default.
    pub languages: Vec<Lang>,
    /// Hospitals or campuses.
    pub sites: Vec<Site>,
    /// Rated places, in journey order.
    pub touchpoints: Vec<Touchpoint>,
    /// What is asked.
    pub questionnaires: Vec<Questionnaire>,
}

impl Hospital {
    /// The site with this id.
    pub fn site(&self, id: &SiteId) -> Option<&Site> {
        self.sites.iter().find(|site| &site.id == id)
    }

    /// The touchpoint with this id.
    pub fn touchpoint(&self, id: &TouchpointId) -> Option<&Touchpoint> {
        self.touchpoints.iter().find(|touchpoint| &touchpoint.id == id)
    }

    /// The questionnaire with this id and version.
    pub fn questionnaire(&self, id: &QuestionnaireRef) -> Option<&Questionnaire> {
        self.questionnaires.iter().find(|questionnaire| &questionnaire.id == id)
    }
}

/// A hospital or campus.
#[derive(Clone, PartialEq, Debug)]
pub struct Site {
    /// Its id, part of every key at central.
    pub id: SiteId,
    /// Its name.
    pub name: Texts,
    /// Hours and days are counted in this zone.
    pub time_zone: Tz,
}

/// A stage of the patient's journey.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Symptoms and search.
    Search,
    /// Decision and booking.
    Booking,
    /// The visit.
    Visit,
    /// Treatment and recovery.
    Treatment,
    /// Long-term follow-up.
    FollowUp,
}

/// A dimension of the Chinese national patient-experience survey (six for outpatients, nine for inpatients).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// 挂号体验
    Registration,
    /// 护士沟通
    NurseCommunication,
    /// 医生沟通
    DoctorCommunication,
    /// 环境与标识
    EnvironmentAndSigns,
    /// 医务人员回应
    StaffResponse,
    /// 隐私保护
    Privacy,
    /// 出入院手续和信息
    AdmissionAndDischarge,
    /// 疼痛管理
    PainManagement,
    /// 药物沟通
    MedicationCommunication,
    /// 餐饮服务
    Catering,
    /// 对亲友态度
    AttitudeToFamily,
}

/// When a touchpoint is open, by weekday, in the site's time zone. No entry at all: always open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpeningHours {
    /// Open from (inclusive) to (exclusive), on these days.
    pub spans: Vec<OpenSpan>,
}

/// One span of opening hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenSpan {
    /// The day.
    pub day: Weekday,
    /// First open minute.
    pub from: NaiveTime,
    /// First closed minute; before or at `from` means the span ends the next day (a night shift).
    pub to: NaiveTime,
}

impl OpeningHours {
    /// Whether the touchpoint is open at an instant.
    pub fn open_at(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        if self.spans.is_empty() {
            return true;
        }
        let local = at.with_timezone(&zone);
        let (day, time) = (local.weekday(), local.time());
        self.spans.iter().any(|span| {
            let overnight = span.to <= span.from;
            let today = span.day == day && time >= span.from && (overnight || time < span.to);
            let since_yesterday = overnight && span.day.succ() == day && time < span.to;
            today || since_yesterday
        })
    }
}

/// A rated place.
#[derive(Clone, PartialEq, Debug)]
pub struct Touchpoint {
    /// Its id, unique within the file.
    pub id: TouchpointId,
    /// Where it is.
    pub site: SiteId,
    /// Its name.
    pub name: Texts,
    /// Where in the journey it stands.
    pub stage: Stage,
    /// What its main question measures nationally, if anything.
    pub dimension: Option<Dimension>,
    /// When it is open.
    pub hours: OpeningHours,
    /// The name of a drawing under assets/icons.
    pub icon: String,
    /// What is asked here.
    pub questionnaire: QuestionnaireRef,
}

/// A list of questions under one id and version. A change of wording is a new version.
#[derive(Clone, PartialEq, Debug)]
pub struct Questionnaire {
    /// Id and version.
    pub id: QuestionnaireRef,
    /// Asked in this order; the first one is the headline of its touchpoint.
    pub questions: Vec<Question>,
}

impl Questionnaire {
    /// The question with this id.
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| &question.id == id)
    }
}

/// How the levels of a question lie on the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Worst first.
    #[default]
    WorstFirst,
    /// Best first.
    BestFirst,
}

/// One question.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// Its id within the questionnaire; stays the same over versions while it means the same.
    pub id: QuestionId,
    /// Its wording.
    pub text: Texts,
    /// Its scale.
    pub scale: Scale,
    /// How the levels lie.
    pub order: Order,
    /// What is asked after some of the levels.
    pub reasons: Vec<ReasonGroup>,
}

impl Question {
    /// The levels as they lie on screen; "don't know" stays last.
    pub fn levels_on_screen(&self) -> Vec<Level> {
        let mut levels = self.scale.levels();
        if self.order == Order::BestFirst {
            let known = levels.iter().take_while(|level| level.index.is_some()).count();
            levels[..known].reverse();
        }
        levels
    }

    /// The reasons to ask for after a value.
    pub fn reasons_for(&self, value: Value) -> Option<&ReasonGroup> {
        self.reasons.iter().find(|group| group.values.contains(&value))
    }
}

/// Reasons asked for after some values of a question.
#[derive(Clone, PartialEq, Debug)]
pub struct ReasonGroup {
    /// The values that lead here.
    pub values: Vec<Value>,
    /// "What was wrong?"
    pub prompt: Texts,
    /// At most six, and "other" as a reason of its own.
    pub reasons: Vec<Reason>,
}

/// One reason.
#[derive(Clone, PartialEq, Debug)]
pub struct Reason {
    /// Its id within the question.
    pub id: ReasonId,
    /// Its wording.
    pub text: Texts,
    /// The national dimension it belongs to.
    pub dimension: Option<Dimension>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        Texts(pairs.iter().filter_map(|(l, t)| Some((l.parse().ok()?, (*t).to_owned()))).collect())
    }

    #[test]
    fn a_missing_language_falls_back_to_its_base_then_to_any() -> Result<(), crate::model::IdError> {
        let name = texts(&[("zh-CN", "药房"), ("en", "Pharmacy")]);
        assert_eq!(name.get(&"en".parse()?), "Pharmacy");
        assert_eq!(name.get(&"zh-TW".parse()?), "药房");
        assert_eq!(name.get(&"ug".parse()?), "Pharmacy");
        Ok(())
    }

    #[test]
    fn night_shifts_run_over_midnight() -> Result<(), chrono::ParseError> {
        let hours = OpeningHours {
            spans: vec![OpenSpan {
                day: Weekday::Fri,
                from: NaiveTime::parse_from_str("20:00", "%H:%M")?,
                to: NaiveTime::parse_from_str("06:00", "%H:%M")?,
            }],
        };
        let at = |text: &str| text.parse::<DateTime<Utc>>();
        let zone = chrono_tz::Asia::Shanghai;
        assert!(hours.open_at(at("2026-11-20T13:00:00Z")?, zone)); // Friday 21:00
        assert!(hours.open_at(at("2026-11-20T21:59:00Z")?, zone)); // Saturday 05:59
        assert!(!hours.open_at(at("2026-11-20T22:00:00Z")?, zone)); // Saturday 06:00
        assert!(!hours.open_at(at("2026-11-20T11:59:00Z")?, zone)); // Friday 19:59
        assert!(OpeningHours::default().open_at(at("2026-11-20T11:59:00Z")?, zone));
        Ok(())
    }
}
