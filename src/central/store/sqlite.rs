//! Central's store on SQLite: a hospital to a city. SQL and row codecs only: what is written is decided in `domain`.
//!
//! One thread owns the one writing connection. It takes all writes that wait, runs each in a savepoint of one transaction, commits once
//! (WAL, `synchronous=FULL`: one fsync), and only then answers all of them. Reads run on a few connections of their own and never wait
//! for a write; what terminals ask has connections that people's queries cannot take. Other processes (the command line beside a running
//! server) share the file through SQLite's own locks.

mod apply;
mod chains;
mod codec;
pub(in crate::central) mod copy;
mod figures;
mod help;
mod incidents;
mod ingest;
pub(in crate::central) mod key;
mod migrate;
mod open;
mod places;
mod quarantine;
mod readers;
mod site_db;
mod snapshot;
mod terminals;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{BaseStore, StoreError};
use crate::model::{SiteId, StoreId};
pub use open::OpenError;
use readers::Readers;
use site_db::SiteDb;
use writer::Writer;

type Read<T> = Result<T, StoreError>;

/// Central's store on SQLite.
pub struct SqliteStore {
    id: StoreId,
    writer: Writer,
    for_people: Readers,
    for_terminals: Readers,
    reporting: Arc<Semaphore>,
}

impl SqliteStore {
    /// A write in a transaction with others; an error undoes this one alone.
    async fn write<T: Send + 'static>(
        &self,
        site: &SiteId,
        job: impl FnOnce(SiteDb<'_>) -> Read<T> + Send + 'static,
    ) -> Read<T> {
        self.writer.run(on(site, job)).await
    }

    /// A read that a terminal waits for.
    async fn look_up<T: Send + 'static>(
        &self,
        site: &SiteId,
        job: impl FnOnce(SiteDb<'_>) -> Read<T> + Send + 'static,
    ) -> Read<T> {
        self.for_terminals.run(on(site, job)).await
    }

    /// A read for people.
    async fn read<T: Send + 'static>(
        &self,
        site: &SiteId,
        job: impl FnOnce(SiteDb<'_>) -> Read<T> + Send + 'static,
    ) -> Read<T> {
        self.for_people.run(on(site, job)).await
    }

    /// A read for people that may be long: it waits while two others are under way.
    async fn report<T: Send + 'static>(
        &self,
        site: &SiteId,
        job: impl FnOnce(SiteDb<'_>) -> Read<T> + Send + 'static,
    ) -> Read<T> {
        let _permit = self.reporting.acquire().await.map_err(|_| StoreError::Closed)?;
        self.read(site, job).await
    }
}

/// A job on one site.
fn on<T>(
    site: &SiteId,
    job: impl FnOnce(SiteDb<'_>) -> Read<T> + Send + 'static,
) -> impl FnOnce(&Connection) -> Read<T> + Send + 'static {
    let site = site.clone();
    move |connection| job(SiteDb { connection, site: &site })
}

#[async_trait]
impl BaseStore for SqliteStore {
    fn id(&self) -> StoreId {
        self.id
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.writer.run(|connection| Ok(connection.execute_batch("select 1 from store_info")?)).await
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
    }
}
