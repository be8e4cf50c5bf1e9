//! The pages of the staff area, filled with the longest that they have to say.

use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};

use crate::{
    kiosk::{
        faults,
        pages::{self, ChoicePage, Glass, Speaker, View},
        staff::fill_status,
    },
    lang::Text,
    panel::Corner,
    staff::{Ago, StatusFacts, Storage},
    sync::{Diagnosis, Fault, outcome::Trouble},
    ui::{
        self, AppWindow, Choice, Keypad, Line, PlaceItem, Question, Report, ReportRow, ScreenTest, Shell,
        TouchTest,
    },
};

/// What of the staff area shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sheet {
    /// The keypad of the PIN, before anything is typed.
    PinEmpty,
    /// Eight digits typed.
    PinTyped,
    /// A wrong one was entered.
    PinWrong,
    /// Too many wrong ones.
    PinLocked,
    /// The keypad of the code.
    EnrolCode,
    /// What staff can do.
    Menu,
    /// How loud.
    Volume,
    /// Facts.
    Status,
    /// Facts of which most are wrong, and something to do about it.
    StatusWrong,
    /// The diagnosis of a network test.
    Network,
    /// About to export.
    Export,
    /// About to restart.
    Restart,
    /// Cards under test.
    SelfTest,
    /// Number keys under test.
    SelfTestKeys,
    /// Most of the glass was touched.
    TouchTest,
    /// White, black or steps of grey.
    Picture(Picture),
}

/// What the screen test shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Picture {
    /// The brightest.
    White,
    /// The darkest.
    Black,
    /// All steps between.
    Greys,
}

/// The longest thing a network test has to say in the language of the pages.
fn diagnosis(speaker: &Speaker) -> Diagnosis {
    // In English the exact words show, and these are the longest that hold nothing of somebody else's.
    let words = Trouble::CertificateIssuer.to_string();
    let letters = |found: &Diagnosis| faults::of_central(speaker, found).chars().count();
    let all = Fault::ALL.map(|fault| Diagnosis::new(fault, words.clone()));
    let longest = all.into_iter().max_by_key(letters);
    longest.unwrap_or_else(|| Diagnosis::new(Fault::Other, words))
}

/// The longest thing that is wrong with storage.
fn worst_storage(speaker: &Speaker) -> Storage {
    let broken = Storage::Broken(Text::StorageBroken.source().to_owned());
    let all = [Storage::Full, Storage::InMemory(128), Storage::NotStored(128), Storage::Damaged, broken];
    let longest = all.into_iter().max_by_key(|storage| faults::storage(speaker, storage).chars().count());
    longest.unwrap_or(Storage::Full)
}

impl Sheet {
    /// Every one that belongs to the staff area.
    pub fn all() -> impl Iterator<Item = Self> {
        [
            Self::PinEmpty,
            Self::PinTyped,
            Self::PinWrong,
            Self::PinLocked,
            Self::EnrolCode,
            Self::Menu,
            Self::Volume,
            Self::Status,
            Self::StatusWrong,
            Self::Network,
            Self::Export,
            Self::Restart,
            Self::SelfTest,
            Self::SelfTestKeys,
            Self::TouchTest,
            Self::Picture(Picture::White),
            Self::Picture(Picture::Black),
            Self::Picture(Picture::Greys),
        ]
        .into_iter()
    }

