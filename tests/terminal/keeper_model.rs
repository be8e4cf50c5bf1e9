//! Random faults of the disk and of the way to central against the journal that goes on in memory: nothing stored is lost, nothing counts twice,
//! and what is in memory is bounded and never called stored.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]

use crate::faults::survived;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use xinsheng::{
    journal::{
        AppendError, BatchLimits, Journal, Keeper, Kept, MEMORY_ENTRIES_MAX, Names, OpenArgs, TestHooks,
    },
    model::{ChainId, EntryId},
    wire::Withheld,
};

use crate::{
    chance,
    support::{draft, entry_id, fast_dir, id, moment},
};

/// What happens in one case.
const ACTIONS: usize = 60;

#[derive(Clone, Debug)]
enum Action {
    Tap(u8),
    /// Whether the disk takes entries from now on.
    Disk(bool),
    /// Time passes, and the disk is tried if that is due.
    Idle(u32),
    /// A batch goes to central; its receipt may be lost.
    Send {
        entries: u8,
        receipt: bool,
    },
    /// Central refuses one entry for good.
    Refuse,
    /// The program ends in order, and starts again.
    Restart,
    /// The power goes, and comes back.
    PowerCut,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        10 => (1..6u8).prop_map(Action::Tap),
        1 => (100..=255u8).prop_map(Action::Tap),
        4 => any::<bool>().prop_map(Action::Disk),
        5 => (0..200_000u32).prop_map(Action::Idle),
        6 => (1..=255u8, any::<bool>()).prop_map(|(entries, receipt)| Action::Send { entries, receipt }),
        1 => Just(Action::Refuse),
        1 => Just(Action::Restart),
        1 => Just(Action::PowerCut),
    ]
}

#[derive(Default)]
struct Central {
    through: BTreeMap<ChainId, u64>,
    counted: BTreeSet<EntryId>,
}

struct World {
    folder: tempfile::TempDir,
    keeper: Option<Keeper>,
    broken: Arc<AtomicBool>,
    up_ms: u64,
    next: u64,
    central: Central,
    stored: BTreeSet<EntryId>,
    held: BTreeSet<EntryId>,
    nowhere: BTreeSet<EntryId>,
    refused: BTreeSet<EntryId>,
    begun_in_memory: u64,
}

fn open(dir: &Path, broken: &Arc<AtomicBool>, number: u64, up_ms: u64) -> Keeper {
    let broken = broken.clone();
    let probe = move |point: &'static str| point == "append before commit" && broken.load(Ordering::Relaxed);
    let hooks = TestHooks { probe: Some(Arc::new(probe)), ..TestHooks::default() };
    let args = OpenArgs { ballast_bytes: 0, hooks, ..OpenArgs::new(chain_of(number), moment(up_ms)) };
    Keeper::new(Journal::open(dir, args).unwrap().0)
}

fn chain_of(number: u64) -> ChainId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    ChainId(bytes)
}

impl World {
    fn new() -> Self {
        let (folder, broken) = (fast_dir(), Arc::new(AtomicBool::new(false)));
        let keeper = Some(open(folder.path(), &broken, 1, 0));
        Self {
            folder,
            keeper,
            broken,
            up_ms: 0,
            next: 1_000,
            central: Central::default(),
            stored: BTreeSet::new(),
            held: BTreeSet::new(),
            nowhere: BTreeSet::new(),
            refused: BTreeSet::new(),
            begun_in_memory: 0,
        }
    }

