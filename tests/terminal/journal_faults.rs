//! Faults of storage by name: what the journal finds, what it says, and that no entry it can still read is lost.

#![cfg(feature = "terminal")]
#![expect(clippy::expect_used, reason = "a test stops where the world is not as it was set up")]

mod damage;
mod disk;
mod in_use;
mod resources;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use xinsheng::{
    journal::{Journal, OpenArgs, OpenReport, Opened, TestHooks, Why},
    model::EntryId,
};

use crate::support::{draft, drafts, id, moment, open, small};

/// Makes a journal with entries 0..n, the first `sent` of them acknowledged, closed cleanly.
fn filled(dir: &Path, n: u64, sent: u64) {
    let (mut journal, report) = open(dir, 1);
    assert_eq!(report.opened, Opened::Fresh);
    journal.append(drafts(0..sent)).expect("append");
    let head = journal.head();
    journal.acknowledge(head.seq, head.hash, &moment(0)).expect("acknowledge");
    for n in sent..n {
        journal.append(vec![draft(n, moment(n))]).expect("append");
    }
    journal.close().expect("close");
}

fn ids(numbers: std::ops::Range<u64>) -> Vec<EntryId> {
    numbers.map(id).collect()
}

fn set_aside(report: &OpenReport) -> (&Why, &PathBuf, u64) {
    match &report.opened {
        Opened::SetAside { why, moved_to, salvaged } => (why, moved_to, *salvaged),
        other @ (Opened::Fresh | Opened::Continued | Opened::NewChain { .. }) => {
            panic!("not set aside: {other:?}")
        }
    }
}

/// Opens a journal whose commits of entries fail at a point as often as the counter says.
fn failing(dir: &Path, point: &'static str) -> (Journal, Arc<AtomicU32>) {
    let failures = Arc::new(AtomicU32::new(0));
    let left = failures.clone();
    let probe = move |at: &'static str| {
        at == point && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
    };
    let hooks = TestHooks { probe: Some(Arc::new(probe)), ..TestHooks::default() };
    let (journal, _) = Journal::open(dir, OpenArgs { hooks, ..small(1) }).expect("open");
    (journal, failures)
}
