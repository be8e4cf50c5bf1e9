//! A terminal always starts: with its files, else with the last good ones, else with built-in questions. It must take ratings.

use std::path::{Path, PathBuf};

use super::{
    check::{Findings, readable},
    examples::example,
    hospital::Glyphs,
    kiosk::Start,
    last_good::LastGood,
    load::{self, KioskAt, KioskSetup, Loaded, Read, Screens},
    values::url,
};
use crate::{
    model::TouchpointId,
    questionnaire::{Hospital, OpeningHours, Texts, Touchpoint},
};

/// Where a terminal's configuration came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The files as they stand.
    Files,
    /// The files are wrong; the last ones that were right are in force.
    LastGood,
    /// There is nothing right at all; the built-in questions are asked for the terminal's own touchpoint.
    BuiltIn,
}

/// What a terminal starts with.
#[derive(Clone, PartialEq, Debug)]
pub struct Started {
    /// In force.
    pub loaded: Loaded<KioskSetup>,
    /// Where it came from.
    pub origin: Origin,
    /// Somebody has said what is rated here: a configuration, its readable part, or an enrolment.
    pub place_known: bool,
    /// What is wrong with the files, if they are not in force; with their screens, if there was nothing better; or what they lack.
    pub findings: Findings,
}

/// What a terminal starts with. `data_dir` is where the last good configuration is sought, see [`data_dir_of`]; `enrolled_for` is the
/// touchpoint central enrolled it for, if it did. Files that were in force before are not judged by their screens again.
pub fn start(
    path: &Path,
    data_dir: &Path,
    enrolled_for: Option<&TouchpointId>,
    read: Read<'_>,
    glyphs: &Glyphs<'_>,
    screens: Screens<'_>,
) -> Started {
    let last_good = LastGood::in_dir(data_dir).load(read);
    let at = KioskAt { file: path, data_dir: Some(data_dir) };
    let findings = match load::load_kiosk(at, read, glyphs) {
        Ok(loaded) => {
            let known = last_good.as_ref().is_some_and(|good| good.config_hash == loaded.config_hash);
            let findings = if known { Findings::default() } else { screens(&loaded) };
            // Screens that break a rule still take ratings: they are better than none.
            if last_good.is_none() || !findings.any_error() {
                return Started { loaded, origin: Origin::Files, place_known: true, findings };
            }
            findings
        }
        Err(findings) => findings,
    };
    // The files are what they were, or there is nothing older: only a part of them is lost.
    let known = |loaded: &Loaded<KioskSetup>| {
        last_good.as_ref().is_none_or(|good| good.config_hash == loaded.config_hash)
    };
    if let Some(loaded) = load::load_kiosk_without_parts(at, read).ok().filter(known) {
        let findings = loaded.warnings.clone();
        return Started { loaded, origin: Origin::Files, place_known: true, findings };
    }
    if let Some(loaded) = last_good {
        return Started { loaded, origin: Origin::LastGood, place_known: true, findings };
    }
    let (loaded, place_known) = built_in(path, data_dir, enrolled_for, read, glyphs);
    Started { loaded, origin: Origin::BuiltIn, place_known, findings }
}

/// The data folder a kiosk.toml names, also when the file is wrong elsewhere; `None` if that cannot be seen.
pub fn data_dir_of(path: &Path, read: Read<'_>) -> Option<PathBuf> {
    let bytes = read(path).ok()?;
    let text = readable(&bytes);
    let (tree, _) = toml::de::DeTable::parse_recoverable(&text);
    let dir = tree.get_ref().get("storage")?.get_ref().as_table()?.get("dir")?.get_ref().as_str()?;
    Some(load::folder_of(path).join(dir))
}

/// The example's questions for this terminal's own touchpoints: what the file's readable part binds it to, else what central enrolled it
/// for, so that no rating is booked to another place. And whether there are any.
fn built_in(
    path: &Path,
    data_dir: &Path,
    enrolled_for: Option<&TouchpointId>,
    read: Read<'_>,
    glyphs: &Glyphs<'_>,
) -> (Loaded<KioskSetup>, bool) {
    let mut loaded = example();
    let (bound, central_url) = readable_part(path, read);
    loaded.value.kiosk.central_url = central_url.unwrap_or(loaded.value.kiosk.central_url);
    let own: Vec<TouchpointId> =
        if bound.is_empty() { enrolled_for.cloned().into_iter().collect() } else { bound };
    // A touchpoints file that is right although kiosk.toml is wrong still says what is asked.
    if let Ok(local) = load::load_hospital(&load::folder_of(path).join("touchpoints.toml"), read, glyphs) {
        loaded.value.hospital = local.value;
        loaded.files.truncate(1);
        loaded.files.extend(local.files);
        loaded.config_hash = load::hash_of(&loaded.files);
        loaded.value.kiosk.languages.clone_from(&loaded.value.hospital.languages);
        loaded.value.kiosk.second_language = None;
    }
    data_dir.clone_into(&mut loaded.value.kiosk.storage_dir);
    let place_known = !own.is_empty();
    if place_known {
        for id in &own {
            stand_in(&mut loaded.value.hospital, id);
        }
        loaded.value.kiosk.start = if own.len() > 1 { Start::Attract } else { Start::Question };
        loaded.value.kiosk.touchpoints = own;
    }
    let first = loaded.value.hospital.touchpoints.first().map(|touchpoint| touchpoint.id.clone());
    if let Some(first) = first {
        let known = |id: &TouchpointId| loaded.value.hospital.touchpoint(id).is_some();
        if !loaded.value.kiosk.touchpoints.iter().all(known) {
            loaded.value.kiosk.touchpoints = vec![first];
        }
    }
    (loaded, place_known)
}

/// The touchpoints and central's address, as far as a wrong kiosk.toml still shows them.
fn readable_part(path: &Path, read: Read<'_>) -> (Vec<TouchpointId>, Option<String>) {
    let Ok(bytes) = read(path) else { return (Vec::new(), None) };
    let text = readable(&bytes);
    let (tree, _) = toml::de::DeTable::parse_recoverable(&text);
    let listed = tree.get_ref().get("touchpoints").and_then(|value| value.get_ref().as_array());
    let bound = listed.into_iter().flatten().filter_map(|id| id.get_ref().as_str()?.parse().ok()).collect();
    let central = tree.get_ref().get("central").and_then(|value| value.get_ref().as_table());
    let address = central.and_then(|central| central.get("url")?.get_ref().as_str());
    (bound, address.and_then(|address| url::usable(address).ok()))
}

/// A touchpoint the hospital does not know gets the first touchpoint's questions under its own id, and a name that fits any place.
fn stand_in(hospital: &mut Hospital, id: &TouchpointId) {
    if hospital.touchpoint(id).is_some() {
        return;
    }
    let Some(like) = hospital.touchpoints.first().cloned() else { return };
    let mut name = Texts::default();
    for lang in &hospital.languages {
        let words = if lang.as_str().starts_with("zh") { "本服务点" } else { "This place" };
        name.0.insert(lang.clone(), words.to_owned());
    }
    let touchpoint = Touchpoint {
        id: id.clone(),
        name,
        dimension: None,
        hours: OpeningHours::default(),
        icon: "generic".to_owned(),
        ..like
    };
    hospital.touchpoints.push(touchpoint);
}
