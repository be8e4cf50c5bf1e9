//! The survey's words: what can happen, what is to be done then, and what shows.

use std::collections::BTreeSet;

use super::{OutOfService, Plan};
use crate::{
    model::{ChainId, Lang},
    questionnaire::{Question, ReasonGroup, Touchpoint},
    wire::Body,
};

/// Names one [`Effect::Store`] until its result is reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Token(pub(super) u64);

/// Where an entry stands: places of two chains say nothing about each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalPlace {
    /// The chain.
    pub chain: ChainId,
    /// The place in it, from 1.
    pub seq: u64,
}

impl JournalPlace {
    /// Whether whoever has everything up to another place has this entry.
    pub(super) fn is_within(self, through: Self) -> bool {
        self.chain == through.chain && self.seq <= through.seq
    }
}

/// What became of an [`Effect::Store`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreOutcome {
    /// The entries are on the disk, the last of them here.
    OnDisk(JournalPlace),
    /// The disk refuses; they are held in memory alone and being sent.
    InMemory {
        /// The place of the last of them in the chain that is held in memory.
        at: JournalPlace,
        /// How many entries are held that central has not signed for.
        unsaved: u64,
    },
    /// They are nowhere.
    Refused,
}

impl StoreOutcome {
    /// What a screen is told that has no journal behind it: a preview, a test.
    pub const PRETENDED: Self = Self::OnDisk(JournalPlace { chain: ChainId([0; 16]), seq: 0 });

    /// The event that reports it.
    pub const fn event(self, token: Token) -> Event {
        match self {
            Self::OnDisk(at) => Event::Stored { token, at },
            Self::InMemory { at, unsaved } => Event::Held { token, at, unsaved },
            Self::Refused => Event::StoreFailed(token),
        }
    }
}

/// What happened. Indexes count options as they lie on screen, from 0.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The invitation was touched.
    Begin,
    /// A touchpoint was chosen.
    PickTouchpoint(usize),
    /// A finger went down on an option; it may or may not become a tap.
    Pressed(usize),
    /// A level was tapped.
    Rate(usize),
    /// A reason was tapped.
    ToggleReason(usize),
    /// The reasons are complete.
    ReasonsDone,
    /// Back from the reasons to their question.
    Back,
    /// "Change my answer" on the thank-you page.
    Undo,
    /// "Rate another place" on the thank-you page.
    Another,
    /// "I am still here".
    StillHere,
    /// The language button.
    OpenLanguages,
    /// A language was chosen.
    PickLanguage(usize),
    /// Back from the languages without choosing.
    KeepLanguage,
    /// Staff are called.
    CallHelp,
    /// Central has every entry of the journal up to this one.
    Delivered {
        /// The place of the last one.
        through: JournalPlace,
    },
    /// Away from the page of a call for help.
    Dismiss,
    /// Somebody is about to wipe the screen.
    Clean,
    /// Whether a place that is rated here is open now.
    Opening(bool),
    /// The glass was touched, on a target or beside.
    Touched,
    /// Storing succeeded.
    Stored {
        /// What was to be stored.
        token: Token,
        /// The place of its last entry in the journal.
        at: JournalPlace,
    },
    /// The disk refuses; the entries are held in memory alone and being sent.
    Held {
        /// What was to be stored.
        token: Token,
        /// The place of its last entry in the chain that is held in memory.
        at: JournalPlace,
        /// How many entries are held that central has not signed for.
        unsaved: u64,
    },
    /// The disk takes entries again, and what was held in memory is on it.
    Saved {
        /// The chain that was held in memory.
        chain: ChainId,
    },
    /// Storing failed.
    StoreFailed(Token),
    /// Time passed; see [`super::Survey::deadline_ms`].
    Tick,
    /// New configuration.
    NewPlan(Plan),
}

impl Event {
    /// Whether a visitor's finger or key made it.
    pub(super) const fn is_by_hand(&self) -> bool {
        !matches!(
            self,
            Self::Stored { .. }
                | Self::Held { .. }
                | Self::Saved { .. }
                | Self::StoreFailed(_)
                | Self::Tick
                | Self::NewPlan(_)
                | Self::Opening(_)
                | Self::Delivered { .. }
                | Self::Clean
        )
    }
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Write these entries in one commit, then report [`Event::Stored`], [`Event::Held`] or [`Event::StoreFailed`].
    Store {
        /// To be given back.
        token: Token,
        /// What to write.
        bodies: Vec<Body>,
    },
}

/// What is on the screen.
#[derive(Clone, PartialEq, Debug)]
pub enum Page<'a> {
    /// An invitation.
    Attract,
    /// Which touchpoint?
    Choice(Vec<&'a Touchpoint>),
    /// A question; `pressed` is the level being stored.
    Question {
        /// What is asked.
        question: &'a Question,
        /// Its place, from 1, and how many there are.
        number: (usize, usize),
        /// The level that was tapped and is being stored.
        pressed: Option<usize>,
    },
    /// Reasons for a level.
    Reasons {
        /// What is asked.
        group: &'a ReasonGroup,
        /// Which are chosen.
        selected: &'a BTreeSet<usize>,
        /// "Done" was tapped and the choice is being stored.
        saving: bool,
    },
    /// Everything is stored.
    Thanks {
        /// Whether another touchpoint can be rated here.
        another: bool,
    },
    /// Is anybody there?
    StillThere {
        /// Until the visit ends, in milliseconds since boot.
        until_ms: u64,
    },
    /// Which language?
    Language(&'a [Lang]),
    /// The visit is complete and its last commit takes long.
    StillSaving,
    /// The answers of the visit are held in memory alone.
    Held(HeldStage),
    /// The last tap could not be stored, and the screen says so.
    NotStored,
    /// Somebody called for help.
    Help(HelpStage),
    /// The screen is being wiped.
    Cleaning {
        /// Until it is touched in earnest again, in milliseconds since boot.
        until_ms: u64,
    },
    /// Nobody is served here now.
    Closed {
        /// An earlier visit can be rated.
        rate: bool,
    },
    /// Nobody is asked anything.
    OutOfService(OutOfService),
}

/// How far a call for help is. Nobody is told that help comes before central has the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HelpStage {
    /// On its way.
    Calling,
    /// Central has it.
    Told,
    /// It is not stored, or central does not answer.
    Untold,
}

/// How far answers are that the terminal's disk refuses. Nobody is told that anything of it is saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeldStage {
    /// On their way to central.
    Sending,
    /// Central has signed for them.
    Received,
    /// Central does not answer: they are lost if the power goes.
    Waiting {
        /// How many entries are held that central has not signed for.
        unsaved: u64,
    },
}

/// What became of the taps: each is counted once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Changed something.
    pub taken: u64,
    /// A second strike on the same target, or on what took its place.
    pub double_strikes: u64,
    /// A second target in the same instant.
    pub palms: u64,
    /// Meant nothing on the page that showed, or came while the screen was cleaned.
    pub idle: u64,
    /// Commits that were made after the visitor had been told that nothing could be stored. No tap of its own: its tap is among those above.
    pub saved_late: u64,
}
