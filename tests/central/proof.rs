//! What central signs, and for whom: each answer of the terminals' routes, good or bad, against the request it belongs to.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect, and waits in real time")]

use crate::faults::survived;
use std::num::NonZeroU32;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Request},
};
use xinsheng::sign::KeyPair;

use super::{
    api::{Api, CONFIG, CURSOR, ENTRIES, HEALTH, IntoRequest as _, Reply, Terminal, stamp},
    journal::{Journal, answer},
    signed::{Call, gzip, health},
};

const BATCH_TYPE: &str = "application/x-ndjson";

fn is_signed(reply: &Reply) -> bool {
    reply.header("signature").is_some() || reply.header("signature-input").is_some()
}

/// One good request of each kind.
fn good_calls<'a>(terminal: &'a Terminal, journal: &Journal) -> Vec<Call<'a>> {
    let packed = terminal.post(ENTRIES, BATCH_TYPE, gzip(&journal.body(1, journal.lines.len())));
    vec![
        terminal.batch(journal),
        Call { encoding: Some("gzip"), ..packed },
        terminal.post(HEALTH, "application/json", health(journal)),
        terminal.get(CURSOR, Some("chain=01010101010101010101010101010101")),
        terminal.get(CONFIG, None),
    ]
}

fn journal_of_one() -> Journal {
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    journal
}

#[tokio::test]
async fn row_1_the_request_of_the_review_gets_no_signature() {
    let api = Api::new();
    let request = Request::post(ENTRIES)
        .header("content-type", BATCH_TYPE)
        .header("signature", "sig1=:AAAA:")
        .body(Body::empty());
    let reply = api.send(request.unwrap()).await;
    assert!(reply.status.is_client_error() && !is_signed(&reply), "{}", reply.status);
}

#[tokio::test]
async fn row_1_no_answer_is_signed_to_a_request_that_anything_was_done_to() {
    let api = Api::with(|settings| settings.delivered = Some(b"# touchpoints".to_vec()));
    let terminal = api.enrolled(1).await;
    let journal = journal_of_one();
    let mut refused = 0;
    for at in 0..good_calls(&terminal, &journal).len() {
        let names: Vec<HeaderName> = {
            let good = good_calls(&terminal, &journal).swap_remove(at).request();
            good.headers().keys().cloned().collect()
        };
        let change = |name: &HeaderName, value: Option<&str>| {
            let mut request = good_calls(&terminal, &journal).swap_remove(at).request();
            match value {
                Some(value) => {
                    drop(request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap()));
                }
                None => drop(request.headers_mut().remove(name)),
            }
            request
        };
        for name in &names {
            for value in [None, Some(""), Some("x"), Some("2"), Some("sig1=:AAAA:")] {
                let request = change(name, value);
                let asked = stamp(&request);
                let reply = api.send(request).await;
                assert!(!reply.status.is_server_error(), "{name} {value:?}: {}", reply.status);
                assert!(reply.status.is_client_error() && !is_signed(&reply), "{name} {value:?}: {asked:?}");
                refused += 1;
            }
        }
        // Another method, path, query or body under the same signature.
        for (method, uri) in [("POST", HEALTH), ("GET", CONFIG), ("GET", CURSOR), ("POST", ENTRIES)] {
            let good = good_calls(&terminal, &journal).swap_remove(at).request();
            if (good.method().as_str(), good.uri().path()) == (method, uri) && good.uri().query().is_none() {
                continue;
            }
            let (mut parts, body) = good.into_parts();
            (parts.method, parts.uri) = (method.parse().unwrap(), uri.parse().unwrap());
            let reply = api.send(Request::from_parts(parts, body)).await;
            assert!(reply.status.is_client_error() && !is_signed(&reply), "{method} {uri}");
        }
        let (parts, _) = good_calls(&terminal, &journal).swap_remove(at).request().into_parts();
        let reply = api.send(Request::from_parts(parts, Body::from("another body"))).await;
        assert!(reply.status == 401 && !is_signed(&reply));
    }
    assert!(refused >= 100, "{refused}");
    assert!(api.rows("/v1/chains").await.is_empty(), "nothing was stored");
}

