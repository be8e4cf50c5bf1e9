//! The files of the pages, embedded in the program, and the events that keep them fresh.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use axum::{
    Extension,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event as Message, KeepAlive, Sse},
    },
};
use tokio_stream::{StreamExt as _, wrappers::BroadcastStream};

use crate::central::{app::Shared, error::ApiError, events::Event, peer::Peer, serve::seats::Counted};
use crate::wire::Problem;

/// A comment line this often keeps proxies from closing a quiet stream; most wait a minute, some only twenty seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The pages' script.
#[utoipa::path(get, path = "/page.js", tag = "scores", responses((status = 200, body = String, content_type = "text/javascript")))]
pub(in crate::central) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../../../assets/central/page.js"))
}

/// The pages' style.
#[utoipa::path(get, path = "/page.css", tag = "scores", responses((status = 200, body = String, content_type = "text/css")))]
pub(in crate::central) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../../../assets/central/page.css"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Server-sent events: `scores` when counts changed, `terminal` when one was heard, `help` when somebody called or a call was answered,
/// `incident`, and `refresh` when some were missed.
#[utoipa::path(
    get, path = "/v1/events", tag = "scores",
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 503, description = "too many open pages, or stopping", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::central) async fn events(
    State(app): State<Shared>,
    peer: Option<Extension<Peer>>,
) -> Result<impl IntoResponse, ApiError> {
    if !app.is_serving() {
        return Err(ApiError::unavailable("central is stopping"));
    }
    let (address, counted) = match peer {
        Some(Extension(peer)) if !peer.is_proxy => (peer.client, Counted::ByAddress),
        Some(Extension(peer)) => (peer.client, Counted::InTotalOnly),
        None => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), Counted::InTotalOnly),
    };
    let seat = app.pages.take_for_long(address, counted);
    let seat = seat.ok_or_else(|| ApiError::unavailable("too many pages are open; close some"))?;
    let stream = BroadcastStream::new(app.listen())
        .take_while(|event| !matches!(event, Ok(Event::Goodbye)))
        .map(move |event| {
            // The stream holds its seat for as long as the page is open.
            let _ = &seat;
            Ok::<_, Infallible>(match event {
                Ok(event) => Message::default()
                    .event(event.name())
                    .data(serde_json::to_string(&event).unwrap_or_default()),
                Err(_) => Message::default().event("refresh").data("{}"),
            })
        });
    let hello = tokio_stream::once(Ok(Message::default().event("refresh").data("{}")));
    // A proxy that gathers or packs what passes through would keep a call for help back.
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Sse::new(hello.chain(stream)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}
