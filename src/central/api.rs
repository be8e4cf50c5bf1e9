//! What programs ask: JSON and CSV.
//!
//! Each file is one resource; the list of routes stands here.

mod answers;
mod chains;
pub(super) mod document;
mod help;
mod incidents;
mod ops;
mod quarantine;
mod query;
mod reasons;
mod scores;
mod terminals;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::app::Shared;
pub(super) use ops::DocumentText;

/// The routes that staff and their programs read; answers may be compressed.
pub(super) fn read_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(scores::get_scores))
        .routes(routes!(reasons::get_reasons))
        .routes(routes!(answers::export_answers))
        .routes(routes!(terminals::list_terminals))
        .routes(routes!(chains::list_chains))
        .routes(routes!(quarantine::list_quarantine))
        .routes(routes!(incidents::list_incidents))
        .routes(routes!(help::list_calls))
        .routes(routes!(ops::metrics))
}

/// The routes that change something.
pub(super) fn write_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(help::answer_call))
}

/// The routes that are open to everybody, whatever host they ask for.
pub(super) fn open_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::document))
}
