//! A world around a journal that is simple enough to be right: a central that is two lists, and a record of every thanks.

mod central;
mod checks;

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use tempfile::TempDir;
use xinsheng::{
    clock::{Clock, SimClock},
    journal::{BatchLimits, Journal, JournalError, OpenArgs, Opened, Retention, TestHooks, Upkeep},
    model::{ChainId, EntryId, Hash, TimeQuality},
};

use crate::support::{copy_dir, entry_id, fast_dir, id, moment, sized_draft};
use central::{Central, Stored};

/// The newest entries that retention keeps here: few, so that erasing happens.
const KEPT_ENTRIES: u64 = 12;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Action {
    Append {
        count: u8,
        bytes: u16,
    },
    Deliver {
        entries: u8,
        bytes: u16,
        how: Delivery,
    },
    /// Central refuses one of the waiting entries.
    Refuse(u8),
    Upkeep(u8),
    NewChain,
    ClockDays(i16),
    /// A reboot; whether the clock is known after it.
    ClockSet(bool),
    BackUpCentral,
    RestoreCentral,
    ImageCard,
    RestoreCard,
    Restart,
    Kill,
    /// The power goes at the n-th point between two writes of an action.
    CrashDuring {
        point: u8,
        action: Box<Action>,
    },
}

/// How a request fares.
#[derive(Clone, Copy, Debug)]
pub enum Delivery {
    Received,
    RequestLost,
    ReceiptLost,
    ReceiptTwice,
    /// The receipt of the batch before comes instead.
    OldReceipt,
    /// Somebody else answers with a hash of their own.
    ForgedReceipt,
}

/// How often the rare things happened, to show that a suite is not hollow.
pub type Tally = Arc<Mutex<BTreeMap<&'static str, u64>>>;

/// Everything around one terminal.
pub struct World {
    tally: Tally,
    root: TempDir,
    lives: u32,
    journal: Option<Journal>,
    clock: Arc<SimClock>,
    hooks: TestHooks,
    crash: Arc<Mutex<Crash>>,
    central: Central,
    backup: Option<Central>,
    /// Everything central ever counted, whatever was restored since.
    ever_counted: HashSet<EntryId>,
    image: Option<PathBuf>,
    thanked: HashSet<EntryId>,
    /// Written when the power went: may be there or not.
    doubtful: HashSet<EntryId>,
    /// Refused by central at some time, which may hold the place of it ever since.
    refused: HashSet<EntryId>,
    old_receipt: Option<(u64, Hash)>,
    next: u64,
    next_chain: u8,
}

/// A planned power cut.
#[derive(Default)]
struct Crash {
    after: Option<u8>,
    from: PathBuf,
    to: PathBuf,
    happened: bool,
}

impl Crash {
    fn pass(&mut self) {
        match self.after {
            Some(0) => {
                copy_dir(&self.from, &self.to);
                self.happened = true;
                self.after = None;
            }
            Some(n) => self.after = Some(n - 1),
            None => {}
        }
    }
}

type Step<T = ()> = Result<T, String>;

fn told<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

