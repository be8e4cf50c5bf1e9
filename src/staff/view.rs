//! What is on the screen of the staff area, as plain values.

use std::path::PathBuf;

use super::{EnrolFault, ExportFault, Failure, NotKept, Note, Reached, Staff, State, StatusFacts, Volume};
use crate::{
    model::{Lang, TerminalId, TouchpointId},
    sync::Diagnosis,
};

/// What is over the keypad for the PIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinNote {
    /// Enter the PIN.
    None,
    /// That was not it.
    Wrong {
        /// Tries before the keypad is locked.
        left: u32,
    },
    /// Too many wrong ones.
    Locked {
        /// Until the next try, rounded up.
        minutes: u32,
    },
    /// kiosk.toml has no PIN.
    NoPin,
    /// It is being looked at.
    Checking,
    /// The journal takes no entries, so tries cannot be counted, so none is looked at.
    NotPossible,
}

/// How a button under test is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Press {
    /// Nobody pressed it yet.
    Untouched,
    /// Pressed; its entry is on the way.
    Pressed,
    /// Its entries are on the disk.
    Stored,
    /// An entry was refused.
    Failed,
}

/// A button under test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ButtonState {
    /// Its name.
    pub id: String,
    /// How it is.
    pub state: Press,
}

/// How the network test goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetworkState {
    /// Central is being asked.
    Testing,
    /// It answered as itself.
    Good(Reached),
    /// It did not: why.
    Bad(Diagnosis),
}

/// How the export goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExportState {
    /// A stick is being looked for.
    Looking,
    /// There is none; it is noticed when somebody plugs one in.
    NoStick,
    /// There is one.
    Ready {
        /// Its folder.
        folder: PathBuf,
    },
    /// Entries are being written.
    Working,
    /// They are on the stick.
    Done {
        /// How many.
        entries: u64,
    },
    /// They are not.
    Failed {
        /// Why.
        why: Failure<ExportFault>,
    },
}

impl ExportState {
    /// The stick's name: the last part of its folder.
    pub fn folder_name(&self) -> Option<String> {
        let Self::Ready { folder } = self else { return None };
        let name = folder.file_name().map_or(folder.as_os_str(), |name| name);
        Some(name.to_string_lossy().into_owned())
    }
}

/// How the enrolment goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EnrolState {
    /// The code is being typed.
    Typing,
    /// Central is being asked.
    Working,
    /// The terminal has an identity.
    Done {
        /// Its name.
        terminal: TerminalId,
    },
    /// It has none.
    Failed {
        /// Why.
        why: Failure<EnrolFault>,
    },
}

/// What is on the screen.
#[derive(Clone, PartialEq, Debug)]
pub enum View<'a> {
    /// The keypad for the PIN.
    Pin {
        /// How many digits were typed.
        typed: usize,
        /// What is over the keypad.
        note: PinNote,
    },
    /// The items of [`super::MenuItem::ALL`].
    Menu,
    /// How the terminal is; `None` while that is looked up.
    Status(Option<&'a StatusFacts>),
    /// Every button once.
    SelfTest {
        /// The buttons in the order of the plan.
        buttons: &'a [ButtonState],
        /// How many are not stored yet.
        left: usize,
        /// The page of the plan that is under test; `None`: the one that says what is left.
        page: Option<usize>,
    },
    /// Every part of the glass.
    TouchTest {
        /// Row by row: whether it was touched.
        fields: &'a [bool],
        /// Fields in a row.
        columns: usize,
        /// Rows.
        rows: usize,
    },
    /// A picture that fills the glass.
    ScreenTest {
        /// Which of [`super::PICTURES`].
        picture: usize,
    },
    /// One contact with central.
    NetworkTest(&'a NetworkState),
    /// What is rated here.
    Touchpoint {
        /// Each one touchpoint, or several.
        places: &'a [Vec<TouchpointId>],
        /// Which is rated now.
        current: Option<usize>,
        /// A choice is being looked at.
        waiting: bool,
    },
    /// The language at rest.
    Language {
        /// On offer.
        languages: &'a [Lang],
        /// Which is shown now.
        current: Option<usize>,
        /// A choice is being looked at.
        waiting: bool,
    },
    /// How loud the terminal is; on offer is [`Volume::ALL`].
    Volume(Volume),
    /// A choice that is not in force, and why.
    NotKept(&'a NotKept),
    /// The journal onto a stick.
    Export(&'a ExportState),
    /// Restart?
    Restart,
    /// The enrolment code.
    Enrol {
        /// What was typed, in groups of five.
        typed: &'a str,
        /// How it goes.
        state: &'a EnrolState,
    },
}

impl Staff {
    /// What to show; after the end the empty keypad.
    pub fn view(&self) -> View<'_> {
        let waiting = self.asked.is_some();
        match &self.state {
            State::Left => View::Pin { typed: 0, note: PinNote::None },
            State::Pin { typed, note } => View::Pin { typed: typed.len(), note: self.pin_note(*note) },
            State::Menu => View::Menu,
            State::Status(facts) => View::Status(facts.as_deref()),
            State::SelfTest(test) => {
                View::SelfTest { buttons: &test.buttons, left: test.left(), page: test.page }
            }
            State::TouchTest { fields } => {
                let (columns, rows) = self.plan.grid;
                View::TouchTest { fields, columns, rows }
            }
            State::ScreenTest { picture } => View::ScreenTest { picture: *picture },
            State::NetworkTest(state) => View::NetworkTest(state),
            State::Touchpoint => {
                View::Touchpoint { places: &self.plan.places, current: self.plan.place, waiting }
            }
            State::Language => {
                View::Language { languages: &self.plan.languages, current: self.plan.language, waiting }
            }
            State::Volume => View::Volume(self.plan.volume),
            State::NotKept(why) => View::NotKept(why),
            State::Export { state, .. } => View::Export(state),
            State::Restart => View::Restart,
            State::Enrol { code, state } => View::Enrol { typed: code.grouped(), state },
        }
    }

    fn pin_note(&self, note: Note) -> PinNote {
        match note {
            Note::None => PinNote::None,
            Note::Wrong { left } => PinNote::Wrong { left },
            Note::Locked { until_ms } => {
                let minutes = until_ms.saturating_sub(self.now_ms).div_ceil(60_000);
                PinNote::Locked { minutes: u32::try_from(minutes).unwrap_or(u32::MAX) }
            }
            Note::NoPin => PinNote::NoPin,
            Note::Checking => PinNote::Checking,
            Note::NotPossible => PinNote::NotPossible,
        }
    }
}
