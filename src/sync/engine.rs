//! When to say what to central, and what its answers change: a state machine without I/O, clock or dice.
//!
//! The shell asks [`Engine::next`], does the one step, and gives what came of it to [`Engine::handle`]; the effects it returns are done
//! in order. Times are milliseconds of a clock that never jumps. Invariants:
//! - one request at a time; no request before the wait of the last failure is over;
//! - the cursor moves only on [`Outcome::Receipt`] and [`Outcome::Cursor`], which exist only under central's signature;
//! - an entry is skipped only when it was refused alone;
//! - what central has not signed changes nothing but the time of the next request;
//! - a new chain is begun at most once in `NEW_CHAIN_EVERY_MS`, whatever central says.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{
    backoff::{Backoff, spread},
    batch_size::BatchSize,
    diagnosis::Fault,
    outcome::{Asked, Outcome, Trouble},
};
use crate::{
    model::Hash,
    wire::{BATCH_ENTRIES_MAX, CursorReply, HealthReply, Receipt},
};

/// After this many failures in a row staff are told; fewer are a restart or a bad minute.
const FAILURES_UNTIL_BADGE: u32 = 3;

/// A second new chain within this time would be a fault of central or of this program, not of storage.
const NEW_CHAIN_EVERY_MS: u64 = 10 * 60_000;

/// Central is asked for its cursor at least this often, so that a restored store is refilled even from a terminal nobody taps.
const CURSOR_EVERY_MS: u64 = 3_600_000;

/// Shortest and longest time between health reports, in milliseconds, whatever central asks for.
const HEALTH_MS: std::ops::RangeInclusive<u64> = 1_000..=3_600_000;

/// How an engine paces itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Waits after failures.
    pub backoff: Backoff,
    /// After the last entry was sent, new ones gather this long, so that one visitor's taps travel together.
    pub gather_ms: u64,
    /// Most entries in a batch.
    pub entries_max: usize,
    /// Whether configuration that central offers is fetched.
    pub takes_config: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            gather_ms: 1_000,
            entries_max: BATCH_ENTRIES_MAX,
            takes_config: true,
        }
    }
}

/// What the journal holds for central.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Queue {
    /// Acknowledged through this entry.
    pub cursor: u64,
    /// Entries without a receipt.
    pub waiting: u64,
}

/// What to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Ask how far central is.
    GetCursor,
    /// Send the oldest entries, at most this many.
    SendBatch {
        /// Most entries.
        entries_max: usize,
    },
    /// Say how the terminal is.
    SendHealth,
    /// Fetch the configuration.
    GetConfig,
    /// Nothing before this time, unless an entry arrives or the network changes.
    WaitUntil(u64),
}

/// What an answer changes.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Central signed that it holds everything through here; the journal compares the hash with its own.
    MoveCursor {
        /// Last entry held.
        through: u64,
        /// Chain hash there.
        head: Hash,
    },
    /// Central fell back: send again from here, if the hash is the journal's own.
    Rewind {
        /// Last entry held.
        through: u64,
        /// Chain hash there.
        head: Hash,
    },
    /// Mark one entry as refused and pass over it.
    Refuse {
        /// Which.
        seq: u64,
        /// Central's reason.
        reason: String,
    },
    /// Begin a new chain and carry the unsent entries over.
    NewChain(NewChainReason),
    /// Show this to staff, or nothing.
    SetBadge(Option<Badge>),
    /// Keep the size of a batch that passes.
    RememberLimit(usize),
    /// Check this configuration and take it if it is right.
    ApplyConfig {
        /// Its `ETag`.
        etag: String,
        /// Its text.
        text: String,
    },
    /// Central's clock, as of the answer.
    SetClock(DateTime<Utc>),
    /// Central stored these entries and could not read them.
    Quarantined(Vec<crate::wire::Quarantined>),
    /// So many entries of this terminal central keeps and cannot read at present.
    QuarantineIs(u64),
}

/// Why a chain ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewChainReason {
    /// Central holds another history under it.
    Conflict,
    /// Central's hash is not the journal's: another machine writes under it.
    NotOurs,
    /// Central holds more than the journal: storage was rolled back.
    CentralAhead,
    /// The journal cannot link its own entries any more.
    Damaged,
    /// The card was copied from another machine.
    Cloned,
}

