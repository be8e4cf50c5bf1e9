//! From the file's structs to a [`Hospital`], with every contradiction found on the way.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::{
    Glyphs, HospitalFile, ICONS, OTHER, QuestionFile, QuestionnaireFile, REASONS_MAX, ReasonFile,
    ReasonsFile, SiteFile, TouchpointFile,
    texts::{self, Use},
};
use crate::{
    config::{
        check::{Located, Report, nearest},
        values::{hours, tags},
    },
    model::{Lang, QuestionnaireRef, Scale, SiteId, Value},
    questionnaire::{
        Hospital, OpeningHours, Question, Questionnaire, Reason, ReasonGroup, Site, Texts, Touchpoint,
    },
};

/// What people call the time of China, for which the database has one name.
const CHINESE_TIME: [&str; 16] = [
    "beijing",
    "peking",
    "china",
    "cst",
    "gmt+8",
    "gmt+08",
    "utc+8",
    "utc+08",
    "guangzhou",
    "shenzhen",
    "tianjin",
    "wuhan",
    "chengdu",
    "北京",
    "上海",
    "中国",
];

/// Checks the whole file; `None` if a part of it could not be made. A part that only has a finding is made all the same, because a
/// value counts only without errors.
pub fn build(file: &HospitalFile, glyphs: &Glyphs<'_>, report: &mut Report<'_>) -> Option<Hospital> {
    let mut builder = Builder {
        languages: Vec::new(),
        glyphs,
        sites: report.declared("site"),
        questionnaires: report.declared("questionnaire"),
        reason_ids: report.declared("reason"),
        reasons: &file.reason,
        used: BTreeSet::new(),
        report,
    };
    builder.languages(&file.languages);
    let sites: Vec<_> = file.site.iter().map(|site| builder.site(site)).collect();
    let touchpoints: Vec<_> =
        file.touchpoint.iter().map(|touchpoint| builder.touchpoint(touchpoint)).collect();
    builder.same_names(&file.touchpoint);
    let questionnaires: Vec<_> =
        file.questionnaire.iter().map(|asked| builder.questionnaire(asked)).collect();
    for reason in &file.reason {
        builder.reason(reason);
    }
    builder.unique("site", file.site.iter().map(|site| &site.id));
    builder.unique("touchpoint", file.touchpoint.iter().map(|touchpoint| &touchpoint.id));
    builder.unique("questionnaire", file.questionnaire.iter().map(|asked| &asked.id));
    builder.unique("reason", file.reason.iter().map(|reason| &reason.id));
    if !builder.report.any_error() {
        builder.unused(file);
    }
    Some(Hospital {
        languages: builder.languages,
        sites: sites.into_iter().collect::<Option<_>>()?,
        touchpoints: touchpoints.into_iter().collect::<Option<_>>()?,
        questionnaires: questionnaires.into_iter().collect::<Option<_>>()?,
    })
}

struct Builder<'b, 'r> {
    languages: Vec<Lang>,
    glyphs: &'b Glyphs<'b>,
    /// Ids that stand in the file, also those of tables that do not fit.
    sites: Vec<String>,
    questionnaires: Vec<String>,
    reason_ids: Vec<String>,
    reasons: &'b [ReasonFile],
    /// `kind id` of everything that something refers to.
    used: BTreeSet<String>,
    report: &'b mut Report<'r>,
}

impl Builder<'_, '_> {
    fn languages(&mut self, listed: &[Located<String>]) {
        for text in listed {
            let Some(lang) = tags::read(text, self.report) else { continue };
            tags::say_what_shows(text, self.glyphs, self.report);
            if self.languages.contains(&lang) {
                self.report.error(
                    &text.span,
                    format!("language `{lang}` is listed twice"),
                    "remove one of the two",
                );
            } else {
                self.languages.push(lang);
            }
        }
    }

    fn site(&mut self, site: &SiteFile) -> Option<Site> {
        let name = self.texts(&site.name, Use::SiteName);
        let time_zone = self.time_zone(&site.time_zone);
        let id = self.report.parse(&site.id);
        Some(Site { id: id?, name, time_zone: time_zone? })
    }

    fn time_zone(&mut self, text: &Located<String>) -> Option<Tz> {
        if let Ok(zone) = text.value.parse() {
            return Some(zone);
        }
        let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let written = text.value.to_lowercase();
        let is_chinese = CHINESE_TIME.iter().any(|name| written.contains(name));
        let fix = match nearest(&text.value, known) {
            _ if is_chinese => {
                "write \"Asia/Shanghai\", which is the name of the time of all of China".to_owned()
            }
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write it as continent and city; all of China is \"Asia/Shanghai\"".to_owned(),
        };
        self.report.error(&text.span, format!("`{}` is not a time zone", text.value), fix);
        None
    }

