//! Central's handlers against the document they publish, and their limits. Every answer in here, good or bad, is held against
//! /openapi.json.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it looks for")]
#![expect(clippy::unwrap_used, reason = "a test")]

use crate::faults::survived;
use std::{collections::BTreeSet, num::NonZeroU32, sync::Arc, time::Duration};

use crate::hospital::plan;
use crate::journal::{Journal, answer, end, flagged, help, tested};
use crate::signed::{Call, enrolment, gzip, health};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::{Value as Json, json};
use tokio_stream::StreamExt as _;
use tower::ServiceExt as _;
use xinsheng::{
    central::{self, Settings, store::Store},
    model::TerminalId,
    questionnaire::Hospital,
    sign::{AnsweredRequest, KeyPair, Proof, PublicKey, ResponseParts, verify_response},
    survey::Start,
    wire::{CursorReply, EndOutcome, EnrolmentReply, HealthReply, Problem, Receipt},
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
        central::new_code(self.store.as_ref(), &self.hospital, &"window".parse().unwrap()).await.unwrap()
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

#[tokio::test]
async fn a_tap_becomes_a_score() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    for n in 0..40 {
        journal.push(answer(n, if n < 32 { 5 } else { 1 }));
        journal.push(end(n, EndOutcome::Completed));
    }
    let call = terminal.batch(&journal).request();
    let asked = stamp(&call);
    let reply = api.send(call).await;
    assert!(terminal.believes(&asked, &reply));
    let other = stamp(&terminal.batch(&journal).request());
    assert!(!terminal.believes(&other, &reply), "a receipt answers one request only");
    assert_eq!(reply.kind(), "application/vnd.xinsheng.receipt+json");
    let receipt: Receipt = reply.json();
    assert_eq!((receipt.accepted_through, receipt.head_hash, receipt.stored), (80, journal.head(), 80));

    let rows = api.rows("/v1/scores?by=touchpoint").await;
    let csat = rows.iter().find(|row| row["touchpoint"] == "window" && row["score"] == "csat").unwrap();
    assert_eq!((&csat["n"], &csat["value"], &csat["suppressed"]), (&json!(40), &json!(80.0), &Json::Null));
    assert!(csat["low"].as_f64().unwrap() < 80.0 && csat["high"].as_f64().unwrap() > 80.0);
    assert_eq!(csat["names"]["en"], "Registration");

    let cursor = terminal.get("/v1/terminals/self/cursor", Some("chain=01010101010101010101010101010101"));
    let cursor: CursorReply = api.send(cursor.request()).await.json();
    assert_eq!((cursor.accepted_through, cursor.head_hash), (80, journal.head()));
    assert_eq!(api.rows("/v1/chains").await[0]["range"], "1-80");
}

#[tokio::test]
async fn scores_are_grouped_filtered_and_suppressed() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    for n in 0..12 {
        journal.push(if n < 3 { flagged(answer(n, 1)) } else { answer(n, 5) });
    }
    api.send(terminal.batch(&journal).request()).await;
    let window = |rows: Vec<Json>| {
        rows.into_iter().find(|row| row["touchpoint"] == "window" && row["headline"] == true).unwrap()
    };
    let filtered = window(api.rows("/v1/scores").await);
    assert_eq!(
        (&filtered["n"], &filtered["value"], &filtered["suppressed"]),
        (&json!(9), &Json::Null, &json!("count_only"))
    );
    let raw = window(api.rows("/v1/scores?filter=raw").await);
    assert_eq!((&raw["n"], &raw["value"], &raw["display"]), (&json!(12), &json!(75.0), &json!("hatched")));
    let ward = api.rows("/v1/scores").await.into_iter().find(|row| row["touchpoint"] == "ward").unwrap();
    assert_eq!((&ward["n"], &ward["suppressed"]), (&json!(0), &json!("no_answers")));

    let hours =
        api.rows("/v1/scores?by=hour&filter=raw&touchpoint=window&from=2026-11-21&to=2026-11-22").await;
    // The entries run from 08:30 in Shanghai, a minute each.
    assert!(hours.iter().all(|row| row["start"] == "2026-11-21T08:00:00+08:00"), "{hours:?}");
    assert_eq!(
        api.rows("/v1/scores?by=day&filter=raw&from=2026-11-01&to=2026-11-30").await[0]["start"],
        "2026-11-21T00:00:00+08:00"
    );
    assert!(api.rows("/v1/scores?by=day&from=2026-11-22&to=2026-11-23").await.is_empty());
    assert!(!api.rows("/v1/scores?by=day&filter=raw&from=2026-11-21&to=2026-11-22").await.is_empty());
    assert_eq!(api.rows("/v1/scores?by=question&touchpoint=window").await.len(), 5);
    assert_eq!(api.rows("/v1/scores?by=site&filter=raw").await[0]["n"], 12);

    assert!(String::from_utf8(api.get("/v1/scores?format=csv").await.body).unwrap().contains("window,"));
    let export =
        String::from_utf8(api.get("/v1/export.csv?from=2026-11-01&to=2026-12-01").await.body).unwrap();
    assert_eq!(export.lines().count(), 13);
    for (wrong, status) in [
        ("by=mood", 400),
        ("from=yesterday", 400),
        ("colour=red", 400),
        ("site=x", 404),
        ("touchpoint=x", 404),
    ] {
        api.get(&format!("/v1/scores?{wrong}")).await.problem(status);
    }
    survived!(38; 3, "flagged answers");
}

