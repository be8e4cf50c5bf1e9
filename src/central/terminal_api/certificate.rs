//! `GET /v1/terminals/self/certificate`: which key central's certificate has.
//!
//! A terminal that meets a key it does not know asks this over that very connection. The answer is signed, so nobody in between can name a key of
//! its own.

use axum::{
    Json,
    extract::{Request, State},
};

use super::auth;
use crate::{
    central::{app::Shared, error::ApiError},
    wire::CertificateReply,
};

/// Which key central's certificate has.
#[utoipa::path(
    get, path = "/v1/terminals/self/certificate", tag = "terminals",
    responses(
        (status = 200, body = CertificateReply),
    )
)]
pub(in crate::central) async fn get_certificate(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<CertificateReply>, ApiError> {
    auth::from_terminal(&app, request).await?;
    Ok(Json(CertificateReply { store: app.store.id(), key: app.served_key.get(), time: app.now() }))
}
