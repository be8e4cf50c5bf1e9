//! The pages of the staff area with the longest that they have to say, shown by the very function that the running screen uses.

use crate::{
    kiosk::{
        faults,
        pages::{Glass, Speaker, View},
        staff::{self, StaffView},
    },
    lang::Text,
    questionnaire::{Hospital, Question},
    staff::{
        Ago, ButtonState, EnrolFault, EnrolState, ExportState, Failure, NetworkState, PinNote, Press,
        StatusFacts, Storage, View as StaffPage, Volume, buttons_of, touch_fields,
    },
    survey::Page,
    sync::{Diagnosis, Fault, outcome::Trouble},
    ui::AppWindow,
};

/// What of the staff area shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sheet {
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
    /// Why the terminal was not enrolled.
    EnrolFailed,
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
            Self::EnrolFailed,
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
            Self::EnrolFailed => "enrol-failed",
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
    pub(crate) const fn tests_keys(self) -> Option<bool> {
        match self {
            Self::SelfTest => Some(false),
            Self::SelfTestKeys => Some(true),
            Self::PinEmpty
            | Self::PinTyped
            | Self::PinWrong
            | Self::PinLocked
            | Self::EnrolCode
            | Self::EnrolFailed
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

    /// Puts the page on a window. `view` is the page of a patient below it: for a self-test the question whose buttons are tested.
    pub fn show(self, view: View, hospital: &Hospital, window: &AppWindow, glass: &Glass) {
        let question = match &view.page {
            Page::Question { question, .. } => Some((*question).clone()),
            _ => None,
        };
        let content = self.content(&view.speaker, question.as_ref(), glass);
        let view = StaffView { page: content.page(), frame: view, hospital, question, glass, list_page: 0 };
        staff::show(&view, window);
    }

    fn content(self, speaker: &Speaker, question: Option<&Question>, glass: &Glass) -> Content {
        let pin = |typed, note| Content::Pin { typed, note };
        match self {
            Self::PinEmpty => pin(0, PinNote::None),
            Self::PinTyped => pin(8, PinNote::None),
            Self::PinWrong => pin(0, PinNote::Wrong { left: 3 }),
            Self::PinLocked => pin(0, PinNote::Locked { minutes: 60 }),
            Self::EnrolCode => Content::Enrol(EnrolState::Typing),
            Self::EnrolFailed => {
                let Diagnosis { fault, words } = diagnosis(speaker);
                Content::Enrol(EnrolState::Failed { why: Failure::new(EnrolFault::Central(fault), words) })
            }
            Self::Menu => Content::Menu,
            Self::Volume => Content::Volume,
            Self::Status => Content::Status(facts(speaker, false)),
            Self::StatusWrong => Content::Status(facts(speaker, true)),
            Self::Network => Content::Network(NetworkState::Bad(diagnosis(speaker))),
            Self::Export => {
                Content::Export(ExportState::Ready { folder: "/media/usb0/xinsheng-export".into() })
            }
            Self::Restart => Content::Restart,
            Self::SelfTest | Self::SelfTestKeys => Content::SelfTest(pressed(question)),
            Self::TouchTest => {
                let grid = touch_fields(glass.panel.page_px());
                Content::TouchTest {
                    grid,
                    fields: (0..grid.0 * grid.1).map(|field| field % 3 != 0).collect(),
                }
            }
            Self::Picture(Picture::White) => Content::ScreenTest(0),
            Self::Picture(Picture::Black) => Content::ScreenTest(1),
            Self::Picture(Picture::Greys) => Content::ScreenTest(5),
        }
    }
}

/// What a page shows, held while it is put on the window.
enum Content {
    Pin { typed: usize, note: PinNote },
    Enrol(EnrolState),
    Menu,
    Volume,
    Status(StatusFacts),
    Network(NetworkState),
    Export(ExportState),
    Restart,
    SelfTest(Vec<ButtonState>),
    TouchTest { grid: (usize, usize), fields: Vec<bool> },
    ScreenTest(usize),
}

impl Content {
    fn page(&self) -> StaffPage<'_> {
        match self {
            Self::Pin { typed, note } => StaffPage::Pin { typed: *typed, note: *note },
            Self::Enrol(state) => StaffPage::Enrol { typed: "48392-01765-32178", state },
            Self::Menu => StaffPage::Menu,
            Self::Volume => StaffPage::Volume(Volume::Medium),
            Self::Status(facts) => StaffPage::Status(Some(facts)),
            Self::Network(state) => StaffPage::NetworkTest(state),
            Self::Export(state) => StaffPage::Export(state),
            Self::Restart => StaffPage::Restart,
            // As many as can be left, for the longest title.
            Self::SelfTest(buttons) => StaffPage::SelfTest { buttons, left: 11 },
            Self::TouchTest { grid: (columns, rows), fields } => {
                StaffPage::TouchTest { fields, columns: *columns, rows: *rows }
            }
            Self::ScreenTest(picture) => StaffPage::ScreenTest { picture: *picture },
        }
    }
}

/// The buttons of a question; the first half of them and the language button were pressed and stored.
fn pressed(question: Option<&Question>) -> Vec<ButtonState> {
    let names = question.map(|question| buttons_of(question, true)).unwrap_or_default();
    let half = names.len().saturating_sub(1) / 2;
    let last = names.len().saturating_sub(1);
    let state = |i| if i < half || i == last { Press::Stored } else { Press::Untouched };
    names.into_iter().enumerate().map(|(i, id)| ButtonState { id, state: state(i) }).collect()
}

/// The status of a terminal where all is well, or of one that somebody has to look after.
fn facts(speaker: &Speaker, wrong: bool) -> StatusFacts {
    StatusFacts {
        unsent: Some(if wrong { 128_404 } else { 12 }),
        not_counted: if wrong { 1_204 } else { 0 },
        oldest_unsent: Some(Ago::Days(if wrong { 128 } else { 1 })),
        last_contact: (!wrong).then_some(Ago::Minutes(59)),
        trouble: wrong.then(|| diagnosis(speaker)),
        terminal: if wrong { None } else { "registration-12".parse().ok() },
        version: env!("CARGO_PKG_VERSION"),
        storage: if wrong { worst_storage(speaker) } else { Storage::Good },
    }
}
