//! Batches that contradict themselves or the store, entries in quarantine, and the audit of what is stored.

use std::sync::Arc;

use serde_json::json;
use xinsheng::{
    central::{self, Settings},
    survey::Start,
    wire::HealthReply,
};

use super::{Api, ENTRIES, HEALTH, IntoRequest as _, stamp};
use crate::{
    hospital::plan,
    journal::{Journal, answer},
    signed::{Call, gzip, health},
};

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
    assert_eq!(api.rows("/v1/incidents").await[0]["kind"], "clone");
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
    let incidents = api.rows("/v1/incidents").await;
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
