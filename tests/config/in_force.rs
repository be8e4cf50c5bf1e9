//! What a terminal asks after a start, a change of its files, or a mistake in them: always something, and never to the wrong place.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]
#![cfg(feature = "terminal")]

use crate::faults::survived;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use xinsheng::config::{
    self, Change, DELIVERED_FILE, DeliveryError, EXAMPLE_CENTRAL, EXAMPLE_KIOSK, EXAMPLE_TOUCHPOINTS,
    Findings, Glyphs, KeyAt, KioskSetup, LastGood, Loaded, Origin, Start, Started, Watch,
};

/// A terminal's folder with the example's files.
struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    fn new() -> Self {
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        terminal.write("kiosk.toml", &EXAMPLE_KIOSK.replace("../data/kiosk", "data"));
        terminal.write("touchpoints.toml", EXAMPLE_TOUCHPOINTS);
        terminal
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn replace(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "{name} has no {old}");
        self.write(name, &text.replacen(old, new, 1));
    }

    fn start(&self, enrolled_for: Option<&str>) -> Started {
        let enrolled_for = enrolled_for.map(|id| id.parse().unwrap());
        let data_dir =
            config::data_dir_of(&self.path("kiosk.toml"), &read).unwrap_or_else(|| self.path("data"));
        let (kiosk, glyphs) = (self.path("kiosk.toml"), Glyphs::default());
        config::start(&kiosk, &data_dir, enrolled_for.as_ref(), &read, &glyphs, &no_halls)
    }

    fn watch(&self) -> (Watch, Receiver<Change>) {
        let (tell, told) = mpsc::channel();
        let seen = self.start(None).loaded;
        let watch = Watch::spawn(
            self.path("kiosk.toml"),
            self.path("data"),
            &seen,
            xinsheng::fonts::Fonts::shipped(),
            no_halls,
            move |change| tell.send(change).unwrap(),
        );
        (watch.unwrap(), told)
    }
}

/// Stands in for the drawing of all pages: where registration is called a hall, it does not fit.
fn no_halls(loaded: &Loaded<KioskSetup>) -> Findings {
    let place = loaded.value.hospital.touchpoint(&"registration".parse().unwrap());
    let hall = place.is_some_and(|place| place.name.get(&"zh-CN".parse().unwrap()) == HALL);
    let key = KeyAt::hospital(&["touchpoint", "registration", "name", "zh-CN"]);
    let wrong = hall.then(|| loaded.error_at(&key, "3.9 mm, must be 4 mm".into(), "shorten it".into()));
    Findings(wrong.into_iter().collect())
}

/// A name that does not fit on the screen.
const HALL: &str = "挂号收费综合服务大厅";

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

fn asked(started: &Started) -> Vec<&str> {
    started.loaded.value.kiosk.touchpoints.iter().map(|id| id.as_str()).collect()
}

fn next(told: &Receiver<Change>) -> Change {
    told.recv_timeout(Duration::from_secs(30)).expect("the watch tells")
}

#[test]
fn good_files_are_in_force() {
    let started = Terminal::new().start(None);
    assert_eq!(started.origin, Origin::Files);
    assert_eq!(asked(&started), ["registration"]);
}

#[test]
fn after_a_restart_with_a_wrong_file_the_last_good_one_is_in_force() {
    let terminal = Terminal::new();
    terminal.replace("kiosk.toml", "[\"registration\"]\n", "[\"pharmacy\"]\n");
    let good = terminal.start(None);
    LastGood::in_dir(&good.loaded.value.kiosk.storage_dir).save(&good.loaded).unwrap();
    let wrong = [
        ("touchpoints.toml", "[[site]]\nid", "[[sites]]\nid"),
        ("kiosk.toml", "width_px = 1280", "width_px"),
    ];
    for (name, old, new) in wrong {
        terminal.replace(name, old, new);
        let started = terminal.start(None);
        assert_eq!(started.origin, Origin::LastGood);
        assert!(started.findings.any_error());
        assert_eq!(started.loaded.value, good.loaded.value);
        assert_eq!(started.loaded.config_hash, good.loaded.config_hash);
    }
    survived!(36; wrong.len(), "wrong files");
}

