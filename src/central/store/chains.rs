//! Journals as they are held: how far, their entries, and the signed heads.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{EntryState, SignedRequest, StoreError};
use crate::model::{ChainId, Hash, SiteId, TerminalId};

/// How far a journal is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The terminal that writes it.
    pub terminal: TerminalId,
    /// End of the unbroken prefix.
    pub accepted_through: u64,
    /// Chain hash there.
    pub head_hash: Hash,
    /// When its first batch came.
    pub first_received: DateTime<Utc>,
    /// When its last new entry came.
    pub last_received: DateTime<Utc>,
}

/// How many entries stand in which state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainSummary {
    /// The journal.
    pub chain: ChainId,
    /// How far it is held.
    pub cursor: Cursor,
    /// Entries not understood.
    pub quarantined: u64,
    /// Entries whose line did not come.
    pub withheld: u64,
}

/// One stored entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEntry {
    /// Place in the chain.
    pub seq: u64,
    /// Chain hash after it.
    pub hash: Hash,
    /// The line; `None` where only its leaf hash came.
    pub line: Option<Vec<u8>>,
    /// The leaf hash, where there is no line.
    pub leaf: Option<Hash>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What became of it.
    pub state: EntryState,
}

/// A kept signed head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// First entry of the batch.
    pub first_seq: u64,
    /// Last entry of the batch.
    pub seq: u64,
    /// Chain hash after it.
    pub head_hash: Hash,
    /// Who signed.
    pub terminal: TerminalId,
    /// With which key, base64.
    pub public_key: String,
    /// The header line of the batch.
    pub header_line: Vec<u8>,
    /// The signed request.
    pub proof: SignedRequest,
}

/// Shows journals.
#[async_trait]
pub trait ChainStore: Send + Sync {
    /// How far a journal is held; `None` if nothing of it is.
    async fn cursor(&self, site: &SiteId, chain: ChainId) -> Result<Option<Cursor>, StoreError>;

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
}
