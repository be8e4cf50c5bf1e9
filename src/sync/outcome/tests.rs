use chrono::DateTime;

use super::*;
use crate::{
    faults::survived,
    model::Hash,
    sign::{KeyPair, ResponseParts, SignatureParams, sign_response},
    sync::message::{Speaker, ask_config, send_json},
    wire::{header, path},
};

const CHAIN: ChainId = ChainId([1; 16]);
const STORE: StoreId = StoreId(uuid::Uuid::nil());

fn central() -> KeyPair {
    KeyPair::from_seed(&[2; 32])
}

fn trust() -> Trust {
    Trust { key: central().public(), store: STORE }
}

fn exchange(asked: Asked, nonce: &str) -> Exchange {
    let key = KeyPair::from_seed(&[1; 32]);
    let speaker = Speaker { key: &key, terminal: Some("t-1"), at: DateTime::UNIX_EPOCH, nonce };
    let request = match asked {
        Asked::Config => ask_config(&speaker, Some("\"1\"")).unwrap(),
        Asked::Batch { .. } | Asked::Cursor | Asked::Health => {
            send_json(&speaker, path::ENTRIES, &"x").unwrap()
        }
    };
    Exchange::new(asked, CHAIN, &request)
}

const PROBLEM: &str = r#"{"type":"/problems/x","title":"no","status":422,"detail":"line 1 is wrong"}"#;

const BATCH: Asked = Asked::Batch { first_seq: 1, count: 1 };

fn signed(exchange: &Exchange, status: u16, content_type: &str, body: &str) -> Reply {
    signed_with(exchange, status, (content_type, body), None)
}

fn signed_with(
    exchange: &Exchange,
    status: u16,
    (content_type, body): (&str, &str),
    etag: Option<&str>,
) -> Reply {
    let parts = ResponseParts {
        status,
        content_type: Some(content_type).filter(|_| !body.is_empty()),
        etag,
        body: body.as_bytes(),
        request: exchange.request.answered(),
    };
    let params = SignatureParams { created: 0, nonce: "c".into(), keyid: STORE.to_string() };
    let headers = sign_response(&central(), &parts, &params).unwrap();
    let mut reply = bare(status, content_type, body);
    reply.headers.extend(etag.map(|etag| ("etag".to_owned(), etag.to_owned())));
    reply.headers.extend(headers.content_digest.map(|digest| (header::CONTENT_DIGEST.to_owned(), digest)));
    reply.headers.insert(header::SIGNATURE_INPUT.into(), headers.signature_input);
    reply.headers.insert(header::SIGNATURE.into(), headers.signature);
    reply
}

fn bare(status: u16, content_type: &str, body: &str) -> Reply {
    let headers = [("content-type".to_owned(), content_type.to_owned())].into();
    Reply { status, headers, body: body.as_bytes().to_vec() }
}

fn receipt_text(chain: ChainId) -> String {
    serde_json::to_string(&Receipt {
        store: STORE,
        chain,
        accepted_through: 1,
        head_hash: Hash([5; 32]),
        stored: 1,
        duplicate: 0,
        quarantined: Vec::new(),
        next_sync_after_s: 5,
        time: DateTime::UNIX_EPOCH,
    })
    .unwrap()
}

fn judge(exchange: &Exchange, reply: &Reply) -> Outcome {
    classify(exchange, &trust(), Ok(reply))
}

