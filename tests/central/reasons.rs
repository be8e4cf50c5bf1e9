//! The counts of reasons always equal what the stored rows say (fault 47), whatever is sent, undone, replayed or dated late.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use crate::faults::survived;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::DateTime;
use proptest::prelude::*;
use xinsheng::{
    central::store::{CountQuery, Store},
    model::{BootId, EntryId, Moment, ReasonId, TimeQuality},
    questionnaire::Hospital,
    wire::{Answer, Body, Draft, EndOutcome, Reasons},
};

use super::{
    chance,
    journal::{Journal, answer, because, end, flagged},
    store_contract::{Kind, contract, contract_of_kind, hear, retry, send, site, the_hospital},
};

/// Counts of (value, flagged, dated, reason); without a reason: of those asked.
type Counted = BTreeMap<(u8, bool, bool, Option<String>), u64>;

async fn counted(store: &Arc<dyn Store>) -> Counted {
    let query = CountQuery { hourly: true, ..CountQuery::default() };
    let mut sums = Counted::new();
    for count in store.reason_counts(&site(), query).await.unwrap() {
        let key =
            (count.of.value.0, count.of.flagged, count.of.hour.is_some(), count.reason.map(String::from));
        *sums.entry(key).or_default() += count.of.n;
    }
    sums
}

fn key(value: u8, reason: Option<&str>) -> (u8, bool, bool, Option<String>) {
    (value, false, true, reason.map(str::to_owned))
}

contract! { a_reason_counts_while_its_answer_does_and_stands_at_the_value_it_explains }

async fn a_reason_counts_while_its_answer_does_and_stands_at_the_value_it_explains(store: Arc<dyn Store>) {
    let mut journal = Journal::new(1);
    for n in 0..3 {
        journal.push(answer(n, 1));
        journal.push(because(n, 1, if n == 0 { &[] } else { &["wait", "other"] }));
    }
    let all = async |journal: &Journal| {
        send(&store, "t-1", journal, 1, journal.lines.len()).await;
        assert!(store.drift(&site()).await.unwrap().is_empty());
        counted(&store).await
    };
    let full: Counted = [(key(1, None), 3), (key(1, Some("other")), 2), (key(1, Some("wait")), 2)].into();
    assert_eq!(all(&journal).await, full);
    assert_eq!(all(&journal).await, full, "sent again");
    journal.push(because(1, 1, &["manner"]));
    journal.push(end(2, EndOutcome::Undone));
    assert_eq!(all(&journal).await, [(key(1, None), 2), (key(1, Some("manner")), 1)].into());
    // Another answer to the same question: its old reasons explain nothing any more.
    journal.push(answer(1, 5));
    assert_eq!(all(&journal).await, [(key(1, None), 1)].into());
    journal.push(because(9, 2, &["wait"]));
    assert_eq!(
        all(&journal).await,
        [(key(1, None), 1)].into(),
        "without an answer there is nothing to explain"
    );
    journal.push(answer(9, 2));
    let late: Counted = [(key(1, None), 1), (key(2, None), 1), (key(2, Some("wait")), 1)].into();
    assert_eq!(all(&journal).await, late);
}

#[test]
fn a_store_from_before_reasons_were_counted_counts_them_when_it_is_opened() {
    use xinsheng::{central::store::sqlite::SqliteStore, model::StoreId};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.sqlite");
    let open = || -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&path, StoreId::from_parts(1, [1; 10]), super::journal::start()).unwrap())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open();
        let mut journal = Journal::new(1);
        for n in 0..7 {
            journal.push(answer(n, 2));
            journal.push(because(n, 2, &["wait", "wait"]));
        }
        send(&store, "t-1", &journal, 1, journal.lines.len()).await;
    });
    let older = rusqlite::Connection::open(&path).unwrap();
    older
        .execute_batch(
            "drop view counted_reasons; drop table reason_rollups; drop index rollups_by_hour; \
             drop index answers_by_time; drop index entries_withheld; \
             alter table self_tests drop column total; alter table incidents rename to alarms; \
             alter table terminals drop column queue_depth; pragma user_version = 3;",
        )
        .unwrap();
    drop(older);
    runtime.block_on(async {
        let store = open();
        assert_eq!(counted(&store).await, [(key(2, None), 7), (key(2, Some("wait")), 7)].into());
        assert!(store.drift(&site()).await.unwrap().is_empty());
    });
}

