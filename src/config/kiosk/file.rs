//! The shape of kiosk.toml, and the source of its schema; the comments are what an editor shows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ConfigSource, OutOfHours, Start, look::LookFile};
use crate::config::{check::Located, sound::SoundFile};

/// One terminal (kiosk.toml).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "kiosk.toml")]
pub(crate) struct KioskFile {
    /// Ids of the touchpoints rated at this terminal: one, or several at an exit, where patients first pick where they were.
    #[schemars(length(min = 1, max = 40), example = ["registration"])]
    pub touchpoints: Vec<Located<String>>,
    /// Languages offered here, the first one shown at rest. All languages of the hospital when left out.
    #[schemars(length(min = 1, max = 20), example = ["zh-CN", "en"])]
    pub languages: Option<Vec<Located<String>>>,
    /// Language shown small under the first one.
    #[schemars(example = &"en")]
    pub second_language: Option<Located<String>>,
    /// What the resting screen shows. The question for one touchpoint and the invitation for several, when left out.
    pub start: Option<Located<Start>>,
    /// Outside the opening hours: ask as ever, offer to rate an earlier visit, or close.
    #[serde(default)]
    pub out_of_hours: OutOfHours,
    /// A button that calls somebody. Only where somebody watches central's page and comes.
    #[serde(default)]
    pub help: bool,
    /// Colours and pictures.
    #[serde(default)]
    pub look: LookFile,
    /// The panel.
    pub panel: PanelFile,
    /// Where central is.
    pub central: CentralLinkFile,
    /// Where data lies on this machine.
    pub storage: StorageFile,
    /// How long pages wait.
    #[serde(default)]
    pub timing: TimingFile,
    /// Where the questions come from.
    #[serde(default)]
    pub config: SourceFile,
    /// The staff area.
    #[serde(default)]
    pub staff: StaffFile,
    /// How the terminal is heard. It is silent without this section.
    pub sound: Option<SoundFile>,
}

/// The panel, as its data sheet and its place describe it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Panel")]
pub(crate) struct PanelFile {
    /// Diagonal in inches.
    #[schemars(range(min = 5, max = 100), example = 10.1)]
    pub diagonal_in: Located<f64>,
    /// Pixels across, before any rotation.
    #[schemars(range(min = 320, max = 16384), example = 1280)]
    pub width_px: Located<u32>,
    /// Pixels down, before any rotation.
    #[schemars(range(min = 320, max = 16384), example = 800)]
    pub height_px: Located<u32>,
    /// Distance from the patient's eyes to the glass in millimetres: 400 at 7 inches, 500 at 10, 600 above, when left out.
    #[schemars(range(min = 250, max = 2000), example = 500)]
    pub viewing_distance_mm: Option<Located<f64>>,
    /// How the panel is turned, clockwise in degrees.
    #[schemars(extend("enum" = [0, 90, 180, 270]))]
    #[serde(default)]
    pub rotation: Option<Located<u16>>,
    /// Buttons in the lower half, for a panel hung high or used from a wheelchair.
    #[serde(default)]
    pub low_reach: bool,
    /// No window frame; true on a real terminal.
    #[serde(default)]
    pub full_screen: bool,
}

/// Where central is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Central")]
pub(crate) struct CentralLinkFile {
    /// Address of central. Always https, except on this machine.
    #[schemars(example = &"https://xinsheng.example-hospital.cn")]
    pub url: Located<String>,
    /// Certificate authority of your own (PEM file) that central's certificate comes from. Relative to this file.
    #[schemars(length(min = 1), example = &"hospital-ca.pem")]
    pub ca_file: Option<Located<String>>,
}

/// Where data lies on this machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Storage")]
pub(crate) struct StorageFile {
    /// Folder of the journal and the terminal's key. Relative to this file.
    #[schemars(length(min = 1), example = &"/var/lib/xinsheng")]
    pub dir: Located<String>,
}

/// How long pages wait, in seconds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Timing")]
#[expect(clippy::struct_field_names, reason = "the unit belongs into the key, where staff read it")]
#[serde(default)]
pub(crate) struct TimingFile {
    /// Without a touch until "are you still there?".
    #[schemars(range(min = 30, max = 600))]
    pub idle_s: u16,
    /// From there to the resting screen.
    #[schemars(range(min = 20, max = 120))]
    pub warning_s: u16,
    /// How long an answer can be changed on the thank-you page.
    #[schemars(range(min = 5, max = 60))]
    pub undo_s: u16,
}

/// Accessibility sets the least times: 30 s without a touch, 20 s of warning (WCAG 2.2.1), 5 s to change an answer.
impl Default for TimingFile {
    fn default() -> Self {
        Self { idle_s: 30, warning_s: 20, undo_s: 5 }
    }
}

/// Where the questions come from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
#[serde(default)]
pub(crate) struct SourceFile {
    /// This machine's file, or what central delivers.
    pub source: ConfigSource,
    /// Sites, touchpoints and questionnaires. Relative to this file.
    #[schemars(length(min = 1))]
    pub touchpoints_file: Located<String>,
}

impl Default for SourceFile {
    fn default() -> Self {
        let touchpoints_file = Located { value: "touchpoints.toml".to_owned(), span: 0..0 };
        Self { source: ConfigSource::default(), touchpoints_file }
    }
}

/// The staff area.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Staff")]
#[serde(default)]
pub(crate) struct StaffFile {
    /// Argon2id hash of the staff PIN, made by `xinsheng-kiosk pin`. Without it the staff area stays closed; wiping needs no PIN.
    #[schemars(length(min = 1))]
    pub pin_hash: Option<Located<String>>,
    /// Folder that exports go to instead of a USB stick. Relative to this file.
    #[schemars(length(min = 1), example = &"/mnt/usb")]
    pub export_dir: Option<Located<String>>,
}
