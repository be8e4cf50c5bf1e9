//! The staff area's worker with a real journal: what is counted, chosen and exported is on the disk, and stays there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta};
use tempfile::TempDir;
use xinsheng::{
    clock::{Clock, SimClock, fresh},
    config::{self, KioskSetup},
    journal::{Journal, OpenArgs, Recorder},
    model::{BootId, ChainId, TimeQuality},
    pin::{Pin, PinHash},
    staff::{
        Answer, Ask, Choice, Effect, EnrolFault, Entry, Event, ExportFault, FileSays, NotKept, PinVerdict,
        Staff, StaffChoices, StaffPlan, Storage, Token, Volume,
        lockout::LOCK_MS,
        worker::{Settings, StaffWorker, WorkerArgs},
    },
    sync::{
        self, Address, Diagnosis, Fault, IdentityError, Link,
        message::{Reply, Request},
        outcome::Trouble,
        transport::Transport,
    },
    wire::Entry as JournalEntry,
};

/// Far more than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn pin(digits: &str) -> Pin {
    Pin::new(digits).unwrap()
}

fn hash(digits: &str) -> PinHash {
    PinHash::cheapest(&pin(digits), &[7; 16]).unwrap()
}

fn settings(pin: Option<PinHash>) -> Settings {
    Settings { pin, config_hash: "c0ffee".into(), ..Settings::of(&config::example()) }
}

/// Central as it answers: never.
struct Silence;

impl Transport for Silence {
    fn send(&mut self, _: &Request) -> Result<Reply, Trouble> {
        Err(Trouble::Resolve)
    }
}

/// One run of the program.
struct Run {
    recorder: Recorder,
    worker: StaffWorker,
    answers: Receiver<(Token, Answer)>,
    chosen: Arc<Mutex<Vec<StaffChoices>>>,
}

impl Run {
    fn start(folder: &Path, clock: &Arc<SimClock>, settings: Settings) -> Self {
        let silent = Link::through(Address::default(), Box::new(|_, _, _| Ok(Box::new(Silence))));
        Self::start_with(folder, clock, settings, silent)
    }

    fn start_with(folder: &Path, clock: &Arc<SimClock>, settings: Settings, link: Link) -> Self {
        let (mut journal, _) = Journal::open(folder, open_args(clock)).unwrap();
        let choices = StaffChoices::load(&mut journal).unwrap();
        let recorder = Recorder::spawn(journal, clock.clone(), |_| {}).unwrap();
        let (sync, _inbox) = sync::wake_pair();
        let identity = folder.join("identity.json");
        let mut args =
            WorkerArgs::new(settings, folder.into(), identity, recorder.handle(), clock.clone(), sync, link);
        let (tell, answers) = mpsc::channel();
        args.reply = Box::new(move |token, answer| drop(tell.send((token, answer))));
        args.choices = choices;
        let chosen = Arc::new(Mutex::new(Vec::new()));
        let seen = chosen.clone();
        args.on_choices = Box::new(move |choices| seen.lock().unwrap().push(choices.clone()));
        Self { worker: StaffWorker::spawn(args).unwrap(), recorder, answers, chosen }
    }

    fn asks(&self, ask: Ask) -> Answer {
        self.worker.handle().ask(token(), ask);
        self.answers.recv_timeout(PATIENCE).expect("an answer").1
    }

    fn tries(&self, digits: &str) -> PinVerdict {
        match self.asks(Ask::CheckPin(pin(digits))) {
            Answer::Pin(verdict) => verdict,
            other => panic!("{other:?}"),
        }
    }

    fn stop(self) {
        drop(self.worker);
        self.recorder.stop();
    }
}

fn open_args(clock: &Arc<SimClock>) -> OpenArgs {
    OpenArgs { ballast_bytes: 4096, ..OpenArgs::new(fresh::chain_id(), clock.now()) }
}

fn plan() -> StaffPlan {
    StaffPlan {
        has_pin: true,
        touchpoint: "registration".parse().unwrap(),
        places: vec![],
        place: None,
        languages: vec![],
        language: None,
        volume: Volume::Off,
        tests: vec![],
        grid: (1, 1),
    }
}

