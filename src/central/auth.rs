//! Who speaks: a terminal's request is read, proven and only then unpacked.
//!
//! The order is the defence: protocol version, encodings, size, digest and signature, allowance, decompression, and parsing last.

use std::io::Read as _;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header as http_header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use flate2::read::MultiGzDecoder;
use tokio_stream::StreamExt as _;

use super::{
    code::hex,
    error::ApiError,
    router::Shared,
    shell,
    state::App,
    store::{SignedRequest, Terminal},
};
use crate::{
    sign::{
        Proof, PublicKey, RequestParts, ResponseParts, SignatureParams, keyid_of, sign_response,
        verify_request,
    },
    wire::{PROTOCOL_VERSION, header},
};

/// Longest answer central signs; a delivered configuration is the longest.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A proven request.
pub(super) struct Proven<W> {
    /// Who sent it.
    pub(super) who: W,
    /// The body, decompressed.
    pub(super) body: Vec<u8>,
    /// What proves it, with the body as sent.
    pub(super) proof: SignedRequest,
}

/// Reads and proves a request of an enrolled terminal.
pub(super) async fn from_terminal(app: &App, request: Request) -> Result<Proven<Terminal>, ApiError> {
    let (parts, content) = read(app, request).await?;
    let name = text(&parts.headers, header::TERMINAL)
        .ok_or_else(|| ApiError::unauthorized(format!("the header `{}` is missing", header::TERMINAL)))?;
    let id = name.parse().map_err(|_| ApiError::unauthorized(format!("`{name}` is no terminal's name")))?;
    let unknown = || ApiError::unauthorized(format!("central knows no terminal `{id}`; enrol it"));
    let terminal = app.terminal(&id).await?.ok_or_else(unknown)?;
    if terminal.revoked_at.is_some() {
        return Err(ApiError::forbidden(format!("the key of `{id}` is revoked; enrol the terminal again")));
    }
    let key = terminal
        .public_key
        .parse()
        .map_err(|_| ApiError::unavailable("the terminal's stored key is damaged"))?;
    let proof = prove(&key, &parts, Some(name), &content)?;
    app.allow(&id)?;
    let body = unpack(app, &parts.headers, &content)?;
    Ok(Proven { who: terminal, body, proof: SignedRequest { content: Some(content.into()), ..proof } })
}

/// Reads and proves a request that is signed with the key it offers.
pub(super) async fn from_stranger(app: &App, request: Request) -> Result<Proven<PublicKey>, ApiError> {
    let (parts, content) = read(app, request).await?;
    app.allow_enrolment()?;
    let input = text(&parts.headers, header::SIGNATURE_INPUT).unwrap_or_default();
    let refused = |error: &dyn std::fmt::Display| ApiError::unauthorized(error.to_string());
    let key: PublicKey =
        keyid_of(input).map_err(|error| refused(&error))?.parse().map_err(|error| refused(&error))?;
    let proof = prove(&key, &parts, None, &content)?;
    let body = unpack(app, &parts.headers, &content)?;
    Ok(Proven { who: key, body, proof: SignedRequest { content: Some(content.into()), ..proof } })
}

/// Refuses a body that is not of this type.
pub(super) fn expect_type(headers: &HeaderMap, expected: &str) -> Result<(), ApiError> {
    let found = text(headers, "content-type").unwrap_or_default();
    if found.split(';').next().unwrap_or_default().trim() == expected {
        Ok(())
    } else {
        Err(ApiError::unsupported(format!("the body has type `{found}`, it must be `{expected}`")))
    }
}

