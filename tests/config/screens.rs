//! `xinsheng-kiosk check` draws what a terminal would show: a configuration whose screens break a rule is refused, with the rule, the size
//! measured, the size needed, the place in the file, and what to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails"
)]
#![cfg(feature = "kiosk")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use xinsheng::{
    config::{self, EXAMPLE_KIOSK, EXAMPLE_SIX_LANGUAGES, Glyphs, KioskSetup, Loaded, example},
    lang::Languages,
    page_audit::{
        check::{Screens, screens},
        stage::Stage,
        tour::Tour,
    },
    panel::Panel,
    staff::StaffChoices,
    terminal::screen_check::by_program,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xinsheng-kiosk");

/// A terminal's files in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    /// One language and short words, on a panel of this size.
    fn new(panel: &Panel) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        fs::write(files.kiosk(), EXAMPLE_KIOSK).unwrap();
        fs::write(files.touchpoints(), EXAMPLE_SIX_LANGUAGES).unwrap();
        files
            .kiosk_line("languages", "[\"zh-CN\"]")
            .kiosk_line("second_language", "\"en\"")
            .kiosk_line("diagonal_in", &panel.diagonal_in.to_string())
            .kiosk_line("width_px", &panel.width_px.to_string())
            .kiosk_line("height_px", &panel.height_px.to_string())
    }

    fn kiosk(&self) -> PathBuf {
        self.0.path().join("kiosk.toml")
    }

    fn touchpoints(&self) -> PathBuf {
        self.0.path().join("touchpoints.toml")
    }

    /// Sets a key of kiosk.toml, also one that stands there as a comment.
    fn kiosk_line(self, key: &str, value: &str) -> Self {
        let text = fs::read_to_string(self.kiosk()).unwrap();
        let is = |line: &&str| line.trim_start_matches("# ").starts_with(&format!("{key} ="));
        let line = text.lines().find(is).expect("the key stands in the example");
        fs::write(self.kiosk(), text.replacen(line, &format!("{key} = {value}"), 1)).unwrap();
        self
    }

    fn touchpoints_text(self, old: &str, new: &str) -> Self {
        let text = fs::read_to_string(self.touchpoints()).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(self.touchpoints(), text.replace(old, new)).unwrap();
        self
    }

    /// What the program says, and whether it ends well.
    fn check(&self) -> (bool, String) {
        let done = Command::new(PROGRAM).arg("check").arg(self.kiosk()).output().unwrap();
        assert!(done.status.code().is_some_and(|code| code < 2), "{done:?}");
        (done.status.success(), String::from_utf8(done.stdout).unwrap())
    }

    fn load(&self) -> Loaded<KioskSetup> {
        let read = |path: &Path| fs::read(path);
        config::load_kiosk(&self.kiosk(), &read, &Glyphs::default()).unwrap()
    }

    /// The audit's own verdict, without the program.
    fn measured(&self) -> Screens {
        screens(&self.load(), Languages::beside(&self.kiosk()).unwrap()).unwrap()
    }
}

/// The first line of a finding that holds all of these, and its fix.
fn finding<'o>(out: &'o str, parts: &[&str]) -> (&'o str, &'o str) {
    let mut lines = out.lines();
    let found = lines.find(|line| line.contains(": error: ") && parts.iter().all(|part| line.contains(part)));
    let fix = lines.find(|line| line.starts_with("    fix: "));
    (found.unwrap_or_else(|| panic!("no finding of {parts:?} in\n{out}")), fix.unwrap_or_default())
}

fn desk() -> Panel {
    Panel::new(15.6, 1920, 1080)
}

fn small() -> Panel {
    Panel::new(7.0, 800, 480)
}

#[test]
fn a_sound_configuration_passes_and_says_what_was_measured() {
    let (good, out) = Files::new(&desk()).check();
    assert!(good, "{out}");
    let line = out.lines().last().unwrap();
    assert!(line.contains("pages in 1 languages on 15.6\" 1920x1080: every rule kept"), "{line}");
}

