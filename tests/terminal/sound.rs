//! What is heard at a terminal: whole visits, mixed into a WAV file and looked at there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

mod clips;
mod device;
mod visit;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::NaiveTime;
use xinsheng::{
    config::{self, Glyphs, KioskSetup},
    sound::{Desk, Event, PageName, RATE, Settings},
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
