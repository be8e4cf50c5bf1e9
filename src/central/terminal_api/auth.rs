//! Authentication of requests by terminals: the signature is verified first, then the body is read, and it is decompressed last.
//!
//! The order is the defence: the signature over the head first, so that nobody's body is read before it is known whose it is; then the body
//! with its digest; then replays, revocation, protocol version, encoding and allowance; decompression and parsing last.
//!
//! Invariant: an answer is signed only if the request was proven whole, body included, and the signature covers that very request.
//! Whatever is answered before that is unsigned, and a terminal takes it for something in between.

use std::{
    io::Read as _,
    sync::{Arc, OnceLock},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header as http_header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use tokio_stream::StreamExt as _;

use crate::central::{
    app::{App, Shared},
    clock,
    domain::code::hex,
    error::ApiError,
    store::{SignedRequest, Terminal},
};
use crate::{
    sign::{
        AnsweredRequest, Proof, PublicKey, RequestParts, ResponseParts, SignError, SignatureParams,
        check_sha256, keyid_of, sign_response, verify_request_head,
    },
    wire::{BATCH_BYTES_MAX, PROTOCOL_VERSION, header},
};

/// Longest answer central signs; a delivered configuration is the longest.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A body longer than this is not even hashed: no terminal sends one, so its refusal needs no signature.
const HASHED_BYTES_MAX: usize = 4 * BATCH_BYTES_MAX;

/// A proven request.
pub(in crate::central) struct Proven<W> {
    /// Who sent it.
    pub(in crate::central) who: W,
    /// The body, decompressed.
    pub(in crate::central) body: Vec<u8>,
    /// What proves it, with the body as sent.
    pub(in crate::central) proof: SignedRequest,
}

/// Filled in by whoever proves a request, so that its answer is signed.
#[derive(Clone, Default)]
struct ProofSlot(Arc<OnceLock<Answered>>);

/// What of a proven request its answer is bound to.
struct Answered {
    method: String,
    path: String,
    query: Option<String>,
    content_digest: Option<String>,
    signature: String,
}

impl Answered {
    fn of(parts: &Parts) -> Self {
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            content_digest: text(&parts.headers, header::CONTENT_DIGEST).map(str::to_owned),
            signature: text(&parts.headers, header::SIGNATURE).unwrap_or_default().to_owned(),
        }
    }

    fn as_request(&self) -> AnsweredRequest<'_> {
        AnsweredRequest {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            content_digest: self.content_digest.as_deref(),
            signature: &self.signature,
        }
    }
}

/// Reads and proves a request of an enrolled terminal.
pub(in crate::central) async fn from_terminal(
    app: &App,
    request: Request,
) -> Result<Proven<Terminal>, ApiError> {
    let (parts, body) = request.into_parts();
    let name = text(&parts.headers, header::TERMINAL)
        .ok_or_else(|| ApiError::unauthorized(format!("the header `{}` is missing", header::TERMINAL)))?;
    let id = name.parse().map_err(|_| ApiError::unauthorized(format!("`{name}` is no terminal's name")))?;
    let unknown = || ApiError::unauthorized(format!("central knows no terminal `{id}`; enrol it"));
    let terminal = app.terminal(&id).await?.ok_or_else(unknown)?;
    let key = terminal
        .public_key
        .parse()
        .map_err(|_| ApiError::unavailable("the terminal's stored key is damaged"))?;
    let proof = prove(&key, &parts, Some(name))?;
    let content = read(app, &parts, body).await?;
    if !app.replays.is_new(&proof.signature) {
        return Err(ApiError::replayed());
    }
    if terminal.revoked_at.is_some() {
        return Err(ApiError::forbidden(format!("the key of `{id}` is revoked; enrol the terminal again")));
    }
    check_understood(&parts.headers)?;
    app.allowances.allow(&id)?;
    let body = unpack(app, &parts.headers, &content)?;
    Ok(Proven { who: terminal, body, proof: SignedRequest { content: Some(content.into()), ..proof } })
}

/// Reads and proves a request that is signed with the key it offers.
pub(in crate::central) async fn from_stranger(
    app: &App,
    request: Request,
) -> Result<Proven<PublicKey>, ApiError> {
    let (parts, body) = request.into_parts();
    let input = text(&parts.headers, header::SIGNATURE_INPUT).unwrap_or_default();
    let refused = |error: &dyn std::fmt::Display| ApiError::unauthorized(error.to_string());
    let key: PublicKey =
        keyid_of(input).map_err(|error| refused(&error))?.parse().map_err(|error| refused(&error))?;
    let proof = prove(&key, &parts, None)?;
    let content = read(app, &parts, body).await?;
    check_understood(&parts.headers)?;
    let body = unpack(app, &parts.headers, &content)?;
    Ok(Proven { who: key, body, proof: SignedRequest { content: Some(content.into()), ..proof } })
}

