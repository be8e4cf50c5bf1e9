//! The mixing desk: from what happened to samples at the output. It reads clips and writes samples, but no clock: the time since its start
//! is an argument, and [`Desk::feed`] says when it wants to be called again.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::NaiveTime;

use super::{
    Settings,
    clip::{self, Clip, RATE},
    cue::{Cue, Director, Event, PageName},
    mix::Mixer,
    output::{self, Output},
    tones,
};
use crate::{
    config::{SoundConfig, SoundDevice},
    model::Lang,
};

/// Samples of a block, 20 ms: one period of the sound card.
pub(crate) const BLOCK: usize = 960;

const BLOCK_TIME: Duration = Duration::from_millis(20);

/// How much is written ahead of what is heard. A click during a prompt is heard this late; the thread may oversleep this long.
const LEAD: Duration = Duration::from_millis(60);

/// Silence after which the output is closed. The next touch of the same visitor then finds it open and is heard at once.
const LINGER: Duration = Duration::from_secs(4);

/// The same at the end of the program: a player starts late by a tenth of a second, and what it holds must be heard.
const LINGER_AT_END: Duration = Duration::from_millis(300);

/// After a failure nothing is tried for this long: without a sound card a visit costs one start of a player.
const RETRY: Duration = Duration::from_secs(30);

/// Puts director, mixer and output together.
pub struct Desk {
    director: Director,
    config: Option<SoundConfig>,
    mixer: Mixer,
    click: Clip,
    thanks: Clip,
    output: Box<dyn Output>,
    stream: Option<Stream>,
    linger: Duration,
    /// To be spoken as soon as nothing sounds: reading and decoding a clip takes longer than what is written ahead, and a gap in the click
    /// or the tones would be heard.
    waiting: Option<(PageName, Lang)>,
    /// When the next try is due, after a failure.
    deaf_until: Option<Duration>,
    /// The failure was told; it is not told again before something was heard.
    told: bool,
    complained: BTreeSet<PathBuf>,
}

/// An open output.
struct Stream {
    opened: Duration,
    blocks: u32,
    silent: Duration,
    /// What the output did not take yet.
    held: Option<[i16; BLOCK]>,
}

impl Desk {
    /// With the output that the settings name.
    pub fn new(settings: &Settings) -> Self {
        let device = settings.config.as_ref().map(|config| &config.device);
        Self::with_output(settings, output::open(device.unwrap_or(&SoundDevice::Usual)))
    }

    /// With an output of one's own.
    pub fn with_output(settings: &Settings, output: Box<dyn Output>) -> Self {
        let mut desk = Self {
            director: Director::new(settings.config.clone()),
            config: settings.config.clone(),
            mixer: Mixer::default(),
            click: tones::click(),
            thanks: tones::thanks(),
            output,
            stream: None,
            linger: LINGER,
            waiting: None,
            deaf_until: None,
            told: false,
            complained: BTreeSet::new(),
        };
        desk.take_own_tones();
        desk
    }

    /// Takes other settings; what sounds is ended if they changed.
    pub fn configure(&mut self, settings: &Settings) {
        if self.config == settings.config {
            return;
        }
        self.hush();
        self.close();
        let device = |config: &Option<SoundConfig>| config.as_ref().map(|config| config.device.clone());
        if let Some(device) = device(&settings.config)
            && self.config.as_ref().is_none_or(|config| config.device != device)
        {
            self.output = output::open(&device);
        }
        self.director.configure(settings.config.clone());
        self.config.clone_from(&settings.config);
        (self.click, self.thanks) = (tones::click(), tones::thanks());
        (self.deaf_until, self.told) = (None, false);
        self.complained.clear();
        self.take_own_tones();
    }

    /// Takes what happened at an hour of the day, `None` if it is not known.
    pub fn handle(&mut self, event: Event, time: Option<NaiveTime>) {
        let plan = self.director.handle(event, time);
        self.mixer.turn(plan.percent);
        if plan.stop_prompt || plan.percent == 0 {
            self.mixer.stop_prompt();
            self.waiting = None;
        }
        for cue in plan.play {
            match cue {
                Cue::Click => self.mixer.click(self.click.clone()),
                Cue::Thanks => self.mixer.thanks(self.thanks.clone()),
                Cue::Prompt(page, lang) => self.waiting = Some((page, lang)),
            }
        }
    }

