//! From the staff area to the pages: each page of the staff area fills the properties of one Slint global. Only mapping, no decisions.
//!
//! A [`StaffView`] holds everything a page of the staff area shows, so that any page can be put on any window: the running screen does
//! it for its staff area, the gallery of the page audit for every page there is. Both call [`show`]; there is no other way to a staff page.

use slint::ComponentHandle;

use super::tested;
use crate::{
    kiosk::{
        ChoicePage, Speaker, faults,
        pages::{self, Glass, View},
    },
    lang::{Text, Words},
    model::TouchpointId,
    panel::{Corner, Grid},
    questionnaire::{Hospital, Texts},
    staff::{
        Ago, ButtonState, EnrolState, ExportState, MenuItem, NetworkState, NotKept, PinNote, Press,
        StatusFacts, Storage, View as Page, Volume,
    },
    ui::{self, AppWindow, Choice, Keypad, Line, PlaceItem, Report, ReportRow, ScreenTest, Shell, TouchTest},
};

/// Everything a page of the staff area shows.
pub struct StaffView<'a> {
    /// The page.
    pub page: Page<'a>,
    /// What every page has.
    pub frame: View<'a>,
    /// What the touchpoints are called.
    pub hospital: &'a Hospital,
    /// What lists are laid out for.
    pub glass: &'a Glass,
    /// Which page of a list shows.
    pub list_page: usize,
}

/// A list of the staff area, before it is laid out.
struct List {
    title: Text,
    items: Vec<PlaceItem>,
    /// The names alone, as they are measured.
    names: Vec<String>,
}

impl List {
    fn grid(&self, view: &StaffView) -> Grid {
        let speaker = &view.frame.speaker;
        let corner = Corner::Staff(speaker.text(Text::StaffButton));
        speaker.grid(view.glass, self.title, &self.names, corner)
    }
}

/// How many things the list has that shows, and how it lies; `None`: no list shows.
pub(crate) fn list_of(view: &StaffView) -> Option<(usize, Grid)> {
    let list = list(view)?;
    Some((list.items.len(), list.grid(view)))
}

/// Puts a page of the staff area on a window.
pub fn show(view: &StaffView, window: &AppWindow) {
    if let Page::SelfTest { buttons, left, page: Some(_) } = view.page {
        return tested::show(view, buttons, left, window);
    }
    let speaker = &view.frame.speaker;
    pages::show_frame(&view.frame, window);
    let shell = window.global::<Shell>();
    shell.set_back(speaker.line(Text::StaffButton));
    shell.set_place(Line::default());
    shell.set_help(Line::default());
    shell.set_language_label("".into());
    let page = match view.page {
        Page::Pin { typed, note } => {
            show_pin(speaker, typed, note, &window.global::<Keypad>());
            ui::Page::Keypad
        }
        Page::Menu | Page::Touchpoint { .. } | Page::Volume(_) => {
            show_list(view, window);
            ui::Page::Choice
        }
        Page::Language { languages, current, waiting } => {
            let lang = current.and_then(|at| languages.get(at)).unwrap_or(speaker.lang);
            let title = if waiting { Text::StaffChecking } else { Text::StaffLanguage };
            pages::fill_languages(speaker, speaker.line(title), languages, lang, window);
            ui::Page::Language
        }
        Page::SelfTest { buttons, left, .. } => {
            show_self_test(speaker, (buttons, left), &window.global::<Report>());
            ui::Page::Report
        }
        Page::TouchTest { fields, columns, rows } => {
            show_touch_test(speaker, fields, (columns, rows), &window.global::<TouchTest>());
            ui::Page::TouchTest
        }
        Page::ScreenTest { picture } => {
            let test = window.global::<ScreenTest>();
            test.set_picture(whole(picture));
            test.set_label(speaker.words(Text::ChoiceNext).spoken.into());
            ui::Page::ScreenTest
        }
        Page::Enrol { typed, state } => show_enrol(speaker, typed, state, window),
        Page::Status(facts) => {
            show_status(speaker, facts, &window.global::<Report>());
            ui::Page::Report
        }
        Page::NetworkTest(state) => {
            show_network(speaker, state, &window.global::<Report>());
            ui::Page::Report
        }
        Page::Export(state) => {
            show_export(speaker, state, &window.global::<Report>());
            ui::Page::Report
        }
        Page::NotKept(why) => {
            let (title, note) = match why {
                NotKept::Storage => (Text::NotStoredTitle, speaker.words(Text::StaffNotPossible).spoken),
                NotKept::Screens(rule) => (Text::ChoiceRefused, rule.clone()),
            };
            fill_report(speaker.line(title), Vec::new(), &note, None, &window.global::<Report>());
            ui::Page::Report
        }
        Page::Restart => {
            let note = speaker.words(Text::RestartExplanation).spoken;
            let action = Some(speaker.line(Text::StaffRestart));
            let title = speaker.line(Text::RestartTitle);
            fill_report(title, Vec::new(), &note, action, &window.global::<Report>());
            ui::Page::Report
        }
    };
    shell.set_page(page);
}

