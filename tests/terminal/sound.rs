//! What is heard at a terminal: whole visits, mixed into a WAV file and looked at there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, NaiveTime, Utc};
use xinsheng::{
    clock::SimClock,
    config::{self, Glyphs, KioskSetup},
    lang::Catalogue,
    model::{BootId, Lang, TimeQuality},
    sound::{self, Desk, Drafts, Event, Output, PageName, RATE, Settings, Sound, SoundHandle},
};

/// A terminal's folder with clips that stand at one value, so that a recording shows which of them sounds.
struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn recording(&self) -> PathBuf {
        self.path("heard.wav")
    }

    /// A clip of so many milliseconds at a value.
    fn clip(&self, name: &str, value: i16, ms: u32) {
        let path = self.path("voices").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(path, spec).unwrap();
        (0..RATE * ms / 1000).for_each(|_| file.write_sample(value).unwrap());
        file.finalize().unwrap();
    }

    /// What the terminal goes by, with these lines under `[sound]`.
    fn setup(&self, lines: &str) -> KioskSetup {
        let sound = format!("\n[sound]\ndevice = \"file:heard.wav\"\n{lines}\n");
        fs::write(self.path("kiosk.toml"), config::EXAMPLE_KIOSK.to_owned() + &sound).unwrap();
        fs::write(self.path("touchpoints.toml"), config::EXAMPLE_TOUCHPOINTS).unwrap();
        let read = |path: &Path| fs::read(path);
        config::load_kiosk(&self.path("kiosk.toml"), &read, &Glyphs::default()).unwrap().value
    }

    fn settings(&self, lines: &str) -> Settings {
        Settings::of(&self.setup(lines))
    }

    fn desk(&self, lines: &str) -> Played {
        Played { desk: Desk::new(&self.settings(lines)), now: Duration::ZERO, hour: 10 }
    }

    /// What was heard.
    fn heard(&self) -> Heard {
        let samples = match hound::WavReader::open(self.recording()) {
            Ok(mut file) => file.samples::<i16>().map(Result::unwrap).collect(),
            Err(_) => Vec::new(),
        };
        Heard(samples)
    }
}

/// A desk in a time of its own.
struct Played {
    desk: Desk,
    now: Duration,
    hour: u32,
}

impl Played {
    fn tell(&mut self, event: Event) {
        self.desk.handle(event, NaiveTime::from_hms_opt(self.hour, 0, 0));
    }

    fn page(&mut self, page: PageName, lang: &str) {
        self.tell(Event::Page(page, lang.parse().unwrap()));
    }

    /// Lets time pass; gives how often the desk wanted to be called.
    fn pass(&mut self, ms: u64) -> usize {
        let end = self.now + Duration::from_millis(ms);
        let mut calls = 0;
        while let Some(wait) = self.desk.feed(self.now) {
            calls += 1;
            if self.now + wait > end {
                break;
            }
            self.now += wait;
        }
        self.now = end;
        calls
    }
}

/// Recorded samples.
struct Heard(Vec<i16>);

impl Heard {
    fn peak(&self) -> u16 {
        self.0.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
    }

    /// How many milliseconds stand at a value.
    fn ms_at(&self, value: i16) -> usize {
        self.0.iter().filter(|sample| **sample == value).count() * 1000 / RATE as usize
    }

    /// From the first to the last sound, in milliseconds.
    fn ms_between_first_and_last(&self) -> usize {
        let first = self.0.iter().position(|sample| *sample != 0).unwrap_or(0);
        let last = self.0.iter().rposition(|sample| *sample != 0).unwrap_or(0);
        (last - first) * 1000 / RATE as usize
    }

    /// The first millisecond at which a value stands.
    fn begins(&self, value: i16) -> Option<usize> {
        self.0.iter().position(|sample| *sample == value).map(|at| at * 1000 / RATE as usize)
    }
}

/// A clip's value as it is heard at a volume.
fn at_percent(value: i16, percent: u32) -> i16 {
    let gain = (percent as f32 / 100.0).powi(2);
    (f32::from(value) * gain).round() as i16
}

// ── A visit ──

#[test]
fn a_click_and_the_thanks_are_heard_softly_and_shortly() {
    let terminal = Terminal::new();
    let mut played = terminal.desk("");
    played.tell(Event::Click);
    played.pass(10_000);
    drop(played);
    let click = terminal.heard();
    assert!((1_000..5_000).contains(&click.peak()), "{}", click.peak());
    assert!(click.ms_between_first_and_last() <= 50);

    let mut played = terminal.desk("");
    played.page(PageName::Thanks, "zh-CN");
    played.pass(10_000);
    drop(played);
    let thanks = terminal.heard();
    assert!((1_000..6_000).contains(&thanks.peak()), "{}", thanks.peak());
    assert!((300..600).contains(&thanks.ms_between_first_and_last()));
}

