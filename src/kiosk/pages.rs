//! From what is to be seen to the pages: each [`Page`] fills the properties of one Slint global. Only mapping, no decisions.
//!
//! A [`View`] holds everything a page shows, so that any page can be put on any window: the running screen does it for its survey, the
//! gallery for every page there is.

use std::{collections::BTreeSet, rc::Rc};

use slint::{ComponentHandle, Model, ModelRc, VecModel};

use crate::{
    fonts::{Fonts, Ruler},
    lang::{Catalogue, Text, Words, unbroken},
    model::{Lang, Level, Scale},
    panel::{Corner, Grid, ListLayout, Panel},
    questionnaire::{Question, ReasonGroup, Texts, Touchpoint},
    survey::{HeldStage, HelpStage, OutOfService, Page},
    ui::{
        self, AppWindow, Arrangement, Attract, Choice, Language, LanguageItem, Metrics, Notice, OptionItem,
        PlaceItem, ReasonItem, Reasons, Shell, StillThere, Thanks,
    },
};

/// Everything a patient's page shows.
pub struct View<'a> {
    /// The page.
    pub page: Page<'a>,
    /// The words.
    pub speaker: Speaker<'a>,
    /// What is rated, once that is known.
    pub place: Option<&'a Touchpoint>,
    /// The hospital's name, for the page that invites.
    pub hospital: Option<&'a Texts>,
    /// Languages on offer; the first one is shown at rest.
    pub languages: &'a [Lang],
    /// Which page of a list shows.
    pub choice: ChoicePage,
    /// Somebody can be called.
    pub help: bool,
    /// What is left of a countdown, in milliseconds.
    pub left_ms: u64,
    /// A word for staff, who read the language at rest whichever one a visitor chose.
    pub badge: Option<Text>,
}

/// A page of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChoicePage {
    /// From 0.
    pub number: usize,
    /// How it lies.
    pub grid: Grid,
}

/// The language on screen and the courtesy one.
#[derive(Clone, Copy)]
pub struct Speaker<'a> {
    /// The words of the pages.
    pub catalogue: &'a Catalogue,
    /// Which font each language is drawn in.
    pub fonts: &'a Fonts,
    /// The visitor's language.
    pub lang: &'a Lang,
    /// Shown smaller below.
    pub second: Option<&'a Lang>,
}

impl Speaker<'_> {
    /// A text of the pages in the visitor's language, as the .po file has it.
    pub fn text(&self, text: Text) -> &str {
        self.catalogue.text(self.lang.as_str(), text)
    }

    /// A text of the pages in both languages.
    pub fn words(&self, text: Text) -> Words {
        self.catalogue.words(self.lang.as_str(), self.second.map(Lang::as_str), text)
    }

    /// The same, for a page.
    pub fn line(&self, text: Text) -> ui::Line {
        self.words(text).into()
    }

    /// How a list with these names lies on a panel.
    pub fn grid(&self, glass: &Glass, title: Text, names: &[String], corner: Corner<'_>) -> Grid {
        let lang = self.lang.as_str();
        let layout = ListLayout::new(&glass.panel, glass.low_reach, self.fonts, &glass.ruler, lang);
        layout.grid(self.catalogue.text(lang, title), names, corner)
    }

    /// A text of the configuration in both languages.
    pub fn texts(&self, texts: &Texts) -> ui::Line {
        Words::new(texts.get(self.lang), self.second.map(|second| texts.get(second))).into()
    }

    fn line_if(&self, wanted: bool, text: Text) -> ui::Line {
        if wanted { self.line(text) } else { ui::Line::default() }
    }
}

/// The panel that the pages are laid out for, and a ruler for what has to be measured first.
#[derive(Debug)]
pub struct Glass {
    /// The panel.
    pub panel: Panel,
    /// Targets in the lower part.
    pub low_reach: bool,
    /// Measures in the fonts of the pages.
    pub ruler: Ruler,
}

