//! The staff area on the screen: from its pure machine to the pages, and from the pages to it.
//!
//! While somebody is in it the pages belong to the staff area and no touch reaches the survey. How to get in: five touches on the head of a
//! page within three seconds, or F2 on a keyboard; neither is announced to patients, and neither opens anything but the door.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each mapping names what it has something for; everything else of a page or an event is nothing to it"
)]

use slint::ComponentHandle;

use super::{
    ChoicePage, Shared, Speaker, faults,
    pages::{self, View},
};
use crate::{
    lang::{Text, Words},
    model::TouchpointId,
    questionnaire::{Question, Texts},
    staff::{
        Ago, Ask, EnrolState, Entry, Event, ExportState, Key, NetworkState, PinNote, Press, Staff, StaffPlan,
        StatusFacts, Storage, Token, View as Page, Volume,
    },
    survey,
    ui::{self, AppWindow, Choice, Keypad, Line, PlaceItem, Report, ReportRow, ScreenTest, Shell, TouchTest},
};

/// So many touches on the head of a page, each at most so long after the first, ask for the door.
const KNOCKS: usize = 5;
const KNOCKS_WITHIN_MS: u64 = 3_000;

/// Fields of the touch test on the longer and on the shorter side.
const FIELDS_LONG: usize = 10;
const FIELDS_SHORT: usize = 6;

/// Drawings of the menu, in the order of [`crate::staff::MenuItem::ALL`], and last the wiping.
const MENU: [(&str, Text); 12] = [
    ("staff-status", Text::StaffStatus),
    ("staff-self-test", Text::StaffSelfTest),
    ("staff-touch-test", Text::StaffTouchTest),
    ("staff-screen-test", Text::StaffScreenTest),
    ("staff-network-test", Text::StaffNetworkTest),
    ("staff-touchpoint", Text::StaffTouchpoint),
    ("staff-language", Text::StaffLanguage),
    ("staff-volume", Text::StaffVolume),
    ("staff-export", Text::StaffExport),
    ("staff-restart", Text::StaffRestart),
    ("staff-enrol", Text::StaffEnrol),
    ("staff-wipe", Text::StaffWipe),
];

/// The menu's item that is no page of the staff area.
const WIPE_ITEM: usize = MENU.len() - 1;

/// What the staff area needs of the program around it.
pub struct StaffParts {
    /// Whether kiosk.toml has a PIN, at the moment.
    pub has_pin: Box<dyn Fn() -> bool>,
    /// How loud the terminal is.
    pub volume: Box<dyn Fn() -> Volume>,
    /// What can be rated here: each one touchpoint, or several; see [`crate::staff::places_on_offer`].
    pub places: Box<dyn Fn() -> Vec<Vec<TouchpointId>>>,
    /// Has something done without making the caller wait; the answer comes by [`super::Messenger::staff_answer`].
    pub ask: Box<dyn FnMut(Token, Ask)>,
    /// Ends the program so that it is started anew.
    pub restart: Box<dyn FnMut()>,
    /// The terminal has no identity: the first thing to do is to enrol it.
    pub enrol_first: bool,
}

impl StaffParts {
    /// For screens without a program around them: the door is there and nothing is behind it.
    pub fn none() -> Self {
        Self {
            has_pin: Box::new(|| false),
            volume: Box::new(|| Volume::Off),
            places: Box::new(Vec::new),
            ask: Box::new(|_, _| {}),
            restart: Box::new(|| {}),
            enrol_first: false,
        }
    }
}

/// Touches on the head of a page, remembered for three seconds.
#[derive(Default)]
pub(super) struct Knocks(Vec<u64>);

impl Knocks {
    /// Whether this touch is the last that was needed.
    pub fn knock(&mut self, now_ms: u64) -> bool {
        self.0.retain(|at| now_ms.saturating_sub(*at) < KNOCKS_WITHIN_MS);
        self.0.push(now_ms);
        let enough = self.0.len() >= KNOCKS;
        if enough {
            self.0.clear();
        }
        enough
    }
}