#[test]
fn a_receipt_counts_under_its_type_signature_chain_and_store_only() {
    let ask = exchange(BATCH, "n");
    let good = signed(&ask, 200, content_type::RECEIPT, &receipt_text(CHAIN));
    assert!(matches!(judge(&ask, &good), Outcome::Receipt(receipt) if receipt.accepted_through == 1));

    let is_unknown = |ask: &Exchange, reply: &Reply, what: &str| {
        let outcome = judge(ask, reply);
        assert!(matches!(outcome, Outcome::Unknown(_)), "{what}: {outcome:?}");
    };
    is_unknown(&ask, &bare(200, "text/html", "<html>log in"), "captive portal");
    is_unknown(&ask, &bare(200, content_type::RECEIPT, &receipt_text(CHAIN)), "no signature");
    is_unknown(&ask, &signed(&ask, 200, content_type::JSON, &receipt_text(CHAIN)), "wrong type");
    is_unknown(
        &ask,
        &signed(&ask, 200, content_type::RECEIPT, &receipt_text(ChainId([9; 16]))),
        "wrong chain",
    );
    is_unknown(&ask, &signed(&ask, 200, content_type::RECEIPT, "{}"), "no receipt");
    is_unknown(&exchange(BATCH, "later"), &good, "a recorded receipt");
    let other_store = Trust { store: StoreId(uuid::Uuid::max()), ..trust() };
    assert!(matches!(classify(&ask, &other_store, Ok(&good)), Outcome::Unknown(_)));
    let other_key = Trust { key: KeyPair::from_seed(&[1; 32]).public(), ..trust() };
    assert!(matches!(classify(&ask, &other_key, Ok(&good)), Outcome::Unknown(_)));
    let mut cut = good.clone();
    cut.body.pop();
    is_unknown(&ask, &cut, "half a body");
    let mut lifted = good;
    lifted.status = 201;
    is_unknown(&ask, &lifted, "another status");
}

#[test]
fn every_status_has_its_row() {
    let ask = exchange(BATCH, "n");
    for status in 0..=999 {
        let outcome = judge(&ask, &bare(status, "text/plain", ""));
        let fits = match status {
            // Unsigned, these have no effect: anything in between could have said them.
            200..=299 => {
                matches!(outcome, Outcome::Unknown(Trouble::Foreign { .. } | Trouble::Unsigned { .. }))
            }
            511 => matches!(outcome, Outcome::Unknown(Trouble::Unproven { .. })),
            408 | 425 | 429 | 0..=199 | 500..=999 => matches!(outcome, Outcome::Unknown(Trouble::Status(_))),
            _ => matches!(outcome, Outcome::Unknown(Trouble::Unproven { .. })),
        };
        assert!(fits, "{status}: {outcome:?}");
    }
}

#[test]
fn fault_22_every_status_that_central_signed_has_its_row() {
    let ask = exchange(BATCH, "n");
    let statuses = 300..=599;
    for status in statuses.clone() {
        let outcome = judge(&ask, &signed(&ask, status, content_type::PROBLEM, PROBLEM));
        let fits = match status {
            400 | 422 => matches!(outcome, Outcome::Refused { .. }),
            401 | 403 => matches!(outcome, Outcome::NotAllowed { .. }),
            409 => outcome == Outcome::Conflict,
            413 => outcome == Outcome::TooLarge,
            408 | 425 | 429 | 500..=510 | 512..=599 => {
                matches!(outcome, Outcome::Unknown(Trouble::Status(_)))
            }
            _ => matches!(outcome, Outcome::Misconfigured { .. }),
        };
        assert!(fits, "{status}: {outcome:?}");
    }
    survived!(21, 22; statuses.count(), "signed statuses");
}

#[test]
fn row_16_an_unsigned_refusal_is_something_between_and_never_asks_to_enrol_anew() {
    let ask = exchange(BATCH, "n");
    let forged = r#"{"type":"/problems/x","title":"no","status":401,"detail":"enrol this terminal anew"}"#;
    for status in [302, 400, 401, 403, 404, 405, 407, 409, 413, 422, 426, 451, 511] {
        for kind in ["text/html", content_type::PROBLEM] {
            let outcome = judge(&ask, &bare(status, kind, forged));
            let said = outcome.diagnosis("https://a").unwrap();
            assert_eq!(said.fault, Fault::InBetween, "{status}: {said}");
            assert!(said.words.contains("something in between") && !said.words.contains("anew"), "{said}");
        }
    }
}

