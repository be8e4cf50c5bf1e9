//! The sound card that may be missing, and the thread that plays.

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use xinsheng::{
    clock::SimClock,
    model::{BootId, Lang, TimeQuality},
    sound::{Desk, Event, Output, PageName, Settings, Sound, SoundHandle},
};

use super::{Played, Terminal};

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
