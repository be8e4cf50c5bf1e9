//! Incidents: what tells that journals are not whole, or not of one machine.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{IncidentKind, StoreError};
use crate::model::{SiteId, TerminalId};

/// An incident on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incident {
    /// What kind.
    pub kind: IncidentKind,
    /// What it is about: a journal.
    pub subject: String,
    /// The terminal.
    pub terminal: TerminalId,
    /// First seen.
    pub first_at: DateTime<Utc>,
    /// Last seen.
    pub last_at: DateTime<Utc>,
    /// How often.
    pub times: u64,
    /// In words.
    pub detail: String,
}

/// Shows incidents.
#[async_trait]
pub trait IncidentStore: Send + Sync {
    /// Incidents, latest first.
    async fn incidents(&self, site: &SiteId, limit: usize) -> Result<Vec<Incident>, StoreError>;

    /// Incidents on record.
    async fn incident_count(&self, site: &SiteId) -> Result<u64, StoreError>;
}
