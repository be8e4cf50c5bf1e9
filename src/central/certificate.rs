//! What is to be known of the certificate that central serves with: its fingerprint, its key, its names.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use anyhow::Context as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::{clock, own_certificate, settings::Settings};
use crate::{chain, config::Tls, durable, model::Hash};

/// The key of the certificate that is served at the moment, for those who ask central for its word.
#[derive(Default)]
pub(super) struct ServedKey(RwLock<Option<Hash>>);

impl ServedKey {
    pub(super) fn get(&self) -> Option<Hash> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, key: Option<Hash>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

/// What people compare, and what terminals know central by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFacts {
    /// The file it lies in.
    pub file: PathBuf,
    /// SHA-256 of the certificate, as browsers show it.
    pub fingerprint: Hash,
    /// SHA-256 of its key (`SubjectPublicKeyInfo`).
    pub key: Hash,
    /// The host names in it; addresses are not listed.
    pub names: Vec<String>,
    /// The file's text.
    pub pem: String,
}

impl CertificateFacts {
    /// Of the first certificate in a file.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let pem = durable::read_file(file).with_context(|| format!("cannot read {}", file.display()))?;
        let first = CertificateDer::from_pem_slice(&pem)
            .with_context(|| format!("{} holds no certificate; put it back from a backup", file.display()))?;
        Ok(Self {
            file: file.to_owned(),
            fingerprint: chain::sha256(&first),
            key: key_of(&first).with_context(|| format!("{} holds no usable certificate", file.display()))?,
            names: names_in(&first),
            pem: String::from_utf8_lossy(&pem).into_owned(),
        })
    }
}

impl fmt::Display for CertificateFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "certificate  {}", self.file.display())?;
        writeln!(f, "SHA-256      {}", colons(self.fingerprint))?;
        writeln!(f, "key          {}", self.key)?;
        write!(f, "names        {}", self.names.join(" "))
    }
}

/// As browsers write a fingerprint.
pub(super) fn colons(fingerprint: Hash) -> String {
    fingerprint.0.map(|byte| format!("{byte:02X}")).join(":")
}

/// The certificate that a central with these settings serves with; its own is made if it is not there yet. `None` where it does not encrypt.
pub fn certificate(settings: &Settings) -> anyhow::Result<Option<CertificateFacts>> {
    match &settings.config.tls {
        Tls::Loopback | Tls::BehindProxy => Ok(None),
        Tls::Own => {
            let (cert, _) = own_certificate::make_if_missing(settings, clock::now())?;
            CertificateFacts::read(&cert).map(Some)
        }
        Tls::Files { cert, .. } => CertificateFacts::read(cert).map(Some),
    }
}

/// Makes another certificate of central's own, with another key, and sets the old one aside. A running central serves it within a minute.
pub fn new_certificate(settings: &Settings) -> anyhow::Result<(CertificateFacts, Option<PathBuf>)> {
    anyhow::ensure!(
        settings.config.tls == Tls::Own,
        "central serves no certificate of its own: central.toml names files under [tls], a proxy, or this machine alone"
    );
    let aside = own_certificate::replace(settings, clock::now())?;
    let (cert, _) = own_certificate::files(&settings.config.data_dir);
    Ok((CertificateFacts::read(&cert)?, aside))
}

/// SHA-256 of the key in a certificate: the same for every certificate with that key.
pub(super) fn key_of(certificate: &CertificateDer<'_>) -> Option<Hash> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    Some(chain::sha256(parsed.subject_public_key_info().as_ref()))
}

/// The host names that a certificate is for.
pub(super) fn names_in(certificate: &CertificateDer<'_>) -> Vec<String> {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    parsed.map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
}