impl Shared {
    /// Somebody asks for the staff area.
    pub(super) fn open_staff(&mut self, entry: Entry) {
        if self.staff.is_some() || matches!(self.survey.page(), survey::Page::Cleaning { .. }) {
            return;
        }
        let Some(plan) = self.staff_plan() else { return };
        self.staff_page = 0;
        self.staff = Some(Staff::new(plan, entry, self.clock.now().up_ms));
        self.show();
    }

    /// `None`: there is nothing to rate, which the survey's plan does not allow.
    fn staff_plan(&self) -> Option<StaffPlan> {
        let plan = self.survey.plan();
        let places = (self.staff_parts.places)();
        let (columns, rows) =
            if self.panel_is_tall() { (FIELDS_SHORT, FIELDS_LONG) } else { (FIELDS_LONG, FIELDS_SHORT) };
        let buttons =
            self.question_under_test().map(|question| buttons_of(&question, plan.languages.len() > 1));
        Some(StaffPlan {
            has_pin: (self.staff_parts.has_pin)(),
            touchpoint: plan.touchpoints.first()?.clone(),
            place: places.iter().position(|place| *place == plan.touchpoints),
            places,
            languages: plan.languages.clone(),
            language: Some(0),
            volume: (self.staff_parts.volume)(),
            buttons: buttons.unwrap_or_default(),
            grid: (columns, rows),
        })
    }

    fn panel_is_tall(&self) -> bool {
        let (width, height) = self.glass.panel.page_px();
        height > width
    }

    /// The first question of the first touchpoint: its buttons are the ones patients press.
    fn question_under_test(&self) -> Option<Question> {
        let plan = self.survey.plan();
        let place = plan.hospital.touchpoint(plan.touchpoints.first()?)?;
        plan.hospital.questionnaire(&place.questionnaire)?.questions.first().cloned()
    }

    /// A touch while somebody is in the staff area. Indexes count as things lie on the page.
    pub(super) fn staff_touch(&mut self, event: Event) {
        let now_ms = self.clock.now().up_ms;
        let Some(staff) = &mut self.staff else { return };
        let event = match (event, staff.view()) {
            (Event::Pick(index), Page::Menu) if index == WIPE_ITEM => Event::Wipe,
            // Every field was touched: one more touch goes back.
            (Event::Field(_), Page::TouchTest { fields, .. }) if fields.iter().all(|field| *field) => {
                Event::Back
            }
            (event, _) => event,
        };
        // What opens begins on its first page.
        if matches!((&event, staff.view()), (Event::Back, _) | (Event::Pick(_), Page::Menu)) {
            self.staff_page = 0;
        }
        let effects = staff.handle(event, now_ms);
        for effect in effects {
            self.do_for_staff(effect);
        }
    }

    fn do_for_staff(&mut self, effect: crate::staff::Effect) {
        match effect {
            crate::staff::Effect::Ask { token, ask } => (self.staff_parts.ask)(token, ask),
            crate::staff::Effect::Record { token, body } => {
                let messenger = self.messenger.clone();
                self.write(vec![body], move |outcome| {
                    messenger.staff_stored(token, matches!(outcome, survey::StoreOutcome::OnDisk(_)));
                });
            }
            crate::staff::Effect::Wipe => {
                self.staff = None;
                self.dispatch(survey::Event::Clean);
            }
            crate::staff::Effect::Restart => (self.staff_parts.restart)(),
            crate::staff::Effect::Leave => self.staff = None,
        }
    }

    /// What a touch on the patients' pages means while they belong to the staff area.
    pub(super) fn staff_event_of(event: &survey::Event) -> Option<Event> {
        match event {
            survey::Event::PickTouchpoint(index) | survey::Event::PickLanguage(index) => {
                Some(Event::Pick(*index))
            }
            survey::Event::Rate(index) => Some(Event::Press(*index)),
            survey::Event::KeepLanguage => Some(Event::Back),
            survey::Event::Touched => Some(Event::Touched),
            survey::Event::Tick => Some(Event::Tick),
            _ => None,
        }
    }

    /// The language button under test comes after the levels.
    pub(super) fn language_button_under_test(&self) -> Option<Event> {
        let staff = self.staff.as_ref()?;
        let Page::SelfTest { buttons, .. } = staff.view() else { return None };
        buttons.len().checked_sub(1).map(Event::Press)
    }
}

