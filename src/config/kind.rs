//! The three kinds of files, how one is known, and the schema of each.

use std::{io, path::Path};

use super::{
    central::CentralFile,
    check::{Findings, schema_of},
    examples::EXAMPLE_TOUCHPOINTS,
    hospital::{Glyphs, HospitalFile},
    kiosk::KioskFile,
    load,
};

/// Which of the three files one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// touchpoints.toml
    Touchpoints,
    /// kiosk.toml
    Kiosk,
    /// central.toml
    Central,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Touchpoints, Self::Kiosk, Self::Central];

    /// The name without ending, also of its schema file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Touchpoints => "touchpoints",
            Self::Kiosk => "kiosk",
            Self::Central => "central",
        }
    }

    /// What a file is: by the schema it names, else by its own name, else by what only this kind holds.
    pub fn of(path: &Path, text: &str) -> Option<Self> {
        let by = |hay: &str| Self::ALL.into_iter().find(|kind| hay.contains(kind.name()));
        let text = text.trim_start_matches('\u{feff}');
        let schema = text.lines().find_map(|line| line.strip_prefix("#:schema")).and_then(by);
        let name = || path.file_stem().and_then(|stem| by(&stem.to_string_lossy().to_lowercase()));
        let content = || {
            let starts = |key: &str| text.lines().any(|line| line.trim_start().starts_with(key));
            match () {
                () if starts("[[touchpoint]]") || starts("[[questionnaire]]") || starts("[[site]]") => {
                    Some(Self::Touchpoints)
                }
                () if starts("[panel]") || starts("touchpoints =") => Some(Self::Kiosk),
                () if starts("listen") || starts("[limits]") => Some(Self::Central),
                () => None,
            }
        };
        schema.or_else(name).or_else(content)
    }
}

/// The text of a schema file under `config/schema`.
pub fn schema_text(kind: Kind) -> String {
    let schema = match kind {
        Kind::Touchpoints => schema_of::<HospitalFile>(),
        Kind::Kiosk => schema_of::<KioskFile>(),
        Kind::Central => schema_of::<CentralFile>(),
    };
    format!("{schema:#}\n")
}

/// What the check finds in the bytes of a file, with the example's touchpoints beside it and no other file: reads nothing from the disk.
pub fn check_bytes(kind: Kind, bytes: &[u8]) -> Findings {
    let path = Path::new("file.toml");
    let read = |asked: &Path| match asked {
        asked if asked == path => Ok(bytes.to_vec()),
        asked if asked == Path::new("touchpoints.toml") => Ok(EXAMPLE_TOUCHPOINTS.into()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let glyphs = Glyphs::default();
    let found = match kind {
        Kind::Touchpoints => load::load_hospital(path, &read, &glyphs).map(|loaded| loaded.warnings),
        Kind::Kiosk => load::load_kiosk(path, &read, &glyphs).map(|loaded| loaded.warnings),
        Kind::Central => load::load_central(path, &read, &glyphs).map(|loaded| loaded.warnings),
    };
    found.unwrap_or_else(|findings| findings)
}
