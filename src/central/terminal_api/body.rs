//! Bodies of terminals' requests: read within bounds, and answers with a content type of their own.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::{
    central::{domain::ingest::EARLIEST_MS, error::ApiError},
    wire::{Enrolment, Health},
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

pub(super) fn unreadable(error: &BodyError) -> ApiError {
    match error {
        BodyError::TooLong(_) => ApiError::too_large(JSON_BYTES_MAX),
        BodyError::Unreadable(_) => ApiError::bad_request(error.to_string()),
    }
}

pub(super) fn typed(response: impl IntoResponse, kind: &'static str) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