    fn keeper(&mut self) -> &mut Keeper {
        self.keeper.as_mut().unwrap()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn act(&mut self, action: &Action) -> Result<(), TestCaseError> {
        self.up_ms += 10;
        match action {
            Action::Tap(count) => self.tap(u64::from(*count))?,
            Action::Disk(works) => self.broken.store(!works, Ordering::Relaxed),
            Action::Idle(ms) => {
                self.up_ms += u64::from(*ms);
                let (now, broken) = (moment(self.up_ms), self.broken.load(Ordering::Relaxed));
                let unsaved = self.keeper().unsaved();
                if self.keeper().write_down(&now).is_some() {
                    prop_assert!(!broken || unsaved == Some(0), "a broken disk has taken entries");
                    self.stored.append(&mut self.held);
                }
            }
            Action::Send { entries, receipt } => self.send(usize::from(*entries), *receipt)?,
            Action::Refuse => {
                let journal = self.keeper().sending();
                if let Some(batch) = journal.batch(BatchLimits::default()).unwrap() {
                    let first = entry_id(&batch.lines[0]);
                    journal.refuse(batch.first_seq, "not a question of this hospital").unwrap();
                    self.refused.extend(first);
                }
            }
            Action::Restart => {
                let (now, broken) = (moment(self.up_ms), self.broken.load(Ordering::Relaxed));
                self.keeper.take().unwrap().close(&now).ok();
                if broken {
                    self.lose();
                } else {
                    self.stored.append(&mut self.held);
                }
                self.start();
            }
            Action::PowerCut => {
                // Dropped without a word: the journal on the disk has its commits, the memory is gone.
                drop(self.keeper.take());
                self.lose();
                self.start();
            }
        }
        let waits = self.keeper().unsaved();
        prop_assert!(waits.is_none_or(|waits| waits <= MEMORY_ENTRIES_MAX), "{waits:?} wait in memory");
        Ok(())
    }

    /// What was in memory alone is lost, unless central has it.
    fn lose(&mut self) {
        self.nowhere.append(&mut self.held);
    }

    fn start(&mut self) {
        let number = self.number();
        self.keeper = Some(open(self.folder.path(), &self.broken, number, self.up_ms));
    }

    fn tap(&mut self, count: u64) -> Result<(), TestCaseError> {
        let now = moment(self.up_ms);
        let numbers: Vec<u64> = (0..count).map(|_| self.number()).collect();
        let ids = numbers.iter().map(|n| id(*n));
        let drafts = numbers.iter().map(|n| draft(*n, now)).collect();
        let broken = self.broken.load(Ordering::Relaxed);
        let (chain, boot) = (self.number(), self.number());
        let names = || Names { chain: chain_of(chain), boot: id(boot) };
        let was_in_memory = self.keeper().unsaved().is_some();
        match self.keeper().append(drafts, &now, names) {
            Ok(Kept::OnDisk(_)) => {
                prop_assert!(!broken && !was_in_memory, "called stored");
                self.stored.extend(ids);
            }
            Ok(Kept::InMemory { unsaved, .. }) => {
                prop_assert!(unsaved >= count);
                self.begun_in_memory += u64::from(!was_in_memory);
                self.held.extend(ids);
            }
            Err(AppendError::MemoryFull) => {
                let waits = self.keeper().unsaved().unwrap();
                prop_assert!(waits + count > MEMORY_ENTRIES_MAX, "refused with {waits} in memory");
                self.nowhere.extend(ids);
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        Ok(())
    }

    fn send(&mut self, entries: usize, receipt: bool) -> Result<(), TestCaseError> {
        let now = moment(self.up_ms);
        let journal = self.keeper.as_mut().unwrap().sending();
        let limits = BatchLimits { entries, ..BatchLimits::default() };
        let Some(batch) = journal.batch(limits).unwrap() else { return Ok(()) };
        let known = self.central.through.entry(batch.chain).or_default();
        prop_assert!(batch.first_seq <= *known + 1, "a gap");
        *known = (*known).max(batch.last_seq());
        for line in &batch.lines {
            if serde_json::from_slice::<Withheld>(line).is_err() {
                self.central.counted.extend(entry_id(line));
            }
        }
        if receipt {
            // A broken disk refuses this too, in its own way; here only entries are refused.
            journal.acknowledge(batch.last_seq(), batch.head_hash, &now).unwrap();
        }
        Ok(())
    }

    /// The disk works, everything is written down and sent.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.broken.store(false, Ordering::Relaxed);
        self.act(&Action::Idle(100_000))?;
        prop_assert_eq!(self.keeper().unsaved(), None, "the disk works and is not used");
        while self.keeper().sending().queue_depth() > 0 {
            self.send(1_000, true)?;
        }
        Ok(())
    }
}

#[test]
fn what_is_held_in_memory_is_bounded_sent_and_written_down_and_nothing_stored_is_lost() {
    let steps: u32 = std::env::var("XINSHENG_STEPS").ok().and_then(|s| s.parse().ok()).unwrap_or(12_000);
    let mut runner = TestRunner::new(chance::cases(steps / u32::try_from(ACTIONS).expect("small")));
    let mut begun = 0;
    let (sender, counts) = std::sync::mpsc::channel();
    runner
        .run(&prop::collection::vec(action(), ACTIONS), |actions| {
            let mut world = World::new();
            for action in &actions {
                world.act(action)?;
            }
            world.settle()?;
            for entry in world.stored.iter().filter(|entry| !world.refused.contains(entry)) {
                prop_assert!(world.central.counted.contains(entry), "{entry} was stored and is lost");
            }
            sender.send(world.begun_in_memory).unwrap();
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    begun += counts.try_iter().sum::<u64>();
    println!("{begun} times the journal went on in memory");
    assert!(begun > u64::from(steps) / 100, "the disk hardly ever failed");
    survived!(9; begun, "disks that refused");
}