#[test]
fn refusals_and_conflicts_count_when_central_signed_them() {
    let ask = exchange(BATCH, "n");
    for status in [400, 422] {
        let reply = signed(&ask, status, content_type::PROBLEM, PROBLEM);
        assert_eq!(judge(&ask, &reply), Outcome::Refused { reason: "line 1 is wrong".into() });
        let other = exchange(BATCH, "other");
        let moved = Outcome::Unknown(Trouble::Unproven { status, redirected_to: None });
        assert_eq!(judge(&other, &reply), moved, "it was said to another request");
    }
    assert_eq!(judge(&ask, &signed(&ask, 409, content_type::PROBLEM, PROBLEM)), Outcome::Conflict);
}

#[test]
fn fault_22_retry_after_is_seconds_or_a_date_held_against_the_servers_own_clock_and_at_most_an_hour() {
    let ask = exchange(BATCH, "n");
    let with = |pairs: &[(&str, &str)]| {
        let mut reply = bare(503, "text/plain", "");
        for (name, value) in pairs {
            reply.headers.insert((*name).to_owned(), (*value).to_owned());
        }
        judge(&ask, &reply)
    };
    let wait = |ms| Outcome::Wait { ms, status: 503, signed: false };
    assert_eq!(with(&[("retry-after", "120")]), wait(120_000));
    assert_eq!(with(&[("retry-after", "99999999999999999999")]), wait(RETRY_AFTER_MAX_MS));
    assert_eq!(with(&[("retry-after", "-1")]), Outcome::Unknown(Trouble::Status(503)));
    assert_eq!(with(&[("retry-after", "")]), Outcome::Unknown(Trouble::Status(503)));
    assert_eq!(with(&[("retry-after", "86400")]), wait(RETRY_AFTER_MAX_MS));
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(with(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), date]), wait(60_000));
    assert_eq!(with(&[("retry-after", "Sun, 06 Nov 1994 08:48:37 GMT"), date]), wait(0));
    assert_eq!(with(&[("retry-after", "Sat, 06 Nov 2094 08:48:37 GMT"), date]), wait(RETRY_AFTER_MAX_MS));
    // The two older forms that RFC 9110 asks every recipient to read.
    assert_eq!(with(&[("retry-after", "Sunday, 06-Nov-94 08:50:37 GMT"), date]), wait(60_000));
    assert_eq!(with(&[("retry-after", "Sun Nov  6 08:50:37 1994"), date]), wait(60_000));
    let dateless = with(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]);
    assert_eq!(dateless, Outcome::Unknown(Trouble::Status(503)));
    assert_eq!(with(&[("retry-after", "soon"), date]), Outcome::Unknown(Trouble::Status(503)));
    let statuses = [429, 503, 507];
    for status in statuses {
        let mut reply = signed(&ask, status, content_type::PROBLEM, PROBLEM);
        reply.headers.insert("retry-after".into(), "7".into());
        assert_eq!(judge(&ask, &reply), Outcome::Wait { ms: 7_000, status, signed: true });
    }
    survived!(22; statuses.len(), "statuses");
}

#[test]
fn a_configuration_counts_under_central_s_signature() {
    let ask = exchange(Asked::Config, "n");
    let mut reply = signed_with(&ask, 200, (content_type::TOML, "[hospital]"), Some("\"2\""));
    let expected = Outcome::Config { etag: "\"2\"".into(), text: "[hospital]".into() };
    assert_eq!(judge(&ask, &reply), expected);
    reply.headers.insert("etag".into(), "\"3\"".into());
    assert!(matches!(judge(&ask, &reply), Outcome::Unknown(_)), "its tag is covered");
    assert!(matches!(judge(&ask, &bare(200, content_type::TOML, "[hospital]")), Outcome::Unknown(_)));
}

