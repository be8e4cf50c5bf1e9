//! What every store must do. Each function takes any `Store`; `stores` says which ones there are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::atomic::{AtomicU32, Ordering};

use crate::chance;
use crate::faults::survived;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
};

use crate::hospital::plan;
use crate::journal::{Journal, answer, end, flagged, help, response, start, tested};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use xinsheng::{
    central::{
        ingest::{Batch, HelpRow},
        store::{
            CountQuery, Enrolled, Ingested, NewCode, NewTerminal, SignedRequest, Store, Submission, TimeSpan,
            sqlite::SqliteStore,
        },
    },
    chain,
    model::{BootId, EntryId, Hash, Moment, Scale, SiteId, StoreId, TerminalId, TimeQuality, Value},
    questionnaire::Hospital,
    survey::Start,
    wire::{
        Answer, Body, ConfigChange, Draft, EndOutcome, Health, Reasons, ResponseEnd, ScreenFacts, Withheld,
    },
};

/// Runs a contract on every kind of store, each fresh.
pub(super) fn stores<F: Future<Output = ()>>(contract: impl Fn(Arc<dyn Store>) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(contract(sqlite(folder.path())));
}

fn sqlite(folder: &std::path::Path) -> Arc<dyn Store> {
    let id = StoreId::from_parts(1, [1; 10]);
    Arc::new(SqliteStore::open(&folder.join("central.sqlite"), id, start()).unwrap())
}

pub(super) fn site() -> SiteId {
    "main".parse().unwrap()
}

pub(super) fn the_hospital() -> Hospital {
    Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital)
}

pub(super) fn received() -> DateTime<Utc> {
    start() + TimeDelta::days(1)
}

fn submission(terminal: &str, body: &[u8]) -> Submission {
    Submission {
        site: site(),
        zone: chrono_tz::Asia::Shanghai,
        terminal: terminal.parse().unwrap(),
        public_key: "key".to_owned(),
        batch: Batch::read(body).unwrap(),
        proof: SignedRequest {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            protocol: "1".to_owned(),
            content_encoding: None,
            content_digest: String::new(),
            signature_input: String::new(),
            signature: String::new(),
            content: None,
        },
        hospital: Arc::new(the_hospital()),
        received_at: received(),
    }
}

pub(super) async fn send(
    store: &Arc<dyn Store>,
    terminal: &str,
    journal: &Journal,
    first: u64,
    count: usize,
) -> Ingested {
    store.ingest(submission(terminal, &journal.body(first, count))).await.unwrap()
}

/// The same, received so many minutes after the journal began.
async fn send_after(store: &Arc<dyn Store>, journal: &Journal, minutes: i64) -> Ingested {
    let body = journal.body(1, journal.lines.len());
    let received_at = start() + TimeDelta::minutes(minutes);
    store.ingest(Submission { received_at, ..submission("t-1", &body) }).await.unwrap()
}

async fn calls(store: &Arc<dyn Store>) -> Vec<HelpRow> {
    store.help_calls(&site(), start(), 99).await.unwrap()
}

fn called(ingested: &Ingested) -> u32 {
    match ingested {
        Ingested::Accepted { help_calls, .. } => *help_calls,
        Ingested::Conflict { .. } => panic!("one history is no conflict"),
    }
}

async fn send_all(store: &Arc<dyn Store>, terminal: &str, journal: &Journal) -> Ingested {
    send(store, terminal, journal, 1, journal.lines.len()).await
}

fn accepted(through: u64, head: Hash, stored: u32, duplicate: u32, counted: bool) -> Ingested {
    Ingested::Accepted {
        accepted_through: through,
        head_hash: head,
        stored,
        duplicate,
        quarantined: vec![],
        counted,
        help_calls: 0,
    }
}

/// Counts as (question, value, flagged) -> n.
async fn counts(store: &Arc<dyn Store>, query: CountQuery) -> BTreeMap<(String, u8, bool), u64> {
    let mut sums = BTreeMap::new();
    for count in store.counts(&site(), query).await.unwrap() {
        *sums.entry((count.question.to_string(), count.value.0, count.flagged)).or_default() += count.n;
    }
    sums
}

async fn all_counts(store: &Arc<dyn Store>) -> BTreeMap<(String, u8, bool), u64> {
    counts(store, CountQuery::default()).await
}

fn only(question: &str, value: u8, n: u64) -> BTreeMap<(String, u8, bool), u64> {
    [((question.to_owned(), value, false), n)].into()
}

fn new_terminal(code: Hash, name: &str, key: &str, at: DateTime<Utc>) -> NewTerminal {
    NewTerminal {
        code_hash: code,
        terminal: name.parse().unwrap(),
        public_key: key.to_owned(),
        hardware_id: format!("hw-{key}"),
        software: "1".to_owned(),
        at,
    }
}

async fn enrolled(store: &Arc<dyn Store>, name: &str, key: &str) {
    let code = NewCode {
        code_hash: chain::sha256(name.as_bytes()),
        touchpoint: "window".parse().unwrap(),
        made_at: start(),
        expires_at: start() + TimeDelta::hours(24),
    };
    store.add_code(&site(), code.clone()).await.unwrap();
    let enrolled = store.enrol(&site(), new_terminal(code.code_hash, name, key, start())).await.unwrap();
    assert!(matches!(enrolled, Enrolled::Welcome { .. }));
}

#[test]
fn a_batch_counts_once_however_often_it_is_sent() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        journal.push(answer(1, 5));
        journal.push(end(1, EndOutcome::Completed));
        assert_eq!(send_all(&store, "t-1", &journal).await, accepted(2, journal.head(), 2, 0, true));
        for _ in 0..3 {
            assert_eq!(send_all(&store, "t-1", &journal).await, accepted(2, journal.head(), 0, 2, false));
        }
        journal.push(answer(2, 5));
        assert_eq!(send(&store, "t-1", &journal, 2, 2).await, accepted(3, journal.head(), 1, 1, true));
        assert_eq!(all_counts(&store).await, only("a", 5, 2));
        let cursor = store.cursor(&site(), journal.chain).await.unwrap().unwrap();
        assert_eq!((cursor.accepted_through, cursor.head_hash), (3, journal.head()));
    });
    survived!(26; 3, "repeated requests");
}

