//! From files to validated values. The function that reads files is an argument; every use (start, watch, check) goes through here.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    central::{self, CentralConfig, CentralFile, Tls},
    check::{self, Checked, Finding, Findings, KeyAt, Located, Report, Severity, Source},
    hospital::{self, Glyphs},
    kiosk::{self, ConfigSource, KioskConfig, KioskFile},
};
use crate::{chain, questionnaire::Hospital};

/// Reads a file's bytes.
pub type Read<'r> = &'r dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Where a touchpoints file that central delivered lies, within the terminal's data folder.
pub const DELIVERED_FILE: &str = "config/touchpoints.toml";

/// A validated value with the files it was read from.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded<T> {
    /// The value.
    pub value: T,
    /// SHA-256 over the bytes of the files, in their order: what `cat kiosk.toml touchpoints.toml | sha256sum` prints.
    pub config_hash: String,
    /// SHA-256 over what else they name: the picture and the certificate authority. Not part of the configuration's name.
    pub parts_hash: String,
    /// The files in the order they were read.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// What somebody should look at; no errors.
    pub warnings: Findings,
}

impl<T> Loaded<T> {
    /// An error at a key; at the nearest one above where the file does not have it.
    pub fn error_at(&self, key: &KeyAt, what: String, fix: String) -> Finding {
        check::error_at(&self.files, key, what, fix)
    }
}

/// In the order of [`Loaded::files`].
impl KeyAt {
    /// A key of kiosk.toml.
    pub fn kiosk(steps: &[&str]) -> Self {
        Self::in_file(0, steps)
    }

    /// A key of the touchpoints.toml that belongs to it.
    pub fn hospital(steps: &[&str]) -> Self {
        Self::in_file(1, steps)
    }
}

/// A terminal and what it asks.
#[derive(Clone, PartialEq, Debug)]
pub struct KioskSetup {
    /// kiosk.toml.
    pub kiosk: KioskConfig,
    /// touchpoints.toml.
    pub hospital: Hospital,
}

/// A server and what its terminals ask.
#[derive(Clone, PartialEq, Debug)]
pub struct CentralSetup {
    /// central.toml.
    pub central: CentralConfig,
    /// touchpoints.toml.
    pub hospital: Hospital,
}

/// Where a terminal's configuration lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KioskAt<'p> {
    /// kiosk.toml.
    pub file: &'p Path,
    /// Its data folder, where that is not the one that kiosk.toml names.
    pub data_dir: Option<&'p Path>,
}

impl<'p, P: AsRef<Path> + ?Sized> From<&'p P> for KioskAt<'p> {
    fn from(file: &'p P) -> Self {
        Self { file: file.as_ref(), data_dir: None }
    }
}

/// Loads a terminal's files. With `source = "central"` the delivered touchpoints file counts, and the local one until there is one.
///
/// # Errors
/// All findings, if any of them is an error.
pub fn load_kiosk<'p>(
    at: impl Into<KioskAt<'p>>,
    read: Read<'_>,
    glyphs: &Glyphs<'_>,
) -> Result<Loaded<KioskSetup>, Findings> {
    kiosk(at.into(), read, glyphs, Parts::Needed)
}

/// The same, but whatever a terminal can do without is left out with a warning: a picture, a certificate authority, fonts of an added
/// language, places of another site. For what was in force once: it must stay so when a part of it is lost.
///
/// # Errors
/// As [`load_kiosk`].
pub(crate) fn load_kiosk_without_parts<'p>(
    at: impl Into<KioskAt<'p>>,
    read: Read<'_>,
) -> Result<Loaded<KioskSetup>, Findings> {
    kiosk(at.into(), read, &Glyphs::default(), Parts::IfThere)
}

/// What becomes of a configuration when a part that the terminal can do without is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// It is refused.
    Needed,
    /// It is used without the part.
    IfThere,
}

