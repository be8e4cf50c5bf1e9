//! Requests as a terminal signs them.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic; not every file does")]

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use flate2::{Compression, write::GzEncoder};
use xinsheng::{
    model::TimeQuality,
    sign::{KeyPair, RequestParts, sign_request},
    wire::{Enrolment, Health, ScreenFacts},
};

use crate::journal::Journal;

static NONCE: AtomicU64 = AtomicU64::new(0);

pub struct Call<'a> {
    pub key: &'a KeyPair,
    pub terminal: Option<String>,
    pub method: &'a str,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub kind: &'a str,
    pub body: Vec<u8>,
    pub encoding: Option<&'a str>,
    pub protocol: &'a str,
}

impl Call<'_> {
    pub fn uri(&self) -> String {
        self.query.map_or_else(|| self.path.to_owned(), |query| format!("{}?{query}", self.path))
    }

    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let parts = RequestParts {
            method: self.method,
            path: self.path,
            query: self.query,
            terminal: self.terminal.as_deref(),
            protocol: self.protocol,
            content_encoding: self.encoding,
            body: &self.body,
        };
        // No two requests of a terminal have the same signature: that would be a replay.
        let nonce = NONCE.fetch_add(1, Ordering::Relaxed).to_string();
        let signed = sign_request(self.key, &parts, 1, &nonce).unwrap();
        let optional = [
            ("xinsheng-protocol", Some(self.protocol.to_owned())),
            ("signature-input", Some(signed.signature_input)),
            ("signature", Some(signed.signature)),
            ("content-type", Some(self.kind.to_owned()).filter(|kind| !kind.is_empty())),
            ("xinsheng-terminal", self.terminal.clone()),
            ("content-encoding", self.encoding.map(str::to_owned)),
            ("content-digest", signed.content_digest),
        ];
        optional.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

pub fn enrolment<'a>(key: &'a KeyPair, code: &str) -> Call<'a> {
    let body = Enrolment {
        code: code.to_owned(),
        public_key: key.public().to_string(),
        hardware_id: "hw".to_owned(),
        software: "0.1.0".to_owned(),
        sent: Journal::new(1).now(),
    };
    Call {
        key,
        terminal: None,
        method: "POST",
        path: "/v1/enrolments",
        query: None,
        kind: "application/json",
        body: serde_json::to_vec(&body).unwrap(),
        encoding: None,
        protocol: "1",
    }
}

pub fn health(journal: &Journal) -> Vec<u8> {
    let health = Health {
        chain: journal.chain,
        last_seq: journal.last_seq(),
        queue_depth: 3,
        oldest_unsent_s: Some(12),
        unsaved: 0,
        refused: 0,
        last_error: Some("connection refused".to_owned()),
        temperature_c: Some(41.5),
        disk_free_bytes: Some(1 << 30),
        clock: TimeQuality::Synced,
        software: "0.1.0".to_owned(),
        config_hash: "ab".to_owned(),
        screen: ScreenFacts { width_px: 1280, height_px: 800 },
        restarts: 2,
        lost_after: None,
        sent: journal.now(),
    };
    serde_json::to_vec(&health).unwrap()
}