/// Puts a view on a window.
pub fn show(view: &View, window: &AppWindow) {
    let speaker = &view.speaker;
    show_frame(view, window);
    let page = match &view.page {
        Page::Attract => {
            let attract = window.global::<Attract>();
            attract.set_title(speaker.line(Text::AttractTitle));
            attract.set_start(speaker.line(Text::AttractStart));
            ui::Page::Attract
        }
        Page::Choice(places) => {
            show_choice(view, places, &window.global::<Choice>());
            ui::Page::Choice
        }
        Page::Question { question, pressed, .. } => {
            show_question(speaker, question, *pressed, &window.global::<ui::Question>());
            ui::Page::Question
        }
        Page::Reasons { group, selected, saving } => {
            show_reasons(speaker, group, selected, *saving, &window.global::<Reasons>());
            ui::Page::Reasons
        }
        Page::Thanks { another } => {
            let thanks = window.global::<Thanks>();
            thanks.set_title(speaker.line(Text::ThanksTitle));
            thanks.set_undo(speaker.line(Text::ThanksUndo));
            thanks.set_another(speaker.line(Text::ThanksAnother));
            thanks.set_another_shown(*another);
            ui::Page::Thanks
        }
        Page::StillThere { .. } => {
            show_still_there(speaker, view.left_ms, &window.global::<StillThere>());
            ui::Page::StillThere
        }
        Page::Language(languages) => {
            fill_languages(speaker, speaker.line(Text::LanguageTitle), languages, speaker.lang, window);
            ui::Page::Language
        }
        Page::StillSaving
        | Page::Held(_)
        | Page::NotStored
        | Page::Help(_)
        | Page::Cleaning { .. }
        | Page::Closed { .. }
        | Page::OutOfService(_) => {
            show_notice(view, &window.global::<Notice>());
            ui::Page::Notice
        }
    };
    window.global::<Shell>().set_page(page);
}

/// What every page has.
pub(crate) fn show_frame(view: &View, window: &AppWindow) {
    let speaker = &view.speaker;
    let shell = window.global::<Shell>();
    set_script(speaker, window);
    shell.set_place(view.place.map(|place| speaker.texts(&place.name)).unwrap_or_default());
    shell.set_hospital(view.hospital.map(|name| speaker.texts(name)).unwrap_or_default());
    shell.set_privacy(speaker.line(Text::Privacy));
    shell.set_privacy_short(speaker.line(Text::PrivacyShort));
    let resting = view.languages.first().unwrap_or(speaker.lang).as_str();
    let badge = view.badge.map(|text| unbroken(speaker.catalogue.text(resting, text)));
    shell.set_badge(badge.unwrap_or_default().into());
    shell.set_badge_family(speaker.fonts.family_for(resting).into());
    shell.set_language_label(if view.languages.len() > 1 { "文 / A" } else { "" }.into());
    shell.set_language_spoken(speaker.words(Text::LanguageButton).spoken.into());
    shell.set_language_stored(false);
    shell.set_help(speaker.line_if(view.help, Text::HelpButton));
    shell.set_back(ui::Line::default());
}

/// The fonts and the direction of the languages on screen.
fn set_script(speaker: &Speaker, window: &AppWindow) {
    let family = |lang: &Lang| speaker.fonts.family_for(lang.as_str()).into();
    let shell = window.global::<Shell>();
    shell.set_family(family(speaker.lang));
    shell.set_second_family(speaker.second.map(family).unwrap_or_default());
    let (lines, second) = (
        speaker.fonts.lines_for(speaker.lang.as_str()),
        speaker.second.map(|second| speaker.fonts.lines_for(second.as_str())),
    );
    let metrics = window.global::<Metrics>();
    metrics.set_rtl(speaker.catalogue.right_to_left(speaker.lang.as_str()));
    metrics.set_scale(lines.scale);
    metrics.set_second_scale(second.map_or(1.0, |lines| lines.scale));
    metrics.set_line_max_em(lines.max_em);
    metrics.set_second_line_max_em(second.map_or(lines.max_em, |lines| lines.max_em));
    metrics.set_line_em(lines.em);
    metrics.set_line_factor(lines.factor);
    metrics.set_low_em(lines.low);
    metrics.set_second_line_em(second.map_or(0.0, |lines| lines.em));
    metrics.set_second_line_factor(second.map_or(1.0, |lines| lines.factor));
}