#[derive(Clone, Debug)]
enum Step {
    Answer {
        response: u64,
        value: u8,
        doubted: bool,
    },
    Reasons {
        response: u64,
        value: u8,
        chosen: Vec<usize>,
    },
    End {
        response: u64,
        undone: bool,
    },
    Send {
        back: u64,
        count: usize,
    },
    /// The quarantine is tried again with the mended configuration.
    Replay,
    /// Central hears of the boot that was never seen.
    Hear,
}

/// How an entry is written: by a clock that was never right, and under a questionnaire that central does not know yet.
type Manner = (bool, bool);

fn step() -> impl Strategy<Value = (Step, Manner)> {
    let step = prop_oneof![
        5 => (0..5u64, 1..=3u8, any::<bool>()).prop_map(|(response, value, doubted)| Step::Answer { response, value, doubted }),
        5 => (0..5u64, 1..=2u8, prop::collection::vec(0..3usize, 0..4)).prop_map(|(response, value, chosen)| Step::Reasons { response, value, chosen }),
        2 => (0..5u64, any::<bool>()).prop_map(|(response, undone)| Step::End { response, undone }),
        4 => (0..5u64, 1..6usize).prop_map(|(back, count)| Step::Send { back, count }),
        1 => Just(Step::Replay),
        1 => Just(Step::Hear),
    ];
    (step, (prop::bool::weighted(0.3), prop::bool::weighted(0.2)))
}

fn never_seen(up_ms: u64) -> Moment {
    let boot = BootId::from_parts(77, [7; 10]);
    Moment { wall: DateTime::UNIX_EPOCH, boot, up_ms, quality: TimeQuality::Unset }
}

/// The example hospital with a later version of the window's questionnaire.
fn mended() -> Hospital {
    let mut hospital = the_hospital();
    let mut later = hospital.questionnaires[0].clone();
    later.id = "later@1".parse().unwrap();
    hospital.questionnaires.push(later);
    hospital
}

fn under_later(body: Body) -> Body {
    let questionnaire = "later@1".parse().unwrap();
    match body {
        Body::Answer(answer) => Body::Answer(Answer { questionnaire, ..answer }),
        Body::Reasons(reasons) => Body::Reasons(Reasons { questionnaire, ..reasons }),
        other => other,
    }
}

/// The simplest thing that could be right: of all entries understood so far, the last of each kind for each response.
#[derive(Default)]
struct Model {
    /// Entries that central holds, by place; those of the unknown questionnaire apart.
    held: Vec<(u64, Step, Manner)>,
    waiting: Vec<(u64, Step, Manner)>,
    heard: bool,
}

impl Model {
    fn take(&mut self, seq: u64, step: &Step, manner: Manner) {
        let unknown = manner.1 && !matches!(step, Step::End { .. });
        if unknown { &mut self.waiting } else { &mut self.held }.push((seq, step.clone(), manner));
    }

    fn counted(&self) -> Counted {
        let (mut answers, mut reasons, mut undone) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let mut held: Vec<_> = self.held.iter().collect();
        held.sort_by_key(|(seq, _, _)| *seq);
        for (_, step, manner) in held {
            match step {
                Step::Answer { response, value, doubted } => {
                    _ = answers.insert(response, (value, doubted, manner.0))
                }
                Step::Reasons { response, value, chosen } => _ = reasons.insert(response, (value, chosen)),
                Step::End { response, undone: true } => _ = undone.insert(response),
                Step::End { .. } | Step::Send { .. } | Step::Replay | Step::Hear => {}
            }
        }
        let mut sums = Counted::new();
        for (response, (value, doubted, undated)) in
            answers.iter().filter(|(response, _)| !undone.contains(*response))
        {
            let Some((_, chosen)) = reasons.get(response).filter(|(explained, _)| explained == value) else {
                continue;
            };
            let names: BTreeSet<&str> = chosen.iter().map(|i| ["wait", "manner", "other"][*i]).collect();
            for reason in names.into_iter().map(Some).chain([None]) {
                let key = (**value, **doubted, !undated || self.heard, reason.map(str::to_owned));
                *sums.entry(key).or_default() += 1;
            }
        }
        sums
    }
}