#[tokio::test]
async fn every_documented_path_answers_a_stranger_as_documented() {
    let api = Api::new();
    let paths = api.document["paths"].as_object().unwrap().clone();
    let mut seen = BTreeSet::new();
    for (path, methods) in &paths {
        for method in methods.as_object().unwrap().keys() {
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(path.as_str());
            let reply = api.send(request.body(Body::empty()).unwrap()).await;
            assert!(!reply.status.is_server_error(), "{method} {path} {}", reply.status);
            seen.insert(path.clone());
        }
    }
    for path in [
        "/",
        "/page.js",
        "/page.css",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/v1/enrolments",
        ENTRIES,
        HEALTH,
        CONFIG,
        "/v1/terminals/self/cursor",
        "/v1/scores",
        "/v1/reasons",
        "/v1/export.csv",
        "/v1/terminals",
        "/v1/chains",
        "/v1/quarantine",
        "/v1/alarms",
        "/v1/help",
        "/v1/help/{id}/answered",
        "/v1/events",
    ] {
        assert!(seen.contains(path), "{path} is not documented");
    }
    api.get("/nowhere").await.problem(404);
    api.send(Request::delete("/v1/scores").body(Body::empty()).unwrap()).await.problem(405);
}

#[tokio::test]
async fn a_request_without_a_valid_proof_is_refused_and_stores_nothing() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    let stranger =
        Terminal { key: KeyPair::from_seed(&[9; 32]), id: terminal.id.clone(), central: terminal.central };
    api.send(stranger.batch(&journal).request()).await.problem(401);
    let unknown = Terminal {
        id: "t-nobody".parse().unwrap(),
        key: KeyPair::from_seed(&[1; 32]),
        central: terminal.central,
    };
    api.send(unknown.batch(&journal).request()).await.problem(401);
    let (parts, _) = terminal.batch(&journal).request().into_parts();
    let mut other = Journal::new(1);
    other.push(answer(1, 1));
    api.send(Request::from_parts(parts, Body::from(other.body(1, 1)))).await.problem(401);
    let mut moved = terminal.batch(&journal).request();
    *moved.uri_mut() = HEALTH.parse().unwrap();
    moved.headers_mut().insert("content-type", "application/json".parse().unwrap());
    api.send(moved).await.problem(401);
    assert!(api.rows("/v1/chains").await.is_empty());

    api.store.revoke(&"main".parse().unwrap(), &terminal.id, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    let call = terminal.batch(&journal).request();
    let asked = stamp(&call);
    let refused = api.send(call).await;
    refused.problem(403);
    assert!(terminal.believes(&asked, &refused), "refusals are signed too");
}

