//! A whole terminal but for its screen: configuration, journal, way to central, sound, staff area, and the watch over the files.
//!
//! [`Assembly::start`] brings up everything that has a thread of its own; [`Terminal::parts`] is what a screen is made of; and
//! [`Terminal::attach`] lets the threads tell that screen what changed. The same code runs under a real window, on the simulated panel,
//! in the demo, and without any screen in the end-to-end tests. It does not know Slint.

mod assembly;
mod badge;
mod in_force;
mod languages;
mod look;
mod screen;
pub mod screen_check;
mod setup;
mod storage;

pub use assembly::{Assembly, Place};
pub use languages::languages_beside;
pub use look::{Ambient, Look};
pub use screen::{Parts, Reply, Screen, Setup, StaffParts, Store};
pub use screen_check::ScreenCheck;
pub(crate) use setup::screen_of;
pub use setup::{look_of, panel_of, plan_of, setup_of};
pub use storage::outcome_of;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;

use crate::{
    config::{self, Change, Findings, Glyphs, KioskSetup, LastGood, Loaded, Origin, Started},
    journal::{Keeping, OpenReport, Recorder, RecorderHandle},
    lang::{Languages, Text},
    sound::{self, Sound},
    staff::{
        FileSays, StaffChoices, Volume, places_on_offer,
        worker::{Settings, StaffWorker, WorkerArgs},
    },
    start_guard::{Profile, Settling},
    survey::{JournalPlace, StoreOutcome},
    sync::{self, Link, SyncArgs},
    wire::Body,
};
use in_force::{Badges, Diary, InForce, keep, lock};
use setup::{address_of, level_of};
use storage::KeepingWatch;

/// The name of the identity file in a terminal's data folder.
pub const IDENTITY_FILE: &str = "identity.json";

/// The running threads of a terminal.
pub struct Terminal {
    assembly: Assembly,
    data: PathBuf,
    started: Started,
    unjudged: bool,
    languages: Languages,
    report: OpenReport,
    recorder: Recorder,
    diary: Diary,
    link: Link,
    sync: sync::SyncHandle,
    inbox: Option<sync::SyncInbox>,
    sync_worker: Option<sync::SyncWorker>,
    watch: Option<config::Watch>,
    badges: Badges,
    in_force: Arc<Mutex<InForce>>,
    staff: Arc<Mutex<Option<StaffWorker>>>,
    screen: Arc<Mutex<Option<Arc<dyn Screen>>>>,
    sound: Sound,
    restart: Arc<AtomicBool>,
    keeping: KeepingWatch,
    settling: Settling,
    profile: Profile,
}

/// Says what is wrong with the screens of a configuration.
type Judge = Box<dyn Fn(&Loaded<KioskSetup>) -> Findings + Send>;

