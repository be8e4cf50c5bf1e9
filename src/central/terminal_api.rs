//! What terminals ask: signed requests, and answers signed by central.
//!
//! Each file is one resource and exports its route; the list stands here.

pub(super) mod auth;
pub(super) mod body;
mod certificate;
mod config;
mod cursor;
mod enrol;
mod entries;
mod health;
pub(super) mod replays;

use axum::middleware;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::app::Shared;

/// The routes of terminals.
pub(super) fn routes(app: &Shared) -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(enrol::enrol))
        .routes(routes!(cursor::get_cursor))
        .routes(routes!(entries::post_entries))
        .routes(routes!(health::post_health))
        .routes(routes!(config::get_config))
        .routes(routes!(certificate::get_certificate))
        .layer(middleware::from_fn_with_state(Shared::clone(app), auth::sign_answers))
}
