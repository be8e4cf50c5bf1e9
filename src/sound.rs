//! What the terminal is heard by: a soft click, two tones of thanks, and pages that are spoken where there are clips.
//!
//! The screen tells a [`SoundHandle`] what happened and never waits; one thread does the rest. Of its parts, `Director` (what is to be
//! heard), `Mixer` (samples of it) and [`tones`] are pure; [`Desk`] puts them together over an [`Output`] and takes the time as an
//! argument; the thread is only its clock. Invariants:
//! - a page is spoken once when a visitor comes to it, however often it is drawn; at rest nothing is spoken and nothing repeats;
//! - a new prompt ends the one before; a click ends nothing;
//! - at volume 0, at night and without `[sound]` in kiosk.toml no sample is made and no player runs;
//! - in silence nothing wakes up: the output is closed a few seconds after the last sound.
//!
//! A terminal without a sound card is silent, says so once in the log, and is heard as soon as there is one.

mod check;
mod clip;
mod cue;
mod desk;
mod mix;
mod output;
mod player;
mod script;
pub mod tones;
mod voices;
mod worker;

use chrono::NaiveTime;
use chrono_tz::Tz;

pub use check::cli_check;
pub use clip::RATE;
pub(crate) use cue::Level;
pub use cue::{Event, PageName, Plan};
pub use desk::Desk;
pub use output::Output;
pub use voices::{Drafts, cli_voices};
pub use worker::{Sound, SoundHandle};

use crate::{
    config::{KioskSetup, SoundConfig},
    model::{Moment, TimeQuality},
};

/// What the sound of a terminal goes by.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// How it is heard; `None`: not at all.
    pub config: Option<SoundConfig>,
    /// Where the hours of the volume are counted.
    pub zone: Tz,
}

impl Settings {
    /// Those of a terminal: its hours are those of the place it rates.
    pub fn of(setup: &KioskSetup) -> Self {
        let hospital = &setup.hospital;
        let place = setup.kiosk.touchpoints.first().and_then(|id| hospital.touchpoint(id));
        let site = place.and_then(|place| hospital.site(&place.site)).or(hospital.sites.first());
        Self { config: setup.kiosk.sound.clone(), zone: site.map_or(Tz::UTC, |site| site.time_zone) }
    }

    /// The hour on the wall, if the clock was ever set.
    pub(crate) fn local_time(&self, now: &Moment) -> Option<NaiveTime> {
        let known = now.quality != TimeQuality::Unset;
        known.then(|| now.wall.with_timezone(&self.zone).time())
    }
}