    fn touchpoint(&mut self, touchpoint: &TouchpointFile) -> Option<Touchpoint> {
        let name = self.texts(&touchpoint.name, Use::TouchpointName);
        let hours = self.hours(touchpoint.hours.as_ref());
        let questionnaire = self.questionnaire_ref(&touchpoint.questionnaire);
        let site = self.site_of(touchpoint);
        let id = self.report.parse(&touchpoint.id);
        Some(Touchpoint {
            id: id?,
            site: site?,
            name,
            stage: touchpoint.stage.value,
            dimension: touchpoint.dimension.as_ref().map(|dimension| dimension.value),
            hours: hours?,
            icon: icon_of(touchpoint),
            questionnaire: questionnaire?,
        })
    }

    fn questionnaire_ref(&mut self, text: &Located<String>) -> Option<QuestionnaireRef> {
        let id: QuestionnaireRef = self.report.parse(text)?;
        let known = self.questionnaires.clone();
        self.refer("questionnaire", text, &known)?;
        Some(id)
    }

    fn site_of(&mut self, touchpoint: &TouchpointFile) -> Option<SiteId> {
        let known = self.sites.clone();
        if let Some(text) = &touchpoint.site {
            let id = self.report.parse(text)?;
            return self.refer("site", text, &known).map(|()| id);
        }
        if let [only] = known.as_slice() {
            self.used.insert(format!("site {only}"));
            return only.parse().ok();
        }
        let what =
            format!("`site` is missing in touchpoint `{}`: the hospital has several", touchpoint.id.value);
        self.report.error(
            &touchpoint.id.span,
            what,
            format!("add site = \"...\", one of {}", known.join(", ")),
        );
        None
    }

    fn hours(&mut self, text: Option<&Located<String>>) -> Option<OpeningHours> {
        let Some(text) = text else { return Some(OpeningHours::default()) };
        match hours::parse(&text.value) {
            Ok(hours) => Some(hours),
            Err(error) => {
                let span = self.report.inside(text, &error.at);
                self.report.error(&span, error.what, error.fix);
                None
            }
        }
    }

    /// Two touchpoints of one site that read the same are two buttons nobody can tell apart.
    fn same_names(&mut self, touchpoints: &[TouchpointFile]) {
        let mut seen = BTreeMap::new();
        for touchpoint in touchpoints {
            let site = touchpoint.site.as_ref().map(|site| site.value.clone());
            for (lang, name) in &touchpoint.name.value.0 {
                let key = (site.clone(), lang.value.clone(), as_read(&name.value));
                if let Some(first) = seen.insert(key, &name.value) {
                    let what = if *first == name.value {
                        format!("two touchpoints are called `{first}`")
                    } else {
                        format!(
                            "two touchpoints are called `{first}` and `{}`: patients see no difference",
                            name.value
                        )
                    };
                    self.report.warning(&name.span, what, "give each a name that patients can tell apart");
                }
            }
        }
    }

    fn questionnaire(&mut self, asked: &QuestionnaireFile) -> Option<Questionnaire> {
        let questions: Vec<_> = asked.question.iter().map(|question| self.question(question)).collect();
        self.unique("question", asked.question.iter().map(|question| &question.id));
        let id = self.report.parse(&asked.id);
        Some(Questionnaire { id: id?, questions: questions.into_iter().collect::<Option<_>>()? })
    }

    fn question(&mut self, question: &QuestionFile) -> Option<Question> {
        let text = self.texts(&question.text, Use::Question);
        let scale = question.scale.value;
        let mut taken = BTreeSet::new();
        let reasons: Vec<_> =
            question.reasons.iter().map(|group| self.group(group, scale, &mut taken)).collect();
        let id = self.report.parse(&question.id);
        Some(Question {
            id: id?,
            text,
            scale,
            order: question.order.as_ref().map(|order| order.value).unwrap_or_default(),
            reasons: reasons.into_iter().collect::<Option<_>>()?,
        })
    }