#[test]
fn a_batch_beyond_a_gap_stores_nothing_and_says_how_far_central_is() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        (1..=5).for_each(|n| _ = journal.push(answer(n, 4)));
        let genesis = chain::genesis(journal.chain);
        assert_eq!(send(&store, "t-1", &journal, 4, 2).await, accepted(0, genesis, 0, 0, false));
        assert!(store.cursor(&site(), journal.chain).await.unwrap().is_none());
        send(&store, "t-1", &journal, 1, 2).await;
        let held = chain::head(genesis, journal.lines[..2].iter().map(Vec::as_slice));
        assert_eq!(send(&store, "t-1", &journal, 4, 2).await, accepted(2, held, 0, 0, false));
        assert_eq!(all_counts(&store).await, only("a", 4, 2));
    });
    survived!(26; 2, "requests out of order");
}

#[test]
fn another_history_is_a_conflict_with_an_alarm_and_changes_nothing() {
    stores(|store| async move {
        let (mut journal, mut clone) = (Journal::new(1), Journal::new(1));
        journal.push(answer(1, 5));
        clone.push(answer(2, 1));
        send_all(&store, "t-1", &journal).await;
        let conflict = Ingested::Conflict { accepted_through: 1, head_hash: journal.head() };
        assert_eq!(send_all(&store, "t-1", &clone).await, conflict);
        assert_eq!(send_all(&store, "t-1", &clone).await, conflict);
        let alarms = store.alarms(&site(), 9).await.unwrap();
        assert_eq!((alarms.len(), alarms[0].kind.as_str(), alarms[0].times), (1, "clone", 2));
        assert_eq!(all_counts(&store).await, only("a", 5, 1));
    });
    survived!(30; 2, "conflicts");
}

#[test]
fn a_journal_belongs_to_one_machine_also_when_it_enrols_again() {
    stores(|store| async move {
        enrolled(&store, "t-1", "one").await;
        enrolled(&store, "t-2", "one").await;
        enrolled(&store, "t-3", "two").await;
        let mut journal = Journal::new(1);
        journal.push(answer(1, 5));
        send_all(&store, "t-1", &journal).await;
        journal.push(answer(2, 5));
        assert!(matches!(send_all(&store, "t-3", &journal).await, Ingested::Conflict { .. }));
        assert_eq!(send_all(&store, "t-2", &journal).await, accepted(2, journal.head(), 1, 1, true));
    });
    survived!(30; 1, "machine");
}

#[test]
fn an_entry_carried_into_a_new_chain_is_kept_and_not_counted_again() {
    stores(|store| async move {
        let (mut old, mut new) = (Journal::new(1), Journal::new(2));
        let id = old.push(answer(1, 5));
        let at = old.now();
        new.push_draft(Draft { id, at, body: answer(1, 5) });
        new.push(answer(2, 3));
        send_all(&store, "t-1", &old).await;
        assert_eq!(send_all(&store, "t-1", &new).await, accepted(2, new.head(), 2, 0, true));
        let states: Vec<String> = store
            .entries(&site(), new.chain, 0, 9)
            .await
            .unwrap()
            .into_iter()
            .map(|entry| entry.state)
            .collect();
        assert_eq!(states, ["repeated", "projected"]);
        assert_eq!(all_counts(&store).await.values().sum::<u64>(), 2);
    });
}

#[test]
fn an_answer_changed_in_the_moment_a_new_chain_begins_stands_though_the_older_one_is_carried_in_behind_it() {
    for central_has_the_older_one in [false, true] {
        stores(|store| async move {
            let because = Body::Reasons(Reasons {
                response: response(1),
                touchpoint: "window".parse().unwrap(),
                questionnaire: "long@1".parse().unwrap(),
                question: "a".parse().unwrap(),
                value: Value(1),
                reasons: vec!["wait".parse().unwrap()],
                order: vec![],
                lang: "zh-CN".parse().unwrap(),
                shown_ms: 1,
            });
            let mut old = Journal::new(1);
            let mut drafts = Vec::new();
            for (number, body) in [(1, answer(1, 1)), (2, because), (3, answer(1, 2))] {
                drafts.push(Draft { id: EntryId::from_parts(9, [number; 10]), at: old.now(), body });
                old.push_draft(drafts.last().unwrap().clone());
            }
            if central_has_the_older_one {
                send(&store, "t-1", &old, 1, 2).await;
                assert_eq!(all_counts(&store).await, only("a", 1, 1));
            }
            // The new chain takes the tap at once; what the old one held is carried in after it.
            let mut new = Journal::new(2);
            drafts.rotate_right(1);
            drafts.into_iter().for_each(|draft| new.push_draft(draft));
            for _ in 0..2 {
                send_all(&store, "t-1", &new).await;
                assert_eq!(all_counts(&store).await, only("a", 2, 1));
            }
            assert!(store.quarantine(&site(), 9).await.unwrap().is_empty());
            assert!(store.drift(&site()).await.unwrap().is_empty());
        });
    }
}

#[test]
fn a_later_answer_replaces_the_earlier_and_undone_takes_it_back() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        journal.push(answer(1, 2));
        journal.push(answer(1, 5));
        send_all(&store, "t-1", &journal).await;
        assert_eq!(all_counts(&store).await, only("a", 5, 1));
        journal.push(end(1, EndOutcome::Undone));
        send_all(&store, "t-1", &journal).await;
        assert!(all_counts(&store).await.is_empty());
        journal.push(answer(1, 4));
        send_all(&store, "t-1", &journal).await;
        assert!(all_counts(&store).await.is_empty(), "a response that was undone stays undone");
        assert!(store.drift(&site()).await.unwrap().is_empty());
    });
}