/// Any token: the worker only gives it back.
fn token() -> Token {
    let mut staff = Staff::new(plan(), Entry::Pin, 0);
    "4071".chars().for_each(|digit| drop(staff.handle(Event::Key(digit.into()), 0)));
    match staff.handle(Event::Enter, 0).pop() {
        Some(Effect::Ask { token, .. }) => token,
        other => panic!("{other:?}"),
    }
}

fn clock() -> Arc<SimClock> {
    let wall = DateTime::UNIX_EPOCH + TimeDelta::days(20_778);
    Arc::new(SimClock::at(wall, BootId::from_parts(0, [1; 10])))
}

fn lines(folder: &Path) -> Vec<JournalEntry> {
    let mut out = Vec::new();
    xinsheng::journal::cli::export(folder, &mut out).unwrap();
    let entry = |line: &str| {
        let exported: serde_json::Value = serde_json::from_str(line).unwrap();
        JournalEntry::from_line(exported["entry"].to_string().as_bytes()).unwrap()
    };
    String::from_utf8(out).unwrap().lines().map(entry).collect()
}

#[test]
fn wrong_pins_lock_the_keypad_through_restarts_power_cuts_and_clock_jumps() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let run = Run::start(folder.path(), &clock, settings(Some(hash("4071"))));
    assert_eq!(run.tries("1111"), PinVerdict::Wrong { left: 4 });
    assert_eq!(run.tries("4071"), PinVerdict::Right);
    for left in [4, 3, 2] {
        assert_eq!(run.tries("1111"), PinVerdict::Wrong { left }, "the right one had cleared the count");
    }
    run.stop();

    let run = Run::start(folder.path(), &clock, settings(Some(hash("4071"))));
    assert_eq!(run.tries("1111"), PinVerdict::Wrong { left: 1 });
    assert_eq!(run.tries("1111"), PinVerdict::Locked { left_ms: LOCK_MS });
    assert_eq!(
        run.tries("4071"),
        PinVerdict::Locked { left_ms: LOCK_MS },
        "not even the right one is looked at"
    );
    clock.jump_wall(TimeDelta::days(400));
    clock.advance(60_000);
    run.stop();

    let run = Run::start(folder.path(), &clock, settings(Some(hash("4071"))));
    assert_eq!(run.tries("4071"), PinVerdict::Locked { left_ms: LOCK_MS - 60_000 }, "a start of the program");
    run.stop();
    clock.reboot(BootId::from_parts(0, [2; 10]), TimeQuality::Unset);
    let run = Run::start(folder.path(), &clock, settings(Some(hash("4071"))));
    assert_eq!(run.tries("4071"), PinVerdict::Locked { left_ms: LOCK_MS }, "a power cut");
    clock.advance(LOCK_MS);
    assert_eq!(run.tries("1111"), PinVerdict::Locked { left_ms: 2 * LOCK_MS });
    clock.advance(2 * LOCK_MS);
    assert_eq!(run.tries("4071"), PinVerdict::Right);
    run.stop();
}

#[test]
fn a_power_cut_while_the_pin_is_looked_at_finds_the_try_on_the_disk() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let (mut journal, _) = Journal::open(folder.path(), open_args(&clock)).unwrap();
    let mut lockout = xinsheng::staff::lockout::Lockout::read(None, "p", &clock.now());
    let after_the_cut = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        let write = |text: &str| journal.set_meta("staff_lockout", text).is_ok();
        let verify = || {
            // The disk as it is at this very moment.
            for file in ["journal.db", "journal.db-wal", "journal.head"] {
                drop(fs::copy(folder.path().join(file), after_the_cut.path().join(file)));
            }
            false
        };
        lockout.attempt(&clock.now(), write, verify);
    }
    let (mut found, _) = Journal::open(after_the_cut.path(), open_args(&clock)).unwrap();
    let kept = found.meta("staff_lockout").unwrap();
    let lockout = xinsheng::staff::lockout::Lockout::read(kept.as_deref(), "p", &clock.now());
    assert_eq!(lockout.left_ms(&clock.now()), LOCK_MS, "all five were counted before they were looked at");
}