impl World {
    pub fn new(hooks: &TestHooks, tally: Tally) -> Self {
        let crash: Arc<Mutex<Crash>> = Arc::default();
        let passing = crash.clone();
        let probe = move |_: &'static str| {
            passing.lock().expect("lock").pass();
            false
        };
        Self {
            tally,
            root: fast_dir(),
            lives: 0,
            journal: None,
            clock: Arc::new(SimClock::new(moment(0))),
            hooks: TestHooks { probe: Some(Arc::new(probe)), ..hooks.clone() },
            crash,
            central: Central::default(),
            backup: None,
            ever_counted: HashSet::new(),
            image: None,
            thanked: HashSet::new(),
            doubtful: HashSet::new(),
            refused: HashSet::new(),
            old_receipt: None,
            next: 0,
            next_chain: 0,
        }
    }

    /// Lives through the actions, then lets everything be delivered and compares.
    pub fn live(mut self, actions: &[Action]) -> Step {
        self.open(&[Opened::Fresh])?;
        for action in actions {
            self.act(action).map_err(|error| format!("{action:?}: {error}"))?;
            // A tap alone takes nothing away; it is checked with what comes next.
            if !matches!(action, Action::Append { .. }) {
                self.check().map_err(|error| format!("after {action:?}: {error}"))?;
            }
        }
        self.settle().map_err(|error| format!("at the end: {error}"))
    }

    fn count(&self, what: &'static str, by: u64) {
        *self.tally.lock().expect("lock").entry(what).or_default() += by;
    }

    fn act(&mut self, action: &Action) -> Step {
        self.count("actions", 1);
        self.clock.advance(1000);
        match action {
            Action::Append { count, bytes } => self.append(*count, *bytes),
            Action::Deliver { entries, bytes, how } => {
                self.deliver(usize::from(*entries), usize::from(*bytes), *how)
            }
            Action::Refuse(which) => self.refuse(*which),
            Action::Upkeep(steps) => (0..*steps).try_for_each(|_| self.upkeep().map(drop)),
            Action::NewChain => self.new_chain(),
            Action::ClockDays(days) => {
                self.clock.jump_wall(TimeDelta::days(i64::from(*days)));
                Ok(())
            }
            Action::ClockSet(known) => {
                let quality = if *known { TimeQuality::Synced } else { TimeQuality::Unset };
                self.clock.reboot(moment(0).boot, quality);
                self.restart()
            }
            Action::BackUpCentral => {
                self.backup = Some(self.central.clone());
                Ok(())
            }
            Action::RestoreCentral => {
                self.central = self.backup.clone().unwrap_or_else(|| self.central.clone());
                Ok(())
            }
            Action::ImageCard => {
                let to = self.root.path().join(format!("image-{}", self.lives));
                fs::remove_dir_all(&to).ok();
                copy_dir(&self.dir(), &to);
                self.image = Some(to);
                Ok(())
            }
            Action::RestoreCard => self.restore_card(),
            Action::Restart => self.restart(),
            Action::Kill => self.kill(),
            Action::CrashDuring { point, action } => self.crash_during(*point, action),
        }
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join(format!("life-{}", self.lives))
    }

    fn journal(&mut self) -> &mut Journal {
        self.journal.as_mut().expect("a journal is open")
    }

    fn fresh_chain(&mut self) -> ChainId {
        self.next_chain += 1;
        let mut bytes = [self.next_chain; 16];
        bytes[0] = 0;
        ChainId(bytes)
    }

    fn open(&mut self, expected: &[Opened]) -> Step {
        let args = OpenArgs {
            retention: Retention { days: 30, entries: KEPT_ENTRIES },
            ballast_bytes: 512,
            hooks: self.hooks.clone(),
            ..OpenArgs::new(self.fresh_chain(), self.clock.now())
        };
        let (journal, report) = Journal::open(&self.dir(), args).map_err(told("open"))?;
        if !expected.contains(&report.opened) {
            return Err(format!("opened as {report:?}"));
        }
        self.journal = Some(journal);
        Ok(())
    }

    fn append(&mut self, count: u8, bytes: u16) -> Step {
        let now = self.clock.now();
        let numbers = self.next..self.next + u64::from(count);
        self.next = numbers.end;
        let drafts = numbers.clone().map(|n| sized_draft(n, now, usize::from(bytes))).collect();
        let head = self.journal().append(drafts).map_err(told("append"))?;
        if head != self.journal().head() {
            return Err("the head told is not the head".into());
        }
        self.thanked.extend(numbers.map(id));
        Ok(())
    }

    /// What the sync thread does: asks for the cursor, follows it, sends a batch, believes the receipt.
    fn deliver(&mut self, entries: usize, bytes: usize, how: Delivery) -> Step {
        // It asks at its start and when it is in doubt, not before every batch.
        if entries.is_multiple_of(2) && !self.follow_cursor()? {
            return Ok(());
        }
        let limits = BatchLimits { entries, bytes };
        let Some(batch) = self.journal().batch(limits).map_err(told("batch"))? else { return Ok(()) };
        let sent: usize = batch.lines.iter().map(|line| line.len() + 1).sum();
        if batch.lines.len() > entries || (sent > bytes && batch.lines.len() > 1) {
            return Err(format!("{} lines, {sent} bytes in a batch of {limits:?}", batch.lines.len()));
        }
        if matches!(how, Delivery::RequestLost) {
            return Ok(());
        }
        let receipt = self.central.store(&batch)?;
        self.ever_counted.extend(&self.central.counted);
        let receipt = match receipt {
            Stored::All(through, hash) => (through, hash),
            Stored::Conflict => {
                self.count("conflicts", 1);
                return self.new_chain();
            }
            Stored::Gap => {
                self.count("gaps", 1);
                return self.follow_cursor().map(drop);
            }
        };
        let forged = (batch.last_seq(), Hash([9; 32]));
        let old = self.old_receipt.replace(receipt);
        match how {
            Delivery::Received => self.believe(receipt),
            Delivery::RequestLost | Delivery::ReceiptLost => Ok(()),
            Delivery::ReceiptTwice => self.believe(receipt).and_then(|()| self.believe(receipt)),
            Delivery::OldReceipt => old.map_or(Ok(()), |old| self.believe(old)),
            Delivery::ForgedReceipt => {
                // It names entries that central does not have.
                let beyond = (self.journal().head().seq, forged.1);
                self.believe(beyond)
            }
        }
    }

    /// A receipt that the journal does not believe is no error; moving on one that is wrong is.
    fn believe(&mut self, (through, hash): (u64, Hash)) -> Step {
        let (now, before) = (self.clock.now(), self.journal().cursor());
        match self.journal().acknowledge(through, hash, &now) {
            Ok(()) if self.journal().cursor() == before.max(through) => Ok(()),
            Ok(()) => Err(format!("acknowledged through {through}, cursor at {}", self.journal().cursor())),
            Err(JournalError::HeadMismatch { .. } | JournalError::Ahead { .. }) => {
                self.count("receipts not believed", 1);
                Ok(())
            }
            Err(error) => Err(format!("acknowledge: {error}")),
        }
    }

    /// Brings the cursor to where central is; `false` if that needed a new chain.
    fn follow_cursor(&mut self) -> Step<bool> {
        let now = self.clock.now();
        let chain = self.journal().head().chain;
        let (through, hash) = self.central.cursor(chain);
        let followed = if through < self.journal().cursor() {
            self.count(if through == 0 { "rewinds to the beginning" } else { "rewinds" }, 1);
            self.journal().rewind(through, hash)
        } else {
            self.journal().acknowledge(through, hash, &now)
        };
        match followed {
            Ok(()) => Ok(true),
            Err(JournalError::HeadMismatch { .. } | JournalError::Ahead { .. }) => {
                self.count("central ahead or other", 1);
                self.new_chain().map(|()| false)
            }
            Err(error) => Err(format!("cursor: {error}")),
        }
    }

    fn refuse(&mut self, which: u8) -> Step {
        let limits = BatchLimits { entries: 1 + usize::from(which % 8), bytes: usize::MAX };
        let Some(batch) = self.journal().batch(limits).map_err(told("batch"))? else { return Ok(()) };
        let refused = batch.lines.last().and_then(|line| entry_id(line));
        self.refused.extend(refused);
        self.journal().refuse(batch.last_seq(), "unknown question").map_err(told("refuse"))
    }

    fn upkeep(&mut self) -> Step<Upkeep> {
        let now = self.clock.now();
        self.journal().upkeep(&now).map_err(told("upkeep"))
    }

    fn new_chain(&mut self) -> Step {
        let (chain, now) = (self.fresh_chain(), self.clock.now());
        self.journal().start_new_chain(chain, &now).map_err(told("new chain"))?;
        self.old_receipt = None;
        Ok(())
    }

    fn restart(&mut self) -> Step {
        if let Some(journal) = self.journal.take() {
            journal.close().map_err(told("close"))?;
        }
        self.open(&[Opened::Continued])
    }

    /// The program dies; the machine does not.
    fn kill(&mut self) -> Step {
        let from = self.dir();
        let to = self.root.path().join(format!("life-{}", self.lives + 1));
        copy_dir(&from, &to);
        self.move_to_next_life();
        self.open(&[Opened::Continued])
    }

    fn move_to_next_life(&mut self) {
        self.journal = None;
        fs::remove_dir_all(self.dir()).expect("remove");
        self.lives += 1;
    }

    fn crash_during(&mut self, point: u8, action: &Action) -> Step {
        let swaps_folders = matches!(action, Action::Kill | Action::RestoreCard | Action::CrashDuring { .. });
        if swaps_folders {
            return self.act(action);
        }
        let to = self.root.path().join(format!("life-{}", self.lives + 1));
        let plan = Crash { after: Some(point), from: self.dir(), to, happened: false };
        *self.crash.lock().expect("lock") = plan;
        let thanked = self.thanked.clone();
        self.act(action)?;
        let crash = std::mem::take(&mut *self.crash.lock().expect("lock"));
        if !crash.happened {
            return self.kill();
        }
        self.count("crashes inside an action", 1);
        // Nobody was thanked for what was being written when the power went.
        self.doubtful.extend(self.thanked.difference(&thanked));
        self.thanked = thanked;
        self.move_to_next_life();
        self.open(&[Opened::Continued])
    }

    /// The card is put back to an older image of itself: what was stored since then, and is not at central, is gone with the card.
    fn restore_card(&mut self) -> Step {
        let Some(image) = self.image.clone() else { return Ok(()) };
        self.move_to_next_life();
        copy_dir(&image, &self.dir());
        self.open(&[Opened::Continued])?;
        let held = self.held()?;
        let counted = self.ever_counted.clone();
        self.count("cards put back", 1);
        self.doubtful.extend(self.thanked.iter().filter(|id| !held.contains_key(*id)));
        self.thanked.retain(|id| held.contains_key(id) || counted.contains(id));
        self.old_receipt = None;
        Ok(())
    }
}
