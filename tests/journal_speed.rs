//! A tap costs little more than the cheapest durable insert: both are measured in turns in one run, so that a busy machine slows both.
#![cfg(feature = "terminal")]
#![expect(clippy::expect_used, reason = "a test stops where the world is not as it was set up")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::{Duration, Instant};

use rusqlite::Connection;
use xinsheng::journal::{Journal, OpenArgs};

#[path = "support/journal.rs"]
#[expect(dead_code, reason = "shared with the other suites of the journal")]
mod support;

use support::{chain, draft, moment};

/// Inserts on each side.
const ROUNDS: u64 = 400;

/// The goal is 1.25; what a shared machine adds must not fail the suite.
const RATIO_MAX: f64 = 2.0;

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
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        ours.push(timed(|| {
            journal.append(vec![draft(n, moment(n))]).expect("append");
        }));
        bare.push(timed(|| {
            floor
                .prepare_cached("INSERT INTO t (line) VALUES (?1)")
                .and_then(|mut insert| insert.execute([&line]))
                .expect("insert");
        }));
    }
    let (ours, bare) = (median(ours), median(bare));
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    eprintln!("append {ours:?}, bare synced insert {bare:?}, ratio {ratio:.2}");
    assert!(ratio < RATIO_MAX, "an append takes {ratio:.2} times a bare insert");
}

fn timed(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
