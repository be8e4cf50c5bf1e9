//! What the parts of a terminal make of a configuration. Only mapping.

use std::{sync::Arc, time::Duration};

use super::{look::Look, screen::Setup};
use crate::{
    config::{self, ConfigSource, KioskConfig, KioskSetup},
    model::Lang,
    panel::{Panel, Rotation, usual_viewing_distance_mm},
    sound::Level,
    staff::Volume,
    survey::{OutOfHours, Plan, Start, Timing},
    sync::Address,
    wire::ScreenFacts,
};

/// How long "could not be saved" stays; not configurable: it must be read.
const NOT_STORED_MS: u64 = 10_000;

/// Where central is.
pub(crate) fn address_of(kiosk: &KioskConfig) -> Address {
    Address {
        url: kiosk.central_url.clone(),
        ca_file: kiosk.central_ca_file.clone(),
        takes_config: kiosk.source == ConfigSource::Central,
    }
}

/// How loud staff want it, against what kiosk.toml says.
pub(super) fn level_of(volume: Option<Volume>) -> Level {
    match volume {
        Some(Volume::Off) => Level::Off,
        Some(Volume::Low) => Level::Low,
        Some(Volume::Medium) | None => Level::Medium,
        Some(Volume::High) => Level::High,
    }
}

/// What a screen makes of a setup.
pub fn setup_of(setup: &KioskSetup) -> Setup {
    Setup {
        plan: plan_of(setup),
        second_language: setup.kiosk.second_language.clone(),
        panel: panel_of(&setup.kiosk),
        low_reach: setup.kiosk.panel.low_reach,
        look: look_of(&setup.kiosk),
    }
}

/// What the survey makes of a setup.
pub fn plan_of(setup: &KioskSetup) -> Plan {
    let (kiosk, hospital) = (&setup.kiosk, Arc::new(setup.hospital.clone()));
    let languages: Vec<Lang> =
        if kiosk.languages.is_empty() { hospital.languages.clone() } else { kiosk.languages.clone() };
    let ms = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Plan {
        hospital,
        touchpoints: kiosk.touchpoints.clone(),
        languages,
        start: match kiosk.start {
            config::Start::Attract => Start::Attract,
            config::Start::Question => Start::Question,
        },
        out_of_hours: match kiosk.out_of_hours {
            config::OutOfHours::Ask => OutOfHours::Ask,
            config::OutOfHours::Offer => OutOfHours::Offer,
            config::OutOfHours::Close => OutOfHours::Close,
        },
        out_of_service: None,
        help: kiosk.help,
        timing: Timing {
            idle_ms: ms(kiosk.timing.idle),
            warning_ms: ms(kiosk.timing.warning),
            undo_ms: ms(kiosk.timing.undo),
            not_stored_ms: NOT_STORED_MS,
            ..Timing::default()
        },
    }
}

/// How a terminal's pages look.
pub fn look_of(kiosk: &KioskConfig) -> Look {
    Look {
        theme: kiosk.look.theme,
        night: kiosk.look.night,
        accent: kiosk.look.accent,
        logo: kiosk.look.logo.clone(),
    }
}

/// The glass of a terminal.
pub fn panel_of(kiosk: &KioskConfig) -> Panel {
    let panel = &kiosk.panel;
    Panel {
        diagonal_in: panel.diagonal_in,
        width_px: panel.width_px,
        height_px: panel.height_px,
        viewing_distance_mm: panel
            .viewing_distance_mm
            .unwrap_or_else(|| usual_viewing_distance_mm(panel.diagonal_in)),
        rotation: match panel.rotation_deg {
            90 => Rotation::Quarter,
            180 => Rotation::Half,
            270 => Rotation::ThreeQuarters,
            _ => Rotation::None,
        },
        large_text: kiosk.look.large_text,
    }
}

/// What central is told about the glass.
pub(crate) fn screen_of(kiosk: &KioskConfig) -> ScreenFacts {
    let (width_px, height_px) = panel_of(kiosk).page_px();
    ScreenFacts { width_px, height_px }
}
