//! The staff area: what somebody with the PIN can see, test and choose at a terminal. `(state, event, now) -> (state, effects)`.
//!
//! Pure like [`crate::survey`]: time since boot is an argument, work is an effect whose result comes back as an event. [`worker`] does the
//! work on a thread of its own; [`lockout`] says how often a PIN may be tried. Invariants:
//! - no page behind the PIN is reached but by [`PinVerdict::Right`], given to the very question this visit asked;
//! - whatever happens, [`IDLE_MS`] after the last touch the area is left, with [`Effect::Leave`] as the last effect of all;
//! - every press of a button under test is exactly one `self_test` entry and nothing else, and [`Press::Stored`] is shown only after [`Event::Stored`];
//! - neither a PIN nor an enrolment code is in any `Debug` output, and the digits of a PIN are in no [`View`].

mod choices;
mod contact;
mod export;
mod facts;
mod failure;
mod head_taps;
mod keypad;
pub mod lockout;
mod moves;
mod self_test;
mod stick;
mod view;
pub mod worker;

use std::path::PathBuf;

pub(crate) use choices::places_on_offer;
pub use choices::{Choice, FileSays, StaffChoices, Volume};
pub use contact::Reached;
pub use facts::{Ago, StatusFacts, Storage};
pub use failure::{EnrolFault, ExportFault, Failure};
pub use head_taps::HeadTaps;
pub use keypad::{Code, Key};
pub use lockout::PinVerdict;
pub use view::{ButtonState, EnrolState, ExportState, NetworkState, PinNote, Press, View};

use crate::{
    model::{Lang, TerminalId, TouchpointId},
    pin::Pin,
    sync::Diagnosis,
    wire::Body,
};
use keypad::Digits;

/// Without a touch for this long the staff area is left: a member of staff who is called away leaves it open for nobody.
pub const IDLE_MS: u64 = 60_000;

/// Pictures of the screen test: red, green, blue, white, black, and a grid.
pub const PICTURES: usize = 6;

/// Fields of the touch test on the longer and on the shorter side of the glass.
const FIELDS_LONG: usize = 10;
const FIELDS_SHORT: usize = 6;

/// Columns and rows of the touch test on a page so many pixels wide and high.
pub const fn touch_fields((width, height): (u32, u32)) -> (usize, usize) {
    if height > width { (FIELDS_SHORT, FIELDS_LONG) } else { (FIELDS_LONG, FIELDS_SHORT) }
}

/// While there is no stick, one is looked for this often.
const LOOK_FOR_STICK_MS: u64 = 2_000;

/// What a terminal's staff area works with.
#[derive(Clone, PartialEq, Debug)]
pub struct StaffPlan {
    /// Whether kiosk.toml has a PIN; without one nothing but the PIN page opens.
    pub has_pin: bool,
    /// Where a self-test is booked.
    pub touchpoint: TouchpointId,
    /// What can be rated here: each one touchpoint, or the several of kiosk.toml; see [`places_on_offer`].
    pub places: Vec<Vec<TouchpointId>>,
    /// Which of them is rated now.
    pub place: Option<usize>,
    /// Languages on offer.
    pub languages: Vec<Lang>,
    /// Which of them is shown at rest.
    pub language: Option<usize>,
    /// How loud the terminal is.
    pub volume: Volume,
    /// The pages of the self-test, each with the names of the buttons on it.
    pub tests: Vec<Vec<String>>,
    /// Columns and rows of the touch test.
    pub grid: (usize, usize),
}

/// Where the staff area is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// At the keypad for the PIN.
    Pin,
    /// At the page for the enrolment code and nowhere else: the code is the key, and a new terminal has no PIN yet.
    Enrol,
}

/// What the menu offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MenuItem {
    /// How the terminal is.
    Status,
    /// Every button once.
    SelfTest,
    /// Every part of the glass.
    TouchTest,
    /// Pure colours.
    ScreenTest,
    /// One contact with central.
    NetworkTest,
    /// What is rated here.
    Touchpoint,
    /// The language at rest.
    Language,
    /// How loud the terminal is.
    Volume,
    /// The journal onto a stick.
    Export,
    /// Starts the program anew.
    Restart,
    /// Gives the terminal its identity.
    Enrol,
    /// Locks the screen for wiping.
    Wipe,
}