impl Terminal {
    /// What it started with and where that came from.
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// The languages that the pages speak and the fonts they are drawn in.
    pub fn languages(&self) -> &Languages {
        &self.languages
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

    /// The way to central; it goes nowhere before [`Terminal::attach`].
    pub fn sync(&self) -> &sync::SyncHandle {
        &self.sync
    }

    /// The identity file.
    pub fn identity_file(&self) -> PathBuf {
        self.data.join(IDENTITY_FILE)
    }

    /// SHA-256 of the configuration in force, hexadecimal.
    pub fn config_hash(&self) -> String {
        lock(&self.in_force).loaded.config_hash.clone()
    }

    /// Has the files looked at soon, without waiting for the system's notice of a change.
    pub fn look_at_files(&self) {
        if let Some(watch) = &self.watch {
            watch.look();
        }
    }

    /// Whether staff asked for a restart; the program ends with a status that says so.
    pub fn restart_asked(&self) -> bool {
        self.restart.load(Ordering::Relaxed)
    }

    /// What a screen is made of.
    pub fn parts(&self) -> Parts {
        let in_force = lock(&self.in_force).clone();
        let Setup { plan, second_language, panel, low_reach, look } = in_force.screen();
        Parts {
            plan,
            catalogue: self.languages.catalogue.clone(),
            fonts: self.languages.fonts.clone(),
            second_language,
            panel,
            low_reach,
            look,
            full_screen: in_force.loaded.value.kiosk.panel.full_screen,
            clock: self.assembly.clock.clone(),
            store: self.store(),
            staff: self.staff_parts(),
            sound: self.sound.handle(),
        }
    }

    fn staff_parts(&self) -> StaffParts {
        let [pin, volume, places] = [(); 3].map(|()| self.in_force.clone());
        let (staff, screen, restart) = (self.staff.clone(), self.screen.clone(), self.restart.clone());
        StaffParts {
            has_pin: Box::new(move || lock(&pin).loaded.value.kiosk.staff.pin_hash.is_some()),
            volume: Box::new(move || lock(&volume).choices.volume.unwrap_or(Volume::Medium)),
            places: Box::new(move || {
                let in_force = lock(&places);
                let setup = &in_force.loaded.value;
                places_on_offer(&FileSays::of(setup), setup, in_force.site.as_ref())
            }),
            ask: Box::new(move |token, ask| {
                if let Some(worker) = &*lock(&staff) {
                    worker.handle().ask(token, ask);
                } else {
                    tracing::error!("the staff area asks before the terminal is attached");
                }
            }),
            restart: Box::new(move || {
                restart.store(true, Ordering::Relaxed);
                if let Some(screen) = &*lock(&screen) {
                    screen.close();
                }
            }),
            enrol_first: !self.identity_file().exists(),
        }
    }

    /// The way of drafts to the journal.
    pub fn store(&self) -> Store {
        let (recorder, sync) = (self.recorder.handle(), self.sync.clone());
        Box::new(move |drafts, reply| {
            // Somebody stands there and waits: a call for help does not sit out the pause after a failed attempt.
            let calls = drafts.iter().any(|draft| matches!(draft.body, Body::HelpCalled(_)));
            let sync = sync.clone();
            recorder.keep(drafts, move |kept| {
                let outcome = outcome_of(&kept);
                // What is held in memory alone is in danger: it does not wait either.
                if (calls && kept.is_ok()) || matches!(outcome, StoreOutcome::InMemory { .. }) {
                    sync.retry();
                }
                reply(outcome);
            });
        })
    }

    /// Starts the way to central, the staff area and the watch over the files; from now on they tell the screen what changed.
    ///
    /// # Errors
    /// A thread cannot start.
    pub fn attach(&mut self, screen: &Arc<dyn Screen>) -> anyhow::Result<()> {
        *lock(&self.screen) = Some(screen.clone());
        let safe = self.profile == Profile::Safe;
        let refused = self.started.origin != Origin::Files && !self.unjudged;
        if safe || refused || !self.languages.refused.is_empty() {
            self.badges.set_config(Some(Text::BadgeConfigRefused), &**screen);
        }
        self.watch_storage(screen);
        self.start_sync(screen).context("cannot start the way to central")?;
        *lock(&self.staff) = Some(self.start_staff(screen).context("cannot start the staff area's thread")?);
        if safe {
            // A safe start stays with what it began with.
            return Ok(());
        }
        self.watch = Some(self.start_watch(screen).context("cannot watch the configuration files")?);
        if self.unjudged && self.started.origin == Origin::Files {
            self.judge_what_shows().context("cannot start the thread that judges the screens")?;
        }
        Ok(())
    }

    /// Tells the screen when entries are held in memory alone, and when they are on the disk again.
    fn watch_storage(&self, screen: &Arc<dyn Screen>) {
        let (screen, badges) = (screen.clone(), self.badges.clone());
        self.keeping.listen(move |keeping| match keeping {
            Keeping::InMemory => badges.set_storage(Some(Text::BadgeNotSaving), &*screen),
            Keeping::OnDisk(chain) => {
                badges.set_storage(None, &*screen);
                screen.saved(chain);
            }
        });
    }

    /// There is no older configuration to go on with: what is wrong with the screens is told, and they show all the same.
    fn judge_what_shows(&self) -> std::io::Result<()> {
        let (judge, loaded) = (self.judge(), self.started.loaded.clone());
        let work = move || {
            let findings = judge(&loaded);
            if findings.any_error() {
                tracing::error!(
                    "the screens break rules, and there is no older configuration to go on with:\n{findings}"
                );
            }
        };
        std::thread::Builder::new().name("screens".into()).spawn(work).map(drop)
    }

    fn start_sync(&mut self, screen: &Arc<dyn Screen>) -> std::io::Result<()> {
        let Some(inbox) = self.inbox.take() else { return Ok(()) };
        let (screen, badges, in_force) = (screen.clone(), self.badges.clone(), self.in_force.clone());
        let (identity_file, enrolled) = (self.identity_file(), self.in_force.clone());
        let mut known = None;
        let mut args = SyncArgs::new(self.link.clone(), self.identity_file());
        args.deadlines = self.assembly.deadlines;
        args.pace = self.assembly.pace;
        args.hardware_id.clone_from(&self.assembly.hardware_id);
        args.screen = screen_of(&self.started.loaded.value.kiosk);
        args.config_hash = Box::new(move || lock(&in_force).loaded.config_hash.clone());
        args.on_status = Box::new(move |status| {
            if known != status.terminal {
                known.clone_from(&status.terminal);
                let identity = sync::Identity::load(&identity_file).ok();
                lock(&enrolled).site = identity.map(|identity| identity.site);
            }
            badges.set_sync(status.badge.as_ref().map(badge::of), &*screen);
            if let Some(chain) = status.chain {
                screen.delivered(JournalPlace { chain, seq: status.queue.cursor });
            }
        });
        args.on_config = self.on_delivery();
        let recorder = self.recorder.handle();
        self.sync_worker = Some(sync::spawn(inbox, recorder, self.assembly.clock.clone(), args)?);
        Ok(())
    }

    /// Puts a delivered touchpoints file in place if it is right; the watch over the files then takes it into force.
    fn on_delivery(&self) -> sync::TakeConfig {
        let (config, data) = (self.assembly.place.config.clone(), self.data.clone());
        let (fonts, judge) = (self.languages.fonts.clone(), self.judge());
        Box::new(move |text| {
            config::accept_delivered(&config, &data, text.as_bytes(), &read, &Glyphs::new(&fonts), &*judge)
                .map(|_| ())
                .map_err(|error| error.to_string())
        })
    }

    /// Judges the screens of a configuration as they would be shown: with what staff chose on site.
    fn judge(&self) -> Judge {
        let (screens, in_force) = (self.assembly.screens.clone(), self.in_force.clone());
        Box::new(move |loaded| {
            let choices = lock(&in_force).choices.clone();
            screens.as_ref().map_or_else(Findings::default, |judge| judge(loaded, &choices))
        })
    }

    /// Judges the screens that another choice of staff would make of the configuration in force.
    fn judge_choices(&self) -> impl Fn(&StaffChoices) -> Findings + Send + use<> {
        let (screens, in_force) = (self.assembly.screens.clone(), self.in_force.clone());
        move |choices| {
            let loaded = lock(&in_force).loaded.clone();
            screens.as_ref().map_or_else(Findings::default, |judge| judge(&loaded, choices))
        }
    }

    /// Starts the thread that does what staff ask for.
    fn start_staff(&self, screen: &Arc<dyn Screen>) -> std::io::Result<StaffWorker> {
        let InForce { loaded, choices, .. } = lock(&self.in_force).clone();
        let mut args = WorkerArgs::new(
            Settings::of(&loaded),
            self.data.clone(),
            self.identity_file(),
            self.recorder.handle(),
            self.assembly.clock.clone(),
            self.sync.clone(),
            self.link.clone(),
        );
        args.choices = choices;
        let judge = self.judge_choices();
        args.judge = Box::new(judge);
        args.hardware_id.clone_from(&self.assembly.hardware_id);
        let (answers, changes, in_force) = (screen.clone(), screen.clone(), self.in_force.clone());
        args.reply = Box::new(move |token, answer| answers.staff_answer(token, answer));
        let sound = self.sound.handle();
        args.on_choices = Box::new(move |choices| {
            sound.set_level(level_of(choices.volume));
            let setup = {
                let mut in_force = lock(&in_force);
                in_force.choices = choices.clone();
                in_force.screen()
            };
            changes.setup(setup);
        });
        StaffWorker::spawn(args)
    }

    fn start_watch(&self, screen: &Arc<dyn Screen>) -> std::io::Result<config::Watch> {
        let config = self.assembly.place.config.clone();
        config::Watch::spawn(
            config,
            self.data.clone(),
            &self.started.loaded,
            self.languages.fonts.clone(),
            self.judge(),
            self.on_change(screen.clone()),
        )
    }

    fn on_change(&self, screen: Arc<dyn Screen>) -> impl FnMut(Change) + Send + 'static {
        let (diary, badges, last_good) =
            (self.diary.clone(), self.badges.clone(), LastGood::in_dir(&self.data));
        let (in_force, staff, sound) = (self.in_force.clone(), self.staff.clone(), self.sound.handle());
        let (link, sync) = (self.link.clone(), self.sync.clone());
        move |change| match change {
            Change::New(loaded) => {
                keep(&last_good, &loaded);
                let setup = {
                    let mut in_force = lock(&in_force);
                    (in_force.loaded, in_force.not_set_up) = ((*loaded).clone(), false);
                    in_force.screen()
                };
                diary.note_taken(&loaded.config_hash, setup.plan.touchpoints.clone());
                tracing::info!(config_hash = %loaded.config_hash, "new configuration in force");
                sound.configure(sound::Settings::of(&loaded.value));
                if let Some(worker) = &*lock(&staff) {
                    worker.handle().settings(Settings::of(&loaded));
                }
                link.change(address_of(&loaded.value.kiosk));
                // The change itself is news for central, wherever that is now.
                sync.retry();
                screen.setup(setup);
                badges.set_config(None, &*screen);
            }
            Change::Refused(findings) => {
                tracing::error!(
                    "changed configuration refused, the last good one stays in force:\n{findings}"
                );
                diary.note_refused(&findings);
                badges.set_config(Some(Text::BadgeConfigRefused), &*screen);
            }
        }
    }

    /// Ends the threads in order: nothing new comes in, then what is under way is written.
    pub fn stop(self) {
        self.settling.end();
        drop(self.watch);
        drop(lock(&self.staff).take());
        drop(self.sync_worker);
        self.recorder.stop();
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    config::read_file(path)
}
