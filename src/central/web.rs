//! What people see: pages, and the events that keep them fresh.

mod live;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::app::Shared;

/// Pages and their files; answers may be compressed.
pub(super) fn pages() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(live::page))
        .routes(routes!(live::script))
        .routes(routes!(live::style))
}

/// Streams, which nothing may gather or compress.
pub(super) fn streams() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live::events))
}
