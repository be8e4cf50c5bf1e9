//! Errors of a request, answered as problem details (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{queries::QueryError, store::StoreError};
use crate::{
    model::Hash,
    wire::{Problem, content_type},
};

/// Seconds after which a terminal may come again when the store failed: long enough for a restart.
const STORE_RETRY_S: u32 = 10;

/// A refused request.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    retry_after_s: Option<u32>,
    held: Option<(u64, Hash)>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), retry_after_s: None, held: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "the request cannot be read", detail)
    }

    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "inconsistent", "the request contradicts itself", detail)
    }

    /// Each parameter can be read, but together they ask for a span that cannot be answered.
    pub(super) fn no_such_span(detail: impl Into<String>) -> Self {
        let title = "this span cannot be answered";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "span", title, detail)
    }

    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "the request proves no known sender", detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "the sender may not do this", detail)
    }

    /// The same request again: the terminal makes a new one for each attempt.
    pub(super) fn replayed() -> Self {
        let detail = "this very request was answered before; sign a new one";
        Self::new(StatusCode::TOO_EARLY, "replayed", "the request is a repetition", detail)
    }

    pub(super) fn misdirected(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected",
            "this is not the host that was asked",
            detail,
        )
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is no such thing", detail)
    }

    pub(super) fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this path has another method", detail)
    }

    pub(super) fn too_large(limit_bytes: usize) -> Self {
        let detail =
            format!("a body may have {limit_bytes} bytes, compressed and decompressed; send fewer entries");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is too large", detail)
    }

    pub(super) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "this kind of body is not understood",
            detail,
        )
    }

    pub(super) fn newer_protocol(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "newer-protocol", "central speaks an older protocol", detail)
    }

    /// Another history is held.
    pub(super) fn conflict(accepted_through: u64, head_hash: Hash) -> Self {
        let detail = "central holds other entries under these places of the journal; begin a new journal";
        let held = Some((accepted_through, head_hash));
        Self { held, ..Self::new(StatusCode::CONFLICT, "other-history", "the journals differ", detail) }
    }

    pub(super) fn too_many(retry_after_s: u32) -> Self {
        let title = "too many requests";
        let error =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "rate", title, "come again after the time given");
        Self { retry_after_s: Some(retry_after_s), ..error }
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let title = "central cannot do this at present";
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, detail);
        Self { retry_after_s: Some(STORE_RETRY_S), ..error }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Unreadable(detail) => Self::bad_request(detail),
            QueryError::Span(detail) => Self::no_such_span(detail),
            QueryError::Unknown(detail) => Self::not_found(detail),
            QueryError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Busy(_) | StoreError::Overloaded(_)) {
            // Nothing is broken: what is too much is turned away.
            tracing::warn!(%error, "a request was turned away");
            return Self::unavailable("central has too much to do; ask again after the time given");
        }
        // It ends here: the terminal is told to come again, and staff read the cause in the log.
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(%error, cause, "a request failed at the store");
        Self::unavailable("the store failed; nothing was lost, send again")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: format!("/problems/{}", self.kind),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: Some(self.detail),
            accepted_through: self.held.map(|(through, _)| through),
            head_hash: self.held.map(|(_, hash)| hash),
        };
        let mut response = (self.status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type::PROBLEM));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_turned_away_with_the_time_to_come_again() {
        for error in [StoreError::Overloaded(4), StoreError::Busy(9), StoreError::Closed] {
            let response = ApiError::from(error).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key(header::RETRY_AFTER));
        }
    }
}