    /// For captions and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PinEmpty => "pin",
            Self::PinTyped => "pin-typed",
            Self::PinWrong => "pin-wrong",
            Self::PinLocked => "pin-locked",
            Self::EnrolCode => "enrol",
            Self::Menu => "staff-menu",
            Self::Volume => "volume",
            Self::Status => "status",
            Self::StatusWrong => "status-wrong",
            Self::Network => "network",
            Self::Export => "export",
            Self::Restart => "restart",
            Self::SelfTest => "self-test",
            Self::SelfTestKeys => "self-test-keys",
            Self::TouchTest => "touch-test",
            Self::Picture(Picture::White) => "screen-test-white",
            Self::Picture(Picture::Black) => "screen-test-black",
            Self::Picture(Picture::Greys) => "screen-test-greys",
        }
    }

    /// Whether it shows the buttons of a question, on number keys or on cards.
    pub const fn tests_keys(self) -> Option<bool> {
        match self {
            Self::SelfTest => Some(false),
            Self::SelfTestKeys => Some(true),
            Self::PinEmpty
            | Self::PinTyped
            | Self::PinWrong
            | Self::PinLocked
            | Self::EnrolCode
            | Self::Menu
            | Self::Volume
            | Self::Status
            | Self::StatusWrong
            | Self::Network
            | Self::Export
            | Self::Restart
            | Self::TouchTest
            | Self::Picture(_) => None,
        }
    }

    /// Fills the page; for a self-test the question shows already.
    pub fn fill(self, view: &View, window: &AppWindow, glass: &Glass) {
        let speaker = &view.speaker;
        let line = |text| speaker.line(text);
        if self.tests_keys().is_none() {
            pages::show_frame(view, window);
        }
        window.global::<Shell>().set_help(Line::default());
        window.global::<Shell>().set_back(line(Text::StaffButton));
        window.global::<Shell>().set_place(Line::default());
        if self.tests_keys().is_none() {
            window.global::<Shell>().set_language_label("".into());
        }
        let pin = |typed, note, busy| keypad(window, speaker, Text::StaffPin, typed, note, busy);
        let page = match self {
            Self::PinEmpty => pin("", Line::default(), false),
            Self::PinTyped => pin("●●●●●●●●", Line::default(), false),
            Self::PinWrong => pin("", counted(speaker, Text::StaffPinWrong, "3"), false),
            Self::PinLocked => pin("", counted(speaker, Text::StaffLocked, "60"), true),
            Self::EnrolCode => {
                let failed = line(Text::EnrolFailed);
                let page = keypad(window, speaker, Text::EnrolTitle, "48392-01765-32178", failed, false);
                window.global::<Keypad>().set_other(line(Text::EnrolLater));
                page
            }
            Self::Menu => menu(window, speaker, glass),
            Self::Volume => volume(window, speaker, glass),
            Self::Status => status(window, speaker, false),
            Self::StatusWrong => status(window, speaker, true),
            Self::Network => {
                let again = Some(Text::StaffNetworkTest);
                let note = faults::of_central(speaker, &diagnosis(speaker));
                report(window, speaker, Text::NetworkBad, Vec::new(), &note, again)
            }
            Self::Export => {
                let (folder, start) = ("/media/usb0/xinsheng-export", Some(Text::ExportStart));
                report(window, speaker, Text::ExportTitle, Vec::new(), folder, start)
            }
            Self::Restart => {
                let (note, go) = (line(Text::RestartExplanation).text, Some(Text::StaffRestart));
                report(window, speaker, Text::RestartTitle, Vec::new(), &note, go)
            }
            Self::SelfTest | Self::SelfTestKeys => self_test(window, speaker),
            Self::TouchTest => touch_test(window, speaker, glass),
            Self::Picture(picture) => screen_test(window, picture),
        };
        window.global::<Shell>().set_page(page);
    }
}

/// A text with its number, in both languages.
fn counted(speaker: &Speaker, text: Text, number: &str) -> Line {
    let line = speaker.line(text);
    let with = |text: SharedString| SharedString::from(text.replace("{n}", number));
    Line { text: with(line.text), second: with(line.second), spoken: with(line.spoken) }
}

fn keypad(
    window: &AppWindow,
    speaker: &Speaker,
    title: Text,
    typed: &str,
    note: Line,
    busy: bool,
) -> ui::Page {
    let keypad = window.global::<Keypad>();
    keypad.set_title(speaker.line(title));
    keypad.set_typed(typed.into());
    keypad.set_note(note);
    keypad.set_busy(busy);
    keypad.set_erase(speaker.line(Text::StaffErase));
    keypad.set_enter(speaker.line(Text::StaffEnter));
    keypad.set_other(speaker.line(Text::StaffWipe));
    ui::Page::Keypad
}

fn menu(window: &AppWindow, speaker: &Speaker, glass: &Glass) -> ui::Page {
    let all = [
        (Text::StaffStatus, "staff-status"),
        (Text::StaffSelfTest, "staff-self-test"),
        (Text::StaffTouchTest, "staff-touch-test"),
        (Text::StaffScreenTest, "staff-screen-test"),
        (Text::StaffNetworkTest, "staff-network-test"),
        (Text::StaffTouchpoint, "staff-touchpoint"),
        (Text::StaffLanguage, "staff-language"),
        (Text::StaffVolume, "staff-volume"),
        (Text::StaffExport, "staff-export"),
        (Text::StaffRestart, "staff-restart"),
        (Text::StaffEnrol, "staff-enrol"),
        (Text::StaffWipe, "staff-wipe"),
    ];
    choice(window, speaker, glass, Text::StaffMenu, &all)
}