#[test]
fn a_page_is_spoken_once_in_the_visitors_language() {
    let terminal = Terminal::new();
    terminal.clip("zh-CN/language.wav", 8_000, 400);
    terminal.clip("en/language.wav", -8_000, 400);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    for _ in 0..60 {
        played.page(PageName::Language, "zh-CN");
        played.pass(16);
    }
    for _ in 0..60 {
        played.page(PageName::Language, "en");
        played.pass(16);
    }
    drop(played);
    let heard = terminal.heard();
    assert_eq!((heard.ms_at(8_000), heard.ms_at(-8_000)), (400, 400));
}

#[test]
fn a_new_prompt_ends_the_old_one_and_a_click_does_not() {
    let terminal = Terminal::new();
    terminal.clip("en/choice.wav", 8_000, 3_000);
    terminal.clip("en/language.wav", -8_000, 500);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    played.page(PageName::Choice, "en");
    played.pass(600);
    played.tell(Event::Click);
    played.pass(600);
    played.page(PageName::Language, "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    // The first ran on under the click for as long as its page was shown, but for the pause before it.
    assert!((800..1_100).contains(&heard.ms_at(8_000)), "{}", heard.ms_at(8_000));
    assert!(heard.peak() > 10_000, "the click is on top");
    assert_eq!(heard.ms_at(-8_000), 500);
    let second = heard.begins(-8_000).unwrap() * RATE as usize / 1000;
    assert!(!heard.0[second..].contains(&8_000), "nothing of the first is left");
}

#[test]
fn the_words_of_thanks_follow_the_tones() {
    let terminal = Terminal::new();
    terminal.clip("thanks.wav", 4_000, 300);
    terminal.clip("en/thanks.wav", 8_000, 300);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    played.page(PageName::Thanks, "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    assert_eq!((heard.ms_at(4_000), heard.ms_at(8_000)), (300, 300), "the hospital's own tones are played");
    assert!(heard.begins(8_000).unwrap() >= heard.begins(4_000).unwrap() + 500);
    assert_eq!(heard.peak(), 8_000, "never both at once");
}

#[test]
fn a_question_is_spoken_by_its_own_clip_else_by_the_general_one() {
    let terminal = Terminal::new();
    terminal.clip("en/question.wav", 4_000, 200);
    terminal.clip("en/question-outpatient@1-overall.wav", 8_000, 200);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    let question = |version: &str| PageName::Question(version.parse().unwrap(), "overall".parse().unwrap());
    played.page(question("outpatient@1"), "en");
    played.pass(1_000);
    played.page(question("outpatient@2"), "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    assert_eq!((heard.ms_at(8_000), heard.ms_at(4_000)), (200, 200));
    assert!(heard.begins(8_000) < heard.begins(4_000));
}

// ── Silence ──

#[test]
fn at_night_nothing_is_mixed_and_nothing_is_opened() {
    let terminal = Terminal::new();
    terminal.clip("en/choice.wav", 8_000, 500);
    let mut played = terminal.desk("");
    played.hour = 22;
    played.page(PageName::Choice, "en");
    played.tell(Event::Click);
    played.page(PageName::Thanks, "en");
    assert_eq!(played.pass(10_000), 0);
    drop(played);
    assert!(!terminal.recording().exists());
}

#[test]
fn at_rest_the_voice_stops_nothing_repeats_and_nothing_wakes() {
    let terminal = Terminal::new();
    terminal.clip("en/attract.wav", 8_000, 5_000);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    played.page(PageName::Attract, "en");
    played.pass(1_000);
    played.tell(Event::Rest);
    // What is left of the silence after the last sound, then nothing for a day.
    assert!(played.pass(10_000) < 300);
    assert_eq!(played.pass(86_400_000), 0);
    drop(played);
    let heard = terminal.heard();
    assert!(heard.ms_at(8_000) < 1_000);
    assert!(heard.0.len() < 6 * RATE as usize, "the output was closed soon after");
}

#[test]
fn the_volume_goes_by_the_hour_and_by_the_people() {
    let terminal = Terminal::new();
    terminal.clip("en/choice.wav", 16_000, 300);
    terminal.clip("en/language.wav", 16_000, 300);
    let mut played = terminal.desk("volume = \"07:00-12:00 60%, 12:00-14:00 20%, 14:00-21:00 60%\"");
    played.page(PageName::Choice, "en");
    played.pass(1_000);
    played.hour = 13;
    played.page(PageName::Language, "en");
    played.pass(1_000);
    played.tell(Event::VisitorTurns { louder: true });
    played.page(PageName::Choice, "en");
    played.pass(1_000);
    // The next visitor finds what staff left.
    played.tell(Event::Rest);
    played.page(PageName::Language, "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    for (percent, ms) in [(60, 300), (20, 600), (30, 300)] {
        let found = heard.ms_at(at_percent(16_000, percent));
        assert!(found.abs_diff(ms) < 20, "{found} ms at {percent} %");
    }
}

// ── The device ──

/// A sound card that may be missing.
#[derive(Clone, Default)]
struct Card {
    there: Arc<Mutex<bool>>,
    tries: Arc<Mutex<usize>>,
    blocks: Arc<Mutex<usize>>,
}

impl Output for Card {
    fn write(&mut self, _block: &[i16]) -> io::Result<()> {
        if *self.there.lock().unwrap() {
            *self.blocks.lock().unwrap() += 1;
            return Ok(());
        }
        *self.tries.lock().unwrap() += 1;
        Err(io::Error::other("no card"))
    }

    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the log of a test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn count(&self, words: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).matches(words).count()
    }
}

#[test]
fn without_a_card_it_is_said_once_and_with_a_card_it_is_heard_again() {
    let (terminal, card, log) = (Terminal::new(), Card::default(), Log::default());
    let settings = terminal.settings("");
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || written.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        let desk = Desk::with_output(&settings, Box::new(card.clone()));
        let mut played = Played { desk, now: Duration::ZERO, hour: 10 };
        // Two minutes of touches: the card is sought twice a minute and not at every touch.
        for _ in 0..120 {
            played.tell(Event::Click);
            played.pass(1_000);
        }
        assert!((3..=5).contains(&*card.tries.lock().unwrap()), "{}", card.tries.lock().unwrap());
        assert_eq!(log.count("no sound can be played"), 1);
        *card.there.lock().unwrap() = true;
        played.pass(30_000);
        played.tell(Event::Click);
        played.pass(10_000);
        assert!(*card.blocks.lock().unwrap() > 0);
        assert_eq!((log.count("no sound can be played"), log.count("sound is heard again")), (1, 1));
    });
}

