//! The thread that owns the desk, and the handle the screen holds. Nobody waits for it: what it cannot take is dropped, for a click that
//! comes late is worse than none.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use super::{
    Settings,
    cue::{Event, Level, PageName},
    desk::Desk,
};
use crate::{clock::Clock, model::Lang};

/// Commands that may wait: more touches than this in the time it takes to decode a clip are a storm.
const COMMANDS_MAX: usize = 64;

enum Command {
    Event(Event),
    Configure(Settings),
    Finish,
    Stop,
}

/// The running thread. Dropping it ends the sound at once.
pub struct Sound {
    handle: SoundHandle,
    thread: Option<JoinHandle<()>>,
}

/// Tells the sound what happened on the screen. Cheap to clone, never waits.
#[derive(Clone)]
pub struct SoundHandle {
    commands: SyncSender<Command>,
}

impl Sound {
    /// Starts the thread. With `settings` that say nothing of sound it sleeps until they do.
    pub fn spawn(settings: Settings, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (commands, inbox) = mpsc::sync_channel(COMMANDS_MAX);
        let run = move || run(Desk::new(&settings), settings, &*clock, &inbox);
        let thread = thread::Builder::new().name("sound".into()).spawn(run)?;
        Ok(Self { handle: SoundHandle { commands }, thread: Some(thread) })
    }

    /// A way to reach it.
    pub fn handle(&self) -> SoundHandle {
        self.handle.clone()
    }

    /// Lets what sounds be heard to its end, then ends.
    pub fn finish(mut self) {
        self.end(Command::Finish);
    }

    fn end(&mut self, command: Command) {
        let Some(thread) = self.thread.take() else { return };
        // Fails only if the thread has ended already.
        drop(self.handle.commands.send(command));
        if thread.join().is_err() {
            tracing::error!("the sound's thread panicked");
        }
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.end(Command::Stop);
    }
}

impl SoundHandle {
    /// Hears nothing and says nothing: for screens without a loudspeaker.
    pub fn silent() -> Self {
        Self { commands: mpsc::sync_channel(1).0 }
    }

    /// A touch that counts.
    pub fn click(&self) {
        self.tell(Command::Event(Event::Click));
    }

    /// A page is shown to a visitor. To be called as often as the page is drawn: it is spoken when the visitor comes to it.
    pub fn page(&self, page: PageName, lang: &Lang) {
        self.tell(Command::Event(Event::Page(page, lang.clone())));
    }

    /// Nobody is there any more: nothing is spoken, and the visitor's volume is forgotten.
    pub fn rest(&self) {
        self.tell(Command::Event(Event::Rest));
    }

    /// How loud staff want it on this terminal, against what kiosk.toml says.
    pub(crate) fn set_level(&self, level: Level) {
        self.tell(Command::Event(Event::Level(level)));
    }

    /// A step louder or softer for this visitor, until [`SoundHandle::rest`].
    pub fn visitor_turns(&self, louder: bool) {
        self.tell(Command::Event(Event::VisitorTurns { louder }));
    }

    /// Another configuration is in force.
    pub fn configure(&self, settings: Settings) {
        self.tell(Command::Configure(settings));
    }

    fn tell(&self, command: Command) {
        // A full queue means a storm of touches or a disk that hangs, an end of the thread the end of the program: no sound then.
        drop(self.commands.try_send(command));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pace of the samples is the one thing here that needs a clock"
)]
fn run(mut desk: Desk, mut settings: Settings, clock: &dyn Clock, inbox: &Receiver<Command>) {
    let began = Instant::now();
    let mut wait = None;
    let mut finishing = false;
    loop {
        let command = match wait {
            None if finishing => return,
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => inbox.recv_timeout(wait),
        };
        match command {
            Ok(Command::Event(event)) => desk.handle(event, settings.local_time(&clock.now())),
            Ok(Command::Configure(changed)) => {
                desk.configure(&changed);
                settings = changed;
            }
            Ok(Command::Finish) => {
                desk.finish();
                finishing = true;
            }
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        wait = desk.feed(began.elapsed());
    }
}
