//! From the survey to the pages: each [`Page`] fills the properties of one Slint global. Only mapping, no decisions.

use std::{collections::BTreeSet, rc::Rc};

use slint::{ComponentHandle, Model, ModelRc, VecModel};

use super::Shared;
use crate::{
    lang::{Text, Words},
    model::{Lang, Level, Scale},
    questionnaire::{Question, ReasonGroup, Texts, Touchpoint},
    survey::Page,
    ui::{
        self, AppWindow, Arrangement, Attract, Choice, Language, LanguageItem, OptionItem, OutOfService,
        PlaceItem, ReasonItem, Reasons, Shell, StillThere, Thanks,
    },
};

pub(super) fn show(shared: &Shared, window: &AppWindow) {
    let speaker = Speaker::of(shared);
    let shell = window.global::<Shell>();
    show_shell(shared, &speaker, &shell);
    let page = match shared.survey.page() {
        Page::Attract => {
            show_attract(&speaker, &window.global::<Attract>());
            ui::Page::Attract
        }
        Page::Choice(places) => {
            show_choice(shared, &speaker, &places, &window.global::<Choice>());
            ui::Page::Choice
        }
        Page::Question { question, pressed, .. } => {
            show_question(&speaker, question, pressed, &window.global::<ui::Question>());
            ui::Page::Question
        }
        Page::Reasons { group, selected, saving } => {
            show_reasons(&speaker, group, selected, saving, &window.global::<Reasons>());
            ui::Page::Reasons
        }
        Page::Thanks { another } => {
            let thanks = window.global::<Thanks>();
            thanks.set_title(speaker.line(Text::ThanksTitle));
            thanks.set_undo(speaker.line(Text::ThanksUndo));
            thanks.set_another(speaker.line(Text::ThanksAnother));
            thanks.set_another_shown(another);
            ui::Page::Thanks
        }
        Page::StillThere { until_ms } => {
            let left_ms = until_ms.saturating_sub(shared.clock.now().up_ms);
            show_still_there(&speaker, left_ms, &window.global::<StillThere>());
            ui::Page::StillThere
        }
        Page::Language(languages) => {
            show_languages(&speaker, languages, &window.global::<Language>());
            ui::Page::Language
        }
        Page::NotStored => {
            let out_of_service = window.global::<OutOfService>();
            out_of_service.set_title(speaker.line(Text::NotStoredTitle));
            out_of_service.set_reason(speaker.line(Text::OutOfServiceStorage));
            ui::Page::OutOfService
        }
    };
    shell.set_page(page);
}

/// The language on screen and the courtesy one.
struct Speaker<'a> {
    shared: &'a Shared,
    lang: &'a Lang,
    second: Option<&'a Lang>,
}

impl<'a> Speaker<'a> {
    fn of(shared: &'a Shared) -> Self {
        let lang = shared.survey.lang();
        // Who chose another language than the default sees it alone: it is large already.
        let default = shared.survey.plan().languages.first() == Some(lang);
        let second = shared.second_language.as_ref().filter(|second| default && *second != lang);
        Self { shared, lang, second }
    }

    fn words(&self, text: Text) -> Words {
        self.shared.catalogue.words(self.lang.as_str(), self.second.map(Lang::as_str), text)
    }

    fn line(&self, text: Text) -> ui::Line {
        self.words(text).into()
    }

    fn texts(&self, texts: &Texts) -> ui::Line {
        Words::new(texts.get(self.lang), self.second.map(|second| texts.get(second))).into()
    }
}

fn show_shell(shared: &Shared, speaker: &Speaker, shell: &Shell) {
    shell.set_place(shared.survey.touchpoint().map(|place| speaker.texts(&place.name)).unwrap_or_default());
    shell.set_privacy(speaker.line(Text::Privacy));
    shell.set_privacy_short(speaker.line(Text::PrivacyShort));
    shell.set_badge(shared.badge.as_str().into());
    let several = shared.survey.plan().languages.len() > 1;
    shell.set_language_label(if several { "文 / A" } else { "" }.into());
    shell.set_language_spoken(speaker.words(Text::LanguageButton).spoken.into());
}

fn show_attract(speaker: &Speaker, attract: &Attract) {
    attract.set_title(speaker.line(Text::AttractTitle));
    attract.set_start(speaker.line(Text::AttractStart));
}

fn show_choice(shared: &Shared, speaker: &Speaker, places: &[&Touchpoint], choice: &Choice) {
    let per_page = shared.places_per_page();
    let pages = places.len().div_ceil(per_page);
    let shown = places.iter().skip(shared.choice_page * per_page).take(per_page);
    choice.set_title(speaker.line(Text::ChoiceTitle));
    choice.set_previous(speaker.line(Text::ChoicePrevious));
    choice.set_next(speaker.line(Text::ChoiceNext));
    let item = |place: &&Touchpoint| PlaceItem {
        line: speaker.texts(&place.name),
        icon: place.icon.as_str().into(),
        held: false,
    };
    update(&choice.get_places(), shown.map(item).collect(), |model| choice.set_places(model));
    let label = if pages > 1 { format!("{} / {pages}", shared.choice_page + 1) } else { String::new() };
    choice.set_page_label(label.into());
    choice.set_has_previous(shared.choice_page > 0);
    choice.set_has_next(shared.choice_page + 1 < pages);
}

