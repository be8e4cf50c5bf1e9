//! From the file's structs to a [`KioskConfig`], and what must agree between this file and the hospital's.

use std::{path::Path, time::Duration};

use super::{
    KioskConfig, PanelConfig, StaffConfig, Start, Timing,
    file::{KioskFile, PanelFile},
    look,
};
use crate::{
    config::{
        check::{Located, Report, nearest},
        sound,
        values::url,
    },
    model::Lang,
    pin::{PinHash, PinHashError},
    questionnaire::Hospital,
};

/// Checks a terminal's file. `folder` is where it lies; `hospital` is asked with the path of the touchpoints file, once the rest of
/// this file allows to know it.
pub fn build(
    file: &KioskFile,
    folder: &Path,
    report: &mut Report<'_>,
    hospital: impl FnOnce(&mut KioskConfig, &mut Report<'_>, &Located<String>) -> Option<Hospital>,
) -> Option<(KioskConfig, Hospital)> {
    let touchpoints = ids(&file.touchpoints, "touchpoint", report);
    let languages = ids(file.languages.as_deref().unwrap_or_default(), "language", report);
    let central_url = url::read(&file.central.url, report);
    let mut config = KioskConfig {
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
    let hospital = hospital(&mut config, report, &file.config.touchpoints_file)?;
    agree(file, &hospital, report);
    one_site(file, &hospital, &mut config, report);
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

/// A terminal is enrolled for one site, and central takes no answer from it for another one.
fn one_site(file: &KioskFile, hospital: &Hospital, config: &mut KioskConfig, report: &mut Report<'_>) {
    let site_of =
        |id: &str| hospital.touchpoints.iter().find(|place| place.id.as_str() == id).map(|place| &place.site);
    let mut listed = file.touchpoints.iter().filter_map(|text| Some((text, site_of(&text.value)?)));
    let Some((first, site)) = listed.next() else { return };
    for (text, other) in listed.filter(|(_, other)| *other != site) {
        let what = format!(
            "touchpoint `{}` belongs to site `{other}` and `{}` to site `{site}`: a terminal is enrolled for one site, and central would take no answer for the other",
            text.value, first.value
        );
        let fix = format!(
            "keep touchpoints of site `{site}` here, and let another terminal rate those of `{other}`"
        );
        report.part(&text.span, what, fix);
    }
    let own = site.clone();
    config.touchpoints.retain(|id| hospital.touchpoint(id).is_none_or(|place| place.site == own));
}

fn unknown(kind: &str, text: &Located<String>, known: &[&str], report: &mut Report<'_>) {
    let fix = match nearest(&text.value, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("use one of {}", known.join(", ")),
    };
    report.error(&text.span, format!("the touchpoints file has no {kind} `{}`", text.value), fix);
}
