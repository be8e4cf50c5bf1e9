//! The live page, embedded in the program, and the events that keep it fresh.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::header,
    response::{
        IntoResponse, Response,
        sse::{Event as Message, KeepAlive, Sse},
    },
};
use tokio_stream::{Stream, StreamExt as _, wrappers::BroadcastStream};

use super::{error::ApiError, router::Shared, state::Event};
use crate::wire::Problem;

/// A comment line this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The live page.
#[utoipa::path(get, path = "/", tag = "scores", responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn page() -> Response {
    asset("text/html; charset=utf-8", include_str!("../../assets/web/index.html"))
}

/// The live page's script.
#[utoipa::path(get, path = "/page.js", tag = "scores", responses((status = 200, body = String, content_type = "text/javascript")))]
pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../../assets/web/page.js"))
}

/// The live page's style.
#[utoipa::path(get, path = "/page.css", tag = "scores", responses((status = 200, body = String, content_type = "text/css")))]
pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../../assets/web/page.css"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Server-sent events: `scores` when counts changed, `terminal` when one was heard, `help` when somebody called or a call was answered,
/// `alarm`, and `refresh` when some were missed.
#[utoipa::path(
    get, path = "/v1/events", tag = "scores",
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 503, description = "too many open pages, or stopping", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(app): State<Shared>,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, ApiError> {
    if !app.is_serving() {
        return Err(ApiError::unavailable("central is stopping"));
    }
    let seat = std::sync::Arc::clone(&app.pages).try_acquire_owned();
    let seat = seat.map_err(|_| ApiError::unavailable("too many pages are open; close some"))?;
    let stream = BroadcastStream::new(app.listen())
        .take_while(|event| !matches!(event, Ok(Event::Goodbye)))
        .map(move |event| {
            // The stream holds its seat for as long as the page is open.
            let _ = &seat;
            Ok(match event {
                Ok(event) => Message::default()
                    .event(event.name())
                    .data(serde_json::to_string(&event).unwrap_or_default()),
                Err(_) => Message::default().event("refresh").data("{}"),
            })
        });
    let hello = tokio_stream::once(Ok(Message::default().event("refresh").data("{}")));
    Ok(Sse::new(hello.chain(stream)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}