/// A word that no button of a small panel has room for.
const LONG: &str = "en = \"Incomprehensible charges\"";

fn with_a_long_label(panel: &Panel) -> Files {
    Files::new(panel).kiosk_line("languages", "[\"en\"]").touchpoints_text("en = \"Unclear costs\"", LONG)
}

#[test]
fn a_label_that_is_far_too_long_is_refused_at_its_own_line() {
    let files = with_a_long_label(&small());
    let (good, out) = files.check();
    assert!(!good, "{out}");
    let needed = ["other text, capital H", " mm, must be at least 4.89 mm", "\"Incomprehensible charges\""];
    let (line, fix) = finding(&out, &needed);
    let place = format!("{}:", files.touchpoints().display());
    assert!(line.starts_with(&place) && line.contains("in `en` on 7\" 800x480"), "{line}");
    assert!(fix.contains("shorten the text") && fix.contains("offer fewer reasons"), "{fix}");
    let number: usize = line[place.len()..].split(':').next().unwrap().parse().unwrap();
    let text = fs::read_to_string(files.touchpoints()).unwrap();
    assert!(text.lines().nth(number - 1).unwrap().contains(LONG), "{line}");
}

#[test]
fn eleven_levels_on_a_small_panel_take_two_rows_or_are_refused() {
    let files = Files::new(&small()).kiosk_line("touchpoints", "[\"exit\"]");
    let (good, out) = files.check();
    let loaded = files.load();
    let (areas, side) = std::thread::spawn(move || keys(&loaded)).join().unwrap();
    assert_eq!(areas.len(), 11);
    let rows = areas.iter().map(|y| y.round() as i64).collect::<std::collections::BTreeSet<_>>().len();
    if good {
        assert!(rows >= 2 && side >= 16.0 - 1e-3, "{rows} rows, {side} mm");
    } else if side < 16.0 - 1e-3 {
        let (line, fix) = finding(&out, &["target, smaller side", "must be at least 16 mm", "`recommend`"]);
        assert!(fix.contains("fewer levels"), "{line}\n{fix}");
    }
}

/// Where the number keys of the first question begin, from above, and the least side of one in millimetres.
fn keys(loaded: &Loaded<KioskSetup>) -> (Vec<f32>, f64) {
    let tour = Tour::of(&loaded.value, Languages::shipped().unwrap());
    let mut stage = Stage::new(tour.fonts()).unwrap();
    tour.furnish(&mut stage);
    let stops = tour.stops(stage.glass());
    let question = stops.iter().find(|stop| stop.name.starts_with("question")).unwrap();
    tour.show(&stage, question);
    let sketch = stage.sketch();
    let keys: Vec<_> = sketch.targets.iter().filter(|target| target.label.parse::<u8>().is_ok()).collect();
    let least = keys.iter().map(|key| key.area.width.min(key.area.height)).fold(f32::MAX, f32::min);
    (keys.iter().map(|key| key.area.y).collect(), f64::from(least) / tour.panel().px_per_mm())
}

#[test]
fn large_text_on_a_small_panel_is_refused_where_the_words_are_long() {
    let (good, out) = with_a_long_label(&small()).kiosk_line("large_text", "true").check();
    assert!(!good, "{out}");
    let (line, fix) = finding(&out, &["mm, must be at least", "with large_text"]);
    assert!(fix.contains("set large_text = false"), "{line}\n{fix}");
}

#[test]
fn what_no_text_of_the_hospital_can_mend_is_told_at_the_panel() {
    let (good, out) =
        Files::new(&Panel::new(5.0, 800, 480)).kiosk_line("languages", "[\"zh-CN\", \"bo\"]").check();
    assert!(!good, "{out}");
    let (line, fix) = finding(&out, &["kiosk.toml:", "staff page", "`bo`"]);
    assert!(
        fix.contains("use a larger panel") && fix.contains("leave \"bo\" out of languages"),
        "{line}\n{fix}"
    );
}

