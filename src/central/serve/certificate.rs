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

use crate::{
    central::{
        app::App,
        certificate::{ServedKey, colons, key_of, names_in},
        host::Names,
    },
    chain,
    model::Hash,
};

/// PEM files.
#[derive(Clone)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

pub(super) struct Certificate {
    files: Files,
    names: Arc<Names>,
    served_key: Arc<ServedKey>,
    held: RwLock<Held>,
}

struct Held {
    config: Arc<ServerConfig>,
    /// What was looked at last, good or bad, so that each change is told once.
    seen: Hash,
}

impl Certificate {
    pub(super) fn load(cert: &Path, key: &Path, app: &App) -> anyhow::Result<Self> {
        let files = Files { cert: cert.to_owned(), key: key.to_owned() };
        let pem = Pem::read(&files)?;
        let seen = pem.hash();
        let (config, first) = pem.build(&files)?;
        let held = RwLock::new(Held { config: Arc::new(config), seen });
        let (names, served_key) = (Arc::clone(&app.names), Arc::clone(&app.served_key));
        let loaded = Self { files, names, served_key, held };
        loaded.tell(first.as_ref());
        Ok(loaded)
    }

    /// Lets the rest of central know what is served, and whoever reads the log compare it.
    fn tell(&self, first: Option<&CertificateDer<'static>>) {
        self.names.set_certificate(first.map(names_in).unwrap_or_default());
        self.served_key.set(first.and_then(key_of));
        if let Some(first) = first {
            let sha256 = colons(chain::sha256(first));
            tracing::info!(cert = %self.files.cert.display(), sha256, "the certificate in force");
        }
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
            Ok((config, first)) => {
                held.config = Arc::new(config);
                self.tell(first.as_ref());
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

    /// What to serve with, and the certificate itself.
    fn build(&self, files: &Files) -> anyhow::Result<(ServerConfig, Option<CertificateDer<'static>>)> {
        let what = || {
            format!(
                "cannot use the certificate {} with the key {}",
                files.cert.display(),
                files.key.display()
            )
        };
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&self.cert).collect::<Result<_, _>>().with_context(what)?;
        let first = certificates.first().cloned();
        let key = PrivateKeyDer::from_pem_slice(&self.key).with_context(what)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .with_context(what)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .with_context(what)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((config, first))
    }
}
