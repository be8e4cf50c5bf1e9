//! Which terminal a journal and a response belong to, and what a terminal cannot do to others.

use std::sync::Arc;

use chrono::TimeDelta;
use xinsheng::{
    central::store::{Ingested, NewCode, NewTerminal, Store},
    chain,
    model::{EntryId, Moment, TerminalId, TimeQuality},
    wire::{Body, EndOutcome, Health, ResponseEnd},
};

use super::{
    accepted, all_counts, enrolled, health_of, journal_of, new_terminal, received, report, retry, send_all,
    site, the_hospital,
};
use crate::{
    faults::survived,
    journal::{Journal, answer, end, response, start},
};

contract! {
    a_journal_belongs_to_one_machine_also_when_it_enrols_again,
    ownership_a_terminal_cannot_undo_replace_or_change_what_another_wrote,
    ownership_the_same_machine_under_a_new_name_can_undo_what_it_wrote,
    two_machines_that_do_not_know_what_they_are_are_not_one,
    made_up_journals_cannot_flood_the_incidents,
}

async fn a_journal_belongs_to_one_machine_also_when_it_enrols_again(store: Arc<dyn Store>) {
    enrolled(&store, "t-1", "one").await;
    enrolled(&store, "t-2", "one").await;
    enrolled(&store, "t-3", "two").await;
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    send_all(&store, "t-1", &journal).await;
    journal.push(answer(2, 5));
    assert!(matches!(send_all(&store, "t-3", &journal).await, Ingested::Conflict { .. }));
    assert_eq!(send_all(&store, "t-2", &journal).await, accepted(2, journal.head(), 1, 1, true));
    survived!(30; 1, "machine");
}

fn replacing(number: u64, replaces: u64) -> Body {
    Body::ResponseEnd(ResponseEnd {
        response: response(number),
        touchpoint: None,
        outcome: EndOutcome::Completed,
        replaces: Some(response(replaces)),
    })
}

async fn ownership_a_terminal_cannot_undo_replace_or_change_what_another_wrote(store: Arc<dyn Store>) {
    enrolled(&store, "t-1", "one").await;
    enrolled(&store, "t-2", "two").await;
    send_all(&store, "t-1", &journal_of(1, [answer(1, 5), answer(2, 5)])).await;
    let foreign = journal_of(2, [end(1, EndOutcome::Undone), answer(2, 1), replacing(3, 1), answer(4, 4)]);
    let Ingested::Accepted { quarantined, accepted_through, .. } = send_all(&store, "t-2", &foreign).await
    else {
        panic!("content refuses no batch");
    };
    assert_eq!(accepted_through, 4);
    assert_eq!(quarantined.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(quarantined[0].reason.ends_with("belongs to terminal `t-1`"), "{}", quarantined[0].reason);
    let held = [(("a".into(), 5, false), 2), (("a".into(), 4, false), 1)];
    assert_eq!(all_counts(&store).await, held.into());
    store.replay_quarantine(retry(the_hospital())).await.unwrap();
    assert_eq!(store.quarantined(&site()).await.unwrap(), 3, "trying again gives nobody a right");
}

async fn ownership_the_same_machine_under_a_new_name_can_undo_what_it_wrote(store: Arc<dyn Store>) {
    enrolled(&store, "t-1", "one").await;
    enrolled(&store, "t-2", "one").await;
    send_all(&store, "t-1", &journal_of(1, [answer(1, 5)])).await;
    send_all(&store, "t-2", &journal_of(2, [end(1, EndOutcome::Undone)])).await;
    assert!(all_counts(&store).await.is_empty());
    assert!(store.quarantine(&site(), 9).await.unwrap().is_empty());
}

async fn two_machines_that_do_not_know_what_they_are_are_not_one(store: Arc<dyn Store>) {
    for (name, key) in [("t-1", "one"), ("t-2", "two")] {
        let code_hash = chain::sha256(name.as_bytes());
        let code = NewCode {
            code_hash,
            touchpoint: "window".parse().unwrap(),
            made_at: start(),
            expires_at: start() + TimeDelta::hours(24),
        };
        store.add_code(&site(), code).await.unwrap();
        let unknown =
            NewTerminal { hardware_id: "unknown".to_owned(), ..new_terminal(code_hash, name, key, start()) };
        store.enrol(&site(), unknown).await.unwrap();
    }
    let mut journal = journal_of(1, [answer(1, 5)]);
    send_all(&store, "t-1", &journal).await;
    journal.push(answer(2, 5));
    assert!(matches!(send_all(&store, "t-2", &journal).await, Ingested::Conflict { .. }));
}

async fn made_up_journals_cannot_flood_the_incidents(store: Arc<dyn Store>) {
    enrolled(&store, "t-1", "one").await;
    enrolled(&store, "t-2", "two").await;
    let terminal: TerminalId = "t-1".parse().unwrap();
    for n in 0..40_u8 {
        let mut journal = Journal::new(n + 10);
        journal.push(answer(1, 5));
        let said = Health { lost_after: Some(EntryId::from_parts(1, [n; 10])), ..about(&journal, n.into()) };
        let at = received() + TimeDelta::minutes(n.into());
        store.record_health(report("t-1", said, at)).await.unwrap();
    }
    let other = Health { lost_after: Some(EntryId::from_parts(1, [9; 10])), ..about(&Journal::new(9), 1) };
    store.record_health(report("t-2", other, received())).await.unwrap();
    let incidents = store.incidents(&site(), 999).await.unwrap();
    let of_one: Vec<_> = incidents.iter().filter(|incident| incident.terminal == terminal).collect();
    assert_eq!((of_one.len(), of_one.iter().map(|incident| incident.times).sum::<u64>()), (5, 40));
    assert_eq!(incidents.len(), 6);
    // A day later there is room again.
    let said = Health { lost_after: Some(EntryId::from_parts(1, [8; 10])), ..about(&Journal::new(8), 99) };
    let tomorrow = received() + TimeDelta::days(2);
    store.record_health(report("t-1", said, tomorrow)).await.unwrap();
    assert_eq!(store.incidents(&site(), 999).await.unwrap().len(), 7);
}

fn about(journal: &Journal, minutes_up: u64) -> Health {
    let sent = Moment { up_ms: minutes_up * 60_000, ..journal.now() };
    health_of(journal, TimeQuality::Synced, sent)
}
