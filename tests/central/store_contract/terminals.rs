//! What is stored of a terminal: its enrolment, its last sign of life, its self-test and its place.

use std::sync::Arc;

use chrono::TimeDelta;
use xinsheng::{
    central::store::{CountQuery, Enrolled, Fleet, NewCode, Store, Submission},
    chain,
    model::{Hash, Scale, SiteId, TimeQuality, Value},
    wire::{Answer, Body, ConfigChange, Health},
};

use super::{
    all_counts, enrolled, health_of, journal_of, new_terminal, only, received, report, send_all, site,
    sqlite, submission,
};
use crate::{
    faults::survived,
    journal::{Journal, answer, start, tested, tested_of},
};

contract! {
    a_test_that_arrives_late_does_not_replace_a_later_one,
    the_terminals_of_a_site_are_counted_without_those_that_are_revoked,
    the_first_revocation_stays_and_a_revoked_key_is_not_let_in_again,
    the_last_self_test_counts_each_button_once,
    a_request_that_is_played_back_is_no_sign_of_life,
    fault_32_answers_stay_with_the_place_they_were_given_at_also_when_they_arrive_after_the_move,
    a_code_is_good_once_for_a_day_and_the_same_key_gets_the_same_answer_again,
}

async fn a_test_that_arrives_late_does_not_replace_a_later_one(store: Arc<dyn Store>) {
    let (mut earlier, mut later) = (Journal::new(1), Journal::new(2));
    earlier.push(tested("face 1"));
    (0..9).for_each(|n| _ = later.push(answer(n, 5)));
    later.push(tested("face 1"));
    let at = later.now().wall - TimeDelta::minutes(1);
    send_all(&store, "t-1", &later).await;
    send_all(&store, "t-1", &earlier).await;
    let [last] = store.self_tests(&site()).await.unwrap().try_into().unwrap();
    assert_eq!((last.at, last.targets), (at, 1));
}

async fn the_terminals_of_a_site_are_counted_without_those_that_are_revoked(store: Arc<dyn Store>) {
    for (name, key) in [("t-1", "one"), ("t-2", "two"), ("t-3", "three")] {
        enrolled(&store, name, key).await;
    }
    let journal = Journal::new(1);
    for (name, queue_depth) in [("t-1", 7), ("t-3", 100)] {
        let health = Health { queue_depth, ..health_of(&journal, TimeQuality::Unset, journal.now()) };
        store.record_health(report(name, health, received())).await.unwrap();
    }
    store.revoke(&site(), &"t-3".parse().unwrap(), received()).await.unwrap();
    let fleet = store.fleet(&site(), received()).await.unwrap();
    assert_eq!(fleet, Fleet { terminals: 2, silent: 1, queue_depth: 7 });
    let later = store.fleet(&site(), received() + TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(later.silent, 2, "also who was heard, if that is too long ago");
    assert_eq!(store.fleet(&"other".parse().unwrap(), received()).await.unwrap(), Fleet::default());
}

async fn the_first_revocation_stays_and_a_revoked_key_is_not_let_in_again(store: Arc<dyn Store>) {
    enrolled(&store, "t-1", "one").await;
    let id = "t-1".parse().unwrap();
    for minutes in [0, 5] {
        assert!(store.revoke(&site(), &id, start() + TimeDelta::minutes(minutes)).await.unwrap());
    }
    assert_eq!(store.terminal(&site(), &id).await.unwrap().unwrap().revoked_at, Some(start()));
    assert!(!store.revoke(&site(), &"t-9".parse().unwrap(), start()).await.unwrap());
    let again = new_terminal(chain::sha256(b"t-1"), "t-2", "one", start());
    assert_eq!(store.enrol(&site(), again).await.unwrap(), Enrolled::UsedCode);
}

async fn the_last_self_test_counts_each_button_once(store: Arc<dyn Store>) {
    let mut journal = Journal::new(1);
    for target in ["face 1", "face 2", "face 3"] {
        journal.push(tested(target));
    }
    (0..60).for_each(|n| _ = journal.push(answer(n, 5)));
    for target in ["face 1", "face 2", "face 1"] {
        journal.push(tested_of(target, Some(9)));
    }
    let at = journal.now().wall - TimeDelta::minutes(1);
    for _ in 0..2 {
        send_all(&store, "t-1", &journal).await;
    }
    let [last] = store.self_tests(&site()).await.unwrap().try_into().unwrap();
    assert_eq!((last.terminal.as_str(), last.at, last.targets, last.of), ("t-1", at, 2, Some(9)));
    assert_eq!(all_counts(&store).await, only("a", 5, 60), "a test is no answer");
}

async fn a_request_that_is_played_back_is_no_sign_of_life(store: Arc<dyn Store>) {
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
    assert_eq!(seen().await, Some(received() + TimeDelta::minutes(20)), "a request of a boot that is over");
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

async fn fault_32_answers_stay_with_the_place_they_were_given_at_also_when_they_arrive_after_the_move(
    store: Arc<dyn Store>,
) {
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
    survived!(32; 3, "moves");
}

async fn a_code_is_good_once_for_a_day_and_the_same_key_gets_the_same_answer_again(store: Arc<dyn Store>) {
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
    let welcome = Enrolled::Welcome { terminal: "t-1".parse().unwrap(), touchpoint: code.touchpoint.clone() };
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
}
