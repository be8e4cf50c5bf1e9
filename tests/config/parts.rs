//! What a terminal can do without (a picture, a certificate authority, an added language, places of another site) never decides whether it runs
//! with its own configuration: `check` refuses what is missing, and a terminal that has run with it goes on without.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use crate::faults::survived;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use xinsheng::{
    config::{
        self, Change, DELIVERED_FILE, EXAMPLE_KIOSK, EXAMPLE_TOUCHPOINTS, Findings, Glyphs, KioskAt,
        KioskSetup, LastGood, Loaded, Origin, Severity, Started, Watch,
    },
    fonts::Fonts,
    lang::Languages,
};

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><rect width=\"9\" height=\"9\"/></svg>";

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

struct Terminal(tempfile::TempDir);

impl Terminal {
    fn new() -> Self {
        let terminal = Self(tempfile::tempdir().unwrap());
        let kiosk = EXAMPLE_KIOSK
            .replace("../data/kiosk", "data")
            .replace("# logo = \"logo.svg\"", "logo = \"logo.svg\"")
            .replace("# ca_file = \"hospital-ca.pem\"", "ca_file = \"hospital-ca.pem\"")
            .replace("full_screen = false", "full_screen = true");
        terminal.write("kiosk.toml", &kiosk);
        terminal.write("touchpoints.toml", EXAMPLE_TOUCHPOINTS);
        terminal.write("logo.svg", LOGO);
        terminal.write("hospital-ca.pem", CERTIFICATE);
        terminal
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn start(&self) -> Started {
        self.start_with(&Glyphs::default())
    }

    fn start_with(&self, glyphs: &Glyphs<'_>) -> Started {
        config::start(&self.path("kiosk.toml"), &self.path("data"), None, &read, glyphs, &any_screens)
    }

    /// Starts once and keeps what is in force, as a terminal does.
    fn run_once(&self) -> Started {
        let started = self.start();
        assert_eq!((started.origin, started.findings.0.len()), (Origin::Files, 0), "{}", started.findings);
        LastGood::in_dir(&self.path("data")).save(&started.loaded).unwrap();
        started
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

fn any_screens(_: &Loaded<KioskSetup>) -> Findings {
    Findings::default()
}

fn warns_of(findings: &Findings, words: &str) -> bool {
    !findings.any_error() && findings.to_string().contains(words)
}

#[test]
fn a_lost_logo_leaves_the_configuration_in_force_without_it() {
    let terminal = Terminal::new();
    let good = terminal.run_once();
    assert!(good.loaded.value.kiosk.look.logo.is_some());
    fs::remove_file(terminal.path("logo.svg")).unwrap();
    let started = terminal.start();
    let kiosk = &started.loaded.value.kiosk;
    assert_eq!((started.origin, &kiosk.look.logo), (Origin::Files, &None));
    assert!(kiosk.panel.full_screen && kiosk.central_ca_file.is_some(), "all else is as it was");
    assert_eq!(started.loaded.config_hash, good.loaded.config_hash);
    assert!(warns_of(&started.findings, "logo.svg cannot be read"), "{}", started.findings);
    let refused = config::load_kiosk(&terminal.path("kiosk.toml"), &read, &Glyphs::default()).unwrap_err();
    assert!(refused.any_error(), "check says it as an error");
    survived!(17; 1, "lost file");
}

#[test]
fn a_lost_part_does_not_defeat_the_last_good_configuration_either() {
    let parts = ["logo.svg", "hospital-ca.pem"];
    for lost in parts {
        let terminal = Terminal::new();
        let good = terminal.run_once();
        fs::remove_file(terminal.path(lost)).unwrap();
        terminal.write("touchpoints.toml", "languages = 7");
        let started = terminal.start();
        assert_eq!(started.origin, Origin::LastGood, "{lost}: {}", started.findings);
        assert_eq!(started.loaded.config_hash, good.loaded.config_hash);
        assert!(warns_of(&started.loaded.warnings, lost), "{}", started.loaded.warnings);
        assert!(started.loaded.value.kiosk.panel.full_screen);
    }
    survived!(17, 36; parts.len(), "lost files");
}

#[test]
fn without_its_certificate_authority_a_terminal_runs_and_keeps_the_name_so_that_sync_can_say_it() {
    let terminal = Terminal::new();
    terminal.run_once();
    fs::remove_file(terminal.path("hospital-ca.pem")).unwrap();
    let started = terminal.start();
    assert_eq!(started.origin, Origin::Files);
    assert_eq!(started.loaded.value.kiosk.central_ca_file, Some(terminal.path("hospital-ca.pem")));
    assert!(warns_of(&started.findings, "hospital-ca.pem cannot be read"));
}

#[test]
fn a_certificate_authority_without_a_certificate_is_said_to_be_none() {
    let terminal = Terminal::new();
    let at = KioskAt { file: &terminal.path("kiosk.toml"), data_dir: None };
    config::load_kiosk(at, &read, &Glyphs::default()).unwrap();
    for junk in ["junk", &CERTIFICATE[..40]] {
        terminal.write("hospital-ca.pem", junk);
        let findings = config::load_kiosk(at, &read, &Glyphs::default()).unwrap_err().to_string();
        assert!(findings.contains("hospital-ca.pem holds no certificate"), "{findings}");
    }
}

#[test]
fn a_terminal_that_never_ran_starts_without_the_part_too() {
    let terminal = Terminal::new();
    fs::remove_file(terminal.path("logo.svg")).unwrap();
    let started = terminal.start();
    assert_eq!(started.origin, Origin::Files);
    assert!(started.loaded.value.kiosk.panel.full_screen && warns_of(&started.findings, "logo.svg"));
}

#[test]
fn a_deleted_language_folder_leaves_the_configuration_in_force() {
    let terminal = Terminal::new();
    let text = EXAMPLE_TOUCHPOINTS.replacen("zh-CN = \"挂号窗口\"", "zh-CN = \"挂号窗口ᠠ\"", 1);
    terminal.write("touchpoints.toml", &text);
    let good = terminal.run_once();
    // The font that had the letter is gone with its folder.
    let fonts = Fonts::shipped();
    let started = terminal.start_with(&Glyphs::new(&fonts));
    assert_eq!((started.origin, &started.loaded.config_hash), (Origin::Files, &good.loaded.config_hash));
    survived!(36; 1, "folder");
}

#[test]
fn a_logo_that_is_no_picture_is_an_error_in_check_and_left_out_by_a_terminal() {
    let terminal = Terminal::new();
    terminal.run_once();
    for (bytes, said) in [
        ("<html>404</html>", "is no picture"),
        ("", "is empty"),
        ("<svg><image href=\"http://a/b.png\"/></svg>", "outside itself"),
    ] {
        terminal.write("logo.svg", bytes);
        let refused =
            config::load_kiosk(&terminal.path("kiosk.toml"), &read, &Glyphs::default()).unwrap_err();
        let finding = refused
            .0
            .iter()
            .find(|finding| finding.what.contains(said))
            .unwrap_or_else(|| panic!("{refused}"));
        assert_eq!((finding.severity, finding.key.as_str()), (Severity::Error, "look.logo"));
        let started = terminal.start();
        assert_eq!((started.origin, &started.loaded.value.kiosk.look.logo), (Origin::Files, &None));
        assert!(warns_of(&started.findings, said));
    }
}

fn watch(terminal: &Terminal, seen: &Loaded<KioskSetup>) -> (Watch, mpsc::Receiver<Change>) {
    let (tell, told) = mpsc::channel();
    let (file, data) = (terminal.path("kiosk.toml"), terminal.path("data"));
    let watch = Watch::spawn(file, data, seen, Fonts::shipped(), any_screens, move |change| {
        tell.send(change).unwrap()
    });
    (watch.unwrap(), told)
}

#[test]
fn a_changed_logo_of_the_same_name_comes_into_force_and_a_lost_one_changes_nothing() {
    let terminal = Terminal::new();
    let good = terminal.run_once();
    let (watch, told) = watch(&terminal, &good.loaded);
    fs::remove_file(terminal.path("logo.svg")).unwrap();
    watch.look();
    assert!(told.recv_timeout(Duration::from_millis(1500)).is_err(), "what is in force stays");
    terminal.write("logo.svg", &LOGO.replace("rect width=\"9\"", "rect width=\"8\""));
    watch.look();
    let change = told.recv_timeout(Duration::from_secs(30)).unwrap();
    let Change::New(loaded) = change else { panic!("{change:?}") };
    assert_eq!(loaded.config_hash, good.loaded.config_hash);
    assert_ne!(loaded.parts_hash, good.loaded.parts_hash);
    assert!(loaded.value.kiosk.look.logo.is_some());
}

#[test]
fn a_delivered_file_is_read_from_where_it_was_written_also_with_a_data_folder_of_its_own() {
    let terminal = Terminal::new();
    let text = fs::read_to_string(terminal.path("kiosk.toml")).unwrap();
    terminal.write("kiosk.toml", &text.replace("source = \"local\"", "source = \"central\""));
    let (file, elsewhere) = (terminal.path("kiosk.toml"), terminal.path("elsewhere"));
    let delivered = EXAMPLE_TOUCHPOINTS.replace("挂号窗口", "挂号大厅");
    let start = || config::start(&file, &elsewhere, None, &read, &Glyphs::default(), &any_screens);
    let before = start();
    let accepted = config::accept_delivered(
        &file,
        &elsewhere,
        delivered.as_bytes(),
        &read,
        &Glyphs::default(),
        &any_screens,
    )
    .unwrap();
    assert!(elsewhere.join(DELIVERED_FILE).exists() && !terminal.path("data").join(DELIVERED_FILE).exists());
    let after = start();
    assert_eq!((after.origin, &after.loaded.config_hash), (Origin::Files, &accepted.config_hash));
    assert_ne!(before.loaded.config_hash, accepted.config_hash);
    assert_eq!(after.loaded.value.kiosk.storage_dir, elsewhere);
    // The watch over the running terminal finds it in the same place, and so do a restart and the check of the screens.
    let at = KioskAt { file: &file, data_dir: Some(&elsewhere) };
    assert_eq!(config::load_kiosk(at, &read, &Glyphs::default()).unwrap().config_hash, accepted.config_hash);
    let packed = config::pack(&after.loaded).unwrap();
    assert_eq!(config::unpack(&packed, &read, &Glyphs::default()).unwrap().config_hash, accepted.config_hash);
}

#[test]
fn a_delivered_file_that_cannot_be_read_leaves_the_last_good_one_in_force_and_not_the_one_on_site() {
    let terminal = Terminal::new();
    let text = fs::read_to_string(terminal.path("kiosk.toml")).unwrap();
    terminal.write("kiosk.toml", &text.replace("source = \"local\"", "source = \"central\""));
    let (file, data) = (terminal.path("kiosk.toml"), terminal.path("data"));
    let delivered = EXAMPLE_TOUCHPOINTS.replace("挂号窗口", "挂号大厅");
    config::accept_delivered(&file, &data, delivered.as_bytes(), &read, &Glyphs::default(), &any_screens)
        .unwrap();
    terminal.run_once();
    let good = terminal.start().loaded.config_hash;
    fs::remove_file(data.join(DELIVERED_FILE)).unwrap();
    fs::create_dir(data.join(DELIVERED_FILE)).unwrap();
    let started = terminal.start();
    assert_eq!((started.origin, &started.loaded.config_hash), (Origin::LastGood, &good));
    let findings = started.findings.to_string();
    assert!(findings.contains(DELIVERED_FILE) && findings.contains("cannot be read"), "{findings}");
}

#[test]
fn what_the_configuration_writes_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let terminal = Terminal::new();
    terminal.run_once();
    let mode = fs::metadata(terminal.path("data/config/last-good.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn two_sites() -> Terminal {
    let terminal = Terminal::new();
    let kiosk = fs::read_to_string(terminal.path("kiosk.toml")).unwrap();
    let kiosk = kiosk
        .replacen("[\"registration\"]\n", "[\"registration\", \"pharmacy\"]\n", 1)
        .replace("start = \"question\"", "");
    terminal.write("kiosk.toml", &kiosk);
    let west = "[[site]]\nid = \"west\"\nname = { zh-CN = \"西区\", en = \"West\" }\ntime_zone = \"Asia/Urumqi\"\n\n[[touchpoint]]\n";
    let text = EXAMPLE_TOUCHPOINTS.replace("[[touchpoint]]\nid", "[[touchpoint]]\nsite = \"main\"\nid");
    let text = text.replacen("\n[[touchpoint]]\nsite", &format!("\n{west}site"), 1).replacen(
        "site = \"main\"\nid = \"pharmacy\"",
        "site = \"west\"\nid = \"pharmacy\"",
        1,
    );
    terminal.write("touchpoints.toml", &text);
    terminal
}

#[test]
fn touchpoints_of_two_sites_on_one_terminal_are_refused_with_the_fix() {
    let terminal = two_sites();
    let refused = config::load_kiosk(&terminal.path("kiosk.toml"), &read, &Glyphs::default()).unwrap_err();
    let [finding] = &refused.0[..] else { panic!("{refused}") };
    assert_eq!((finding.severity, finding.key.as_str()), (Severity::Error, "touchpoints[1]"));
    for words in [
        "`pharmacy` belongs to site `west`",
        "`registration` to site `main`",
        "let another terminal rate those of `west`",
    ] {
        assert!(finding.to_string().contains(words), "{finding}");
    }
    // A terminal that has run with it takes ratings for the site of its first place, not built-in questions.
    let started = terminal.start();
    let rated: Vec<&str> = started.loaded.value.kiosk.touchpoints.iter().map(|id| id.as_str()).collect();
    assert_eq!((started.origin, rated), (Origin::Files, vec!["registration"]));
    assert!(warns_of(&started.findings, "west"));
}

#[test]
fn a_language_without_words_is_shown_in_the_nearest_one_and_check_says_which() {
    let languages = Languages::shipped().unwrap();
    let check = |from: &str, to: &str| {
        let text = EXAMPLE_TOUCHPOINTS.replace(from, to);
        let read = |_: &Path| Ok(text.clone().into_bytes());
        let glyphs = Glyphs::default().with_words(&languages.catalogue);
        match config::load_hospital(Path::new("touchpoints.toml"), &read, &glyphs) {
            Ok(loaded) => loaded.warnings,
            Err(findings) => findings,
        }
    };
    for (tag, said) in [
        ("en-GB", "its buttons show in `en` (English)"),
        ("fr", "its buttons show in English"),
        ("zh-HK", "its buttons show in `zh-TW` (繁體中文)"),
        ("zh-SG", "its buttons show in `zh-CN` (简体中文)"),
    ] {
        let findings = check("en = ", &format!("{tag} = ")).to_string();
        assert!(findings.contains("missing in `en`"), "{findings}");
        let text = EXAMPLE_TOUCHPOINTS
            .replace("en = ", &format!("{tag} = "))
            .replace("\"zh-CN\", \"en\"]", &format!("\"zh-CN\", \"{tag}\"]"));
        let read = |_: &Path| Ok(text.clone().into_bytes());
        let glyphs = Glyphs::default().with_words(&languages.catalogue);
        let loaded = config::load_hospital(Path::new("touchpoints.toml"), &read, &glyphs).unwrap();
        let [warning] = &loaded.warnings.0[..] else { panic!("{tag}: {}", loaded.warnings) };
        assert!(warning.what.contains(said) && warning.fix.contains(&format!("lang/{tag}")), "{warning}");
    }
    for (wrong, right) in [("zh_CN", "zh-CN"), ("ZH-cn", "zh-CN"), ("zh-cn", "zh-CN"), ("EN", "en")] {
        let findings = check("\"zh-CN\", \"en\"]", &format!("\"{wrong}\", \"en\"]"));
        let finding = &findings.0[0];
        assert!(
            finding.line > 1 && finding.to_string().contains(wrong) && finding.fix.contains(right),
            "{wrong}: {findings}"
        );
    }
}