impl fmt::Display for NewChainReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "central holds another history under this chain",
            Self::NotOurs => "central's hash is not this journal's",
            Self::CentralAhead => "central holds more than this journal: storage was rolled back",
            Self::Damaged => "an entry of this journal is damaged",
            Self::Cloned => "the card was copied from another machine",
        })
    }
}

/// What staff are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Badge {
    /// Central has not answered for some attempts.
    NoContact(String),
    /// Central does not know this terminal, or no longer.
    NotAllowed(String),
    /// Address, version or something in between is wrong.
    Misconfigured(String),
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoContact(why) => write!(f, "no contact with central: {why}"),
            Self::NotAllowed(why) => write!(f, "not enrolled or revoked: {why}; enrol this terminal anew"),
            Self::Misconfigured(why) => write!(f, "central cannot be used as configured: {why}"),
        }
    }
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Engine {
    pace: Pace,
    failures: u32,
    /// No request before this time.
    not_before_ms: u64,
    /// The wait was asked for by central: a network change does not end it.
    asked_to_wait: bool,
    cursor_due_ms: u64,
    health_due_ms: u64,
    gather_until_ms: u64,
    /// The `ETag` of a configuration that is to be fetched.
    config_wanted: bool,
    config_etag: Option<String>,
    /// Most entries that pass.
    size: BatchSize,
    /// While the entry that makes central refuse a batch is looked for: the size to try.
    probe: Option<usize>,
    last_refused: Option<u64>,
    last_new_chain_ms: Option<u64>,
    badge: Option<Badge>,
}

impl Engine {
    /// An engine that knows nothing of central: it begins by asking for the cursor. `limit` is a remembered batch size.
    pub fn new(pace: Pace, limit: Option<usize>) -> Self {
        Self {
            pace,
            failures: 0,
            not_before_ms: 0,
            asked_to_wait: false,
            cursor_due_ms: 0,
            health_due_ms: 0,
            gather_until_ms: 0,
            config_wanted: false,
            config_etag: None,
            size: BatchSize::new(pace.entries_max, limit),
            probe: None,
            last_refused: None,
            last_new_chain_ms: None,
            badge: None,
        }
    }

    /// What to do at this time.
    pub fn next(&self, now_ms: u64, queue: Queue) -> Step {
        if now_ms < self.not_before_ms {
            Step::WaitUntil(self.not_before_ms)
        } else if now_ms >= self.cursor_due_ms {
            Step::GetCursor
        } else if now_ms >= self.health_due_ms {
            Step::SendHealth
        } else if self.config_wanted {
            Step::GetConfig
        } else if queue.waiting > 0 && now_ms >= self.gather_until_ms {
            Step::SendBatch { entries_max: self.probe.unwrap_or(self.size.now()) }
        } else {
            let gather = if queue.waiting > 0 { self.gather_until_ms } else { u64::MAX };
            Step::WaitUntil(self.cursor_due_ms.min(self.health_due_ms).min(gather))
        }
    }

    /// Takes what came of a request; `queue` is the journal as it was when the request was made, `random` is from 0 up to 1.
    pub fn handle(
        &mut self,
        asked: Asked,
        outcome: Outcome,
        queue: Queue,
        now_ms: u64,
        random: f64,
    ) -> Vec<Effect> {
        match outcome {
            Outcome::Receipt(receipt) => self.receipt(asked, receipt, queue, now_ms, random),
            Outcome::Cursor(cursor) => self.cursor(&cursor, queue, now_ms, random),
            Outcome::Health(reply) => self.health(&reply, now_ms, random),
            Outcome::Config { etag, text } => {
                self.config_wanted = false;
                self.config_etag = Some(etag.clone());
                let mut effects = self.contact();
                effects.push(Effect::ApplyConfig { etag, text });
                effects
            }
            Outcome::ConfigUnchanged => {
                self.config_wanted = false;
                self.contact()
            }
            Outcome::Unknown(trouble) => self.unknown(asked, &trouble, now_ms, random),
            Outcome::Wait { ms, signed, .. } => {
                self.not_before_ms = now_ms + ms + spread(ms / 10, random);
                // Anything in between can ask to wait as well: that wait ends when the network changes.
                self.asked_to_wait = signed;
                Vec::new()
            }
            Outcome::TooLarge => self.too_large(asked, now_ms, random),
            Outcome::Refused { reason } => self.refused(asked, reason, now_ms, random),
            Outcome::NotAllowed { status, reason } => {
                self.slow(Badge::NotAllowed(format!("{reason} ({status})")), now_ms, random)
            }
            Outcome::Misconfigured { status, reason } => {
                self.config_wanted &= asked != Asked::Config;
                self.slow(Badge::Misconfigured(format!("{reason} ({status})")), now_ms, random)
            }
            Outcome::Conflict => self.new_chain(NewChainReason::Conflict, now_ms, random),
        }
    }

