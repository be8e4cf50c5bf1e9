#![expect(clippy::wildcard_enum_match_arm, reason = "an effect a test does not expect ends it")]

use super::*;
use crate::{
    faults::survived,
    model::{ChainId, StoreId},
    wire::Quarantined,
};

const STORE: StoreId = StoreId(uuid::Uuid::nil());
const CHAIN: ChainId = ChainId([3; 16]);
const HEAD: Hash = Hash([4; 32]);
const MINUTE: u64 = 60_000;

fn engine() -> Engine {
    Engine::new(Pace::default(), None)
}

fn queue(cursor: u64, waiting: u64) -> Queue {
    Queue { cursor, waiting }
}

fn receipt(accepted_through: u64) -> Outcome {
    Outcome::Receipt(Receipt {
        store: STORE,
        chain: CHAIN,
        accepted_through,
        head_hash: HEAD,
        stored: 0,
        duplicate: 0,
        quarantined: Vec::new(),
        next_sync_after_s: 60,
        time: DateTime::UNIX_EPOCH,
    })
}

fn cursor(accepted_through: u64) -> Outcome {
    let time = DateTime::UNIX_EPOCH;
    Outcome::Cursor(CursorReply { store: STORE, chain: CHAIN, accepted_through, head_hash: HEAD, time })
}

fn health(config_etag: Option<&str>, commands: &[&str]) -> Outcome {
    Outcome::Health(HealthReply {
        next_sync_after_s: 60,
        config_etag: config_etag.map(str::to_owned),
        commands: commands.iter().map(|c| (*c).to_owned()).collect(),
        quarantined: None,
        time: DateTime::UNIX_EPOCH,
    })
}

fn unknown() -> Outcome {
    Outcome::Unknown(Trouble::Timeout)
}

fn batch(first_seq: u64, count: usize) -> Asked {
    Asked::Batch { first_seq, count }
}

/// An engine that has had its cursor and its first health report at time 0.
fn started() -> Engine {
    let mut engine = engine();
    engine.handle(Asked::Cursor, cursor(0), queue(0, 0), 0, 0.5);
    engine.handle(Asked::Health, health(None, &[]), queue(0, 0), 0, 0.5);
    engine
}

#[test]
fn it_begins_with_the_cursor_then_health_then_entries() {
    let mut engine = engine();
    assert_eq!(engine.next(0, queue(0, 5)), Step::GetCursor);
    engine.handle(Asked::Cursor, cursor(0), queue(0, 5), 0, 0.5);
    assert_eq!(engine.next(0, queue(0, 5)), Step::SendHealth);
    engine.handle(Asked::Health, health(None, &[]), queue(0, 5), 0, 0.5);
    assert_eq!(engine.next(0, queue(0, 5)), Step::SendBatch { entries_max: 500 });
}

#[test]
fn a_receipt_moves_the_cursor_and_a_backlog_goes_on_at_once() {
    let mut engine = started();
    let effects = engine.handle(batch(1, 500), receipt(500), queue(0, 900), 10, 0.5);
    assert!(effects.contains(&Effect::MoveCursor { through: 500, head: HEAD }));
    assert_eq!(engine.next(10, queue(500, 400)), Step::SendBatch { entries_max: 500 });
    engine.handle(batch(501, 400), receipt(900), queue(500, 400), 20, 0.5);
    assert_eq!(engine.next(20, queue(900, 1)), Step::WaitUntil(1020), "a visitor's taps gather");
    assert_eq!(engine.next(1020, queue(900, 1)), Step::SendBatch { entries_max: 500 });
    assert_eq!(engine.next(1020, queue(900, 0)), Step::WaitUntil(60_000));
    assert_eq!(engine.next(60_000, queue(900, 0)), Step::SendHealth);
}

#[test]
fn failures_wait_longer_and_longer_and_a_network_change_ends_the_wait() {
    let mut engine = started();
    for (failures, wait) in [(1, 5_000), (2, 10_000), (3, 20_000), (4, 40_000)] {
        let effects = engine.handle(batch(1, 1), unknown(), queue(0, 1), 100, 1.0);
        assert_eq!(engine.next(100, queue(0, 1)), Step::WaitUntil(100 + wait));
        let shown =
            effects.iter().any(|effect| matches!(effect, Effect::SetBadge(Some(Badge::NoContact(_)))));
        assert_eq!(shown, failures == 3, "staff are told once, after three");
    }
    engine.wake(200);
    assert_eq!(engine.next(200, queue(0, 1)), Step::SendBatch { entries_max: 500 });
    engine.handle(batch(1, 1), unknown(), queue(0, 1), 200, 1.0);
    assert_eq!(engine.next(200, queue(0, 1)), Step::WaitUntil(5_200), "and counting starts again");
    let effects = engine.handle(batch(1, 1), receipt(1), queue(0, 1), 6_000, 0.5);
    assert!(effects.contains(&Effect::SetBadge(None)));
}

