//! All routes of central with what surrounds them, and the OpenAPI document that is made from them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use tower_http::{
    compression::CompressionLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer,
    trace::TraceLayer,
};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{api, app::Shared, error::ApiError, host, metrics::requests, terminal_api, web};

/// Everything is ours, nothing is loaded from elsewhere, nobody frames it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Xinsheng central",
        description = "Terminals send signed batches of journal entries; staff read scores with intervals. The contract of protocol version 1."
    ),
    tags(
        (name = "terminals", description = "Signed by the terminal (RFC 9421, RFC 9530), answers signed by central"),
        (name = "scores", description = "What patients said, with honest uncertainty"),
        (name = "pages", description = "What people see"),
        (name = "help", description = "Patients who call for help"),
        (name = "operation", description = "Terminals, journals, quarantine, incidents"),
    )
)]
struct Document;

/// The routes and their document.
pub(super) fn routes_of(app: Shared) -> (Router, utoipa::openapi::OpenApi) {
    let timeout = app.settings.config.limits.request_timeout();
    let guarded = api::read_routes()
        .merge(web::pages())
        .layer(CompressionLayer::new())
        .merge(web::streams())
        .merge(api::write_routes())
        .merge(web::forms())
        .layer(middleware::from_fn_with_state(Arc::clone(&app), host::guard));
    let base = app.settings.base_path().to_owned();
    let (router, mut described) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(terminal_api::routes(&app))
        .merge(guarded)
        .merge(api::open_routes())
        .split_for_parts();
    api::document::complete(&mut described);
    let text = serde_json::to_vec(&described).unwrap_or_default();
    let router = router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::Extension(api::DocumentText(text.into())))
        .with_state(Arc::clone(&app));
    let router = layered(router, timeout).layer(middleware::from_fn_with_state(app, requests::observe));
    (served_under(&base, router), described)
}

/// Serves everything below the path of the public address as well, for a proxy that passes the path on as it is.
fn served_under(base: &str, router: Router) -> Router {
    if base.is_empty() {
        return router;
    }
    let bare = base.to_owned();
    Router::new().nest_service(base, router.clone()).fallback_service(router).layer(middleware::from_fn(
        move |request: Request, next: Next| {
            let to = (request.uri().path() == bare).then(|| format!("{bare}/"));
            async move {
                match to {
                    Some(to) => Redirect::permanent(&to).into_response(),
                    None => next.run(request).await,
                }
            }
        },
    ))
}

fn layered(router: Router, timeout: Duration) -> Router {
    let fixed = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    router
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, timeout))
        .layer(fixed("content-security-policy", CONTENT_SECURITY_POLICY))
        .layer(fixed("x-content-type-options", "nosniff"))
        .layer(fixed("referrer-policy", "no-referrer"))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        // What fails here is logged where it fails, once; a page that finds no seat is no failure.
        .layer(TraceLayer::new_for_http().on_failure(()))
}

async fn unknown_path(State(_): State<Shared>, request: Request) -> Response {
    ApiError::not_found(format!("there is nothing at `{}`", request.uri().path())).into_response()
}

async fn wrong_method(State(_): State<Shared>, request: Request) -> Response {
    ApiError::method_not_allowed(format!("`{}` has no {}", request.uri().path(), request.method()))
        .into_response()
}
