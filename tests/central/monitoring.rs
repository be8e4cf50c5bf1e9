//! What central says at `/metrics`, and whether the shipped alert rules and dashboard speak of nothing else.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{collections::BTreeMap, fs};

use axum::{
    body::Body,
    http::{Method, Request},
};
use xinsheng::central::backup;

use crate::{
    api::{Api, HEALTH, IntoRequest as _},
    journal::{Journal, answer, help},
    signed::health,
};

const FILES: [&str; 3] =
    ["deploy/prometheus-rules.yml", "deploy/prometheus-rules.test.yml", "deploy/grafana-dashboard.json"];

/// A scrape: each sample by its name with labels.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    async fn of(api: &Api) -> Self {
        let reply = api.get("/metrics").await;
        assert_eq!(reply.status, 200);
        let text = String::from_utf8(reply.body).unwrap();
        let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(
            samples
                .map(|line| line.rsplit_once(' ').unwrap())
                .map(|(name, value)| (name.into(), value.parse().unwrap()))
                .collect(),
        )
    }

    fn value(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no `{name}` in {:#?}", self.0))
    }

    /// Without labels.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|sample| sample.split('{').next().unwrap_or_default())
    }
}

/// A central that has seen something of everything.
async fn busy() -> Api {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    journal.push(help("window", "en"));
    assert_eq!(api.send(terminal.batch(&journal).request()).await.status, 200);
    assert_eq!(api.send(terminal.batch(&journal).request()).await.status, 200, "sent again");
    let report = terminal.post(HEALTH, "application/json", health(&journal));
    assert_eq!(api.send(report.request()).await.status, 200);
    api
}

/// Words of a text that look like the name of a number of central's.
fn named_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("xinsheng_") && *word != "xinsheng_central")
}

#[tokio::test]
async fn every_number_that_the_shipped_rules_and_the_dashboard_name_is_there() {
    let scrape = Scrape::of(&busy().await).await;
    for file in FILES {
        let text = fs::read_to_string(file).unwrap();
        assert!(named_in(&text).count() >= 10, "{file} names hardly any number");
        for name in named_in(&text) {
            assert!(
                scrape.names().any(|known| known == name),
                "{file} names `{name}`, which central does not give"
            );
        }
    }
}

#[tokio::test]
async fn every_number_of_central_is_explained_for_operators() {
    let text = fs::read_to_string("docs/operate.md").unwrap();
    for name in Scrape::of(&busy().await).await.names() {
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(named_in(&text).any(|known| known == family), "docs/operate.md does not explain `{family}`");
    }
}

#[tokio::test]
async fn the_numbers_say_what_happened() {
    let api = busy().await;
    let before = Scrape::of(&api).await;
    for (name, value) in [
        ("xinsheng_batches_total", 2.0),
        ("xinsheng_entries_stored_total", 2.0),
        ("xinsheng_entries_duplicate_total", 2.0),
        ("xinsheng_terminals", 1.0),
        ("xinsheng_queue_depth", 3.0),
        ("xinsheng_ready", 1.0),
        ("xinsheng_backup_time_seconds", 0.0),
        (
            "xinsheng_http_requests_total{route=\"/v1/terminals/self/entries\",method=\"POST\",status=\"200\"}",
            2.0,
        ),
        ("xinsheng_http_request_duration_seconds_count{route=\"/v1/terminals/self/entries\"}", 2.0),
        (
            "xinsheng_http_request_duration_seconds_bucket{route=\"/v1/terminals/self/entries\",le=\"+Inf\"}",
            2.0,
        ),
    ] {
        assert!((before.value(name) - value).abs() < f64::EPSILON, "{name} {}", before.value(name));
    }
    assert!(before.value("xinsheng_data_free_bytes") > 1e6);
    assert!(before.value("xinsheng_database_bytes") > 1e4);
    let started = before.value("xinsheng_start_time_seconds");

    let out = tempfile::tempdir().unwrap();
    backup(api.folder(), out.path()).unwrap();
    let after = Scrape::of(&api).await;
    let backed_up = after.value("xinsheng_backup_time_seconds");
    assert!(backed_up >= started, "{backed_up} {started}");
    // What failed is not noted.
    let into_nothing = out.path().join("no/such/folder");
    backup(api.folder(), &into_nothing).unwrap_err();
    assert!((Scrape::of(&api).await.value("xinsheng_backup_time_seconds") - backed_up).abs() < f64::EPSILON);
}

#[tokio::test]
async fn what_a_stranger_makes_up_adds_no_label() {
    let api =
        Api::with(|settings| settings.config.public_url = Some("https://hospital.example/xinsheng".into()));
    let ask = |method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    };
    for path in ["/nothing", "/wp-login.php", "/xinsheng/nothing", "/v1/nothing/at/all"] {
        assert_eq!(api.send(ask("GET", path)).await.status, 404);
    }
    for method in ["BREW", "PROPFIND"] {
        assert_eq!(api.send(ask(method, "/healthz")).await.status, 405);
    }
    // With the path of the public address and without it.
    for path in ["/readyz", "/xinsheng/readyz"] {
        assert_eq!(api.send(ask("GET", path)).await.status, 200);
    }
    let scrape = Scrape::of(&api).await;
    let requests: Vec<_> =
        scrape.0.iter().filter(|(name, _)| name.starts_with("xinsheng_http_requests_total")).collect();
    let counted = |route: &str, method: &str, status: u16| {
        scrape.value(&format!(
            "xinsheng_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
        ))
    };
    assert_eq!(counted("none", "GET", 404).to_string(), "4", "{requests:?}");
    assert_eq!(counted("/healthz", "other", 405).to_string(), "2");
    assert_eq!(counted("/readyz", "GET", 200).to_string(), "2");
    assert_eq!(requests.len(), 3, "{requests:?}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_ready_and_its_numbers_are_unknown() {
    let api = busy().await;
    let database = rusqlite::Connection::open(api.folder().join("central.sqlite")).unwrap();
    database.execute_batch("drop table store_info").unwrap();
    let scrape = Scrape::of(&api).await;
    assert!(scrape.value("xinsheng_terminals").is_nan() && scrape.value("xinsheng_help_open").is_nan());
    assert_eq!(scrape.value("xinsheng_ready").to_string(), "0");
    assert_eq!(
        scrape.value("xinsheng_batches_total").to_string(),
        "2",
        "what central counts itself is known"
    );
}
