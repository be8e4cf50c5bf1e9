//! A whole terminal but for its window: configuration, journal, way to central, and the watch over the files.
//!
//! [`Terminal::start`] brings up everything that has a thread of its own; [`Terminal::parts`] is what a screen needs of it; and
//! [`Terminal::attach`] lets the threads tell that screen what changed. The same code runs under a real window, on the simulated panel
//! and in the demo.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use anyhow::Context;

use super::{Messenger, Parts, Store};
use crate::{
    clock::{Clock, fresh},
    config::{self, Change, Findings, Glyphs, KioskConfig, KioskSetup, LastGood, Loaded, Origin, Started},
    journal::{Journal, OpenArgs, OpenReport, Recorder, RecorderHandle},
    lang::Catalogue,
    model::Lang,
    panel::{Panel, Rotation, usual_viewing_distance_mm},
    survey::{Plan, Start, Timing},
    sync,
    wire::{Body, BootFacts, ConfigChange, Draft, ScreenFacts},
};

/// The fonts of the screens: what the check looks glyphs up in.
pub const FONTS: [&[u8]; 2] = [
    include_bytes!("../../assets/fonts/NotoSansSC-Regular.ttf"),
    include_bytes!("../../assets/fonts/NotoSansSC-Bold.ttf"),
];

/// How long "could not be saved" stays; not configurable: it must be read.
const NOT_STORED_MS: u64 = 10_000;

/// Where a terminal finds its things.
#[derive(Clone, Debug)]
pub struct Place {
    /// kiosk.toml.
    pub config: PathBuf,
    /// Journal, key and last good configuration; `None`: where kiosk.toml says.
    pub data: Option<PathBuf>,
}

/// The running threads of a terminal.
pub struct Terminal {
    place: Place,
    data: PathBuf,
    started: Started,
    report: OpenReport,
    recorder: Recorder,
    sync: Arc<OnceLock<sync::SyncHandle>>,
    clock: Arc<dyn Clock>,
    watch: Option<config::Watch>,
}

impl Terminal {
    /// Reads the configuration, opens the journal and starts the way to central.
    ///
    /// # Errors
    /// A journal that another program has, or a disk that refuses everything. A wrong configuration is no error: the last good one or
    /// the built-in questions are in force, and [`Terminal::started`] says why.
    pub fn start(place: Place, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let data = place.data.clone().or_else(|| config::data_dir_of(&place.config, &read)).unwrap_or_else(|| {
            let folder = place.config.parent().unwrap_or(Path::new("."));
            folder.join("data")
        });
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
        let identity = sync::Identity::load(&sync::Identity::path_in(&data)).ok();
        let enrolled_for = identity.as_ref().map(|identity| &identity.touchpoint);
        let started = config::start(&place.config, &data, enrolled_for, &read, &Glyphs::new(&FONTS));
        let (journal, report) =
            Journal::open(&data, OpenArgs::new(fresh::chain_id(), clock.now())).context("cannot open the journal")?;
        let sync: Arc<OnceLock<sync::SyncHandle>> = Arc::default();
        let waker = sync.clone();
        let recorder = Recorder::spawn(journal, clock.clone(), move |_| {
            if let Some(sync) = waker.get() {
                sync.nudge();
            }
        })
        .context("cannot start the journal's thread")?;
        let terminal = Self { place, data, started, report, recorder, sync, clock, watch: None };
        terminal.note_start()?;
        Ok(terminal)
    }

    /// What is in force and where it came from.
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// How the journal was found.
    pub fn report(&self) -> &OpenReport {
        &self.report
    }

    /// Where journal and key lie.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The journal's thread.
    pub fn recorder(&self) -> RecorderHandle {
        self.recorder.handle()
    }

    /// The way to central, once [`Terminal::connect`] has started it.
    pub fn sync(&self) -> Option<&sync::SyncHandle> {
        self.sync.get()
    }

    /// What a screen needs.
    ///
    /// # Errors
    /// The words of the pages cannot be read.
    pub fn parts(&self) -> anyhow::Result<Parts> {
        let setup = &self.started.loaded.value;
        Ok(Parts {
            plan: plan_of(setup),
            catalogue: Catalogue::shipped()?,
            second_language: setup.kiosk.second_language.clone(),
            panel: panel_of(&setup.kiosk),
            low_reach: setup.kiosk.panel.low_reach,
            full_screen: setup.kiosk.panel.full_screen,
            clock: self.clock.clone(),
            store: self.store(),
        })
    }

    /// The way of drafts to the journal.
    pub fn store(&self) -> Store {
        let recorder = self.recorder.handle();
        Box::new(move |drafts, reply| {
            recorder.append(drafts, move |stored| reply(stored.is_ok()));
        })
    }

    /// Lets the threads tell the screen about new configuration and trouble, from now on.
    ///
    /// # Errors
    /// The watch over the files cannot start.
    pub fn attach(&mut self, messenger: &Messenger) -> anyhow::Result<()> {
        if self.started.origin != Origin::Files {
            messenger.badge(&refused_words());
        }
        let tell = self.on_change(messenger.clone());
        let seen = self.started.loaded.config_hash.clone();
        let watch = config::Watch::spawn(self.place.config.clone(), seen, FONTS.to_vec(), tell)
            .context("cannot watch the configuration files")?;
        self.watch = Some(watch);
        Ok(())
    }