/// Loads a terminal's files, with or without what it can do without.
pub(super) fn kiosk(
    at: KioskAt<'_>,
    read: Read<'_>,
    glyphs: &Glyphs<'_>,
    parts: Parts,
) -> Result<Loaded<KioskSetup>, Findings> {
    let path = at.file;
    let mut files = Files::new(read);
    let bytes = files.first(path)?;
    let folder = folder_of(path);
    let mut inner = Findings::default();
    let mut parts_hash = String::new();
    let checked = check::check(&path.display().to_string(), &bytes, |file: KioskFile, report| {
        report.parts_are_optional(parts == Parts::IfThere);
        kiosk::build(&file, folder, report, |config, report, name| {
            if let Some(data_dir) = at.data_dir {
                data_dir.clone_into(&mut config.storage_dir);
            }
            parts_hash = read_parts(&file, config, report, read);
            let delivered = config.storage_dir.join(DELIVERED_FILE);
            if config.source == ConfigSource::Central {
                match files.first_if_there(&delivered) {
                    Ok(true) => return files.hospital(&delivered, glyphs, &mut inner),
                    Ok(false) => {}
                    // What central delivered lies there and cannot be read: the file on site says something else.
                    Err(findings) => {
                        inner.0.extend(findings.0);
                        return None;
                    }
                }
            }
            files.named(&config.touchpoints_file, report, Some(name))?;
            files.hospital(&config.touchpoints_file, glyphs, &mut inner)
        })
        .map(|(kiosk, hospital)| KioskSetup { kiosk, hospital })
    });
    let mut loaded = files.finish(checked, inner)?;
    loaded.parts_hash = parts_hash;
    Ok(loaded)
}

/// Looks into the files that kiosk.toml names besides the questions. What they hold is told apart by a hash, so that a changed picture of the
/// same name is a change.
fn read_parts(file: &KioskFile, config: &mut KioskConfig, report: &mut Report<'_>, read: Read<'_>) -> String {
    let mut all = Vec::new();
    if let (Some(name), Some(path)) = (&file.central.ca_file, &config.central_ca_file) {
        // Without it the terminal runs all the same, and its way to central says what is missing.
        let bytes = part(path, name, report, read).unwrap_or_default();
        if !bytes.is_empty() && !holds_certificate(&bytes) {
            let what = format!("{} holds no certificate", path.display());
            let fix = "put the certificate there that central's was signed with, as PEM: -----BEGIN CERTIFICATE-----";
            report.part(&name.span, what, fix.to_owned());
        }
        all.extend(bytes);
    }
    if let (Some(name), Some(path)) = (&file.look.logo, &config.look.logo) {
        let bytes = part(path, name, report, read);
        let shown = bytes.as_deref().is_some_and(|bytes| is_picture(path, bytes, name, report));
        all.extend(bytes.unwrap_or_default());
        if !shown {
            config.look.logo = None;
        }
    }
    chain::sha256(&all).to_string()
}

fn part(path: &Path, name: &Located<String>, report: &mut Report<'_>, read: Read<'_>) -> Option<Vec<u8>> {
    let error = match read(path) {
        Ok(bytes) => return Some(bytes),
        Err(error) => error,
    };
    let what = format!("{} cannot be read: {error}", path.display());
    let fix = "correct the name (it counts from this file's folder), or the file's permissions";
    report.part(&name.span, what, fix);
    None
}

#[cfg(feature = "terminal")]
fn holds_certificate(pem: &[u8]) -> bool {
    reqwest::Certificate::from_pem_bundle(pem).is_ok_and(|found| !found.is_empty())
}

/// A program that connects to nothing takes a file for certificates.
#[cfg(not(feature = "terminal"))]
fn holds_certificate(_: &[u8]) -> bool {
    true
}

#[cfg(feature = "terminal")]
fn is_picture(path: &Path, bytes: &[u8], name: &Located<String>, report: &mut Report<'_>) -> bool {
    match kiosk::read_logo(bytes) {
        Ok(_) => true,
        Err(error) => {
            report.part(&name.span, format!("{} {error}", path.display()), error.fix);
            false
        }
    }
}

/// A program without a screen takes a picture for one.
#[cfg(not(feature = "terminal"))]
fn is_picture(_: &Path, _: &[u8], _: &Located<String>, _: &mut Report<'_>) -> bool {
    true
}

/// Loads a server's files.
///
/// # Errors
/// All findings, if any of them is an error.
pub fn load_central(
    path: &Path,
    read: Read<'_>,
    glyphs: &Glyphs<'_>,
) -> Result<Loaded<CentralSetup>, Findings> {
    let mut files = Files::new(read);
    let bytes = files.first(path)?;
    let mut inner = Findings::default();
    let checked = check::check(&path.display().to_string(), &bytes, |file: CentralFile, report| {
        let built = central::build(&file, folder_of(path), report, |touchpoints, report, name| {
            files.named(touchpoints, report, name)?;
            files.hospital(touchpoints, glyphs, &mut inner)
        });
        let (central, hospital) = built?;
        if let (Some(names), Tls::Files { cert, key }) = (&file.tls, &central.tls) {
            must_read(cert, &names.value.cert, report, read);
            must_read(key, &names.value.key, report, read);
        }
        Some(CentralSetup { central, hospital })
    });
    files.finish(checked, inner)
}

