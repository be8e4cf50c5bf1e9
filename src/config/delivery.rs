//! A touchpoints file that central delivers: checked, then put where the terminal reads it from.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    check::Findings,
    hospital::Glyphs,
    last_good::write_whole,
    load::{self, DELIVERED_FILE, KioskAt, KioskSetup, Loaded, Read, Screens},
};

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
    let at = KioskAt { file: path, data_dir: Some(data_dir) };
    let loaded = load::load_kiosk(at, &with_it, glyphs)
        .and_then(|loaded| load::pass(loaded, screens))
        .map_err(DeliveryError::Findings)?;
    write_whole(&place, delivered).map_err(|error| DeliveryError::Disk(place, error))?;
    Ok(loaded)
}

/// Why a delivered file is not in force.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It is wrong, does not know this terminal's touchpoint, or does not fit on its screen.
    #[error("central delivered a touchpoints file that cannot be used:\n{0}")]
    Findings(#[source] Findings),
    /// It could not be written.
    #[error("the touchpoints file from central could not be stored as {}", .0.display())]
    Disk(PathBuf, #[source] io::Error),
}
