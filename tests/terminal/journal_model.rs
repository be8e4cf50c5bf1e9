//! The journal against a simple model of the world: taps, crashes at any point, lost and repeated receipts, a central restored from a
//! backup, a card restored from its own image, refusals, new chains, retention and clock jumps.
//!
//! `XINSHENG_STEPS` sets how many actions are tried. Two suites break a guard on purpose, to show that the model notices.
#![cfg(feature = "terminal")]
#![expect(clippy::expect_used, reason = "a test stops where the world is not as it was set up")]

use crate::faults::survived;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use xinsheng::journal::TestHooks;

mod world;

use world::{Action, Delivery, Tally, World};

/// Actions without the environment variable: some seconds.
const STEPS: u32 = 6000;

/// Actions in one life of a terminal: enough for several chains, few enough to shrink.
const ACTIONS: u32 = 60;

/// Attempts at a shorter list that still breaks a promise.
const SHRINK: u32 = 600;

/// What has to have happened for the suite to mean something.
const RARE: [&str; 9] = [
    "crashes inside an action",
    "cards put back",
    "central ahead or other",
    "conflicts",
    "rewinds",
    "rewinds to the beginning",
    "receipts not believed",
    "entries refused",
    "lines erased",
];

/// Lives in which a broken guard must be noticed.
const CONTROL_LIVES: u32 = 200;

fn delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![
        5 => Just(Delivery::Received),
        1 => Just(Delivery::RequestLost),
        2 => Just(Delivery::ReceiptLost),
        1 => Just(Delivery::ReceiptTwice),
        1 => Just(Delivery::OldReceipt),
        1 => Just(Delivery::ForgedReceipt),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let simple = prop_oneof![
        8 => (1u8..5, 0u16..900).prop_map(|(count, bytes)| Action::Append { count, bytes }),
        8 => (1u8..20, 200u16..8000, delivery()).prop_map(|(entries, bytes, how)| Action::Deliver { entries, bytes, how }),
        2 => any::<u8>().prop_map(Action::Refuse),
        4 => (1u8..6).prop_map(Action::Upkeep),
        1 => Just(Action::NewChain),
        2 => (-60i16..90).prop_map(Action::ClockDays),
        1 => any::<bool>().prop_map(Action::ClockSet),
        1 => Just(Action::BackUpCentral),
        1 => Just(Action::RestoreCentral),
        1 => Just(Action::ImageCard),
        1 => Just(Action::RestoreCard),
        2 => Just(Action::Restart),
        2 => Just(Action::Kill),
    ];
    (simple, prop::option::weighted(0.15, 0u8..6)).prop_map(|(action, crash)| match crash {
        Some(point) => Action::CrashDuring { point, action: Box::new(action) },
        None => action,
    })
}

/// Lives through random lists of actions; the error tells the shortest list that breaks a promise.
fn live(lives: u32, shrink: u32, hooks: &TestHooks, tally: &Tally) -> Result<(), TestError<Vec<Action>>> {
    let config =
        Config { cases: lives, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let lists = vec(action(), ACTIONS as usize / 2..ACTIONS as usize * 3 / 2);
    TestRunner::new_with_rng(config, rng)
        .run(&lists, |actions| World::new(hooks, tally.clone()).live(&actions).map_err(TestCaseError::fail))
}

#[test]
fn whatever_happens_no_tap_is_lost_or_counted_twice() {
    let steps = std::env::var("XINSHENG_STEPS")
        .map_or(STEPS, |text| text.parse().expect("XINSHENG_STEPS is a number"));
    let tally = Tally::default();
    if let Err(error) = live(steps.div_ceil(ACTIONS), SHRINK, &TestHooks::default(), &tally) {
        panic!("{error:?}");
    }
    let tally = tally.lock().expect("lock");
    eprintln!("{tally:?}");
    for what in RARE {
        assert!(tally.get(what).is_some_and(|times| *times > 0), "never happened: {what}");
    }
    survived!(1, 2; tally["crashes inside an action"], "crashes");
    survived!(23; tally["rewinds"], "fallbacks");
    survived!(31; tally["cards put back"], "cards put back");
}

#[test]
fn the_model_notices_a_journal_that_erases_what_is_not_acknowledged() {
    notices(&TestHooks { erase_unacknowledged: true, ..TestHooks::default() });
}

#[test]
fn the_model_notices_a_journal_that_believes_any_receipt() {
    notices(&TestHooks { trust_any_hash: true, ..TestHooks::default() });
}

fn notices(hooks: &TestHooks) {
    match live(CONTROL_LIVES, 0, hooks, &Tally::default()) {
        Err(TestError::Fail(reason, _)) => eprintln!("noticed: {reason}"),
        other => panic!("a promise was broken and nobody noticed: {other:?}"),
    }
}
