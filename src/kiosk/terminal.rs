//! A whole terminal but for its window: configuration, journal, way to central, and the watch over the files.
//!
//! [`Terminal::start`] brings up everything that has a thread of its own; [`Terminal::parts`] is what a screen needs of it; and
//! [`Terminal::attach`] lets the threads tell that screen what changed. The same code runs under a real window, on the simulated panel
//! and in the demo.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;

use super::{Messenger, Parts, Setup, Store, faults, look::Look, screens::ScreenCheck, staff::StaffParts};
use crate::{
    clock::{Clock, fresh},
    config::{self, Change, Findings, Glyphs, KioskConfig, KioskSetup, LastGood, Loaded, Origin, Started},
    journal::{
        AppendError, Head, Journal, Keeping, Kept, OpenArgs, OpenReport, Recorder, RecorderHandle,
    },
    lang::{Languages, Text},
    model::Lang,
    panel::{Panel, Rotation, usual_viewing_distance_mm},
    sound::{self, Level, Sound},
    staff::{
        FileSays, StaffChoices, Volume,
        hands::{Hands, HandsArgs, Settings},
        places_on_offer,
    },
    survey::{JournalPlace, OutOfHours, OutOfService, Plan, Start, StoreOutcome, Timing},
    start_guard::{Profile, SETTLED_AFTER, Settling, StartGuard},
    sync,
    wire::{Body, BootFacts, ConfigChange, Draft, ScreenFacts},
};

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
    languages: Languages,
    report: OpenReport,
    recorder: Recorder,
    sync: sync::SyncHandle,
    inbox: Option<sync::SyncInbox>,
    worker: Option<sync::SyncWorker>,
    clock: Arc<dyn Clock>,
    watch: Option<config::Watch>,
    badges: Badges,
    keeping: Watchers,
    settling: Option<Settling>,
    profile: Profile,
    in_force: Arc<Mutex<InForce>>,
    hands: Arc<Mutex<Option<Hands>>>,
    sound: Sound,
    restart: Arc<AtomicBool>,
    screens: ScreenCheck,
}

/// The configuration as it was loaded, and what staff chose on site.
struct InForce {
    loaded: Loaded<KioskSetup>,
    choices: StaffChoices,
    /// Nobody has said what is rated here.
    not_set_up: bool,
}

impl InForce {
    /// What the choices make of the file.
    fn setup(&self) -> KioskSetup {
        let mut setup = self.loaded.value.clone();
        self.choices.apply(&mut setup);
        setup
    }

    /// What the screen makes of it.
    fn screen(&self) -> Setup {
        let mut screen = setup_of(&self.setup());
        screen.plan.out_of_service = self.not_set_up.then_some(OutOfService::NotSetUp);
        screen
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of the identity file in a terminal's data folder.
pub const IDENTITY_FILE: &str = "identity.json";

/// What staff should know, from two sources; the configuration's word goes first, because it needs a hand.
#[derive(Clone, Default)]
struct Badges(Arc<Mutex<BadgeWords>>);

#[derive(Default)]
struct BadgeWords {
    storage: Option<Text>,
    config: Option<Text>,
    sync: Option<Text>,
}

/// Whoever is to be told where entries go from now on. The journal's thread starts before there is a screen; what it has to tell until then
/// is kept.
#[derive(Clone, Default)]
struct Watchers(Arc<Mutex<KeepingWatch>>);

#[derive(Default)]
struct KeepingWatch {
    last: Option<Keeping>,
    tell: Option<Box<dyn Fn(Keeping) + Send>>,
}

impl Watchers {
    fn tell(&self, keeping: Keeping) {
        let mut watch = lock(&self.0);
        watch.last = Some(keeping);
        if let Some(tell) = &watch.tell {
            tell(keeping);
        }
    }

    fn listen(&self, tell: impl Fn(Keeping) + Send + 'static) {
        let mut watch = lock(&self.0);
        if let Some(last) = watch.last {
            tell(last);
        }
        watch.tell = Some(Box::new(tell));
    }
}

impl Badges {
    /// Changes the words and gives what is to be shown.
    fn change(&self, change: impl FnOnce(&mut BadgeWords)) -> Option<Text> {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut words);
        words.storage.or(words.config).or(words.sync)
    }
}

impl Terminal {
    /// The same as [`Terminal::start_with`] for a terminal whose screens nobody judges.
    ///
    /// # Errors
    /// As there.
    pub fn start(place: Place, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Self::start_with(place, clock, Arc::new(|_| Findings::default()))
    }

