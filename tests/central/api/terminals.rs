//! What central says of its terminals and to them: health, self-tests, calls for help, delivered configuration.

use std::time::Duration;

use axum::{body::Body, http::Request};
use serde_json::{Value as Json, json};
use tokio_stream::StreamExt as _;
use tower::ServiceExt as _;
use xinsheng::wire::HealthReply;

use super::{Api, CONFIG, HEALTH, IntoRequest as _, stamp};
use crate::{
    faults::survived,
    journal::{Journal, answer, help, tested, tested_of},
    signed::health,
};

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
    assert_eq!((&row["self_test_targets"], &row["self_test_of"]), (&2.into(), &Json::Null));
    // A terminal that says how many there are.
    journal.push(tested_of("help", Some(14)));
    api.send(terminal.batch(&journal).request()).await;
    let row = &api.rows("/v1/terminals").await[0];
    assert_eq!((&row["self_test_targets"], &row["self_test_of"]), (&3.into(), &14.into()));
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
