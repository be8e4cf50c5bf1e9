//! Scores and exports: how they are grouped, filtered and withheld, and that a closed place stays in the totals.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use xinsheng::{
    central::{self, Settings},
    questionnaire::Hospital,
    survey::Start,
    wire::{CursorReply, EndOutcome, Receipt},
};

use super::{Api, IntoRequest as _, stamp};
use crate::{
    faults::survived,
    hospital::plan,
    journal::{Journal, answer, end, flagged},
};

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
