//! Xinsheng 心声: a patient-feedback terminal and its central, where every tap counts and can be shown to count.
//!
//! The map, in reading order:
//! - [`model`], [`questionnaire`]: the nouns. [`wire`], [`chain`], [`sign`], [`enrolment_code`]: what terminal and central say to each other, and the
//!   proof in it. [`survey`]: one visitor. All pure: no clock, no dice, no I/O.
//! - [`config`]: text files to validated values, with errors that say where, what and how to fix. [`lang`]: words of the pages, `fonts`: what draws them.
//! - `journal`, `sync`, `sound`: the terminal's memory, its way to central, and its voice; `terminal`: all of it put together, without a screen (feature `terminal`).
//! - `staff`, `pin`: the staff area behind its PIN, pure but for its worker.
//! - `panel`, `theme`, `ui`, `kiosk`: the Slint screens (feature `kiosk`); `page_audit`: what is drawn, measured; `simulator`: the same screens on
//!   a panel in memory.
//! - [`ending`]: which panics end a program, and with what status.
//! - `central`: the server (feature `central`); `load`: what it takes, measured (feature `load`).
//!
//! `kiosk` and `central` never import each other; they meet in the pure modules only.

pub mod chain;
pub mod config;
pub mod durable;
pub mod ending;
pub mod enrolment_code;
pub mod lang;
pub mod log;
pub mod model;
pub mod panel;
pub mod pin;
pub mod questionnaire;
mod secrets;
pub mod sign;
pub mod survey;
pub mod theme;
pub mod wire;

/// The library's own tests note the faults that they show, like those under tests/.
#[cfg(test)]
#[path = "../tests/support/faults.rs"]
mod faults;

#[cfg(feature = "terminal")]
pub mod clock;
#[cfg(feature = "terminal")]
pub mod example;
#[cfg(feature = "terminal")]
pub mod fonts;
#[cfg(feature = "terminal")]
pub mod journal;
#[cfg(feature = "terminal")]
pub mod sound;
#[cfg(feature = "terminal")]
pub mod staff;
#[cfg(feature = "terminal")]
pub mod start_guard;
#[cfg(feature = "terminal")]
pub mod sync;
#[cfg(feature = "terminal")]
pub mod terminal;

#[cfg(feature = "kiosk")]
pub mod kiosk;
#[cfg(feature = "kiosk")]
pub mod page_audit;
#[cfg(feature = "replay")]
pub mod replay;
#[cfg(feature = "simulator")]
pub mod simulator;
#[cfg(feature = "kiosk")]
pub mod ui;

#[cfg(feature = "central")]
pub mod central;
#[cfg(all(feature = "simulator", feature = "central"))]
pub mod demo;
#[cfg(feature = "load")]
pub mod load;