#[tokio::test]
async fn row_1_every_answer_to_a_proven_request_is_signed_for_that_request_alone() {
    let api = Api::with(|settings| {
        settings.delivered = Some(b"# touchpoints".to_vec());
        settings.config.limits.body_kib = 97;
    });
    let terminal = api.enrolled(1).await;
    let journal = journal_of_one();
    let etag = api.send(terminal.get(CONFIG, None).request()).await.header("etag").unwrap().to_owned();
    let mut known = terminal.get(CONFIG, None).request();
    known.headers_mut().insert("if-none-match", etag.parse().unwrap());
    let mut clone = Journal::new(1);
    clone.push(answer(2, 1));
    let post = |body: Vec<u8>| terminal.post(ENTRIES, BATCH_TYPE, body);
    let mut miscounted = journal.header(1, 1);
    miscounted.count = 2;
    let miscounted = [serde_json::to_vec(&miscounted).unwrap(), b"\n{}\n".to_vec()].concat();
    let packed = |encoding, body| Call { encoding: Some(encoding), ..post(body) };
    let asked: Vec<(u16, Request<Body>)> = vec![
        (200, terminal.batch(&journal).request()),
        (200, terminal.post(HEALTH, "application/json", health(&journal)).request()),
        (200, terminal.get(CURSOR, Some("chain=01010101010101010101010101010101")).request()),
        (200, terminal.get(CONFIG, None).request()),
        (304, known),
        (400, post(b"hello".to_vec()).request()),
        (400, terminal.get(CURSOR, Some("chain=x")).request()),
        (400, packed("gzip", b"no gzip".to_vec()).request()),
        (409, terminal.batch(&clone).request()),
        (413, post(vec![b'a'; 100_001]).request()),
        (413, packed("gzip", gzip(&vec![0; 10_000_000])).request()),
        (415, packed("zstd", b"x".to_vec()).request()),
        (422, post(miscounted).request()),
        (426, Call { protocol: "2", ..terminal.get(CONFIG, None) }.request()),
    ];
    let unrelated = stamp(&terminal.get(CURSOR, Some("chain=02020202020202020202020202020202")).request());
    for (status, request) in asked {
        let said = stamp(&request);
        let reply = api.send(request).await;
        assert_eq!(reply.status.as_u16(), status, "{said:?}");
        assert!(terminal.believes(&said, &reply), "{status}: {said:?}");
        let mut other_path = said.clone();
        *other_path.uri_mut() = "/v1/other".parse().unwrap();
        let mut other_method = said.clone();
        *other_method.method_mut() = "PUT".parse().unwrap();
        let mut other_digest = said.clone();
        other_digest.headers_mut().insert("content-digest", HeaderValue::from_static("sha-256=:AAAA:"));
        for other in [&other_path, &other_method, &other_digest, &unrelated] {
            assert!(!terminal.believes(other, &reply), "{status}: {other:?}");
        }
    }
    api.store.revoke(&"main".parse().unwrap(), &terminal.id, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    let revoked = terminal.batch(&journal).request();
    let said = stamp(&revoked);
    let reply = api.send(revoked).await;
    assert!(reply.status == 403 && terminal.believes(&said, &reply));
}

#[tokio::test]
async fn row_1_a_refusal_for_haste_is_signed_too() {
    let api = Api::with(|settings| settings.config.limits.requests_per_minute = NonZeroU32::MIN);
    let terminal = api.enrolled(1).await;
    let journal = Journal::new(1);
    let report = || terminal.post(HEALTH, "application/json", health(&journal)).request();
    assert_eq!(api.send(report()).await.status, 200);
    let request = report();
    let said = stamp(&request);
    let reply = api.send(request).await;
    assert!(reply.status == 429 && terminal.believes(&said, &reply));
}

#[tokio::test]
async fn a_stranger_s_body_is_not_read_and_his_refusal_is_not_signed() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let stranger =
        Terminal { key: KeyPair::from_seed(&[9; 32]), id: terminal.id.clone(), central: terminal.central };
    let (parts, _) = stranger.batch(&journal_of_one()).request().into_parts();
    // A body that never comes: who waits for it waits for ever.
    let endless = Body::from_stream(tokio_stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answered = tokio::time::timeout(
        std::time::Duration::from_secs(20),
        api.send(Request::from_parts(parts, endless)),
    );
    let reply = answered.await.unwrap();
    assert!(reply.status == 401 && !is_signed(&reply));
}

#[tokio::test]
async fn a_replayed_request_is_not_answered_and_does_not_make_the_terminal_look_alive() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let journal = journal_of_one();
    let seen = || async {
        let held = api.store.terminals(&"main".parse().unwrap()).await.unwrap();
        held[0].last_seen
    };
    let calls = [terminal.batch(&journal), terminal.post(HEALTH, "application/json", health(&journal))];
    let replayed = calls.len();
    for call in calls {
        let body = call.body.clone();
        let (parts, _) = call.request().into_parts();
        let again = Request::from_parts(parts.clone(), Body::from(body.clone()));
        assert_eq!(api.send(Request::from_parts(parts, Body::from(body))).await.status, 200);
        let before = seen().await;
        assert!(before.is_some());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!(api.send(again).await.status, 425);
        assert_eq!(seen().await, before);
    }
    survived!(45; replayed, "replays");
}

#[tokio::test]
async fn where_the_documented_authentication_is_missing_the_answer_is_401_whatever_else_is_wrong() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    for name in ["signature", "signature-input", "xinsheng-terminal", "xinsheng-protocol"] {
        for call in
            [terminal.batch(&journal), terminal.get(CURSOR, Some("chain=x")), terminal.get(CONFIG, None)]
        {
            let mut request = call.request();
            request.headers_mut().remove(name).unwrap();
            api.send(request).await.problem(401);
        }
    }
    let bare = Request::post("/v1/enrolments").header("content-type", "application/json");
    api.send(bare.body(Body::from("{}")).unwrap()).await.problem(401);
}