#[test]
fn what_is_not_understood_is_kept_with_the_reason_and_replayed_after_the_mend() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        journal.push_raw(b"\xff\x00 no json".to_vec());
        let unknown = |body: Body| match body {
            Body::Answer(answer) => Body::Answer(Answer { question: "zz".parse().unwrap(), ..answer }),
            other => other,
        };
        journal.push(unknown(answer(1, 5)));
        journal.push(answer(2, 9));
        journal.push(answer(3, 5));
        let Ingested::Accepted { accepted_through, quarantined, .. } =
            send_all(&store, "t-1", &journal).await
        else {
            panic!("content refuses no batch");
        };
        assert_eq!(accepted_through, 4);
        assert_eq!(quarantined.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(quarantined[1].reason.contains("`zz`"), "{}", quarantined[1].reason);
        let kept = store.quarantine(&site(), 9).await.unwrap();
        assert_eq!(
            kept.iter().map(|entry| &entry.line).collect::<Vec<_>>(),
            journal.lines[..3].iter().collect::<Vec<_>>()
        );

        let mut mended = the_hospital();
        let question = mended.questionnaires[0].questions[0].clone();
        mended.questionnaires[0]
            .questions
            .push(xinsheng::questionnaire::Question { id: "zz".parse().unwrap(), ..question });
        let zone = chrono_tz::Asia::Shanghai;
        let done = store.replay_quarantine(&site(), zone, Arc::new(mended.clone())).await.unwrap();
        assert_eq!((done.understood, done.remaining), (1, 2));
        assert_eq!(
            all_counts(&store).await,
            [(("a".into(), 5, false), 1), (("zz".into(), 5, false), 1)].into()
        );
        let done = store.replay_quarantine(&site(), zone, Arc::new(mended)).await.unwrap();
        assert_eq!((done.understood, done.remaining), (0, 2));
        assert!(store.drift(&site()).await.unwrap().is_empty());
    });
}

#[test]
fn a_replayed_entry_does_not_override_a_later_answer() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        let with_question = |body: Body, value: u8| {
            let Body::Answer(answer) = body else { return body };
            Body::Answer(Answer {
                questionnaire: "later@1".parse().unwrap(),
                value: xinsheng::model::Value(value),
                ..answer
            })
        };
        journal.push(with_question(answer(1, 1), 1));
        journal.push(answer(1, 5));
        send_all(&store, "t-1", &journal).await;
        let mut mended = the_hospital();
        let mut later = mended.questionnaires[0].clone();
        later.id = "later@1".parse().unwrap();
        mended.questionnaires.push(later);
        store.replay_quarantine(&site(), chrono_tz::UTC, Arc::new(mended)).await.unwrap();
        assert_eq!(all_counts(&store).await, only("a", 5, 1));
    });
}

#[test]
fn withheld_lines_keep_the_chain_whole() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        journal.push(answer(1, 5));
        journal.push(answer(2, 5));
        let withheld = Withheld { seq: 1, leaf: chain::leaf(&journal.lines[0]), reason: "erased".to_owned() };
        let mut body = serde_json::to_string(&journal.header(1, 2)).unwrap().into_bytes();
        for line in [serde_json::to_vec(&withheld).unwrap(), journal.lines[1].clone()] {
            body.push(b'\n');
            body.extend(line);
        }
        let ingested = store.ingest(submission("t-1", &body)).await.unwrap();
        assert_eq!(ingested, accepted(2, journal.head(), 2, 0, true));
        let entries = store.entries(&site(), journal.chain, 0, 9).await.unwrap();
        assert_eq!((entries[0].line.as_ref(), entries[0].leaf), (None, Some(withheld.leaf)));
        assert_eq!(all_counts(&store).await, only("a", 5, 1));
    });
}

/// A health report: central hears of the boot it was sent in.
pub(super) async fn hear(store: &Arc<dyn Store>, journal: &Journal, sent: Moment) {
    let health = Health {
        chain: journal.chain,
        last_seq: 1,
        queue_depth: 0,
        oldest_unsent_s: None,
        unsaved: 0,
        refused: 0,
        last_error: None,
        temperature_c: None,
        disk_free_bytes: None,
        clock: TimeQuality::Unset,
        software: "1".to_owned(),
        config_hash: String::new(),
        screen: ScreenFacts::default(),
        restarts: 0,
        lost_after: None,
        sent,
    };
    let terminal: TerminalId = "t-1".parse().unwrap();
    store.record_health(&site(), chrono_tz::Asia::Shanghai, &terminal, &health, received()).await.unwrap();
}

#[test]
fn answers_of_a_boot_never_seen_count_in_totals_and_get_their_hour_when_the_boot_is_heard_of() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        let boot = BootId::from_parts(77, [7; 10]);
        let at = |up_ms| Moment { wall: DateTime::UNIX_EPOCH, boot, up_ms, quality: TimeQuality::Unset };
        journal.push_draft(Draft { id: EntryId::from_parts(3, [3; 10]), at: at(60_000), body: answer(1, 5) });
        send_all(&store, "t-1", &journal).await;
        let hourly = CountQuery { from_hour: Some(0), hourly: true, ..CountQuery::default() };
        assert_eq!(all_counts(&store).await, only("a", 5, 1));
        assert!(counts(&store, hourly.clone()).await.is_empty());

        hear(&store, &journal, at(3_660_000)).await;
        let hours = store.counts(&site(), hourly).await.unwrap();
        // Heard an hour and a minute after the boot began: the answer was given an hour before.
        let expected = (received() - TimeDelta::hours(1)).timestamp() / 3600 * 3600;
        assert_eq!(
            hours.iter().map(|count| (count.hour, count.n)).collect::<Vec<_>>(),
            [(Some(expected), 1)]
        );
        assert!(store.drift(&site()).await.unwrap().is_empty());
    });
    survived!(34; 1, "start");
}

#[test]
fn a_call_for_help_rings_once_however_often_it_is_sent_and_until_it_is_answered() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        journal.push(answer(1, 5));
        let id = journal.push(help("window", "ug"));
        assert_eq!(called(&send_after(&store, &journal, 3).await), 1);
        let [call] = calls(&store).await.try_into().unwrap();
        assert_eq!((call.id, call.touchpoint.as_str(), call.lang.as_str()), (id, "window", "ug"));
        assert_eq!(call.timed.at_ms, (start() + TimeDelta::minutes(1)).timestamp_millis());
        assert!(call.is_open());

        // Sent again, and carried into a new chain under its own id.
        assert_eq!(called(&send_after(&store, &journal, 4).await), 0);
        let mut new = Journal::new(2);
        new.push_draft(Draft { id, at: new.now(), body: help("window", "ug") });
        assert_eq!(called(&send_after(&store, &new, 5).await), 0);
        assert_eq!(calls(&store).await, [call]);

        let answered = start() + TimeDelta::minutes(6);
        for minutes in [6, 7] {
            let at = start() + TimeDelta::minutes(minutes);
            assert_eq!(
                store.answer_help(&site(), id, at).await.unwrap(),
                Some(answered),
                "the first mark stays"
            );
        }
        let [call] = calls(&store).await.try_into().unwrap();
        assert_eq!((call.is_open(), call.answered_ms), (false, Some(answered.timestamp_millis())));
        send_after(&store, &journal, 8).await;
        assert_eq!(calls(&store).await, [call]);
        let nobody = EntryId::from_parts(8, [8; 10]);
        assert_eq!(store.answer_help(&site(), nobody, answered).await.unwrap(), None);
        let other: SiteId = "other".parse().unwrap();
        assert_eq!(store.answer_help(&other, id, answered).await.unwrap(), None);
        assert!(store.help_calls(&other, start(), 9).await.unwrap().is_empty());
    });
}