/// Refuses a body that is not of this type.
pub(in crate::central) fn expect_type(headers: &HeaderMap, expected: &str) -> Result<(), ApiError> {
    let found = text(headers, "content-type").unwrap_or_default();
    if found.split(';').next().unwrap_or_default().trim() == expected {
        Ok(())
    } else {
        Err(ApiError::unsupported(format!("the body has type `{found}`, it must be `{expected}`")))
    }
}

/// Signs whatever is answered to a proven request, refusals too; what is answered to any other goes out unsigned.
pub(in crate::central) async fn sign_answers(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let slot = ProofSlot::default();
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        app.metrics.refused.increment(1);
    }
    let Some(asked) = slot.0.get() else { return response };
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else {
        tracing::error!(path = asked.path, "an answer is too long to be signed");
        return ApiError::unavailable("the answer could not be made").into_response();
    };
    if body.is_empty() {
        parts.headers.remove(http_header::CONTENT_TYPE);
    }
    let params = SignatureParams {
        created: app.now().timestamp(),
        nonce: hex(&clock::random::<12>()),
        keyid: app.store.id().to_string(),
    };
    let answer = ResponseParts {
        status: parts.status.as_u16(),
        content_type: text(&parts.headers, "content-type"),
        etag: text(&parts.headers, "etag"),
        body: &body,
        request: asked.as_request(),
    };
    match sign_response(&app.key, &answer, &params) {
        Ok(signed) => {
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
        Err(error) => tracing::error!(%error, path = asked.path, "an answer cannot be signed"),
    }
    Response::from_parts(parts, Body::from(body))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Reads the body of a request whose head is proven, and checks its digest: then the request is proven. A body above the limit is hashed
/// and not kept, so that a terminal hears from central itself that it must send less.
async fn read(app: &App, parts: &Parts, body: Body) -> Result<Bytes, ApiError> {
    let limit = app.settings.config.limits.body_bytes();
    let (mut content, mut length, mut hash) = (Vec::new(), 0_usize, Sha256::new());
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::bad_request("the body broke off"))?;
        length = length.saturating_add(chunk.len());
        if length > HASHED_BYTES_MAX.max(limit) {
            return Err(ApiError::too_large(limit));
        }
        hash.update(&chunk);
        if length <= limit {
            content.extend_from_slice(&chunk);
        }
    }
    let digest = text(&parts.headers, header::CONTENT_DIGEST);
    let wrong = |error: SignError| ApiError::unauthorized(error.to_string());
    match digest {
        Some(digest) => check_sha256(digest, &hash.finalize()).map_err(wrong)?,
        None if length == 0 => {}
        None => return Err(wrong(SignError::NoDigest)),
    }
    if let Some(ProofSlot(slot)) = parts.extensions.get() {
        // Nobody else proves this request.
        let _ = slot.set(Answered::of(parts));
    }
    if length > limit { Err(ApiError::too_large(limit)) } else { Ok(content.into()) }
}

/// What central can refuse in its own name: these headers are covered by the signature.
fn check_understood(headers: &HeaderMap) -> Result<(), ApiError> {
    check_protocol(headers)?;
    match text(headers, "content-encoding") {
        None | Some("gzip") => Ok(()),
        Some(other) => {
            Err(ApiError::unsupported(format!("content encoding `{other}` is not understood; use gzip")))
        }
    }
}

fn check_protocol(headers: &HeaderMap) -> Result<(), ApiError> {
    let missing = || ApiError::bad_request(format!("the header `{}` must hold a number", header::PROTOCOL));
    let version = protocol_of(headers).ok_or_else(missing)?;
    newer_protocol(version).map_or(Ok(()), Err)
}

fn protocol_of(headers: &HeaderMap) -> Option<u32> {
    text(headers, header::PROTOCOL)?.parse().ok()
}

/// The refusal of a version that this central does not speak yet.
fn newer_protocol(version: u32) -> Option<ApiError> {
    (version > PROTOCOL_VERSION).then(|| {
        ApiError::newer_protocol(format!(
            "central speaks protocol {PROTOCOL_VERSION}, not {version}; update central"
        ))
    })
}

/// Checks the signature over the head. A newer protocol may sign in another way: then its version is the better reason to give.
fn prove(key: &PublicKey, parts: &Parts, terminal: Option<&str>) -> Result<SignedRequest, ApiError> {
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
        body: &[],
    };
    if let Err(error) = verify_request_head(key, &said, &proof) {
        let newer = protocol_of(&parts.headers).and_then(newer_protocol);
        return Err(newer.unwrap_or_else(|| ApiError::unauthorized(error.to_string())));
    }
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
pub(in crate::central) fn gunzip(content: &[u8], limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    let cap = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(content).take(cap).read_to_end(&mut body)?;
    Ok((body.len() <= limit).then_some(body))
}
