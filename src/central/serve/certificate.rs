//! Central's certificate, read again when its files change: a renewed one is served without a restart, and one that cannot be used leaves
//! the old one in place.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Context as _;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{central::host::Names, chain, model::Hash};

/// PEM files.
#[derive(Clone)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

pub(super) struct Certificate {
    files: Files,
    names: Arc<Names>,
    held: RwLock<Held>,
}

struct Held {
    config: Arc<ServerConfig>,
    /// What was looked at last, good or bad, so that each change is told once.
    seen: Hash,
}

impl Certificate {
    pub(super) fn load(cert: &Path, key: &Path, names: Arc<Names>) -> anyhow::Result<Self> {
        let files = Files { cert: cert.to_owned(), key: key.to_owned() };
        let pem = Pem::read(&files)?;
        let seen = pem.hash();
        let (config, called) = pem.build(&files)?;
        names.set_certificate(called);
        Ok(Self { files, names, held: RwLock::new(Held { config: Arc::new(config), seen }) })
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// Looks at the files again. Connections that are open keep what they began with.
    pub(super) fn renew(&self) {
        let pem = match Pem::read(&self.files) {
            Ok(pem) => pem,
            // A renewal that replaces one file after the other; the next look finds both.
            Err(error) => return tracing::warn!(error = format!("{error:#}"), "the old certificate stays"),
        };
        let seen = pem.hash();
        if self.held.read().unwrap_or_else(PoisonError::into_inner).seen == seen {
            return;
        }
        let built = pem.build(&self.files);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.seen = seen;
        match built {
            Ok((config, called)) => {
                held.config = Arc::new(config);
                self.names.set_certificate(called);
                tracing::info!(cert = %self.files.cert.display(), "the renewed certificate is in force");
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the renewed certificate cannot be used; the old one stays"
                );
            }
        }
    }
}

struct Pem {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Pem {
    fn read(files: &Files) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            crate::durable::read_file(path).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(Self { cert: read(&files.cert)?, key: read(&files.key)? })
    }

    fn hash(&self) -> Hash {
        chain::link(chain::sha256(&self.cert), chain::sha256(&self.key))
    }

    /// What to serve with, and the names that the certificate is for.
    fn build(&self, files: &Files) -> anyhow::Result<(ServerConfig, Vec<String>)> {
        let what = || {
            format!(
                "cannot use the certificate {} with the key {}",
                files.cert.display(),
                files.key.display()
            )
        };
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&self.cert).collect::<Result<_, _>>().with_context(what)?;
        let called = certificates.first().map(names_in).unwrap_or_default();
        let key = PrivateKeyDer::from_pem_slice(&self.key).with_context(what)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .with_context(what)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .with_context(what)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((config, called))
    }
}

fn names_in(certificate: &CertificateDer<'static>) -> Vec<String> {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    parsed.map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
}