#[test]
fn a_call_that_comes_too_late_is_listed_and_does_not_ring() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        let long_ago = journal.push(help("window", "zh-CN"));
        let just_in_time = journal.push(help("window", "en"));
        // A boot that was never heard of: nobody knows when.
        let at = Moment {
            wall: DateTime::UNIX_EPOCH,
            boot: BootId::from_parts(77, [7; 10]),
            up_ms: 0,
            quality: TimeQuality::Unset,
        };
        let unknown = EntryId::from_parts(3, [3; 10]);
        journal.push_draft(Draft { id: unknown, at, body: help("window", "bo") });
        assert_eq!(called(&send_after(&store, &journal, 31).await), 3);
        let rings: BTreeMap<EntryId, bool> =
            calls(&store).await.into_iter().map(|call| (call.id, call.is_open())).collect();
        assert_eq!(rings, [(long_ago, false), (just_in_time, true), (unknown, false)].into());
        assert_eq!(calls(&store).await[0].id, just_in_time, "what rings comes first");
        // What no longer rings is asked for by when it came; what rings is always there.
        let later = start() + TimeDelta::minutes(32);
        let left = store.help_calls(&site(), later, 9).await.unwrap();
        assert_eq!(left.iter().map(|call| call.id).collect::<Vec<_>>(), [just_in_time]);
    });
}

#[test]
fn a_call_from_a_place_that_is_not_configured_rings_as_well() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        journal.push(help("new-wing", "en"));
        assert_eq!(called(&send_after(&store, &journal, 2).await), 1);
        let [call] = calls(&store).await.try_into().unwrap();
        assert!(call.is_open() && call.touchpoint.as_str() == "new-wing");
        assert!(store.quarantine(&site(), 9).await.unwrap().is_empty());
    });
}

#[test]
fn the_last_self_test_counts_each_button_once() {
    stores(|store| async move {
        let mut journal = Journal::new(1);
        for target in ["face 1", "face 2", "face 3"] {
            journal.push(tested(target));
        }
        (0..60).for_each(|n| _ = journal.push(answer(n, 5)));
        for target in ["face 1", "face 2", "face 1"] {
            journal.push(tested(target));
        }
        let at = journal.now().wall - TimeDelta::minutes(1);
        for _ in 0..2 {
            send_all(&store, "t-1", &journal).await;
        }
        let [last] = store.self_tests(&site()).await.unwrap().try_into().unwrap();
        assert_eq!((last.terminal.as_str(), last.at, last.targets), ("t-1", at, 2));
        assert_eq!(all_counts(&store).await, only("a", 5, 60), "a test is no answer");
    });
}

#[test]
fn row_2_no_time_after_its_arrival_is_stored_as_known_and_everything_can_be_exported() {
    stores(|store| async move {
        let boot = BootId::from_parts(7, [7; 10]);
        let end = DateTime::<Utc>::MAX_UTC - TimeDelta::hours(1);
        let up_to_the_end = u64::try_from((end - received()).num_milliseconds()).unwrap();
        let moments = [
            (up_to_the_end, TimeQuality::Unset, DateTime::UNIX_EPOCH),
            (u64::MAX, TimeQuality::Unset, DateTime::UNIX_EPOCH),
            (i64::MAX as u64, TimeQuality::Synced, end),
            (0, TimeQuality::Synced, DateTime::<Utc>::MIN_UTC),
        ];
        let mut journal = Journal::new(1);
        for (n, (up_ms, quality, wall)) in (1_u8..).zip(moments) {
            let at = Moment { wall, boot, up_ms, quality };
            for (kind, body) in (0_u8..).zip([answer(n.into(), 5), tested("face 1"), help("window", "en")]) {
                journal.push_draft(Draft { id: EntryId::from_parts(5, [n * 8 + kind; 10]), at, body });
            }
        }
        let mut header = journal.header(1, journal.lines.len());
        header.sent = Moment { boot, up_ms: 0, quality: TimeQuality::Unset, wall: DateTime::UNIX_EPOCH };
        let mut body = serde_json::to_vec(&header).unwrap();
        for line in &journal.lines {
            body.push(b'\n');
            body.extend(line);
        }
        store.ingest(submission("t-1", &body)).await.unwrap();
        let latest = (received() + TimeDelta::minutes(5)).timestamp_millis();
        for row in store.answers(&site(), TimeSpan::ALL, None, 99).await.unwrap() {
            let row = row.answer;
            assert!(row.timed.at_ms <= latest && row.timed.at_ms >= 946_684_800_000, "{row:?}");
            assert!(row.hour <= latest / 1000, "{row:?}");
        }
        for call in calls(&store).await {
            assert!(call.timed.at_ms <= latest, "{call:?}");
        }
        assert!(
            store.self_tests(&site()).await.unwrap().iter().all(|test| test.at.timestamp_millis() <= latest)
        );
        assert!(store.drift(&site()).await.unwrap().is_empty());
    });
    survived!(33; 4, "clocks");
}

/// A journal whose entries have other ids than those of another journal with the same number.
fn journal_of(number: u8, bodies: impl IntoIterator<Item = Body>) -> Journal {
    let mut journal = Journal::new(number);
    bodies.into_iter().for_each(|body| _ = journal.push(body));
    journal
}

fn replacing(number: u64, replaces: u64) -> Body {
    Body::ResponseEnd(ResponseEnd {
        response: response(number),
        touchpoint: None,
        outcome: EndOutcome::Completed,
        replaces: Some(response(replaces)),
    })
}

