//! What stands behind a screen: the real journal in a folder of its own, and the real worker of the staff area.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::pedantic,
    clippy::duration_suboptimal_units,
    reason = "a test that cannot go on fails"
)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use xinsheng::clock::{Clock, SimClock};
use xinsheng::journal::{BatchLimits, Journal, OpenArgs, Recorder};
use xinsheng::kiosk::Kiosk;
use xinsheng::model::{ChainId, StoreId};
use xinsheng::pin::{Pin, PinHash};
use xinsheng::sign::KeyPair;
use xinsheng::staff::worker::{Settings, StaffWorker, WorkerArgs, WorkerHandle};
use xinsheng::staff::{StaffChoices, Volume};
use xinsheng::sync::message::{Reply, Request};
use xinsheng::sync::outcome::Trouble;
use xinsheng::sync::transport::Transport;
use xinsheng::sync::{self, Address, Identity, Link};
use xinsheng::terminal::StaffParts;
use xinsheng::terminal::{Screen, Store};
use xinsheng::wire::{Body, EnrolmentReply, Entry, content_type};

/// The PIN that opens the staff area.
pub const PIN: &str = "80614";

/// A hash takes tenths of a second; a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The threads behind a screen. First [`Backstage::open`], then a screen of its parts, then [`Backstage::serve`].
pub struct Backstage {
    clock: Arc<SimClock>,
    /// Filled once there is a screen to answer to.
    asked: Rc<RefCell<Option<WorkerHandle>>>,
    worker: Option<(StaffWorker, Receiver<()>)>,
    restarted: Rc<Cell<bool>>,
    recorder: Recorder,
    home: tempfile::TempDir,
    refused: bool,
}

/// A central that knows nobody.
struct Refusing;

impl Transport for Refusing {
    fn send(&mut self, _: &Request) -> Result<Reply, Trouble> {
        let problem =
            serde_json::json!({ "type": "about:blank", "title": "the key is revoked", "status": 403 });
        let headers = [("content-type".to_owned(), content_type::PROBLEM.to_owned())].into();
        Ok(Reply { status: 403, headers, body: problem.to_string().into_bytes() })
    }
}

impl Backstage {
    /// Opens the journal of a folder, or a new one.
    pub fn open(home: tempfile::TempDir, clock: Arc<SimClock>) -> Self {
        let args = OpenArgs { ballast_bytes: 0, ..OpenArgs::new(ChainId([1; 16]), clock.now()) };
        let (journal, _) = Journal::open(home.path(), args).unwrap();
        let recorder = Recorder::spawn(journal, clock.clone(), |_| {}).unwrap();
        Self {
            clock,
            asked: Rc::default(),
            worker: None,
            restarted: Rc::default(),
            recorder,
            home,
            refused: false,
        }
    }

    /// The terminal has an identity, and central wants no more of it.
    pub fn refuse(&mut self) {
        let reply = EnrolmentReply {
            terminal: "t-1".parse().unwrap(),
            site: "main".parse().unwrap(),
            touchpoint: "exit".parse().unwrap(),
            store: StoreId(uuid::Uuid::nil()),
            central_key: KeyPair::from_seed(&[2; 32]).public().to_string(),
            time: self.clock.now().wall,
        };
        let identity = Identity::new(KeyPair::from_seed(&[1; 32]), "serial-1".into(), reply).unwrap();
        identity.save(&self.home.path().join("identity.json")).unwrap();
        self.refused = true;
    }

    /// The way of entries to the journal.
    pub fn store(&self) -> Store {
        let recorder = self.recorder.handle();
        Box::new(move |drafts, reply| {
            recorder.keep(drafts, move |kept| reply(xinsheng::terminal::outcome_of(&kept)))
        })
    }

    /// A staff area with a PIN, whose questions go to the worker.
    pub fn staff(&self) -> StaffParts {
        let (asked, restarted) = (self.asked.clone(), self.restarted.clone());
        StaffParts {
            has_pin: Box::new(|| true),
            volume: Box::new(|| Volume::Medium),
            places: Box::new(|| vec![vec!["exit".parse().unwrap()]]),
            restart: Box::new(move || restarted.set(true)),
            ask: Box::new(move |token, ask| asked.borrow().as_ref().unwrap().ask(token, ask)),
            ..StaffParts::none()
        }
    }

    /// A worker whose answers go to the screen, and a note of each to the test.
    pub fn serve(&mut self, kiosk: &Kiosk) {
        let (sync, _inbox) = sync::wake_pair();
        let (home, recorder) = (self.home.path(), self.recorder.handle());
        let pin = PinHash::cheapest(&Pin::new(PIN).unwrap(), &[7; 16]).unwrap();
        let settings = Settings { pin: Some(pin), ..Settings::default() };
        let address = Address { url: "http://127.0.0.1:9".into(), ..Address::default() };
        let link = if self.refused {
            Link::through(address, Box::new(|_, _, _| Ok(Box::new(Refusing))))
        } else {
            Link::new(address)
        };
        let identity = home.join("identity.json");
        let clock = self.clock.clone();
        let mut args = WorkerArgs::new(settings, home.to_owned(), identity, recorder, clock, sync, link);
        let (told, answers) = mpsc::channel();
        let messenger = kiosk.messenger();
        args.reply = Box::new(move |token, answer| {
            messenger.staff_answer(token, answer);
            // A test that has ended listens no more.
            let _ = told.send(());
        });
        let worker = StaffWorker::spawn(args).unwrap();
        *self.asked.borrow_mut() = Some(worker.handle());
        self.worker = Some((worker, answers));
    }

    /// What was handed to the worker is done; the screen has it as news.
    pub fn answered(&self) {
        self.worker.as_ref().unwrap().1.recv_timeout(PATIENCE).unwrap();
    }

    /// What was handed to the journal is on the disk; the screen has it as news.
    pub fn committed(&self) {
        self.recorder.handle().call(|_| ()).unwrap();
    }

    /// The journal's end.
    pub fn end(&self) -> xinsheng::survey::JournalPlace {
        let head = self.recorder.handle().call(|journal| journal.head()).unwrap();
        xinsheng::survey::JournalPlace { chain: head.chain, seq: head.seq }
    }

    /// What the journal holds, in order.
    pub fn entries(&self) -> Vec<Body> {
        let lines = self.recorder.handle().call(|journal| {
            let limits = BatchLimits { entries: 100, bytes: 1_000_000 };
            journal.batch(limits).unwrap().map(|batch| batch.lines).unwrap_or_default()
        });
        lines.unwrap().iter().map(|line| Entry::from_line(line).unwrap().body).collect()
    }

    /// What staff chose on site, as it lies on the card.
    pub fn choices(&self) -> StaffChoices {
        self.recorder.handle().call(|journal| StaffChoices::load(journal).unwrap()).unwrap()
    }

    /// Whether staff asked for a restart.
    pub fn restarted(&self) -> bool {
        self.restarted.get()
    }

    /// The program ends; what stays is the card.
    pub fn close(mut self) -> tempfile::TempDir {
        drop(self.worker.take());
        self.recorder.stop();
        self.home
    }
}