#[test]
fn a_clip_that_cannot_be_played_is_complained_of_once_and_ends_nothing() {
    let (terminal, log) = (Terminal::new(), Log::default());
    terminal.clip("en/choice.wav", 8_000, 200);
    fs::write(terminal.path("voices/en/language.wav"), "RIFF but not really").unwrap();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || written.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
        for _ in 0..3 {
            played.page(PageName::Language, "en");
            played.pass(100);
            played.page(PageName::Choice, "en");
            played.pass(1_000);
        }
    });
    assert_eq!(log.count("a clip cannot be played"), 1);
    assert_eq!(terminal.heard().ms_at(8_000), 600);
}

fn clock(wall: &str) -> SimClock {
    let wall: DateTime<Utc> = wall.parse().unwrap();
    SimClock::at(wall, BootId(uuid::Uuid::nil()))
}

#[test]
fn the_thread_plays_in_the_time_of_the_hospital() {
    let lang: Lang = "en".parse().unwrap();
    // Ten in the morning in Shanghai, then eleven at night.
    for (wall, is_heard) in [("2026-11-21T02:00:00Z", true), ("2026-11-21T15:00:00Z", false)] {
        let terminal = Terminal::new();
        let sound = Sound::spawn(terminal.settings(""), Arc::new(clock(wall))).unwrap();
        let handle = sound.handle();
        handle.click();
        handle.page(PageName::Thanks, &lang);
        sound.finish();
        handle.rest();
        assert_eq!(terminal.heard().peak() > 1_000, is_heard, "{wall}");
        assert_eq!(terminal.heard().ms_between_first_and_last() > 300, is_heard, "{wall}");
    }
}

#[test]
fn a_terminal_that_does_not_know_the_hour_is_silent() {
    let terminal = Terminal::new();
    let clock = clock("1970-01-01T02:00:00Z");
    clock.reboot(BootId(uuid::Uuid::nil()), TimeQuality::Unset);
    let sound = Sound::spawn(terminal.settings(""), Arc::new(clock)).unwrap();
    sound.handle().click();
    sound.finish();
    assert!(!terminal.recording().exists());
}

#[test]
fn another_configuration_is_heard_without_a_restart() {
    let terminal = Terminal::new();
    let silent = Settings { config: None, ..terminal.settings("") };
    let sound = Sound::spawn(silent, Arc::new(clock("2026-11-21T02:00:00Z"))).unwrap();
    sound.handle().click();
    sound.handle().configure(terminal.settings(""));
    sound.handle().click();
    sound.finish();
    let heard = terminal.heard();
    assert!(heard.peak() > 1_000 && heard.ms_between_first_and_last() < 60, "one click");
}

#[test]
fn a_screen_without_a_loudspeaker_needs_no_thread() {
    let handle = SoundHandle::silent();
    (0..1_000).for_each(|_| handle.click());
}

// ── Clips: the commands ──

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
