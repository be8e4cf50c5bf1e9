//! A batch as it comes to be decided about, and what its terminal is told.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{Batch, Context};
use crate::{
    model::{Hash, SiteId, TerminalId},
    questionnaire::Hospital,
    wire::Quarantined,
};

/// A verified batch with its proof.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The site.
    pub site: SiteId,
    /// Its time zone.
    pub zone: Tz,
    /// Who sent it.
    pub terminal: TerminalId,
    /// The key its signature was checked with, base64.
    pub public_key: String,
    /// The batch.
    pub batch: Batch,
    /// The signed request: what an auditor checks the signature with.
    pub proof: SignedRequest,
    /// What is asked where.
    pub hospital: Arc<Hospital>,
    /// Now.
    pub received_at: DateTime<Utc>,
}

impl Submission {
    /// What the meaning of its lines depends on.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            hospital: &self.hospital,
            site: &self.site,
            zone: self.zone,
            terminal: &self.terminal,
            chain: self.batch.header.chain,
            received_at: self.received_at,
        }
    }
}

/// The parts of a signed request that are kept.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SignedRequest {
    /// `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The `xinsheng-protocol` header.
    pub protocol: String,
    /// The `content-encoding` header.
    pub content_encoding: Option<String>,
    /// The `content-digest` header.
    pub content_digest: String,
    /// The `signature-input` header.
    pub signature_input: String,
    /// The `signature` header.
    pub signature: String,
    /// The body as sent, where it cannot be made again from what is stored.
    #[serde(skip)]
    pub content: Option<Vec<u8>>,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ingested {
    /// It lies on the unbroken prefix, or beyond a gap and nothing was stored.
    Accepted {
        /// How far the journal is held.
        accepted_through: u64,
        /// Chain hash there.
        head_hash: Hash,
        /// New entries.
        stored: u32,
        /// Entries that were held.
        duplicate: u32,
        /// Entries not understood.
        quarantined: Vec<Quarantined>,
        /// Whether any count changed.
        counted: bool,
        /// Calls for help among the new entries, late ones included.
        help_calls: u32,
    },
    /// Another history is held under the same places; an incident was raised.
    Conflict {
        /// How far the journal is held.
        accepted_through: u64,
        /// Chain hash there.
        head_hash: Hash,
    },
}
