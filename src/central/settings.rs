//! What central runs with: plain values, filled by the config layer, the demo or a test.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use super::scores::{LIMIT_DEFAULT, Suppression};
use crate::{
    config::{CentralSetup, Loaded, Tls},
    wire::BATCH_BYTES_MAX,
};

/// What central runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the database and of central's key.
    pub data_dir: PathBuf,
    /// Where it was told to listen; `None` where somebody else made the listener.
    pub listen: Option<SocketAddr>,
    /// Certificate and key as PEM files, if central itself speaks TLS.
    pub tls: Option<TlsFiles>,
    /// A proxy in front of it speaks TLS.
    pub behind_proxy: bool,
    /// What one request and one terminal may ask for.
    pub limits: Limits,
    /// The rule for small counts.
    pub suppression: Suppression,
    /// When terminals come again if they have nothing to say, in seconds.
    pub next_sync_after_s: u32,
    /// The touchpoints file that is delivered to terminals that ask for it.
    pub delivered: Option<Vec<u8>>,
}

impl Settings {
    /// Defaults for a data folder: loopback, no delivery.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: None,
            tls: None,
            behind_proxy: false,
            limits: Limits::default(),
            suppression: Suppression { limit: LIMIT_DEFAULT },
            next_sync_after_s: 60,
            delivered: None,
        }
    }

    /// What central.toml says, with another data folder if one is given.
    pub fn of(loaded: &Loaded<CentralSetup>, data_dir: Option<&Path>) -> Self {
        let settings = Self::from_config(loaded);
        let data_dir = data_dir.map_or_else(|| settings.data_dir.clone(), Path::to_path_buf);
        Self { data_dir, ..settings }
    }

    /// What central.toml says.
    pub fn from_config(loaded: &Loaded<CentralSetup>) -> Self {
        let config = &loaded.value.central;
        let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let touchpoints = loaded.files.iter().find(|(path, _)| *path == config.touchpoints_file);
        Self {
            data_dir: config.data_dir.clone(),
            listen: Some(config.listen),
            tls: match &config.tls {
                Tls::Files { cert, key } => Some(TlsFiles { cert: cert.clone(), key: key.clone() }),
                Tls::Loopback | Tls::BehindProxy => None,
            },
            behind_proxy: config.tls == Tls::BehindProxy,
            limits: Limits {
                body_bytes: usize::try_from(config.limits.body_bytes).unwrap_or(usize::MAX),
                request_timeout: config.limits.request_timeout,
                requests_per_minute: at_least_one(config.limits.requests_per_minute),
                ..Limits::default()
            },
            suppression: Suppression { limit: config.hide_below.into() },
            next_sync_after_s: u32::try_from(config.next_sync_after.as_secs()).unwrap_or(u32::MAX),
            delivered: touchpoints.filter(|_| config.deliver_config).map(|(_, bytes)| bytes.clone()),
        }
    }

    /// Whether ratings would cross a network unencrypted.
    pub(super) fn would_be_plain_on(&self, address: IpAddr) -> bool {
        self.tls.is_none() && !self.behind_proxy && !address.is_loopback()
    }
}

/// PEM files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// Certificate, followed by the ones between it and the authority.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// What one request and one terminal may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most bytes of a body, as sent and after decompression.
    pub body_bytes: usize,
    /// Time for one request, its body included.
    pub request_timeout: Duration,
    /// Requests of one terminal in a minute; as many may come at once.
    pub requests_per_minute: NonZeroU32,
    /// Enrolments of all terminals together in a minute: guessing a code of fifteen digits then takes ten million years.
    pub enrolments_per_minute: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: BATCH_BYTES_MAX,
            request_timeout: Duration::from_secs(30),
            // A backlog of a month drains at a batch a request; 600 of them are 300,000 entries a minute.
            requests_per_minute: NonZeroU32::new(600).unwrap_or(NonZeroU32::MIN),
            enrolments_per_minute: NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN),
        }
    }
}
