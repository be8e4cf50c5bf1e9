//! The thread that owns the journal.
//!
//! Everybody else holds a [`RecorderHandle`] and sends commands. The screen never waits: [`RecorderHandle::keep`] returns at once and
//! the reply comes on the recorder's thread after the commit, however late that is. While the disk refuses entries the thread holds them in
//! memory, see [`Keeper`], and tries the disk again between commands. The sync thread may wait: [`RecorderHandle::call`]. Between commands the
//! recorder does the journal's upkeep. It ends when told to, or when the last handle is gone.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{AppendError, Head, Journal, Keeper, Kept, Names, Upkeep};
use crate::{
    clock::{Clock, fresh},
    model::{ChainId, Moment},
    wire::Draft,
};

/// Commands that may wait: with a disk stalled for two seconds a touch storm of 200 taps a second makes 400; more is refused, not hidden.
const COMMANDS_MAX: usize = 1024;

/// Upkeep begins when nobody has asked for anything for this long.
const IDLE: Duration = Duration::from_secs(2);

/// Between two steps of upkeep, so that a tap that comes in meanwhile waits for one step at most.
const STEP: Duration = Duration::from_millis(5);

/// An idle terminal looks after its journal this often: the side file's age limit.
const REST: Duration = Duration::from_mins(1);

/// The end of the program waits this long for a disk that has stalled; what it would have brought is lost with the power as well.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

type Reply = Box<dyn FnOnce(Result<Kept, AppendError>) + Send>;
type Job = Box<dyn FnOnce(&mut Keeper) + Send>;

/// Where entries go from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keeping {
    /// Into memory: the disk refuses them.
    InMemory,
    /// To the disk again; what this chain held in memory is on it.
    OnDisk(ChainId),
}

enum Command {
    Append(Vec<Draft>, Reply),
    Call(Job),
    Stop,
}

/// The recorder has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the journal is closed")]
pub struct Gone;

/// The running thread. Dropping it stops it.
pub struct Recorder {
    handle: RecorderHandle,
    thread: Option<JoinHandle<()>>,
    /// Disconnected when the thread has ended.
    has_ended: Receiver<()>,
}

/// A way to reach the journal; cheap to clone.
#[derive(Clone)]
pub struct RecorderHandle {
    commands: SyncSender<Command>,
}

impl Recorder {
    /// Starts the thread. `on_append` is called on it after every commit of entries, to wake the sync thread; it must not wait.
    pub fn spawn(
        journal: Journal,
        clock: Arc<dyn Clock>,
        on_append: impl Fn(Head) + Send + 'static,
    ) -> io::Result<Self> {
        Self::spawn_watched(journal, clock, on_append, |_| {})
    }

    /// The same; `on_keeping` is told on that thread when entries begin to go into memory, and when they go to the disk again.
    pub fn spawn_watched(
        journal: Journal,
        clock: Arc<dyn Clock>,
        on_append: impl Fn(Head) + Send + 'static,
        on_keeping: impl Fn(Keeping) + Send + 'static,
    ) -> io::Result<Self> {
        let (commands, inbox) = mpsc::sync_channel(COMMANDS_MAX);
        let (ended, has_ended) = mpsc::channel::<()>();
        let run = move || {
            let worker = Worker {
                keeper: Keeper::new(journal),
                clock: &*clock,
                on_append: &on_append,
                on_keeping: &on_keeping,
            };
            worker.run(&inbox);
            drop(ended);
        };
        let thread = thread::Builder::new().name("journal".into()).spawn(run)?;
        Ok(Self { handle: RecorderHandle { commands }, thread: Some(thread), has_ended })
    }

    /// A way to reach it.
    pub fn handle(&self) -> RecorderHandle {
        self.handle.clone()
    }

    /// Does what was asked before, closes the journal and ends.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let mut patience = STOP_PATIENCE;
        let mut command = Command::Stop;
        while let Err(TrySendError::Full(back)) = self.handle.commands.try_send(command)
            && !patience.is_zero()
        {
            command = back;
            thread::sleep(STEP);
            patience = patience.saturating_sub(STEP);
        }
        if self.has_ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            tracing::error!(
                "the disk has stalled; the journal is left as it is, and checked at the next start"
            );
            return;
        }
        if thread.join().is_err() {
            tracing::error!("the journal's thread panicked");
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}

