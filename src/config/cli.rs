//! The command `check`: prints every finding of some files.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    finding::{Findings, Severity},
    glyphs::Glyphs,
    load::{self, Read},
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

/// Checks files and prints findings, or what is in a file that has none. True if there is no error.
///
/// # Errors
/// Only those of writing to `out`; an unreadable file is a finding.
pub fn cli_check(paths: &[PathBuf], glyphs: &Glyphs<'_>, out: &mut dyn Write) -> anyhow::Result<bool> {
    let read: Read<'_> = &|path| std::fs::read(path);
    let mut seen = Findings::default();
    let mut good = true;
    for path in paths {
        let (findings, summary) = one(path, read, glyphs);
        let fresh: Vec<_> = findings.0.into_iter().filter(|finding| !seen.0.contains(finding)).collect();
        for finding in &fresh {
            writeln!(out, "{finding}\n").context("the findings could not be printed")?;
        }
        good &= summary.is_some();
        if let Some(summary) = summary {
            writeln!(out, "{}: good. {summary}", path.display())
                .context("the result could not be printed")?;
        }
        seen.0.extend(fresh);
    }
    let count = |severity| seen.0.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors + warnings > 0 {
        writeln!(out, "{errors} errors, {warnings} warnings").context("the result could not be printed")?;
    }
    Ok(good)
}

/// The findings of one file and those it names, and a line about it if it is good.
fn one(path: &Path, read: Read<'_>, glyphs: &Glyphs<'_>) -> (Findings, Option<String>) {
    let text = read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    match Kind::of(path, &text).unwrap_or(Kind::Touchpoints) {
        Kind::Touchpoints => split(load::load_hospital(path, read, glyphs), |hospital| {
            let languages: Vec<&str> = hospital.languages.iter().map(crate::model::Lang::as_str).collect();
            let (places, asked) = (hospital.touchpoints.len(), hospital.questionnaires.len());
            format!("{places} touchpoints, {asked} questionnaires, languages {}", languages.join(", "))
        }),
        Kind::Kiosk => split(load::load_kiosk(path, read, glyphs), |setup| {
            let places: Vec<&str> =
                setup.kiosk.touchpoints.iter().map(crate::model::TouchpointId::as_str).collect();
            format!("rates {}, reports to {}", places.join(", "), setup.kiosk.central_url)
        }),
        Kind::Central => split(load::load_central(path, read, glyphs), |setup| {
            format!("listens on {}, {} touchpoints", setup.central.listen, setup.hospital.touchpoints.len())
        }),
    }
}

fn split<T>(
    loaded: Result<load::Loaded<T>, Findings>,
    summary: impl FnOnce(&T) -> String,
) -> (Findings, Option<String>) {
    match loaded {
        Ok(loaded) => (loaded.warnings, Some(summary(&loaded.value))),
        Err(findings) => (findings, None),
    }
}