/// Signs whatever is answered to a signed request, refusals too: nobody on the way can speak for central.
pub(super) async fn sign_answers(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let asked = text(request.headers(), header::SIGNATURE).map(str::to_owned);
    let response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        app.metrics.refused.increment(1);
    }
    let Some(asked) = asked else { return response };
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else {
        return ApiError::unavailable("the answer could not be made").into_response();
    };
    if body.is_empty() {
        parts.headers.remove(http_header::CONTENT_TYPE);
    }
    let params = SignatureParams {
        created: shell::now().timestamp(),
        nonce: hex(&shell::random::<12>()),
        keyid: app.store.id().to_string(),
    };
    let answer = ResponseParts {
        status: parts.status.as_u16(),
        content_type: text(&parts.headers, "content-type"),
        body: &body,
        request_signature: &asked,
    };
    // A signature that cannot be read cannot be answered to; the terminal treats the answer as nobody's.
    if let Ok(signed) = sign_response(&app.key, &answer, &params) {
        let values = [
            (header::CONTENT_DIGEST, signed.content_digest),
            (header::SIGNATURE_INPUT, Some(signed.signature_input)),
            (header::SIGNATURE, Some(signed.signature)),
        ];
        for (name, value) in values {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                parts.headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
    Response::from_parts(parts, Body::from(body))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

async fn read(app: &App, request: Request) -> Result<(Parts, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    check_protocol(&parts.headers)?;
    match text(&parts.headers, "content-encoding") {
        None | Some("gzip") => {}
        Some(other) => {
            return Err(ApiError::unsupported(format!(
                "content encoding `{other}` is not understood; use gzip"
            )));
        }
    }
    let limit = app.settings.config.limits.body_bytes();
    let announced = text(&parts.headers, "content-length").and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(ApiError::too_large(limit));
    }
    let mut content = Vec::with_capacity(announced.unwrap_or_default());
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::bad_request("the body broke off"))?;
        if content.len() + chunk.len() > limit {
            return Err(ApiError::too_large(limit));
        }
        content.extend_from_slice(&chunk);
    }
    Ok((parts, content.into()))
}

fn check_protocol(headers: &HeaderMap) -> Result<(), ApiError> {
    let missing = || ApiError::bad_request(format!("the header `{}` must hold a number", header::PROTOCOL));
    let version: u32 = text(headers, header::PROTOCOL).and_then(|v| v.parse().ok()).ok_or_else(missing)?;
    if version <= PROTOCOL_VERSION {
        return Ok(());
    }
    Err(ApiError::newer_protocol(format!(
        "central speaks protocol {PROTOCOL_VERSION}, not {version}; update central"
    )))
}

fn prove(
    key: &PublicKey,
    parts: &Parts,
    terminal: Option<&str>,
    content: &Bytes,
) -> Result<SignedRequest, ApiError> {
    let field = |name| text(&parts.headers, name);
    let proof = Proof {
        content_digest: field(header::CONTENT_DIGEST),
        signature_input: field(header::SIGNATURE_INPUT).unwrap_or_default(),
        signature: field(header::SIGNATURE).unwrap_or_default(),
    };
    let said = RequestParts {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        terminal,
        protocol: field(header::PROTOCOL).unwrap_or_default(),
        content_encoding: field("content-encoding"),
        body: content,
    };
    verify_request(key, &said, &proof).map_err(|error| ApiError::unauthorized(error.to_string()))?;
    Ok(SignedRequest {
        method: said.method.to_owned(),
        path: said.path.to_owned(),
        protocol: said.protocol.to_owned(),
        content_encoding: said.content_encoding.map(str::to_owned),
        content_digest: proof.content_digest.unwrap_or_default().to_owned(),
        signature_input: proof.signature_input.to_owned(),
        signature: proof.signature.to_owned(),
        content: None,
    })
}

/// Reads at most one byte more than the limit, so that a bomb costs no more than an honest body.
fn unpack(app: &App, headers: &HeaderMap, content: &[u8]) -> Result<Vec<u8>, ApiError> {
    if text(headers, "content-encoding").is_none() {
        return Ok(content.to_vec());
    }
    gunzip(content, app.settings.config.limits.body_bytes())
        .map_err(|_| ApiError::bad_request("the body is no gzip"))?
        .ok_or_else(|| ApiError::too_large(app.settings.config.limits.body_bytes()))
}

/// Decompresses; `None` if more than `limit` bytes come out.
pub(super) fn gunzip(content: &[u8], limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    let cap = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(content).take(cap).read_to_end(&mut body)?;
    Ok((body.len() <= limit).then_some(body))
}
