//! Central's handlers against the document they publish, and their limits. Every answer in here, good or bad, is held against
//! /openapi.json.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it looks for")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod access;
mod batches;
mod limits;
mod scores;
mod terminals;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::Value as Json;
use tower::ServiceExt as _;
use xinsheng::{
    central::{self, Settings, store::Store},
    model::TerminalId,
    questionnaire::Hospital,
    sign::{AnsweredRequest, KeyPair, Proof, PublicKey, ResponseParts, verify_response},
    survey::Start,
    wire::{EnrolmentReply, Problem},
};

use crate::{
    hospital::plan,
    journal::Journal,
    signed::{Call, enrolment},
};

pub const ENTRIES: &str = "/v1/terminals/self/entries";
pub const HEALTH: &str = "/v1/terminals/self/health";
pub const CONFIG: &str = "/v1/terminals/self/config";
pub const CURSOR: &str = "/v1/terminals/self/cursor";

pub struct Api {
    pub router: Router,
    document: Json,
    pub store: Arc<dyn Store>,
    hospital: Hospital,
    folder: tempfile::TempDir,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn kind(&self) -> &str {
        self.header("content-type").unwrap_or("").split(';').next().unwrap_or("")
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn problem(&self, status: u16) -> Problem {
        assert_eq!(
            (self.status.as_u16(), self.kind()),
            (status, "application/problem+json"),
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        let problem: Problem = self.json();
        assert_eq!(problem.status, status);
        problem
    }
}

impl Api {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(folder.path());
        change(&mut settings);
        Self::over(folder, settings, Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital))
    }

    fn over(folder: tempfile::TempDir, settings: Settings, hospital: Hospital) -> Self {
        let (router, document) = central::router(settings, hospital.clone()).unwrap();
        let store = central::open_store(folder.path()).unwrap();
        Self { router, document: serde_json::to_value(document).unwrap(), store, hospital, folder }
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The data of another central, with another touchpoints file.
    pub fn sharing(self, other: &Self, hospital: Hospital) -> Self {
        Self::over(self.folder, Settings::new(other.folder.path()), hospital)
    }

    /// Sends a request and holds the answer against the document.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().as_str().to_lowercase(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let kind =
            parts.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("").to_owned();
        if kind.starts_with("text/event-stream") {
            return Reply { status: parts.status, headers: parts.headers, body: vec![] };
        }
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let reply = Reply { status: parts.status, headers: parts.headers, body };
        let documented = self.documented_path(&path);
        if self.document["paths"][&documented].get(&method).is_some() {
            self.hold_against_document(&method, &documented, &reply);
        }
        reply
    }

    /// The path as the document writes it: with names in braces where a request has values.
    fn documented_path(&self, path: &str) -> String {
        let fits = |template: &str| {
            template.split('/').count() == path.split('/').count()
                && template
                    .split('/')
                    .zip(path.split('/'))
                    .all(|(name, part)| name.starts_with('{') || name == part)
        };
        let paths = self.document["paths"].as_object().unwrap();
        paths.keys().find(|template| fits(template)).map_or_else(|| path.to_owned(), Clone::clone)
    }

