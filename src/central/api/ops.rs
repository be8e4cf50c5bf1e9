//! Endpoints for whoever operates central: liveness, readiness, metrics, and the OpenAPI document.

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::central::{app::Shared, error::ApiError, metrics::Levels, queries::terminals::is_stale};
use crate::wire::Problem;

/// The OpenAPI document as served.
#[derive(Clone)]
pub(in crate::central) struct DocumentText(pub(in crate::central) Bytes);

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = String, content_type = "text/plain")))]
pub(in crate::central) async fn healthz() -> &'static str {
    "ok\n"
}

/// Central can take batches: its store answers, and it is not about to stop.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 503, description = "not ready", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn readyz(State(app): State<Shared>) -> Result<&'static str, ApiError> {
    if !app.is_serving() {
        return Err(ApiError::unavailable("central is stopping"));
    }
    app.store.ready().await?;
    Ok("ready\n")
}

/// Numbers for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses(
        (status = 200, body = String, content_type = "text/plain"),
    )
)]
pub(in crate::central) async fn metrics(State(app): State<Shared>) -> Result<Response, ApiError> {
    let mut levels = Levels::default();
    for site in &app.hospital().sites {
        let now = app.now();
        for terminal in
            app.store.terminals(&site.id).await?.iter().filter(|terminal| terminal.revoked_at.is_none())
        {
            levels.terminals += 1;
            levels.terminals_stale += u64::from(is_stale(&app, terminal, now));
            let waiting = terminal.health.as_ref().map_or(0, |health| health.queue_depth);
            levels.queue_depth = levels.queue_depth.saturating_add(waiting);
        }
        let counted = app.store.levels(&site.id).await?;
        levels.quarantined = levels.quarantined.saturating_add(counted.quarantined);
        levels.help_open = levels.help_open.saturating_add(counted.help_open);
        levels.alarms = levels.alarms.saturating_add(counted.incidents);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render(levels))
        .into_response())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub(in crate::central) async fn document(Extension(DocumentText(text)): Extension<DocumentText>) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
