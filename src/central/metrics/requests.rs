//! Counts requests and measures how long they take, by route.

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;

use crate::central::app::Shared;

/// A request that no route is for.
const NO_ROUTE: &str = "none";

/// Measures from the request's head to the head of its answer: an answer that is sent for hours (events) is no slow one.
pub(in crate::central) async fn observe(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let method = known(request.method());
    let began = Instant::now();
    let response = next.run(request).await;
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    // Served under a path too, it is the same route.
    let route = route.strip_prefix(app.settings.base_path()).unwrap_or(route);
    app.metrics.answered(route, method, response.status().as_u16(), began.elapsed());
    response
}

/// The methods that somebody uses; whatever else a stranger makes up is one value.
const fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