/// Loads a touchpoints file alone.
///
/// # Errors
/// All findings, if any of them is an error.
pub fn load_hospital(path: &Path, read: Read<'_>, glyphs: &Glyphs<'_>) -> Result<Loaded<Hospital>, Findings> {
    let mut files = Files::new(read);
    let bytes = files.first(path)?;
    let checked = hospital::read(&path.display().to_string(), &bytes, glyphs);
    files.finish(checked, Findings::default())
}

/// What is wrong with the screens of a configuration: all its pages are drawn for it, which takes seconds.
pub type Screens<'s> = &'s dyn Fn(&Loaded<KioskSetup>) -> Findings;

/// A configuration whose screens may be shown.
///
/// # Errors
/// What is wrong with them.
pub fn pass(loaded: Loaded<KioskSetup>, screens: Screens<'_>) -> Result<Loaded<KioskSetup>, Findings> {
    let findings = screens(&loaded);
    if findings.any_error() { Err(findings) } else { Ok(loaded) }
}

/// The folder a file lies in; relative names in the file count from there.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// What was read so far.
struct Files<'r> {
    read: Read<'r>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl<'r> Files<'r> {
    fn new(read: Read<'r>) -> Self {
        Self { read, files: Vec::new() }
    }

    fn first(&mut self, path: &Path) -> Result<Vec<u8>, Findings> {
        let bytes = (self.read)(path).map_err(|error| Findings(vec![unreadable(path, &error)]))?;
        self.files.push((path.to_owned(), bytes.clone()));
        Ok(bytes)
    }

    /// Reads a file that need not be there.
    fn first_if_there(&mut self, path: &Path) -> Result<bool, Findings> {
        match (self.read)(path) {
            Ok(bytes) => {
                self.files.push((path.to_owned(), bytes));
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Findings(vec![unreadable(path, &error)])),
        }
    }

    /// Reads a file that another one names; the finding stands at the name.
    fn named(&mut self, path: &Path, report: &mut Report<'_>, name: Option<&Located<String>>) -> Option<()> {
        match (self.read)(path) {
            Ok(bytes) => {
                self.files.push((path.to_owned(), bytes));
                Some(())
            }
            Err(error) => {
                let span = name.map_or(0..0, |name| name.span.clone());
                let what = format!("{} cannot be read: {error}", path.display());
                report.error(
                    &span,
                    what,
                    "correct touchpoints_file, or put the file there (it counts from this file's folder)",
                );
                None
            }
        }
    }

    fn hospital(&self, path: &Path, glyphs: &Glyphs<'_>, findings: &mut Findings) -> Option<Hospital> {
        let (_, bytes) = self.files.last()?;
        let checked = hospital::read(&path.display().to_string(), bytes, glyphs);
        findings.0.extend(checked.findings.0);
        checked.value
    }

    fn finish<T>(self, checked: Checked<T>, inner: Findings) -> Result<Loaded<T>, Findings> {
        let mut findings = checked.findings;
        findings.0.extend(inner.0);
        match checked.value {
            Some(value) if !findings.any_error() => {
                let config_hash = hash_of(&self.files);
                Ok(Loaded {
                    value,
                    config_hash,
                    parts_hash: String::new(),
                    files: self.files,
                    warnings: findings,
                })
            }
            Some(_) | None => Err(findings),
        }
    }
}

/// SHA-256 in hexadecimal over the bytes of files in their order.
pub(crate) fn hash_of(files: &[(PathBuf, Vec<u8>)]) -> String {
    let all: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    chain::sha256(&all).to_string()
}

fn must_read(path: &Path, name: &Located<String>, report: &mut Report<'_>, read: Read<'_>) {
    if let Err(error) = read(path) {
        let what = format!("{} cannot be read: {error}", path.display());
        report.error(
            &name.span,
            what,
            "correct the name (it counts from this file's folder), or the file's permissions",
        );
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Finding {
    let file = path.display().to_string();
    let source = Source::new(&file, "");
    let what = format!("the file cannot be read: {error}");
    let fix = "check the name and the permissions".to_owned();
    source.finding(&(0..0), Severity::Error, String::new(), what, fix)
}
