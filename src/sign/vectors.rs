//! The published test vectors (`docs/vectors`): made here from fixed seeds, compared with the files, and recomputed by an independent
//! client in `tests/interop`. `XINSHENG_WRITE_VECTORS=1 cargo test vectors` writes them anew.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails, and says what it met")]

use std::{io::Write as _, path::PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::{Compression, GzBuilder};
use serde_json::{Value as Json, json};

use super::{
    AnsweredRequest, Component, KeyPair, RequestParts, ResponseParts, SignatureParams, SignedHeaders,
    base::signature_base, request_components, response_components, sign_request, sign_response,
};
use crate::{
    chain,
    enrolment_code::EnrolmentCode,
    model::{ChainId, Hash},
    wire::{Withheld, content_type},
};

const TERMINAL_SEED: [u8; 32] = [7; 32];
const CENTRAL_SEED: [u8; 32] = [9; 32];
const CREATED: i64 = 1_795_000_000;
const STORE: &str = "019ab8e4-0000-7000-8000-000000000001";
const CHAIN: ChainId = ChainId([0x11; 16]);

const LINES: [&str; 3] = [
    r#"{"v":1,"seq":1,"id":"019ab8e4-0000-7000-8000-000000000011","at":{"wall":"2026-11-21T08:30:00.000Z","boot":"019ab8e4-0000-7000-8000-000000000010","up_ms":1500,"quality":"synced"},"kind":"boot","software":"0.1.0","config_hash":"00","boot":"019ab8e4-0000-7000-8000-000000000010","clock":"synced"}"#,
    r#"{"v":1,"seq":2,"id":"019ab8e4-0000-7000-8000-000000000012","at":{"wall":"2026-11-21T08:31:02.250Z","boot":"019ab8e4-0000-7000-8000-000000000010","up_ms":63750,"quality":"synced"},"kind":"answer","response":"019ab8e4-0000-7000-8000-000000000020","touchpoint":"registration","questionnaire":"outpatient@1","question":"service","scale":"csat5","value":5,"lang":"zh-CN","shown_ms":2100,"order":[5,4,3,2,1]}"#,
    r#"{"v":1,"seq":3,"id":"019ab8e4-0000-7000-8000-000000000013","at":{"wall":"2026-11-21T08:31:05.000Z","boot":"019ab8e4-0000-7000-8000-000000000010","up_ms":66500,"quality":"synced"},"kind":"response_end","response":"019ab8e4-0000-7000-8000-000000000020","touchpoint":"registration","outcome":"completed"}"#,
];

/// A request of the vectors, as sent.
struct Sent {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    terminal: Option<&'static str>,
    content_type: Option<&'static str>,
    content_encoding: Option<&'static str>,
    body: Vec<u8>,
}

impl Sent {
    fn parts(&self) -> RequestParts<'_> {
        RequestParts {
            method: self.method,
            path: self.path,
            query: self.query,
            terminal: self.terminal,
            protocol: "1",
            content_encoding: self.content_encoding,
            body: &self.body,
        }
    }

    fn headers(&self) -> SignedHeaders {
        sign_request(&KeyPair::from_seed(&TERMINAL_SEED), &self.parts(), CREATED, self.name)
            .expect("a request of ours can be signed")
    }

    fn answered<'a>(&'a self, headers: &'a SignedHeaders) -> AnsweredRequest<'a> {
        AnsweredRequest {
            method: self.method,
            path: self.path,
            query: self.query,
            content_digest: headers.content_digest.as_deref(),
            signature: &headers.signature,
        }
    }
}

fn batch_body() -> Vec<u8> {
    let genesis = chain::genesis(CHAIN);
    let head = chain::head(genesis, LINES.map(str::as_bytes));
    let header = json!({
        "chain": CHAIN, "first_seq": 1, "previous_hash": genesis, "count": LINES.len(), "head_hash": head,
        "sent": {"wall": "2026-11-21T08:32:00.000Z", "boot": "019ab8e4-0000-7000-8000-000000000010", "up_ms": 121_500, "quality": "synced"},
    });
    let mut body = format!("{header}\n");
    for line in LINES {
        body.push_str(line);
        body.push('\n');
    }
    body.into_bytes()
}

