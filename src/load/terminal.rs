//! A simulated terminal: its key, its chain of lines, and the requests it sends, made before they are sent.
//!
//! Lines, hashes and requests are made by the code that a terminal runs (`wire`, `chain`, `sync::message`); only the journal's file is missing.

use std::{collections::VecDeque, fmt::Write as _, net::SocketAddr};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use super::visits::{Place, Visits};
use crate::{
    chain,
    model::{BootId, ChainId, Hash, Moment, TimeQuality},
    sync::{
        Identity,
        message::{Request, Speaker, ask_cursor, send_batch, send_json},
        outcome::{Asked, Exchange, Trust},
    },
    wire::{BatchHeader, Body, BootFacts, Draft, Entry, Health, ScreenFacts, path},
};

/// A line of a chain with its place, as the floors insert it.
pub(super) struct Link {
    pub(super) chain: ChainId,
    pub(super) seq: u64,
    pub(super) hash: Hash,
    pub(super) line: Vec<u8>,
}

/// A request, ready to be written to a socket, and what its answer is held against.
pub(super) struct Ready {
    pub(super) bytes: Vec<u8>,
    pub(super) exchange: Exchange,
}

/// A batch, ready to be sent.
pub(super) struct Batch {
    pub(super) ready: Ready,
    /// How many entries it has, and how many of them are answers.
    pub(super) entries: u32,
    pub(super) answers: u32,
    /// The chain after it.
    pub(super) last_seq: u64,
    pub(super) head: Hash,
}

/// A simulated terminal.
pub(super) struct Terminal {
    pub(super) identity: Identity,
    pub(super) chain: ChainId,
    boot: BootId,
    began: DateTime<Utc>,
    visits: Visits,
    waiting: VecDeque<Draft>,
    seq: u64,
    hash: Hash,
}

impl Terminal {
    /// A terminal that was switched on at `began` and has a visitor every `apart_s` seconds.
    pub(super) fn new(
        identity: Identity,
        place: Place,
        seed: u64,
        began: DateTime<Utc>,
        apart_s: u64,
    ) -> Self {
        let unix_ms = u64::try_from(began.timestamp_millis()).unwrap_or(0);
        let touchpoint = place.touchpoint.clone();
        let nobody = BootId::from_parts(0, [0; 10]);
        let start = Moment { wall: began, boot: nobody, up_ms: 1_000, quality: TimeQuality::Synced };
        let mut dice = Visits::new(place.clone(), seed, start, apart_s);
        let (chain, boot) = (ChainId(dice.bytes()), BootId::from_parts(unix_ms, dice.bytes()));
        let mut visits = Visits::new(place, !seed, Moment { boot, ..start }, apart_s);
        let facts = BootFacts {
            software: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash: String::new(),
            boot,
            clock: TimeQuality::Synced,
            touchpoints: vec![touchpoint],
            in_memory: false,
        };
        let first = visits.draft(Body::Boot(facts));
        let (waiting, hash) = (VecDeque::from([first]), chain::genesis(chain));
        Self { identity, chain, boot, began, visits, waiting, seq: 0, hash }
    }

    /// Whose word it takes.
    pub(super) fn trust(&self) -> Trust {
        Trust { key: self.identity.central_key, store: self.identity.store }
    }

    /// The end of its chain.
    pub(super) fn head(&self) -> (u64, Hash) {
        (self.seq, self.hash)
    }

    /// When its last visit ended.
    pub(super) fn last_at(&self) -> DateTime<Utc> {
        self.visits.now().wall
    }

    /// Goes back to a place of the chain: what came after it was never sent.
    pub(super) fn go_back(&mut self, seq: u64, hash: Hash) {
        (self.seq, self.hash) = (seq, hash);
    }

    /// The next lines of the chain.
    pub(super) fn lines(&mut self, count: usize) -> anyhow::Result<Vec<Link>> {
        (0..count).map(|_| self.line().map(|(link, _)| link)).collect()
    }