/// Names of the buttons under test: every level of a question, then the language button if there is one.
fn buttons_of(question: &Question, several_languages: bool) -> Vec<String> {
    let levels = question.levels_on_screen();
    let mut buttons: Vec<String> =
        levels.iter().map(|level| format!("{}:{}", question.id, level.value)).collect();
    if several_languages {
        buttons.push("language".to_owned());
    }
    buttons
}

/// Puts the staff area on the window.
pub(super) fn show(shared: &Shared, staff: &Staff, view: &View, window: &AppWindow) {
    let speaker = &view.speaker;
    pages::show_frame(view, window);
    let shell = window.global::<Shell>();
    shell.set_back(speaker.line(Text::StaffButton));
    shell.set_place(Line::default());
    if !matches!(staff.view(), Page::SelfTest { .. }) {
        shell.set_language_label("".into());
    }
    let page = match staff.view() {
        Page::Pin { typed, note } => {
            show_pin(speaker, typed, note, &window.global::<Keypad>());
            ui::Page::Keypad
        }
        Page::Menu => {
            let item = |(icon, text): &(&str, Text)| PlaceItem {
                line: speaker.line(*text),
                icon: (*icon).into(),
                held: false,
            };
            let items: Vec<PlaceItem> = MENU.iter().map(item).collect();
            show_choice(shared, speaker, Text::StaffMenu, &items, window);
            ui::Page::Choice
        }
        Page::Touchpoint { places, current } => {
            let items: Vec<PlaceItem> = places
                .iter()
                .enumerate()
                .map(|(i, place)| place_item(shared, speaker, place, current == Some(i)))
                .collect();
            show_choice(shared, speaker, Text::StaffTouchpoint, &items, window);
            ui::Page::Choice
        }
        Page::Volume(current) => {
            let item = |volume: Volume| PlaceItem {
                line: speaker.line(volume_text(volume)),
                icon: "staff-volume".into(),
                held: volume == current,
            };
            show_choice(shared, speaker, Text::StaffVolume, &Volume::ALL.map(item), window);
            ui::Page::Choice
        }
        Page::Language { languages, current } => {
            let lang = current.and_then(|at| languages.get(at)).unwrap_or(speaker.lang);
            pages::fill_languages(speaker, speaker.line(Text::StaffLanguage), languages, lang, window);
            ui::Page::Language
        }
        Page::SelfTest { buttons, left } => {
            let Some(question) = shared.question_under_test() else { return };
            let title = match (left, buttons.iter().any(|button| button.state == Press::Failed)) {
                (_, true) => speaker.line(Text::SelfTestFailed),
                (0, false) => speaker.line(Text::SelfTestDone),
                (left, false) => with_n(speaker, Text::SelfTestTitle, &left),
            };
            let state = |i: usize| buttons.get(i).map(|button| button.state);
            let look = |i| (state(i) == Some(Press::Pressed), state(i) == Some(Press::Stored));
            pages::fill_question(speaker, title, &question, &window.global::<ui::Question>(), look);
            shell.set_language_stored(state(question.levels_on_screen().len()) == Some(Press::Stored));
            ui::Page::Question
        }
        Page::TouchTest { fields, columns, rows } => {
            show_touch_test(speaker, fields, (columns, rows), &window.global::<TouchTest>());
            ui::Page::TouchTest
        }
        Page::ScreenTest { picture } => {
            let test = window.global::<ScreenTest>();
            test.set_picture(i32::try_from(picture).unwrap_or_default());
            test.set_label(speaker.words(Text::ChoiceNext).spoken.into());
            ui::Page::ScreenTest
        }
        Page::Status(facts) => {
            let report = window.global::<Report>();
            fill_status(speaker, facts, &report);
            ui::Page::Report
        }
        Page::NetworkTest(state) => {
            show_network(speaker, state, &window.global::<Report>());
            ui::Page::Report
        }
        Page::Export(state) => {
            show_export(speaker, state, staff, &window.global::<Report>());
            ui::Page::Report
        }
        Page::Restart => {
            let note = speaker.words(Text::RestartExplanation).spoken;
            let action = Some(speaker.line(Text::StaffRestart));
            let title = speaker.line(Text::RestartTitle);
            fill_report(title, Vec::new(), &note, action, &window.global::<Report>());
            ui::Page::Report
        }
        Page::Enrol { typed, state } => show_enrol(speaker, typed, state, window),
    };
    shell.set_page(page);
}