#[test]
fn ownership_a_terminal_cannot_undo_replace_or_change_what_another_wrote() {
    stores(|store| async move {
        enrolled(&store, "t-1", "one").await;
        enrolled(&store, "t-2", "two").await;
        send_all(&store, "t-1", &journal_of(1, [answer(1, 5), answer(2, 5)])).await;
        let foreign =
            journal_of(2, [end(1, EndOutcome::Undone), answer(2, 1), replacing(3, 1), answer(4, 4)]);
        let Ingested::Accepted { quarantined, accepted_through, .. } =
            send_all(&store, "t-2", &foreign).await
        else {
            panic!("content refuses no batch");
        };
        assert_eq!(accepted_through, 4);
        assert_eq!(quarantined.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(quarantined[0].reason.ends_with("belongs to terminal `t-1`"), "{}", quarantined[0].reason);
        let held = [(("a".into(), 5, false), 2), (("a".into(), 4, false), 1)];
        assert_eq!(all_counts(&store).await, held.into());
        store.replay_quarantine(&site(), chrono_tz::UTC, Arc::new(the_hospital())).await.unwrap();
        assert_eq!(store.levels(&site()).await.unwrap().quarantined, 3, "trying again gives nobody a right");
    });
}

#[test]
fn ownership_the_same_machine_under_a_new_name_can_undo_what_it_wrote() {
    stores(|store| async move {
        enrolled(&store, "t-1", "one").await;
        enrolled(&store, "t-2", "one").await;
        send_all(&store, "t-1", &journal_of(1, [answer(1, 5)])).await;
        send_all(&store, "t-2", &journal_of(2, [end(1, EndOutcome::Undone)])).await;
        assert!(all_counts(&store).await.is_empty());
        assert!(store.quarantine(&site(), 9).await.unwrap().is_empty());
    });
}

#[test]
fn two_machines_that_do_not_know_what_they_are_are_not_one() {
    stores(|store| async move {
        for (name, key) in [("t-1", "one"), ("t-2", "two")] {
            let code_hash = chain::sha256(name.as_bytes());
            let code = NewCode {
                code_hash,
                touchpoint: "window".parse().unwrap(),
                made_at: start(),
                expires_at: start() + TimeDelta::hours(24),
            };
            store.add_code(&site(), code).await.unwrap();
            let unknown = NewTerminal {
                hardware_id: "unknown".to_owned(),
                ..new_terminal(code_hash, name, key, start())
            };
            store.enrol(&site(), unknown).await.unwrap();
        }
        let mut journal = journal_of(1, [answer(1, 5)]);
        send_all(&store, "t-1", &journal).await;
        journal.push(answer(2, 5));
        assert!(matches!(send_all(&store, "t-2", &journal).await, Ingested::Conflict { .. }));
    });
}

#[test]
fn row_13_a_flood_of_calls_is_kept_and_counted_and_hides_no_other_call() {
    stores(|store| async move {
        enrolled(&store, "t-1", "one").await;
        enrolled(&store, "t-2", "two").await;
        let mut flood = Journal::new(1);
        let boot = flood.boot;
        for n in 0..100_u8 {
            // A clock that is some minutes ahead: sorted by it, these would all come before the call of the other terminal.
            let wall = start() + TimeDelta::minutes(4);
            let at = Moment { wall, boot, up_ms: u64::from(n), quality: TimeQuality::Synced };
            flood.push_draft(Draft { id: EntryId::from_parts(6, [n; 10]), at, body: help("window", "en") });
        }
        let send_at = |terminal: &'static str, journal: &Journal, minutes| {
            let body = journal.body(1, journal.lines.len());
            let received_at = start() + TimeDelta::minutes(minutes);
            let (store, submission) =
                (Arc::clone(&store), Submission { received_at, ..submission(terminal, &body) });
            async move { store.ingest(submission).await.unwrap() }
        };
        assert_eq!(called(&send_at("t-1", &flood, 1).await), 100);
        let real = journal_of(2, [help("ward", "bo")]);
        send_at("t-2", &real, 2).await;
        let listed = store.help_calls(&site(), start(), 200).await.unwrap();
        assert_eq!(listed[0].terminal.as_str(), "t-2", "the latest to arrive comes first");
        let lines: Vec<_> = listed.iter().filter(|call| call.terminal.as_str() == "t-1").collect();
        assert_eq!(lines.len(), 21);
        assert_eq!(lines.iter().map(|call| call.calls).sum::<u64>(), 100, "nothing is lost");
        assert!(listed.iter().all(HelpRow::is_open));
        assert_eq!(store.levels(&site()).await.unwrap().help_open, 101);

        let folded = lines.iter().find(|call| call.calls > 1).unwrap();
        assert_eq!(folded.calls, 80);
        store.answer_help(&site(), folded.id, start() + TimeDelta::minutes(3)).await.unwrap();
        assert_eq!(store.levels(&site()).await.unwrap().help_open, 21, "one mark ends the whole line");
        let ended = store.help_calls(&site(), start(), 200).await.unwrap();
        assert_eq!(
            ended.iter().filter(|call| !call.is_open()).map(|call| call.calls).collect::<Vec<_>>(),
            [80]
        );
    });
}

#[test]
fn made_up_journals_cannot_flood_the_incidents() {
    stores(|store| async move {
        enrolled(&store, "t-1", "one").await;
        enrolled(&store, "t-2", "two").await;
        let terminal: TerminalId = "t-1".parse().unwrap();
        for n in 0..40_u8 {
            let mut journal = Journal::new(n + 10);
            journal.push(answer(1, 5));
            let report =
                Health { lost_after: Some(EntryId::from_parts(1, [n; 10])), ..report_of(&journal, n.into()) };
            let at = received() + TimeDelta::minutes(n.into());
            store.record_health(&site(), chrono_tz::UTC, &terminal, &report, at).await.unwrap();
        }
        let other =
            Health { lost_after: Some(EntryId::from_parts(1, [9; 10])), ..report_of(&Journal::new(9), 1) };
        store
            .record_health(&site(), chrono_tz::UTC, &"t-2".parse().unwrap(), &other, received())
            .await
            .unwrap();
        let incidents = store.alarms(&site(), 999).await.unwrap();
        let of_one: Vec<_> = incidents.iter().filter(|incident| incident.terminal == terminal).collect();
        assert_eq!((of_one.len(), of_one.iter().map(|incident| incident.times).sum::<u64>()), (5, 40));
        assert_eq!(incidents.len(), 6);
        // A day later there is room again.
        let report =
            Health { lost_after: Some(EntryId::from_parts(1, [8; 10])), ..report_of(&Journal::new(8), 99) };
        let tomorrow = received() + TimeDelta::days(2);
        store.record_health(&site(), chrono_tz::UTC, &terminal, &report, tomorrow).await.unwrap();
        assert_eq!(store.alarms(&site(), 999).await.unwrap().len(), 7);
    });
}