    /// The journal found that a hash central signed for is not its own, or cannot read itself.
    pub fn journal_disagrees(&mut self, reason: NewChainReason, now_ms: u64, random: f64) -> Vec<Effect> {
        self.new_chain(reason, now_ms, random)
    }

    /// The journal had nothing to send after all, or could not be read: no second try at once.
    pub fn nothing_sent(&mut self, now_ms: u64) {
        self.gather_until_ms = now_ms + self.pace.gather_ms.max(self.pace.backoff.floor_ms);
    }

    /// Something on this machine failed: waits as after a lost request, without telling staff that central is away.
    pub fn pause(&mut self, now_ms: u64, random: f64) {
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = now_ms + self.pace.backoff.after(self.failures, random);
    }

    /// The network changed, staff asked, or the machine woke up: tries at once, unless central itself asked to wait.
    pub(crate) fn wake(&mut self, now_ms: u64) {
        if !self.asked_to_wait {
            self.failures = 0;
            self.not_before_ms = now_ms;
        }
    }

    /// The `ETag` of the configuration that was fetched last.
    pub fn config_etag(&self) -> Option<&str> {
        self.config_etag.as_deref()
    }

    /// What staff are shown.
    pub fn badge(&self) -> Option<&Badge> {
        self.badge.as_ref()
    }

    fn receipt(
        &mut self,
        asked: Asked,
        receipt: Receipt,
        queue: Queue,
        now_ms: u64,
        random: f64,
    ) -> Vec<Effect> {
        let mut effects = self.contact();
        self.last_refused = None;
        let due = now_ms + interval(receipt.next_sync_after_s, random);
        self.health_due_ms = self.health_due_ms.min(due);
        let full = match asked {
            Asked::Batch { count, .. } => count >= self.probe.unwrap_or(self.size.now()),
            Asked::Cursor | Asked::Health | Asked::Config => false,
        };
        if !full && self.probe.is_none() {
            self.gather_until_ms = now_ms + self.pace.gather_ms;
        }
        effects.extend(self.size.passed().map(Effect::RememberLimit));
        effects.push(Effect::SetClock(receipt.time));
        effects.push(reconcile(receipt.accepted_through, receipt.head_hash, queue.cursor));
        if !receipt.quarantined.is_empty() {
            effects.push(Effect::Quarantined(receipt.quarantined));
        }
        effects
    }

    fn cursor(&mut self, cursor: &CursorReply, queue: Queue, now_ms: u64, random: f64) -> Vec<Effect> {
        let mut effects = self.contact();
        self.cursor_due_ms = now_ms + spread(CURSOR_EVERY_MS, random);
        effects.push(Effect::SetClock(cursor.time));
        effects.push(reconcile(cursor.accepted_through, cursor.head_hash, queue.cursor));
        effects
    }

    fn health(&mut self, reply: &HealthReply, now_ms: u64, random: f64) -> Vec<Effect> {
        let mut effects = self.contact();
        self.health_due_ms = now_ms + interval(reply.next_sync_after_s, random);
        self.config_wanted =
            self.pace.takes_config && reply.config_etag.is_some() && reply.config_etag != self.config_etag;
        if reply.commands.iter().any(|command| command == "sync_now") {
            self.gather_until_ms = now_ms;
        }
        effects.push(Effect::SetClock(reply.time));
        effects.extend(reply.quarantined.map(Effect::QuarantineIs));
        effects
    }

