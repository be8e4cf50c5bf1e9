//! A central in memory: chains as lists of lines, a count for each entry, receipts signed with a real key.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read as _;
use xinsheng::{
    chain,
    model::{ChainId, EntryId, Hash, StoreId},
    sign::{KeyPair, Proof, RequestParts, ResponseParts, SignatureParams, sign_response, verify_request},
    sync::message::{Reply, Request},
    wire::{
        BatchHeader, CursorReply, Entry, HealthReply, Quarantined, Receipt, Withheld, content_type, header,
        path,
    },
};

/// What a backup of it holds.
#[derive(Clone, Default)]
struct Stored {
    chains: BTreeMap<ChainId, Vec<Line>>,
    counts: BTreeMap<EntryId, u32>,
    quarantined: BTreeSet<EntryId>,
}

#[derive(Clone)]
struct Line {
    hash: Hash,
    bytes: Vec<u8>,
}

/// A copy of everything it stored at some time.
pub struct Backup(Stored);

pub struct Central {
    key: KeyPair,
    pub store: StoreId,
    terminal: KeyPair,
    stored: Stored,
    /// The furthest it ever signed for, per chain. Not part of a backup: it is what terminals may rely on.
    pub signed_for: BTreeMap<ChainId, u64>,
    pub deduplicates: bool,
    pub conflicts: u64,
    pub now: DateTime<Utc>,
    answers: u64,
    /// How far each chain was recomputed already, and its hash there.
    verified: BTreeMap<ChainId, (usize, Hash)>,
}

/// An entry it refuses to take, for as long as it is sent.
pub fn is_refused(id: EntryId) -> bool {
    id.0.as_bytes()[15].is_multiple_of(53)
}

/// An entry it takes and does not understand.
fn is_unreadable(id: EntryId) -> bool {
    id.0.as_bytes()[15] % 7 == 3
}

impl Central {
    pub fn new(terminal: KeyPair, now: DateTime<Utc>) -> Self {
        Self {
            key: KeyPair::from_seed(&[2; 32]),
            store: StoreId(uuid::Uuid::from_u128(77)),
            terminal,
            stored: Stored::default(),
            signed_for: BTreeMap::new(),
            deduplicates: true,
            conflicts: 0,
            now,
            answers: 0,
            verified: BTreeMap::new(),
        }
    }

    pub fn public_key(&self) -> xinsheng::sign::PublicKey {
        self.key.public()
    }

    pub fn back_up(&self) -> Backup {
        Backup(self.stored.clone())
    }

    pub fn restore(&mut self, backup: &Backup) {
        self.stored = backup.0.clone();
        self.verified.clear();
    }

    pub fn counts(&self) -> &BTreeMap<EntryId, u32> {
        &self.stored.counts
    }

    pub fn is_stored(&self, id: EntryId) -> bool {
        self.stored.counts.contains_key(&id)
    }

    pub fn quarantine_is_kept(&self) -> bool {
        self.stored.quarantined.iter().all(|id| self.stored.counts.contains_key(id))
    }

    /// Recomputes every chain from its lines, from where it did so last: no gap, no change, no exchange of places.
    pub fn verify(&mut self) -> Result<(), String> {
        for (id, lines) in &self.stored.chains {
            let (known, hash) = self.verified.entry(*id).or_insert((0, chain::genesis(*id)));
            for (seq, line) in (*known as u64 + 1..).zip(lines.iter().skip(*known)) {
                *hash = chain::link(*hash, leaf(&line.bytes, seq));
                if *hash != line.hash {
                    return Err(format!("chain {id} does not add up at {seq}"));
                }
                let placed = Entry::from_line(&line.bytes).map_or(seq, |entry| entry.seq);
                if placed != seq {
                    return Err(format!("chain {id} holds entry {placed} at place {seq}"));
                }
            }
            *known = lines.len();
        }
        Ok(())
    }

    /// Answers a request as it came over the network.
    pub fn answer(&mut self, request: &Request) -> Reply {
        let encoding = Some(request.header("content-encoding")).filter(|value| !value.is_empty());
        let parts = RequestParts {
            method: request.method.as_str(),
            path: request.path,
            query: request.query.as_deref(),
            terminal: Some(request.header(header::TERMINAL)),
            protocol: request.header(header::PROTOCOL),
            content_encoding: encoding,
            body: &request.body,
        };
        let digest = Some(request.header(header::CONTENT_DIGEST)).filter(|value| !value.is_empty());
        let proof = Proof {
            content_digest: digest,
            signature_input: request.header(header::SIGNATURE_INPUT),
            signature: request.header(header::SIGNATURE),
        };
        if verify_request(&self.terminal.public(), &parts, &proof).is_err() {
            return Reply { status: 401, ..Reply::default() };
        }
        let mut body = Vec::new();
        if encoding.is_some() {
            GzDecoder::new(request.body.as_slice()).read_to_end(&mut body).expect("gzip");
        } else {
            body.clone_from(&request.body);
        }
        let (status, kind, answer) = match request.path {
            path::CURSOR => {
                (200, content_type::JSON, self.cursor(request.query.as_deref().unwrap_or_default()))
            }
            path::ENTRIES => self.take(&body),
            path::HEALTH => (200, content_type::JSON, self.health()),
            other => panic!("nobody asks for {other}"),
        };
        self.signed(request, status, kind, &answer)
    }