impl RecorderHandle {
    /// Writes entries and replies, on the recorder's thread, once they are on the disk or refused. Never waits. Entries that are held in
    /// memory are none that are on the disk: the reply is [`AppendError::InMemory`].
    pub fn append(&self, drafts: Vec<Draft>, reply: impl FnOnce(Result<Head, AppendError>) + Send + 'static) {
        self.keep(drafts, |kept| {
            reply(match kept {
                Ok(Kept::OnDisk(head)) => Ok(head),
                Ok(Kept::InMemory { .. }) => Err(AppendError::InMemory),
                Err(error) => Err(error),
            });
        });
    }

    /// Keeps entries and replies, on the recorder's thread, where they are. Never waits.
    pub fn keep(&self, drafts: Vec<Draft>, reply: impl FnOnce(Result<Kept, AppendError>) + Send + 'static) {
        match self.commands.try_send(Command::Append(drafts, Box::new(reply))) {
            Ok(()) => {}
            Err(TrySendError::Full(command)) => command.refuse(AppendError::Stalled),
            Err(TrySendError::Disconnected(command)) => command.refuse(AppendError::Gone),
        }
    }

    /// Has something done with the journal on the disk and waits for the result.
    pub fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Journal) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        self.call_keeper(|keeper| job(keeper.disk()))
    }

    /// Has something done with the journal whose entries are sent now, and waits for the result.
    pub(crate) fn call_sending<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Journal) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        self.call_keeper(|keeper| job(keeper.sending()))
    }

    /// Has something done with all there is and waits for the result.
    pub fn call_keeper<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Keeper) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (send, receive) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |keeper| {
            // A caller that no longer waits wants no result.
            drop(send.send(job(keeper)));
        });
        self.commands.send(Command::Call(job)).map_err(|_| Gone)?;
        receive.recv().map_err(|_| Gone)
    }
}

impl Command {
    fn refuse(self, error: AppendError) {
        if let Self::Append(_, reply) = self {
            reply(Err(error));
        }
    }
}

/// What runs on the thread.
struct Worker<'a> {
    keeper: Keeper,
    clock: &'a dyn Clock,
    on_append: &'a dyn Fn(Head),
    on_keeping: &'a dyn Fn(Keeping),
}

impl Worker<'_> {
    fn run(mut self, inbox: &Receiver<Command>) {
        let mut wait = IDLE;
        loop {
            match inbox.recv_timeout(wait) {
                Ok(Command::Append(drafts, reply)) => {
                    self.append(drafts, reply);
                    wait = IDLE;
                }
                Ok(Command::Call(job)) => {
                    job(&mut self.keeper);
                    wait = wait.min(IDLE);
                }
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => wait = self.look_after(),
            }
        }
        if let Err(error) = self.keeper.close(&self.clock.now()) {
            tracing::warn!(error = &error as &dyn std::error::Error, "the journal did not close cleanly");
        }
    }

    fn append(&mut self, drafts: Vec<Draft>, reply: Reply) {
        let was_on_disk = self.keeper.unsaved().is_none();
        let now = self.clock.now();
        let kept = self.keeper.append(drafts, &now, || names(&now));
        if was_on_disk && self.keeper.unsaved().is_some() {
            (self.on_keeping)(Keeping::InMemory);
        }
        let head = kept.as_ref().ok().map(Kept::head);
        if let Err(error) = &kept {
            tracing::error!(error = error as &dyn std::error::Error, "entries are not stored");
        }
        reply(kept);
        head.into_iter().for_each(self.on_append);
    }

    /// One step of upkeep; says when the next is due.
    fn look_after(&mut self) -> Duration {
        let now = self.clock.now();
        if let Some(chain) = self.keeper.write_down(&now) {
            (self.on_keeping)(Keeping::OnDisk(chain));
            (self.on_append)(self.keeper.disk().head());
        }
        self.keeper.renew_memory(&now, || names(&now));
        if self.keeper.unsaved().is_some() {
            // The disk refuses everything.
            return REST;
        }
        match self.keeper.disk().upkeep(&now) {
            Ok(Upkeep::More) => STEP,
            Ok(Upkeep::Done) => REST,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "upkeep of the journal failed");
                REST
            }
        }
    }
}