    fn unknown(&mut self, asked: Asked, trouble: &Trouble, now_ms: u64, random: f64) -> Vec<Effect> {
        self.asked_to_wait = false;
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = now_ms + self.pace.backoff.after(self.failures, random);
        // A configuration that cannot be fetched must not hold up the entries.
        self.config_wanted &= asked != Asked::Config;
        if self.failures < FAILURES_UNTIL_BADGE {
            return Vec::new();
        }
        let badge = match trouble.fault() {
            Fault::InBetween => {
                Badge::Misconfigured(format!("something between here and central: {trouble}"))
            }
            Fault::NameUnresolved
            | Fault::Unreached
            | Fault::CertificateTime
            | Fault::CertificateIssuer
            | Fault::CertificateName
            | Fault::NoAnswer
            | Fault::Busy
            | Fault::NotAccepted
            | Fault::Misconfigured
            | Fault::NotEnrolled
            | Fault::Cloned
            | Fault::Other => Badge::NoContact(trouble.to_string()),
        };
        self.set_badge(Some(badge))
    }

    fn too_large(&mut self, asked: Asked, now_ms: u64, random: f64) -> Vec<Effect> {
        match asked {
            Asked::Batch { count, .. } if count > 1 => {
                let limit = self.size.too_large(count);
                self.probe = self.probe.map(|probe| probe.min(limit));
                vec![Effect::RememberLimit(limit)]
            }
            Asked::Batch { .. } | Asked::Cursor | Asked::Health | Asked::Config => {
                let why = "even the smallest request is too large (413); raise body_kib in central.toml";
                self.slow(Badge::Misconfigured(why.into()), now_ms, random)
            }
        }
    }

    fn refused(&mut self, asked: Asked, reason: String, now_ms: u64, random: f64) -> Vec<Effect> {
        match asked {
            Asked::Batch { count, .. } if count > 1 => {
                self.probe = Some(count.div_ceil(2));
                Vec::new()
            }
            // Its leaf hash alone was sent, and is refused too: not the entry is wrong.
            Asked::Batch { first_seq, .. } if self.last_refused == Some(first_seq) => {
                self.slow(Badge::Misconfigured(reason), now_ms, random)
            }
            Asked::Batch { first_seq, .. } => {
                self.probe = None;
                self.last_refused = Some(first_seq);
                vec![Effect::Refuse { seq: first_seq, reason }]
            }
            Asked::Health => {
                // Entries matter more than a report about them.
                self.health_due_ms = now_ms + self.pace.backoff.slow(random);
                self.set_badge(Some(Badge::Misconfigured(reason)))
            }
            Asked::Config => {
                self.config_wanted = false;
                Vec::new()
            }
            Asked::Cursor => self.slow(Badge::Misconfigured(reason), now_ms, random),
        }
    }

    fn new_chain(&mut self, reason: NewChainReason, now_ms: u64, random: f64) -> Vec<Effect> {
        if self.last_new_chain_ms.is_some_and(|at| now_ms < at + NEW_CHAIN_EVERY_MS) {
            return self.slow(Badge::Misconfigured(format!("{reason}, again")), now_ms, random);
        }
        self.last_new_chain_ms = Some(now_ms);
        self.cursor_due_ms = 0;
        self.probe = None;
        self.last_refused = None;
        vec![Effect::NewChain(reason)]
    }

    fn slow(&mut self, badge: Badge, now_ms: u64, random: f64) -> Vec<Effect> {
        self.asked_to_wait = false;
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = now_ms + self.pace.backoff.slow(random);
        self.set_badge(Some(badge))
    }

    /// Central answered as itself.
    fn contact(&mut self) -> Vec<Effect> {
        self.failures = 0;
        self.asked_to_wait = false;
        self.set_badge(None)
    }

    fn set_badge(&mut self, badge: Option<Badge>) -> Vec<Effect> {
        if self.badge == badge {
            return Vec::new();
        }
        self.badge.clone_from(&badge);
        vec![Effect::SetBadge(badge)]
    }
}

/// What central asks for between reports, within our own bounds.
fn interval(seconds: u32, random: f64) -> u64 {
    let ms = (u64::from(seconds) * 1000).clamp(*HEALTH_MS.start(), *HEALTH_MS.end());
    spread(ms, random)
}

fn reconcile(through: u64, head: Hash, cursor: u64) -> Effect {
    if through < cursor { Effect::Rewind { through, head } } else { Effect::MoveCursor { through, head } }
}

#[cfg(test)]
mod tests;
