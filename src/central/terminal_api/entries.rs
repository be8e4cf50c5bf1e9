//! `POST /v1/terminals/self/entries`: takes a batch of entries in.

use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};

use super::{
    auth::{self, Proven},
    body::typed,
};
use crate::{
    central::{
        app::{App, Shared},
        domain::ingest::{Batch, BatchError},
        error::ApiError,
        events::Event,
        store::{Ingested, Submission, Terminal},
    },
    wire::{Problem, Receipt, content_type},
};

/// Takes a batch of entries in.
///
/// The body is a header line and the exact entry lines. Content never refuses a batch; a batch beyond a gap stores nothing, and the
/// receipt says from where to send.
#[utoipa::path(
    post, path = "/v1/terminals/self/entries", tag = "terminals",
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, body = Receipt, content_type = "application/vnd.xinsheng.receipt+json"),
        (status = 409, description = "another history is held", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "hashes or counts do not add up", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn post_entries(
    State(app): State<Shared>,
    request: Request,
) -> Result<Response, ApiError> {
    auth::expect_type(request.headers(), content_type::ENTRIES)?;
    let Proven { who: terminal, body, mut proof } = auth::from_terminal(&app, request).await?;
    let batch = Batch::read(&body).map_err(|error| refused(&error))?;
    if proof.content_encoding.is_none() && batch.rebuilds(&body) {
        proof.content = None;
    }
    let chain = batch.header.chain;
    let received_at = app.now();
    let ingested = app
        .store
        .ingest(Submission {
            zone: app.zone(&terminal.site),
            site: terminal.site.clone(),
            terminal: terminal.id.clone(),
            public_key: terminal.public_key.clone(),
            batch,
            proof,
            hospital: app.hospital(),
            received_at,
        })
        .await?;
    app.tell(Event::Terminal { site: terminal.site.clone(), terminal: terminal.id.clone() });
    match ingested {
        Ingested::Accepted {
            accepted_through,
            head_hash,
            stored,
            duplicate,
            quarantined,
            counted,
            help_calls,
        } => {
            app.metrics.batches.increment(1);
            app.metrics.entries_stored.increment(stored.into());
            app.metrics.entries_duplicate.increment(duplicate.into());
            app.metrics.entries_quarantined.increment(quarantined.len() as u64);
            app.metrics.help_calls.increment(help_calls.into());
            if help_calls > 0 {
                tracing::info!(terminal = %terminal.id, help_calls, "help was called");
                app.tell(Event::Help { site: terminal.site.clone() });
            }
            if counted {
                app.tell(Event::Scores { site: terminal.site.clone() });
            }
            let receipt = Receipt {
                store: app.store.id(),
                chain,
                accepted_through,
                head_hash,
                stored,
                duplicate,
                quarantined,
                next_sync_after_s: app.in_force().next_sync_after_s,
                time: received_at,
            };
            Ok(typed(Json(receipt), content_type::RECEIPT))
        }
        Ingested::Conflict { accepted_through, head_hash } => {
            Err(conflict(&app, &terminal, accepted_through, head_hash))
        }
    }
}

fn conflict(
    app: &App,
    terminal: &Terminal,
    accepted_through: u64,
    head_hash: crate::model::Hash,
) -> ApiError {
    app.metrics.conflicts.increment(1);
    tracing::warn!(terminal = %terminal.id, accepted_through, "a journal with another history was sent");
    app.tell(Event::Incident { site: terminal.site.clone() });
    ApiError::conflict(accepted_through, head_hash)
}

fn refused(error: &BatchError) -> ApiError {
    match error {
        BatchError::Header(_) => ApiError::bad_request(error.to_string()),
        BatchError::Count(_)
        | BatchError::Lines { .. }
        | BatchError::LongLine { .. }
        | BatchError::Sequence(_)
        | BatchError::Head { .. } => ApiError::unprocessable(error.to_string()),
    }
}