impl MenuItem {
    /// Every item, in the order of the page; [`Event::Pick`] counts in it.
    pub const ALL: [Self; 12] = [
        Self::Status,
        Self::SelfTest,
        Self::TouchTest,
        Self::ScreenTest,
        Self::NetworkTest,
        Self::Touchpoint,
        Self::Language,
        Self::Volume,
        Self::Export,
        Self::Restart,
        Self::Enrol,
        Self::Wipe,
    ];
}

/// Names one effect until its result is reported; no two visits share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Token {
    opened_ms: u64,
    n: u64,
}

/// What happened. Indexes count from 0 as things lie on screen.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A sign of a keypad.
    Key(Key),
    /// The last sign is taken away.
    Erase,
    /// The keypad's entry is complete.
    Enter,
    /// To the page before this one.
    Back,
    /// The screen is to be wiped: on the PIN page and in the menu, without a PIN.
    Wipe,
    /// An item of the menu, a place, a language or a volume.
    Pick(usize),
    /// A button under test, by its name.
    Press(String),
    /// A field of the touch test.
    Field(usize),
    /// The next picture.
    Next,
    /// Go on with the self-test, begin the export, restart, or try once more what failed.
    Confirm,
    /// The glass was touched beside every target.
    Touched,
    /// Time passed; see [`Staff::deadline_ms`].
    Tick,
    /// An entry is on the disk.
    Stored(Token),
    /// An entry was refused.
    StoreFailed(Token),
    /// What was asked has been done.
    Answered(Token, Answer),
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Have this done on another thread, then report [`Event::Answered`]; see [`worker::WorkerHandle::ask`].
    Ask {
        /// To be given back.
        token: Token,
        /// What.
        ask: Ask,
    },
    /// Write this entry, then report [`Event::Stored`] or [`Event::StoreFailed`].
    Record {
        /// To be given back.
        token: Token,
        /// What to write.
        body: Body,
    },
    /// Lock the screen for wiping.
    Wipe,
    /// End the program so that it is started anew.
    Restart,
    /// Leave the staff area; nothing comes after it.
    Leave,
}

/// What takes time or touches the world.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    /// Is this the PIN? Answered by [`Answer::Pin`].
    CheckPin(Pin),
    /// How is the terminal? Answered by [`Answer::Status`].
    Status,
    /// Can central be reached? Answered by [`Answer::Network`].
    TestNetwork,
    /// Is there a stick? Answered by [`Answer::Stick`].
    FindStick,
    /// Write the journal into this folder. Answered by [`Answer::Exported`].
    Export(PathBuf),
    /// Trade this code for an identity. Answered by [`Answer::Enrolled`].
    Enrol(Code),
    /// Keep this choice and have it applied. Answered by [`Answer::Kept`].
    Keep(Choice),
}

/// What came of an [`Ask`].
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// What the PIN was.
    Pin(PinVerdict),
    /// How the terminal is.
    Status(Box<StatusFacts>),
    /// What central said, or why it did not.
    Network(Result<Reached, Diagnosis>),
    /// Where the stick is.
    Stick(Option<PathBuf>),
    /// How many entries are on the stick, or why none are.
    Exported(Result<u64, Failure<ExportFault>>),
    /// The terminal's name, or why it has none.
    Enrolled(Result<TerminalId, Failure<EnrolFault>>),
    /// The choice is in force, or nothing has changed.
    Kept(Result<Choice, NotKept>),
}

/// Why a choice is not in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotKept {
    /// It could not be stored.
    Storage,
    /// A page would break a rule; the finding in the words of `check`.
    Screens(String),
}

#[derive(Clone, PartialEq, Debug)]
enum State {
    Pin { typed: Digits, note: Note },
    Menu,
    Status(Option<Box<StatusFacts>>),
    SelfTest(self_test::Test),
    TouchTest { fields: Vec<bool> },
    ScreenTest { picture: usize },
    NetworkTest(NetworkState),
    Touchpoint,
    Language,
    Volume,
    NotKept(NotKept),
    Export { state: ExportState, look_at_ms: u64 },
    Restart,
    Enrol { code: Code, state: EnrolState },
    Left,
}