fn with_n(speaker: &Speaker, text: Text, n: &impl ToString) -> Line {
    speaker.words(text).with(&n.to_string()).into()
}

fn whole(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(1)
}

// ── Lists ──

fn show_list(view: &StaffView, window: &AppWindow) {
    let Some(list) = list(view) else { return };
    let page = ChoicePage { number: view.list_page, grid: list.grid(view) };
    let speaker = &view.frame.speaker;
    pages::fill_choice(speaker, speaker.line(list.title), &list.items, page, &window.global::<Choice>());
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only three pages are lists")]
fn list(view: &StaffView) -> Option<List> {
    let speaker = &view.frame.speaker;
    let item = |text: Text, icon: &str, held| PlaceItem {
        line: speaker.line(text),
        icon: icon.into(),
        held,
        ..PlaceItem::default()
    };
    let name = |text: Text| speaker.text(text).to_owned();
    Some(match view.page {
        Page::Menu => {
            let all = MenuItem::ALL.map(menu_item);
            List {
                title: Text::StaffMenu,
                items: all.map(|(icon, text)| item(text, icon, false)).into(),
                names: all.map(|(_, text)| name(text)).into(),
            }
        }
        Page::Volume(current) => {
            let text = |volume: Volume| volume_text(volume);
            List {
                title: Text::StaffVolume,
                items: Volume::ALL.map(|volume| item(text(volume), "staff-volume", volume == current)).into(),
                names: Volume::ALL.map(|volume| name(text(volume))).into(),
            }
        }
        Page::Touchpoint { places, current, waiting } => {
            let place = |(i, place): (usize, &Vec<TouchpointId>)| {
                place_item(speaker, view.hospital, place, current == Some(i))
            };
            let items: Vec<PlaceItem> = places.iter().enumerate().map(place).collect();
            let names = items.iter().map(|item| item.line.spoken.to_string()).collect();
            let title = if waiting { Text::StaffChecking } else { Text::StaffTouchpoint };
            List { title, items, names }
        }
        _ => return None,
    })
}

const fn menu_item(item: MenuItem) -> (&'static str, Text) {
    match item {
        MenuItem::Status => ("staff-status", Text::StaffStatus),
        MenuItem::SelfTest => ("staff-self-test", Text::StaffSelfTest),
        MenuItem::TouchTest => ("staff-touch-test", Text::StaffTouchTest),
        MenuItem::ScreenTest => ("staff-screen-test", Text::StaffScreenTest),
        MenuItem::NetworkTest => ("staff-network-test", Text::StaffNetworkTest),
        MenuItem::Touchpoint => ("staff-touchpoint", Text::StaffTouchpoint),
        MenuItem::Language => ("staff-language", Text::StaffLanguage),
        MenuItem::Volume => ("staff-volume", Text::StaffVolume),
        MenuItem::Export => ("staff-export", Text::StaffExport),
        MenuItem::Restart => ("staff-restart", Text::StaffRestart),
        MenuItem::Enrol => ("staff-enrol", Text::StaffEnrol),
        MenuItem::Wipe => ("staff-wipe", Text::StaffWipe),
    }
}

fn place_item(speaker: &Speaker, hospital: &Hospital, place: &[TouchpointId], held: bool) -> PlaceItem {
    let first = place.first().and_then(|id| hospital.touchpoint(id));
    let name = first.map(|touchpoint| &touchpoint.name);
    let words = |texts: &Texts| -> Line {
        let Some(others) = place.len().checked_sub(1).filter(|others| *others > 0) else {
            return speaker.texts(texts);
        };
        let count = |text: &str| format!("{text} +{others}");
        let second = speaker.second.map(|second| count(texts.get(second)));
        Words::new(&count(texts.get(speaker.lang)), second.as_deref()).into()
    };
    PlaceItem {
        line: name.map(words).unwrap_or_default(),
        icon: first.map_or("generic", |touchpoint| touchpoint.icon.as_str()).into(),
        held,
        ..PlaceItem::default()
    }
}

const fn volume_text(volume: Volume) -> Text {
    match volume {
        Volume::Off => Text::VolumeOff,
        Volume::Low => Text::VolumeLow,
        Volume::Medium => Text::VolumeMedium,
        Volume::High => Text::VolumeHigh,
    }
}

// ── Keypads ──

fn show_pin(speaker: &Speaker, typed: usize, note: PinNote, keypad: &Keypad) {
    let said = match note {
        PinNote::None => Line::default(),
        PinNote::Wrong { left } => with_n(speaker, Text::StaffPinWrong, &left),
        PinNote::Locked { minutes } => with_n(speaker, Text::StaffLocked, &minutes),
        PinNote::NoPin => speaker.line(Text::StaffNoPin),
        PinNote::Checking => speaker.line(Text::StaffChecking),
        PinNote::NotPossible => speaker.line(Text::StaffNotPossible),
    };
    let busy = matches!(note, PinNote::Locked { .. } | PinNote::NoPin | PinNote::Checking);
    fill_keypad(speaker, Text::StaffPin, &"●".repeat(typed), (said, busy), keypad);
    keypad.set_other(speaker.line(Text::StaffWipe));
}

fn show_enrol(speaker: &Speaker, typed: &str, state: &EnrolState, window: &AppWindow) -> ui::Page {
    let note = match state {
        EnrolState::Typing => Line::default(),
        EnrolState::Working => speaker.line(Text::StaffChecking),
        EnrolState::Done { terminal } => {
            let title = with_n(speaker, Text::EnrolDone, terminal);
            let action = Some(speaker.line(Text::StaffEnter));
            fill_report(title, Vec::new(), "", action, &window.global::<Report>());
            return ui::Page::Report;
        }
        EnrolState::Failed { why } => {
            let (title, note) = (speaker.line(Text::EnrolFailed), faults::of_enrolment(speaker, why));
            let again = Some(speaker.line(Text::EnrolAgain));
            fill_report(title, Vec::new(), &note, again, &window.global::<Report>());
            return ui::Page::Report;
        }
    };
    let keypad = window.global::<Keypad>();
    let busy = *state == EnrolState::Working;
    fill_keypad(speaker, Text::EnrolTitle, typed, (note, busy), &keypad);
    keypad.set_other(Line::default());
    ui::Page::Keypad
}

fn fill_keypad(speaker: &Speaker, title: Text, typed: &str, (note, busy): (Line, bool), keypad: &Keypad) {
    keypad.set_title(speaker.line(title));
    keypad.set_typed(typed.into());
    keypad.set_note(note);
    keypad.set_busy(busy);
    keypad.set_erase(speaker.line(Text::StaffErase));
    keypad.set_enter(speaker.line(Text::StaffEnter));
}

// ── Tests ──

/// How far the self-test is, and what is to be done.
fn show_self_test(speaker: &Speaker, (buttons, left): (&[ButtonState], usize), report: &Report) {
    let title = match (left, buttons.iter().any(|button| button.state == Press::Failed)) {
        (_, true) => speaker.line(Text::SelfTestFailed),
        (0, false) => speaker.line(Text::SelfTestDone),
        (left, false) => with_n(speaker, Text::SelfTestTitle, &left),
    };
    let tested = format!("{} / {}", buttons.len() - left.min(buttons.len()), buttons.len());
    let row = ReportRow { label: speaker.line(Text::StaffSelfTest), value: plain(&tested), wrong: false };
    let how = speaker.words(Text::SelfTestHow).spoken;
    let (note, action) = if left == 0 { ("", None) } else { (how.as_str(), Some(Text::ChoiceNext)) };
    fill_report(title, vec![row], note, action.map(|text| speaker.line(text)), report);
}

fn show_touch_test(speaker: &Speaker, fields: &[bool], (columns, rows): (usize, usize), test: &TouchTest) {
    let done = fields.iter().all(|field| *field);
    test.set_title(speaker.line(if done { Text::TouchTestDone } else { Text::TouchTestTitle }));
    test.set_columns(whole(columns));
    test.set_rows(whole(rows));
    pages::update(&test.get_fields(), fields.to_vec(), |model| test.set_fields(model));
}

// ── Reports ──

/// The facts, and below them why central is not in contact.
fn show_status(speaker: &Speaker, facts: Option<&StatusFacts>, report: &Report) {
    let rows = facts.map(|facts| status_rows(speaker, facts)).unwrap_or_default();
    let trouble = facts.and_then(|facts| facts.trouble.as_ref());
    let note = trouble.map(|trouble| faults::of_central(speaker, trouble)).unwrap_or_default();
    fill_report(speaker.line(Text::StaffStatus), rows, &note, None, report);
}

fn status_rows(speaker: &Speaker, facts: &StatusFacts) -> Vec<ReportRow> {
    let none = || speaker.words(Text::StatusNone).spoken;
    let ago = |time: Option<Ago>| {
        time.map_or_else(none, |time| {
            let (text, n) = match time {
                Ago::Minutes(n) => (Text::StatusMinutesAgo, n),
                Ago::Hours(n) => (Text::StatusHoursAgo, n),
                Ago::Days(n) => (Text::StatusDaysAgo, n),
            };
            speaker.words(text).with(&n.to_string()).spoken
        })
    };
    let row = |label: Text, value: String, wrong: bool| ReportRow {
        label: speaker.line(label),
        value: plain(&value),
        wrong,
    };
    let mut unsent = facts.unsent.map_or_else(|| "?".to_owned(), |n| n.to_string());
    if facts.not_counted > 0 {
        let kept = speaker.words(Text::StatusNotCounted).with(&facts.not_counted.to_string()).spoken;
        unsent = format!("{unsent}, {kept}");
    }
    let storage = faults::storage(speaker, &facts.storage);
    let enrolled = facts.terminal.as_ref().map(ToString::to_string);
    vec![
        row(Text::StatusUnsent, unsent, facts.not_counted > 0),
        row(Text::StatusOldest, ago(facts.oldest_unsent), false),
        row(Text::StatusContact, ago(facts.last_contact), facts.last_contact.is_none()),
        row(Text::StatusStorage, storage, facts.storage != Storage::Good),
        row(
            Text::StatusTerminal,
            format!(
                "{}, {}",
                enrolled.clone().unwrap_or_else(|| speaker.words(Text::StatusNotEnrolled).spoken),
                facts.version
            ),
            enrolled.is_none(),
        ),
    ]
}

fn show_network(speaker: &Speaker, state: &NetworkState, report: &Report) {
    let (title, note) = match state {
        NetworkState::Testing => (Text::NetworkTesting, String::new()),
        NetworkState::Good(reached) => (Text::NetworkGood, faults::answer(speaker, reached)),
        NetworkState::Bad(diagnosis) => (Text::NetworkBad, faults::of_central(speaker, diagnosis)),
    };
    let again = (*state != NetworkState::Testing).then(|| speaker.line(Text::StaffNetworkTest));
    fill_report(speaker.line(title), Vec::new(), &note, again, report);
}

fn show_export(speaker: &Speaker, state: &ExportState, report: &Report) {
    let start = || Some(speaker.line(Text::ExportStart));
    let (title, note, action) = match state {
        ExportState::Looking | ExportState::Working => {
            (speaker.line(Text::StaffChecking), String::new(), None)
        }
        ExportState::NoStick => (speaker.line(Text::ExportNone), String::new(), None),
        ExportState::Ready { .. } => {
            (speaker.line(Text::ExportTitle), state.folder_name().unwrap_or_default(), start())
        }
        ExportState::Done { entries } => (with_n(speaker, Text::ExportDone, entries), String::new(), None),
        ExportState::Failed { why } => {
            (speaker.line(Text::ExportFailed), faults::of_export(speaker, why), start())
        }
    };
    fill_report(title, Vec::new(), &note, action, report);
}

/// Words in one language.
fn plain(words: &str) -> Line {
    Words::new(words, None).into()
}

fn fill_report(title: Line, rows: Vec<ReportRow>, note: &str, action: Option<Line>, report: &Report) {
    report.set_title(title);
    pages::update(&report.get_rows(), rows, |model| report.set_rows(model));
    report.set_note_latin(note.is_ascii());
    report.set_note(plain(note));
    report.set_action(action.unwrap_or_default());
}
