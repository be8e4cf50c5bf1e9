//! What central runs with: plain values, filled by the config layer, the demo or a test.

use std::{net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use ipnet::IpNet;

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
    /// Certificate and key as PEM files, if central itself speaks TLS.
    pub tls: Option<TlsFiles>,
    /// A proxy in front of it speaks TLS: on this machine, or one of `trusted_proxies`.
    pub behind_proxy: bool,
    /// Proxies on other machines. They alone may say for whom they ask, and bring as many connections as they need.
    pub trusted_proxies: Vec<IpNet>,
    /// Its address as terminals and browsers see it; a path in it is where it is served.
    pub public_url: Option<String>,
    /// More names it is reached by.
    pub hosts: Vec<String>,
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
            tls: None,
            behind_proxy: false,
            trusted_proxies: Vec::new(),
            public_url: None,
            hosts: Vec::new(),
            limits: Limits::default(),
            suppression: Suppression { limit: LIMIT_DEFAULT },
            next_sync_after_s: 60,
            delivered: None,
        }
    }

    /// What central.toml says.
    pub fn from_config(loaded: &Loaded<CentralSetup>) -> Self {
        let config = &loaded.value.central;
        let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let touchpoints = loaded.files.iter().find(|(path, _)| *path == config.touchpoints_file);
        Self {
            data_dir: config.data_dir.clone(),
            tls: match &config.tls {
                Tls::Files { cert, key } => Some(TlsFiles { cert: cert.clone(), key: key.clone() }),
                Tls::Loopback | Tls::BehindProxy => None,
            },
            behind_proxy: config.tls == Tls::BehindProxy,
            trusted_proxies: config.trusted_proxies.clone(),
            public_url: config.public_url.clone(),
            hosts: config.hosts.clone(),
            limits: Limits {
                body_bytes: usize::try_from(config.limits.body_bytes).unwrap_or(usize::MAX),
                request_timeout: config.limits.request_timeout,
                requests_per_minute: at_least_one(config.limits.requests_per_minute),
                connections: config.limits.connections,
                connections_per_address: config.limits.connections_per_address,
                pages_per_address: config.limits.pages_per_address,
                head_timeout: config.limits.head_timeout,
                idle_timeout: config.limits.idle_timeout,
                ..Limits::default()
            },
            suppression: Suppression { limit: config.hide_below.into() },
            next_sync_after_s: u32::try_from(config.next_sync_after.as_secs()).unwrap_or(u32::MAX),
            delivered: touchpoints.filter(|_| config.deliver_config).map(|(_, bytes)| bytes.clone()),
        }
    }

    /// Whether ratings would cross a network unencrypted.
    pub(super) fn would_be_plain_on(&self, address: IpAddr) -> bool {
        let by_proxy = self.behind_proxy && !self.trusted_proxies.is_empty();
        self.tls.is_none() && !by_proxy && !address.is_loopback()
    }

    /// Whether whoever is neither on this machine nor a trusted proxy is turned away: it would not be encrypted.
    pub(super) fn talks_to_proxies_only(&self) -> bool {
        self.tls.is_none() && self.behind_proxy
    }

    /// The path central is served under, without a slash at the end; mostly empty.
    pub(super) fn base_path(&self) -> &str {
        let rest =
            self.public_url.as_deref().and_then(|url| url.split_once("://")).map_or("", |(_, rest)| rest);
        let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default().trim_end_matches('/');
        // It stands in the page and in the router: nothing that means something there.
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/".contains(c));
        if plain { path } else { "" }
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
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address that is no trusted proxy.
    pub connections_per_address: usize,
    /// Open pages of one address.
    pub pages_per_address: usize,
    /// From accept to the end of the first request's head.
    pub head_timeout: Duration,
    /// Between two requests of a connection, the next head included.
    pub idle_timeout: Duration,
    /// For a piece of an answer that nobody takes.
    pub stall_timeout: Duration,
    /// How often the certificate's files are looked at.
    pub certificate_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: BATCH_BYTES_MAX,
            request_timeout: Duration::from_secs(30),
            // A backlog of a month drains at a batch a request; 600 of them are 300,000 entries a minute.
            requests_per_minute: NonZeroU32::new(600).unwrap_or(NonZeroU32::MIN),
            enrolments_per_minute: NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN),
            // A terminal connects for a request of some milliseconds, a page holds one: enough for a thousand terminals and all pages.
            connections: 1024,
            // A whole hospital behind one address has a share of the connections that leaves others room.
            connections_per_address: 512,
            pages_per_address: 128,
            head_timeout: Duration::from_secs(10),
            // Proxies and browsers keep connections for the next request about as long.
            idle_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            certificate_every: Duration::from_mins(1),
        }
    }
}
