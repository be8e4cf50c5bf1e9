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
//! - nothing here reads a clock, and files only through the function the caller gives; `last_good` and `delivery` write files, and
//!   `watch` (feature `terminal`) has a thread.
//!
//! `check` is the engine and knows no file; `central`, `hospital`, `kiosk` and `sound` are the contents; `load` joins them.

mod central;
mod check;
mod command;
mod delivery;
mod examples;
mod hospital;
mod kind;
mod kiosk;
mod last_good;
mod load;
mod sound;
mod start;
mod values;
#[cfg(any(feature = "terminal", feature = "central"))]
mod watch;

pub use crate::durable::read_file;
pub use central::{CentralConfig, Terminals, Tls};
#[cfg(all(test, feature = "terminal"))]
pub(crate) use check::cells;
#[cfg(feature = "terminal")]
pub(crate) use check::nearest as nearest_word;
pub use check::{Finding, Findings, KeyAt, Severity};
pub use command::cli_check;
pub use delivery::{DeliveryError, accept_delivered};
pub use examples::{
    EXAMPLE_CENTRAL, EXAMPLE_KIOSK, EXAMPLE_SIX_LANGUAGES, EXAMPLE_TOUCHPOINTS, example, example_hospitals,
};
pub use hospital::Glyphs;
pub use kind::{Kind, check_bytes, schema_text};
#[cfg(feature = "terminal")]
pub(crate) use kiosk::{ConfigSource, KioskConfig, LookConfig, PanelConfig};
#[cfg(feature = "terminal")]
pub use kiosk::{Logo, NightHours, read_logo};
pub use kiosk::{OutOfHours, Start, Timing};
pub use last_good::{LastGood, pack, packed_path, unpack};
pub use load::{
    CentralSetup, DELIVERED_FILE, KioskAt, KioskSetup, Loaded, Read, Screens, load_central, load_hospital,
    load_kiosk,
};
pub use sound::{SoundConfig, SoundDevice};
pub use start::{Origin, Started, data_dir_of, start};
#[cfg(any(feature = "terminal", feature = "central"))]
pub use watch::{Change, Watch};

#[cfg(test)]
mod tests;
