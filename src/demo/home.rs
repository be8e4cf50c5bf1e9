//! The demo's folder: configuration, the terminal's data and central's.

use std::{
    fs::DirBuilder,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    clock::{Clock as _, SystemClock, fresh},
    config::{self, Glyphs, KioskSetup, Loaded},
    journal::{Journal, OpenArgs},
    lang::Languages,
    terminal::IDENTITY_FILE,
};

/// Where the demo keeps its things. A temporary one is removed at the end.
pub(super) struct Home {
    pub(super) path: PathBuf,
    temporary: bool,
}

impl Home {
    pub(super) fn new(data: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = match data {
            Some(path) => (path.to_owned(), false),
            None => (temporary_folder()?, true),
        };
        let home = Self { path, temporary };
        for folder in [home.path.clone(), home.config_dir(), home.kiosk_dir(), home.central_dir()] {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        // The example files as they stand; what somebody changed in a kept folder stays.
        for (name, text) in [
            ("kiosk.toml", config::EXAMPLE_KIOSK),
            ("central.toml", config::EXAMPLE_CENTRAL),
            ("touchpoints.toml", config::EXAMPLE_TOUCHPOINTS),
        ] {
            let file = home.config_dir().join(name);
            if !file.exists() {
                std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
        Ok(home)
    }

    pub(super) fn config_dir(&self) -> PathBuf {
        self.path.join("config")
    }

    pub(super) fn kiosk_toml(&self) -> PathBuf {
        self.config_dir().join("kiosk.toml")
    }

    pub(super) fn kiosk_dir(&self) -> PathBuf {
        self.path.join("kiosk")
    }

    /// The terminal of the example history.
    pub(super) fn example_dir(&self) -> PathBuf {
        self.path.join("example")
    }

    /// Whether somebody's answers may be here: the terminal is enrolled already.
    pub(super) fn is_used(&self) -> bool {
        self.kiosk_dir().join(IDENTITY_FILE).exists()
    }

    pub(super) fn central_dir(&self) -> PathBuf {
        self.path.join("central")
    }

    pub(super) fn load(&self) -> anyhow::Result<Loaded<KioskSetup>> {
        let fonts = Languages::beside(&self.kiosk_toml())?.fonts;
        config::load_kiosk(&self.kiosk_toml(), &|path| config::read_file(path), &Glyphs::new(&fonts))
            .map_err(|findings| anyhow::anyhow!("the configuration has errors:\n{findings}"))
    }

    /// The place of the last entry in the terminal's journal.
    pub(super) fn last_seq(&self) -> anyhow::Result<u64> {
        let args = OpenArgs::new(fresh::chain_id(), SystemClock::new().now());
        let (journal, _) = Journal::open(&self.kiosk_dir(), args).context("cannot open the journal")?;
        Ok(journal.head().seq)
    }

    /// The terminal finds central where it really listens.
    pub(super) fn write_kiosk(&self, central: SocketAddr) -> anyhow::Result<()> {
        let file = self.kiosk_toml();
        let text = std::fs::read_to_string(&file)?;
        let lines = text.lines().map(|line| match line.trim_start().strip_prefix("url =") {
            Some(_) => format!("url = \"http://{central}\""),
            None => line.to_owned(),
        });
        let text = lines.collect::<Vec<_>>().join("\n") + "\n";
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// A new folder that nobody else can look into.
fn temporary_folder() -> anyhow::Result<PathBuf> {
    let name: String = fresh::bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let path = std::env::temp_dir().join(format!("xinsheng-demo-{name}"));
    let made = DirBuilder::new().mode(0o700).create(&path);
    made.with_context(|| format!("cannot make the folder {}", path.display()))?;
    Ok(path)
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the demo's temporary folder stays");
        }
    }
}
