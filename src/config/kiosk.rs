//! kiosk.toml: one terminal. Which touchpoints it rates, its panel, and where central is.
//!
//! `file` has the structs of the file, the source of its schema; `build` makes them the [`KioskConfig`] here, the validated value.

mod build;
mod file;
#[cfg(feature = "terminal")]
mod logo;
mod look;

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use build::build;
pub(super) use file::KioskFile;
#[cfg(feature = "terminal")]
pub use logo::{Logo, read as read_logo};
pub(crate) use look::LookConfig;
#[cfg(feature = "terminal")]
pub use look::NightHours;

use super::sound::SoundConfig;
pub use crate::survey::{OutOfHours, Start};
use crate::{
    model::{Lang, TouchpointId},
    pin::PinHash,
};

/// A terminal's configuration, validated. Paths are absolute or relative to the working folder. It holds no secret in plain:
/// the terminal's key lives in its data folder, addresses with a password are refused, and of the staff PIN there is a hash.
#[derive(Clone, PartialEq, Debug)]
pub struct KioskConfig {
    /// What is rated here; several at an exit, where the patient first picks one.
    pub touchpoints: Vec<TouchpointId>,
    /// Languages offered, the first one shown at rest; empty means all of the hospital's.
    pub languages: Vec<Lang>,
    /// Shown small under the patient's own language.
    pub second_language: Option<Lang>,
    /// What the resting screen shows.
    pub start: Start,
    /// Outside the opening hours of everything that is rated here.
    pub out_of_hours: OutOfHours,
    /// A button calls somebody; central shows the call.
    pub help: bool,
    /// Colours and pictures.
    pub look: LookConfig,
    /// The panel.
    pub panel: PanelConfig,
    /// Where central is, without a slash at the end.
    pub central_url: String,
    /// Certificate authority (PEM) that central's certificate must come from; else the system's.
    pub central_ca_file: Option<PathBuf>,
    /// Where the journal, the key and the last good configuration lie.
    pub storage_dir: PathBuf,
    /// How long pages wait.
    pub timing: Timing,
    /// Where questions come from.
    pub source: ConfigSource,
    /// The touchpoints.toml on this machine.
    pub touchpoints_file: PathBuf,
    /// How the terminal is heard; silent without it.
    pub sound: Option<SoundConfig>,
    /// The staff area.
    pub staff: StaffConfig,
}

/// The staff area.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StaffConfig {
    /// What the PIN is held against; without it the staff area stays closed.
    pub pin_hash: Option<PinHash>,
    /// Where exports go; a USB stick when absent.
    pub export_dir: Option<PathBuf>,
}

/// Where the questions of a terminal come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigSource {
    /// From the touchpoints file on this machine.
    #[default]
    Local,
    /// From central; the file on this machine until central delivered one.
    Central,
}

/// How long pages wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Without a touch until "are you still there?".
    pub idle: Duration,
    /// From there to the resting screen.
    pub warning: Duration,
    /// How long an answer can be changed on the thank-you page.
    pub undo: Duration,
}

/// The panel, as its data sheet and its place describe it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PanelConfig {
    /// Inches, corner to corner.
    pub diagonal_in: f64,
    /// Pixels across, in native orientation.
    pub width_px: u32,
    /// Pixels down, in native orientation.
    pub height_px: u32,
    /// From the eye to the glass; the usual distance for the size when absent.
    pub viewing_distance_mm: Option<f64>,
    /// How it is mounted, clockwise from its native orientation: 0, 90, 180 or 270.
    pub rotation_deg: u16,
    /// Controls in the lower half.
    pub low_reach: bool,
    /// Without a window frame.
    pub full_screen: bool,
}