    /// Reads the configuration, opens the journal and starts the way to central. `screens` judges every configuration before it comes into
    /// force.
    ///
    /// # Errors
    /// A journal that another program has, or a disk that refuses everything. A wrong configuration is no error: the last good one or
    /// the built-in questions are in force, and [`Terminal::started`] says why.
    pub fn start_with(place: Place, clock: Arc<dyn Clock>, screens: ScreenCheck) -> anyhow::Result<Self> {
        let data =
            place.data.clone().or_else(|| config::data_dir_of(&place.config, &read)).unwrap_or_else(|| {
                let folder = place.config.parent().unwrap_or(Path::new("."));
                folder.join("data")
            });
        std::fs::create_dir_all(&data)
            .with_context(|| format!("cannot make the folder {}", data.display()))?;
        let guard = StartGuard::begin(&data);
        let profile = guard.profile();
        let identity = sync::Identity::load(&data.join(IDENTITY_FILE)).ok();
        let enrolled_for = identity.as_ref().map(|identity| &identity.touchpoint);
        let languages = languages(&place.config)?;
        let glyphs = Glyphs::new(&languages.fonts);
        let read = reader(profile);
        let mut started = config::start(&place.config, &data, enrolled_for, &read, &glyphs, &*screens);
        if profile == Profile::Safe {
            make_safe(&mut started.loaded.value.kiosk);
        }
        let (mut journal, report) = Journal::open(&data, OpenArgs::new(fresh::chain_id(), clock.now()))
            .context("cannot open the journal")?;
        let choices = match profile {
            Profile::Usual => StaffChoices::load(&mut journal),
            Profile::Safe => Ok(StaffChoices::default()),
        }
        .unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "what staff chose cannot be read");
            StaffChoices::default()
        });
        let (sync, inbox) = sync::wake_pair();
        let waker = sync.clone();
        let keeping = Watchers::default();
        let told = keeping.clone();
        let recorder = Recorder::spawn_watched(
            journal,
            clock.clone(),
            move |_| waker.nudge(),
            move |keeping| told.tell(keeping),
        )
        .context("cannot start the journal's thread")?;
        let sound = Sound::spawn(sound::Settings::of(&started.loaded.value), clock.clone())
            .context("cannot start the sound's thread")?;
        sound.handle().set_level(level_of(choices.volume));
        let in_force = Arc::new(Mutex::new(InForce {
            loaded: started.loaded.clone(),
            choices,
            not_set_up: !started.place_known,
        }));
        let mut terminal = Self {
            place,
            data,
            started,
            languages,
            report,
            recorder,
            sync,
            inbox: Some(inbox),
            worker: None,
            clock,
            watch: None,
            badges: Badges::default(),
            keeping,
            settling: None,
            profile,
            in_force,
            hands: Arc::default(),
            sound,
            restart: Arc::default(),
            screens,
        };
        terminal.note_start();
        terminal.settling = Some(guard.watch(SETTLED_AFTER).context("cannot watch the start")?);
        Ok(terminal)
    }

    /// What is in force and where it came from.
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

    /// What a screen needs.
    ///
    /// # Errors
    /// The words of the pages cannot be read.
    pub fn parts(&self) -> anyhow::Result<Parts> {
        let Setup { plan, second_language, panel, low_reach, look } = lock(&self.in_force).screen();
        Ok(Parts {
            plan,
            catalogue: self.languages.catalogue.clone(),
            fonts: self.languages.fonts.clone(),
            second_language,
            panel,
            low_reach,
            look,
            full_screen: lock(&self.in_force).loaded.value.kiosk.panel.full_screen,
            clock: self.clock.clone(),
            store: self.store(),
            staff: self.staff_parts(),
            sound: self.sound.handle(),
        })
    }

    fn staff_parts(&self) -> StaffParts {
        let [pin, volume, places] = [(); 3].map(|()| self.in_force.clone());
        let (hands, restart) = (self.hands.clone(), self.restart.clone());
        StaffParts {
            has_pin: Box::new(move || lock(&pin).loaded.value.kiosk.staff.pin_hash.is_some()),
            volume: Box::new(move || lock(&volume).choices.volume.unwrap_or(Volume::Medium)),
            places: Box::new(move || {
                let in_force = lock(&places);
                places_on_offer(&FileSays::of(&in_force.loaded.value), &in_force.loaded.value)
            }),
            ask: Box::new(move |token, ask| {
                if let Some(hands) = &*lock(&hands) {
                    hands.handle().ask(token, ask);
                } else {
                    tracing::error!("the staff area asks before the terminal is attached");
                }
            }),
            restart: Box::new(move || {
                restart.store(true, Ordering::Relaxed);
                // It fails only when there is no loop to end, and then the program ends anyhow.
                let _ = slint::quit_event_loop();
            }),
            enrol_first: !self.identity_file().exists(),
        }
    }

    /// Whether staff asked for a restart; the program ends with a status that says so.
    pub fn restart_asked(&self) -> bool {
        self.restart.load(Ordering::Relaxed)
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

    /// Starts the way to central and the watch over the files; from now on both tell the screen what changed.
    ///
    /// # Errors
    /// A thread cannot start.
    pub fn attach(&mut self, messenger: &Messenger) -> anyhow::Result<()> {
        let safe = self.profile == Profile::Safe;
        if safe || self.started.origin != Origin::Files || !self.languages.refused.is_empty() {
            messenger.badge(self.badges.change(|words| words.config = Some(Text::BadgeConfigRefused)));
        }
        self.watch_storage(messenger);
        self.connect(messenger)?;
        self.lend_hands(messenger)?;
        if safe {
            // A safe start stays with what it began with.
            return Ok(());
        }
        let tell = self.on_change(messenger.clone());
        let seen = self.started.loaded.config_hash.clone();
        let (config, fonts, screens) =
            (self.place.config.clone(), self.languages.fonts.clone(), self.screens.clone());
        let watch = config::Watch::spawn(config, seen, fonts, move |loaded| screens(loaded), tell)
            .context("cannot watch the configuration files")?;
        self.watch = Some(watch);
        Ok(())
    }

    /// Tells the screen when entries are held in memory alone, and when they are on the disk again.
    fn watch_storage(&self, messenger: &Messenger) {
        let (messenger, badges) = (messenger.clone(), self.badges.clone());
        self.keeping.listen(move |keeping| match keeping {
            Keeping::InMemory => {
                messenger.badge(badges.change(|words| words.storage = Some(Text::BadgeNotSaving)));
            }
            Keeping::OnDisk(chain) => {
                messenger.badge(badges.change(|words| words.storage = None));
                messenger.saved(chain);
            }
        });
    }

    /// Starts the thread that does what staff ask for.
    fn lend_hands(&self, messenger: &Messenger) -> anyhow::Result<()> {
        let (settings, choices) = {
            let in_force = lock(&self.in_force);
            (Settings::of(&in_force.loaded), in_force.choices.clone())
        };
        let (recorder, clock) = (self.recorder.handle(), self.clock.clone());
        let mut args = HandsArgs::new(
            settings,
            self.data.clone(),
            self.identity_file(),
            recorder,
            clock,
            self.sync.clone(),
        );
        args.choices = choices;
        let (answers, changes, in_force) = (messenger.clone(), messenger.clone(), self.in_force.clone());
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
        *lock(&self.hands) = Some(Hands::spawn(args).context("cannot start the staff area's thread")?);
        Ok(())
    }

    fn connect(&mut self, messenger: &Messenger) -> anyhow::Result<()> {
        let Some(inbox) = self.inbox.take() else { return Ok(()) };
        let kiosk = &self.started.loaded.value.kiosk;
        let (messenger, badges) = (messenger.clone(), self.badges.clone());
        let in_force = self.in_force.clone();
        let mut args = sync::SyncArgs::new(
            kiosk.central_url.clone(),
            kiosk.central_ca_file.clone(),
            self.identity_file(),
        );
        args.screen = screen_of(kiosk);
        args.config_hash = Box::new(move || lock(&in_force).loaded.config_hash.clone());
        args.on_status = Box::new(move |status| {
            let text = status.badge.as_ref().map(faults::badge);
            messenger.badge(badges.change(|words| words.sync = text));
            if let Some(chain) = status.chain {
                messenger.delivered(JournalPlace { chain, seq: status.queue.cursor });
            }
        });
        if kiosk.source == config::ConfigSource::Central {
            args.on_config = self.on_delivery();
            args.pace.takes_config = true;
        }
        let worker = sync::spawn(inbox, self.recorder.handle(), self.clock.clone(), args)
            .context("cannot start the way to central")?;
        self.worker = Some(worker);
        Ok(())
    }

    /// Puts a delivered touchpoints file in place if it is right; the watch over the files then takes it into force.
    fn on_delivery(&self) -> sync::TakeConfig {
        let (config, data) = (self.place.config.clone(), self.data.clone());
        let (fonts, screens) = (self.languages.fonts.clone(), self.screens.clone());
        Box::new(move |text| {
            config::accept_delivered(&config, &data, text.as_bytes(), &read, &Glyphs::new(&fonts), &*screens)
                .map(|_| ())
                .map_err(|error| error.to_string())
        })
    }

    /// Ends the threads in order: nothing new comes in, then what is in hand is written.
    pub fn stop(self) {
        if let Some(settling) = self.settling {
            settling.end();
        }
        drop(self.watch);
        drop(lock(&self.hands).take());
        drop(self.worker);
        self.recorder.stop();
    }

    fn on_change(&self, messenger: Messenger) -> impl FnMut(Change) + Send + 'static {
        let (recorder, clock, badges) = (self.recorder.handle(), self.clock.clone(), self.badges.clone());
        let (last_good, in_force) = (LastGood::in_dir(&self.data), self.in_force.clone());
        let (hands, sound) = (self.hands.clone(), self.sound.handle());
        move |change| match change {
            Change::New(loaded) => {
                keep(&last_good, &loaded);
                record(&recorder, &*clock, config_entry(&loaded.config_hash, None));
                tracing::info!(config_hash = %loaded.config_hash, "new configuration in force");
                sound.configure(sound::Settings::of(&loaded.value));
                if let Some(hands) = &*lock(&hands) {
                    hands.handle().settings(Settings::of(&loaded));
                }
                let setup = {
                    let mut in_force = lock(&in_force);
                    (in_force.loaded, in_force.not_set_up) = (*loaded, false);
                    in_force.screen()
                };
                messenger.setup(setup);
                messenger.badge(badges.change(|words| words.config = None));
            }
            Change::Refused(findings) => {
                tracing::error!(
                    "changed configuration refused, the last good one stays in force:\n{findings}"
                );
                record(&recorder, &*clock, config_entry("", Some(&findings)));
                messenger.badge(badges.change(|words| words.config = Some(Text::BadgeConfigRefused)));
            }
        }
    }

    /// The first entries of a run, and the last good configuration.
    fn note_start(&self) {
        let loaded = &self.started.loaded;
        let now = self.clock.now();
        let facts = BootFacts {
            software: env!("CARGO_PKG_VERSION").into(),
            config_hash: loaded.config_hash.clone(),
            boot: now.boot,
            clock: now.quality,
            in_memory: false,
        };
        record(&self.recorder.handle(), &*self.clock, Body::Boot(facts));
        match self.started.origin {
            Origin::Files => {
                if self.started.findings.any_error() {
                    tracing::error!(
                        "the screens break rules, and there is no older configuration to go on with:\n{}",
                        self.started.findings
                    );
                }
                // What a safe start makes of the files is not what they say.
                if self.profile == Profile::Usual {
                    keep(&LastGood::in_dir(&self.data), loaded);
                }
            }
            Origin::LastGood | Origin::BuiltIn => {
                tracing::error!(
                    "the configuration is wrong, an older one is in force:\n{}",
                    self.started.findings
                );
                let entry = config_entry("", Some(&self.started.findings));
                record(&self.recorder.handle(), &*self.clock, entry);
            }
        }
    }
}

