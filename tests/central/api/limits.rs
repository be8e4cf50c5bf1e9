//! Limits of size and rate, and content that is meant to do harm.

use std::num::NonZeroU32;

use serde_json::{Value as Json, json};
use xinsheng::{sign::KeyPair, wire::Receipt};

use super::{Api, ENTRIES, HEALTH, IntoRequest as _, Terminal, stamp};
use crate::{
    faults::survived,
    journal::{Journal, answer},
    signed::{Call, enrolment, gzip, health},
};

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
