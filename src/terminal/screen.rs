//! What a terminal and its screen know of each other: what the screen is made of, and what it is told later.
//!
//! The window of the program, the simulated panel and the screenless terminals of the tests are all screens. Nothing here knows Slint.

use std::sync::Arc;

use super::look::Look;
use crate::{
    clock::Clock,
    fonts::Fonts,
    lang::{Catalogue, Text},
    model::{ChainId, Lang, TouchpointId},
    panel::Panel,
    sound::SoundHandle,
    staff::{Answer, Ask, Token, Volume},
    survey::{JournalPlace, Plan, StoreOutcome},
    wire::Draft,
};

/// What a terminal tells its screen. Called on any thread; must not wait.
pub trait Screen: Send + Sync {
    /// Another configuration. Its plan is in force as soon as nobody is in the middle of anything, the look at once.
    fn setup(&self, setup: Setup);
    /// A word for staff in the corner, in the language at rest; `None` takes it away.
    fn badge(&self, text: Option<Text>);
    /// Central has acknowledged the journal up to this place.
    fn delivered(&self, through: JournalPlace);
    /// What this chain held in memory, because the disk refused it, is on the disk.
    fn saved(&self, chain: ChainId);
    /// What was asked in the staff area has been done.
    fn staff_answer(&self, token: Token, answer: Answer);
    /// The program is to end.
    fn close(&self);
}

/// Told once what became of the drafts; may be called on any thread.
pub type Reply = Box<dyn FnOnce(StoreOutcome) + Send>;

/// Takes drafts to the journal without making the caller wait.
pub type Store = Box<dyn FnMut(Vec<Draft>, Reply)>;

/// What a screen is made of.
pub struct Parts {
    /// What to ask.
    pub plan: Plan,
    /// The words of the pages.
    pub catalogue: Catalogue,
    /// Which font each language is drawn in.
    pub fonts: Fonts,
    /// The language shown smaller below the visitor's own; not shown when the visitor chose it.
    pub second_language: Option<Lang>,
    /// The glass.
    pub panel: Panel,
    /// Targets in the lower part of the glass.
    pub low_reach: bool,
    /// Colours and pictures.
    pub look: Look,
    /// Cover the whole screen.
    pub full_screen: bool,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where entries go.
    pub store: Store,
    /// What the staff area needs.
    pub staff: StaffParts,
    /// What is heard.
    pub sound: SoundHandle,
}

/// What of a screen a changed configuration changes.
#[derive(Clone, PartialEq, Debug)]
pub struct Setup {
    /// What to ask.
    pub plan: Plan,
    /// The language shown smaller below the visitor's own.
    pub second_language: Option<Lang>,
    /// The glass.
    pub panel: Panel,
    /// Targets in the lower part of the glass.
    pub low_reach: bool,
    /// Colours and pictures.
    pub look: Look,
}

/// What the staff area needs of the program around it.
pub struct StaffParts {
    /// Whether kiosk.toml has a PIN, at the moment.
    pub has_pin: Box<dyn Fn() -> bool>,
    /// How loud the terminal is.
    pub volume: Box<dyn Fn() -> Volume>,
    /// What can be rated here: each one touchpoint, or several; see [`crate::staff::places_on_offer`].
    pub places: Box<dyn Fn() -> Vec<Vec<TouchpointId>>>,
    /// Has something done without making the caller wait; the answer comes by [`Screen::staff_answer`].
    pub ask: Box<dyn FnMut(Token, Ask)>,
    /// Ends the program so that it is started anew.
    pub restart: Box<dyn FnMut()>,
    /// The terminal has no identity: the first thing to do is to enrol it.
    pub enrol_first: bool,
}

impl StaffParts {
    /// For screens without a program around them: the PIN page is there and nothing is behind it.
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