fn report_of(journal: &Journal, minutes_up: u64) -> Health {
    let sent = Moment { up_ms: minutes_up * 60_000, ..journal.now() };
    Health {
        chain: journal.chain,
        last_seq: 1,
        queue_depth: 0,
        oldest_unsent_s: None,
        unsaved: 0,
        refused: 0,
        last_error: None,
        temperature_c: None,
        disk_free_bytes: None,
        clock: TimeQuality::Synced,
        software: "1".to_owned(),
        config_hash: String::new(),
        screen: ScreenFacts::default(),
        restarts: 0,
        lost_after: None,
        sent,
    }
}

#[test]
fn a_request_that_is_played_back_is_no_sign_of_life() {
    stores(|store| async move {
        enrolled(&store, "t-1", "one").await;
        let seen =
            || async { store.terminal(&site(), &"t-1".parse().unwrap()).await.unwrap().unwrap().last_seen };
        let at = |journal: &Journal, minutes| {
            let body = journal.body(1, journal.lines.len());
            let received_at = received() + TimeDelta::minutes(minutes);
            let (store, submission) =
                (Arc::clone(&store), Submission { received_at, ..submission("t-1", &body) });
            async move { store.ingest(submission).await.unwrap() }
        };
        let first = journal_of(1, [answer(1, 5)]);
        at(&first, 0).await;
        assert_eq!(seen().await, Some(received()));
        at(&first, 10).await;
        assert_eq!(seen().await, Some(received()), "the same request again");
        let next_boot = journal_of(2, [answer(2, 5)]);
        at(&next_boot, 20).await;
        assert_eq!(seen().await, Some(received() + TimeDelta::minutes(20)));
        at(&first, 30).await;
        assert_eq!(
            seen().await,
            Some(received() + TimeDelta::minutes(20)),
            "a request of a boot that is over"
        );
    });
}

#[test]
fn case_25_a_moved_terminal_stands_at_its_new_place_and_its_history_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = sqlite(folder.path());
        enrolled(&store, "t-1", "one").await;
        let place = || async {
            store.terminal(&site(), &"t-1".parse().unwrap()).await.unwrap().unwrap().touchpoint.to_string()
        };
        let chosen = Body::Config(ConfigChange {
            config_hash: "ab".to_owned(),
            accepted: true,
            reason: Some("touchpoints chosen".to_owned()),
            touchpoints: vec!["ward".parse().unwrap()],
        });
        let mut journal = journal_of(1, [answer(1, 5)]);
        send_all(&store, "t-1", &journal).await;
        assert_eq!(place().await, "window");
        journal.push(chosen);
        send_all(&store, "t-1", &journal).await;
        assert_eq!(place().await, "ward");
        send_all(&store, "t-1", &journal).await;
        drop(store);
    });
    let database = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    let rows: i64 = database.query_row("select count(*) from assignments", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2, "where it stood before is kept");
    survived!(32; 1, "move");
}

#[test]
fn fault_32_answers_stay_with_the_place_they_were_given_at_also_when_they_arrive_after_the_move() {
    let at_the_ward = |number| match answer(number, 5) {
        Body::Answer(answer) => Body::Answer(Answer {
            touchpoint: "ward".parse().unwrap(),
            questionnaire: "short@1".parse().unwrap(),
            scale: Scale::YesNo,
            value: Value(1),
            ..answer
        }),
        other => other,
    };
    let moves_to = |place: &str| {
        Body::Config(ConfigChange {
            config_hash: "ab".to_owned(),
            accepted: true,
            reason: None,
            touchpoints: vec![place.parse().unwrap()],
        })
    };
    stores(|store| async move {
        enrolled(&store, "t-1", "one").await;
        enrolled(&store, "t-2", "two").await;
        let counted = async |place: &str| -> u64 {
            let touchpoint = Some(place.parse().unwrap());
            let query = CountQuery { touchpoint, ..CountQuery::default() };
            store.counts(&site(), query).await.unwrap().iter().map(|count| count.n).sum()
        };
        // Offline all the while: everything arrives when it stands at the ward already.
        let given =
            [answer(1, 5), answer(2, 4), moves_to("ward"), at_the_ward(3), moves_to("window"), answer(4, 3)];
        let moved = journal_of(1, given.into_iter().chain([moves_to("ward"), at_the_ward(5)]));
        send_all(&store, "t-1", &moved).await;
        assert_eq!((counted("window").await, counted("ward").await), (3, 2));
        // Two terminals at one touchpoint: both count there.
        send_all(&store, "t-2", &journal_of(2, [answer(6, 5)])).await;
        assert_eq!((counted("window").await, counted("ward").await), (4, 2));
        let place = store.terminal(&site(), &"t-1".parse().unwrap()).await.unwrap().unwrap().touchpoint;
        assert_eq!(place.as_str(), "ward");
        assert!(store.drift(&site()).await.unwrap().is_empty());
    });
    survived!(32; 3, "moves");
}

