//! Endpoints for terminals: enrolment, cursor, entries, health, configuration.

use axum::{
    Json,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderValue, StatusCode, header as http_header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::{
    auth::{self, Proven},
    code,
    error::ApiError,
    ingest::{Batch, BatchError, EARLIEST_MS},
    router::Shared,
    shell,
    state::{App, Event},
    store::{Enrolled, Ingested, NewTerminal, Submission, Terminal},
};
use crate::{
    chain,
    model::ChainId,
    sign::PublicKey,
    wire::{
        CursorReply, EXAMPLE_HARDWARE, Enrolment, EnrolmentReply, Health, HealthReply, Problem, Receipt,
        content_type,
    },
};

/// Longest body of an enrolment or a health report: an honest one takes one or two kilobytes.
pub(crate) const JSON_BYTES_MAX: usize = 32 * 1024;

/// 2000-01-01: nothing waits since before.
const EARLIEST: DateTime<Utc> = match DateTime::from_timestamp_millis(EARLIEST_MS) {
    Some(at) => at,
    None => DateTime::UNIX_EPOCH,
};

/// Longest hardware id or software version kept.
const FACT_CHARS_MAX: usize = 200;

/// Takes a terminal in.
///
/// The request is signed with the key it offers. The same code and key again get the same answer, so that a lost answer costs nothing.
#[utoipa::path(
    post, path = "/v1/enrolments", tag = "terminals", request_body = Enrolment,
    responses(
        (status = 200, body = EnrolmentReply),
        (status = 403, description = "unknown, used or expired code", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn enrol(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<EnrolmentReply>, ApiError> {
    auth::expect_type(request.headers(), content_type::JSON)?;
    let Proven { who: key, body, .. } = auth::from_stranger(&app, request).await?;
    let asked = read_enrolment(&body).map_err(|error| unreadable(&error))?;
    if asked.public_key.parse::<PublicKey>().ok() != Some(key) {
        return Err(ApiError::unauthorized("the request is signed with another key than it offers"));
    }
    if asked.hardware_id == EXAMPLE_HARDWARE && !app.settings.example {
        return Err(ApiError::forbidden(
            "this central takes no example data: its scores are of real answers only",
        ));
    }
    let at = shell::now();
    let name = code::terminal_name(shell::random());
    let new = NewTerminal {
        code_hash: code::hash_of(&asked.code),
        terminal: name.parse().map_err(|_| ApiError::unavailable("no name could be made"))?,
        public_key: key.to_string(),
        hardware_id: asked.hardware_id,
        software: asked.software,
        at,
    };
    for site in &app.hospital().sites {
        match app.store.enrol(&site.id, new.clone()).await? {
            Enrolled::Welcome { terminal, touchpoint } => {
                app.metrics.enrolments.increment(1);
                tracing::info!(%terminal, %touchpoint, "a terminal was taken in");
                app.tell(Event::Terminal { site: site.id.clone(), terminal: terminal.clone() });
                return Ok(Json(EnrolmentReply {
                    terminal,
                    site: site.id.clone(),
                    touchpoint,
                    store: app.store.id(),
                    central_key: app.key.public().to_string(),
                    time: at,
                }));
            }
            Enrolled::UnknownCode => {}
            Enrolled::UsedCode => return Err(ApiError::forbidden("the code is used; make a new one")),
            Enrolled::ExpiredCode => {
                return Err(ApiError::forbidden("the code is older than 24 hours; make a new one"));
            }
        }
    }
    Err(ApiError::forbidden("central knows no such code; look for a typing mistake, or make a new one"))
}

/// Which journal.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CursorQuery {
    /// The chain id, 32 hexadecimal digits.
    #[param(pattern = "^[0-9a-f]{32}$")]
    chain: String,
}

/// How far central is with a journal.
#[utoipa::path(
    get, path = "/v1/terminals/self/cursor", tag = "terminals", params(CursorQuery),
    responses(
        (status = 200, body = CursorReply),
    )
)]
pub(super) async fn get_cursor(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<CursorReply>, ApiError> {
    let asked = Query::<CursorQuery>::try_from_uri(request.uri()).map(|Query(query)| query.chain);
    let Proven { who: terminal, .. } = auth::from_terminal(&app, request).await?;
    let no_chain = || ApiError::bad_request("the query must be `chain=` and 32 hexadecimal digits");
    let chain: ChainId = asked.ok().and_then(|text| text.parse().ok()).ok_or_else(no_chain)?;
    let held = app.store.cursor(&terminal.site, chain).await?;
    Ok(Json(CursorReply {
        store: app.store.id(),
        chain,
        accepted_through: held.as_ref().map_or(0, |cursor| cursor.accepted_through),
        head_hash: held.map_or_else(|| chain::genesis(chain), |cursor| cursor.head_hash),
        time: shell::now(),
    }))
}

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
pub(super) async fn post_entries(State(app): State<Shared>, request: Request) -> Result<Response, ApiError> {
    auth::expect_type(request.headers(), content_type::ENTRIES)?;
    let Proven { who: terminal, body, mut proof } = auth::from_terminal(&app, request).await?;
    let batch = Batch::read(&body).map_err(|error| refused(&error))?;
    if proof.content_encoding.is_none() && batch.rebuilds(&body) {
        proof.content = None;
    }
    let chain = batch.header.chain;
    let received_at = shell::now();
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
    app.tell(Event::Alarm { site: terminal.site.clone() });
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

/// Hears how a terminal is.
#[utoipa::path(
    post, path = "/v1/terminals/self/health", tag = "terminals", request_body = Health,
    responses(
        (status = 200, body = HealthReply),
    )
)]
pub(super) async fn post_health(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<HealthReply>, ApiError> {
    auth::expect_type(request.headers(), content_type::JSON)?;
    let Proven { who: terminal, body, .. } = auth::from_terminal(&app, request).await?;
    let time = shell::now();
    let health = read_health(&body, time).map_err(|error| unreadable(&error))?;
    app.store.record_health(&terminal.site, app.zone(&terminal.site), &terminal.id, &health, time).await?;
    app.metrics.health_reports.increment(1);
    let quarantined = app.store.quarantined_of(&terminal.site, &terminal.id).await?;
    let in_force = app.in_force();
    app.tell(Event::Terminal { site: terminal.site.clone(), terminal: terminal.id });
    if health.lost_after.is_some() {
        app.tell(Event::Alarm { site: terminal.site });
    }
    Ok(Json(HealthReply {
        next_sync_after_s: in_force.next_sync_after_s,
        config_etag: in_force.delivered.as_ref().map(|delivered| delivered.etag.clone()),
        quarantined: Some(quarantined),
        commands: Vec::new(),
        time,
    }))
}

/// Delivers the touchpoints file.
#[utoipa::path(
    get, path = "/v1/terminals/self/config", tag = "terminals",
    params(("if-none-match" = Option<String>, Header, description = "the ETag of the configuration the terminal has")),
    responses(
        (status = 200, body = String, content_type = "application/toml", headers(("etag" = String, description = "of this configuration"))),
        (status = 304, description = "still the same", headers(("etag" = String, description = "of this configuration"))),
        (status = 404, description = "central delivers none", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_config(State(app): State<Shared>, request: Request) -> Result<Response, ApiError> {
    let known = request.headers().get(http_header::IF_NONE_MATCH).cloned();
    auth::from_terminal(&app, request).await?;
    let none =
        || ApiError::not_found("this central delivers no configuration; the terminal's own file counts");
    let in_force = app.in_force();
    let delivered = in_force.delivered.as_ref().ok_or_else(none)?;
    let is_known = known.as_ref().and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.trim() == "*"
            || value.split(',').any(|tag| tag.trim().trim_start_matches("W/") == delivered.etag)
    });
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        typed(Body::from(delivered.text.clone()).into_response(), content_type::TOML)
    };
    if let Ok(etag) = HeaderValue::from_str(&delivered.etag) {
        response.headers_mut().insert(http_header::ETAG, etag);
    }
    Ok(response)
}

/// Why a body is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Longer than [`JSON_BYTES_MAX`].
    #[error("the body has {0} bytes, more than {JSON_BYTES_MAX}")]
    TooLong(usize),
    /// Not JSON, or a field that does not fit; the words repeat at most a part of the body.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
}

