//! From files on a machine to the running threads of a terminal.

use std::{
    cell::Cell,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::Context;

use super::{
    IDENTITY_FILE, ScreenCheck, Terminal,
    in_force::{Badges, Diary, InForce},
    languages_beside, read,
    setup::{address_of, level_of},
    storage::KeepingWatch,
};
use crate::{
    clock::{Clock, fresh},
    config::{self, Findings, Glyphs, KeyAt, KioskConfig, KioskSetup, LastGood, Loaded, Started},
    durable,
    fonts::Fonts,
    journal::{Journal, OpenArgs, Recorder},
    model::TouchpointId,
    sound::{self, Sound},
    staff::StaffChoices,
    start_guard::{Profile, SETTLED_AFTER, StartGuard},
    sync::{self, Link, engine::Pace, transport::Deadlines},
};

/// Where a terminal finds its things.
#[derive(Clone, Debug)]
pub struct Place {
    /// kiosk.toml.
    pub config: PathBuf,
    /// Journal, key and last good configuration; `None`: where kiosk.toml says.
    pub data: Option<PathBuf>,
}

/// What a terminal is put together from. A terminal in service changes nothing of [`Assembly::new`] but who judges its screens.
pub struct Assembly {
    /// Where its things are.
    pub place: Place,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Judges the screens of every configuration and choice before it comes into force.
    pub screens: Option<ScreenCheck>,
    /// How the way to central paces itself.
    pub pace: Pace,
    /// How long a request to central may take.
    pub deadlines: Deadlines,
    /// What this machine is called.
    pub hardware_id: String,
    /// Disk space the journal keeps for bad days; `None`: as much as it sees fit.
    pub ballast_bytes: Option<u64>,
}

impl Assembly {
    /// A terminal on this machine, whose screens nobody judges.
    pub fn new(place: Place, clock: Arc<dyn Clock>) -> Self {
        Self {
            place,
            clock,
            screens: None,
            pace: Pace::default(),
            deadlines: Deadlines::default(),
            hardware_id: sync::hardware::hardware_id(),
            ballast_bytes: None,
        }
    }

    /// Reads the configuration, opens the journal and starts the threads that need no screen.
    ///
    /// # Errors
    /// A journal that another program has, or a disk that refuses everything. A wrong configuration is no error: the last good one or
    /// the built-in questions are in force, and [`Terminal::started`] says why.
    pub fn start(self) -> anyhow::Result<Terminal> {
        let Self { place, clock, .. } = &self;
        let data =
            place.data.clone().or_else(|| config::data_dir_of(&place.config, &read)).unwrap_or_else(|| {
                let folder = place.config.parent().unwrap_or(Path::new("."));
                folder.join("data")
            });
        durable::make_folder(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
        let guard = StartGuard::begin(&data);
        let profile = guard.profile();
        let identity = sync::Identity::load(&data.join(IDENTITY_FILE)).ok();
        let enrolled_for = identity.as_ref().map(|identity| &identity.touchpoint);
        let mut languages = languages_beside(&place.config)?;
        // A safe start asks no font whether it has the characters of a text.
        let glyphs = match profile {
            Profile::Usual => Glyphs::new(&languages.fonts),
            Profile::Safe => Glyphs::default(),
        };
        let mut args = OpenArgs::new(fresh::chain_id(), clock.now());
        args.ballast_bytes = self.ballast_bytes.unwrap_or(args.ballast_bytes);
        let (mut journal, report) = Journal::open(&data, args).context("cannot open the journal")?;
        let choices = match profile {
            Profile::Usual => StaffChoices::load(&mut journal),
            Profile::Safe => Ok(StaffChoices::default()),
        }
        .unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "what staff chose cannot be read");
            StaffChoices::default()
        });
        let (mut started, unjudged) = start_unjudged(
            self.screens.is_some(),
            &place.config,
            &data,
            enrolled_for,
            &glyphs,
            &reader(profile),
        );
        if profile == Profile::Safe {
            make_safe(&mut started.loaded.value.kiosk);
            // A font can be well in part and bring the drawing down at one glyph.
            languages.fonts = Fonts::shipped();
        }
        let (sync, inbox) = sync::wake_pair();
        let waker = sync.clone();
        let keeping = KeepingWatch::default();
        let told = keeping.clone();
        let wake = move |_| waker.nudge();
        let recorder =
            Recorder::spawn_watched(journal, clock.clone(), wake, move |keeping| told.tell(keeping))
                .context("cannot start the journal's thread")?;
        let sound = Sound::spawn(sound::Settings::of(&started.loaded.value), clock.clone())
            .context("cannot start the sound's thread")?;
        sound.handle().set_level(level_of(choices.volume));
        let link = Link::new(address_of(&started.loaded.value.kiosk));
        let in_force = InForce {
            loaded: started.loaded.clone(),
            choices,
            not_set_up: !started.place_known,
            site: identity.map(|identity| identity.site),
        };
        let diary = Diary { recorder: recorder.handle(), clock: clock.clone() };
        let touchpoints = if in_force.not_set_up { Vec::new() } else { in_force.setup().kiosk.touchpoints };
        // What a safe start makes of the files is not what they say.
        let last_good = (profile == Profile::Usual).then(|| LastGood::in_dir(&data));
        diary.note_start(&started, touchpoints, last_good.as_ref(), unjudged);
        let settling = guard.watch(SETTLED_AFTER).context("cannot watch the start")?;
        Ok(Terminal {
            assembly: self,
            data,
            started,
            unjudged,
            languages,
            report,
            recorder,
            diary,
            link,
            sync,
            inbox: Some(inbox),
            sync_worker: None,
            watch: None,
            badges: Badges::default(),
            in_force: Arc::new(Mutex::new(in_force)),
            staff: Arc::default(),
            screen: Arc::default(),
            sound,
            restart: Arc::default(),
            keeping,
            settling,
            profile,
        })
    }
}

/// What a terminal starts with, and whether the screens of the files have still to be judged. That takes many seconds, and patients need a
/// page now: until then the last good configuration is in force, or the files' own where there is none.
fn start_unjudged(
    is_judged: bool,
    path: &Path,
    data: &Path,
    enrolled_for: Option<&TouchpointId>,
    glyphs: &Glyphs<'_>,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> (Started, bool) {
    let unjudged = Cell::new(false);
    let later = |loaded: &Loaded<KioskSetup>| {
        if !is_judged {
            return Findings::default();
        }
        unjudged.set(true);
        Findings(vec![loaded.error_at(&KeyAt::kiosk(&["panel"]), "not judged yet".into(), String::new())])
    };
    let mut started = config::start(path, data, enrolled_for, read, glyphs, &later);
    if unjudged.get() {
        started.findings = Findings::default();
    }
    (started, unjudged.get())
}

/// Reads files; a safe start does not see what central delivered.
fn reader(profile: Profile) -> impl Fn(&Path) -> io::Result<Vec<u8>> {
    move |path| match profile {
        Profile::Safe if path.ends_with(config::DELIVERED_FILE) => Err(io::ErrorKind::NotFound.into()),
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
