//! Text files to validated, immutable values, with findings that say where, what and how to fix.
//!
//! Three files: `touchpoints.toml` (what is asked where, a [`Hospital`](crate::questionnaire::Hospital)), `kiosk.toml` (one terminal, a
//! [`KioskConfig`]), `central.toml` (the server, a [`CentralConfig`]). The way of each: bytes, text, tree with places, what fits the schema
//! of the structs, what makes sense, value. A check never stops at the first mistake within a step.
//!
//! Invariants:
//! - a value exists only if its files had no error;
//! - start, check and watch read through the same functions, so that what passes `check` also starts;
//! - what a terminal would show is judged by a function of the caller, because it takes a screen to draw on;
//! - a terminal always has something in force: its files, else the last good ones, else the built-in questions;
//! - nothing here reads a clock, and files only through the function the caller gives; `start` writes the last good configuration, and
//!   `watch` (feature `terminal`) is a shell with a thread.

mod central;
mod cli;
mod finding;
mod glyphs;
mod hospital;
mod hours;
mod key;
mod kiosk;
mod load;
mod located;
mod look;
mod pointer;
mod report;
mod schema;
mod sound;
mod start;
mod structure;
mod suggest;
mod syntax;
mod url;
#[cfg(any(feature = "terminal", feature = "central"))]
mod watch;

pub use central::{CentralConfig, Limits, Tls};
pub use cli::{Kind, cli_check};
#[cfg(all(test, feature = "terminal"))]
pub(crate) use finding::cells;
pub use finding::{Finding, Findings, Severity};
pub use glyphs::Glyphs;
pub use hospital::{ICONS, OTHER, REASONS_MAX};
pub use hours::{HoursError, parse as parse_hours};
pub use kiosk::{ConfigSource, KioskConfig, OutOfHours, PanelConfig, StaffConfig, Start, Timing};
pub use load::{
    CentralSetup, DELIVERED_FILE, KioskSetup, Loaded, Read, Screens, load_central, load_hospital, load_kiosk,
};
pub use look::{LookConfig, NightHours};
pub use pointer::KeyAt;
pub use schema::text as schema_text;
pub use sound::{SoundConfig, SoundDevice, VolumeByHour};
pub use start::{
    DeliveryError, EXAMPLE_CENTRAL, EXAMPLE_KIOSK, EXAMPLE_SIX_LANGUAGES, EXAMPLE_TOUCHPOINTS, LastGood,
    Origin, Started, accept_delivered, data_dir_of, example, example_hospitals, pack, packed_path, start,
    unpack,
};
pub use suggest::nearest as nearest_word;
#[cfg(any(feature = "terminal", feature = "central"))]
pub use watch::{Change, Watch};

#[cfg(test)]
mod tests;
