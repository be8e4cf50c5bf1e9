//! What every store must do. Each function takes a fresh store of any kind; `contract!` makes a test of it for every kind there is.
//!
//! A further kind implements [`Kind`] and gets its line in the two macros.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]
#![expect(clippy::unwrap_used, reason = "a test")]

/// A test for every kind of store, of each function that takes a fresh store.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { <$crate::store_contract::OnSqlite as $crate::store_contract::Kind>::run(super::$name) })+
        }
    };
}
pub(super) use contract;

/// The same, of functions that make stores of a kind by themselves.
macro_rules! contract_of_kind {
    ($($name:ident),+ $(,)?) => {
        mod sqlite_made {
            $(#[test] fn $name() { super::$name::<$crate::store_contract::OnSqlite>() })+
        }
    };
}
pub(super) use contract_of_kind;

mod batches;
mod database;
mod help;
mod ownership;
mod quarantine;
mod recount;
mod terminals;
mod times;

use std::{collections::BTreeMap, future::Future, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use xinsheng::{
    central::{
        ingest::{Batch, HelpRow},
        store::{
            CountQuery, Enrolled, Ingested, NewCode, NewTerminal, Report, Retry, SignedRequest, Store,
            Submission, sqlite::SqliteStore,
        },
    },
    chain,
    model::{Hash, Moment, SiteId, StoreId, TimeQuality},
    questionnaire::Hospital,
    survey::Start,
    wire::{Body, Health, ScreenFacts},
};

use crate::{
    hospital::plan,
    journal::{Journal, start},
};

/// A kind of store.
pub(super) trait Kind {
    /// Runs a contract on a fresh store of this kind.
    fn run<F: Future<Output = ()>>(contract: impl FnOnce(Arc<dyn Store>) -> F);
}

/// SQLite, each store in a folder of its own.
pub(super) struct OnSqlite;

impl Kind for OnSqlite {
    fn run<F: Future<Output = ()>>(contract: impl FnOnce(Arc<dyn Store>) -> F) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(contract(sqlite(folder.path())));
    }
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

/// A health report about a journal.
fn health_of(journal: &Journal, clock: TimeQuality, sent: Moment) -> Health {
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
        clock,
        software: "1".to_owned(),
        config_hash: String::new(),
        screen: ScreenFacts::default(),
        restarts: 0,
        lost_after: None,
        sent,
    }
}

/// A health report: central hears of the boot it was sent in.
pub(super) async fn hear(store: &Arc<dyn Store>, journal: &Journal, sent: Moment) {
    let health = health_of(journal, TimeQuality::Unset, sent);
    store.record_health(report("t-1", health, received())).await.unwrap();
}

/// A health report as it comes from a terminal.
fn report(terminal: &str, health: Health, received_at: DateTime<Utc>) -> Report {
    let terminal = terminal.parse().unwrap();
    Report { site: site(), zone: chrono_tz::Asia::Shanghai, terminal, health, received_at }
}

/// What is asked where, for the quarantine to be tried again with.
pub(super) fn retry(hospital: Hospital) -> Retry {
    Retry { site: site(), zone: chrono_tz::Asia::Shanghai, hospital: Arc::new(hospital) }
}

/// A journal whose entries have other ids than those of another journal with the same number.
fn journal_of(number: u8, bodies: impl IntoIterator<Item = Body>) -> Journal {
    let mut journal = Journal::new(number);
    bodies.into_iter().for_each(|body| _ = journal.push(body));
    journal
}
