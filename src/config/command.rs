//! The command `check`: prints every finding of some files.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    check::{Findings, Severity},
    hospital::Glyphs,
    kind::Kind,
    load::{self, Read},
};

/// Checks files and prints findings, or what is in a file that has none. True if there is no error.
///
/// # Errors
/// Only those of writing to `out`; an unreadable file is a finding.
pub fn cli_check(paths: &[PathBuf], glyphs: &Glyphs<'_>, out: &mut dyn Write) -> anyhow::Result<bool> {
    let read: Read<'_> = &|path| crate::durable::read_file(path);
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
        let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        writeln!(out, "{}, {}", counted(errors, "error"), counted(warnings, "warning"))
            .context("the result could not be printed")?;
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
