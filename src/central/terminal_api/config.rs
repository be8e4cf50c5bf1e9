//! `GET /v1/terminals/self/config`: delivers the touchpoints file.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header as http_header},
    response::{IntoResponse, Response},
};

use super::{auth, body::typed};
use crate::{
    central::{app::Shared, error::ApiError},
    wire::{Problem, content_type},
};

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
pub(in crate::central) async fn get_config(
    State(app): State<Shared>,
    request: Request,
) -> Result<Response, ApiError> {
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
