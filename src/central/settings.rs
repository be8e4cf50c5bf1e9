//! What central runs with: what central.toml says, and the file that terminals get from here.

use std::{net::IpAddr, path::PathBuf};

use super::scores::Suppression;
use crate::config::{CentralConfig, CentralSetup, Loaded, Tls};

/// What central runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What central.toml says.
    pub config: CentralConfig,
    /// The touchpoints file that is delivered to terminals that ask for it.
    pub delivered: Option<Vec<u8>>,
    /// Takes in a terminal with made-up answers (`wire::EXAMPLE_HARDWARE`); only the demo does.
    pub example: bool,
}

impl Settings {
    /// Defaults for a data folder: loopback, no delivery.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { config: CentralConfig::on_loopback(data_dir), delivered: None, example: false }
    }

    /// What central.toml says.
    pub fn from_config(loaded: &Loaded<CentralSetup>) -> Self {
        let config = loaded.value.central.clone();
        let touchpoints = loaded.files.iter().find(|(path, _)| *path == config.touchpoints_file);
        let delivered = touchpoints.filter(|_| config.terminals.deliver_config);
        Self { delivered: delivered.map(|(_, bytes)| bytes.clone()), config, example: false }
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
        self.config.tls == Tls::Loopback && !address.is_loopback()
    }
}