/// The last good configuration, the journal and the key lie in the data folder: a terminal that cannot see it begins from nothing.
#[test]
fn whatever_line_of_kiosk_toml_is_wrong_a_terminal_still_finds_its_data_folder() {
    let terminal = Terminal::new();
    terminal.replace("kiosk.toml", "dir = \"data\"", "dir = \"on-the-other-disk\"");
    let file = fs::read_to_string(terminal.path("kiosk.toml")).unwrap();
    let found = |text: &[u8]| config::data_dir_of(Path::new("kiosk.toml"), &|_| Ok(text.to_vec()));
    let folder = PathBuf::from("on-the-other-disk");
    assert_eq!(found(file.as_bytes()), Some(folder.clone()));

    let lines: Vec<&str> = file.lines().collect();
    let mut tried = 0;
    for (at, line) in lines.iter().enumerate() {
        let code = line.split('#').next().unwrap().trim_end();
        let damages = [
            code.replace('=', "：").replace('[', "【").replace(']', "】"),
            code.replace(['"'], "”"),
            code.replacen('"', "“", 1),
            code.replace(" = ", "\u{3000}=\u{a0}"),
            code.chars().take(code.chars().count() / 2).collect(),
            code.chars().rev().skip(1).collect::<String>().chars().rev().collect(),
            format!("{code} \"\"\""),
            format!("{code}\n{code}"),
            format!("]{code}"),
        ];
        // What is cut out of the line itself cannot be known.
        let holds_it = code.starts_with("[storage]") || code.starts_with("dir");
        for damaged in damages.into_iter().take(if holds_it { 4 } else { usize::MAX }) {
            let mut changed: Vec<&str> = lines.clone();
            changed[at] = &damaged;
            assert_eq!(found(changed.join("\r\n").as_bytes()), Some(folder.clone()), "{damaged}");
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried} damaged files");

    let utf_16: Vec<u8> =
        [0xfeff].into_iter().chain(file.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(found(&utf_16), Some(folder.clone()), "saved as Unicode in an old editor");
    let (gbk, _, _) = encoding_rs::GBK.encode(&file);
    assert_eq!(found(&gbk), Some(folder), "saved as ANSI in an old editor");
    survived!(36; tried, "damaged files");
}

#[test]
fn screens_that_break_a_rule_wait_for_the_last_good_ones_and_are_shown_where_there_are_none() {
    let terminal = Terminal::new();
    let name = |started: &Started| {
        let place = started.loaded.value.hospital.touchpoint(&"registration".parse().unwrap()).unwrap();
        place.name.get(&"zh-CN".parse().unwrap()).to_owned()
    };
    let good = terminal.start(None);
    terminal.replace("touchpoints.toml", "挂号窗口", HALL);
    let first = terminal.start(None);
    assert_eq!((first.origin, name(&first).as_str()), (Origin::Files, HALL));
    assert!(first.findings.any_error(), "they are told of");

    let store = LastGood::in_dir(&terminal.path("data"));
    store.save(&good.loaded).unwrap();
    let kept = terminal.start(None);
    assert_eq!((kept.origin, name(&kept).as_str()), (Origin::LastGood, "挂号窗口"));
    assert!(kept.findings.any_error());

    // What was in force once is not judged again: a start takes no longer than it must.
    store.save(&first.loaded).unwrap();
    let again = terminal.start(None);
    assert_eq!((again.origin, again.findings), (Origin::Files, Findings::default()));
}

#[test]
fn a_last_good_file_that_is_torn_or_gone_is_no_obstacle() {
    let terminal = Terminal::new();
    let store = LastGood::in_dir(&terminal.path("data"));
    store.save(&terminal.start(None).loaded).unwrap();
    let path = terminal.path("data/config/last-good.json");
    let whole = fs::read(&path).unwrap();
    terminal.write("touchpoints.toml", "");
    let cuts = [0, 1, whole.len() / 2, whole.len() - 1];
    for cut in cuts {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(terminal.start(None).origin, Origin::BuiltIn);
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(terminal.start(None).origin, Origin::LastGood);
    survived!(36; cuts.len(), "torn files");
}

#[test]
fn with_nothing_right_the_built_in_questions_are_asked_for_the_terminals_own_touchpoint() {
    let terminal = Terminal::new();
    // The binding can still be read although the rest cannot.
    terminal.replace("kiosk.toml", "[\"registration\"]\n", "[\"ward-7\", \"pharmacy\"]\n");
    terminal.replace("kiosk.toml", "http://127.0.0.1:8460", "https://xinsheng.example-hospital.cn");
    terminal.replace("kiosk.toml", "width_px = 1280", "width_px = \"wide\"");
    terminal.write("touchpoints.toml", "not a file");
    let started = terminal.start(Some("exit"));
    assert_eq!(started.origin, Origin::BuiltIn);
    assert!(started.place_known);
    assert_eq!(asked(&started), ["ward-7", "pharmacy"]);
    let setup = &started.loaded.value;
    assert_eq!(setup.kiosk.start, Start::Attract);
    assert_eq!(setup.kiosk.central_url, "https://xinsheng.example-hospital.cn");
    assert_eq!(setup.kiosk.storage_dir, terminal.path("data"));
    let ward = setup.hospital.touchpoint(&"ward-7".parse().unwrap()).unwrap();
    assert_eq!(ward.name.get(&"zh-CN".parse().unwrap()), "本服务点");
    assert!(setup.hospital.questionnaire(&ward.questionnaire).is_some());

    // No file at all: what central enrolled it for.
    fs::remove_file(terminal.path("kiosk.toml")).unwrap();
    let started = terminal.start(Some("ward-7"));
    assert_eq!((started.origin, asked(&started)), (Origin::BuiltIn, vec!["ward-7"]));
    assert!(started.place_known);
    assert_eq!(started.loaded.value.kiosk.start, Start::Question);
    let unknown = terminal.start(None);
    assert!(!unknown.place_known, "nobody has said what is rated here: it asks nothing");
    assert_eq!(asked(&unknown), ["registration"]);
    survived!(36; 3, "starts");
}

#[test]
fn a_wrong_kiosk_file_does_not_hide_the_hospitals_own_questions() {
    let terminal = Terminal::new();
    terminal.replace("kiosk.toml", "width_px = 1280", "");
    terminal.replace(
        "touchpoints.toml",
        "id = \"registration\"",
        "id = \"window-3\"\nicon = \"registration\"",
    );
    terminal.replace("kiosk.toml", "[\"registration\"]\n", "[\"window-3\"]\n");
    let started = terminal.start(None);
    assert_eq!((started.origin, asked(&started)), (Origin::BuiltIn, vec!["window-3"]));
    assert!(started.place_known);
    let place = started.loaded.value.hospital.touchpoint(&"window-3".parse().unwrap()).unwrap();
    assert_eq!(place.icon, "registration");
}

#[test]
fn what_central_delivers_counts_once_the_terminal_can_use_it() {
    let terminal = Terminal::new();
    terminal.replace("kiosk.toml", "source = \"local\"", "source = \"central\"");
    let kiosk = terminal.path("kiosk.toml");
    let name = |started: &Started| {
        let id = "registration".parse().unwrap();
        started
            .loaded
            .value
            .hospital
            .touchpoint(&id)
            .map(|t| t.name.get(&"zh-CN".parse().unwrap()).to_owned())
    };
    assert_eq!(name(&terminal.start(None)).unwrap(), "挂号窗口");

    let accept = |text: &str| {
        config::accept_delivered(
            &kiosk,
            &terminal.path("data"),
            text.as_bytes(),
            &read,
            &Glyphs::default(),
            &no_halls,
        )
    };
    let other =
        EXAMPLE_TOUCHPOINTS.replace("\"registration\"\nname", "\"counter\"\nicon = \"registration\"\nname");
    let refused = accept(&other).unwrap_err();
    assert!(
        matches!(&refused, DeliveryError::Findings(f) if f.to_string().contains("no touchpoint `registration`"))
    );
    assert!(!terminal.path("data").join(DELIVERED_FILE).exists());

    let refused = accept(&EXAMPLE_TOUCHPOINTS.replace("挂号窗口", HALL)).unwrap_err();
    assert!(matches!(&refused, DeliveryError::Findings(f) if f.to_string().contains("3.9 mm, must be 4 mm")));
    assert!(!terminal.path("data").join(DELIVERED_FILE).exists());

    let renamed = EXAMPLE_TOUCHPOINTS.replace("挂号窗口", "挂号大厅");
    let loaded = accept(&renamed).unwrap();
    let started = terminal.start(None);
    assert_eq!(name(&started).unwrap(), "挂号大厅");
    assert_eq!(started.loaded.config_hash, loaded.config_hash);
}

#[test]
fn a_running_terminal_picks_up_a_change_and_stays_with_the_last_good_file() {
    let terminal = Terminal::new();
    let (watch, told) = terminal.watch();
    terminal.replace("touchpoints.toml", "挂号窗口", "挂号大厅");
    watch.look();
    let Change::New(loaded) = next(&told) else { panic!("a good file was refused") };
    assert_eq!(loaded.config_hash, terminal.start(None).loaded.config_hash);

    terminal.replace("touchpoints.toml", "scale = \"csat5\"", "scale = \"csat6\"");
    watch.look();
    let Change::Refused(findings) = next(&told) else { panic!("a wrong file was taken") };
    assert!(findings.to_string().contains("did you mean \"csat5\"?"), "{findings}");

    // What can be read and does not fit on the screen is no better.
    terminal.replace("touchpoints.toml", "scale = \"csat6\"", "scale = \"csat5\"");
    terminal.replace("touchpoints.toml", "挂号大厅", HALL);
    watch.look();
    let Change::Refused(findings) = next(&told) else { panic!("screens that break a rule were taken") };
    assert_eq!(findings.0[0].key, "touchpoint[registration].name.zh-CN");
    terminal.replace("touchpoints.toml", HALL, "挂号大厅");
    terminal.replace("touchpoints.toml", "scale = \"csat5\"", "scale = \"csat6\"");
    watch.look();
    assert!(matches!(next(&told), Change::Refused(_)));

    // Back to what is in force: told, so that the badge goes.
    terminal.replace("touchpoints.toml", "scale = \"csat6\"", "scale = \"csat5\"");
    watch.look();
    assert!(matches!(next(&told), Change::New(again) if again.config_hash == loaded.config_hash));
    drop(watch);
    assert!(told.recv().is_err(), "the thread ends with the watch, and nothing is told twice");
    survived!(36; 3, "refused files");
}

#[test]
fn a_change_is_noticed_by_itself_also_when_the_file_is_replaced() {
    let terminal = Terminal::new();
    let (_watch, told) = terminal.watch();
    // As an editor does: a new file beside it, then the name.
    terminal.write("new", &EXAMPLE_TOUCHPOINTS.replace("挂号窗口", "挂号大厅"));
    fs::rename(terminal.path("new"), terminal.path("touchpoints.toml")).unwrap();
    assert!(matches!(next(&told), Change::New(_)));
}

// ── The command ──

fn cli(paths: &[PathBuf]) -> (bool, String) {
    let mut out = Vec::new();
    let good = config::cli_check(paths, &Glyphs::default(), &mut out).unwrap();
    (good, String::from_utf8(out).unwrap())
}

#[test]
fn the_command_says_what_is_in_good_files() {
    let terminal = Terminal::new();
    terminal.write("central.toml", EXAMPLE_CENTRAL);
    let names = ["kiosk.toml", "touchpoints.toml", "central.toml"];
    let (good, out) = cli(&names.map(|name| terminal.path(name)));
    assert!(good, "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(
        lines[0].ends_with("kiosk.toml: good. rates registration, reports to http://127.0.0.1:8460"),
        "{out}"
    );
    assert!(lines[1].ends_with("16 touchpoints, 15 questionnaires, languages zh-CN, en"), "{out}");
    assert!(lines[2].ends_with("listens on 127.0.0.1:8460, 16 touchpoints"), "{out}");
}

#[test]
fn the_command_names_a_mistake_once_also_when_two_files_lead_to_it() {
    let terminal = Terminal::new();
    terminal.replace("touchpoints.toml", "stage = \"booking\"", "stage = \"bookin\"");
    let (good, out) =
        cli(&["kiosk.toml", "touchpoints.toml", "nowhere.toml"].map(|name| terminal.path(name)));
    assert!(!good);
    assert_eq!(out.matches("did you mean \"booking\"?").count(), 1, "{out}");
    assert!(out.contains("nowhere.toml:1:1: error: the file cannot be read"), "{out}");
    assert!(out.ends_with("2 errors, 0 warnings\n"), "{out}");
}