#[test]
fn row_16_unsigned_answers_change_nothing_but_the_wait_and_are_told_as_something_between() {
    for status in [302, 400, 401, 403, 404, 407, 409, 413, 422, 426, 511] {
        let mut engine = started();
        for tries in 1..=5 {
            let nobody = Outcome::Unknown(Trouble::Unproven { status, redirected_to: None });
            let effects = engine.handle(batch(1, 400), nobody, queue(0, 500), 0, 1.0);
            match effects.as_slice() {
                [] => {}
                [Effect::SetBadge(Some(badge @ Badge::Misconfigured(_)))] if tries == 3 => {
                    let said = badge.to_string();
                    assert!(said.contains("something between") && !said.contains("enrol"), "{said}");
                }
                other => panic!("{status}: {other:?}"),
            }
        }
        engine.wake(1);
        assert_eq!(engine.next(1, queue(0, 500)), Step::SendBatch { entries_max: 500 }, "{status}");
    }
    let mut engine = started();
    let wait = Outcome::Wait { ms: 30_000, status: 429, signed: false };
    assert_eq!(engine.handle(batch(1, 1), wait, queue(0, 1), 0, 0.0), []);
    assert!(matches!(engine.next(29_999, queue(0, 1)), Step::WaitUntil(_)));
    engine.wake(1);
    assert_eq!(engine.next(1, queue(0, 1)), Step::SendBatch { entries_max: 500 });
}

#[test]
fn central_can_ask_to_wait_and_a_network_change_does_not_shorten_it() {
    let mut engine = started();
    engine.handle(batch(1, 1), Outcome::Wait { ms: 30_000, status: 429, signed: true }, queue(0, 1), 0, 0.0);
    engine.wake(1);
    assert!(matches!(engine.next(29_999, queue(0, 1)), Step::WaitUntil(at) if at >= 30_000));
}

#[test]
fn row_16_a_batch_that_central_finds_too_large_is_halved_and_grows_again() {
    let mut engine = started();
    let effects = engine.handle(batch(1, 500), Outcome::TooLarge, queue(0, 500), 0, 0.5);
    assert_eq!(effects, [Effect::RememberLimit(250)]);
    assert_eq!(engine.next(0, queue(0, 500)), Step::SendBatch { entries_max: 250 });
    let effects = engine.handle(batch(1, 250), receipt(250), queue(0, 500), 0, 0.5);
    assert!(effects.contains(&Effect::RememberLimit(500)));
    assert_eq!(engine.next(0, queue(250, 250)), Step::SendBatch { entries_max: 500 });
    assert_eq!(Engine::new(Pace::default(), Some(250)).size.now(), 250);

    let effects = engine.handle(batch(251, 1), Outcome::TooLarge, queue(250, 250), 0, 0.5);
    assert!(matches!(effects.as_slice(), [Effect::SetBadge(Some(Badge::Misconfigured(_)))]));
    assert!(
        matches!(engine.next(0, queue(250, 250)), Step::WaitUntil(_)),
        "an entry is never dropped for its size"
    );
}