/// Always the same bytes: no name and no time in the gzip header.
fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut writer = GzBuilder::new().write(Vec::new(), Compression::new(6));
    writer.write_all(body).and_then(|()| writer.finish()).expect("memory takes everything")
}

fn requests() -> Vec<Sent> {
    let public = KeyPair::from_seed(&TERMINAL_SEED).public().to_string();
    let enrolment = json!({
        "code": "123451234512345", "public_key": public, "hardware_id": "example", "software": "0.1.0",
        "sent": {"wall": "2026-11-21T08:29:00.000Z", "boot": "019ab8e4-0000-7000-8000-000000000010", "up_ms": 900, "quality": "synced"},
    });
    let terminal = Some("t-example");
    let get = |name, path, query| Sent {
        name,
        method: "GET",
        path,
        query,
        terminal,
        content_type: None,
        content_encoding: None,
        body: Vec::new(),
    };
    let batch = |name, content_encoding, body| Sent {
        name,
        method: "POST",
        path: "/v1/terminals/self/entries",
        query: None,
        terminal,
        content_type: Some(content_type::ENTRIES),
        content_encoding,
        body,
    };
    vec![
        Sent {
            name: "enrolment",
            method: "POST",
            path: "/v1/enrolments",
            query: None,
            terminal: None,
            content_type: Some(content_type::JSON),
            content_encoding: None,
            body: enrolment.to_string().into_bytes(),
        },
        get("cursor", "/v1/terminals/self/cursor", Some("chain=11111111111111111111111111111111")),
        batch("batch", None, batch_body()),
        batch("compressed-batch", Some("gzip"), gzipped(&batch_body())),
        get("configuration", "/v1/terminals/self/config", None),
    ]
}

fn base_of(components: &[Component], signature_input: &str) -> String {
    let params = signature_input.strip_prefix("sig1=").expect("our member comes first");
    signature_base(components.iter(), params).expect("the components can be signed")
}

fn header_list(signed: &SignedHeaders, others: &[(&str, Option<&str>)]) -> Json {
    let mut headers = serde_json::Map::new();
    for (name, value) in others {
        if let Some(value) = value {
            headers.insert((*name).to_owned(), json!(value));
        }
    }
    if let Some(digest) = &signed.content_digest {
        headers.insert("content-digest".into(), json!(digest));
    }
    headers.insert("signature-input".into(), json!(signed.signature_input));
    headers.insert("signature".into(), json!(signed.signature));
    Json::Object(headers)
}

fn key_facts(seed: [u8; 32]) -> Json {
    let key = KeyPair::from_seed(&seed);
    json!({"seed_hex": Hash(seed).to_string(), "public_base64": key.public().to_string()})
}

fn request_vectors() -> Json {
    let list: Vec<Json> = requests()
        .iter()
        .map(|sent| {
            let signed = sent.headers();
            let components = request_components(&sent.parts(), signed.content_digest.as_deref());
            let others = [
                ("content-type", sent.content_type),
                ("content-encoding", sent.content_encoding),
                ("xinsheng-terminal", sent.terminal),
                ("xinsheng-protocol", Some("1")),
            ];
            json!({
                "name": sent.name, "method": sent.method, "path": sent.path, "query": sent.query,
                "headers": header_list(&signed, &others),
                "body_base64": BASE64_STANDARD.encode(&sent.body),
                "signature_base": base_of(&components, &signed.signature_input),
            })
        })
        .collect();
    json!({"terminal_key": key_facts(TERMINAL_SEED), "requests": list})
}

