//! Kiosks, a network and a central, moved by dice with a seed.

mod dice;
mod machines;
mod network;
mod seen;

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use xinsheng::{
    model::EntryId,
    sign::KeyPair,
    sync::{
        engine::{Pace, Step},
        message::{Reply, Request},
    },
};

use super::central::{Backup, Central, is_refused};
use dice::Dice;
use machines::{Kiosk, folder};
use network::Fate;

pub use seen::Seen;

const TERMINAL: &str = "t-0001";

/// A batch in the model: small, so that a queue takes several.
const ENTRIES_MAX: usize = 8;

/// Requests until everything must have been sent once the network is good: far more than the entries of a run.
const SETTLE_REQUESTS: usize = 5_000;

/// A mistake built in on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    None,
    NoDeduplication,
    TrustBare200,
    CursorBeforeReceipt,
}

pub struct World {
    dice: Dice,
    flaw: Flaw,
    central: Central,
    key: KeyPair,
    kiosks: Vec<Kiosk>,
    now_ms: u64,
    /// Requests the terminal gave up on, which arrive when nobody expects them.
    late: Vec<Request>,
    old_receipts: VecDeque<Reply>,
    backups: Vec<Backup>,
    images: Vec<TempDir>,
    thanked: BTreeSet<EntryId>,
    /// Entries that were on a card when it was exchanged for an older image of itself: central may have them or not.
    rolled_back: BTreeSet<EntryId>,
    nonces: u64,
    story: VecDeque<String>,
    pub seen: Seen,
}

impl World {
    pub fn new(seed: u64, flaw: Flaw) -> Self {
        let mut dice = Dice(seed);
        let key = KeyPair::from_seed(&dice.bytes());
        let mut central = Central::new(key.clone(), true_time(0));
        central.deduplicates = flaw != Flaw::NoDeduplication;
        let mut world = Self {
            dice,
            flaw,
            central,
            key,
            kiosks: Vec::new(),
            now_ms: 0,
            late: Vec::new(),
            old_receipts: VecDeque::new(),
            backups: Vec::new(),
            images: Vec::new(),
            thanked: BTreeSet::new(),
            rolled_back: BTreeSet::new(),
            nonces: 0,
            story: VecDeque::new(),
            seen: Seen::default(),
        };
        let dir = folder();
        world.boot_kiosk(dir);
        world
    }

    /// The last things that happened.
    pub fn story(&self) -> String {
        self.story.iter().cloned().collect::<Vec<_>>().join("\n")
    }

    fn tell(&mut self, what: &str) {
        if self.story.len() == 60 {
            self.story.pop_front();
        }
        self.story.push_back(format!("{:>9} ms  {what}", self.now_ms));
    }

    /// One thing happens.
    pub fn step(&mut self) {
        self.now_ms += self.dice.below(300);
        self.central.now = true_time(self.now_ms);
        let i = usize::try_from(self.dice.below(self.kiosks.len() as u64)).expect("small");
        match self.dice.below(100) {
            0..30 => self.tap(i),
            30..80 => self.sync(i),
            80..83 => self.late_arrival(),
            83..86 => self.jump_clock(i),
            86..91 => self.crash(i),
            91..93 => self.backups.push(self.central.back_up()),
            93..95 => self.restore(),
            95..96 => self.copy_card(i),
            96..97 => self.take_image(i),
            97..98 => self.roll_back(i),
            _ => self.pass_time(),
        }
    }

    fn pass_time(&mut self) {
        self.now_ms += self.dice.below(1_200_000);
    }

    fn restore(&mut self) {
        if self.backups.is_empty() {
            return;
        }
        let n = usize::try_from(self.dice.below(self.backups.len() as u64)).expect("small");
        self.central.restore(&self.backups[n]);
        // What came after the backup exists no more.
        self.backups.truncate(n + 1);
        self.seen.count("restore");
        self.tell("central is restored from a backup");
    }

    /// What must hold after every step.
    pub fn check(&mut self) -> Result<(), String> {
        // I2: each entry counts once.
        if let Some((id, count)) = self.central.counts().iter().find(|(_, count)| **count != 1) {
            return Err(format!("entry {id} is counted {count} times"));
        }
        if let Some(id) = self.central.counts().keys().find(|id| !self.thanked.contains(id)) {
            return Err(format!("entry {id} was never tapped"));
        }
        // I3: an entry leaves the queue only under central's signature.
        for (i, kiosk) in self.kiosks.iter_mut().enumerate() {
            let (chain, cursor) = (kiosk.journal().head().chain, kiosk.journal().cursor());
            let signed_for = self.central.signed_for.get(&chain).copied().unwrap_or(0);
            if cursor > signed_for {
                return Err(format!(
                    "kiosk {i} has its cursor at {cursor}, central never signed for more than {signed_for}"
                ));
            }
        }
        // I4 and I7: what central holds of a chain is whole and in the terminal's order, whatever the clocks said.
        self.central.verify()?;
        // I8: what central cannot read is kept.
        if self.central.quarantine_is_kept() { Ok(()) } else { Err("a quarantined entry is gone".into()) }
    }

    /// The network is good again and nothing more happens: everything is sent.
    pub fn settle(&mut self) {
        while !self.late.is_empty() {
            self.late_arrival();
        }
        for _ in 0..2 {
            // Time for waits to end and for the cursor to be asked again: central may have been restored.
            self.now_ms += 4 * 3_600_000;
            for i in 0..self.kiosks.len() {
                self.settle_kiosk(i);
            }
        }
    }

    fn settle_kiosk(&mut self, i: usize) {
        for _ in 0..SETTLE_REQUESTS {
            let queue = self.kiosks[i].queue();
            match self.kiosks[i].engine.next(self.now_ms, queue) {
                Step::WaitUntil(_) if queue.waiting == 0 => return,
                Step::WaitUntil(at) => self.now_ms = at,
                step @ (Step::GetCursor | Step::SendBatch { .. } | Step::SendHealth | Step::GetConfig) => {
                    self.exchange(i, step, queue, Fate::Good);
                }
            }
        }
        panic!("kiosk {i} does not come to rest\n{}", self.story());
    }

    /// What must hold at the end: every entry that was thanked for is counted, once.
    pub fn check_settled(&mut self) -> Result<(), String> {
        self.check()?;
        let missing = |id: &&EntryId| {
            !self.central.is_stored(**id) && !is_refused(**id) && !self.rolled_back.contains(*id)
        };
        match self.thanked.iter().find(missing) {
            Some(id) => Err(format!("entry {id} was thanked for and is not at central")),
            None => Ok(()),
        }
    }
}

fn pace() -> Pace {
    Pace { entries_max: ENTRIES_MAX, ..Pace::default() }
}

fn true_time(now_ms: u64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_795_000_000, 0).expect("a date");
    start + TimeDelta::milliseconds(i64::try_from(now_ms).expect("small"))
}