    /// Writes what is due at `now`, counted from any start, and says after how long it is to be called again; `None`: not before something
    /// happens.
    pub fn feed(&mut self, now: Duration) -> Option<Duration> {
        if self.deaf_until.is_some_and(|until| now < until) {
            self.hush();
        }
        self.speak_what_waits();
        if self.mixer.is_silent() && self.stream.is_none() {
            return None;
        }
        let mut stream = self.stream.take().unwrap_or_else(|| Stream::at(now));
        stream.catch_up(now);
        while stream.lead(now) < LEAD {
            if stream.held.is_none() && self.mixer.is_silent() && stream.silent >= self.linger {
                self.close();
                return None;
            }
            let block = stream.held.take().unwrap_or_else(|| self.next_block(&mut stream));
            match self.output.write(&block) {
                Ok(()) => stream.blocks += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stream.held = Some(block);
                    self.stream = Some(stream);
                    return Some(BLOCK_TIME);
                }
                Err(error) => {
                    self.fail(&error, now);
                    return None;
                }
            }
        }
        let wait = (stream.lead(now) + BLOCK_TIME).saturating_sub(LEAD);
        self.stream = Some(stream);
        Some(wait)
    }

    /// From now on the output is closed as soon as what sounds has been heard.
    pub fn finish(&mut self) {
        self.linger = LINGER_AT_END;
    }

    fn speak_what_waits(&mut self) {
        if self.mixer.is_silent()
            && let Some((page, lang)) = self.waiting.take()
            && let Some(clip) = self.prompt(&page, &lang)
        {
            self.mixer.prompt(clip);
        }
    }

    fn next_block(&mut self, stream: &mut Stream) -> [i16; BLOCK] {
        stream.silent = if self.mixer.is_silent() { stream.silent + BLOCK_TIME } else { Duration::ZERO };
        let mut block = [0; BLOCK];
        self.mixer.fill(&mut block);
        block
    }

    fn close(&mut self) {
        self.stream = None;
        match self.output.close() {
            Ok(()) if self.told => {
                self.told = false;
                tracing::info!("sound is heard again");
            }
            Ok(()) => {}
            Err(error) => self.tell(&error),
        }
    }

    fn hush(&mut self) {
        self.mixer.clear();
        self.waiting = None;
    }

    fn fail(&mut self, error: &io::Error, now: Duration) {
        self.hush();
        self.stream = None;
        self.deaf_until = Some(now + RETRY);
        self.tell(error);
    }

    fn tell(&mut self, error: &io::Error) {
        if !self.told {
            self.told = true;
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "no sound can be played, the terminal stays silent until it can; is alsa-utils installed, does `aplay -l` list a card, and \
                 is this user in the group `audio`?"
            );
        }
    }

    /// The clip of a page in a language, if there is one.
    fn prompt(&mut self, page: &PageName, lang: &Lang) -> Option<Clip> {
        let folder = self.config.as_ref()?.voices_dir.join(lang.as_str());
        page.clips().iter().find_map(|name| self.read(&folder.join(name)))
    }

    /// The hospital's own click and thanks, where it has some.
    fn take_own_tones(&mut self) {
        let Some(folder) = self.config.as_ref().map(|config| config.voices_dir.clone()) else { return };
        if let Some(click) = self.read(&folder.join("click")) {
            self.click = click;
        }
        if let Some(thanks) = self.read(&folder.join("thanks")) {
            self.thanks = thanks;
        }
    }

    /// A clip by its path without ending. One that cannot be decoded is complained of once.
    fn read(&mut self, stem: &Path) -> Option<Clip> {
        let mut endings = clip::ENDINGS.iter().map(|ending| clip::path(stem, ending));
        let path = endings.find(|path| path.is_file())?;
        match Clip::read(&path) {
            Ok(clip) => Some(clip),
            Err(error) => {
                if self.complained.insert(path.clone()) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, clip = %path.display(), "a clip cannot be played");
                }
                None
            }
        }
    }
}

impl Stream {
    fn at(now: Duration) -> Self {
        Self { opened: now, blocks: 0, silent: Duration::ZERO, held: None }
    }

    /// How much was written beyond what was heard by now.
    fn lead(&self, now: Duration) -> Duration {
        (self.opened + BLOCK_TIME * self.blocks).saturating_sub(now)
    }

    /// After a gap (a thread that overslept) the stream begins anew: what was not written in time was silence.
    fn catch_up(&mut self, now: Duration) {
        if self.opened + BLOCK_TIME * self.blocks < now {
            (self.opened, self.blocks) = (now, 0);
        }
    }
}

const _: () = assert!(BLOCK as u128 * 1000 == RATE as u128 * BLOCK_TIME.as_millis());
