//! Entries that were not understood.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Replayed, Retry, StoreError};
use crate::model::{ChainId, SiteId, TerminalId};

/// An entry that was not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantinedEntry {
    /// The terminal.
    pub terminal: TerminalId,
    /// The journal.
    pub chain: ChainId,
    /// Its place there.
    pub seq: u64,
    /// Why.
    pub reason: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// The line.
    pub line: Vec<u8>,
}

/// Entries in the quarantine that have the terminal and the reason in common.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantineGroup {
    /// The terminal.
    pub terminal: TerminalId,
    /// Why they are not understood.
    pub reason: String,
    /// How many.
    pub entries: u64,
    /// When the first of them came.
    pub first_at: DateTime<Utc>,
    /// When the last of them came.
    pub last_at: DateTime<Utc>,
}

/// Entries of the quarantine that a page holds: they are tried in one transaction.
pub(super) const REPLAY_PAGE: usize = 200;

/// A place in the quarantine: a journal, and a sequence number there.
pub type Place = (ChainId, u64);

/// Keeps what was not understood, and tries it again.
#[async_trait]
pub trait QuarantineStore: Send + Sync {
    /// Entries not understood, oldest first.
    async fn quarantine(&self, site: &SiteId, limit: usize) -> Result<Vec<QuarantinedEntry>, StoreError>;

    /// The quarantine by terminal and reason, the most recent first.
    async fn quarantine_groups(
        &self,
        site: &SiteId,
        limit: usize,
    ) -> Result<Vec<QuarantineGroup>, StoreError>;

    /// Entries of a site in the quarantine.
    async fn quarantined(&self, site: &SiteId) -> Result<u64, StoreError>;

    /// Entries of a terminal in the quarantine.
    async fn quarantined_of(&self, site: &SiteId, id: &TerminalId) -> Result<u64, StoreError>;

    /// Tries a page of the quarantine again, behind a place; gives the place to go on behind, if there may be more.
    async fn replay_page(
        &self,
        retry: Retry,
        after: Option<Place>,
    ) -> Result<(Replayed, Option<Place>), StoreError>;

    /// Tries the whole quarantine again, a page at a time, so that a long one does not hold up the batches that come in meanwhile.
    async fn replay_quarantine(&self, retry: Retry) -> Result<Replayed, StoreError> {
        let mut done = Replayed::default();
        let mut after = None;
        loop {
            let (page, last) = self.replay_page(retry.clone(), after).await?;
            done.understood += page.understood;
            done.remaining += page.remaining;
            if last.is_none() {
                return Ok(done);
            }
            after = last;
        }
    }
}
