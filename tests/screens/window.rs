//! A real window under a real X server, tapped by XTest: the tap is in the journal and the glass says thank you.
//!
//! Needs Xvfb, xdotool and a kiosk window manager (X11 full screen is not honoured without one). Says so and passes where they are
//! missing, except under CI, where it fails.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use xinsheng::clock::SimClock;
use xinsheng::config;
use xinsheng::lang::Catalogue;
use xinsheng::model::BootId;
use xinsheng::terminal::Parts;
use xinsheng::terminal::{panel_of, plan_of};
use xinsheng::{page_audit::Area, simulator::SimPanel};

const PATIENCE: Duration = Duration::from_mins(1);

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(command: &mut Command) -> Running {
    Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Where a button lies: the simulated panel lays the same pages out for the same glass.
fn button(label: &str) -> Area {
    let setup = config::example().value;
    let glass = panel_of(&setup.kiosk);
    let wall = "2026-11-21T02:00:00Z".parse().unwrap();
    let clock = Arc::new(SimClock::at(wall, BootId::from_parts(0, [1; 10])));
    let panel = SimPanel::new(glass, clock, |clock| Parts {
        plan: plan_of(&setup),
        catalogue: Catalogue::shipped().unwrap(),
        fonts: xinsheng::fonts::Fonts::shipped(),
        second_language: setup.kiosk.second_language.clone(),
        panel: glass,
        low_reach: false,
        look: xinsheng::terminal::Look::default(),
        full_screen: false,
        clock,
        staff: xinsheng::terminal::StaffParts::none(),
        sound: xinsheng::sound::SoundHandle::silent(),
        store: Box::new(|_, reply| reply(xinsheng::survey::StoreOutcome::PRETENDED)),
    });
    let panel = panel.unwrap();
    panel.find(label).unwrap_or_else(|| panic!("no button `{label}` on the first page"))
}

/// Asks again until it is so.
#[expect(clippy::disallowed_methods, reason = "a test of real processes waits in real time, with an end")]
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

fn kinds(config: &Path) -> Vec<String> {
    let export =
        Command::new(env!("CARGO_BIN_EXE_xinsheng-kiosk")).arg("export").arg("--config").arg(config).output();
    let text = String::from_utf8(export.unwrap().stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let entry = line.get("entry").or(line.get("line")).unwrap_or(&line);
            let entry = match entry.as_str() {
                Some(text) => serde_json::from_str(text).ok()?,
                None => entry.clone(),
            };
            Some(entry.get("kind")?.as_str()?.to_owned())
        })
        .collect()
}

/// A real terminal in a real window on a display of its own. Fields are dropped in order: the program first.
struct Scene {
    kiosk: Running,
    _wm: Running,
    x_server: Running,
    display: String,
    config: PathBuf,
    folder: tempfile::TempDir,
}

