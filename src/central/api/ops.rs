//! Endpoints for whoever operates central: liveness, readiness, metrics, and the OpenAPI document.

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::central::{
    app::Shared,
    error::ApiError,
    metrics::{DataFolder, Levels},
    queries::levels,
};
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
pub(in crate::central) async fn metrics(State(app): State<Shared>) -> Response {
    let folder = app.settings.config.data_dir.clone();
    let folder = tokio::task::spawn_blocking(move || DataFolder::look(&folder)).await;
    let counted = levels::levels(&app).await;
    let levels = Levels {
        // Told by the number itself, and by /readyz.
        store: counted.inspect_err(|error| tracing::debug!(%error, "the store counts nothing")).ok(),
        pages: app.pages.count(),
        is_serving: app.is_serving(),
        folder: folder.unwrap_or_default(),
    };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render(&levels))
        .into_response()
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub(in crate::central) async fn document(Extension(DocumentText(text)): Extension<DocumentText>) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}
