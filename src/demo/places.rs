//! The places of a replayed file, in the configuration: they stay there for the next file and the next start.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use crate::{
    config::{Glyphs, KioskSetup},
    model::{Lang, Scale},
    questionnaire::{Hospital, Touchpoint},
    replay::names::{self, Place},
};

/// The questionnaire that files of a scale are asked with.
fn questionnaire(scale: Scale) -> String {
    if scale == Scale::Fft6 {
        "replay-fft@1".to_owned()
    } else {
        format!("replay-{}@1", scale.name().replace('_', "-"))
    }
}

/// The id of its question.
fn question(scale: Scale) -> &'static str {
    match scale {
        Scale::Fft6 => "fft",
        Scale::Face4 | Scale::Face5 | Scale::Csat5 | Scale::Ces5 | Scale::Nps11 | Scale::YesNo => "overall",
    }
}

/// Adds what a file needs to the text of touchpoints.toml; says what was changed of places that were there.
pub(super) fn add(
    text: &str,
    setup: &KioskSetup,
    glyphs: &Glyphs<'_>,
    places: &[Place],
    scale: Scale,
) -> anyhow::Result<(String, Vec<String>)> {
    let hospital = &setup.hospital;
    let mut document: DocumentMut = text.parse().context("touchpoints.toml cannot be read")?;
    let asked = questionnaire(scale);
    let mut said = Vec::new();
    let is_new = !hospital.questionnaires.iter().any(|known| known.id.to_string() == asked);
    if is_new && !places.is_empty() {
        list(&mut document, "questionnaire")?.push(questionnaire_table(&asked, scale, &hospital.languages));
    }
    let site = &hospital.sites.first().context("the hospital has no site")?.id;
    let mut added: Vec<&str> = Vec::new();
    let mut taken: BTreeSet<String> = hospital
        .touchpoints
        .iter()
        .flat_map(|touchpoint| touchpoint.name.0.iter().map(|(lang, name)| as_patients_see(lang, name)))
        .collect();
    for place in places {
        if added.contains(&place.id.as_str()) {
            continue;
        }
        added.push(place.id.as_str());
        match hospital.touchpoint(&place.id) {
            None => {
                let name = texts(&hospital.languages, |lang| {
                    let shown = names::shown(&place.name, &|text| glyphs.missing(lang.as_str(), text));
                    let is_free = taken.insert(as_patients_see(lang, &shown));
                    if is_free { shown } else { names::told_apart(&shown, &place.id) }
                });
                let table = touchpoint_table(place, site.as_str(), &asked, name);
                list(&mut document, "touchpoint")?.push(table);
            }
            Some(known) if known.questionnaire.to_string() == asked => {}
            Some(known) => {
                ask(&mut document, known, &asked)?;
                said.push(format!(
                    "`{}` is the place `{}` of the configuration; from now on it is asked the question of the file",
                    place.name, place.id
                ));
            }
        }
    }
    Ok((document.to_string(), said))
}

fn list<'a>(document: &'a mut DocumentMut, key: &str) -> anyhow::Result<&'a mut ArrayOfTables> {
    let item = document.entry(key).or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    item.as_array_of_tables_mut()
        .with_context(|| format!("write [[{key}]] as tables of their own in touchpoints.toml"))
}

fn ask(document: &mut DocumentMut, known: &Touchpoint, questionnaire: &str) -> anyhow::Result<()> {
    let is_it = |table: &&mut Table| table.get("id").and_then(Item::as_str) == Some(known.id.as_str());
    let table = list(document, "touchpoint")?.iter_mut().find(is_it);
    let table = table.with_context(|| format!("touchpoint `{}` is not in touchpoints.toml", known.id))?;
    table.insert("questionnaire", Item::Value(questionnaire.into()));
    Ok(())
}

fn questionnaire_table(id: &str, scale: Scale, languages: &[Lang]) -> Table {
    let mut asked = Table::new();
    asked.insert("id", Item::Value(question(scale).into()));
    asked.insert("text", Item::Value(texts(languages, |lang| wording(scale, lang).to_owned())));
    asked.insert("scale", Item::Value(scale.name().into()));
    if scale == Scale::Fft6 {
        asked.insert("order", Item::Value("best_first".into()));
    }
    let mut questions = ArrayOfTables::new();
    questions.push(asked);
    let mut table = Table::new();
    table.insert("id", Item::Value(id.into()));
    table.insert("question", Item::ArrayOfTables(questions));
    table
}

/// What tells two buttons of a language apart.
fn as_patients_see(lang: &Lang, name: &str) -> String {
    format!("{lang}:{}", names::fold(&name.replace('\n', "")))
}

fn touchpoint_table(place: &Place, site: &str, questionnaire: &str, name: Value) -> Table {
    let mut table = Table::new();
    for (key, value) in [("id", Value::from(place.id.as_str())), ("site", site.into()), ("name", name)] {
        table.insert(key, Item::Value(value));
    }
    table.insert("stage", Item::Value("visit".into()));
    table.insert("questionnaire", Item::Value(questionnaire.into()));
    table
}

fn texts(languages: &[Lang], mut text: impl FnMut(&Lang) -> String) -> Value {
    let mut table = InlineTable::new();
    for lang in languages {
        table.insert(lang.as_str(), text(lang).into());
    }
    Value::InlineTable(table)
}

/// The question: for the Friends and Family Test as the NHS publishes it, and a translation.
fn wording(scale: Scale, lang: &Lang) -> &'static str {
    let is_chinese = lang.as_str().starts_with("zh");
    match (scale, is_chinese) {
        (Scale::Fft6, true) => "总的来说，\n您在这里的体验怎么样？",
        (Scale::Fft6, false) => "Overall, how was your experience of our service?",
        (Scale::Ces5, true) => "在这里办事\n容易吗？",
        (Scale::Ces5, false) => "How easy was it for you here?",
        (Scale::Nps11, true) => "您会把我们医院\n推荐给亲友吗？",
        (Scale::Nps11, false) => "How likely are you to recommend us?",
        (Scale::Face4 | Scale::Face5 | Scale::Csat5 | Scale::YesNo, true) => "您对这里\n满意吗？",
        (Scale::Face4 | Scale::Face5 | Scale::Csat5 | Scale::YesNo, false) => {
            "Are you satisfied with this place?"
        }
    }
}

/// Checks that the hospital now has every place, asked the file's question.
pub(super) fn check(hospital: &Hospital, places: &[Place], scale: Scale) -> anyhow::Result<()> {
    for place in places {
        let touchpoint = hospital.touchpoint(&place.id);
        let is_asked = touchpoint.is_some_and(|touchpoint| {
            hospital
                .questionnaire(&touchpoint.questionnaire)
                .is_some_and(|asked| asked.questions.first().is_some_and(|question| question.scale == scale))
        });
        ensure!(is_asked, "the place `{}` could not be added to the configuration", place.name);
    }
    Ok(())
}