fn names(now: &Moment) -> Names {
    Names { chain: fresh::chain_id(), boot: fresh::entry_id(now) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::{
        clock::SimClock,
        faults::survived,
        journal::OpenArgs,
        model::{BootId, ChainId, EntryId},
        wire::{Body, SelfTest},
    };

    fn clock() -> Arc<SimClock> {
        Arc::new(SimClock::at(DateTime::UNIX_EPOCH, BootId(Uuid::nil())))
    }

    fn journal(dir: &std::path::Path) -> Journal {
        let args = OpenArgs { ballast_bytes: 0, ..OpenArgs::new(ChainId([1; 16]), clock().now()) };
        Journal::open(dir, args).expect("open").0
    }

    fn draft(n: u8) -> Draft {
        let touchpoint = "registration".parse().expect("an id");
        let body = Body::SelfTest(SelfTest { touchpoint, target: n.to_string() });
        Draft { id: EntryId::from_parts(0, [n; 10]), at: clock().now(), body }
    }

    #[test]
    fn replies_come_in_order_after_the_commit_and_sync_is_woken() {
        let dir = tempfile::tempdir().expect("folder");
        let woken = Arc::new(Mutex::new(Vec::new()));
        let heads = woken.clone();
        let wake = move |head: Head| heads.lock().expect("lock").push(head.seq);
        let recorder = Recorder::spawn(journal(dir.path()), clock(), wake).expect("spawn");
        let (send, replies) = mpsc::channel();
        for n in 1..=5 {
            let send = send.clone();
            recorder.handle().append(vec![draft(n)], move |head| {
                send.send(head.map(|head| head.seq)).expect("the test listens");
            });
        }
        let seqs: Vec<u64> = replies.iter().take(5).map(|seq| seq.expect("stored")).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5]);
        assert_eq!(recorder.handle().call(|journal| journal.queue_depth()), Ok(5));
        assert_eq!(*woken.lock().expect("lock"), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_was_asked_before_the_stop_is_done_and_what_comes_after_is_refused() {
        let dir = tempfile::tempdir().expect("folder");
        let recorder = Recorder::spawn(journal(dir.path()), clock(), |_| {}).expect("spawn");
        let handle = recorder.handle();
        handle.append(vec![draft(1)], |_| {});
        recorder.stop();
        let (send, reply) = mpsc::channel();
        handle.append(vec![draft(2)], move |head| drop(send.send(head)));
        assert!(matches!(reply.recv(), Ok(Err(AppendError::Gone))));
        assert_eq!(handle.call(|journal| journal.head()), Err(Gone));
        assert_eq!(journal(dir.path()).head().seq, 1);
    }

    #[test]
    fn a_stalled_disk_refuses_at_once_and_never_makes_the_screen_wait() {
        let dir = tempfile::tempdir().expect("folder");
        let recorder = Recorder::spawn(journal(dir.path()), clock(), |_| {}).expect("spawn");
        let handle = recorder.handle();
        let (started, has_started) = mpsc::channel::<()>();
        let (release, stalled) = mpsc::channel::<()>();
        let stall = thread::spawn({
            let handle = handle.clone();
            move || {
                handle.call(move |_| {
                    started.send(()).expect("the test listens");
                    stalled.recv().expect("the test lets go");
                })
            }
        });
        has_started.recv().expect("the recorder is busy");
        let (send, replies) = mpsc::channel();
        for _ in 0..=COMMANDS_MAX {
            let send = send.clone();
            handle.append(vec![], move |head| drop(send.send(head)));
        }
        assert!(matches!(replies.try_recv(), Ok(Err(AppendError::Stalled))));
        release.send(()).expect("the recorder waits");
        assert_eq!(stall.join().expect("the thread"), Ok(()));
        assert_eq!(replies.iter().take(COMMANDS_MAX).flatten().count(), COMMANDS_MAX);
        survived!(13; 1, "stall");
    }
}
