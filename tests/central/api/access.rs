//! Who is answered: strangers, proofs, enrolment codes, protocol versions, and the key of central itself.

use std::{collections::BTreeSet, sync::Arc};

use axum::{body::Body, http::Request};
use xinsheng::{
    central::{self, Settings},
    sign::KeyPair,
    survey::Start,
    wire::EnrolmentReply,
};

use super::{Api, CONFIG, ENTRIES, HEALTH, IntoRequest as _, Terminal, stamp};
use crate::{
    faults::survived,
    hospital::plan,
    journal::{Journal, answer},
    signed::{Call, enrolment},
};

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
        "/v1/incidents",
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
async fn a_newer_protocol_is_told_to_wait_for_a_newer_central() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let call = Call { protocol: "2", ..terminal.get(CONFIG, None) };
    api.send(call.request()).await.problem(426);
    survived!(25; 1, "request");
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