/// A [`PinNote`] with the time it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Note {
    None,
    Wrong { left: u32 },
    Locked { until_ms: u64 },
    NoPin,
    Checking,
    NotPossible,
}

/// One visit to the staff area.
#[derive(Clone, Debug)]
pub struct Staff {
    plan: StaffPlan,
    entry: Entry,
    state: State,
    /// The question whose answer this page waits for; every other answer is too late.
    asked: Option<Token>,
    opened_ms: u64,
    touched_at_ms: u64,
    now_ms: u64,
    next_token: u64,
}

impl Staff {
    /// Somebody comes in.
    pub fn new(plan: StaffPlan, entry: Entry, now_ms: u64) -> Self {
        let note = if plan.has_pin { Note::None } else { Note::NoPin };
        let state = match entry {
            Entry::Pin => State::Pin { typed: Digits::default(), note },
            Entry::Enrol => State::Enrol { code: Code::default(), state: EnrolState::Typing },
        };
        Self {
            plan,
            entry,
            state,
            asked: None,
            opened_ms: now_ms,
            touched_at_ms: now_ms,
            now_ms,
            next_token: 0,
        }
    }

    /// Whether the visit is over.
    pub fn has_left(&self) -> bool {
        self.state == State::Left
    }

    /// What is worked with, with the choices made since.
    pub fn plan(&self) -> &StaffPlan {
        &self.plan
    }

    /// The pages have changed: a self-test of the ones before has nothing to show any more.
    pub fn end_test(&mut self) {
        if matches!(self.state, State::SelfTest(_)) {
            self.go(State::Menu);
        }
    }

    /// What is under test from now on; a self-test that is under way keeps to its own.
    pub fn set_tests(&mut self, tests: Vec<Vec<String>>) {
        if !matches!(self.state, State::SelfTest(_)) {
            self.plan.tests = tests;
        }
    }

    /// When [`Event::Tick`] is due, in milliseconds since boot.
    pub fn deadline_ms(&self) -> Option<u64> {
        let idle = self.touched_at_ms.saturating_add(IDLE_MS);
        match &self.state {
            State::Left => None,
            State::Pin { note: Note::Locked { until_ms }, .. } => {
                // The page counts minutes: it changes when less than so many are left.
                let left = until_ms.saturating_sub(self.now_ms);
                Some(idle.min(self.now_ms + (left.saturating_sub(1)) % 60_000 + 1))
            }
            State::Export { state: ExportState::NoStick, look_at_ms } => Some(idle.min(*look_at_ms)),
            State::Pin { .. }
            | State::Menu
            | State::Status(_)
            | State::SelfTest(_)
            | State::TouchTest { .. }
            | State::ScreenTest { .. }
            | State::NetworkTest(_)
            | State::Touchpoint
            | State::Language
            | State::Volume
            | State::NotKept(_)
            | State::Export { .. }
            | State::Restart
            | State::Enrol { .. } => Some(idle),
        }
    }

    /// Takes an event.
    pub fn handle(&mut self, event: Event, now_ms: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.has_left() {
            return effects;
        }
        self.now_ms = now_ms;
        // Also for a touch that comes before its tick: it may be another person.
        if now_ms >= self.touched_at_ms.saturating_add(IDLE_MS) {
            self.leave(&mut effects);
            return effects;
        }
        match event {
            Event::Tick => self.tick(&mut effects),
            Event::Stored(token) => self.stored(token, Press::Stored),
            Event::StoreFailed(token) => self.stored(token, Press::Failed),
            Event::Answered(token, answer) => self.answered(token, answer),
            touch @ (Event::Key(_)
            | Event::Erase
            | Event::Enter
            | Event::Back
            | Event::Wipe
            | Event::Pick(_)
            | Event::Press(_)
            | Event::Field(_)
            | Event::Next
            | Event::Confirm
            | Event::Touched) => {
                self.touched_at_ms = now_ms;
                self.touch(&touch, &mut effects);
            }
        }
        effects
    }
}