async fn reasons_equal_a_recount(store: Arc<dyn Store>, steps: Vec<(Step, Manner)>) {
    let (mut journal, mut model, mut through) = (Journal::new(1), Model::default(), 0);
    let mut written: Vec<(Step, Manner)> = Vec::new();
    let end_of_all = (0..60).map(|_| Step::Send { back: 0, count: 5 }).chain([Step::Replay, Step::Hear]);
    for (step, manner) in steps.into_iter().chain(end_of_all.map(|step| (step, (false, false)))) {
        let body = match &step {
            Step::Answer { response, value, doubted } => {
                let body = answer(*response, *value);
                Some(if *doubted { flagged(body) } else { body })
            }
            Step::Reasons { response, value, chosen } => Some(because(
                *response,
                *value,
                &chosen.iter().map(|i| ["wait", "manner", "other"][*i]).collect::<Vec<_>>(),
            )),
            Step::End { response, undone } => {
                Some(end(*response, if *undone { EndOutcome::Undone } else { EndOutcome::Completed }))
            }
            Step::Send { back, count } => {
                let first = (through + 1_u64).saturating_sub(*back).max(1);
                if first <= journal.last_seq() {
                    let count = (*count).min(usize::try_from(journal.last_seq() - first + 1).unwrap());
                    send(&store, "t-1", &journal, first, count).await;
                    for seq in through + 1..first + count as u64 {
                        let (step, manner) = &written[usize::try_from(seq).unwrap() - 1];
                        model.take(seq, step, *manner);
                        through = seq;
                    }
                }
                None
            }
            Step::Replay => {
                store.replay_quarantine(retry(mended())).await.unwrap();
                model.held.append(&mut model.waiting);
                None
            }
            Step::Hear => {
                hear(&store, &journal, never_seen(90_000_000)).await;
                model.heard = true;
                None
            }
        };
        if let Some(body) = body {
            let body = if manner.1 { under_later(body) } else { body };
            let up_ms = journal.now().up_ms;
            let at = if manner.0 { never_seen(up_ms) } else { journal.now() };
            let id = EntryId::from_parts(
                7,
                (u128::from(journal.last_seq()) << 8).to_be_bytes()[6..].try_into().unwrap(),
            );
            journal.push_draft(Draft { id, at, body });
            written.push((step, manner));
            continue;
        }
        assert_eq!(counted(&store).await, model.counted());
        assert_eq!(store.drift(&site()).await.unwrap(), []);
    }
    assert_eq!(through, journal.last_seq(), "in the end everything is held");
}

/// Histories tried so far.
static CASES: AtomicU32 = AtomicU32::new(0);

contract_of_kind! { counts_of_reasons_equal_a_recount_whatever_is_sent_undone_replayed_or_dated_late }

fn counts_of_reasons_equal_a_recount_whatever_is_sent_undone_replayed_or_dated_late<K: Kind>() {
    proptest!(chance::cases(32), |(steps in prop::collection::vec(step(), 1..60))| {
        K::run(|store| reasons_equal_a_recount(store, steps));
        CASES.fetch_add(1, Ordering::Relaxed);
    });
    survived!(47; CASES.load(Ordering::Relaxed), "histories");
}

#[test]
fn a_reason_id_is_never_empty_so_that_empty_can_mean_asked() {
    assert!("".parse::<ReasonId>().is_err());
}
