use super::*;
use crate::{
    model::Hash,
    sign::{KeyPair, RequestParts, SignatureParams, sign_request, sign_response},
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
    let parts = RequestParts {
        method: "POST",
        path: "/v1/terminals/self/entries",
        query: None,
        terminal: Some("t-1"),
        protocol: "1",
        content_encoding: None,
        body: b"x",
    };
    let signed = sign_request(&KeyPair::from_seed(&[1; 32]), &parts, 0, nonce).unwrap();
    Exchange { asked, chain: CHAIN, signature: signed.signature }
}

const BATCH: Asked = Asked::Batch { first_seq: 1, count: 1 };

fn signed(exchange: &Exchange, status: u16, content_type: &str, body: &str) -> Reply {
    let parts = ResponseParts {
        status,
        content_type: Some(content_type),
        body: body.as_bytes(),
        request_signature: &exchange.signature,
    };
    let params = SignatureParams { created: 0, nonce: "c".into(), keyid: STORE.to_string() };
    let headers = sign_response(&central(), &parts, &params).unwrap();
    let mut reply = bare(status, content_type, body);
    reply.headers.insert(header::CONTENT_DIGEST.into(), headers.content_digest.unwrap_or_default());
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
            200..=299 | 400 | 409 | 422 => matches!(outcome, Outcome::Unknown(_)),
            401 | 403 => matches!(outcome, Outcome::NotAllowed { .. }),
            413 => outcome == Outcome::TooLarge,
            408 | 425 | 429 | 0..=199 | 500..=999 => matches!(outcome, Outcome::Unknown(Trouble::Status(_))),
            _ => matches!(outcome, Outcome::Misconfigured { .. }),
        };
        assert!(fits, "{status}: {outcome:?}");
    }
}

#[test]
fn refusals_and_conflicts_count_when_central_signed_them() {
    let ask = exchange(BATCH, "n");
    let problem = r#"{"type":"/problems/x","title":"no","status":422,"detail":"line 1 is wrong"}"#;
    for status in [400, 422] {
        let reply = signed(&ask, status, content_type::PROBLEM, problem);
        assert_eq!(judge(&ask, &reply), Outcome::Refused { reason: "line 1 is wrong".into() });
    }
    assert_eq!(judge(&ask, &signed(&ask, 409, content_type::PROBLEM, problem)), Outcome::Conflict);
}

#[test]
fn retry_after_is_seconds_or_a_date_held_against_the_servers_own_clock() {
    let ask = exchange(BATCH, "n");
    let with = |pairs: &[(&str, &str)]| {
        let mut reply = bare(503, "text/plain", "");
        for (name, value) in pairs {
            reply.headers.insert((*name).to_owned(), (*value).to_owned());
        }
        judge(&ask, &reply)
    };
    let wait = |ms| Outcome::Wait { ms, status: 503 };
    assert_eq!(with(&[("retry-after", "120")]), wait(120_000));
    assert_eq!(with(&[("retry-after", "99999999999999999999")]), Outcome::Unknown(Trouble::Status(503)));
    assert_eq!(with(&[("retry-after", "86400")]), wait(RETRY_AFTER_MAX_MS));
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(with(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), date]), wait(60_000));
    assert_eq!(with(&[("retry-after", "Sun, 06 Nov 1994 08:48:37 GMT"), date]), wait(0));
    assert_eq!(with(&[("retry-after", "Sat, 06 Nov 2094 08:48:37 GMT"), date]), wait(RETRY_AFTER_MAX_MS));
    let dateless = with(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]);
    assert_eq!(dateless, Outcome::Unknown(Trouble::Status(503)));
    assert_eq!(with(&[("retry-after", "soon"), date]), Outcome::Unknown(Trouble::Status(503)));
}

#[test]
fn a_configuration_counts_under_central_s_signature() {
    let ask = exchange(Asked::Config, "n");
    let mut reply = signed(&ask, 200, content_type::TOML, "[hospital]");
    reply.headers.insert("etag".into(), "\"1\"".into());
    let expected = Outcome::Config { etag: "\"1\"".into(), text: "[hospital]".into() };
    assert_eq!(judge(&ask, &reply), expected);
    assert!(matches!(judge(&ask, &bare(200, content_type::TOML, "[hospital]")), Outcome::Unknown(_)));
    assert_eq!(judge(&ask, &bare(304, "", "")), Outcome::ConfigUnchanged);
    let batch = exchange(BATCH, "n");
    assert!(matches!(judge(&batch, &bare(304, "", "")), Outcome::Misconfigured { .. }));
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let ask = exchange(BATCH, "n");
    let mut reply = bare(302, "text/html", "");
    reply.headers.insert("location".into(), "http://portal.example/\u{7}login".into());
    let expected =
        Outcome::Misconfigured { status: 302, reason: "redirected to `http://portal.example/login`".into() };
    assert_eq!(judge(&ask, &reply), expected);
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
        (Outcome::Wait { ms: 5_000, status: 429 }, Some(Fault::Busy)),
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