    fn hold_against_document(&self, method: &str, path: &str, reply: &Reply) {
        let status = reply.status.as_u16().to_string();
        let documented = &self.document["paths"][path][method]["responses"][&status];
        let here = format!("{method} {path} {status}");
        assert!(documented.is_object(), "{here} is not documented: {}", String::from_utf8_lossy(&reply.body));
        let Some(content) = documented.get("content") else {
            assert!(reply.body.is_empty(), "{here} is documented without a body");
            return;
        };
        let kind = reply.kind();
        assert!(content.get(kind).is_some(), "{here} has type `{kind}`, documented are {content}");
        if kind.ends_with("json") && path != "/openapi.json" {
            // A part of a URI may not hold braces as they are.
            let escaped = |text: &str| {
                let text = text.replace('~', "~0").replace('/', "~1");
                text.replace('{', "%7B").replace('}', "%7D")
            };
            let pointer = format!(
                "http://x/api.json#/paths/{}/{method}/responses/{status}/content/{}/schema",
                escaped(path),
                escaped(kind)
            );
            let mut schemas = boon::Schemas::new();
            let mut compiler = boon::Compiler::new();
            compiler.add_resource("http://x/api.json", self.document.clone()).unwrap();
            let schema =
                compiler.compile(&pointer, &mut schemas).unwrap_or_else(|error| panic!("{here}: {error}"));
            let value: Json = reply.json();
            if let Err(error) = schemas.validate(&value, schema) {
                panic!("{here}: {error:#}\n{value:#}");
            }
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn rows(&self, path: &str) -> Vec<Json> {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path} {}", String::from_utf8_lossy(&reply.body));
        let body: Json = reply.json();
        body.get("rows").unwrap_or(&body).as_array().unwrap().clone()
    }

    async fn code(&self) -> String {
        central::new_code(self.store.as_ref(), &self.hospital, &"window".parse().unwrap(), None)
            .await
            .unwrap()
    }

    pub async fn enrolled(&self, seed: u8) -> Terminal {
        let key = KeyPair::from_seed(&[seed; 32]);
        let reply = self.send(enrolment(&key, &self.code().await).request()).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let welcome: EnrolmentReply = reply.json();
        Terminal { key, id: welcome.terminal, central: welcome.central_key.parse().unwrap() }
    }
}

pub struct Terminal {
    pub key: KeyPair,
    pub id: TerminalId,
    pub central: PublicKey,
}

impl Terminal {
    pub fn post<'a>(&'a self, path: &'a str, kind: &'a str, body: Vec<u8>) -> Call<'a> {
        Call {
            key: &self.key,
            terminal: Some(self.id.to_string()),
            method: "POST",
            path,
            query: None,
            kind,
            body,
            encoding: None,
            protocol: "1",
        }
    }

    pub fn get<'a>(&'a self, path: &'a str, query: Option<&'a str>) -> Call<'a> {
        Call { query, method: "GET", ..self.post(path, "", vec![]) }
    }

    pub fn batch(&self, journal: &Journal) -> Call<'_> {
        self.part(journal, 1, journal.lines.len())
    }

    pub fn part(&self, journal: &Journal, first: u64, count: usize) -> Call<'_> {
        self.post(ENTRIES, "application/x-ndjson", journal.body(first, count))
    }

    /// Whether central's signature of an answer to a request holds.
    pub fn believes(&self, asked: &Request<()>, reply: &Reply) -> bool {
        let field = |name: &str| asked.headers().get(name).map(|value| value.to_str().unwrap());
        let parts = ResponseParts {
            status: reply.status.as_u16(),
            content_type: reply.header("content-type"),
            etag: reply.header("etag"),
            body: &reply.body,
            request: AnsweredRequest {
                method: asked.method().as_str(),
                path: asked.uri().path(),
                query: asked.uri().query(),
                content_digest: field("content-digest"),
                signature: field("signature").unwrap_or_default(),
            },
        };
        let proof = Proof {
            content_digest: reply.header("content-digest"),
            signature_input: reply.header("signature-input").unwrap_or_default(),
            signature: reply.header("signature").unwrap_or_default(),
        };
        verify_response(&self.central, &parts, &proof).is_ok()
    }
}

/// A request without its body, to hold an answer against.
pub fn stamp(request: &Request<Body>) -> Request<()> {
    let mut copy = Request::builder().method(request.method()).uri(request.uri());
    copy.headers_mut().unwrap().clone_from(request.headers());
    copy.body(()).unwrap()
}

pub trait IntoRequest {
    fn request(&self) -> Request<Body>;
}

impl IntoRequest for Call<'_> {
    fn request(&self) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(self.uri());
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        request.body(Body::from(self.body.clone())).unwrap()
    }
}
