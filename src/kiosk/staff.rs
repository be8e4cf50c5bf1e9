//! The staff area on the screen: [`pages`] shows it, `callbacks` takes touches of its own pages, `input` says what any touch means in it.
//!
//! While somebody is in it the pages belong to the staff area and no touch reaches the survey. How to get in: five touches on the head of a
//! page within three seconds ([`crate::staff::HeadTaps`]), or F2 on a keyboard; neither is announced to patients, and neither opens
//! anything but the door.

mod callbacks;
mod input;
pub mod pages;

pub(super) use callbacks::connect;
pub use pages::{StaffView, show};

use crate::{
    model::TouchpointId,
    staff::{Ask, Token, Volume},
};

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