fn show_choice(view: &View, places: &[&Touchpoint], choice: &Choice) {
    let speaker = &view.speaker;
    let item = |place: &&Touchpoint| PlaceItem {
        line: speaker.texts(&place.name),
        icon: place.icon.as_str().into(),
        held: false,
    };
    let items: Vec<PlaceItem> = places.iter().map(item).collect();
    fill_choice(speaker, speaker.line(Text::ChoiceTitle), &items, view.choice, choice);
}

/// A grid of things to choose; the staff menu uses it too.
pub(crate) fn fill_choice(
    speaker: &Speaker,
    title: ui::Line,
    items: &[PlaceItem],
    ChoicePage { number, grid }: ChoicePage,
    choice: &Choice,
) {
    let per_page = grid.per_page();
    let shown = items.iter().skip(number * per_page).take(per_page).cloned().collect();
    let pages = items.len().div_ceil(per_page);
    let whole = |n: usize| i32::try_from(n).unwrap_or(1);
    choice.set_columns(whole(grid.columns));
    choice.set_rows(whole(grid.rows));
    choice.set_title(title);
    choice.set_previous(speaker.line(Text::ChoicePrevious));
    choice.set_next(speaker.line(Text::ChoiceNext));
    update(&choice.get_places(), shown, |model| choice.set_places(model));
    let label = if pages > 1 { format!("{} / {pages}", number + 1) } else { String::new() };
    choice.set_page_label(label.into());
    choice.set_has_previous(number > 0);
    choice.set_has_next(number + 1 < pages);
}

fn show_question(speaker: &Speaker, question: &Question, pressed: Option<usize>, page: &ui::Question) {
    fill_question(speaker, speaker.texts(&question.text), question, page, |i| (pressed == Some(i), false));
}

