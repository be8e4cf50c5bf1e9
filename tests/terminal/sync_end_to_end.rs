//! The real sync thread against the real central, through a proxy that misbehaves: every row of the outcome table, and what lies below
//! HTTP. At the end both sides hold the same entries: central signs for the journal's last place with the journal's own chain hash.

#![cfg(all(feature = "terminal", feature = "central"))]
#![expect(
    clippy::disallowed_methods,
    reason = "a test that waits for threads waits in real time, and not for ever"
)]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod delivery;
mod identity;
pub(super) mod network;
pub(super) mod other_central;
mod own_certificate;
pub(super) mod tls;

use std::{
    fs,
    net::TcpListener,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;
use xinsheng::{
    central::{Central, Settings},
    clock::{Clock, SystemClock, fresh},
    config::{DELIVERED_FILE, EXAMPLE_KIOSK, EXAMPLE_TOUCHPOINTS},
    journal::Head,
    model::TouchpointId,
    questionnaire::{Hospital, OpeningHours, Site, Stage, Texts, Touchpoint},
    staff::{Answer, Ask, Reached},
    sync::{
        self, Diagnosis, Identity, SyncHandle, SyncState, SyncStatus, backoff::Backoff, engine::Pace,
        transport::Deadlines,
    },
    terminal::{Assembly, Place, Screen, Terminal},
    wire::{Body, Draft, SelfTest},
};

use crate::{
    headless::{self, Headless},
    proxy::Proxy,
};

/// Far more than anything here takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Short enough for a test to see a deadline pass, long enough for a loaded machine to answer.
pub const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_millis(1500), whole: Duration::from_millis(1500) };

fn pace() -> Pace {
    Pace { backoff: Backoff { floor_ms: 1, base_ms: 2, cap_ms: 20 }, gather_ms: 0, ..Pace::default() }
}

pub fn registration() -> TouchpointId {
    "registration".parse().unwrap()
}

pub fn hospital() -> Hospital {
    let site =
        Site { id: "main".parse().unwrap(), name: Texts::default(), time_zone: chrono_tz::Asia::Shanghai };
    let touchpoint = Touchpoint {
        id: registration(),
        site: site.id.clone(),
        name: Texts::default(),
        stage: Stage::Visit,
        dimension: None,
        hours: OpeningHours::default(),
        icon: "generic".into(),
        questionnaire: "long@1".parse().unwrap(),
    };
    Hospital {
        languages: Vec::new(),
        sites: vec![site],
        touchpoints: vec![touchpoint],
        questionnaires: Vec::new(),
    }
}

pub fn settings(data: &Path) -> Settings {
    let mut settings = Settings::new(data);
    settings.config.limits.requests_per_minute = NonZeroU32::new(1_000_000).unwrap();
    settings
}

pub fn start_central(settings: Settings) -> Central {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Central::start(settings, hospital(), listener).unwrap()
}

/// A terminal put together as its program does it, with the example's files, on a screen that nobody sees.
pub struct Kiosk {
    pub terminal: Terminal,
    screen: Arc<Headless>,
    pub sync: SyncHandle,
    clock: Arc<SystemClock>,
    changes: Receiver<()>,
}

impl Kiosk {
    pub fn start(files: &Files) -> Self {
        let clock = Arc::new(SystemClock::new());
        let place = Place { config: files.kiosk_toml(), data: None };
        let mut assembly = Assembly::new(place, clock.clone());
        (assembly.pace, assembly.deadlines, assembly.ballast_bytes) = (pace(), DEADLINES, Some(4096));
        // A bare machine has neither serial number nor machine id, and what nobody can tell apart is let through.
        if assembly.hardware_id == "unknown" {
            assembly.hardware_id = "serial-of-this-machine".into();
        }
        let mut terminal = assembly.start().unwrap();
        let (screen, changes) = Headless::new();
        terminal.attach(&(screen.clone() as Arc<dyn Screen>)).unwrap();
        let sync = terminal.sync().clone();
        Self { terminal, screen, sync, clock, changes }
    }

    pub fn tap(&self, count: usize) -> Head {
        let button = |i| SelfTest { touchpoint: registration(), target: format!("button {i}"), of: None };
        self.record((0..count).map(|i| Body::SelfTest(button(i))))
    }

    pub fn record(&self, bodies: impl Iterator<Item = Body>) -> Head {
        let at = self.clock.now();
        let drafts = bodies.map(|body| Draft { id: fresh::entry_id(&at), at, body }).collect();
        let (tell, told) = mpsc::channel();
        self.terminal.recorder().append(drafts, move |head| tell.send(head).unwrap());
        told.recv_timeout(PATIENCE).unwrap().unwrap()
    }

