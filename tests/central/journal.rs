//! A terminal's journal in memory, and the signed requests a terminal makes of it.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic; not every file does")]

use chrono::{DateTime, TimeDelta, Utc};
use xinsheng::{
    chain,
    model::{BootId, ChainId, EntryId, Hash, Moment, ResponseId, Scale, TimeQuality, Value},
    wire::{
        Answer, BatchHeader, Body, Draft, EndOutcome, Entry, Flag, HelpCall, Reasons, ResponseEnd, SelfTest,
    },
};

/// The moment all journals begin.
pub const START: &str = "2026-11-21T00:30:00Z";

pub fn start() -> DateTime<Utc> {
    START.parse().unwrap()
}

pub struct Journal {
    pub chain: ChainId,
    pub boot: BootId,
    pub lines: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    made: u64,
}

impl Journal {
    pub fn new(number: u8) -> Self {
        let boot = BootId::from_parts(u64::from(number), [number; 10]);
        Self::of(ChainId([number; 16]), boot)
    }

    /// Of a terminal among so many that a byte does not tell them apart.
    pub fn of(chain: ChainId, boot: BootId) -> Self {
        Self { chain, boot, lines: vec![], hashes: vec![chain::genesis(chain)], made: 0 }
    }

    pub fn head(&self) -> Hash {
        *self.hashes.last().unwrap()
    }

    pub fn last_seq(&self) -> u64 {
        self.lines.len() as u64
    }

    /// A minute passes between two entries.
    pub fn now(&self) -> Moment {
        let minutes = i64::try_from(self.made).unwrap();
        Moment {
            wall: start() + TimeDelta::minutes(minutes),
            boot: self.boot,
            up_ms: self.made * 60_000,
            quality: TimeQuality::Synced,
        }
    }

    pub fn push(&mut self, body: Body) -> EntryId {
        let (id, at) = (self.fresh_id(), self.now());
        self.push_draft(Draft { id, at, body });
        id
    }

    /// The same on a machine that does not know what time it is.
    pub fn push_without_clock(&mut self, body: Body) -> EntryId {
        let at = Moment { wall: DateTime::UNIX_EPOCH, quality: TimeQuality::Unset, ..self.now() };
        let id = self.fresh_id();
        self.push_draft(Draft { id, at, body });
        id
    }

    fn fresh_id(&self) -> EntryId {
        let mut random = [self.chain.0[0]; 10];
        random[9] = self.chain.0[1];
        random[..8].copy_from_slice(&self.made.to_be_bytes());
        EntryId::from_parts(1, random)
    }

    pub fn push_draft(&mut self, draft: Draft) {
        let line = Entry::new(draft, self.last_seq() + 1).to_line().unwrap();
        self.push_raw(line.into_bytes());
    }

    pub fn push_raw(&mut self, line: Vec<u8>) {
        self.made += 1;
        self.hashes.push(chain::link(self.head(), chain::leaf(&line)));
        self.lines.push(line);
    }

    /// The header of a batch over existing entries.
    pub fn header(&self, first_seq: u64, count: usize) -> BatchHeader {
        let first = usize::try_from(first_seq).unwrap() - 1;
        BatchHeader {
            chain: self.chain,
            first_seq,
            previous_hash: self.hashes[first],
            count: u32::try_from(count).unwrap(),
            head_hash: self.hashes[first + count],
            sent: self.now(),
        }
    }

    pub fn body(&self, first_seq: u64, count: usize) -> Vec<u8> {
        let first = usize::try_from(first_seq).unwrap() - 1;
        let mut body = serde_json::to_vec(&self.header(first_seq, count)).unwrap();
        body.push(b'\n');
        for line in &self.lines[first..first + count] {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        body
    }
}

pub fn response(number: u64) -> ResponseId {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    ResponseId::from_parts(2, random)
}

/// An answer at the window's first question (`csat5`).
pub fn answer(number: u64, value: u8) -> Body {
    Body::Answer(Answer {
        response: response(number),
        touchpoint: "window".parse().unwrap(),
        questionnaire: "long@1".parse().unwrap(),
        question: "a".parse().unwrap(),
        scale: Scale::Csat5,
        value: Value(value),
        lang: "zh-CN".parse().unwrap(),
        shown_ms: Some(2_000),
        order: [1, 2, 3, 4, 5].map(Value).into(),
        flags: vec![],
    })
}

/// Why the window's first question got a value of 1 or 2: of `wait`, `manner` and `other`.
pub fn because(number: u64, value: u8, chosen: &[&str]) -> Body {
    Body::Reasons(Reasons {
        response: response(number),
        touchpoint: "window".parse().unwrap(),
        questionnaire: "long@1".parse().unwrap(),
        question: "a".parse().unwrap(),
        value: Value(value),
        reasons: chosen.iter().map(|id| id.parse().unwrap()).collect(),
        order: vec![],
        lang: "zh-CN".parse().unwrap(),
        shown_ms: 1_000,
    })
}

pub fn flagged(body: Body) -> Body {
    let Body::Answer(answer) = body else { return body };
    Body::Answer(Answer { flags: vec![Flag::Repeat], ..answer })
}

pub fn end(number: u64, outcome: EndOutcome) -> Body {
    Body::ResponseEnd(ResponseEnd {
        response: response(number),
        touchpoint: Some("window".parse().unwrap()),
        outcome,
        replaces: None,
    })
}

pub fn help(touchpoint: &str, lang: &str) -> Body {
    Body::HelpCalled(HelpCall { touchpoint: touchpoint.parse().unwrap(), lang: lang.parse().unwrap() })
}

pub fn tested(target: &str) -> Body {
    Body::SelfTest(SelfTest { touchpoint: "window".parse().unwrap(), target: target.to_owned() })
}