#[test]
fn fault_25_lines_of_a_newer_terminal_are_counted_where_they_can_be_read_and_kept_where_not() {
    let lines = [
        (r#"{"v":1,"#, r#"{"mood":"calm","v":1,"#),
        (r#""kind":"answer""#, r#""kind":"dance""#),
        (r#"{"v":1,"#, r#"{"v":2,"#),
    ];
    stores(|store| async move {
        let mut journal = Journal::new(1);
        for (n, (old, new)) in (1..).zip(lines) {
            let mut known = Journal::new(n);
            (1..n).for_each(|_| known.push_raw(b"{}".to_vec()));
            known.push(answer(n.into(), 5));
            let line = String::from_utf8(known.lines.pop().unwrap()).unwrap();
            assert!(line.contains(old), "{line}");
            journal.push_raw(line.replacen(old, new, 1).into_bytes());
        }
        let taken = send_all(&store, "t-1", &journal).await;
        let Ingested::Accepted { accepted_through, quarantined, .. } = taken else { panic!("{taken:?}") };
        assert_eq!((accepted_through, quarantined.len()), (3, 2), "signed for, also what cannot be read yet");
        assert_eq!(all_counts(&store).await, only("a", 5, 1));
        let held = store.entries(&site(), journal.chain, 0, 9).await.unwrap();
        let kept: Vec<_> = held.into_iter().map(|entry| entry.line.unwrap()).collect();
        assert_eq!(kept, journal.lines, "byte for byte, for the central that can read them");
    });
    survived!(25; lines.len(), "lines of a newer terminal");
}

#[test]
fn fault_25_a_database_of_a_newer_central_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.sqlite");
    drop(sqlite(folder.path()));
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("create table moods (mood text); pragma user_version = 99").unwrap();
    newer.close().unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path, StoreId::from_parts(1, [1; 10]), start()).err().unwrap();
    assert!(error.to_string().contains("99"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    survived!(25; 1, "database of a newer central");
}

#[test]
fn the_counts_of_each_journal_are_kept_and_equal_a_recount() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = sqlite(folder.path());
        let mut journal = Journal::new(1);
        journal.push_raw(b"no json".to_vec());
        let Body::Answer(known) = answer(1, 5) else { return };
        journal.push(Body::Answer(Answer { question: "zz".parse().unwrap(), ..known }));
        journal.push(answer(2, 5));
        send_all(&store, "t-1", &journal).await;
        let quarantined = || async { store.chains(&site()).await.unwrap()[0].quarantined };
        assert_eq!((quarantined().await, store.levels(&site()).await.unwrap().quarantined), (2, 2));
        let mut mended = the_hospital();
        let question = mended.questionnaires[0].questions[0].clone();
        let zz = xinsheng::questionnaire::Question { id: "zz".parse().unwrap(), ..question };
        mended.questionnaires[0].questions.push(zz);
        store.replay_quarantine(&site(), chrono_tz::UTC, Arc::new(mended)).await.unwrap();
        assert_eq!(quarantined().await, 1);
        let groups = store.quarantine_groups(&site(), 9).await.unwrap();
        assert_eq!((groups.len(), groups[0].entries), (1, 1));
    });
    let database = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    let recount: i64 = database
        .query_row("select count(*) from entries where state = 'quarantined'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(recount, 1);
}

#[test]
fn the_database_is_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let modes = || -> Vec<u32> {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777).collect()
    };
    let store = sqlite(folder.path());
    assert!(modes().len() >= 2 && modes().iter().all(|mode| *mode == 0o600), "{:?}", modes());
    drop(store);
    let path = folder.path().join("central.sqlite");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = sqlite(folder.path());
    assert!(modes().iter().all(|mode| *mode == 0o600), "a database of an earlier version: {:?}", modes());
}

#[test]
fn a_code_is_good_once_for_a_day_and_the_same_key_gets_the_same_answer_again() {
    stores(|store| async move {
        let code = NewCode {
            code_hash: Hash([9; 32]),
            touchpoint: "window".parse().unwrap(),
            made_at: start(),
            expires_at: start() + TimeDelta::hours(24),
        };
        store.add_code(&site(), code.clone()).await.unwrap();
        let enrol = |name: &'static str, key: &'static str, at| {
            let (store, new) = (Arc::clone(&store), new_terminal(Hash([9; 32]), name, key, at));
            async move { store.enrol(&site(), new).await.unwrap() }
        };
        assert_eq!(enrol("t-0", "k0", code.expires_at).await, Enrolled::ExpiredCode);
        let welcome =
            Enrolled::Welcome { terminal: "t-1".parse().unwrap(), touchpoint: code.touchpoint.clone() };
        assert_eq!(enrol("t-1", "k1", start()).await, welcome);
        assert_eq!(enrol("t-2", "k1", start()).await, welcome);
        assert_eq!(enrol("t-2", "k2", start()).await, Enrolled::UsedCode);
        let wrong = store.enrol(&site(), new_terminal(Hash([8; 32]), "t-3", "k3", start())).await.unwrap();
        assert_eq!(wrong, Enrolled::UnknownCode);
        let other: SiteId = "other".parse().unwrap();
        assert!(store.terminals(&other).await.unwrap().is_empty());
        assert!(store.revoke(&site(), &"t-1".parse().unwrap(), start()).await.unwrap());
        let terminal = store.terminal(&site(), &"t-1".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((terminal.revoked_at, terminal.touchpoint.as_str()), (Some(start()), "window"));
    });
}

#[test]
fn a_store_opened_again_is_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut journal = Journal::new(1);
        journal.push(answer(1, 5));
        let store = sqlite(folder.path());
        let id = store.id();
        send_all(&store, "t-1", &journal).await;
        drop(store);
        let fresh = StoreId::from_parts(2, [2; 10]);
        let again: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("central.sqlite"), fresh, start()).unwrap());
        assert_eq!(again.id(), id);
        assert_eq!(send_all(&again, "t-1", &journal).await, accepted(1, journal.head(), 0, 1, false));
        assert_eq!(all_counts(&again).await, only("a", 5, 1));
    });
}

#[test]
fn a_store_of_the_first_schema_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let first = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    first.execute_batch(include_str!("../../src/central/store/sqlite/0001_tables.sql")).unwrap();
    first
        .execute_batch(
            "pragma application_id = 0x58534345; pragma user_version = 1; \
             insert into store_info values (1, '00000000-0001-7101-8101-010101010101', 0); \
             insert into reasons values ('main', zeroblob(16), 'a', 'window', 'long@1', 1, '[]', 'en', \
             zeroblob(16), 1, 0)",
        )
        .unwrap();
    drop(first);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = sqlite(folder.path());
        let mut journal = Journal::new(1);
        journal.push(help("window", "en"));
        assert_eq!(called(&send_after(&store, &journal, 1).await), 1);
        assert_eq!(calls(&store).await.len(), 1);
    });
    let again = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    let kept: (Vec<u8>, i64) =
        again.query_row("select boot, up_ms from reasons", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(kept, (vec![0; 16], 0));
    survived!(25; 1, "database of an older central");
}

#[test]
fn a_foreign_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute_batch("create table theirs (x)").unwrap();
    let error = SqliteStore::open(&path, StoreId::from_parts(1, [1; 10]), start()).err().unwrap();
    assert!(error.to_string().contains("another program"), "{error}");
}