#[tokio::test]
async fn an_enrolment_needs_a_good_code_and_the_key_it_is_signed_with() {
    let api = Api::new();
    let (key, other) = (KeyPair::from_seed(&[1; 32]), KeyPair::from_seed(&[2; 32]));
    api.send(enrolment(&key, "00000-00000-00000").request()).await.problem(403);
    let code = api.code().await;
    let foreign = Call { key: &other, ..enrolment(&key, &code) };
    api.send(foreign.request()).await.problem(401);
    assert_eq!((code.len(), code.chars().filter(char::is_ascii_digit).count()), (17, 15), "{code}");
    let typed = code.replace('-', " ");
    let first: EnrolmentReply = api.send(enrolment(&key, &typed).request()).await.json();
    let again: EnrolmentReply = api.send(enrolment(&key, &code).request()).await.json();
    assert_eq!((&first.terminal, first.touchpoint.as_str()), (&again.terminal, "window"));
    api.send(enrolment(&other, &code).request()).await.problem(403);
    let broken = Call { body: b"{}".to_vec(), ..enrolment(&key, &code) };
    api.send(broken.request()).await.problem(400);
}

#[tokio::test]
async fn bodies_are_bounded_before_and_after_decompression() {
    let api = Api::with(|settings| settings.config.limits.body_kib = 97);
    let terminal = api.enrolled(1).await;
    let post =
        |body: Vec<u8>, encoding| Call { encoding, ..terminal.post(ENTRIES, "application/x-ndjson", body) };
    api.send(post(vec![b'a'; 100_001], None).request()).await.problem(413);
    let bomb = gzip(&vec![0; 50_000_000]);
    assert!(bomb.len() < 100_000);
    api.send(post(bomb, Some("gzip")).request()).await.problem(413);
    api.send(post(b"no gzip".to_vec(), Some("gzip")).request()).await.problem(400);
    api.send(post(b"x".to_vec(), Some("zstd")).request()).await.problem(415);
    api.send(terminal.post(ENTRIES, "text/plain", b"x".to_vec()).request()).await.problem(415);
    let mut journal = Journal::new(1);
    (0..100).for_each(|n| _ = journal.push(answer(n, 5)));
    let packed = post(gzip(&journal.body(1, 100)), Some("gzip"));
    let receipt: Receipt = api.send(packed.request()).await.json();
    assert_eq!(receipt.stored, 100);
    survived!(45; 5, "requests");
}

#[tokio::test]
async fn batches_that_contradict_themselves_or_the_store_are_told_apart() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let post = |body: Vec<u8>| terminal.post(ENTRIES, "application/x-ndjson", body);
    api.send(post(b"hello".to_vec()).request()).await.problem(400);
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    let mut header = journal.header(1, 1);
    header.count = 2;
    let line = String::from_utf8(journal.lines[0].clone()).unwrap();
    api.send(post(format!("{}\n{line}\n", serde_json::to_string(&header).unwrap()).into_bytes()).request())
        .await
        .problem(422);
    (header.count, header.first_seq) = (1, 1 << 63);
    api.send(post(format!("{}\n{line}\n", serde_json::to_string(&header).unwrap()).into_bytes()).request())
        .await
        .problem(422);

    api.send(terminal.batch(&journal).request()).await;
    let mut clone = Journal::new(1);
    clone.push(answer(2, 1));
    let call = terminal.batch(&clone).request();
    let asked = stamp(&call);
    let reply = api.send(call).await;
    let problem = reply.problem(409);
    assert_eq!((problem.accepted_through, problem.head_hash), (Some(1), Some(journal.head())));
    assert!(terminal.believes(&asked, &reply));
    assert_eq!(api.rows("/v1/alarms").await[0]["kind"], "clone");
}

#[tokio::test]
async fn a_newer_protocol_is_told_to_wait_for_a_newer_central() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let call = Call { protocol: "2", ..terminal.get(CONFIG, None) };
    api.send(call.request()).await.problem(426);
    survived!(25; 1, "request");
}

