//! The thread that owns the writing connection, with group commit.

use std::{
    sync::mpsc::{self, Receiver, SyncSender, TrySendError},
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::central::store::StoreError;

/// Most writes in one transaction: bounds how long the first of them waits for the last.
const GROUP_MAX: usize = 256;

/// Most writes that wait; beyond it terminals are told to come again, instead of piling up memory.
const QUEUE_MAX: usize = 4096;

/// Runs in the transaction if there is one, and gives what is to be told to the caller once the commit is decided.
type Job = Box<dyn FnOnce(Option<&mut Connection>) -> Verdict + Send>;
type Verdict = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The handle of the writing thread; dropping it ends the thread after the writes that wait.
pub(super) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Self {
        let (jobs, queue) = mpsc::sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("central-writer".to_owned())
            .spawn(move || write_all(connection, &queue))
            .map_err(|error| tracing::error!(%error, "the writing thread cannot be started"))
            .ok();
        Self { jobs: Some(jobs), thread }
    }

    /// Runs a write in the next transaction; returns after its commit. An error undoes this write alone.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.map_or(Err(StoreError::Closed), |open| in_savepoint(open, write));
            Box::new(move |committed: Result<(), StoreError>| {
                // A caller that went away (its connection was cut) needs no answer.
                let _ = tell.send(committed.and(result));
            })
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy(QUEUE_MAX),
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread panicked");
        }
    }
}

fn in_savepoint<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let savepoint = connection.savepoint()?;
    let value = write(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

fn write_all(mut connection: Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let jobs = std::iter::once(first).chain(queue.try_iter().take(GROUP_MAX - 1));
        let mut verdicts = Vec::new();
        let committed = write_group(&mut connection, jobs, &mut verdicts);
        for verdict in verdicts {
            verdict(committed.as_ref().map_or_else(|error| Err(repeat(error)), |()| Ok(())));
        }
    }
    // Leaves a small WAL behind; a failure costs nothing, the next start replays it.
    if let Err(error) = connection.execute_batch("pragma wal_checkpoint(truncate)") {
        tracing::debug!(%error, "checkpoint at close failed");
    }
}

fn write_group(
    connection: &mut Connection,
    jobs: impl Iterator<Item = Job>,
    verdicts: &mut Vec<Verdict>,
) -> Result<(), StoreError> {
    // Begun by hand: a savepoint borrows the connection itself, which a `Transaction` would keep.
    let mut state = connection.execute_batch("begin immediate").map_err(StoreError::from);
    for job in jobs {
        verdicts.push(job(state.is_ok().then_some(&mut *connection)));
        // A full disk or an I/O error rolls the whole transaction back; nothing may run outside of it.
        if state.is_ok() && connection.is_autocommit() {
            state = Err(StoreError::Database("the transaction was rolled back by an earlier write".into()));
        }
    }
    state?;
    connection.execute_batch("commit").map_err(|error| {
        if let Err(error) = connection.execute_batch("rollback") {
            tracing::error!(%error, "rollback failed");
        }
        error.into()
    })
}

/// One commit failed for many: each gets the same words.
fn repeat(error: &StoreError) -> StoreError {
    let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    StoreError::Database(cause.into())
}
