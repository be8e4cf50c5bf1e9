//! What a visitor is told while the terminal's disk stalls or refuses: the real journal thread on a real ext4 file system, the real way to a
//! real central, and the survey in between. Time on the screen is simulated; what is waited for is threads.

#![cfg(all(feature = "terminal", feature = "central"))]
#![expect(
    clippy::disallowed_methods,
    reason = "a test that waits for threads waits in real time, and not for ever"
)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]

use crate::faults::survived;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use xinsheng::{
    central::{Central, Settings},
    clock::{Clock, SimClock, SystemClock, fresh},
    journal::{AppendError, Journal, Keeping, Kept, OpenArgs, OpenReport, Recorder},
    survey::{Effect, Event, HeldStage, JournalPlace, OutOfService, Page, Plan, Start, Survey, Token},
    sync::{self, Address, Link, SyncArgs, SyncWorker, backoff::Backoff, engine::Pace},
    wire::Draft,
};

use crate::{
    hospital::plan,
    support::{Disk, may_mount},
};

/// Far more than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

enum News {
    Kept(Token, Result<Kept, AppendError>),
    Keeping(Keeping),
    Delivered(JournalPlace),
}

/// A terminal whose glass is the survey's page.
struct Terminal {
    survey: Survey,
    clock: Arc<SimClock>,
    recorder: Recorder,
    worker: Option<SyncWorker>,
    tell: mpsc::Sender<News>,
    news: mpsc::Receiver<News>,
    report: OpenReport,
    keeping: Vec<Keeping>,
    /// Commits that have not been answered.
    outstanding: u32,
    /// How often the page thanked.
    thanked: u32,
}

fn exit() -> Plan {
    plan(&["exit"], Start::Question)
}

impl Terminal {
    fn start(dir: &Path, central: Option<(&Central, &Path)>) -> Self {
        let clock = Arc::new(SimClock::new(SystemClock::new().now()));
        let args = OpenArgs { ballast_bytes: 65_536, ..OpenArgs::new(fresh::chain_id(), clock.now()) };
        let (journal, report) = Journal::open(dir, args).unwrap();
        let (tell, news) = mpsc::channel();
        let (handle, inbox) = sync::wake_pair();
        let (keeping, delivered) = (tell.clone(), tell.clone());
        let recorder = Recorder::spawn_watched(
            journal,
            clock.clone(),
            move |_| handle.nudge(),
            move |change| drop(keeping.send(News::Keeping(change))),
        )
        .unwrap();
        let worker = central.map(|(central, identity)| {
            let address = Address { url: central.url(), ca_file: None, takes_config: false };
            let mut args = SyncArgs::new(Link::new(address), identity.to_owned());
            let backoff = Backoff { floor_ms: 1, base_ms: 2, cap_ms: 20 };
            args.pace = Pace { backoff, gather_ms: 0, ..Pace::default() };
            if args.hardware_id == "unknown" {
                args.hardware_id = "serial-of-this-machine".into();
            }
            args.on_status = Box::new(move |status| {
                if let Some(chain) = status.chain {
                    let through = JournalPlace { chain, seq: status.queue.cursor };
                    drop(delivered.send(News::Delivered(through)));
                }
            });
            sync::spawn(inbox, recorder.handle(), clock.clone(), args).unwrap()
        });
        let survey = Survey::new(exit()).unwrap();
        Self {
            survey,
            clock,
            recorder,
            worker,
            tell,
            news,
            report,
            keeping: Vec::new(),
            outstanding: 0,
            thanked: 0,
        }
    }

    /// What a finger or the clock does; returns without waiting for anything.
    fn does(&mut self, event: Event) {
        let was_thanked = matches!(self.survey.page(), Page::Thanks { .. });
        let now = self.clock.now();
        for Effect::Store { token, bodies } in self.survey.handle(event, now.up_ms, fresh::response_id(&now))
        {
            let draft = |body| Draft { id: fresh::entry_id(&now), at: now, body };
            let tell = self.tell.clone();
            self.outstanding += 1;
            self.recorder.handle().keep(bodies.into_iter().map(draft).collect(), move |kept| {
                drop(tell.send(News::Kept(token, kept)));
            });
        }
        self.thanked += u32::from(!was_thanked && matches!(self.survey.page(), Page::Thanks { .. }));
    }

    fn passes(&mut self, ms: u64) {
        self.clock.advance(ms);
        self.does(Event::Tick);
    }