    fn signed(&mut self, request: &Request, status: u16, kind: &str, body: &str) -> Reply {
        self.answers += 1;
        let stamp = request.stamp();
        let parts = ResponseParts {
            status,
            content_type: Some(kind),
            etag: None,
            body: body.as_bytes(),
            request: stamp.answered(),
        };
        let params = SignatureParams {
            created: self.now.timestamp(),
            nonce: self.answers.to_string(),
            keyid: self.store.to_string(),
        };
        let signed = sign_response(&self.key, &parts, &params).expect("sign");
        let mut reply = Reply { status, body: body.as_bytes().to_vec(), ..Reply::default() };
        reply.headers.insert("content-type".into(), kind.into());
        reply.headers.insert(header::CONTENT_DIGEST.into(), signed.content_digest.expect("a body"));
        reply.headers.insert(header::SIGNATURE_INPUT.into(), signed.signature_input);
        reply.headers.insert(header::SIGNATURE.into(), signed.signature);
        reply
    }

    fn end(&self, chain: ChainId) -> (u64, Hash) {
        let lines = self.stored.chains.get(&chain);
        let last = lines.and_then(|lines| lines.last());
        (lines.map_or(0, |lines| lines.len() as u64), last.map_or(chain::genesis(chain), |line| line.hash))
    }

    fn sign_for(&mut self, chain: ChainId) -> (u64, Hash) {
        let (through, head) = self.end(chain);
        let furthest = self.signed_for.entry(chain).or_default();
        *furthest = through.max(*furthest);
        (through, head)
    }

    fn cursor(&mut self, query: &str) -> String {
        let chain: ChainId = query.trim_start_matches("chain=").parse().expect("a chain");
        let (accepted_through, head_hash) = self.sign_for(chain);
        let reply = CursorReply { store: self.store, chain, accepted_through, head_hash, time: self.now };
        serde_json::to_string(&reply).expect("json")
    }

    fn health(&self) -> String {
        let reply =
            HealthReply { next_sync_after_s: 30, config_etag: None, commands: Vec::new(), time: self.now };
        serde_json::to_string(&reply).expect("json")
    }

    fn take(&mut self, body: &[u8]) -> (u16, &'static str, String) {
        let problem = |status: u16, title: &str| {
            let text = json!({"type": "/problems/x", "title": title, "status": status}).to_string();
            (status, content_type::PROBLEM, text)
        };
        let mut lines = body.strip_suffix(b"\n").unwrap_or(body).split(|byte| *byte == b'\n');
        let batch: BatchHeader = serde_json::from_slice(lines.next().expect("a header")).expect("a header");
        let lines: Vec<&[u8]> = lines.collect();
        assert_eq!(lines.len(), batch.count as usize);
        let held = self.stored.chains.get(&batch.chain).cloned().unwrap_or_default();
        if batch.first_seq > held.len() as u64 + 1 {
            return self.receipt(&batch, 0, 0, Vec::new());
        }
        if lines.iter().any(|line| Entry::from_line(line).is_ok_and(|entry| is_refused(entry.id))) {
            return problem(422, "refused");
        }
        let hash_at = |seq: u64| match seq.checked_sub(1).and_then(|i| held.get(usize::try_from(i).unwrap()))
        {
            Some(line) => line.hash,
            None => chain::genesis(batch.chain),
        };
        let (mut hash, mut stored, mut duplicate, mut quarantined) = (batch.previous_hash, 0, 0, Vec::new());
        if hash != hash_at(batch.first_seq - 1) {
            self.conflicts += 1;
            return problem(409, "another history");
        }
        let mut new = Vec::new();
        for (seq, bytes) in (batch.first_seq..).zip(&lines) {
            hash = chain::link(hash, leaf(bytes, seq));
            if seq <= held.len() as u64 {
                if hash != hash_at(seq) {
                    self.conflicts += 1;
                    return problem(409, "another history");
                }
                duplicate += 1;
                if !self.deduplicates {
                    new.push((None, *bytes));
                }
            } else {
                stored += 1;
                new.push((Some(hash), *bytes));
            }
        }
        assert_eq!(hash, batch.head_hash, "the header's hash is that of its lines");
        for (hash, bytes) in new {
            let entry = Entry::from_line(bytes).ok();
            if let Some(id) = entry.as_ref().map(|entry| entry.id) {
                // Carried into another chain it is the same entry.
                if hash.is_none() || !self.stored.counts.contains_key(&id) {
                    *self.stored.counts.entry(id).or_default() += 1;
                }
                if is_unreadable(id) {
                    self.stored.quarantined.insert(id);
                    let seq = entry.map_or(0, |entry| entry.seq);
                    quarantined.push(Quarantined { seq, reason: "unknown question".into() });
                }
            }
            if let Some(hash) = hash {
                let line = Line { hash, bytes: bytes.to_vec() };
                self.stored.chains.entry(batch.chain).or_default().push(line);
            }
        }
        self.receipt(&batch, stored, duplicate, quarantined)
    }

    fn receipt(
        &mut self,
        batch: &BatchHeader,
        stored: u32,
        duplicate: u32,
        quarantined: Vec<Quarantined>,
    ) -> (u16, &'static str, String) {
        let (accepted_through, head_hash) = self.sign_for(batch.chain);
        let receipt = Receipt {
            store: self.store,
            chain: batch.chain,
            accepted_through,
            head_hash,
            stored,
            duplicate,
            quarantined,
            next_sync_after_s: 30,
            time: self.now,
        };
        (200, content_type::RECEIPT, serde_json::to_string(&receipt).expect("json"))
    }
}

fn leaf(bytes: &[u8], seq: u64) -> Hash {
    match serde_json::from_slice::<Withheld>(bytes) {
        Ok(withheld) if withheld.seq == seq => withheld.leaf,
        Ok(_) | Err(_) => chain::leaf(bytes),
    }
}