impl Scene {
    /// `None`: tools are missing, and that was said.
    fn start(number: u32) -> Option<Self> {
        let tools = ["Xvfb", "xdotool", "matchbox-window-manager", "import"];
        let missing: Vec<_> = tools
            .iter()
            .filter(|tool| Command::new("which").arg(tool).output().is_ok_and(|o| !o.status.success()))
            .collect();
        if !missing.is_empty() {
            assert!(std::env::var_os("CI").is_none(), "under CI nothing is skipped; missing: {missing:?}");
            println!("skipped: {missing:?} not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config/kiosk.toml");
        std::fs::create_dir_all(folder.path().join("config")).unwrap();
        let full_screen = config::EXAMPLE_KIOSK.replace("full_screen = false", "full_screen = true");
        std::fs::write(&config, full_screen).unwrap();
        std::fs::write(folder.path().join("config/touchpoints.toml"), config::EXAMPLE_TOUCHPOINTS).unwrap();

        let display = format!(":{}", 100 + (std::process::id() * 8 + number) % 4000);
        let x_server =
            spawn(Command::new("Xvfb").args([&display, "-screen", "0", "1280x800x24", "-nolisten", "tcp"]));
        until("Xvfb", || run(&display, "xdotool", &["getdisplaygeometry"]));
        std::fs::create_dir(folder.path().join(".matchbox")).unwrap();
        std::fs::write(folder.path().join(".matchbox/kbdconfig"), "<Alt>F4=close\n").unwrap();
        let wm = spawn(
            Command::new("matchbox-window-manager")
                .args(["-use_titlebar", "no"])
                .env("DISPLAY", &display)
                .env("HOME", folder.path()),
        );
        let kiosk = spawn(
            Command::new(env!("CARGO_BIN_EXE_xinsheng-kiosk"))
                .arg("--config")
                .arg(&config)
                .env("DISPLAY", &display)
                .env_remove("WAYLAND_DISPLAY"),
        );
        let scene = Self { kiosk, _wm: wm, x_server, display, config, folder };
        until("the window", || scene.x("xdotool", &["search", "--onlyvisible", "--name", "Xinsheng"]));
        until("the boot entry", || kinds(&scene.config).contains(&"boot".to_owned()));
        Some(scene)
    }

    fn x(&self, program: &str, arguments: &[&str]) -> bool {
        run(&self.display, program, arguments)
    }

    fn shot(&self, name: &str) -> Vec<u8> {
        let path = self.folder.path().join(name);
        self.x("import", &["-window", "root", path.to_str().unwrap()]);
        std::fs::read(&path).unwrap_or_default()
    }

    fn wait_for_first_picture(&self) {
        let blank = self.shot("blank.png");
        until("the first picture", || {
            let now = self.shot("question.png");
            now != blank || now.len() > 8_000
        });
    }

    /// The tap is tapped again until it is in the journal: a window may be mapped before it takes input.
    fn tap_until_answered(&self) {
        let (at_x, at_y) = button("非常满意").center();
        let at = [format!("{at_x:.0}"), format!("{at_y:.0}")];
        let answers = || kinds(&self.config).iter().filter(|kind| *kind == "answer").count();
        let before = answers();
        until("the answer in the journal", || {
            // A terminal without an identity asks for its enrolment code first; Escape puts that off.
            self.x("xdotool", &["key", "Escape"]);
            self.x("xdotool", &["mousemove", &at[0], &at[1], "click", "1"]);
            std::thread::park_timeout(Duration::from_millis(700));
            answers() > before
        });
    }
}

fn run(display: &str, program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).env("DISPLAY", display).stderr(Stdio::null());
    command.output().unwrap().status.success()
}

#[test]
fn a_tap_on_a_real_window_is_in_the_journal() {
    let Some(scene) = Scene::start(0) else { return };
    scene.wait_for_first_picture();
    scene.tap_until_answered();
    if let Some(folder) = std::env::var_os("XINSHENG_SHOTS") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join("window-after-tap.png"), scene.shot("thanks.png")).unwrap();
    }
    until("the end of the response", || kinds(&scene.config).contains(&"response_end".to_owned()));
}

#[test]
fn alt_f4_and_a_window_managers_request_to_close_do_nothing() {
    let Some(mut scene) = Scene::start(1) else { return };
    scene.wait_for_first_picture();
    for _ in 0..5 {
        // The window manager takes the key and asks the window to close (WM_DELETE_WINDOW).
        scene.x("xdotool", &["key", "alt+F4"]);
        std::thread::park_timeout(Duration::from_millis(300));
    }
    assert!(scene.kiosk.0.try_wait().unwrap().is_none(), "the program still runs");
    scene.tap_until_answered();
}

#[test]
fn a_terminal_whose_display_goes_away_ends_with_a_status_that_a_supervisor_starts_again() {
    let Some(mut scene) = Scene::start(2) else { return };
    scene.wait_for_first_picture();
    scene.x_server.0.kill().unwrap();
    scene.x_server.0.wait().unwrap();
    let mut ended = None;
    until("the end of the program", || {
        ended = scene.kiosk.0.try_wait().unwrap();
        ended.is_some()
    });
    // The X library ends the program by itself with 1; see docs/service.md.
    let code = ended.unwrap().code();
    assert!(matches!(code, Some(1 | 69)), "{code:?}");
    assert!(kinds(&scene.config).contains(&"boot".to_owned()), "the journal is whole");
}