fn with_n(speaker: &Speaker, text: Text, n: &impl ToString) -> Line {
    speaker.words(text).with(&n.to_string()).into()
}

fn show_choice(shared: &Shared, speaker: &Speaker, title: Text, items: &[PlaceItem], window: &AppWindow) {
    let page = ChoicePage { number: shared.staff_page, grid: shared.list().1 };
    pages::fill_choice(speaker, speaker.line(title), items, page, &window.global::<Choice>());
}

impl Shared {
    /// The list of the staff area, by its title and the names in it; `None`: no list shows.
    pub(super) fn staff_list(&self, speaker: &Speaker) -> Option<(Text, Vec<String>)> {
        let name = |text: Text| speaker.text(text).to_owned();
        match self.staff.as_ref()?.view() {
            Page::Menu => Some((Text::StaffMenu, MENU.iter().map(|(_, text)| name(*text)).collect())),
            Page::Touchpoint { places, .. } => {
                let names = places.iter().map(|place| place_item(self, speaker, place, false).line.spoken);
                Some((Text::StaffTouchpoint, names.map(Into::into).collect()))
            }
            Page::Volume(_) => Some((
                Text::StaffVolume,
                Volume::ALL.iter().map(|volume| name(volume_text(*volume))).collect(),
            )),
            _ => None,
        }
    }
}

fn place_item(shared: &Shared, speaker: &Speaker, place: &[TouchpointId], held: bool) -> PlaceItem {
    let hospital = &shared.survey.plan().hospital;
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
    }
}

fn volume_text(volume: Volume) -> Text {
    match volume {
        Volume::Off => Text::VolumeOff,
        Volume::Low => Text::VolumeLow,
        Volume::Medium => Text::VolumeMedium,
        Volume::High => Text::VolumeHigh,
    }
}

fn show_pin(speaker: &Speaker, typed: usize, note: PinNote, keypad: &Keypad) {
    keypad.set_title(speaker.line(Text::StaffPin));
    keypad.set_typed("●".repeat(typed).into());
    keypad.set_note(match note {
        PinNote::None => Line::default(),
        PinNote::Wrong { left } => with_n(speaker, Text::StaffPinWrong, &left),
        PinNote::Locked { minutes } => with_n(speaker, Text::StaffLocked, &minutes),
        PinNote::NoPin => speaker.line(Text::StaffNoPin),
        PinNote::Checking => speaker.line(Text::StaffChecking),
        PinNote::NotPossible => speaker.line(Text::StaffNotPossible),
    });
    keypad.set_busy(matches!(note, PinNote::Locked { .. } | PinNote::NoPin | PinNote::Checking));
    keypad.set_erase(speaker.line(Text::StaffErase));
    keypad.set_enter(speaker.line(Text::StaffEnter));
    keypad.set_other(speaker.line(Text::StaffWipe));
}

fn show_enrol(speaker: &Speaker, typed: &str, state: &EnrolState, window: &AppWindow) -> ui::Page {
    let keypad = window.global::<Keypad>();
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
            let failed = speaker.words(Text::EnrolFailed).spoken;
            Words::new(&format!("{failed}: {why}"), None).into()
        }
    };
    keypad.set_title(speaker.line(Text::EnrolTitle));
    keypad.set_typed(typed.into());
    keypad.set_note(note);
    keypad.set_busy(*state == EnrolState::Working);
    keypad.set_erase(speaker.line(Text::StaffErase));
    keypad.set_enter(speaker.line(Text::StaffEnter));
    keypad.set_other(Line::default());
    ui::Page::Keypad
}

fn show_touch_test(speaker: &Speaker, fields: &[bool], (columns, rows): (usize, usize), test: &TouchTest) {
    let done = fields.iter().all(|field| *field);
    test.set_title(speaker.line(if done { Text::TouchTestDone } else { Text::TouchTestTitle }));
    test.set_columns(i32::try_from(columns).unwrap_or(1));
    test.set_rows(i32::try_from(rows).unwrap_or(1));
    pages::update(&test.get_fields(), fields.to_vec(), |model| test.set_fields(model));
}