/// Plays a central that refuses every batch holding one of the wrong entries, until all is sent. Returns the refused ones and the number
/// of requests.
fn drain(total: u64, wrong: &[u64]) -> (Vec<u64>, usize) {
    let (mut engine, mut cursor, mut refused, mut requests) = (started(), 0, Vec::new(), 0);
    while cursor < total {
        let Step::SendBatch { entries_max } = engine.next(0, queue(cursor, total - cursor)) else {
            // Gathering after a short batch.
            engine.gather_until_ms = 0;
            continue;
        };
        requests += 1;
        assert!(requests < 1000, "no end");
        let count = entries_max.min(usize::try_from(total - cursor).unwrap());
        let sent = cursor + 1..=cursor + count as u64;
        let bad = wrong.iter().any(|seq| sent.contains(seq) && !refused.contains(seq));
        let outcome =
            if bad { Outcome::Refused { reason: "no".into() } } else { receipt(cursor + count as u64) };
        for effect in engine.handle(batch(cursor + 1, count), outcome, queue(cursor, total - cursor), 0, 0.5)
        {
            match effect {
                Effect::MoveCursor { through, .. } => cursor = through,
                Effect::Refuse { seq, .. } => refused.push(seq),
                Effect::SetClock(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    (refused, requests)
}

#[test]
fn fault_21_exactly_the_refused_entries_are_passed_over() {
    assert_eq!(drain(2000, &[]), (vec![], 4));
    let tried = [vec![1], vec![500], vec![501], vec![2000], vec![3, 4, 5], vec![7, 1999]];
    for wrong in &tried {
        let (refused, requests) = drain(2000, wrong);
        assert_eq!(refused, *wrong);
        assert!(requests < 6 + 20 * wrong.len(), "{requests} requests for {wrong:?}");
    }
    survived!(21; tried.iter().map(Vec::len).sum::<usize>(), "refused entries");
}

#[test]
fn fault_21_a_refusal_that_is_not_the_entrys_fault_skips_one_entry_at_most() {
    let mut engine = started();
    let no = || Outcome::Refused { reason: "no".into() };
    assert!(matches!(
        engine.handle(batch(1, 1), no(), queue(0, 9), 0, 0.5).as_slice(),
        [Effect::Refuse { seq: 1, .. }]
    ));
    engine.handle(batch(1, 9), no(), queue(0, 9), 0, 0.5);
    let effects = engine.handle(batch(1, 1), no(), queue(0, 9), 0, 0.5);
    assert!(matches!(effects.as_slice(), [Effect::SetBadge(Some(Badge::Misconfigured(_)))]));
    assert!(matches!(engine.next(0, queue(0, 9)), Step::WaitUntil(_)));
}

#[test]
fn what_staff_must_repair_is_shown_and_tried_slowly() {
    for outcome in [
        Outcome::NotAllowed { status: 401, reason: "revoked".into() },
        Outcome::Misconfigured { status: 404, reason: "no such path".into() },
    ] {
        let mut engine = started();
        let effects = engine.handle(batch(1, 1), outcome, queue(0, 1), 0, 0.0);
        assert!(matches!(effects.as_slice(), [Effect::SetBadge(Some(_))]));
        assert_eq!(engine.next(0, queue(0, 1)), Step::WaitUntil(5 * MINUTE));
        engine.wake(1);
        assert_eq!(engine.next(1, queue(0, 1)), Step::SendBatch { entries_max: 500 });
    }
}

#[test]
fn a_central_that_fell_back_is_refilled() {
    let mut engine = started();
    let effects = engine.handle(batch(101, 10), receipt(50), queue(100, 10), 0, 0.5);
    assert!(effects.contains(&Effect::Rewind { through: 50, head: HEAD }));
    let effects = engine.handle(Asked::Cursor, cursor(20), queue(100, 10), 0, 0.5);
    assert!(effects.contains(&Effect::Rewind { through: 20, head: HEAD }));
    assert_eq!(
        engine.next(2 * CURSOR_EVERY_MS, queue(100, 0)),
        Step::GetCursor,
        "it looks even when nobody taps"
    );
}

#[test]
fn a_conflict_begins_one_new_chain_and_not_one_a_minute() {
    let mut engine = started();
    let effects = engine.handle(batch(1, 1), Outcome::Conflict, queue(0, 1), 0, 0.5);
    assert_eq!(effects, [Effect::NewChain(NewChainReason::Conflict)]);
    assert_eq!(engine.next(0, queue(0, 1)), Step::GetCursor);
    let effects = engine.journal_disagrees(NewChainReason::NotOurs, MINUTE, 0.5);
    assert!(matches!(effects.as_slice(), [Effect::SetBadge(Some(Badge::Misconfigured(_)))]));
    let effects = engine.handle(batch(1, 1), Outcome::Conflict, queue(0, 1), 11 * MINUTE, 0.5);
    assert_eq!(effects, [Effect::NewChain(NewChainReason::Conflict)]);
}

#[test]
fn a_configuration_is_fetched_once_and_never_holds_up_entries() {
    let mut engine = started();
    engine.handle(Asked::Health, health(Some("\"v2\""), &[]), queue(0, 1), 0, 0.5);
    assert_eq!(engine.next(0, queue(0, 1)), Step::GetConfig);
    let text = "[hospital]".to_owned();
    let got = Outcome::Config { etag: "\"v2\"".into(), text: text.clone() };
    let effects = engine.handle(Asked::Config, got, queue(0, 1), 0, 0.5);
    assert_eq!(effects, [Effect::ApplyConfig { etag: "\"v2\"".into(), text }]);
    engine.handle(Asked::Health, health(Some("\"v2\""), &[]), queue(0, 1), 0, 0.5);
    assert_eq!(engine.next(0, queue(0, 1)), Step::SendBatch { entries_max: 500 });

    engine.handle(Asked::Health, health(Some("\"v3\""), &[]), queue(0, 1), 0, 0.5);
    engine.handle(Asked::Config, unknown(), queue(0, 1), 0, 0.5);
    engine.wake(1);
    assert_eq!(engine.next(1, queue(0, 1)), Step::SendBatch { entries_max: 500 });
}

#[test]
fn quarantined_entries_are_told_and_still_acknowledged() {
    let mut engine = started();
    let quarantined = vec![Quarantined { seq: 1, reason: "unknown question".into() }];
    let Outcome::Receipt(told) = receipt(1) else { panic!("not a receipt") };
    let told = Outcome::Receipt(Receipt { quarantined: quarantined.clone(), ..told });
    let effects = engine.handle(batch(1, 1), told, queue(0, 1), 0, 0.5);
    assert!(effects.contains(&Effect::MoveCursor { through: 1, head: HEAD }));
    assert!(effects.contains(&Effect::Quarantined(quarantined)));
}

#[test]
fn sync_now_ends_the_gathering() {
    let mut engine = started();
    engine.handle(batch(1, 1), receipt(1), queue(0, 1), 0, 0.5);
    assert!(matches!(engine.next(1, queue(1, 1)), Step::WaitUntil(1_000)));
    engine.handle(Asked::Health, health(None, &["sync_now", "dance"]), queue(1, 1), 1, 0.5);
    assert_eq!(engine.next(1, queue(1, 1)), Step::SendBatch { entries_max: 500 });
}
