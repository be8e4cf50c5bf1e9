//! What central remembers: a small trait, so that the same central runs on SQLite or on PostgreSQL.
//!
//! Invariants every implementation keeps (`tests/central/store_contract.rs` and its parts hold them against each):
//! - a batch's entries, answers and counts become durable together, before [`Store::ingest`] returns;
//! - (site, chain, seq) is permanent: it never gets another content;
//! - every statement is about one site.

mod records;
pub mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub(crate) use records::{
    Alarm, AnswerKey, ChainSummary, Checkpoint, Count, Drift, ExplainedAnswer, QuarantineGroup,
    QuarantinedEntry, ReasonCount, Remembered, Replayed, SELF_TEST_SPAN, SelfTested, SiteLevels, StoredEntry,
};
pub use records::{
    CountQuery, Cursor, Enrolled, Ingested, NewCode, NewTerminal, SignedRequest, Submission, Terminal,
    TimeSpan,
};

use super::domain::ingest::HelpRow;
use crate::{
    model::{ChainId, EntryId, Moment, SiteId, StoreId, TerminalId},
    questionnaire::Hospital,
    wire::Health,
};

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

/// The store. Errors mean: not done, try again; see [`StoreError`].
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The store's identity; a restored backup keeps it.
    fn id(&self) -> StoreId;

    /// Every site that terminals were enrolled for.
    async fn sites(&self) -> Result<Vec<SiteId>, StoreError>;

    /// Whether it can be read and written.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Keeps an enrolment code.
    async fn add_code(&self, site: &SiteId, code: NewCode) -> Result<(), StoreError>;

    /// Takes a terminal in, once per code; the same key with the same code again gets the same answer.
    async fn enrol(&self, site: &SiteId, terminal: NewTerminal) -> Result<Enrolled, StoreError>;

    /// The terminal with this name.
    async fn terminal(&self, site: &SiteId, id: &TerminalId) -> Result<Option<Terminal>, StoreError>;

    /// All terminals of a site, by name.
    async fn terminals(&self, site: &SiteId) -> Result<Vec<Terminal>, StoreError>;

    /// Revokes a terminal's key; false if there is no such terminal. What it sent stays.
    async fn revoke(&self, site: &SiteId, id: &TerminalId, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Keeps a terminal's health, unless a later one of the same boot is held, and learns the start of its boot.
    async fn record_health(
        &self,
        site: &SiteId,
        zone: Tz,
        id: &TerminalId,
        health: &Health,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// How far a journal is held; `None` if nothing of it is.
    async fn cursor(&self, site: &SiteId, chain: ChainId) -> Result<Option<Cursor>, StoreError>;

    /// Stores a batch durably and books it.
    async fn ingest(&self, submission: Submission) -> Result<Ingested, StoreError>;

    /// All journals of a site.
    async fn chains(&self, site: &SiteId) -> Result<Vec<ChainSummary>, StoreError>;

    /// Entries of a journal after a sequence number, in order.
    async fn entries(
        &self,
        site: &SiteId,
        chain: ChainId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StoreError>;

    /// The signed heads of a journal, in order.
    async fn checkpoints(&self, site: &SiteId, chain: ChainId) -> Result<Vec<Checkpoint>, StoreError>;

    /// Entries not understood, oldest first.
    async fn quarantine(&self, site: &SiteId, limit: usize) -> Result<Vec<QuarantinedEntry>, StoreError>;

    /// The quarantine by terminal and reason, the most recent first.
    async fn quarantine_groups(
        &self,
        site: &SiteId,
        limit: usize,
    ) -> Result<Vec<QuarantineGroup>, StoreError>;

    /// Entries of a terminal that are in the quarantine.
    async fn quarantined_of(&self, site: &SiteId, id: &TerminalId) -> Result<u64, StoreError>;

    /// What is counted for the numbers of a site.
    async fn levels(&self, site: &SiteId) -> Result<SiteLevels, StoreError>;

    /// Keeps what the configuration says of a site's places and questions.
    async fn remember(
        &self,
        site: &SiteId,
        hospital: Arc<Hospital>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// What was kept of all configurations.
    async fn remembered(&self, site: &SiteId) -> Result<Remembered, StoreError>;

    /// Tries the whole quarantine again with this configuration.
    async fn replay_quarantine(
        &self,
        site: &SiteId,
        zone: Tz,
        hospital: Arc<Hospital>,
    ) -> Result<Replayed, StoreError>;

    /// Calls for help: those that ring, then those that came since a moment, each latest first.
    async fn help_calls(
        &self,
        site: &SiteId,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<HelpRow>, StoreError>;

    /// Marks a call for help answered, and gives when that was; the first mark stays. `None` if there is no such call.
    async fn answer_help(
        &self,
        site: &SiteId,
        id: EntryId,
        at: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// The last test of each terminal whose buttons were ever tested.
    async fn self_tests(&self, site: &SiteId) -> Result<Vec<SelfTested>, StoreError>;

    /// Alarms, latest first.
    async fn alarms(&self, site: &SiteId, limit: usize) -> Result<Vec<Alarm>, StoreError>;

    /// Counts of answers.
    async fn counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<Count>, StoreError>;

    /// Counts of the reasons for counted answers.
    async fn reason_counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<ReasonCount>, StoreError>;

    /// Answers of a span with the reasons for them, by time, after a key, for export.
    async fn answers(
        &self,
        site: &SiteId,
        span: TimeSpan,
        after: Option<AnswerKey>,
        limit: usize,
    ) -> Result<Vec<ExplainedAnswer>, StoreError>;

    /// Counts that differ from a recount of the answers; empty if all is well.
    async fn drift(&self, site: &SiteId) -> Result<Vec<Drift>, StoreError>;
}

/// Whether a health report is newer than the one held: within a boot, up time decides, so that a request played back later changes
/// nothing.
pub(crate) fn is_newer(sent: &Moment, held: Option<&Moment>) -> bool {
    held.is_none_or(|held| held.boot != sent.boot || held.up_ms < sent.up_ms)
}
