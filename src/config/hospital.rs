//! touchpoints.toml: what the hospital asks, where and when.
//!
//! The structs here are the file's shape and the source of its schema; their comments are what an editor shows. [`read`] turns them into
//! a [`Hospital`], whose invariants it establishes and explains.

mod build;
mod glyphs;
mod texts;

pub use glyphs::Glyphs;
pub(in crate::config) use glyphs::WordsFor;

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::check::{Checked, Located, check};
use crate::{
    model::Scale,
    questionnaire::{Dimension, Hospital, Order, Stage},
};

/// Drawings a touchpoint can have, by file name under assets/icons.
pub(crate) const ICONS: [&str; 22] = [
    "registration",
    "waiting",
    "consulting",
    "laboratory",
    "imaging",
    "examination",
    "payment",
    "pharmacy",
    "injection",
    "emergency",
    "admission",
    "ward",
    "nursing",
    "surgery",
    "rehabilitation",
    "discharge",
    "exit",
    "canteen",
    "toilet",
    "parking",
    "information",
    "generic",
];

/// Most reasons on one screen besides `other`: two rows of three buttons large enough for an old hand, and one more.
pub(crate) const REASONS_MAX: usize = 6;

/// The reason that stands for everything not listed.
pub(crate) const OTHER: &str = "other";

/// Most questions asked of one visitor: who stands at a terminal answers one, some answer three.
const QUESTIONS_MAX: usize = 5;

const ID_PATTERN: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";
const LANG_PATTERN: &str = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$";
const QUESTIONNAIRE_PATTERN: &str = "^[a-z0-9][a-z0-9_-]{0,63}@[1-9][0-9]*$";

/// Reads and checks touchpoints.toml.
pub fn read(file: &str, bytes: &[u8], glyphs: &Glyphs<'_>) -> Checked<Hospital> {
    check(file, bytes, |read: HospitalFile, report| build::build(&read, glyphs, report))
}

/// Sites, touchpoints and questionnaires of a hospital (touchpoints.toml).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "touchpoints.toml")]
pub(crate) struct HospitalFile {
    /// Languages every text is written in: the first one is shown unless the patient chooses another.
    #[schemars(length(min = 1, max = 20), inner(regex(pattern = LANG_PATTERN)), example = ["zh-CN", "en"])]
    pub languages: Vec<Located<String>>,
    /// Hospitals or campuses.
    #[schemars(length(min = 1))]
    pub site: Vec<SiteFile>,
    /// Places that patients rate, in the order of their journey.
    #[schemars(length(min = 1))]
    pub touchpoint: Vec<TouchpointFile>,
    /// What is asked.
    #[schemars(length(min = 1))]
    pub questionnaire: Vec<QuestionnaireFile>,
    /// Reasons a patient can choose after a rating; questions refer to them by id.
    #[serde(default)]
    pub reason: Vec<ReasonFile>,
}

/// A hospital or campus.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Site")]
pub(crate) struct SiteFile {
    /// Short name in programs: small letters, digits, `-` or `_`; never changed once ratings came in.
    #[schemars(regex(pattern = ID_PATTERN), example = &"main")]
    pub id: Located<String>,
    /// Name that people read.
    pub name: Located<TextsFile>,
    /// Time zone of the opening hours and of every report.
    #[schemars(example = &"Asia/Shanghai")]
    pub time_zone: Located<String>,
}

/// A place that patients rate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Touchpoint")]
pub(crate) struct TouchpointFile {
    /// Short name in programs: small letters, digits, `-` or `_`; never changed once ratings came in.
    #[schemars(regex(pattern = ID_PATTERN), example = &"pharmacy")]
    pub id: Located<String>,
    /// Name that patients read.
    pub name: Located<TextsFile>,
    /// Stage of the patient's journey.
    pub stage: Located<Stage>,
    /// What is asked here, as id@version of a questionnaire in this file.
    #[schemars(regex(pattern = QUESTIONNAIRE_PATTERN), example = &"outpatient@1")]
    pub questionnaire: Located<String>,
    /// Opening hours in the site's time zone; without them the place never closes.
    #[schemars(example = &"Mon-Fri 08:00-12:00 14:00-17:30, Sat 08:00-12:00")]
    pub hours: Option<Located<String>>,
    /// The site it belongs to; may be left out if there is only one.
    #[schemars(regex(pattern = ID_PATTERN), example = &"main")]
    pub site: Option<Located<String>>,
    /// Dimension of the national patient-experience survey that the first question measures.
    pub dimension: Option<Located<Dimension>>,
    /// Drawing beside the name; without it the one with the touchpoint's id, else a plain one.
    #[schemars(extend("enum" = ICONS))]
    pub icon: Option<Located<String>>,
}

/// A list of questions. Wording that ratings were given to is not changed: write a new version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Questionnaire")]
pub(crate) struct QuestionnaireFile {
    /// Id and version, like outpatient@1.
    #[schemars(regex(pattern = QUESTIONNAIRE_PATTERN), example = &"outpatient@1")]
    pub id: Located<String>,
    /// Questions in the order they are asked; the first one gives the touchpoint's score.
    #[schemars(length(min = 1, max = QUESTIONS_MAX))]
    pub question: Vec<QuestionFile>,
}

/// One question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Question")]
pub(crate) struct QuestionFile {
    /// Id within the questionnaire; stays the same over versions while the question means the same.
    #[schemars(regex(pattern = ID_PATTERN), example = &"overall")]
    pub id: Located<String>,
    /// What patients read.
    pub text: Located<TextsFile>,
    /// Scale of the answers.
    pub scale: Located<Scale>,
    /// Which answer stands first.
    #[serde(default)]
    pub order: Option<Located<Order>>,
    /// What is asked after some of the answers.
    #[serde(default)]
    pub reasons: Vec<ReasonsFile>,
}

/// Reasons to choose from after some of the answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reasons")]
pub(crate) struct ReasonsFile {
    /// Answers that lead here, as the scale's own numbers.
    #[schemars(length(min = 1), inner(range(min = 0, max = 10)), example = [1, 2])]
    pub values: Vec<Located<u8>>,
    /// What patients read above the reasons.
    pub prompt: Located<TextsFile>,
    /// Ids of at most six reasons, and `other`.
    #[schemars(length(min = 1), example = ["waiting", "attitude", "other"])]
    pub choices: Located<Vec<Located<String>>>,
}

/// One reason.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reason")]
pub(crate) struct ReasonFile {
    /// Short name in programs: small letters, digits, `-` or `_`.
    #[schemars(regex(pattern = ID_PATTERN), example = &"waiting")]
    pub id: Located<String>,
    /// What patients read.
    pub text: Located<TextsFile>,
    /// Dimension of the national patient-experience survey it belongs to.
    pub dimension: Option<Located<Dimension>>,
}

/// A text in every language of the hospital.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct TextsFile(pub BTreeMap<Located<String>, Located<String>>);

impl JsonSchema for TextsFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "A text in every language of the hospital. \\n marks where a line may break.",
            "propertyNames": { "pattern": LANG_PATTERN },
            "additionalProperties": { "type": "string", "minLength": 1 },
            "minProperties": 1,
            "examples": [{ "zh-CN": "药房取药", "en": "Pharmacy" }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ICONS;

    #[test]
    fn every_drawing_is_a_file_and_a_row_in_the_pages_table() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let table = include_str!("../../ui/marks.slint");
        for name in ICONS {
            assert!(root.join(format!("assets/icons/{name}.svg")).is_file(), "{name}");
            assert!(table.contains(&format!("assets/icons/{name}.svg")), "{name} is not in ui/marks.slint");
        }
    }
}
