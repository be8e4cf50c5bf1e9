//! The commands that draft clips and check them.

use std::{fs, path::Path};

use xinsheng::{
    lang::Catalogue,
    sound::{self, Drafts},
};

use super::Terminal;

fn drafts(terminal: &Terminal, languages: &[&str], force: bool) -> (bool, String) {
    let setup = terminal.setup("");
    let drafts = Drafts {
        program: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/fake-espeak-ng"),
        languages: languages.iter().map(|lang| lang.parse().unwrap()).collect(),
        dir: terminal.path("voices"),
        force,
    };
    let mut out = Vec::new();
    let all = sound::cli_voices(&drafts, &setup.hospital, &Catalogue::shipped().unwrap(), &mut out).unwrap();
    (all, String::from_utf8(out).unwrap())
}

fn check(terminal: &Terminal) -> String {
    let mut out = Vec::new();
    sound::cli_check(&terminal.setup(""), &Catalogue::shipped().unwrap(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn drafts_are_made_for_every_page_and_question_and_listed() {
    let terminal = Terminal::new();
    let (all, said) = drafts(&terminal, &["zh-CN", "en", "bo"], false);
    assert!(!all);
    assert!(said.contains("bo: skipped, espeak-ng has no voice for this language"), "{said}");
    assert!(said.contains("drafts made with the voice cmn-latn-pinyin"), "{said}");
    let clip = |name: &str| fs::read_to_string(terminal.path("voices").join(name)).unwrap_or_default();
    let chinese = fs::read(terminal.path("voices/zh-CN/choice.wav")).unwrap();
    assert!(String::from_utf8_lossy(&chinese).contains("cmn-latn-pinyin: 您刚"), "the words are spoken");
    let setup = terminal.setup("");
    for asked in &setup.hospital.questionnaires {
        for question in &asked.questions {
            let name = format!("voices/en/question-{}-{}.wav", asked.id, question.id);
            assert!(terminal.path(&name).exists(), "{name}");
        }
    }
    assert!(clip("drafts.txt").contains("en/still-there.wav\t"));
    assert!(clip("drafts.txt").contains("\tAre you still there? / The page starts over"));
    assert!(fs::read_dir(terminal.path("voices/en")).unwrap().all(|file| {
        let path = file.unwrap().path();
        path.extension().is_some_and(|ending| ending == "wav")
    }));
}

#[test]
fn a_recording_is_never_overwritten_unless_asked_for() {
    let terminal = Terminal::new();
    terminal.clip("en/attract.wav", 8_000, 200);
    fs::write(terminal.path("voices/en/choice.ogg"), "a recording").unwrap();
    let recorded = fs::read(terminal.path("voices/en/attract.wav")).unwrap();
    let (all, said) = drafts(&terminal, &["en"], false);
    assert!(all && said.contains(", 2 kept as they were"), "{said}");
    assert_eq!(fs::read(terminal.path("voices/en/attract.wav")).unwrap(), recorded);
    assert!(!terminal.path("voices/en/choice.wav").exists());
    let (_, said) = drafts(&terminal, &["en"], false);
    assert!(said.starts_with("en: 0 drafts made"), "{said}");
    drafts(&terminal, &["en"], true);
    assert_ne!(fs::read(terminal.path("voices/en/attract.wav")).unwrap(), recorded);
}

#[test]
fn without_espeak_the_command_says_how_to_install_it() {
    let terminal = Terminal::new();
    let setup = terminal.setup("");
    let drafts = Drafts {
        program: "no-such-program".into(),
        languages: vec![],
        dir: terminal.path("voices"),
        force: false,
    };
    let error = sound::cli_voices(&drafts, &setup.hospital, &Catalogue::shipped().unwrap(), &mut Vec::new())
        .unwrap_err();
    assert!(error.to_string().contains("sudo apt install espeak-ng"), "{error}");
}

#[test]
fn the_check_names_what_is_wrong_with_the_clips() {
    let terminal = Terminal::new();
    terminal.clip("en/attract.wav", 8_000, 200);
    terminal.clip("en/question-canteen@1-overall.wav", 8_000, 200);
    terminal.clip("click.wav", 8_000, 20);
    assert_eq!(check(&terminal), format!("{}: 3 clips, 0 warnings\n", terminal.path("voices").display()));

    terminal.clip("en/atract.wav", 8_000, 200);
    terminal.clip("fr/attract.wav", 8_000, 200);
    fs::write(terminal.path("voices/zh-CN.txt"), "notes").unwrap();
    fs::write(terminal.path("voices/en/choice.wav"), "RIFF....").unwrap();
    fs::write(terminal.path("voices/en/attract.ogg"), "OggS....").unwrap();
    let said = check(&terminal);
    for words in [
        "atract.wav: warning: no page plays a clip named atract\n    fix: did you mean attract.wav?",
        "fr: warning: the language fr is not offered at this terminal",
        "zh-CN.txt: warning: only .wav and .ogg files are played",
        "choice.wav: warning: it is not played: its WAV data cannot be decoded",
        "attract.ogg: warning: attract.wav is played instead",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
}

#[test]
fn the_check_warns_of_drafts_until_they_are_recorded() {
    let terminal = Terminal::new();
    drafts(&terminal, &["zh-CN", "en"], false);
    let count = |said: &str, lang: &str| -> usize {
        let line = said.lines().find(|line| line.contains("drafts by a machine") && line.contains(lang));
        line.and_then(|line| line.split("warning: ").nth(1)?.split(' ').next()?.parse().ok()).unwrap_or(0)
    };
    let before = check(&terminal);
    terminal.clip("en/attract.wav", 8_000, 200);
    let after = check(&terminal);
    assert_eq!(count(&after, "voices/en"), count(&before, "voices/en") - 1);
    assert_eq!(count(&after, "voices/zh-CN"), count(&before, "voices/zh-CN"));
}