#[test]
fn an_unsigned_304_is_no_contact_and_a_signed_one_counts_for_the_terminal_s_own_configuration() {
    let ask = exchange(Asked::Config, "n");
    let unchanged = signed_with(&ask, 304, ("", ""), Some("\"1\""));
    assert_eq!(judge(&ask, &unchanged), Outcome::ConfigUnchanged);
    let mut unsigned = unchanged.clone();
    unsigned.headers.remove(header::SIGNATURE);
    assert!(matches!(judge(&ask, &unsigned), Outcome::Unknown(Trouble::Unsigned { status: 304, .. })));
    let mut untagged = unchanged.clone();
    untagged.headers.remove("etag");
    assert!(matches!(judge(&ask, &untagged), Outcome::Unknown(_)));
    let about_another = signed_with(&ask, 304, ("", ""), Some("\"2\""));
    assert!(matches!(judge(&ask, &about_another), Outcome::Unknown(Trouble::Foreign { .. })));
    let batch = exchange(BATCH, "n");
    assert!(matches!(judge(&batch, &bare(304, "", "")), Outcome::Unknown(Trouble::Unproven { .. })));
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let ask = exchange(BATCH, "n");
    let mut reply = bare(302, "text/html", "");
    reply.headers.insert("location".into(), "http://portal.example/\u{7}login".into());
    let outcome = judge(&ask, &reply);
    let to = Some("http://portal.example/login".to_owned());
    assert_eq!(outcome, Outcome::Unknown(Trouble::Unproven { status: 302, redirected_to: to }));
    let said = outcome.diagnosis("https://a").unwrap();
    assert!(said.words.contains("redirected to `http://portal.example/login`"), "{said}");
}

#[test]
fn no_answer_means_nothing_is_known() {
    let outcome = classify(&exchange(BATCH, "n"), &trust(), Err(&Trouble::Timeout));
    assert_eq!(outcome, Outcome::Unknown(Trouble::Timeout));
}

#[test]
fn every_trouble_is_a_fault_that_staff_can_tell_apart() {
    let unsigned = Trouble::Unsigned {
        status: 200,
        error: SignError::KeyId { expected: "a".into(), found: "b".into() },
    };
    let expected = [
        (Trouble::Resolve, Fault::NameUnresolved),
        (Trouble::Connect, Fault::Unreached),
        (Trouble::CertificateExpired, Fault::CertificateTime),
        (Trouble::CertificateNotYetValid, Fault::CertificateTime),
        (Trouble::CertificateIssuer, Fault::CertificateIssuer),
        (Trouble::CertificateName, Fault::CertificateName),
        (Trouble::Tls("handshake".into()), Fault::Other),
        (Trouble::Timeout, Fault::NoAnswer),
        (Trouble::Broken("reset".into()), Fault::NoAnswer),
        (Trouble::TooLong, Fault::InBetween),
        (Trouble::Status(502), Fault::Busy),
        (Trouble::Foreign { status: 200, what: "html".into() }, Fault::InBetween),
        (Trouble::Unproven { status: 403, redirected_to: None }, Fault::InBetween),
        (unsigned, Fault::InBetween),
    ];
    for (trouble, fault) in expected {
        let words = trouble.to_string();
        let found = Outcome::Unknown(trouble).diagnosis("https://a").unwrap();
        assert_eq!(found.fault, fault, "{words}");
        assert!(found.words.starts_with(&words), "{found}");
    }
}

#[test]
fn every_outcome_is_a_fault_or_none() {
    let refused = |status| Outcome::NotAllowed { status, reason: "revoked".into() };
    let wrong = |status| Outcome::Misconfigured { status, reason: "not found".into() };
    let expected = [
        (Outcome::Config { etag: String::new(), text: String::new() }, None),
        (Outcome::ConfigUnchanged, None),
        (Outcome::Wait { ms: 5_000, status: 429, signed: true }, Some(Fault::Busy)),
        (Outcome::TooLarge, Some(Fault::Other)),
        (Outcome::Refused { reason: "no".into() }, Some(Fault::Other)),
        (refused(401), Some(Fault::NotAccepted)),
        (refused(403), Some(Fault::NotAccepted)),
        (wrong(404), Some(Fault::Misconfigured)),
        (wrong(302), Some(Fault::Misconfigured)),
        (Outcome::Conflict, Some(Fault::Other)),
    ];
    for (outcome, fault) in expected {
        assert_eq!(outcome.diagnosis("https://a").map(|found| found.fault), fault, "{outcome:?}");
    }
}