fn volume(window: &AppWindow, speaker: &Speaker, glass: &Glass) -> ui::Page {
    let all = [Text::VolumeOff, Text::VolumeLow, Text::VolumeMedium, Text::VolumeHigh];
    choice(window, speaker, glass, Text::StaffVolume, &all.map(|text| (text, "staff-volume")))
}

fn choice(
    window: &AppWindow,
    speaker: &Speaker,
    glass: &Glass,
    title: Text,
    items: &[(Text, &str)],
) -> ui::Page {
    let item = |(text, icon): &(Text, &str)| PlaceItem {
        line: speaker.line(*text),
        icon: (*icon).into(),
        held: false,
    };
    let names: Vec<String> = items.iter().map(|(text, _)| speaker.text(*text).to_owned()).collect();
    let corner = Corner::Staff(speaker.text(Text::StaffButton));
    let page = ChoicePage { number: 0, grid: speaker.grid(glass, title, &names, corner) };
    let items: Vec<PlaceItem> = items.iter().map(item).collect();
    pages::fill_choice(speaker, speaker.line(title), &items, page, &window.global::<Choice>());
    ui::Page::Choice
}

/// The status of a terminal where all is well, or of one that needs a hand.
fn status(window: &AppWindow, speaker: &Speaker, wrong: bool) -> ui::Page {
    let facts = StatusFacts {
        unsent: Some(if wrong { 128_404 } else { 12 }),
        oldest_unsent: Some(Ago::Days(if wrong { 128 } else { 1 })),
        last_contact: (!wrong).then_some(Ago::Minutes(59)),
        trouble: wrong.then(|| diagnosis(speaker)),
        terminal: if wrong { None } else { "registration-12".parse().ok() },
        version: env!("CARGO_PKG_VERSION"),
        storage: if wrong { worst_storage(speaker) } else { Storage::Good },
    };
    fill_status(speaker, Some(&facts), &window.global::<Report>());
    ui::Page::Report
}

fn report(
    window: &AppWindow,
    speaker: &Speaker,
    title: Text,
    rows: Vec<ReportRow>,
    note: &str,
    action: Option<Text>,
) -> ui::Page {
    let report = window.global::<Report>();
    report.set_title(speaker.line(title));
    report.set_rows(model(rows));
    report.set_note_latin(note.is_ascii());
    report.set_note(note.into());
    report.set_action(action.map(|text| speaker.line(text)).unwrap_or_default());
    ui::Page::Report
}

/// The real question, half of its buttons pressed and stored.
fn self_test(window: &AppWindow, speaker: &Speaker) -> ui::Page {
    window.global::<Shell>().set_language_stored(true);
    let question = window.global::<Question>();
    question.set_title(counted(speaker, Text::SelfTestTitle, "11"));
    let options = question.get_options();
    for i in 0..options.row_count() / 2 {
        if let Some(option) = options.row_data(i) {
            options.set_row_data(i, ui::OptionItem { stored: true, ..option });
        }
    }
    ui::Page::Question
}

fn touch_test(window: &AppWindow, speaker: &Speaker, glass: &Glass) -> ui::Page {
    let (width, height) = glass.panel.page_px();
    let (columns, rows) = if height > width { (6, 10) } else { (10, 6) };
    let test = window.global::<TouchTest>();
    test.set_title(speaker.line(Text::TouchTestTitle));
    test.set_columns(columns);
    test.set_rows(rows);
    test.set_fields(model((0..columns * rows).map(|field| field % 3 != 0).collect()));
    ui::Page::TouchTest
}

fn screen_test(window: &AppWindow, picture: Picture) -> ui::Page {
    window.global::<ScreenTest>().set_picture(match picture {
        Picture::White => 0,
        Picture::Black => 1,
        Picture::Greys => 5,
    });
    ui::Page::ScreenTest
}

fn model<T: Clone + 'static>(items: Vec<T>) -> ModelRc<T> {
    ModelRc::new(VecModel::from(items))
}
