//! The last good configuration: kept by a terminal while it is in force, and what it falls back to.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    hospital::Glyphs,
    load::{self, DELIVERED_FILE, KioskAt, KioskSetup, Loaded, Parts, Read},
};
use crate::durable;

/// The last good configuration, in one file so that its parts always belong together.
#[derive(Clone, Debug)]
pub struct LastGood {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    files: Vec<(PathBuf, String)>,
    /// The terminal's data folder, where a delivered file is read from.
    #[serde(default)]
    data_dir: Option<PathBuf>,
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
    pub fn save(&self, loaded: &Loaded<KioskSetup>) -> io::Result<()> {
        write_whole(&self.path, &pack(loaded)?)
    }

    /// Loads what was kept; `None` if there is nothing, or nothing that still passes the check. Parts that are gone are left out, with a
    /// warning.
    pub fn load(&self, read: Read<'_>) -> Option<Loaded<KioskSetup>> {
        unpacked(&read(&self.path).ok()?, read, &Glyphs::default(), Parts::IfThere)
    }
}

/// A configuration in one piece, to be kept or handed to another program.
///
/// # Errors
/// A path that is no text.
pub fn pack(loaded: &Loaded<KioskSetup>) -> io::Result<Vec<u8>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let files = loaded.files.iter().map(|(path, bytes)| (path.clone(), text(bytes))).collect();
    let data_dir = Some(loaded.value.kiosk.storage_dir.clone());
    Ok(serde_json::to_vec(&Saved { files, data_dir })?)
}

/// The kiosk.toml of a packed configuration.
pub fn packed_path(packed: &[u8]) -> Option<PathBuf> {
    let saved: Saved = serde_json::from_slice(packed).ok()?;
    Some(saved.files.into_iter().next()?.0)
}

/// The configuration that was packed, if it still passes the check.
pub fn unpack(packed: &[u8], read: Read<'_>, glyphs: &Glyphs<'_>) -> Option<Loaded<KioskSetup>> {
    unpacked(packed, read, glyphs, Parts::Needed)
}

fn unpacked(packed: &[u8], read: Read<'_>, glyphs: &Glyphs<'_>, parts: Parts) -> Option<Loaded<KioskSetup>> {
    let saved: Saved = serde_json::from_slice(packed).ok()?;
    let first = saved.files.first()?.0.clone();
    let kept = |path: &Path| match saved.files.iter().find(|(name, _)| name == path) {
        Some((_, text)) => Ok(text.clone().into_bytes()),
        // The delivered file of today is no part of what was packed then; other files (certificates) are.
        None if path.ends_with(DELIVERED_FILE) => Err(io::ErrorKind::NotFound.into()),
        None => read(path),
    };
    load::kiosk(KioskAt { file: &first, data_dir: saved.data_dir.as_deref() }, &kept, glyphs, parts).ok()
}

/// Writes a file so that after a power cut the old or the new one is there, whole; its owner alone can read it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(load::folder_of(path))?;
    durable::replace(path, bytes)
}