// ---- counts always equal a recount, whatever is sent in whatever pieces (fault 47) ----

#[derive(Clone, Debug)]
enum Tap {
    Answer { response: u64, value: u8, flagged: bool },
    End { response: u64, undone: bool },
    Junk,
    Repeated { of: usize },
}

#[derive(Clone, Debug)]
struct Sending {
    journal: usize,
    back: u64,
    count: usize,
}

fn tap() -> impl Strategy<Value = Tap> {
    prop_oneof![
        6 => (0..6u64, 1..=6u8, any::<bool>()).prop_map(|(response, value, flagged)| Tap::Answer { response, value, flagged }),
        2 => (0..6u64, any::<bool>()).prop_map(|(response, undone)| Tap::End { response, undone }),
        1 => Just(Tap::Junk),
        1 => (0..40usize).prop_map(|of| Tap::Repeated { of }),
    ]
}

fn sending() -> impl Strategy<Value = Sending> {
    (0..2usize, 0..5u64, 1..8usize).prop_map(|(journal, back, count)| Sending { journal, back, count })
}

/// The simplest thing that could be right: every entry once, and of a response's answers the one that was written last.
#[derive(Default)]
struct Model {
    seen: BTreeSet<EntryId>,
    answers: BTreeMap<u64, (u64, u8, bool)>,
    undone: BTreeSet<u64>,
}

impl Model {
    fn take(&mut self, written: &Written) {
        if !self.seen.insert(written.id) {
            return;
        }
        match &written.tap {
            Tap::Answer { response, value: value @ 1..=5, flagged } => {
                let answer = self.answers.entry(*response).or_default();
                *answer = (*answer).max((written.at.up_ms, *value, *flagged));
            }
            Tap::End { response, undone: true } => {
                self.undone.insert(*response);
            }
            Tap::Answer { .. } | Tap::End { .. } | Tap::Junk | Tap::Repeated { .. } => {}
        }
    }

    fn counts(&self) -> BTreeMap<(String, u8, bool), u64> {
        let mut sums = BTreeMap::new();
        for (_, (_, value, flagged)) in
            self.answers.iter().filter(|(response, _)| !self.undone.contains(response))
        {
            *sums.entry(("a".to_owned(), *value, *flagged)).or_default() += 1;
        }
        sums
    }
}

/// An entry of a journal.
#[derive(Clone)]
struct Written {
    id: EntryId,
    at: Moment,
    tap: Tap,
}

/// Writes taps into a journal; the second journal carries entries of the first over as they are.
fn write(journal: &mut Journal, taps: &[Tap], other: &[Written], offset: u64) -> Vec<Written> {
    let mut written = Vec::new();
    for tap in taps {
        let at = journal.now();
        let (id, at, tap) = match tap.clone() {
            Tap::Answer { response, value, flagged: doubt } => {
                let response = response + offset;
                let id = journal.push(maybe_flagged(answer(response, value), doubt));
                (id, at, Tap::Answer { response, value, flagged: doubt })
            }
            Tap::End { response, undone } => {
                let response = response + offset;
                let outcome = if undone { EndOutcome::Undone } else { EndOutcome::Completed };
                (journal.push(end(response, outcome)), at, Tap::End { response, undone })
            }
            Tap::Junk => {
                journal.push_raw(b"{]".to_vec());
                (EntryId::from_parts(journal.last_seq(), [journal.chain.0[0]; 10]), at, Tap::Junk)
            }
            Tap::Repeated { of } => {
                let Some(Written { id, at, tap: Tap::Answer { response, value, flagged: doubt } }) =
                    other.get(of).cloned()
                else {
                    continue;
                };
                journal.push_draft(Draft { id, at, body: maybe_flagged(answer(response, value), doubt) });
                (id, at, Tap::Answer { response, value, flagged: doubt })
            }
        };
        written.push(Written { id, at, tap });
    }
    written
}

fn maybe_flagged(body: Body, doubt: bool) -> Body {
    if doubt { flagged(body) } else { body }
}

async fn counts_equal_a_recount(store: Arc<dyn Store>, taps: [Vec<Tap>; 2], sendings: Vec<Sending>) {
    let mut journals = [Journal::new(1), Journal::new(2)];
    let first = write(&mut journals[0], &taps[0], &[], 0);
    let second = write(&mut journals[1], &taps[1], &first, 100);
    let written = [first, second];
    let (mut model, mut through) = (Model::default(), [0_u64; 2]);
    let drain = (0..2).flat_map(|journal| (0..30).map(move |_| Sending { journal, back: 0, count: 7 }));
    for Sending { journal: which, back, count } in sendings.into_iter().chain(drain) {
        let journal = &journals[which];
        // From a little behind the cursor to a little beyond it: overlaps, repeats and gaps.
        let first = (through[which] + 2).saturating_sub(back).max(1);
        let first = if back == 0 { through[which] + 1 } else { first };
        if first > journal.last_seq() {
            continue;
        }
        let count = count.min(usize::try_from(journal.last_seq() - first + 1).unwrap());
        let Ingested::Accepted { accepted_through, .. } = send(&store, "t-1", journal, first, count).await
        else {
            panic!("one history is no conflict");
        };
        for seq in through[which] + 1..=accepted_through {
            model.take(&written[which][usize::try_from(seq).unwrap() - 1]);
        }
        through[which] = accepted_through;
        assert_eq!(all_counts(&store).await, model.counts());
        assert!(store.drift(&site()).await.unwrap().is_empty());
    }
    assert_eq!(through, [journals[0].last_seq(), journals[1].last_seq()], "in the end everything is held");
}

/// Histories tried so far.
static CASES: AtomicU32 = AtomicU32::new(0);

proptest! {
    #![proptest_config(chance::cases(24))]

    #[test]
    fn counts_equal_a_recount_whatever_is_sent_in_whatever_pieces(
        one in prop::collection::vec(tap(), 1..40),
        two in prop::collection::vec(tap(), 1..40),
        sendings in prop::collection::vec(sending(), 0..20),
    ) {
        stores(|store| counts_equal_a_recount(store, [one.clone(), two.clone()], sendings.clone()));
        survived!(47; CASES.fetch_add(1, Ordering::Relaxed) + 1, "histories");
    }
}
