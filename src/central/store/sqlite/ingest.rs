//! A batch in one savepoint: read what its decision depends on, decide (pure), write.
//!
//! The statements keep the shape that a distributed PostgreSQL runs on one shard: each is about one site, entries are inserted with
//! `on conflict do nothing`, counts with `n = n + excluded.n`.

use async_trait::async_trait;

use super::{Read, SiteDb, SqliteStore, apply, incidents, snapshot::read_snapshot};
use crate::central::{
    domain::ingest::{Ask, Reading, decide},
    store::{IngestStore, Ingested, StoreError, Submission},
};

#[async_trait]
impl IngestStore for SqliteStore {
    async fn ingest(&self, submission: Submission) -> Result<Ingested, StoreError> {
        let site = submission.site.clone();
        self.write(&site, move |db| ingest(db, &submission)).await
    }
}

fn ingest(db: SiteDb<'_>, submission: &Submission) -> Read<Ingested> {
    let reading = Reading::new(&submission.batch.lines);
    let held = read_snapshot(db, &Ask::about(submission, &reading))?;
    let decision = decide(submission, reading, held);
    if let Some(contact) = &decision.contact {
        apply::contact(db, &submission.terminal, contact)?;
    }
    if let Some(incident) = &decision.incident {
        incidents::keep(db, incident)?;
    }
    if let Some(append) = &decision.append {
        apply::entries(db, submission, &append.writes.entries)?;
        apply::writes(db, submission.context(), &append.writes)?;
        apply::cursor(db, submission, append)?;
        apply::checkpoint(db, submission)?;
    }
    Ok(decision.outcome)
}