/// What a screen is told of entries that were given to the journal.
pub fn outcome_of(kept: &Result<Kept, AppendError>) -> StoreOutcome {
    let place = |head: &Head| JournalPlace { chain: head.chain, seq: head.seq };
    match kept {
        Ok(Kept::OnDisk(head)) => StoreOutcome::OnDisk(place(head)),
        Ok(Kept::InMemory { head, unsaved }) => {
            StoreOutcome::InMemory { at: place(head), unsaved: *unsaved }
        }
        Err(_) => StoreOutcome::Refused,
    }
}

/// How loud staff want it, against what kiosk.toml says.
fn level_of(volume: Option<Volume>) -> Level {
    match volume {
        Some(Volume::Off) => Level::Off,
        Some(Volume::Low) => Level::Low,
        Some(Volume::Medium) | None => Level::Medium,
        Some(Volume::High) => Level::High,
    }
}

/// What a screen makes of a setup.
pub fn setup_of(setup: &KioskSetup) -> Setup {
    Setup {
        plan: plan_of(setup),
        second_language: setup.kiosk.second_language.clone(),
        panel: panel_of(&setup.kiosk),
        low_reach: setup.kiosk.panel.low_reach,
        look: look_of(&setup.kiosk),
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
        out_of_hours: match kiosk.out_of_hours {
            config::OutOfHours::Ask => OutOfHours::Ask,
            config::OutOfHours::Offer => OutOfHours::Offer,
            config::OutOfHours::Close => OutOfHours::Close,
        },
        out_of_service: None,
        help: kiosk.help,
        timing: Timing {
            idle_ms: ms(kiosk.timing.idle),
            warning_ms: ms(kiosk.timing.warning),
            undo_ms: ms(kiosk.timing.undo),
            not_stored_ms: NOT_STORED_MS,
            ..Timing::default()
        },
    }
}

