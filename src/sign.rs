//! Proof of who said what: HTTP message signatures (RFC 9421, Ed25519) and content digests (RFC 9530, SHA-256).
//!
//! A terminal signs its requests, central signs its answers, both over a fixed list of components. Pure: the time and the nonce in a
//! signature are arguments. Invariants:
//! - a signature that covers anything but exactly the expected components is refused, in whatever order it lists them;
//! - a body is never believed without its digest, and the digest is always covered;
//! - an answer covers method, path, query, content digest and signature of the request it answers: it holds for that request alone, as
//!   central received it, and a recorded receipt cannot be played back later;
//! - signatures of others in the same header fields (a proxy's) are left alone: ours is the member named [`LABEL`].
//!
//! A request covers `@method`, `@path`, `@query` (if there is one), `content-encoding` and `content-digest` (if there is a body, as sent:
//! compressed), `xinsheng-terminal` (if it has one: an enrolment has none) and `xinsheng-protocol`. An answer covers `@status`,
//! `content-type` and `content-digest` (if there is a body), `etag` (of a configuration), and of its request `"@method";req`,
//! `"@path";req`, `"@query";req` (if there was one), `"content-digest";req` (if there was a body) and `"signature";req;key="sig1"`.
//! Parameters: `created` (Unix seconds), `nonce`, `keyid` and `alg="ed25519"`. The key id is the terminal id, the base64 public key for an
//! enrolment, the store id for an answer.

mod base;
mod keys;

use sha2::{Digest, Sha256};

pub(crate) use base::SignError;
pub use base::{SignatureParams, keyid_of};
pub use keys::{KeyError, KeyPair, PublicKey};

use base::{Component, byte_sequence, dictionary_bytes, sign, verify};

/// The dictionary member in `Signature-Input` and `Signature` that is ours.
pub(crate) const LABEL: &str = "sig1";

/// The parts of a request that its signature covers.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// The absolute path, as sent.
    pub path: &'a str,
    /// What follows the `?`, without it, as sent; `None` if there is none.
    pub query: Option<&'a str>,
    /// The `xinsheng-terminal` header; `None` for an enrolment.
    pub terminal: Option<&'a str>,
    /// The `xinsheng-protocol` header.
    pub protocol: &'a str,
    /// The `content-encoding` header.
    pub content_encoding: Option<&'a str>,
    /// The body as sent, still compressed; empty for none.
    pub body: &'a [u8],
}

/// The parts of an answer that its signature covers.
#[derive(Clone, Copy, Debug)]
pub struct ResponseParts<'a> {
    /// The status code.
    pub status: u16,
    /// The `content-type` header; `None` without a body.
    pub content_type: Option<&'a str>,
    /// The `etag` header; only a configuration's answer has one that counts.
    pub etag: Option<&'a str>,
    /// The body as sent; empty for none.
    pub body: &'a [u8],
    /// The request this answers.
    pub request: AnsweredRequest<'a>,
}

/// What of a request its answer is bound to.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredRequest<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// The absolute path, as signed.
    pub path: &'a str,
    /// What follows the `?`, without it; `None` if there is none.
    pub query: Option<&'a str>,
    /// The `content-digest` header; `None` without a body.
    pub content_digest: Option<&'a str>,
    /// The whole `signature` header.
    pub signature: &'a str,
}

/// Header values to send along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedHeaders {
    /// `content-digest`, if there is a body.
    pub content_digest: Option<String>,
    /// `signature-input`.
    pub signature_input: String,
    /// `signature`.
    pub signature: String,
}

#[cfg(test)]
impl SignedHeaders {
    /// The same values, borrowed for a check.
    pub(crate) fn as_proof(&self) -> Proof<'_> {
        Proof {
            content_digest: self.content_digest.as_deref(),
            signature_input: &self.signature_input,
            signature: &self.signature,
        }
    }
}

/// Header values as received.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// `content-digest`, if there is one.
    pub content_digest: Option<&'a str>,
    /// `signature-input`.
    pub signature_input: &'a str,
    /// `signature`.
    pub signature: &'a str,
}

/// Signs a request. `created` is in Unix seconds; the nonce is printable ASCII. The key id is the terminal id, or for a request without
/// one the public key.
pub fn sign_request(
    key: &KeyPair,
    parts: &RequestParts,
    created: i64,
    nonce: &str,
) -> Result<SignedHeaders, SignError> {
    let digest = digest_of(parts.body);
    let keyid = parts.terminal.map_or_else(|| key.public().to_string(), str::to_owned);
    let params = SignatureParams { created, nonce: nonce.to_owned(), keyid };
    let (signature_input, signature) = sign(key, &request_components(parts, digest.as_deref()), &params)?;
    Ok(SignedHeaders { content_digest: digest, signature_input, signature })
}

