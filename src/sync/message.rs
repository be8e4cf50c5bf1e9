//! Requests as they go to the transport, and answers as they come back: plain values.

use std::{collections::BTreeMap, fmt, io::Write as _};

use chrono::{DateTime, Utc};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;

use crate::{
    model::{ChainId, Moment},
    sign::{
        AnsweredRequest, KeyPair, Proof, PublicKey, RequestParts, ResponseParts, SignError, SignatureParams,
        sign_request, verify_response,
    },
    wire::{BatchHeader, PROTOCOL_VERSION, content_type, header, path},
};

/// Bodies above this are compressed: below it a packet is a packet.
const COMPRESS_FROM_BYTES: usize = 1024;

/// Longest answer that is read; receipts have a few hundred bytes, a delivered configuration some ten thousand.
pub(crate) const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Names the configuration a terminal has.
const IF_NONE_MATCH: &str = "if-none-match";

/// The methods the protocol uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Asks.
    Get,
    /// Tells.
    Post,
}

impl Method {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request, ready to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below central's address, with a leading slash.
    pub path: &'static str,
    /// What follows the `?`.
    pub query: Option<String>,
    /// All headers that are ours, lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str())
    }

    /// What its answer is held against.
    pub fn stamp(&self) -> Stamp {
        let some = |name| Some(self.header(name)).filter(|value| !value.is_empty()).map(str::to_owned);
        Stamp {
            method: self.method,
            path: self.path,
            query: self.query.clone(),
            content_digest: some(header::CONTENT_DIGEST),
            signature: self.header(header::SIGNATURE).to_owned(),
            known_etag: some(IF_NONE_MATCH),
        }
    }
}

/// What is kept of a request until it is answered: an answer counts for this request alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    method: Method,
    path: &'static str,
    query: Option<String>,
    content_digest: Option<String>,
    signature: String,
    /// The configuration that the terminal said it has.
    pub(super) known_etag: Option<String>,
}

impl Stamp {
    /// As an answer's signature covers it.
    pub fn answered(&self) -> AnsweredRequest<'_> {
        AnsweredRequest {
            method: self.method.as_str(),
            path: self.path,
            query: self.query.as_deref(),
            content_digest: self.content_digest.as_deref(),
            signature: &self.signature,
        }
    }
}

/// Bodies hold enrolment codes and ratings: neither belongs into a log.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method.as_str(), self.path, self.body.len())
    }
}

/// An answer as received.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers, lower case; several of one name are joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// The body, at most [`ANSWER_BYTES_MAX`].
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The content type without parameters.
    pub fn content_type(&self) -> &str {
        self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or("").trim()
    }

    /// Checks that the owner of this key gave this answer to this request; says whose key it claims to be.
    pub fn verify(&self, key: &PublicKey, request: &Stamp) -> Result<SignatureParams, SignError> {
        let parts = ResponseParts {
            status: self.status,
            content_type: self.header("content-type").filter(|_| !self.body.is_empty()),
            // A proxy may tag answers of its own accord; only a configuration's tag means anything.
            etag: self.header("etag").filter(|_| request.path == path::CONFIG),
            body: &self.body,
            request: request.answered(),
        };
        let proof = Proof {
            content_digest: self.header(header::CONTENT_DIGEST),
            signature_input: self.header(header::SIGNATURE_INPUT).unwrap_or_default(),
            signature: self.header(header::SIGNATURE).unwrap_or_default(),
        };
        verify_response(key, &parts, &proof)
    }
}

/// Who speaks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    /// The terminal's key.
    pub key: &'a KeyPair,
    /// The terminal's id; `None` before it has one.
    pub terminal: Option<&'a str>,
    /// The terminal's clock.
    pub at: DateTime<Utc>,
    /// Printable ASCII, never used before.
    pub nonce: &'a str,
}

/// Asks how far central is with a chain.
pub fn ask_cursor(speaker: &Speaker, chain: ChainId) -> Result<Request, SignError> {
    sealed(speaker, plain(Method::Get, path::CURSOR, Some(format!("chain={chain}"))))
}

/// Asks for the configuration, unless it is still this one.
pub fn ask_config(speaker: &Speaker, known_etag: Option<&str>) -> Result<Request, SignError> {
    let mut request = plain(Method::Get, path::CONFIG, None);
    if let Some(etag) = known_etag {
        request.headers.push((IF_NONE_MATCH, etag.to_owned()));
    }
    sealed(speaker, request)
}

/// Asks which key central's certificate has.
pub fn ask_certificate(speaker: &Speaker) -> Result<Request, SignError> {
    sealed(speaker, plain(Method::Get, path::CERTIFICATE, None))
}

/// Sends a batch: the header line, then the exact lines.
pub fn send_batch(
    speaker: &Speaker,
    batch: &BatchHeader,
    lines: &[Vec<u8>],
) -> Result<Request, MessageError> {
    let mut body = serde_json::to_vec(batch)?;
    body.push(b'\n');
    for line in lines {
        body.extend_from_slice(line);
        body.push(b'\n');
    }
    let mut request = plain(Method::Post, path::ENTRIES, None);
    request.headers.push(("content-type", content_type::ENTRIES.to_owned()));
    pack(&mut request, body)?;
    Ok(sealed(speaker, request)?)
}

