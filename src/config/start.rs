//! A terminal always starts: with its files, else with the last good ones, else with built-in questions. It must take ratings.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    finding::Findings,
    glyphs::Glyphs,
    kiosk::Start,
    load::{self, DELIVERED_FILE, KioskSetup, Loaded, Read, Screens},
    url,
};
use crate::{
    durable,
    model::TouchpointId,
    questionnaire::{Hospital, OpeningHours, Texts, Touchpoint},
};

/// kiosk.toml of the example hospital.
pub const EXAMPLE_KIOSK: &str = include_str!("../../config/kiosk.toml");
/// central.toml of the example hospital.
pub const EXAMPLE_CENTRAL: &str = include_str!("../../config/central.toml");
/// touchpoints.toml of a smaller hospital that speaks six languages.
pub const EXAMPLE_SIX_LANGUAGES: &str = include_str!("../../config/touchpoints-six-languages.toml");
/// touchpoints.toml of the example hospital.
pub const EXAMPLE_TOUCHPOINTS: &str = include_str!("../../config/touchpoints.toml");

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
    /// What is wrong with the files, if they are not in force; or with their screens, if there was nothing better.
    pub findings: Findings,
}

/// The last good configuration, in one file so that its parts always belong together.
#[derive(Clone, Debug)]
pub struct LastGood {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    files: Vec<(PathBuf, String)>,
}

impl LastGood {
    /// The store in a terminal's data folder.
    pub fn in_dir(data_dir: &Path) -> Self {
        Self { path: data_dir.join("config/last-good.json") }
    }

    /// Keeps a configuration that is in force; survives a power cut at any instant (the old one or the new one is there).
    ///
    /// # Errors
    /// The disk's.
    pub fn save<T>(&self, loaded: &Loaded<T>) -> io::Result<()> {
        replace(&self.path, &pack(loaded)?)
    }

    /// Loads what was kept; `None` if there is nothing, or nothing that still passes the check.
    pub fn load(&self, read: Read<'_>, glyphs: &Glyphs<'_>) -> Option<Loaded<KioskSetup>> {
        unpack(&read(&self.path).ok()?, read, glyphs)
    }
}

/// A configuration in one piece, to be kept or handed to another program.
///
/// # Errors
/// A path that is no text.
pub fn pack<T>(loaded: &Loaded<T>) -> io::Result<Vec<u8>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let files = loaded.files.iter().map(|(path, bytes)| (path.clone(), text(bytes))).collect();
    Ok(serde_json::to_vec(&Saved { files })?)
}

/// The kiosk.toml of a packed configuration.
pub fn packed_path(packed: &[u8]) -> Option<PathBuf> {
    let saved: Saved = serde_json::from_slice(packed).ok()?;
    Some(saved.files.into_iter().next()?.0)
}

/// The configuration that was packed, if it still passes the check.
pub fn unpack(packed: &[u8], read: Read<'_>, glyphs: &Glyphs<'_>) -> Option<Loaded<KioskSetup>> {
    let saved: Saved = serde_json::from_slice(packed).ok()?;
    let first = saved.files.first()?.0.clone();
    let kept = |path: &Path| match saved.files.iter().find(|(name, _)| name == path) {
        Some((_, text)) => Ok(text.clone().into_bytes()),
        // The delivered file of today is no part of what was packed then; other files (certificates) are.
        None if path.ends_with(DELIVERED_FILE) => Err(io::ErrorKind::NotFound.into()),
        None => read(path),
    };
    load::load_kiosk(&first, &kept, glyphs).ok()
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
    let last_good = LastGood::in_dir(data_dir).load(read, glyphs);
    let findings = match load::load_kiosk(path, read, glyphs) {
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
    if let Some(loaded) = last_good {
        return Started { loaded, origin: Origin::LastGood, place_known: true, findings };
    }
    let (loaded, place_known) = built_in(path, data_dir, enrolled_for, read, glyphs);
    Started { loaded, origin: Origin::BuiltIn, place_known, findings }
}

/// The data folder a kiosk.toml names, also when the file is wrong elsewhere; `None` if that cannot be seen.
pub fn data_dir_of(path: &Path, read: Read<'_>) -> Option<PathBuf> {
    let bytes = read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (tree, _) = toml::de::DeTable::parse_recoverable(&text);
    let dir = tree.get_ref().get("storage")?.get_ref().as_table()?.get("dir")?.get_ref().as_str()?;
    Some(load::folder_of(path).join(dir))
}

/// Puts a touchpoints file that central delivered in place, if the terminal can use it.
///
/// # Errors
/// All findings if it cannot; the disk's error.
pub fn accept_delivered(
    path: &Path,
    data_dir: &Path,
    delivered: &[u8],
    read: Read<'_>,
    glyphs: &Glyphs<'_>,
    screens: Screens<'_>,
) -> Result<Loaded<KioskSetup>, DeliveryError> {
    let place = data_dir.join(DELIVERED_FILE);
    let with_it = |path: &Path| if path == place { Ok(delivered.to_vec()) } else { read(path) };
    let loaded = load::load_kiosk(path, &with_it, glyphs)
        .and_then(|loaded| load::pass(loaded, screens))
        .map_err(DeliveryError::Findings)?;
    replace(&place, delivered).map_err(DeliveryError::Disk)?;
    Ok(loaded)
}

/// Why a delivered file is not in force.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It is wrong, does not know this terminal's touchpoint, or does not fit on its screen.
    #[error("central delivered a touchpoints file that cannot be used:\n{0}")]
    Findings(#[source] Findings),
    /// It could not be written.
    #[error("the touchpoints file from central could not be stored")]
    Disk(#[source] io::Error),
}

/// The example terminal and hospital, as they are built in.
pub fn example() -> Loaded<KioskSetup> {
    let read = |path: &Path| match path.to_str() {
        Some("kiosk.toml") => Ok(EXAMPLE_KIOSK.into()),
        Some("touchpoints.toml") => Ok(EXAMPLE_TOUCHPOINTS.into()),
        Some(_) | None => Err(io::ErrorKind::NotFound.into()),
    };
    #[expect(clippy::expect_used, reason = "the example is part of the program and a test loads it")]
    load::load_kiosk(Path::new("kiosk.toml"), &read, &Glyphs::default())
        .expect("the built-in example is right")
}

/// The example hospitals: the one that a new terminal starts with, and the one in six languages.
pub fn example_hospitals() -> [Hospital; 2] {
    let read = |_: &Path| Ok(EXAMPLE_SIX_LANGUAGES.into());
    #[expect(clippy::expect_used, reason = "the example is part of the program and a test loads it")]
    let six = load::load_hospital(Path::new("touchpoints-six-languages.toml"), &read, &Glyphs::default())
        .expect("the built-in example is right");
    [example().value.hospital, six.value]
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
    let text = String::from_utf8_lossy(&bytes);
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

/// Replaces a file whole, and makes its folder if that is missing.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(load::folder_of(path))?;
    durable::replace(path, bytes)
}