/// Reads a health report and bounds its facts.
pub fn read_health(body: &[u8], received_at: DateTime<Utc>) -> Result<Health, BodyError> {
    let oldest = (received_at - EARLIEST).num_seconds();
    Ok(read_json::<Health>(body)?.bounded(u64::try_from(oldest).unwrap_or(0)))
}

/// Reads an enrolment and bounds what is kept of it.
pub fn read_enrolment(body: &[u8]) -> Result<Enrolment, BodyError> {
    let shortened = |text: String| text.chars().take(FACT_CHARS_MAX).collect::<String>();
    let asked: Enrolment = read_json(body)?;
    Ok(Enrolment { hardware_id: shortened(asked.hardware_id), software: shortened(asked.software), ..asked })
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    if body.len() > JSON_BYTES_MAX {
        return Err(BodyError::TooLong(body.len()));
    }
    let words = |error: serde_json::Error| error.to_string().chars().take(FACT_CHARS_MAX).collect();
    serde_json::from_slice(body).map_err(|error| BodyError::Unreadable(words(error)))
}

fn unreadable(error: &BodyError) -> ApiError {
    match error {
        BodyError::TooLong(_) => ApiError::too_large(JSON_BYTES_MAX),
        BodyError::Unreadable(_) => ApiError::bad_request(error.to_string()),
    }
}

fn typed(response: impl IntoResponse, kind: &'static str) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(http_header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