#[tokio::test]
async fn one_flooding_terminal_is_slowed_down_and_others_are_not() {
    let api = Api::with(|settings| settings.config.limits.requests_per_minute = NonZeroU32::new(3).unwrap());
    let (loud, quiet) = (api.enrolled(1).await, api.enrolled(2).await);
    let journal = Journal::new(1);
    let report = |terminal: &Terminal| terminal.post(HEALTH, "application/json", health(&journal)).request();
    for _ in 0..3 {
        assert_eq!(api.send(report(&loud)).await.status, 200);
    }
    let refused = api.send(report(&loud)).await;
    refused.problem(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(api.send(report(&quiet)).await.status, 200);
    survived!(45; 1, "flood");
}

#[tokio::test]
async fn health_is_kept_and_shown_and_a_played_back_report_changes_nothing() {
    let api = Api::with(|settings| settings.delivered = Some(b"# touchpoints".to_vec()));
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    let old = terminal.post(HEALTH, "application/json", health(&journal)).request();
    let (old_parts, _) = old.into_parts();
    let old_body = health(&journal);
    journal.push(answer(1, 5));
    let reply: HealthReply =
        api.send(terminal.post(HEALTH, "application/json", health(&journal)).request()).await.json();
    assert!(reply.config_etag.is_some() && reply.next_sync_after_s > 0);
    assert_eq!(api.send(Request::from_parts(old_parts, Body::from(old_body))).await.status, 200);
    let row = &api.rows("/v1/terminals").await[0];
    assert_eq!(
        (&row["queue_depth"], &row["stale"], &row["clock"]),
        (&json!(3), &json!(false), &json!("synced"))
    );
    let held = api.store.terminals(&"main".parse().unwrap()).await.unwrap();
    assert_eq!(held[0].health.as_ref().unwrap().last_seq, 1, "the later report stands");
    let metrics = String::from_utf8(api.get("/metrics").await.body).unwrap();
    assert!(
        metrics.contains("xinsheng_queue_depth 3") && metrics.contains("xinsheng_health_reports_total 2"),
        "{metrics}"
    );
    survived!(45; 1, "replay");
}

#[tokio::test]
async fn a_call_for_help_is_listed_and_told_at_once_and_ends_when_it_is_answered() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    let late = journal.push_without_clock(help("window", "en"));
    (0..40).for_each(|n| _ = journal.push_without_clock(answer(n, 5)));
    let id = journal.push_without_clock(help("window", "zh-CN"));
    let events = api.router.clone().oneshot(Request::get("/v1/events").body(Body::empty()).unwrap());
    let mut events = events.await.unwrap().into_body().into_data_stream();
    api.send(terminal.batch(&journal).request()).await;
    let telling = async {
        let mut told = String::new();
        while !told.contains("event: help\ndata: {\"event\":\"help\",\"site\":\"main\"}") {
            told.push_str(&String::from_utf8_lossy(&events.next().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_mins(1), telling).await.unwrap();

    let rows = api.rows("/v1/help").await;
    let states = |rows: &[Json]| -> Vec<(String, String)> {
        rows.iter()
            .map(|row| (row["id"].as_str().unwrap().into(), row["state"].as_str().unwrap().into()))
            .collect()
    };
    assert_eq!(states(&rows), [(id.to_string(), "open".into()), (late.to_string(), "late".into())]);
    assert_eq!(
        (&rows[0]["touchpoint"], &rows[0]["names"]["en"], &rows[0]["lang"], &rows[0]["time_known"]),
        (&json!("window"), &json!("Registration"), &json!("zh-CN"), &json!(true))
    );
    // The batch was sent a minute after the last entry, on the clock that the boot began with.
    assert!((60..90).contains(&rows[0]["age_s"].as_u64().unwrap()), "{}", rows[0]);
    assert_eq!((&rows[0]["late"], &rows[1]["late"]), (&json!(false), &json!(true)));
    assert!(rows[1]["age_s"].as_u64().unwrap() >= 42 * 60);
    let metrics = String::from_utf8(api.get("/metrics").await.body).unwrap();
    assert!(
        metrics.contains("xinsheng_help_open 1") && metrics.contains("xinsheng_help_calls_total 2"),
        "{metrics}"
    );

    // The same batch again is no second call.
    api.send(terminal.batch(&journal).request()).await;
    let post = |id: String| Request::post(format!("/v1/help/{id}/answered")).body(Body::empty()).unwrap();
    let first: Json = api.send(post(id.to_string())).await.json();
    let again: Json = api.send(post(id.to_string())).await.json();
    assert_eq!(first, again);
    let rows = api.rows("/v1/help").await;
    assert_eq!(states(&rows), [(id.to_string(), "answered".into()), (late.to_string(), "late".into())]);
    assert_eq!(
        rows[0]["answered_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap(),
        first["answered_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    );
    let metrics = String::from_utf8(api.get("/metrics").await.body).unwrap();
    assert!(
        metrics.contains("xinsheng_help_open 0") && metrics.contains("xinsheng_help_calls_total 2"),
        "{metrics}"
    );
    for nobody in
        ["somebody".to_owned(), terminal.id.to_string(), "00000000-0000-7000-8000-000000000000".to_owned()]
    {
        api.send(post(nobody)).await.problem(404);
    }
    api.get("/v1/help?site=x").await.problem(404);
    api.get("/v1/help?colour=red").await.problem(400);
}

#[tokio::test]
async fn the_list_of_terminals_says_when_the_buttons_were_tested() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    assert_eq!(api.rows("/v1/terminals").await[0]["self_test_at"], Json::Null);
    let mut journal = Journal::new(1);
    for target in ["face 1", "face 2", "face 2"] {
        journal.push(tested(target));
    }
    api.send(terminal.batch(&journal).request()).await;
    let row = &api.rows("/v1/terminals").await[0];
    assert!(row["self_test_at"].is_string(), "{row}");
    assert_eq!(row["self_test_targets"], 2);
}

#[tokio::test]
async fn the_configuration_is_delivered_once_and_then_only_named() {
    let api = Api::with(|settings| settings.delivered = Some(b"# touchpoints".to_vec()));
    let terminal = api.enrolled(1).await;
    let first = api.send(terminal.get(CONFIG, None).request()).await;
    assert_eq!((first.kind(), first.body.as_slice()), ("application/toml", b"# touchpoints".as_slice()));
    let etag = first.header("etag").unwrap().to_owned();
    let mut again = terminal.get(CONFIG, None).request();
    let asked = stamp(&again);
    again.headers_mut().insert("if-none-match", etag.parse().unwrap());
    let again = api.send(again).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert!(terminal.believes(&asked, &again));
    let none = Api::new();
    let terminal = none.enrolled(1).await;
    none.send(terminal.get(CONFIG, None).request()).await.problem(404);
}

#[tokio::test]
async fn fault_45_hostile_content_is_kept_quarantined_and_harmless() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    journal.push_raw(vec![b'['; 4_000]);
    journal.push_raw(vec![0, 0xff, b'"']);
    journal.push_raw(vec![b'x'; 4_096]);
    journal.push(answer(1, 5));
    let receipt: Receipt = api.send(terminal.batch(&journal).request()).await.json();
    assert_eq!((receipt.accepted_through, receipt.quarantined.len()), (4, 3));
    assert_eq!(api.rows("/v1/quarantine").await.len(), 3);
    survived!(45; 3, "lines");
}

#[tokio::test]
async fn fault_45_a_batch_of_a_hundred_thousand_lines_or_of_places_beyond_63_bits_is_refused_and_harms_nobody()
 {
    let api = Api::with(|settings| settings.config.limits.body_kib = 16 * 1024);
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    (0..100_000).for_each(|_| journal.push_raw(b"{}".to_vec()));
    api.send(terminal.batch(&journal).request()).await.problem(422);
    let mut header = journal.header(1, 1);
    header.first_seq = 1 << 63;
    let body = format!("{}\n{{}}\n", serde_json::to_string(&header).unwrap());
    api.send(terminal.post(ENTRIES, "application/x-ndjson", body.into_bytes()).request()).await.problem(422);
    let empty_lines = [serde_json::to_vec(&journal.header(1, 1)).unwrap(), vec![b'\n'; 10_000_000]].concat();
    api.send(terminal.post(ENTRIES, "application/x-ndjson", empty_lines).request()).await.problem(422);
    assert!(api.rows("/v1/chains").await.is_empty());
    let honest = terminal.post(ENTRIES, "application/x-ndjson", journal.body(1, 500));
    assert_eq!(api.send(honest.request()).await.status, 200);
    survived!(45; 3, "requests");
}

#[tokio::test]
async fn row_12_a_line_over_four_kibibytes_is_refused_by_itself_and_the_rest_of_the_batch_is_not_lost() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    journal.push_raw(vec![b'x'; 5_000]);
    journal.push(answer(2, 5));
    let post = |first: u64, count| terminal.post(ENTRIES, "application/x-ndjson", journal.body(first, count));
    // What a terminal does with a 422: halve, down to the one entry, and send its hash alone from then on.
    let call = post(1, 3).request();
    let asked = stamp(&call);
    let refused = api.send(call).await;
    assert!(terminal.believes(&asked, &refused), "the refusal is central's own");
    assert!(refused.problem(422).detail.unwrap().contains("entry 2 has 5000 bytes"));
    assert_eq!(api.send(post(1, 1).request()).await.status, 200);
    api.send(post(2, 1).request()).await.problem(422);
    let leaf = xinsheng::chain::leaf(&journal.lines[1]);
    let alone = xinsheng::wire::Withheld { seq: 2, leaf, reason: "refused".to_owned() };
    let mut body = serde_json::to_vec(&journal.header(2, 2)).unwrap();
    for line in [serde_json::to_vec(&alone).unwrap(), journal.lines[2].clone()] {
        body.push(b'\n');
        body.extend(line);
    }
    let receipt: Receipt =
        api.send(terminal.post(ENTRIES, "application/x-ndjson", body).request()).await.json();
    assert_eq!((receipt.accepted_through, receipt.head_hash), (3, journal.head()));
    assert_eq!(api.rows("/v1/chains").await[0]["withheld"], 1);
}

#[tokio::test]
async fn row_12_bodies_of_enrolment_and_health_are_bounded_and_what_they_say_is_too() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let journal = Journal::new(1);
    let post = |body: Vec<u8>| terminal.post(HEALTH, "application/json", body).request();
    let mut long: Json = serde_json::from_slice(&health(&journal)).unwrap();
    long["last_error"] = json!("x".repeat(40_000));
    api.send(post(serde_json::to_vec(&long).unwrap())).await.problem(413);
    long["last_error"] = json!("x".repeat(20_000));
    long["oldest_unsent_s"] = json!(u64::MAX);
    long["queue_depth"] = json!(u64::MAX);
    assert_eq!(api.send(post(serde_json::to_vec(&long).unwrap())).await.status, 200);
    let row = &api.rows("/v1/terminals").await[0];
    assert_eq!(row["last_error"].as_str().unwrap().len(), 300);
    assert!(row["oldest_unsent_s"].as_u64().unwrap() < 50 * 366 * 86_400, "{row}");
    assert_eq!(api.get("/metrics").await.status, 200);
    let deep = format!("{}{}", "[".repeat(9_000), "]".repeat(9_000));
    api.send(post(deep.into_bytes())).await.problem(400);
    let key = KeyPair::from_seed(&[5; 32]);
    let long = Call { body: vec![b' '; 40_000], ..enrolment(&key, "00000-00000-00000") };
    api.send(long.request()).await.problem(413);
}

#[tokio::test]
async fn quarantined_entries_are_an_incident_and_the_terminal_is_told() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    for n in 0..3 {
        journal.push(at_place("closed-wing", answer(n, 5)));
    }
    api.send(terminal.batch(&journal).request()).await;
    let incidents = api.rows("/v1/alarms").await;
    assert_eq!((&incidents[0]["kind"], &incidents[0]["times"]), (&json!("quarantine"), &json!(3)));
    let words = incidents[0]["detail"].as_str().unwrap();
    assert!(
        words.contains("`closed-wing` is not configured") && words.contains("touchpoints file"),
        "{words}"
    );
    let metrics = String::from_utf8(api.get("/metrics").await.body).unwrap();
    assert!(metrics.contains("xinsheng_quarantine 3"), "{metrics}");
    let reply: HealthReply =
        api.send(terminal.post(HEALTH, "application/json", health(&journal)).request()).await.json();
    assert_eq!(reply.quarantined, Some(3));
}

fn at_place(place: &str, body: xinsheng::wire::Body) -> xinsheng::wire::Body {
    match body {
        xinsheng::wire::Body::Answer(answer) => xinsheng::wire::Body::Answer(xinsheng::wire::Answer {
            touchpoint: place.parse().unwrap(),
            ..answer
        }),
        other => other,
    }
}

#[tokio::test]
async fn row_20_the_history_of_a_closed_place_stays_in_every_total_under_its_last_name() {
    let folder = tempfile::tempdir().unwrap();
    let open = |hospital: &Hospital| {
        let (router, document) = central::router(Settings::new(folder.path()), hospital.clone()).unwrap();
        Api {
            router,
            document: serde_json::to_value(document).unwrap(),
            store: central::open_store(folder.path()).unwrap(),
            hospital: hospital.clone(),
            folder: tempfile::tempdir().unwrap(),
        }
    };
    let before = Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital);
    let api = open(&before);
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    (0..20).for_each(|n| _ = journal.push(answer(n, 5)));
    api.send(terminal.batch(&journal).request()).await;
    let total = api.rows("/v1/scores?by=site").await;
    drop(api);

    let mut after = before.clone();
    after.touchpoints.retain(|place| place.id.as_str() != "window");
    after.questionnaires.retain(|questionnaire| questionnaire.id.to_string() != "long@1");
    let api = open(&after);
    assert_eq!(api.rows("/v1/scores?by=site").await, total, "the site's figure is what it was");
    let rows = api.rows("/v1/scores?by=touchpoint").await;
    let closed = rows.iter().find(|row| row["touchpoint"] == "window").unwrap();
    assert_eq!(
        (&closed["closed"], &closed["n"], &closed["names"]["en"]),
        (&json!(true), &json!(20), &json!("Registration"))
    );
    assert!(rows.iter().filter(|row| row["touchpoint"] != "window").all(|row| row["closed"] == false));
    assert!(!api.rows("/v1/scores?touchpoint=window").await.is_empty());
    drop(api);
    assert!(
        open(&before).rows("/v1/scores").await.iter().all(|row| row["closed"] == false),
        "it is open again"
    );
}