    /// Ends the threads in order: nothing new comes in, then what is in hand is written.
    pub fn stop(self) {
        drop(self.watch);
        if let Some(sync) = self.sync.get() {
            sync.stop();
        }
        self.recorder.stop();
    }

    fn on_change(&self, messenger: Messenger) -> impl FnMut(Change) + Send + 'static {
        let (recorder, clock) = (self.recorder.handle(), self.clock.clone());
        let last_good = LastGood::in_dir(&self.data);
        move |change| match change {
            Change::New(loaded) => {
                keep(&last_good, &loaded);
                record(&recorder, &*clock, config_entry(&loaded.config_hash, None));
                messenger.plan(plan_of(&loaded.value));
                messenger.badge("");
                tracing::info!(config_hash = %loaded.config_hash, "new configuration in force");
            }
            Change::Refused(findings) => {
                tracing::error!("changed configuration refused, the last good one stays in force:\n{findings}");
                record(&recorder, &*clock, config_entry("", Some(&findings)));
                messenger.badge(&refused_words());
            }
        }
    }

    /// The first entries of a run, and the last good configuration.
    fn note_start(&self) -> anyhow::Result<()> {
        let loaded = &self.started.loaded;
        let now = self.clock.now();
        let facts = BootFacts {
            software: env!("CARGO_PKG_VERSION").into(),
            config_hash: loaded.config_hash.clone(),
            boot: now.boot,
            clock: now.quality,
        };
        record(&self.recorder.handle(), &*self.clock, Body::Boot(facts));
        match self.started.origin {
            Origin::Files => keep(&LastGood::in_dir(&self.data), loaded),
            Origin::LastGood | Origin::BuiltIn => {
                tracing::error!("the configuration is wrong, an older one is in force:\n{}", self.started.findings);
                let entry = config_entry("", Some(&self.started.findings));
                record(&self.recorder.handle(), &*self.clock, entry);
            }
        }
        Ok(())
    }
}

/// What the survey makes of a setup.
pub fn plan_of(setup: &KioskSetup) -> Plan {
    let (kiosk, hospital) = (&setup.kiosk, Arc::new(setup.hospital.clone()));
    let languages: Vec<Lang> =
        if kiosk.languages.is_empty() { hospital.languages.clone() } else { kiosk.languages.clone() };
    let ms = |wait: std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Plan {
        hospital,
        touchpoints: kiosk.touchpoints.clone(),
        languages,
        start: match kiosk.start {
            config::Start::Attract => Start::Attract,
            config::Start::Question => Start::Question,
        },
        timing: Timing {
            idle_ms: ms(kiosk.timing.idle),
            warning_ms: ms(kiosk.timing.warning),
            undo_ms: ms(kiosk.timing.undo),
            not_stored_ms: NOT_STORED_MS,
            ..Timing::default()
        },
    }
}

/// The glass of a terminal.
pub fn panel_of(kiosk: &KioskConfig) -> Panel {
    let panel = &kiosk.panel;
    Panel {
        diagonal_in: panel.diagonal_in,
        width_px: panel.width_px,
        height_px: panel.height_px,
        viewing_distance_mm: panel
            .viewing_distance_mm
            .unwrap_or_else(|| usual_viewing_distance_mm(panel.diagonal_in)),
        rotation: match panel.rotation_deg {
            90 => Rotation::Quarter,
            180 => Rotation::Half,
            270 => Rotation::ThreeQuarters,
            _ => Rotation::None,
        },
    }
}

/// What central is told about the glass.
pub fn screen_of(kiosk: &KioskConfig) -> ScreenFacts {
    let (width_px, height_px) = panel_of(kiosk).page_px();
    ScreenFacts { width_px, height_px }
}

pub(crate) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

fn refused_words() -> String {
    crate::lang::Text::BadgeConfigRefused.source().to_owned()
}

fn config_entry(config_hash: &str, refused: Option<&Findings>) -> Body {
    Body::Config(ConfigChange {
        config_hash: config_hash.into(),
        accepted: refused.is_none(),
        // The first finding is enough for a journal; all of them are in the log.
        reason: refused.and_then(|findings| findings.0.first()).map(|finding| finding.what.clone()),
    })
}

fn keep(last_good: &LastGood, loaded: &Loaded<KioskSetup>) {
    if let Err(error) = last_good.save(loaded) {
        tracing::warn!(error = &error as &dyn std::error::Error, "the configuration in force could not be kept for later");
    }
}

/// Writes an entry about the terminal itself. Nobody is thanked for it, so a failure is only logged (by the recorder).
fn record(recorder: &RecorderHandle, clock: &dyn Clock, body: Body) {
    let at = clock.now();
    recorder.append(vec![Draft { id: fresh::entry_id(&at), at, body }], |_| {});
}