#[test]
fn files_with_other_mistakes_are_not_drawn() {
    let files = Files::new(&desk()).touchpoints_text("scale = \"csat5\"", "scale = \"csat6\"");
    let (good, out) = files.check();
    assert!(!good && out.contains("did you mean \"csat5\"?") && !out.contains("screens:"), "{out}");
}

/// Panels nobody tests by hand: odd sizes, odd resolutions, either way up.
#[test]
fn the_program_and_the_audit_are_of_one_mind_on_any_panel() {
    let panels = [
        (5.0, 854, 480, "0"),
        (6.2, 1024, 600, "270"),
        (8.9, 1920, 1200, "90"),
        (11.6, 1366, 768, "0"),
        (12.1, 1024, 768, "90"),
        (17.0, 1280, 1024, "180"),
        (24.0, 1366, 768, "90"),
    ];
    let mut refused = 0;
    for (diagonal, width, height, rotation) in panels {
        let files = Files::new(&Panel::new(diagonal, width, height)).kiosk_line("rotation", rotation);
        let (good, out) = files.check();
        let measured = files.measured();
        assert_eq!(good, measured.table.broken().is_empty(), "{diagonal}\": {out}");
        assert_eq!(good, !measured.findings.any_error(), "{diagonal}\": {out}");
        for finding in &measured.findings.0 {
            assert!(out.contains(&finding.to_string()), "{finding}\nis not in\n{out}");
        }
        refused += usize::from(!good);
    }
    assert!((1..panels.len()).contains(&refused), "{refused} of {} are refused", panels.len());
}

// ── What a terminal asks before it takes a configuration into force ──

#[test]
fn the_program_tells_a_terminal_the_same() {
    let files = Files::new(&Panel::new(5.0, 800, 480));
    let (ask, none) = (by_program(PROGRAM.into()), StaffChoices::default());
    assert_eq!(ask(&files.load(), &none), files.measured().findings);
    let good = Files::new(&desk());
    assert_eq!(ask(&good.load(), &none).0, []);
}

#[test]
fn a_delivered_file_is_judged_before_it_is_in_place() {
    let files = Files::new(&small())
        .kiosk_line("languages", "[\"en\"]")
        .kiosk_line("source", "\"central\"")
        .kiosk_line("dir", "\"data\"");
    let (data, glyphs) = (files.0.path().join("data"), Glyphs::default());
    let ask = by_program(PROGRAM.into());
    let deliver = |text: &str| {
        let read = |path: &Path| fs::read(path);
        config::accept_delivered(&files.kiosk(), &data, text.as_bytes(), &read, &glyphs, &|loaded| {
            ask(loaded, &StaffChoices::default())
        })
    };
    let refused = deliver(&EXAMPLE_SIX_LANGUAGES.replace("en = \"Unclear costs\"", LONG)).unwrap_err();
    assert!(refused.to_string().contains("Incomprehensible charges"), "{refused}");
    assert!(!data.join(config::DELIVERED_FILE).exists());
    let loaded = deliver(EXAMPLE_SIX_LANGUAGES);
    assert_eq!(loaded.is_ok(), files.check().0, "what is taken is what passes the check");
    assert_eq!(loaded.is_ok(), data.join(config::DELIVERED_FILE).exists());
}

#[test]
fn a_program_that_cannot_be_asked_refuses_nothing_and_one_that_breaks_down_does() {
    let (loaded, none) = (example(), StaffChoices::default());
    assert_eq!(by_program("/nowhere/xinsheng-kiosk".into())(&loaded, &none).0, []);
    let broken = by_program("/bin/false".into())(&loaded, &none);
    assert!(broken.any_error(), "{broken}");
    assert!(broken.to_string().contains("the screens of this configuration cannot be drawn"), "{broken}");
}