    fn group(&mut self, group: &ReasonsFile, scale: Scale, taken: &mut BTreeSet<u8>) -> Option<ReasonGroup> {
        for value in &group.values {
            if !scale.holds(Value(value.value)) {
                let known: Vec<String> = scale.levels().iter().map(|level| level.value.to_string()).collect();
                let what = format!("{} is not an answer of the scale {scale}", value.value);
                self.report.error(&value.span, what, format!("use one of {}", known.join(", ")));
            } else if !taken.insert(value.value) {
                let what = format!("answer {} already leads to other reasons", value.value);
                self.report.error(&value.span, what, "name each answer in one [[...reasons]] section only");
            }
        }
        let prompt = self.texts(&group.prompt, Use::Prompt);
        let choices = &group.choices.value;
        let listed = choices.iter().filter(|choice| choice.value != OTHER).count();
        if listed > REASONS_MAX {
            let what = format!("{listed} reasons are too many: at most {REASONS_MAX} besides `{OTHER}`");
            let fix = "keep those that staff can act on: the buttons must stay large enough for an old hand";
            self.report.error(&group.choices.span, what, fix);
        }
        self.unique("choice", choices.iter());
        let reasons: Vec<_> = choices.iter().map(|choice| self.choice(choice)).collect();
        Some(ReasonGroup {
            values: group.values.iter().map(|value| Value(value.value)).collect(),
            prompt,
            reasons: reasons.into_iter().collect::<Option<_>>()?,
        })
    }

    fn choice(&mut self, choice: &Located<String>) -> Option<Reason> {
        let known = self.reason_ids.clone();
        self.refer("reason", choice, &known)?;
        let reason = self.reasons.iter().find(|reason| reason.id.value == choice.value)?;
        let mut text = Texts::default();
        for (lang, words) in &reason.text.value.0 {
            text.0.extend(lang.value.parse().ok().map(|lang| (lang, words.value.clone())));
        }
        let dimension = reason.dimension.as_ref().map(|dimension| dimension.value);
        Some(Reason { id: choice.value.parse().ok()?, text, dimension })
    }

    fn reason(&mut self, reason: &ReasonFile) {
        self.texts(&reason.text, Use::Reason);
        let _: Option<crate::model::ReasonId> = self.report.parse(&reason.id);
    }

    fn texts(&mut self, texts: &Located<super::TextsFile>, kind: Use) -> Texts {
        texts::read(texts, &self.languages, kind, self.glyphs, self.report)
    }

    /// A reference to something that must stand in the file.
    fn refer(&mut self, kind: &str, text: &Located<String>, known: &[String]) -> Option<()> {
        self.used.insert(format!("{kind} {}", text.value));
        if known.contains(&text.value) {
            return Some(());
        }
        let fix = match nearest(&text.value, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("use one of {}, or add a section [[{kind}]] with this id", known.join(", ")),
        };
        self.report.error(&text.span, format!("there is no {kind} `{}` in this file", text.value), fix);
        None
    }

    fn unique<'i>(&mut self, kind: &str, ids: impl Iterator<Item = &'i Located<String>>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(&id.value) {
                let what = format!("{kind} `{}` is there twice", id.value);
                self.report.error(&id.span, what, "give the second one another id, or remove it");
            }
        }
    }

    fn unused(&mut self, file: &HospitalFile) {
        let sites = file.site.iter().map(|site| ("site", &site.id));
        let questionnaires = file.questionnaire.iter().map(|asked| ("questionnaire", &asked.id));
        let reasons = file.reason.iter().map(|reason| ("reason", &reason.id));
        for (kind, id) in sites.chain(questionnaires).chain(reasons) {
            // An old version stays in the file for as long as ratings given to it are read.
            let stem = id.value.split_once('@').map_or(id.value.clone(), |(stem, _)| format!("{stem}@"));
            let used = format!("{kind} {stem}");
            let exact = !stem.ends_with('@');
            if !self.used.iter().any(|name| if exact { *name == used } else { name.starts_with(&used) }) {
                let what = format!("nothing in this file uses {kind} `{}`", id.value);
                self.report.warning(&id.span, what, "use it or remove it");
            }
        }
    }
}

/// A name as a patient reads it: blanks, upper and lower case and full-width letters make no difference.
fn as_read(name: &str) -> String {
    let unseen = |c: &char| {
        c.is_whitespace()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}')
    };
    let narrow = |c: char| match u32::from(c) {
        wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    name.chars().filter(|c| !unseen(c)).map(narrow).flat_map(char::to_lowercase).collect()
}

fn icon_of(touchpoint: &TouchpointFile) -> String {
    let own = ICONS.into_iter().find(|icon| *icon == touchpoint.id.value);
    touchpoint.icon.as_ref().map_or(own.unwrap_or("generic"), |icon| icon.value.as_str()).to_owned()
}