fn response_vectors() -> Json {
    let genesis = chain::genesis(CHAIN);
    let head = chain::head(genesis, LINES.map(str::as_bytes));
    let receipt = json!({
        "store": STORE, "chain": CHAIN, "accepted_through": 3, "head_hash": head, "stored": 3, "duplicate": 0,
        "quarantined": [], "next_sync_after_s": 60, "time": "2026-11-21T08:32:00.100Z",
    });
    let conflict = json!({
        "type": "/problems/other-history", "title": "the journals differ", "status": 409,
        "accepted_through": 9, "head_hash": genesis,
    });
    let answers = [
        ("receipt", "batch", 200, Some(content_type::RECEIPT), None, receipt.to_string()),
        ("conflict", "compressed-batch", 409, Some(content_type::PROBLEM), None, conflict.to_string()),
        ("unchanged", "configuration", 304, None, Some("\"5f1c\""), String::new()),
    ];
    let requests = requests();
    let list: Vec<Json> = answers
        .iter()
        .map(|(name, to, status, kind, etag, body)| {
            let sent = requests.iter().find(|sent| sent.name == *to).expect("a request of this name");
            let asked = sent.headers();
            let parts = ResponseParts {
                status: *status,
                content_type: *kind,
                etag: *etag,
                body: body.as_bytes(),
                request: sent.answered(&asked),
            };
            let params = SignatureParams { created: CREATED + 1, nonce: (*name).into(), keyid: STORE.into() };
            let signed = sign_response(&KeyPair::from_seed(&CENTRAL_SEED), &parts, &params)
                .expect("an answer of ours can be signed");
            let components = response_components(&parts, signed.content_digest.as_deref())
                .expect("the request has our signature");
            json!({
                "name": name, "request": to, "status": status,
                "headers": header_list(&signed, &[("content-type", *kind), ("etag", *etag)]),
                "body_base64": BASE64_STANDARD.encode(body),
                "signature_base": base_of(&components, &signed.signature_input),
            })
        })
        .collect();
    json!({"central_key": key_facts(CENTRAL_SEED), "store": STORE, "responses": list})
}

/// Enrolment codes, what a terminal sends of them, and which keys they fit.
fn code_vectors() -> Json {
    let keys = [chain::sha256(b"one certificate's key"), chain::sha256(b"another certificate's key")];
    let codes: Vec<Json> = ["12345-67890-12345", "00000-00000-00000", "99999-99999-99999"]
        .iter()
        .map(|secret| {
            let code = EnrolmentCode::read(secret).expect("fifteen digits");
            let bound = keys.map(|key| {
                let bound = code.clone().bound_to(key);
                assert!(bound.fits(key));
                json!({"key": key, "code": bound.to_string()})
            });
            json!({"secret": secret, "bound": bound})
        })
        .collect();
    json!({"codes": codes})
}

fn chain_vectors() -> Json {
    let mut hash = chain::genesis(CHAIN);
    let entries: Vec<Json> = LINES
        .iter()
        .map(|line| {
            let leaf = chain::leaf(line.as_bytes());
            hash = chain::link(hash, leaf);
            json!({"line": line, "leaf": leaf, "hash": hash})
        })
        .collect();
    let withheld = Withheld { seq: 2, leaf: chain::leaf(LINES[1].as_bytes()), reason: "erased".into() };
    let with_gap =
        [json!(LINES[0]), json!(serde_json::to_string(&withheld).expect("plain data")), json!(LINES[2])];
    json!({"chain": CHAIN, "first_hash": chain::genesis(CHAIN), "entries": entries, "with_a_withheld_line": with_gap, "head_hash": hash})
}

#[test]
fn the_published_vectors_are_what_this_code_makes() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/vectors");
    let files = [
        ("chain", chain_vectors()),
        ("codes", code_vectors()),
        ("requests", request_vectors()),
        ("responses", response_vectors()),
    ];
    for (name, made) in files {
        let path = folder.join(name).with_extension("json");
        let mut text = serde_json::to_string_pretty(&made).expect("plain data");
        text.push('\n');
        if std::env::var_os("XINSHENG_WRITE_VECTORS").is_some() {
            std::fs::write(&path, &text).expect("docs/vectors can be written");
        }
        let published = std::fs::read_to_string(&path).expect("docs/vectors holds the file");
        assert_eq!(
            published,
            text,
            "{} is not what the code makes; if the protocol changed on purpose: XINSHENG_WRITE_VECTORS=1 cargo test vectors",
            path.display()
        );
    }
}
