//! Batches of terminals.

use async_trait::async_trait;

use super::{Ingested, StoreError, Submission};

/// Takes batches in.
#[async_trait]
pub trait IngestStore: Send + Sync {
    /// Stores a batch durably and books it, as the pure `decide` of `domain::ingest` says.
    async fn ingest(&self, submission: Submission) -> Result<Ingested, StoreError>;
}
