//! kiosk.toml: one terminal. Which touchpoints it rates, its panel, and where central is.
//!
//! The `..File` structs are the file's shape and the source of its schema; [`KioskConfig`] is the validated value.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    located::Located,
    look::{self, LookConfig, LookFile},
    report::Report,
    sound::{self, SoundConfig, SoundFile},
    suggest, url,
};
use crate::{
    model::{Lang, TouchpointId},
    pin::{PinHash, PinHashError},
    questionnaire::Hospital,
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

/// What the resting screen shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// An invitation; a touch leads to the question.
    Attract,
    /// The question itself: one tap is a rating.
    Question,
}

/// What the terminal does outside the opening hours of everything that is rated here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutOfHours {
    /// Asks as ever.
    #[default]
    Ask,
    /// Says that the desk is closed, and offers to rate an earlier visit.
    Offer,
    /// Says that the desk is closed.
    Close,
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

/// One terminal (kiosk.toml).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "kiosk.toml")]
pub struct KioskFile {
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
pub struct PanelFile {
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
pub struct CentralLinkFile {
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
pub struct StorageFile {
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
pub struct TimingFile {
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
pub struct SourceFile {
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
pub struct StaffFile {
    /// Argon2id hash of the staff PIN, made by `xinsheng-kiosk pin`. Without it the staff area stays closed; wiping needs no PIN.
    #[schemars(length(min = 1))]
    pub pin_hash: Option<Located<String>>,
    /// Folder that exports go to instead of a USB stick. Relative to this file.
    #[schemars(length(min = 1), example = &"/mnt/usb")]
    pub export_dir: Option<Located<String>>,
}

/// Checks a terminal's file. `folder` is where it lies; `hospital` is asked with the path of the touchpoints file, once the rest of
/// this file allows to know it.
pub fn build(
    file: &KioskFile,
    folder: &Path,
    report: &mut Report<'_>,
    hospital: impl FnOnce(&KioskConfig, &mut Report<'_>, &Located<String>) -> Option<Hospital>,
) -> Option<(KioskConfig, Hospital)> {
    let touchpoints = ids(&file.touchpoints, "touchpoint", report);
    let languages = ids(file.languages.as_deref().unwrap_or_default(), "language", report);
    let central_url = url::read(&file.central.url, report);
    let config = KioskConfig {
        start: start(file, report),
        second_language: file.second_language.as_ref().and_then(|lang| report.parse(lang)),
        out_of_hours: file.out_of_hours,
        help: file.help,
        look: look::build(&file.look, folder, report),
        touchpoints,
        languages,
        panel: panel(&file.panel, report),
        central_url: central_url.unwrap_or_default(),
        central_ca_file: file.central.ca_file.as_ref().map(|ca| folder.join(&ca.value)),
        storage_dir: folder.join(&file.storage.dir.value),
        timing: Timing {
            idle: Duration::from_secs(file.timing.idle_s.into()),
            warning: Duration::from_secs(file.timing.warning_s.into()),
            undo: Duration::from_secs(file.timing.undo_s.into()),
        },
        source: file.config.source,
        touchpoints_file: folder.join(&file.config.touchpoints_file.value),
        staff: StaffConfig {
            pin_hash: file.staff.pin_hash.as_ref().and_then(|hash| pin_hash(hash, report)),
            export_dir: file.staff.export_dir.as_ref().map(|dir| folder.join(&dir.value)),
        },
        sound: file.sound.as_ref().map(|file| sound::build(file, folder, report)),
    };
    let hospital = hospital(&config, report, &file.config.touchpoints_file)?;
    agree(file, &hospital, report);
    let languages = if config.languages.is_empty() { hospital.languages.clone() } else { config.languages };
    Some((KioskConfig { languages, ..config }, hospital))
}

fn ids<T>(listed: &[Located<String>], kind: &str, report: &mut Report<'_>) -> Vec<T>
where
    T: std::str::FromStr<Err: std::fmt::Display> + PartialEq,
{
    let mut read = Vec::new();
    for text in listed {
        let Some(id) = report.parse(text) else { continue };
        if read.contains(&id) {
            report.error(
                &text.span,
                format!("{kind} `{}` is listed twice", text.value),
                "remove one of the two",
            );
        } else {
            read.push(id);
        }
    }
    read
}

fn start(file: &KioskFile, report: &mut Report<'_>) -> Start {
    let several = file.touchpoints.len() > 1;
    match &file.start {
        Some(start) if several && start.value == Start::Question => {
            let what = "with several touchpoints the question cannot stand on the resting screen";
            report.error(&start.span, what, "write start = \"attract\", or name one touchpoint only");
            Start::Attract
        }
        Some(start) => start.value,
        None if several => Start::Attract,
        None => Start::Question,
    }
}

fn panel(file: &PanelFile, report: &mut Report<'_>) -> PanelConfig {
    let config = PanelConfig {
        diagonal_in: file.diagonal_in.value,
        width_px: file.width_px.value,
        height_px: file.height_px.value,
        viewing_distance_mm: file.viewing_distance_mm.as_ref().map(|distance| distance.value),
        rotation_deg: file.rotation.as_ref().map_or(0, |rotation| rotation.value),
        low_reach: file.low_reach,
        full_screen: file.full_screen,
    };
    let px_per_mm =
        f64::from(config.width_px).hypot(f64::from(config.height_px)) / (config.diagonal_in * 25.4);
    // Panels sold for terminals have 2.5 to 12 pixels a millimetre; anything else is a slip in one of the three numbers, and every
    // length on the screen would be wrong with it.
    if !(2.0..=16.0).contains(&px_per_mm) {
        let what =
            format!("a panel of this size and resolution would have {px_per_mm:.1} pixels a millimetre");
        report.error(
            &file.diagonal_in.span,
            what,
            "correct diagonal_in, width_px and height_px from the data sheet",
        );
    }
    config
}

fn pin_hash(text: &Located<String>, report: &mut Report<'_>) -> Option<PinHash> {
    let read = text.value.parse();
    if let Err(error) = &read {
        let error: &PinHashError = error;
        report.error(
            &text.span,
            error.to_string(),
            "run `xinsheng-kiosk pin` and put the line it prints here",
        );
    }
    read.ok()
}

/// What must agree between this file and the hospital's.
fn agree(file: &KioskFile, hospital: &Hospital, report: &mut Report<'_>) {
    let known: Vec<&str> = hospital.touchpoints.iter().map(|touchpoint| touchpoint.id.as_str()).collect();
    for text in file.touchpoints.iter().filter(|text| !known.contains(&text.value.as_str())) {
        unknown("touchpoint", text, &known, report);
    }
    let known: Vec<&str> = hospital.languages.iter().map(Lang::as_str).collect();
    let shown = file.languages.iter().flatten();
    for text in shown.chain(&file.second_language).filter(|text| !known.contains(&text.value.as_str())) {
        unknown("language", text, &known, report);
    }
}

fn unknown(kind: &str, text: &Located<String>, known: &[&str], report: &mut Report<'_>) {
    let fix = match suggest::nearest(&text.value, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("use one of {}", known.join(", ")),
    };
    report.error(&text.span, format!("the touchpoints file has no {kind} `{}`", text.value), fix);
}
