//! What a tap costs, counted and not timed: calls of the kernel and pages of the log, against the cheapest durable insert and against a journal
//! that is empty. A busy machine changes none of it. Times are printed for people.
#![cfg(feature = "terminal")]
#![expect(clippy::expect_used, reason = "a test stops where the world is not as it was set up")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use crate::faults::survived;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use xinsheng::journal::{BatchLimits, Journal, OpenArgs};

#[path = "support/faults.rs"]
mod faults;

#[path = "support/journal.rs"]
#[expect(dead_code, reason = "shared with the other suites of the journal")]
mod support;

use support::{chain, draft, moment};

/// Inserts on each side.
const ROUNDS: u64 = 400;

/// Writes to the kernel against a bare insert's: the goal. The side file is among them, once in 256 entries.
const WRITES_RATIO_MAX: f64 = 1.25;

/// Bytes against a bare insert's: the journal keeps two hashes with each line, so its rows fill pages sooner.
const BYTES_RATIO_MAX: f64 = 1.5;

/// A long journal against an empty one: pages of the log in each commit.
const PAGES_RATIO_MAX: f64 = 1.1;

/// A terminal starts within two seconds whatever waits in its journal.
const OPEN_MAX: Duration = Duration::from_secs(2);

/// Memory that opening and using a long journal may take, against an empty one.
const MEMORY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Entries in the long journal; `XINSHENG_ENTRIES=1000000` makes it as long as a year without central.
const ENTRIES: u64 = 100_000;

/// Pages of a log: 4096 bytes and a header.
const FRAME_BYTES: u64 = 4096 + 24;

#[test]
fn an_append_costs_about_one_synced_insert() {
    // A folder on a disk, not in memory: the sync is the point.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("folder");
    let (mut journal, _) =
        Journal::open(&dir.path().join("journal"), OpenArgs::new(chain(1), moment(0))).expect("open");
    let floor = Connection::open(dir.path().join("floor.db")).expect("open");
    floor
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (n INTEGER PRIMARY KEY, line TEXT)")
        .expect("floor");
    let line = serde_json::to_string(&"x".repeat(560)).expect("text");
    let (mut ours, mut bare) = (Costs::default(), Costs::default());
    for n in 0..ROUNDS {
        ours.of(|| {
            journal.append(vec![draft(n, moment(n))]).expect("append");
        });
        bare.of(|| {
            floor
                .prepare_cached("INSERT INTO t (line) VALUES (?1)")
                .and_then(|mut insert| insert.execute([&line]))
                .expect("insert");
        });
    }
    let writes = ratio(ours.writes, bare.writes);
    let bytes = ratio(ours.bytes, bare.bytes);
    let (ours, bare) = (median(ours.times), median(bare.times));
    eprintln!(
        "an append against a bare synced insert: {writes:.2} times the writes, {bytes:.2} times the bytes; median {ours:?} against {bare:?}"
    );
    assert!(writes <= WRITES_RATIO_MAX, "an append takes {writes:.2} times the writes of a bare insert");
    assert!(bytes <= BYTES_RATIO_MAX, "an append writes {bytes:.2} times the bytes of a bare insert");
}

#[test]
fn a_journal_of_a_year_opens_at_once_and_a_tap_costs_what_it_costs_in_an_empty_one() {
    let entries = std::env::var("XINSHENG_ENTRIES")
        .ok()
        .map_or(ENTRIES, |text| text.parse().expect("XINSHENG_ENTRIES is a number"));
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("folder");
    let at = |name: &str| dir.path().join(name);
    let (mut long, _) = Journal::open(&at("long"), OpenArgs::new(chain(1), moment(0))).expect("open");
    for first in (0..entries).step_by(1_000) {
        long.append((first..first + 1_000).map(|n| draft(n, moment(n))).collect()).expect("append");
    }
    long.close().expect("close");
    let before = memory_bytes();
    let start = Instant::now();
    let (mut long, report) = Journal::open(&at("long"), OpenArgs::new(chain(2), moment(0))).expect("open");
    let opened = start.elapsed();
    assert_eq!(long.queue_depth(), entries, "{report:?}");
    let (mut empty, _) = Journal::open(&at("empty"), OpenArgs::new(chain(3), moment(0))).expect("open");
    let (full, bare) = (pages(&mut long, &at("long"), entries), pages(&mut empty, &at("empty"), 0));
    let ratio = ratio(full, bare);
    long.stats().expect("stats");
    let (waiting, batches) = drain(&mut long);
    assert_eq!(waiting, entries + 1 + ROUNDS, "everything is sent");
    let memory = memory_bytes().saturating_sub(before);
    eprintln!(
        "{entries} entries: open {opened:?}, {ratio:.2} times the pages of an empty journal, {batches} batches, {} KiB of memory",
        memory / 1024
    );
    assert!(opened < OPEN_MAX, "opening took {opened:?}");
    assert!(
        ratio <= PAGES_RATIO_MAX,
        "an append writes {ratio:.2} times the pages of one in an empty journal"
    );
    assert!(memory < MEMORY_BYTES_MAX, "{memory} bytes of memory");
    survived!(15; entries, "entries");
}

/// Sends everything as the sync thread does; how many entries that were, in how many batches.
fn drain(journal: &mut Journal) -> (u64, u64) {
    let limits = BatchLimits::default();
    let (mut entries, mut batches) = (0, 0);
    while let Some(batch) = journal.batch(limits).expect("a batch") {
        let bytes: usize = batch.lines.iter().map(|line| line.len() + 1).sum();
        assert!(batch.lines.len() <= limits.entries && bytes <= limits.bytes, "{} lines", batch.lines.len());
        journal.acknowledge(batch.last_seq(), batch.head_hash, &moment(0)).expect("acknowledge");
        entries += batch.lines.len() as u64;
        batches += 1;
    }
    (entries, batches)
}

/// Pages that some appends put into the log.
fn pages(journal: &mut Journal, dir: &Path, from: u64) -> u64 {
    let length = || fs::metadata(dir.join("journal.db-wal")).map_or(0, |meta| meta.len());
    journal.append(vec![draft(from, moment(from))]).expect("append");
    let before = length();
    for n in from + 1..=from + ROUNDS {
        journal.append(vec![draft(n, moment(n))]).expect("append");
    }
    (length() - before) / FRAME_BYTES
}

/// What something took, added up.
#[derive(Default)]
struct Costs {
    writes: u64,
    bytes: u64,
    times: Vec<Duration>,
}

impl Costs {
    fn of(&mut self, act: impl FnOnce()) {
        let (writes, bytes) = written();
        let start = Instant::now();
        act();
        self.times.push(start.elapsed());
        let after = written();
        self.writes += after.0 - writes;
        self.bytes += after.1 - bytes;
    }
}

/// Calls that wrote, and the bytes they wrote, of this thread.
fn written() -> (u64, u64) {
    let text = fs::read_to_string("/proc/thread-self/io").expect("the kernel counts what a thread writes");
    let value = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.trim_start_matches(':').trim().parse().expect("a number")
    };
    (value("syscw"), value("wchar"))
}

/// Memory of this program that is in use.
fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("status");
    let line =
        text.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line of anonymous memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

#[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
fn ratio(ours: u64, floor: u64) -> f64 {
    ours as f64 / floor as f64
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