    /// Takes in what the threads say until something holds.
    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "no {what} in time; the page is {:?}", self.survey.page());
            // Not everything that is waited for is told of.
            let Ok(news) = self.news.recv_timeout(Duration::from_millis(20)) else { continue };
            match news {
                News::Kept(token, kept) => {
                    self.outstanding -= 1;
                    let outcome = xinsheng::terminal::outcome_of(&kept);
                    self.does(outcome.event(token));
                }
                News::Delivered(through) => self.does(Event::Delivered { through }),
                News::Keeping(change) => {
                    self.keeping.push(change);
                    if let Keeping::OnDisk(chain) = change {
                        self.does(Event::Saved { chain });
                    }
                }
            }
        }
    }

    fn shows(&mut self, page: &Page<'_>) {
        self.until(&format!("{page:?}"), |terminal| terminal.survey.page() == *page);
    }

    /// A visitor who comes to a page at rest and rates.
    fn rates(&mut self) {
        assert!(self.survey.at_rest(), "{:?}", self.survey.page());
        self.clock.advance(1_000);
        self.does(Event::Rate(1));
    }

    /// The page goes by itself.
    fn leaves(&mut self) {
        self.passes(10_000);
        assert!(self.survey.at_rest(), "{:?}", self.survey.page());
        self.until("answer to every commit", |terminal| terminal.outstanding == 0);
    }

    fn stop(self) {
        if let Some(worker) = self.worker {
            worker.stop();
        }
        self.recorder.stop();
    }
}

/// A file system that takes no writes until it is let go: the kernel blocks whoever writes, as it does while a card is busy with itself.
struct Stalled(PathBuf);

impl Stalled {
    fn new(disk: &Disk) -> Self {
        freeze("-f", &disk.dir());
        Self(disk.dir())
    }
}

impl Drop for Stalled {
    fn drop(&mut self) {
        freeze("-u", &self.0);
    }
}

fn freeze(how: &str, dir: &Path) {
    let done = Command::new("fsfreeze").arg(how).arg(dir).output().expect("fsfreeze, from util-linux");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn thanks() -> Page<'static> {
    Page::Thanks { another: false }
}

#[test]
fn a_stalled_disk_never_stops_the_screen_and_a_commit_that_lands_late_is_counted_without_thanks() {
    if !may_mount() {
        return;
    }
    let disk = Disk::new(16);
    let dir = disk.dir().join("terminal");
    let mut terminal = Terminal::start(&dir, None);
    terminal.rates();
    terminal.shows(&thanks());
    terminal.leaves();

    // Two seconds: told of, and thanked for when it comes.
    let stalled = Stalled::new(&disk);
    terminal.rates();
    terminal.passes(2_000);
    assert_eq!(terminal.survey.page(), Page::StillSaving);
    drop(stalled);
    terminal.shows(&thanks());
    terminal.leaves();

    // Longer than anybody waits.
    let stalled = Stalled::new(&disk);
    terminal.rates();
    terminal.passes(2_000);
    terminal.passes(8_000);
    assert_eq!(terminal.survey.page(), Page::NotStored);
    terminal.passes(10_000);
    terminal.passes(60_000);
    assert_eq!(terminal.survey.page(), Page::OutOfService(OutOfService::Storage), "it is still stalled");
    assert_eq!(
        terminal.outstanding, 2,
        "the rating and the end of its response; the disk owes both an answer"
    );
    drop(stalled);
    terminal.until("page at rest", |terminal| terminal.survey.at_rest());
    assert_eq!(terminal.survey.tally().saved_late, 1);
    terminal.rates();
    terminal.shows(&thanks());
    assert_eq!(terminal.thanked, 3, "one of four was not thanked");
    terminal.leaves();
    let sent = terminal.recorder.handle().call(crate::support::waiting).unwrap();
    assert_eq!(sent.len(), 8, "four ratings and four ends are in the journal");
    terminal.stop();
    survived!(13; 2, "stalls");
}

/// A central, and the identity of a terminal that is enrolled there.
struct Hospital {
    data: tempfile::TempDir,
    home: tempfile::TempDir,
    central: Central,
}

impl Hospital {
    fn new() -> Self {
        let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hospital = plan(&["exit"], Start::Question).hospital.as_ref().clone();
        let central = Central::start(Settings::new(data.path()), hospital, listener).unwrap();
        let scene = Self { data, home, central };
        let code = scene.central.new_code(&"exit".parse().unwrap()).unwrap();
        sync::enrol(&scene.central.url(), None, &code, &scene.identity(), &SystemClock::new()).unwrap();
        scene
    }

    fn identity(&self) -> PathBuf {
        self.home.path().join("identity.json")
    }