fn show_question(speaker: &Speaker, question: &Question, pressed: Option<usize>, page: &ui::Question) {
    let keys = question.scale == Scale::Nps11;
    page.set_title(speaker.texts(&question.text));
    page.set_arrangement(if keys { Arrangement::Keys } else { Arrangement::Cards });
    page.set_low_end(speaker.line(Text::RecommendLow));
    page.set_high_end(speaker.line(Text::RecommendHigh));
    let places = question.scale.levels();
    let item = |(i, level): (usize, Level)| {
        let place = places.iter().position(|known| known.value == level.value).map_or(0, |at| at + 1);
        let (mark, number) = drawing(question.scale, place, level);
        OptionItem {
            value: i32::from(level.value.0),
            line: level_line(speaker, question.scale, place, level),
            mark: mark.into(),
            number: number.into(),
            held: pressed == Some(i),
        }
    };
    let items = question.levels_on_screen().into_iter().enumerate().map(item).collect();
    update(&page.get_options(), items, |model| page.set_options(model));
}

/// What a level is called; a number key is called by its number.
fn level_line(speaker: &Speaker, scale: Scale, place: usize, level: Level) -> ui::Line {
    match Text::level(scale.name(), place) {
        Some(text) => speaker.line(text),
        None => ui::Line { spoken: level.value.to_string().into(), ..ui::Line::default() },
    }
}

/// The drawing or the number of a level; `place` counts from 1, the worst.
fn drawing(scale: Scale, place: usize, level: Level) -> (&'static str, String) {
    const FACES: [&str; 5] = ["face-1", "face-2", "face-3", "face-4", "face-5"];
    const FOUR_FACES: [&str; 4] = ["face-1", "face-2", "face-4", "face-5"];
    let at = place.saturating_sub(1);
    let face = match scale {
        Scale::Face4 => FOUR_FACES.get(at).copied(),
        Scale::Face5 | Scale::Csat5 | Scale::Ces5 | Scale::Fft6 => FACES.get(at).copied(),
        Scale::YesNo => ["no", "yes"].get(at).copied(),
        Scale::Nps11 => None,
    };
    match face {
        Some(face) => (face, String::new()),
        None if level.index.is_none() => ("", "?".into()),
        None => ("", level.value.to_string()),
    }
}

fn show_reasons(
    speaker: &Speaker,
    group: &ReasonGroup,
    selected: &BTreeSet<usize>,
    saving: bool,
    page: &Reasons,
) {
    page.set_title(speaker.texts(&group.prompt));
    page.set_back(speaker.line(Text::ReasonsBack));
    page.set_done(speaker.line(Text::ReasonsDone));
    page.set_done_held(saving);
    let items = group
        .reasons
        .iter()
        .enumerate()
        .map(|(i, reason)| ReasonItem { line: speaker.texts(&reason.text), chosen: selected.contains(&i) })
        .collect();
    update(&page.get_reasons(), items, |model| page.set_reasons(model));
}

fn show_still_there(speaker: &Speaker, left_ms: u64, page: &StillThere) {
    page.set_title(speaker.line(Text::StillThereTitle));
    page.set_explanation(speaker.line(Text::StillThereExplanation));
    page.set_here(speaker.line(Text::StillThereHere));
    page.set_seconds(i32::try_from(left_ms.div_ceil(1_000)).unwrap_or(i32::MAX));
}

fn show_languages(speaker: &Speaker, languages: &[Lang], page: &Language) {
    page.set_title(speaker.line(Text::LanguageTitle));
    page.set_back(speaker.line(Text::LanguageBack));
    let item = |lang: &Lang| LanguageItem {
        name: speaker.shared.catalogue.name(lang.as_str()).into(),
        current: lang == speaker.lang,
    };
    update(&page.get_languages(), languages.iter().map(item).collect(), |model| page.set_languages(model));
}

/// Changes only the rows that differ, so that a page does not lose the finger that is on it.
fn update<T: Clone + PartialEq + 'static>(old: &ModelRc<T>, items: Vec<T>, set: impl FnOnce(ModelRc<T>)) {
    let same_rows = old.row_count() == items.len();
    match old.as_any().downcast_ref::<VecModel<T>>() {
        Some(rows) if same_rows => {
            for (i, item) in items.into_iter().enumerate() {
                if rows.row_data(i).as_ref() != Some(&item) {
                    rows.set_row_data(i, item);
                }
            }
        }
        _ => set(ModelRc::from(Rc::new(VecModel::from(items)))),
    }
}