/// How a terminal's pages look.
pub fn look_of(kiosk: &KioskConfig) -> Look {
    Look {
        theme: kiosk.look.theme,
        night: kiosk.look.night,
        accent: kiosk.look.accent,
        logo: kiosk.look.logo.clone(),
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
        large_text: kiosk.look.large_text,
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

/// Reads files; a safe start does not see what central delivered.
fn reader(profile: Profile) -> impl Fn(&Path) -> std::io::Result<Vec<u8>> {
    move |path| match profile {
        Profile::Safe if path.ends_with(config::DELIVERED_FILE) => Err(std::io::ErrorKind::NotFound.into()),
        Profile::Safe | Profile::Usual => read(path),
    }
}

/// Leaves of a configuration what takes ratings: what is asked, where, and where answers go. Whatever else brought the last starts down is out
/// of the way.
fn make_safe(kiosk: &mut KioskConfig) {
    kiosk.panel = config::PanelConfig {
        diagonal_in: 10.1,
        width_px: 1280,
        height_px: 800,
        viewing_distance_mm: None,
        low_reach: false,
        ..kiosk.panel
    };
    kiosk.look = config::LookConfig::default();
    kiosk.sound = None;
    kiosk.source = config::ConfigSource::Local;
}

/// The languages beside a kiosk.toml. A folder that cannot be used is left out: ratings are taken without it.
fn languages(config: &Path) -> anyhow::Result<Languages> {
    let languages = Languages::beside(config)?;
    for refused in &languages.refused {
        tracing::error!("a language is left out:\n{refused}");
    }
    Ok(languages)
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
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the configuration in force could not be kept for later"
        );
    }
}

/// Writes an entry about the terminal itself. Nobody is thanked for it, so a failure is only logged (by the recorder).
fn record(recorder: &RecorderHandle, clock: &dyn Clock, body: Body) {
    let at = clock.now();
    recorder.append(vec![Draft { id: fresh::entry_id(&at), at, body }], |_| {});
}
