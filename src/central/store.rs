//! What central remembers: one trait a subject, so that the same central runs on SQLite or on PostgreSQL.
//!
//! Nothing is decided here. Where something has to be decided (a batch, a health report, an enrolment, an incident, an entry of the
//! quarantine, an acknowledgement), a pure function of [`super::domain`] says what is to be read and what is to be written, and a store
//! reads, asks it, and writes in one transaction.
//!
//! Invariants every implementation keeps (`tests/central/store_contract.rs` and its parts hold them against each):
//! - a batch's entries, answers and counts become durable together, before [`IngestStore::ingest`] returns;
//! - (site, chain, seq) is permanent: it never gets another content;
//! - every statement is about one site, and the site is the first column of every key.

mod chains;
mod figures;
mod help;
mod incidents;
mod ingest;
mod names;
mod places;
mod quarantine;
pub mod sqlite;
mod terminals;

use async_trait::async_trait;

pub use chains::{ChainStore, ChainSummary, Checkpoint, Cursor, StoredEntry};
pub use figures::{AnswerKey, Count, CountQuery, Drift, ExplainedAnswer, FigureStore, ReasonCount, TimeSpan};
pub use help::HelpStore;
pub use incidents::{Incident, IncidentStore};
pub use ingest::IngestStore;
pub use places::{PlaceStore, Remembered};
pub use quarantine::{Place, QuarantineGroup, QuarantineStore, QuarantinedEntry};
pub use terminals::{Fleet, Terminal, TerminalStore};

pub use super::domain::{
    enrolment::{Enrolled, NewCode, NewTerminal},
    health::Report,
    incidents::IncidentKind,
    ingest::{EntryState, HelpRow, Ingested, Replayed, Retry, SignedRequest, Submission},
    self_test::SelfTested,
};
use crate::model::StoreId;

/// Why the store did not do it. Central answers 503: the terminal keeps everything and comes again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the store failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Too many writes are waiting.
    #[error("the store has {0} writes waiting")]
    Busy(usize),
    /// Every connection for people's queries is taken, and none became free in time.
    #[error("all {0} connections for queries are taken")]
    Overloaded(usize),
    /// The store is closed or its thread is gone.
    #[error("the store is closed")]
    Closed,
    /// A stored row cannot be read back.
    #[error("a stored {what} cannot be read: `{text}`")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// What stands there.
        text: String,
    },
}

impl StoreError {
    /// A stored value that cannot be read back.
    fn damaged(what: &'static str, text: &(impl ToString + ?Sized)) -> Self {
        Self::Damaged { what, text: text.to_string() }
    }
}

/// Which store it is, and whether it works.
#[async_trait]
pub trait BaseStore: Send + Sync + 'static {
    /// The store's identity; a restored backup keeps it.
    fn id(&self) -> StoreId;

    /// Whether it can be read and written.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// A whole store. Errors mean: not done, try again; see [`StoreError`].
pub trait Store:
    BaseStore
    + IngestStore
    + TerminalStore
    + ChainStore
    + QuarantineStore
    + FigureStore
    + HelpStore
    + IncidentStore
    + PlaceStore
{
}

impl<T> Store for T where
    T: BaseStore
        + IngestStore
        + TerminalStore
        + ChainStore
        + QuarantineStore
        + FigureStore
        + HelpStore
        + IncidentStore
        + PlaceStore
{
}