/// The levels of a question; `look` says of each whether it is held and whether it is stored.
pub(super) fn fill_question(
    speaker: &Speaker,
    title: ui::Line,
    question: &Question,
    page: &ui::Question,
    look: impl Fn(usize) -> (bool, bool),
) {
    let keys = question.scale == Scale::Nps11;
    page.set_title(title);
    page.set_arrangement(if keys { Arrangement::Keys } else { Arrangement::Cards });
    page.set_low_end(speaker.line(Text::RecommendLow));
    page.set_high_end(speaker.line(Text::RecommendHigh));
    let places = question.scale.levels();
    let item = |(i, level): (usize, Level)| {
        let place = places.iter().position(|known| known.value == level.value).map_or(0, |at| at + 1);
        let (mark, number) = drawing(question.scale, place, level);
        let (held, stored) = look(i);
        OptionItem {
            value: i32::from(level.value.0),
            line: level_line(speaker, question.scale, place, level),
            mark: mark.into(),
            number: number.into(),
            held,
            stored,
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
    page.set_seconds(seconds(left_ms));
}

/// A list of languages, each in its own script; the staff area uses it too.
pub(super) fn fill_languages(
    speaker: &Speaker,
    title: ui::Line,
    languages: &[Lang],
    current: &Lang,
    window: &AppWindow,
) {
    let page = window.global::<Language>();
    page.set_title(title);
    page.set_back(speaker.line(Text::LanguageBack));
    let item = |lang: &Lang| LanguageItem {
        name: speaker.catalogue.name(lang.as_str()).into(),
        family: speaker.fonts.family_for(lang.as_str()).into(),
        scale: speaker.fonts.lines_for(lang.as_str()).scale,
        current: lang == current,
    };
    update(&page.get_languages(), languages.iter().map(item).collect(), |model| page.set_languages(model));
}

/// What the terminal itself has to say.
fn show_notice(view: &View, notice: &Notice) {
    let speaker = &view.speaker;
    let (sign, title, reason) = match &view.page {
        Page::Help(HelpStage::Calling) => ("bell", Text::HelpCalling, Text::HelpCallingExplanation),
        Page::Help(HelpStage::Told) => ("bell", Text::HelpTold, Text::HelpToldExplanation),
        Page::Help(HelpStage::Untold) => ("bell", Text::HelpUntold, Text::HelpUntoldExplanation),
        Page::Cleaning { .. } => ("wipe", Text::CleaningTitle, Text::CleaningExplanation),
        Page::Closed { rate: true } => ("clock", Text::ClosedTitle, Text::ClosedStillRate),
        Page::Closed { rate: false } => ("clock", Text::ClosedTitle, Text::ClosedExplanation),
        Page::OutOfService(OutOfService::NotSetUp) => {
            ("wrench", Text::OutOfServiceTitle, Text::OutOfServiceSetup)
        }
        Page::OutOfService(OutOfService::Storage) => {
            ("wrench", Text::OutOfServiceTitle, Text::OutOfServiceStorage)
        }
        Page::StillSaving => ("clock", Text::SavingTitle, Text::HelpCallingExplanation),
        Page::Held(HeldStage::Sending) => ("wrench", Text::HeldTitle, Text::HeldSending),
        Page::Held(HeldStage::Received) => ("wrench", Text::HeldReceivedTitle, Text::HeldReceived),
        Page::Held(HeldStage::Waiting { .. }) => ("wrench", Text::HeldTitle, Text::HeldWaiting),
        Page::Attract
        | Page::Choice(_)
        | Page::Question { .. }
        | Page::Reasons { .. }
        | Page::Thanks { .. }
        | Page::StillThere { .. }
        | Page::Language(_)
        | Page::NotStored => ("wrench", Text::NotStoredTitle, Text::OutOfServiceStorage),
    };
    let action = match &view.page {
        Page::Help(_) => speaker.line(Text::LanguageBack),
        Page::Closed { rate: true } => speaker.line(Text::ClosedRate),
        Page::Attract
        | Page::Choice(_)
        | Page::Question { .. }
        | Page::Reasons { .. }
        | Page::Thanks { .. }
        | Page::StillThere { .. }
        | Page::Language(_)
        | Page::Cleaning { .. }
        | Page::Closed { rate: false }
        | Page::OutOfService(_)
        | Page::StillSaving
        | Page::Held(_)
        | Page::NotStored => ui::Line::default(),
    };
    let cleaning = matches!(view.page, Page::Cleaning { .. });
    // While a commit is waited for nothing can be chosen.
    let fixed = cleaning || view.page == Page::StillSaving;
    notice.set_sign(sign.into());
    notice.set_title(speaker.line(title));
    let reason = speaker.words(reason);
    notice.set_reason(if let Page::Held(HeldStage::Waiting { unsaved }) = view.page {
        reason.with(&unsaved.to_string()).into()
    } else {
        reason.into()
    });
    notice.set_action(action);
    notice.set_seconds(if cleaning { seconds(view.left_ms) } else { -1 });
    notice.set_language_shown(!fixed);
}

fn seconds(left_ms: u64) -> i32 {
    i32::try_from(left_ms.div_ceil(1_000)).unwrap_or(i32::MAX)
}

/// Changes only the rows that differ, so that a page does not lose the finger that is on it.
pub(super) fn update<T: Clone + PartialEq + 'static>(
    old: &ModelRc<T>,
    items: Vec<T>,
    set: impl FnOnce(ModelRc<T>),
) {
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
