//! What central runs with: what central.toml says, and the file that terminals get from here.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::domain::scores::Suppression;
use crate::config::{CentralConfig, CentralSetup, Loaded, Tls};

/// Longer takes no reader on a working line.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A renewal is done weeks before the old certificate ends.
const CERTIFICATE_EVERY: Duration = Duration::from_mins(1);

/// What central runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What central.toml says.
    pub config: CentralConfig,
    /// For a piece of an answer that nobody takes.
    pub stall_timeout: Duration,
    /// How often the certificate's files are looked at.
    pub certificate_every: Duration,
    /// The touchpoints file that is delivered to terminals that ask for it.
    pub delivered: Option<Vec<u8>>,
    /// Takes in a terminal with made-up answers (`wire::EXAMPLE_HARDWARE`); only the demo does.
    pub example: bool,
}

impl Settings {
    /// Defaults for a data folder: loopback, no delivery.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self::of_config(CentralConfig::on_loopback(data_dir), None)
    }

    /// What central.toml says, with another data folder if one is given.
    pub fn of(loaded: &Loaded<CentralSetup>, data_dir: Option<&Path>) -> Self {
        let mut settings = Self::from_config(loaded);
        if let Some(dir) = data_dir {
            settings.config.data_dir = dir.to_owned();
        }
        settings
    }

    /// What central.toml says.
    pub fn from_config(loaded: &Loaded<CentralSetup>) -> Self {
        let config = loaded.value.central.clone();
        let touchpoints = loaded.files.iter().find(|(path, _)| *path == config.touchpoints_file);
        let delivered =
            touchpoints.filter(|_| config.terminals.deliver_config).map(|(_, bytes)| bytes.clone());
        Self::of_config(config, delivered)
    }

    fn of_config(config: CentralConfig, delivered: Option<Vec<u8>>) -> Self {
        let (stall_timeout, certificate_every) = (STALL_TIMEOUT, CERTIFICATE_EVERY);
        Self { config, stall_timeout, certificate_every, delivered, example: false }
    }

    /// The rule for small counts.
    pub(super) fn suppression(&self) -> Suppression {
        Suppression { limit: self.config.scores.hide_below.into() }
    }

    /// When terminals come again if they have nothing to say, in seconds.
    pub(super) fn next_sync_after_s(&self) -> u32 {
        self.config.terminals.next_sync_after_s.into()
    }

    /// Whether ratings would cross a network unencrypted.
    pub(super) fn would_be_plain_on(&self, address: IpAddr) -> bool {
        let by_proxy = self.talks_to_proxies_only() && !self.config.trusted_proxies.is_empty();
        !self.config.tls.encrypts_here() && !by_proxy && !address.is_loopback()
    }

    /// Whether whoever is neither on this machine nor a trusted proxy is turned away: it would not be encrypted.
    pub(super) fn talks_to_proxies_only(&self) -> bool {
        self.config.tls == Tls::BehindProxy
    }

    /// The path central is served under, without a slash at the end; mostly empty.
    pub(super) fn base_path(&self) -> &str {
        let url = self.config.public_url.as_deref();
        let rest = url.and_then(|url| url.split_once("://")).map_or("", |(_, rest)| rest);
        let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default().trim_end_matches('/');
        // It stands in the page and in the router: nothing that means something there.
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/".contains(c));
        if plain { path } else { "" }
    }
}
