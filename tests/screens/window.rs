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

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use xinsheng::clock::SimClock;
use xinsheng::config;
use xinsheng::kiosk::Parts;
use xinsheng::kiosk::terminal::{panel_of, plan_of};
use xinsheng::lang::Catalogue;
use xinsheng::model::BootId;
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
        look: xinsheng::kiosk::look::Look::default(),
        full_screen: false,
        clock,
        staff: xinsheng::kiosk::staff::StaffParts::none(),
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

#[test]
fn a_tap_on_a_real_window_is_in_the_journal() {
    let tools = ["Xvfb", "xdotool", "matchbox-window-manager", "import"];
    let missing: Vec<_> = tools
        .iter()
        .filter(|tool| Command::new("which").arg(tool).output().is_ok_and(|o| !o.status.success()))
        .collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "under CI nothing is skipped; missing: {missing:?}");
        println!("skipped: {missing:?} not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config/kiosk.toml");
    std::fs::create_dir_all(folder.path().join("config")).unwrap();
    let full_screen = config::EXAMPLE_KIOSK.replace("full_screen = false", "full_screen = true");
    std::fs::write(&config, full_screen).unwrap();
    std::fs::write(folder.path().join("config/touchpoints.toml"), config::EXAMPLE_TOUCHPOINTS).unwrap();

    let display = format!(":{}", 100 + std::process::id() % 400);
    let _x = spawn(Command::new("Xvfb").args([&display, "-screen", "0", "1280x800x24", "-nolisten", "tcp"]));
    let x = |command: &mut Command| command.env("DISPLAY", &display).output().unwrap();
    until("Xvfb", || x(Command::new("xdotool").arg("getdisplaygeometry")).status.success());
    let _wm =
        spawn(Command::new("matchbox-window-manager").args(["-use_titlebar", "no"]).env("DISPLAY", &display));
    let _kiosk = spawn(
        Command::new(env!("CARGO_BIN_EXE_xinsheng-kiosk"))
            .arg("--config")
            .arg(&config)
            .env("DISPLAY", &display)
            .env_remove("WAYLAND_DISPLAY"),
    );
    until("the window", || {
        x(Command::new("xdotool").args(["search", "--onlyvisible", "--name", "Xinsheng"])).status.success()
    });
    until("the boot entry", || kinds(&config).contains(&"boot".to_owned()));

    let shot = |name: &str| {
        let path = folder.path().join(name);
        x(Command::new("import").args(["-window", "root"]).arg(&path));
        std::fs::read(&path).unwrap_or_default()
    };
    let blank = shot("blank.png");
    until("the first picture", || shot("question.png") != blank || shot("question.png").len() > 8_000);
    let (at_x, at_y) = button("非常满意").center();
    let at = [format!("{at_x:.0}"), format!("{at_y:.0}")];
    // The window may be mapped before it takes input: a lost tap is tapped again, as a visitor would.
    until("the answer in the journal", || {
        // A terminal without an identity asks for its enrolment code first; Escape puts that off.
        x(Command::new("xdotool").args(["key", "Escape"]));
        x(Command::new("xdotool").args(["mousemove", &at[0], &at[1], "click", "1"]));
        std::thread::park_timeout(Duration::from_millis(700));
        kinds(&config).contains(&"answer".to_owned())
    });
    if let Some(folder) = std::env::var_os("XINSHENG_SHOTS") {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join("window-after-tap.png"), shot("thanks.png")).unwrap();
    }
    until("the end of the response", || kinds(&config).contains(&"response_end".to_owned()));
}