/// Sends anything that is one JSON value.
pub fn send_json(
    speaker: &Speaker,
    path: &'static str,
    value: &impl Serialize,
) -> Result<Request, MessageError> {
    let mut request = plain(Method::Post, path, None);
    request.headers.push(("content-type", content_type::JSON.to_owned()));
    pack(&mut request, serde_json::to_vec(value)?)?;
    Ok(sealed(speaker, request)?)
}

/// Why a request cannot be made. Neither happens with values of this program; a caller reports it.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// A value has no JSON.
    #[error("the request cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// Compression failed.
    #[error("the request cannot be compressed")]
    Compress(#[from] std::io::Error),
    /// An id or nonce cannot stand in a signature.
    #[error("the request cannot be signed")]
    Sign(#[from] SignError),
}

/// Unix seconds of a moment, for `created`.
pub fn created(at: &Moment) -> i64 {
    at.wall.timestamp()
}

fn plain(method: Method, path: &'static str, query: Option<String>) -> Request {
    let headers = vec![(header::PROTOCOL, PROTOCOL_VERSION.to_string())];
    Request { method, path, query, headers, body: Vec::new() }
}

fn pack(request: &mut Request, body: Vec<u8>) -> std::io::Result<()> {
    if body.len() < COMPRESS_FROM_BYTES {
        request.body = body;
        return Ok(());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&body)?;
    request.body = encoder.finish()?;
    request.headers.push(("content-encoding", "gzip".to_owned()));
    Ok(())
}

/// Adds the terminal id, the digest and the signature.
fn sealed(speaker: &Speaker, mut request: Request) -> Result<Request, SignError> {
    if let Some(terminal) = speaker.terminal {
        request.headers.push((header::TERMINAL, terminal.to_owned()));
    }
    let encoding = Some(request.header("content-encoding")).filter(|value| !value.is_empty());
    let parts = RequestParts {
        method: request.method.as_str(),
        path: request.path,
        query: request.query.as_deref(),
        terminal: speaker.terminal,
        protocol: request.header(header::PROTOCOL),
        content_encoding: encoding,
        body: &request.body,
    };
    let signed = sign_request(speaker.key, &parts, speaker.at.timestamp(), speaker.nonce)?;
    if let Some(digest) = signed.content_digest {
        request.headers.push((header::CONTENT_DIGEST, digest));
    }
    request.headers.push((header::SIGNATURE_INPUT, signed.signature_input));
    request.headers.push((header::SIGNATURE, signed.signature));
    Ok(request)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::{
        chain,
        model::{BootId, TimeQuality},
        sign::{Proof, verify_request},
    };

    const CHAIN: ChainId = ChainId([9; 16]);

    fn batch_of(lines: &[Vec<u8>]) -> Request {
        let key = KeyPair::from_seed(&[1; 32]);
        let speaker = Speaker { key: &key, terminal: Some("t-1"), at: DateTime::UNIX_EPOCH, nonce: "n" };
        let boot = BootId::from_parts(0, [0; 10]);
        let header = BatchHeader {
            chain: CHAIN,
            first_seq: 1,
            previous_hash: chain::genesis(CHAIN),
            count: u32::try_from(lines.len()).unwrap(),
            head_hash: chain::head(chain::genesis(CHAIN), lines.iter().map(Vec::as_slice)),
            sent: Moment { wall: DateTime::UNIX_EPOCH, boot, up_ms: 0, quality: TimeQuality::Unset },
        };
        send_batch(&speaker, &header, lines).unwrap()
    }

    fn check(request: &Request) {
        let encoding = request.header("content-encoding");
        let parts = RequestParts {
            method: "POST",
            path: path::ENTRIES,
            query: None,
            terminal: Some("t-1"),
            protocol: "1",
            content_encoding: Some(encoding).filter(|value| !value.is_empty()),
            body: &request.body,
        };
        let proof = Proof {
            content_digest: Some(request.header(header::CONTENT_DIGEST)),
            signature_input: request.header(header::SIGNATURE_INPUT),
            signature: request.header(header::SIGNATURE),
        };
        verify_request(&KeyPair::from_seed(&[1; 32]).public(), &parts, &proof).unwrap();
    }

    #[test]
    fn a_small_batch_goes_as_it_is() {
        let request = batch_of(&[b"{}".to_vec()]);
        assert!(request.body.ends_with(b"}\n{}\n"));
        assert_eq!(request.header("content-encoding"), "");
        check(&request);
    }

    #[test]
    fn a_large_batch_is_compressed_and_signed_as_sent() {
        let lines = vec![b"{\"a\":1}".to_vec(); 400];
        let request = batch_of(&lines);
        assert_eq!(request.header("content-encoding"), "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(request.body.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), 401);
        check(&request);
    }

    #[test]
    fn debug_shows_no_body() {
        assert!(
            format!("{:?}", batch_of(&[b"secret".to_vec()])).starts_with("POST /v1/terminals/self/entries (")
        );
    }
}