#[test]
fn without_a_journal_no_pin_is_looked_at() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let run = Run::start(folder.path(), &clock, settings(Some(hash("4071"))));
    run.recorder.stop();
    let ask = |ask| {
        run.worker.handle().ask(token(), ask);
        run.answers.recv_timeout(PATIENCE).unwrap().1
    };
    assert_eq!(ask(Ask::CheckPin(pin("4071"))), Answer::Pin(PinVerdict::NotPossible));
    let Answer::Status(facts) = ask(Ask::Status) else { panic!("another answer") };
    assert!(matches!(facts.storage, Storage::Broken(_)));
    assert_eq!(ask(Ask::Keep(Choice::Volume(Volume::Off))), Answer::Kept(Err(NotKept::Storage)));
    assert!(run.chosen.lock().unwrap().is_empty());
}

#[test]
fn a_pin_comes_and_goes_with_the_configuration_and_a_new_one_lifts_the_lock() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let run = Run::start(folder.path(), &clock, settings(None));
    assert_eq!(run.tries("4071"), PinVerdict::NoPin);
    run.worker.handle().settings(settings(Some(hash("4071"))));
    for _ in 0..5 {
        run.tries("1111");
    }
    assert!(matches!(run.tries("4071"), PinVerdict::Locked { .. }));
    run.worker.handle().settings(settings(Some(hash("80315"))));
    assert_eq!(run.tries("4071"), PinVerdict::Wrong { left: 4 });
    assert_eq!(run.tries("80315"), PinVerdict::Right);
    run.stop();
}

#[test]
fn a_choice_is_kept_told_in_the_journal_and_there_after_a_restart() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let example = || -> KioskSetup { config::example().value };
    let run = Run::start(folder.path(), &clock, settings(None));
    let place = Choice::Touchpoints(vec!["pharmacy".parse().unwrap()]);
    let language = Choice::Language("en".parse().unwrap());
    for choice in [place.clone(), language, Choice::Volume(Volume::Low)] {
        assert_eq!(run.asks(Ask::Keep(choice.clone())), Answer::Kept(Ok(choice)));
    }
    let told = run.chosen.lock().unwrap().clone();
    assert_eq!(told.len(), 3, "told at once, each time");
    run.stop();

    let reasons: Vec<String> = lines(folder.path())
        .into_iter()
        .map(|entry| match entry.body {
            xinsheng::wire::Body::Config(change) => {
                assert!(change.accepted && change.config_hash == "c0ffee");
                change.reason.unwrap()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "staff chose on site: touchpoints pharmacy",
            "staff chose on site: language en",
            "staff chose on site: volume low"
        ]
    );
    let (mut journal, _) = Journal::open(folder.path(), open_args(&clock)).unwrap();
    let choices = StaffChoices::load(&mut journal).unwrap();
    assert_eq!(Some(&choices), told.last());
    let mut setup = example();
    choices.apply(&mut setup);
    assert_eq!(setup.kiosk.touchpoints[0].as_str(), "pharmacy");
    assert_eq!(setup.kiosk.languages[0].as_str(), "en");
    assert_eq!(choices.volume, Some(Volume::Low));
    journal.set_meta("staff_choices", "{half").unwrap();
    assert_eq!(
        StaffChoices::load(&mut journal).unwrap(),
        StaffChoices::default(),
        "a terminal always starts"
    );
    let again = choices.with(place, &FileSays::of(&example()));
    assert_eq!(again, choices);
}