/// The facts, and below them why central is not in contact.
pub(crate) fn fill_status(speaker: &Speaker, facts: Option<&StatusFacts>, report: &Report) {
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
        value: value.into(),
        wrong,
    };
    let storage = faults::storage(speaker, &facts.storage);
    let enrolled = facts.terminal.as_ref().map(ToString::to_string);
    vec![
        row(Text::StatusUnsent, facts.unsent.map_or_else(|| "?".to_owned(), |n| n.to_string()), false),
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

fn show_export(speaker: &Speaker, state: &ExportState, staff: &Staff, report: &Report) {
    let start = || Some(speaker.line(Text::ExportStart));
    let (title, note, action) = match state {
        ExportState::Looking | ExportState::NoStick => (speaker.line(Text::ExportNone), String::new(), None),
        ExportState::Ready { .. } => {
            (speaker.line(Text::ExportTitle), state.folder_name().unwrap_or_default(), start())
        }
        ExportState::Working => (speaker.line(Text::StaffChecking), String::new(), None),
        ExportState::Done { entries } => (with_n(speaker, Text::ExportDone, entries), String::new(), None),
        ExportState::Failed { why } => (speaker.line(Text::ExportFailed), why.clone(), start()),
    };
    // A stick is looked for without a word as long as the page has only just opened.
    let title = if *state == ExportState::Looking && !staff.has_left() {
        speaker.line(Text::StaffChecking)
    } else {
        title
    };
    fill_report(title, Vec::new(), &note, action, report);
}

fn fill_report(title: Line, rows: Vec<ReportRow>, note: &str, action: Option<Line>, report: &Report) {
    report.set_title(title);
    pages::update(&report.get_rows(), rows, |model| report.set_rows(model));
    report.set_note_latin(note.is_ascii());
    report.set_note(note.into());
    report.set_action(action.unwrap_or_default());
}

/// From the pages only staff see to the staff area.
pub(super) fn connect(window: &AppWindow, shared: &std::rc::Rc<std::cell::RefCell<Shared>>) {
    let on = |event: fn(i32) -> Event| {
        let shared = std::rc::Rc::downgrade(shared);
        move |n: i32| {
            if let Some(shared) = shared.upgrade() {
                let mut shared = shared.borrow_mut();
                shared.staff_touch(event(n));
                shared.drain();
                shared.show();
            }
        }
    };
    let plain = |event: fn(i32) -> Event| {
        let act = on(event);
        move || act(0)
    };
    let knock = |knocks: bool| {
        let shared = std::rc::Rc::downgrade(shared);
        move || {
            let Some(shared) = shared.upgrade() else { return };
            let mut shared = shared.borrow_mut();
            let now_ms = shared.clock.now().up_ms;
            if !knocks || shared.knocks.knock(now_ms) {
                shared.open_staff(Entry::Door);
            }
        }
    };
    let shell = window.global::<Shell>();
    shell.on_head_touched(knock(true));
    shell.on_staff_asked(knock(false));
    shell.on_back_tapped(plain(|_| Event::Back));
    let keypad = window.global::<Keypad>();
    keypad.on_digit_tapped(on(|digit| {
        let digit = u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10));
        digit.map_or(Event::Touched, |digit| Event::Key(Key::from(digit)))
    }));
    keypad.on_erase_tapped(plain(|_| Event::Erase));
    keypad.on_enter_tapped(plain(|_| Event::Enter));
    keypad.on_other_tapped(plain(|_| Event::Wipe));
    window.global::<Report>().on_action_tapped(plain(|_| Event::Confirm));
    window
        .global::<TouchTest>()
        .on_field_touched(on(|field| Event::Field(usize::try_from(field).unwrap_or(0))));
    window.global::<ScreenTest>().on_next_tapped(plain(|_| Event::Next));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_quick_touches_on_the_head_knock_and_slow_ones_do_not() {
        let mut knocks = Knocks::default();
        let heard: Vec<bool> = (0..5).map(|n| knocks.knock(1_000 + n * 400)).collect();
        assert_eq!(heard, [false, false, false, false, true]);
        let slow: Vec<bool> = (0..20).map(|n| knocks.knock(100_000 + n * 1_000)).collect();
        assert!(!slow.contains(&true));
    }
}
