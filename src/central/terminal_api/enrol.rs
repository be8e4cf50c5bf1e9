//! `POST /v1/enrolments`: takes a terminal in.

use axum::{
    Json,
    extract::{Request, State},
};

use super::{
    auth::{self, Proven},
    body::{read_enrolment, unreadable},
};
use crate::{
    central::{
        app::Shared,
        clock,
        domain::code,
        error::ApiError,
        events::Event,
        peer::Peer,
        store::{Enrolled, NewTerminal},
    },
    sign::PublicKey,
    wire::{EXAMPLE_HARDWARE, Enrolment, EnrolmentReply, Problem, content_type},
};

/// Takes a terminal in.
///
/// The request is signed with the key it offers. The same code and key again get the same answer, so that a lost answer costs nothing. Whoever
/// sends codes that nobody made has to wait after some of them; right ones cost nothing.
#[utoipa::path(
    post, path = "/v1/enrolments", tag = "terminals", request_body = Enrolment,
    responses(
        (status = 200, body = EnrolmentReply),
        (status = 403, description = "unknown, used or expired code", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn enrol(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<EnrolmentReply>, ApiError> {
    auth::expect_type(request.headers(), content_type::JSON)?;
    let peer = request.extensions().get::<Peer>().copied();
    let Proven { who: key, body, .. } = auth::from_stranger(&app, request).await?;
    let asked = read_enrolment(&body).map_err(|error| unreadable(&error))?;
    if asked.public_key.parse::<PublicKey>().ok() != Some(key) {
        return Err(ApiError::unauthorized("the request is signed with another key than it offers"));
    }
    if asked.hardware_id == EXAMPLE_HARDWARE && !app.settings.example {
        return Err(ApiError::forbidden(
            "this central takes no example data: its scores are of real answers only",
        ));
    }
    let at = app.now();
    app.allowances.allow_code(peer.as_ref(), at)?;
    let name = code::terminal_name(clock::random());
    let new = NewTerminal {
        code_hash: code::hash_of(&asked.code),
        terminal: name.parse().map_err(|_| ApiError::unavailable("no name could be made"))?,
        public_key: key.to_string(),
        hardware_id: asked.hardware_id,
        software: asked.software,
        at,
    };
    for site in &app.hospital().sites {
        match app.store.enrol(&site.id, new.clone()).await? {
            Enrolled::Welcome { terminal, touchpoint } => {
                app.metrics.enrolments.increment(1);
                tracing::info!(%terminal, %touchpoint, "a terminal was taken in");
                app.tell(Event::Terminal { site: site.id.clone(), terminal: terminal.clone() });
                return Ok(Json(EnrolmentReply {
                    terminal,
                    site: site.id.clone(),
                    touchpoint,
                    store: app.store.id(),
                    central_key: app.key.public().to_string(),
                    time: at,
                }));
            }
            Enrolled::UnknownCode => {}
            Enrolled::UsedCode => return Err(ApiError::forbidden("the code is used; make a new one")),
            Enrolled::ExpiredCode => {
                return Err(ApiError::forbidden("the code is older than 24 hours; make a new one"));
            }
        }
    }
    app.allowances.wrong_code(peer.as_ref(), at);
    Err(ApiError::forbidden("central knows no such code; look for a typing mistake, or make a new one"))
}
