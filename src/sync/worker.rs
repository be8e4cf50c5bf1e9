//! The sync thread: asks the engine, does the step, tells the engine what came of it.
//!
//! It owns the connection and the engine; the journal it reaches through the recorder, everybody else reaches it through a
//! [`SyncHandle`]. It sleeps until a time, a nudge (new entries) or a change of the network.

mod facts;
mod session;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use super::{
    diagnosis::Diagnosis,
    engine::{Badge, Pace, Queue},
    link::Link,
    transport::Deadlines,
};
use crate::{
    clock::Clock,
    journal::RecorderHandle,
    model::{ChainId, TerminalId},
    wire::ScreenFacts,
};

/// Without an identity the thread looks for one this often: somebody may be enrolling the terminal right now.
const LOOK_FOR_IDENTITY: Duration = Duration::from_secs(10);

/// While waiting, the network is looked at this often; a look reads two small files of the kernel.
const LOOK_AT_NETWORK: Duration = Duration::from_secs(10);

/// A stop waits this long for a request under way; what it would have brought comes again at the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// Checks the text of a configuration and takes it if it is right; else says what is wrong with it.
pub(crate) type TakeConfig = Box<dyn FnMut(&str) -> Result<(), String> + Send>;

/// What the thread needs to know.
pub struct SyncArgs {
    /// How to reach central.
    pub link: Link,
    /// How long a request may take.
    pub deadlines: Deadlines,
    /// The identity file.
    pub identity_file: PathBuf,
    /// What this machine is called; see [`super::hardware::hardware_id`].
    pub hardware_id: String,
    /// The panel.
    pub screen: ScreenFacts,
    /// SHA-256 of the configuration in force, hexadecimal.
    pub config_hash: Box<dyn Fn() -> String + Send>,
    /// Takes a delivered configuration.
    pub on_config: TakeConfig,
    /// Called on the sync thread when the status changes; it must not wait.
    pub on_status: Box<dyn FnMut(&SyncStatus) + Send>,
    /// How the engine paces itself; whether it asks for a configuration is the link's to say.
    pub pace: Pace,
}

impl SyncArgs {
    /// A terminal in service, on this machine, that can take no configuration from central.
    pub fn new(link: Link, identity_file: PathBuf) -> Self {
        Self {
            link,
            deadlines: Deadlines::default(),
            identity_file,
            hardware_id: super::hardware::hardware_id(),
            screen: ScreenFacts::default(),
            config_hash: Box::new(String::new),
            on_config: Box::new(|_| Err("this terminal takes its configuration from its own file".into())),
            on_status: Box::new(|_| {}),
            pace: Pace::default(),
        }
    }
}

/// Where the terminal stands with central.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SyncState {
    /// The thread has only just started.
    #[default]
    Starting,
    /// There is no usable identity.
    NotEnrolled,
    /// Nothing was answered yet, or nothing lately.
    NoContact,
    /// Central answered last time.
    InContact,
    /// Central does not know this terminal, or no longer.
    NotAllowed,
    /// Address, version or certificate is wrong.
    Misconfigured,
    /// The thread has ended.
    Stopped,
}

/// How syncing goes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SyncStatus {
    /// Where the terminal stands.
    pub state: SyncState,
    /// Its name, once it has one.
    pub terminal: Option<TerminalId>,
    /// When central last answered as itself, by the terminal's clock.
    pub last_contact: Option<DateTime<Utc>>,
    /// What went wrong last; gone when central answers.
    pub last_error: Option<Diagnosis>,
    /// What staff are shown.
    pub badge: Option<Badge>,
    /// The journal's queue as of the last look.
    pub queue: Queue,
    /// The chain of that queue.
    pub chain: Option<ChainId>,
    /// Central's last word covers everything the journal held at the last look.
    pub all_sent: bool,
    /// Requests made since the start.
    pub requests: u64,
    /// Entries central stored without understanding them, since the start.
    pub quarantined: u64,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "four wishes that do not exclude each other")]