/// Checks a request against the key of the one it claims to come from; see [`keyid_of`] for whom to look up.
pub fn verify_request(
    key: &PublicKey,
    parts: &RequestParts,
    proof: &Proof,
) -> Result<SignatureParams, SignError> {
    check_body(proof.content_digest, parts.body)?;
    verify_request_head(key, parts, proof)
}

/// Checks everything of a request but its body, which is not looked at: for a receiver that reads nobody's body before it knows whose it
/// is. The body then needs [`check_content_digest`].
pub(crate) fn verify_request_head(
    key: &PublicKey,
    parts: &RequestParts,
    proof: &Proof,
) -> Result<SignatureParams, SignError> {
    let params = verify(key, &request_components(parts, proof.content_digest), proof)?;
    let expected = parts.terminal.map_or_else(|| key.to_string(), str::to_owned);
    if params.keyid == expected {
        Ok(params)
    } else {
        Err(SignError::KeyId { expected, found: params.keyid })
    }
}

/// Signs an answer: `params.keyid` is the store id. Central signs every answer to a request that it has proven, refusals included, and no
/// other: a terminal acts on a refusal only if central itself gave it to this very request, otherwise any proxy could make it give up an
/// entry.
pub fn sign_response(
    key: &KeyPair,
    parts: &ResponseParts,
    params: &SignatureParams,
) -> Result<SignedHeaders, SignError> {
    let digest = digest_of(parts.body);
    let (signature_input, signature) = sign(key, &response_components(parts, digest.as_deref())?, params)?;
    Ok(SignedHeaders { content_digest: digest, signature_input, signature })
}

/// Checks an answer against central's key. Who checks also compares the key id with the store it enrolled at.
pub fn verify_response(
    key: &PublicKey,
    parts: &ResponseParts,
    proof: &Proof,
) -> Result<SignatureParams, SignError> {
    check_body(proof.content_digest, parts.body)?;
    verify(key, &response_components(parts, proof.content_digest)?, proof)
}

/// The `content-digest` header of a body: `sha-256=:base64:`.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256={}", byte_sequence(&Sha256::digest(body)))
}

/// Checks a `content-digest` header: its SHA-256 member must be that of the body; other algorithms are ignored.
pub(crate) fn check_content_digest(header: &str, body: &[u8]) -> Result<(), SignError> {
    check_sha256(header, &Sha256::digest(body))
}

/// The same for a body that was hashed while it was read.
pub(crate) fn check_sha256(header: &str, found: &[u8]) -> Result<(), SignError> {
    let claimed = dictionary_bytes("content-digest", header, "sha-256")?;
    if claimed == found { Ok(()) } else { Err(SignError::DigestMismatch) }
}

fn digest_of(body: &[u8]) -> Option<String> {
    (!body.is_empty()).then(|| content_digest(body))
}

fn check_body(header: Option<&str>, body: &[u8]) -> Result<(), SignError> {
    match header {
        Some(header) => check_content_digest(header, body),
        None if body.is_empty() => Ok(()),
        None => Err(SignError::NoDigest),
    }
}

fn request_components(parts: &RequestParts, digest: Option<&str>) -> Vec<Component> {
    let mut list = vec![Component::new("@method", parts.method), Component::new("@path", parts.path)];
    if let Some(query) = parts.query {
        list.push(Component::new("@query", &format!("?{query}")));
    }
    if let Some(encoding) = parts.content_encoding {
        list.push(Component::new("content-encoding", encoding));
    }
    if let Some(digest) = digest {
        list.push(Component::new("content-digest", digest));
    }
    if let Some(terminal) = parts.terminal {
        list.push(Component::new("xinsheng-terminal", terminal));
    }
    list.push(Component::new("xinsheng-protocol", parts.protocol));
    list
}

fn response_components(parts: &ResponseParts, digest: Option<&str>) -> Result<Vec<Component>, SignError> {
    let mut list = vec![Component::new("@status", &parts.status.to_string())];
    if let Some(content_type) = parts.content_type {
        list.push(Component::new("content-type", content_type));
    }
    if let Some(digest) = digest {
        list.push(Component::new("content-digest", digest));
    }
    if let Some(etag) = parts.etag {
        list.push(Component::new("etag", etag));
    }
    let request = &parts.request;
    list.push(Component::of_request("@method", request.method));
    list.push(Component::of_request("@path", request.path));
    if let Some(query) = request.query {
        list.push(Component::of_request("@query", &format!("?{query}")));
    }
    if let Some(digest) = request.content_digest {
        list.push(Component::of_request("content-digest", digest));
    }
    let asked = dictionary_bytes("signature of the request", request.signature, LABEL)?;
    list.push(Component::of_request_signature(&byte_sequence(&asked)));
    Ok(list)
}

#[cfg(test)]
mod tests;
#[cfg(all(test, any(feature = "terminal", feature = "central")))]
mod vectors;