    /// Waits for a status; the thread tells of every change, so nothing is slept through.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&SyncStatus) -> bool) -> SyncStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = self.sync.status();
            if is_it(&now) {
                return now;
            }
            assert!(Instant::now() < until, "no {what} in time: {now:?}");
            // Most changes are told of; figures in between are looked up.
            let _ = self.changes.recv_timeout(Duration::from_millis(10));
        }
    }

    pub fn wait_until_sent(&self, head: Head) -> SyncStatus {
        self.wait_for("receipt for everything", |status| {
            status.all_sent && status.queue.cursor >= head.seq && status.state == SyncState::InContact
        })
    }

    /// The journal's end, and how far central signed for it: a cursor only moves over hashes that are equal on both sides.
    pub fn ends(&self) -> (Head, u64) {
        self.terminal.recorder().call(|journal| (journal.head(), journal.cursor())).unwrap()
    }

    /// Whether the place that is rated here has this name on the screen.
    fn shows(&self, name: &str) -> bool {
        self.screen.told().setup.is_some_and(|setup| {
            let place = setup.plan.hospital.touchpoint(&registration());
            place.is_some_and(|place| place.name.get(&"zh-CN".parse().unwrap()) == name)
        })
    }

    /// What somebody in the staff area is told who tests the network.
    fn tests_network(&self) -> Result<Reached, Diagnosis> {
        self.screen.forget_answer();
        (self.terminal.parts().staff.ask)(headless::token(), Ask::TestNetwork);
        self.wait_for("answer of the network test", |_| self.screen.told().answer.is_some());
        match self.screen.told().answer {
            Some(Answer::Network(result)) => result,
            other => panic!("{other:?}"),
        }
    }

    pub fn stop(self) {
        self.terminal.stop();
    }
}

/// A central, a proxy before it and an enrolled terminal behind it.
pub struct Scene {
    pub data: TempDir,
    pub home: TempDir,
    pub central: Central,
    pub proxy: Proxy,
}

impl Scene {
    pub fn new(adjust: impl FnOnce(&mut Settings)) -> Self {
        let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut settings = settings(data.path());
        adjust(&mut settings);
        let central = start_central(settings);
        let proxy = Proxy::start(central.address());
        let scene = Self { data, home, central, proxy };
        scene.enrol();
        scene
    }

    pub fn enrol(&self) -> Identity {
        let code = self.central.new_code(&registration()).unwrap();
        let file = self.home.path().join("identity.json");
        sync::enrol(&self.proxy.url(), None, &code, &file, &SystemClock::new()).unwrap()
    }

    pub fn kiosk(&self) -> Kiosk {
        Kiosk::start(&Files::new(self.home.path(), &self.proxy.url()))
    }

    /// Taps `count` times and waits for the receipt, again until the proxy made every fault that it was told of. A fault needs a request, and
    /// several taps may go in one.
    pub fn tap_until_every_fault_was_met(&self, kiosk: &Kiosk, what: &str, count: usize) {
        let until = Instant::now() + 3 * PATIENCE;
        loop {
            let head = kiosk.tap(count);
            kiosk.wait_for(what, |status| {
                kiosk.sync.retry();
                status.all_sent && status.queue.cursor >= head.seq
            });
            if self.proxy.left() == 0 {
                return;
            }
            assert!(Instant::now() < until, "faults that no request meets: {what}");
        }
    }

    /// Both sides hold the same entries, and central's audit finds every chain and signature whole.
    pub fn check(&self, kiosk: &Kiosk) {
        let (head, cursor) = kiosk.ends();
        assert_eq!(cursor, head.seq);
        let findings = self.central.verify().unwrap();
        assert!(findings.is_whole(), "{findings:?}");
        let chain =
            findings.chains.iter().find(|one| one.held.chain == head.chain).expect("the chain is held");
        assert_eq!(chain.held.cursor.accepted_through, head.seq);
        assert_eq!(chain.held.cursor.head_hash, head.hash);
    }
}

/// A terminal's files: the example's, with the journal beside them.
pub struct Files(PathBuf);

impl Files {
    /// What is there already stays as it is.
    pub fn new(folder: &Path, url: &str) -> Self {
        let files = Self(folder.to_owned());
        if !files.kiosk_toml().exists() {
            let kiosk = EXAMPLE_KIOSK.replace("../data/kiosk", ".").replace(EXAMPLE_URL, url);
            fs::write(files.kiosk_toml(), kiosk).unwrap();
            fs::write(folder.join("touchpoints.toml"), EXAMPLE_TOUCHPOINTS).unwrap();
        }
        files
    }

    fn kiosk_toml(&self) -> PathBuf {
        self.0.join("kiosk.toml")
    }

    pub fn change(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.kiosk_toml()).unwrap();
        assert!(text.contains(old), "no {old} in kiosk.toml");
        fs::write(self.kiosk_toml(), text.replace(old, new)).unwrap();
    }

    fn delivered(&self) -> String {
        fs::read_to_string(self.0.join(DELIVERED_FILE)).unwrap()
    }
}

const EXAMPLE_URL: &str = "http://127.0.0.1:8460";