struct Flags {
    nudged: bool,
    retry: bool,
    stop: bool,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    flags: Mutex<Flags>,
    changed: Condvar,
    status: Mutex<SyncStatus>,
}

impl Shared {
    fn flags(&self) -> MutexGuard<'_, Flags> {
        self.flags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> MutexGuard<'_, SyncStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A way to reach the sync thread; cheap to clone.
#[derive(Clone)]
pub struct SyncHandle(Arc<Shared>);

/// The thread's end of a [`SyncHandle`].
pub struct SyncInbox(Arc<Shared>);

/// A handle before there is a thread: the recorder that nudges it starts first.
pub fn wake_pair() -> (SyncHandle, SyncInbox) {
    let shared = Arc::new(Shared::default());
    (SyncHandle(Arc::clone(&shared)), SyncInbox(shared))
}

impl SyncHandle {
    /// There are new entries. Never waits.
    pub fn nudge(&self) {
        self.0.flags().nudged = true;
        self.0.changed.notify_all();
    }

    /// Staff ask for an attempt now; only a wait that central asked for is not cut short.
    pub fn retry(&self) {
        self.0.flags().retry = true;
        self.0.changed.notify_all();
    }

    /// How syncing goes.
    pub fn status(&self) -> SyncStatus {
        self.0.status().clone()
    }
}

/// The running thread. Dropping it stops it.
pub struct SyncWorker {
    handle: SyncHandle,
    thread: Option<JoinHandle<()>>,
}

impl SyncWorker {
    /// A way to reach it.
    pub fn handle(&self) -> SyncHandle {
        self.handle.clone()
    }

    /// Ends the thread. A request under way gets a moment to finish; it is safe to abandon.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let shared = &self.handle.0;
        let mut flags = shared.flags();
        flags.stop = true;
        shared.changed.notify_all();
        let (flags, waited) = shared
            .changed
            .wait_timeout_while(flags, STOP_PATIENCE, |flags| !flags.ended)
            .unwrap_or_else(PoisonError::into_inner);
        drop(flags);
        if !waited.timed_out() && thread.join().is_err() {
            tracing::error!("the sync thread panicked");
        }
    }
}

impl Drop for SyncWorker {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts the thread.
pub fn spawn(
    inbox: SyncInbox,
    recorder: RecorderHandle,
    clock: Arc<dyn Clock>,
    args: SyncArgs,
) -> io::Result<SyncWorker> {
    let handle = SyncHandle(Arc::clone(&inbox.0));
    let run = move || {
        let ended = Ended(Arc::clone(&inbox.0));
        session::run(&session::Shell { shared: inbox.0, recorder, clock }, args);
        drop(ended);
    };
    let thread = thread::Builder::new().name("sync".into()).spawn(run)?;
    Ok(SyncWorker { handle, thread: Some(thread) })
}

/// Tells of the end, a panic's included.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.status().state = SyncState::Stopped;
        self.0.flags().ended = true;
        self.0.changed.notify_all();
    }
}

/// What ended a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Woken {
    Stop,
    Retry,
    Nudge,
    Time,
}

impl Shared {
    fn wait(&self, at_most: Duration) -> Woken {
        let idle = |flags: &mut Flags| !(flags.nudged || flags.retry || flags.stop);
        let (mut flags, _) = self
            .changed
            .wait_timeout_while(self.flags(), at_most, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let nudged = std::mem::take(&mut flags.nudged);
        if flags.stop {
            Woken::Stop
        } else if std::mem::take(&mut flags.retry) {
            Woken::Retry
        } else if nudged {
            Woken::Nudge
        } else {
            Woken::Time
        }
    }

    fn stopping(&self) -> bool {
        self.flags().stop
    }
}

/// A clock for waits: it counts from the thread's start and never jumps.
struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "the sync thread's own waits are real time, even when the terminal's clock is simulated"
    )]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
