//! What people see: pages, and the events that keep them fresh.

pub(super) mod error;
pub(super) mod frame;
mod help;
mod live;
mod overview;
pub(super) mod words;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::app::Shared;

/// Pages and their files; answers may be compressed.
pub(super) fn pages() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(overview::overview))
        .routes(routes!(live::script))
        .routes(routes!(live::style))
}

/// Streams, which nothing may gather or compress.
pub(super) fn streams() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live::events))
}

/// Forms, which change something.
pub(super) fn forms() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(help::answered))
}
