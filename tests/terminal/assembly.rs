//! A terminal put together as its program does it, on a screen that nobody sees: what is in force, who judges it, and who hears of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a test that waits for threads waits in real time, and not for ever"
)]

use crate::faults::survived;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;
use xinsheng::{
    clock::SystemClock,
    config::{EXAMPLE_KIOSK, EXAMPLE_TOUCHPOINTS, Findings, KeyAt, KioskSetup, Loaded},
    fonts::Fonts,
    journal::BatchLimits,
    lang::Text,
    model::TouchpointId,
    staff::{Answer, Ask, Choice, NotKept},
    start_guard::StartGuard,
    terminal::{Assembly, Place, Screen, ScreenCheck, Terminal},
    wire::{Body, ConfigChange, Entry},
};

use crate::headless::{Headless, token};

/// Far more than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn id(name: &str) -> TouchpointId {
    name.parse().unwrap()
}

/// A terminal's folder with the example's files, reporting to nobody.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kiosk = EXAMPLE_KIOSK.replace("../data/kiosk", "data").replace("127.0.0.1:8460", "127.0.0.1:9");
        fs::write(folder.path().join("kiosk.toml"), kiosk).unwrap();
        fs::write(folder.path().join("touchpoints.toml"), EXAMPLE_TOUCHPOINTS).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn change(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "no {old} in {name}");
        fs::write(self.path(name), text.replace(old, new)).unwrap();
    }
}

struct Running {
    terminal: Terminal,
    screen: Arc<Headless>,
    changes: Receiver<()>,
}

impl Running {
    fn start(config: &Path, screens: ScreenCheck) -> Self {
        let place = Place { config: config.to_owned(), data: None };
        let mut assembly = Assembly::new(place, Arc::new(SystemClock::new()));
        (assembly.screens, assembly.ballast_bytes) = (Some(screens), Some(4096));
        let mut terminal = assembly.start().unwrap();
        let (screen, changes) = Headless::new();
        terminal.attach(&(screen.clone() as Arc<dyn Screen>)).unwrap();
        Self { terminal, screen, changes }
    }

    fn wait_for(&self, what: &str, is_it: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_it() {
            assert!(Instant::now() < until, "no {what} in time");
            let _ = self.changes.recv_timeout(Duration::from_millis(10));
        }
    }

    fn asks(&self, ask: Ask) -> Answer {
        self.screen.forget_answer();
        (self.terminal.parts().staff.ask)(token(), ask);
        self.wait_for("answer", || self.screen.told().answer.is_some());
        self.screen.told().answer.unwrap()
    }

    fn rated(&self) -> Vec<TouchpointId> {
        self.terminal.parts().plan.touchpoints
    }

    /// What the journal says of configurations and choices.
    fn config_entries(&self) -> Vec<ConfigChange> {
        let lines = self.terminal.recorder().call(|journal| {
            let limits = BatchLimits { entries: 1_000, bytes: 1_000_000 };
            journal.batch(limits).unwrap().map(|batch| batch.lines).unwrap_or_default()
        });
        let bodies = lines.unwrap().into_iter().map(|line| Entry::from_line(&line).unwrap().body);
        bodies.filter_map(|body| if let Body::Config(change) = body { Some(change) } else { None }).collect()
    }
}

fn anything() -> ScreenCheck {
    Arc::new(|_, _| Findings::default())
}

/// Stands in for the drawing of all pages: the pharmacy's do not fit.
fn no_pharmacy() -> ScreenCheck {
    Arc::new(|loaded: &Loaded<KioskSetup>, choices| {
        let mut setup = loaded.value.clone();
        choices.apply(&mut setup);
        let wrong = setup.kiosk.touchpoints.contains(&id("pharmacy")).then(|| {
            loaded.error_at(&KeyAt::kiosk(&["panel"]), "3.9 mm, must be 4 mm".into(), "shorten it".into())
        });
        Findings(wrong.into_iter().collect())
    })
}