#[test]
fn the_journal_goes_to_the_configured_folder_and_only_while_it_is_there() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let stick = TempDir::new().unwrap();
    let mut settings = settings(None);
    settings.export_dir = Some(stick.path().into());
    let run = Run::start(folder.path(), &clock, settings);
    run.asks(Ask::Keep(Choice::Volume(Volume::Off)));
    let chain: ChainId = run.recorder.handle().call(|journal| journal.head().chain).unwrap();
    assert_eq!(run.asks(Ask::FindStick), Answer::Stick(Some(stick.path().into())));
    assert_eq!(run.asks(Ask::Export(stick.path().into())), Answer::Exported(Ok(1)));
    let name = format!("xinsheng-{}-2026-11-21.jsonl", &chain.to_string()[..8]);
    assert!(stick.path().join(&name).is_file(), "named by the chain before the terminal has a name");
    assert!(
        matches!(run.asks(Ask::Export("/elsewhere".into())), Answer::Exported(Err(why)) if why.fault == ExportFault::TakenOut)
    );
    let gone = stick.path().to_owned();
    drop(stick);
    assert_eq!(run.asks(Ask::FindStick), Answer::Stick(None));
    assert!(matches!(run.asks(Ask::Export(gone)), Answer::Exported(Err(_))));
    run.stop();
}

#[test]
fn a_terminal_without_network_says_why_and_keeps_its_code() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let run = Run::start(folder.path(), &clock, settings(None));
    let expected = Diagnosis::new(Fault::NameUnresolved, Trouble::Resolve.to_string());
    assert_eq!(run.asks(Ask::TestNetwork), Answer::Network(Err(expected)));
    let Answer::Enrolled(Err(why)) = run.asks(Ask::Enrol("123456789012345".chars().collect())) else {
        panic!("enrolled by nobody")
    };
    assert_eq!(why.fault, EnrolFault::Central(Fault::NameUnresolved));
    assert!(why.words.starts_with("central was not reached; the code stays good"), "{why:?}");
    assert!(why.words.ends_with(&Trouble::Resolve.to_string()), "{why:?}");
    let identity = sync::Identity::load(&folder.path().join("identity.json"));
    assert!(matches!(identity, Err(IdentityError::Missing(_))));
    let Answer::Status(facts) = run.asks(Ask::Status) else { panic!("another answer") };
    assert_eq!((facts.unsent, facts.terminal, facts.storage), (Some(0), None, Storage::Good));
    run.stop();
}

#[cfg(feature = "central")]
#[test]
fn from_the_menu_to_central_and_back() {
    use xinsheng::{
        central::{self, Central},
        clock::SystemClock,
        staff::{MenuItem, NetworkState, View},
    };

    let (folder, data, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), clock());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hospital = config::example().value.hospital;
    let central = Central::start(central::Settings::new(data.path()), hospital, listener).unwrap();
    let url = format!("http://{}", central.address());
    let link = Link::new(Address { url: url.clone(), ..Address::default() });
    let run = Run::start_with(folder.path(), &clock, settings(Some(hash("4071"))), link);
    let mut staff = Staff::new(plan(), Entry::Pin, 0);
    let mut see = |event: Event| -> String {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in staff.handle(event, 1) {
                let Effect::Ask { token, ask } = effect else { panic!("{effect:?}") };
                run.worker.handle().ask(token, ask);
                let (token, answer) = run.answers.recv_timeout(PATIENCE).unwrap();
                events.push(Event::Answered(token, answer));
            }
        }
        match staff.view() {
            View::NetworkTest(NetworkState::Good(reached)) => reached.words.clone(),
            other => format!("{other:?}"),
        }
    };
    for digit in "4071".chars() {
        see(Event::Key(digit.into()));
    }
    assert_eq!(see(Event::Enter), "Menu");
    let item = MenuItem::ALL.iter().position(|item| *item == MenuItem::NetworkTest).unwrap();
    assert_eq!(see(Event::Pick(item)), format!("{url} answers; this terminal is not enrolled yet"));
    let code = central.new_code(&"registration".parse().unwrap()).unwrap();
    let file = folder.path().join("identity.json");
    sync::enrol(&url, None, &code, &file, &SystemClock::new()).unwrap();
    assert_eq!(see(Event::Confirm), format!("{url} holds 0 entries of this journal"));
    drop(central);
    assert!(see(Event::Confirm).contains("central cannot be reached"));
    run.stop();
}
