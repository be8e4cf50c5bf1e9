//! Connections that only read: a fixed number, each used by one query at a time.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::open::connect;
use crate::central::store::StoreError;

/// A number of connections that read.
#[derive(Clone)]
pub(super) struct Readers(Arc<Pool>);

struct Pool {
    idle: Mutex<Vec<Connection>>,
    seats: Arc<Semaphore>,
    size: usize,
    patience: Duration,
}

impl Readers {
    /// Opens them. A query that finds none free for as long as `patience` is turned away.
    pub(super) fn open(path: &Path, size: usize, patience: Duration) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let idle = (0..size).map(|_| connect(path, flags)).collect::<Result<Vec<_>, _>>()?;
        let (idle, seats) = (Mutex::new(idle), Arc::new(Semaphore::new(size)));
        Ok(Self(Arc::new(Pool { idle, seats, size, patience })))
    }

    /// Runs a query on one of them.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let pool = Arc::clone(&self.0);
        let seat = tokio::time::timeout(pool.patience, Arc::clone(&pool.seats).acquire_owned()).await;
        let seat = seat.map_err(|_| StoreError::Overloaded(pool.size))?.map_err(|_| StoreError::Closed)?;
        let done = tokio::task::spawn_blocking(move || {
            let idle = || pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = idle().pop().ok_or(StoreError::Closed)?;
            let result = job(&connection);
            idle().push(connection);
            drop(seat);
            result
        });
        done.await.map_err(|error| StoreError::Database(Box::new(error)))?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::central::store::{ChainStore as _, QuarantineStore as _, TerminalStore as _};

    #[test]
    fn row_5_terminals_are_answered_while_queries_of_people_take_every_connection() {
        let folder = tempfile::tempdir().unwrap();
        let id = crate::model::StoreId::from_parts(1, [1; 10]);
        let now = chrono::DateTime::UNIX_EPOCH;
        let store = super::super::SqliteStore::open(&folder.path().join("central.sqlite"), id, now).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut running = Vec::new();
            for _ in 0..super::super::open::READERS {
                let (release, wait) = mpsc::channel::<()>();
                let (started, is_running) = tokio::sync::oneshot::channel();
                let readers = store.for_people.clone();
                let job = move |_: &Connection| {
                    let _ = started.send(());
                    wait.recv().map_err(|_| StoreError::Closed)
                };
                running.push((release, tokio::spawn(async move { readers.run(job).await })));
                is_running.await.unwrap();
            }
            let (site, terminal) = ("main".parse().unwrap(), "t-1".parse().unwrap());
            assert_eq!(store.terminal(&site, &terminal).await.unwrap(), None);
            assert_eq!(store.cursor(&site, crate::model::ChainId([1; 16])).await.unwrap(), None);
            assert_eq!(store.quarantined_of(&site, &terminal).await.unwrap(), 0);
            for (release, query) in running {
                release.send(()).unwrap();
                query.await.unwrap().unwrap();
            }
        });
    }

    #[test]
    fn a_query_that_finds_every_connection_taken_is_turned_away_and_taken_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        Connection::open(&path).unwrap().execute_batch("create table t (x)").unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let readers = Readers::open(&path, 1, Duration::from_millis(20)).unwrap();
            let (release, wait) = mpsc::channel::<()>();
            let (started, is_running) = tokio::sync::oneshot::channel();
            let slow = tokio::spawn({
                let readers = readers.clone();
                async move {
                    let job = move |_: &Connection| {
                        let _ = started.send(());
                        wait.recv().map_err(|_| StoreError::Closed)
                    };
                    readers.run(job).await
                }
            });
            is_running.await.unwrap();
            let refused = readers.run(|_| Ok(1)).await;
            assert!(matches!(refused, Err(StoreError::Overloaded(1))), "{refused:?}");
            release.send(()).unwrap();
            slow.await.unwrap().unwrap();
            assert_eq!(readers.run(|_| Ok(1)).await.unwrap(), 1);
        });
    }
}