#[test]
fn a_place_that_staff_choose_comes_into_force_only_if_its_pages_fit_the_screen() {
    let files = Files::new();
    let running = Running::start(&files.path("kiosk.toml"), no_pharmacy());
    let choose = |name: &str| running.asks(Ask::Keep(Choice::Touchpoints(vec![id(name)])));
    let refused = choose("pharmacy");
    assert!(matches!(&refused, Answer::Kept(Err(NotKept::Screens(what))) if what == "3.9 mm, must be 4 mm"));
    assert_eq!(running.rated(), [id("registration")]);
    assert!(running.screen.told().setup.is_none(), "the screen hears nothing of it");
    assert_eq!(choose("payment"), Answer::Kept(Ok(Choice::Touchpoints(vec![id("payment")]))));
    assert_eq!(running.rated(), [id("payment")]);
    assert_eq!(running.screen.told().setup.unwrap().plan.touchpoints, [id("payment")]);

    let entries = running.config_entries();
    let told: Vec<_> = entries.iter().map(|entry| (entry.accepted, entry.touchpoints.clone())).collect();
    assert_eq!(
        told,
        [(false, vec![]), (true, vec![id("payment")])],
        "central hears where the terminal is now"
    );
    assert!(entries[0].reason.as_deref().unwrap().contains("3.9 mm"), "{entries:?}");
    running.terminal.stop();
}

#[test]
fn a_changed_file_is_judged_with_what_staff_chose() {
    let files = Files::new();
    let running = Running::start(&files.path("kiosk.toml"), no_pharmacy());
    running.asks(Ask::Keep(Choice::Touchpoints(vec![id("payment")])));
    // The file says the pharmacy now, and the choice is over: what was instead of it stands no longer there.
    files.change("kiosk.toml", "[\"registration\"]\n", "[\"pharmacy\"]\n");
    running.terminal.look_at_files();
    running.wait_for("refusal", || running.screen.told().badge == Some(Text::BadgeConfigRefused));
    assert_eq!(running.rated(), [id("payment")]);
    // The file says something else again, and so is the choice over.
    files.change("kiosk.toml", "[\"pharmacy\"]\n", "[\"exit\"]\n");
    running.terminal.look_at_files();
    running.wait_for("change", || running.rated() == [id("exit")]);
    assert_eq!(running.config_entries().last().unwrap().touchpoints, [id("exit")]);
    running.terminal.stop();
}

#[test]
fn a_missing_authority_file_does_not_keep_a_terminal_from_asking() {
    let files = Files::new();
    files.change(
        "kiosk.toml",
        "url = \"http://127.0.0.1:9\"",
        "url = \"https://127.0.0.1:9\"\nca_file = \"gone.pem\"",
    );
    let running = Running::start(&files.path("kiosk.toml"), anything());
    assert_eq!(running.rated(), [id("registration")]);
    running.terminal.stop();
}

/// A judge that says nothing before it is told to, and then what it is told.
fn waiting_judge() -> (Sender<bool>, ScreenCheck) {
    let (tell, told) = mpsc::channel::<bool>();
    let told = Mutex::new(told);
    let judge: ScreenCheck = Arc::new(move |loaded, _| {
        let fits = told.lock().unwrap().recv_timeout(PATIENCE).expect("the judge is told");
        let wrong = (!fits).then(|| {
            loaded.error_at(&KeyAt::kiosk(&["panel"]), "3.9 mm, must be 4 mm".into(), "shorten it".into())
        });
        Findings(wrong.into_iter().collect())
    });
    (tell, judge)
}

fn name_shown(setup: &xinsheng::survey::Plan) -> String {
    setup.hospital.touchpoint(&id("registration")).unwrap().name.get(&"zh-CN".parse().unwrap()).to_owned()
}