    fn terminal(&self, dir: &Path) -> Terminal {
        Terminal::start(dir, Some((&self.central, &self.identity())))
    }

    /// Ratings that central holds, and the chains they came in.
    fn ratings(&self) -> (u32, u32) {
        let store = rusqlite::Connection::open(self.data.path().join("central.sqlite")).unwrap();
        let look = "SELECT count(*), count(DISTINCT chain) FROM answers";
        store.query_row(look, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }
}

#[test]
fn ratings_on_a_disk_that_turned_read_only_reach_central_once_and_none_is_thanked_as_saved() {
    if !may_mount() {
        return;
    }
    let hospital = Hospital::new();
    let mut disk = Disk::new(16);
    let dir = disk.dir().join("terminal");
    let mut terminal = hospital.terminal(&dir);
    terminal.rates();
    terminal.shows(&thanks());
    terminal.leaves();
    terminal.until("first response at central", |terminal| {
        terminal.recorder.handle().call(|journal| journal.queue_depth()).unwrap() == 0
    });
    let trigger = format!("/sys/fs/ext4/{}/trigger_fs_error", disk.device());
    if !Path::new(&trigger).exists() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI must run this: no {trigger}");
        eprintln!("skipped, the kernel offers no {trigger}");
        return;
    }
    fs::write(trigger, "test").unwrap();
    let rated = 3;
    for _ in 0..rated {
        terminal.rates();
        terminal.until("honest page", |terminal| matches!(terminal.survey.page(), Page::Held(_)));
        terminal.shows(&Page::Held(HeldStage::Received));
        terminal.leaves();
    }
    assert_eq!(terminal.keeping, [Keeping::InMemory]);
    assert_eq!(terminal.thanked, 1, "only what was on the disk");
    terminal.until("end of the last response at central", |terminal| {
        terminal.recorder.handle().call_keeper(|keeper| keeper.unsaved()).unwrap() == Some(0)
    });
    assert_eq!(hospital.ratings(), (4, 2), "each once; the chain in memory is one of its own");
    let stats = terminal.recorder.handle().call_keeper(xinsheng::journal::Keeper::stats).unwrap().unwrap();
    assert_eq!((stats.unsaved, stats.not_stored), (Some(0), 0), "held and sent is not lost");
    terminal.stop();

    // The card is checked at the next start, and the journal goes on as it was.
    disk.unmount();
    disk.mount();
    let mut terminal = hospital.terminal(&dir);
    assert!(matches!(terminal.report.opened, xinsheng::journal::Opened::Continued), "{:?}", terminal.report);
    terminal.rates();
    terminal.shows(&thanks());
    terminal.leaves();
    terminal.until("all of it at central", |_| hospital.ratings() == (5, 2));
    assert!(hospital.central.verify().unwrap().is_whole());
    terminal.stop();
    survived!(9; rated, "ratings");
}

#[test]
fn ratings_that_a_disk_refused_for_a_while_are_on_it_afterwards_and_count_once() {
    if !may_mount() {
        return;
    }
    let hospital = Hospital::new();
    let disk = Disk::new(16);
    let dir = disk.dir().join("terminal");
    let mut terminal = hospital.terminal(&dir);
    terminal.rates();
    terminal.shows(&thanks());
    terminal.leaves();
    immutable("+i", &dir);
    terminal.rates();
    terminal.until("honest page", |terminal| matches!(terminal.survey.page(), Page::Held(_)));
    terminal.shows(&Page::Held(HeldStage::Received));
    terminal.leaves();
    immutable("-i", &dir);
    // The disk is tried once a minute.
    terminal.clock.advance(60_000);
    terminal.until("word that the disk is back", |terminal| terminal.keeping.len() == 2);
    assert!(
        matches!(terminal.keeping[..], [Keeping::InMemory, Keeping::OnDisk(_)]),
        "{:?}",
        terminal.keeping
    );
    terminal.rates();
    terminal.shows(&thanks());
    terminal.leaves();
    assert_eq!(terminal.thanked, 2);
    terminal.until("all of it at central", |terminal| {
        let depth = terminal.recorder.handle().call(|journal| journal.queue_depth()).unwrap();
        depth == 0 && hospital.ratings().0 == 3
    });
    assert!(hospital.central.verify().unwrap().is_whole());
    terminal.stop();
    survived!(9; 1, "rating");
}

/// The kernel refuses writes to a file that is marked so, also to a program that has it open.
fn immutable(how: &str, dir: &Path) {
    for name in ["journal.db", "journal.db-wal"] {
        let done =
            Command::new("chattr").arg(how).arg(dir.join(name)).output().expect("chattr, from e2fsprogs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