    fn line(&mut self) -> anyhow::Result<(Link, bool)> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.visits.visit());
        }
        let draft = self.waiting.pop_front().context("a visit has entries")?;
        let is_answer = matches!(draft.body, Body::Answer(_));
        self.seq += 1;
        let line = Entry::new(draft, self.seq).to_line()?.into_bytes();
        self.hash = chain::link(self.hash, chain::leaf(&line));
        Ok((Link { chain: self.chain, seq: self.seq, hash: self.hash, line }, is_answer))
    }

    /// The next entries as a batch that is sent at `now`.
    pub(super) fn batch(
        &mut self,
        size: usize,
        now: DateTime<Utc>,
        host: SocketAddr,
    ) -> anyhow::Result<Batch> {
        let (before, mut lines, mut answers) = (self.head(), Vec::with_capacity(size), 0);
        for _ in 0..size {
            let (link, is_answer) = self.line()?;
            answers += u32::from(is_answer);
            lines.push(link.line);
        }
        let entries = u32::try_from(size)?;
        let header = BatchHeader {
            chain: self.chain,
            first_seq: before.0 + 1,
            previous_hash: before.1,
            count: entries,
            head_hash: self.hash,
            sent: self.moment(now),
        };
        let request = self.speak(now, |speaker| Ok(send_batch(speaker, &header, &lines)?))?;
        let asked = Asked::Batch { first_seq: header.first_seq, count: size };
        let ready = self.ready(asked, &request, host)?;
        Ok(Batch { ready, entries, answers, last_seq: self.seq, head: self.hash })
    }

    /// Asks how far central is.
    pub(super) fn cursor(&mut self, now: DateTime<Utc>, host: SocketAddr) -> anyhow::Result<Ready> {
        let chain = self.chain;
        let request = self.speak(now, |speaker| Ok(ask_cursor(speaker, chain)?))?;
        self.ready(Asked::Cursor, &request, host)
    }

    /// Says how it is.
    pub(super) fn health(&mut self, now: DateTime<Utc>, host: SocketAddr) -> anyhow::Result<Ready> {
        let report = Health {
            chain: self.chain,
            last_seq: self.seq,
            queue_depth: 0,
            oldest_unsent_s: None,
            unsaved: 0,
            refused: 0,
            last_error: None,
            temperature_c: None,
            disk_free_bytes: None,
            clock: TimeQuality::Synced,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash: String::new(),
            screen: ScreenFacts::default(),
            restarts: 0,
            lost_after: None,
            sent: self.moment(now),
        };
        let request = self.speak(now, |speaker| Ok(send_json(speaker, path::HEALTH, &report)?))?;
        self.ready(Asked::Health, &request, host)
    }

    fn moment(&self, now: DateTime<Utc>) -> Moment {
        let up = (now - self.began).max(TimeDelta::zero()) + TimeDelta::seconds(1);
        let up_ms = u64::try_from(up.num_milliseconds()).unwrap_or(0);
        Moment { wall: now, boot: self.boot, up_ms, quality: TimeQuality::Synced }
    }

    fn speak(
        &mut self,
        at: DateTime<Utc>,
        make: impl FnOnce(&Speaker<'_>) -> anyhow::Result<Request>,
    ) -> anyhow::Result<Request> {
        let nonce = self.visits.bytes::<12>().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        let name = self.identity.terminal.to_string();
        make(&Speaker { key: &self.identity.key, terminal: Some(&name), at, nonce: &nonce })
    }

    fn ready(&self, asked: Asked, request: &Request, host: SocketAddr) -> anyhow::Result<Ready> {
        let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let mut head =
            format!("{} {}{query} HTTP/1.1\r\nhost: {host}\r\n", request.method.as_str(), request.path);
        for (name, value) in &request.headers {
            write!(head, "{name}: {value}\r\n")?;
        }
        write!(head, "content-length: {}\r\n\r\n", request.body.len())?;
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&request.body);
        Ok(Ready { bytes, exchange: Exchange::new(asked, self.chain, request) })
    }
}