#[test]
fn a_first_start_shows_its_pages_before_they_are_judged() {
    let files = Files::new();
    let (tell, judge) = waiting_judge();
    let running = Running::start(&files.path("kiosk.toml"), judge);
    assert_eq!(running.rated(), [id("registration")], "nobody has judged anything yet");
    assert_ne!(running.screen.told().badge, Some(Text::BadgeConfigRefused));
    tell.send(false).unwrap();
    assert_eq!(running.rated(), [id("registration")], "there is nothing better");
    running.terminal.stop();
}

#[test]
fn files_that_changed_while_the_terminal_was_off_are_judged_while_the_last_good_ones_show() {
    let files = Files::new();
    Running::start(&files.path("kiosk.toml"), anything()).terminal.stop();
    files.change("touchpoints.toml", "挂号窗口", "挂号大厅");
    let (tell, judge) = waiting_judge();
    let running = Running::start(&files.path("kiosk.toml"), judge);
    assert_eq!(name_shown(&running.terminal.parts().plan), "挂号窗口");
    assert_ne!(
        running.screen.told().badge,
        Some(Text::BadgeConfigRefused),
        "nothing is wrong with them so far"
    );
    tell.send(true).unwrap();
    running.wait_for("change", || name_shown(&running.terminal.parts().plan) == "挂号大厅");
    assert_eq!(name_shown(&running.screen.told().setup.unwrap().plan), "挂号大厅");
    running.terminal.stop();

    files.change("touchpoints.toml", "挂号大厅", "挂号收费综合服务大厅");
    let (tell, judge) = waiting_judge();
    let running = Running::start(&files.path("kiosk.toml"), judge);
    tell.send(false).unwrap();
    running.wait_for("refusal", || running.screen.told().badge == Some(Text::BadgeConfigRefused));
    assert_eq!(name_shown(&running.terminal.parts().plan), "挂号大厅");
    running.terminal.stop();
    survived!(36; 1, "changed file");
}

#[test]
fn fault_7_after_five_starts_that_came_to_nothing_what_staff_chose_is_left_out_until_a_start_settles() {
    let files = Files::new();
    fs::create_dir_all(files.path("lang/ug")).unwrap();
    fs::write(files.path("lang/ug/font.ttf"), Fonts::shipped().faces_for("ug")[0]).unwrap();
    let added = |running: &Running| {
        running.terminal.parts().fonts.families().iter().any(|family| family.name.ends_with("(ug)"))
    };
    let start = || Running::start(&files.path("kiosk.toml"), anything());
    let running = start();
    assert!(added(&running), "the language is drawn in the font that was added");
    let payment = Choice::Touchpoints(vec![id("payment")]);
    assert_eq!(running.asks(Ask::Keep(payment.clone())), Answer::Kept(Ok(payment)));
    running.terminal.stop();
    let starts = 5;
    for _ in 0..starts {
        // The power goes before the program has settled.
        StartGuard::begin(&files.path("data"));
    }

    let running = start();
    assert_eq!(running.rated(), [id("registration")], "what the file says, and ratings are taken");
    assert!(!added(&running), "an added font may be what brought it down");
    assert_eq!(
        running.screen.told().badge,
        Some(Text::BadgeConfigRefused),
        "staff see that something is wrong"
    );
    running.terminal.stop();
    let running = start();
    assert_eq!(running.rated(), [id("payment")], "the start before ended in order");
    running.terminal.stop();
    survived!(7; starts, "starts that came to nothing");
}

#[test]
fn fault_14_a_second_terminal_on_the_same_folder_does_not_start_and_says_who_has_it() {
    let files = Files::new();
    let running = Running::start(&files.path("kiosk.toml"), anything());
    let place = Place { config: files.path("kiosk.toml"), data: None };
    let second = Assembly::new(place, Arc::new(SystemClock::new())).start().err().expect("refused");
    let said = format!("{second:#}");
    assert!(said.contains(&std::process::id().to_string()), "{said}");
    let payment = Choice::Touchpoints(vec![id("payment")]);
    assert_eq!(running.asks(Ask::Keep(payment.clone())), Answer::Kept(Ok(payment)), "the first goes on");
    running.terminal.stop();
    survived!(14; 1, "second terminal");
}