#[tokio::test]
async fn row_18_a_missing_or_another_key_ends_the_start_with_the_way_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let hospital = Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital);
    let begin = || central::router(Settings::new(folder.path()), hospital.clone()).map(drop);
    begin().unwrap();
    let key = folder.path().join("central.key");
    let own = std::fs::read(&key).unwrap();
    std::fs::write(&key, [7; 32]).unwrap();
    let other = format!("{:#}", begin().unwrap_err());
    assert!(other.contains("does not belong to") && other.contains("restore"), "{other}");
    std::fs::remove_file(&key).unwrap();
    let missing = format!("{:#}", begin().unwrap_err());
    assert!(missing.contains("is missing") && missing.contains("restore"), "{missing}");
    assert!(!key.exists(), "no key is made up");
    std::fs::write(&key, own).unwrap();
    begin().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn the_audit_finds_a_whole_store_whole_and_a_changed_line_changed() {
    let folder = tempfile::tempdir().unwrap();
    let hospital = Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital);
    let (router, document) = central::router(Settings::new(folder.path()), hospital.clone()).unwrap();
    let store = central::open_store(folder.path()).unwrap();
    let api = Api {
        router,
        document: serde_json::to_value(document).unwrap(),
        store,
        hospital: hospital.clone(),
        folder: tempfile::tempdir().unwrap(),
    };
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    (0..3).for_each(|n| _ = journal.push(answer(n, 5)));
    api.send(terminal.batch(&journal).request()).await;
    (3..60).for_each(|n| _ = journal.push(answer(n, 4)));
    let packed = gzip(&journal.body(2, 59));
    let call = Call { encoding: Some("gzip"), ..terminal.post(ENTRIES, "application/x-ndjson", packed) };
    assert_eq!(api.send(call.request()).await.status, 200);
    let findings = central::verify(&api.store, &hospital).await.unwrap();
    assert!(findings.is_whole(), "{}", findings.chains[0]);
    assert_eq!((findings.chains[0].heads, findings.chains[0].last_signed), (2, 60));

    let connection = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    connection.execute("update entries set line = cast(replace(cast(line as text), '\"value\":5', '\"value\":1') as blob) where seq = 2", []).unwrap();
    connection.execute("update rollups set n = n + 1", []).unwrap();
    let findings = central::verify(&api.store, &hospital).await.unwrap();
    assert!(!findings.is_whole() && !findings.drift.is_empty());
    assert!(
        findings.chains[0].to_string().contains("entry 2 is not what was received"),
        "{}",
        findings.chains[0]
    );
}
