//! The way of an entry to central, against chance: the real engine and the real journal, with keys that really sign, against a central
//! that is a few maps in memory, over a network that loses, repeats, delays, forges and answers nonsense. Kiosks crash, cards are copied
//! and rolled back, central is restored from old backups, clocks jump. After each step the invariants of the design hold; at the end the
//! network is good again, and central must have counted every entry that was thanked for, once.
//!
//! `XINSHENG_STEPS` sets the number of steps, `XINSHENG_SEED` repeats one run.

#![cfg(feature = "terminal")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod central;
mod world;

use crate::faults::survived;
use world::{Flaw, World};

/// Steps of one run: long enough for a restore after a crash after a clone.
const STEPS_PER_RUN: u64 = 250;

/// Without `XINSHENG_STEPS`: some seconds on a slow machine.
const STEPS_DEFAULT: u64 = 5_000;

/// A broken version must be found out within this many runs.
const CONTROL_RUNS: u64 = 20;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn run(seed: u64, flaw: Flaw) -> Result<World, String> {
    let mut world = World::new(seed, flaw);
    for step in 0..STEPS_PER_RUN {
        world.step();
        world.check().map_err(|what| format!("seed {seed}, step {step}: {what}\n{}", world.story()))?;
    }
    world.settle();
    world.check_settled().map_err(|what| format!("seed {seed}, settled: {what}\n{}", world.story()))?;
    Ok(world)
}

#[test]
fn every_entry_is_counted_once_whatever_happens() {
    if let Some(seed) = variable("XINSHENG_SEED") {
        run(seed, Flaw::None).unwrap_or_else(|what| panic!("{what}"));
        return;
    }
    let steps = variable("XINSHENG_STEPS").unwrap_or(STEPS_DEFAULT);
    let mut seen = world::Seen::default();
    for seed in 0..steps.div_ceil(STEPS_PER_RUN) {
        let world = run(seed, Flaw::None).unwrap_or_else(|what| panic!("{what}"));
        seen.add(&world.seen);
    }
    println!("{steps} steps: {seen:?}");
    if steps >= STEPS_DEFAULT {
        seen.is_everything().unwrap_or_else(|missing| panic!("never happened: {missing}"));
        survived!(5; seen.of("lost receipt"), "lost receipts");
        survived!(19; seen.of("captive portal"), "portals");
        survived!(22; seen.of("busy") + seen.of("too large"), "refusals");
        survived!(23; seen.of("restore"), "restores");
        survived!(26; seen.of("duplicate") + seen.of("late request"), "requests");
        survived!(30; seen.of("clone"), "clones");
        survived!(31; seen.of("roll back"), "cards put back");
        survived!(33; seen.of("clock jump"), "jumps of the clock");
    }
}

fn is_found_out(flaw: Flaw) -> String {
    (0..CONTROL_RUNS)
        .find_map(|seed| run(seed, flaw).err())
        .unwrap_or_else(|| panic!("{flaw:?} was not noticed"))
}

#[test]
fn a_central_that_does_not_know_entries_again_is_found_out() {
    let what = is_found_out(Flaw::NoDeduplication);
    assert!(what.contains("counted"), "{what}");
}

#[test]
fn a_terminal_that_trusts_a_bare_200_is_found_out() {
    let what = is_found_out(Flaw::TrustBare200);
    assert!(what.contains("never signed for"), "{what}");
}

#[test]
fn a_terminal_that_moves_its_cursor_before_the_receipt_is_found_out() {
    let what = is_found_out(Flaw::CursorBeforeReceipt);
    assert!(what.contains("never signed for"), "{what}");
}
