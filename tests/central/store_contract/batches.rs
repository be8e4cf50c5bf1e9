//! What a batch does to a store: repeats, gaps, conflicting histories, corrections and withheld lines.

use std::sync::Arc;

use xinsheng::{
    central::store::{EntryState, IncidentKind, Ingested, Store},
    chain,
    model::{EntryId, Value},
    wire::{Body, Draft, EndOutcome, Reasons, Withheld},
};

use super::{accepted, all_counts, only, send, send_all, site, submission};
use crate::{
    faults::survived,
    journal::{Journal, answer, end, response},
};

contract! {
    a_batch_counts_once_however_often_it_is_sent,
    a_batch_beyond_a_gap_stores_nothing_and_says_how_far_central_is,
    another_history_is_a_conflict_with_an_incident_and_changes_nothing,
    an_entry_carried_into_a_new_chain_is_kept_and_not_counted_again,
    an_answer_changed_in_the_moment_a_new_chain_begins_stands_though_the_older_one_is_carried_in_behind_it,
    the_same_where_central_has_the_older_answer_already,
    a_later_answer_replaces_the_earlier_and_undone_takes_it_back,
    withheld_lines_keep_the_chain_whole,
}

async fn a_batch_counts_once_however_often_it_is_sent(store: Arc<dyn Store>) {
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
    survived!(26; 3, "repeated requests");
}

async fn a_batch_beyond_a_gap_stores_nothing_and_says_how_far_central_is(store: Arc<dyn Store>) {
    let mut journal = Journal::new(1);
    (1..=5).for_each(|n| _ = journal.push(answer(n, 4)));
    let genesis = chain::genesis(journal.chain);
    assert_eq!(send(&store, "t-1", &journal, 4, 2).await, accepted(0, genesis, 0, 0, false));
    assert!(store.cursor(&site(), journal.chain).await.unwrap().is_none());
    send(&store, "t-1", &journal, 1, 2).await;
    let held = chain::head(genesis, journal.lines[..2].iter().map(Vec::as_slice));
    assert_eq!(send(&store, "t-1", &journal, 4, 2).await, accepted(2, held, 0, 0, false));
    assert_eq!(all_counts(&store).await, only("a", 4, 2));
    survived!(26; 2, "requests out of order");
}

async fn another_history_is_a_conflict_with_an_incident_and_changes_nothing(store: Arc<dyn Store>) {
    let (mut journal, mut clone) = (Journal::new(1), Journal::new(1));
    journal.push(answer(1, 5));
    clone.push(answer(2, 1));
    send_all(&store, "t-1", &journal).await;
    let conflict = Ingested::Conflict { accepted_through: 1, head_hash: journal.head() };
    assert_eq!(send_all(&store, "t-1", &clone).await, conflict);
    assert_eq!(send_all(&store, "t-1", &clone).await, conflict);
    let incidents = store.incidents(&site(), 9).await.unwrap();
    assert_eq!((incidents.len(), incidents[0].kind, incidents[0].times), (1, IncidentKind::Clone, 2));
    assert_eq!(all_counts(&store).await, only("a", 5, 1));
    survived!(30; 2, "conflicts");
}

async fn an_entry_carried_into_a_new_chain_is_kept_and_not_counted_again(store: Arc<dyn Store>) {
    let (mut old, mut new) = (Journal::new(1), Journal::new(2));
    let id = old.push(answer(1, 5));
    let at = old.now();
    new.push_draft(Draft { id, at, body: answer(1, 5) });
    new.push(answer(2, 3));
    send_all(&store, "t-1", &old).await;
    assert_eq!(send_all(&store, "t-1", &new).await, accepted(2, new.head(), 2, 0, true));
    let states: Vec<EntryState> =
        store.entries(&site(), new.chain, 0, 9).await.unwrap().into_iter().map(|entry| entry.state).collect();
    assert_eq!(states, [EntryState::Repeated, EntryState::Projected]);
    assert_eq!(all_counts(&store).await.values().sum::<u64>(), 2);
}

async fn an_answer_changed_in_the_moment_a_new_chain_begins_stands_though_the_older_one_is_carried_in_behind_it(
    store: Arc<dyn Store>,
) {
    change_in_the_moment_a_new_chain_begins(store, false).await;
}

async fn the_same_where_central_has_the_older_answer_already(store: Arc<dyn Store>) {
    change_in_the_moment_a_new_chain_begins(store, true).await;
}

async fn change_in_the_moment_a_new_chain_begins(store: Arc<dyn Store>, central_has_the_older_one: bool) {
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
}

async fn a_later_answer_replaces_the_earlier_and_undone_takes_it_back(store: Arc<dyn Store>) {
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
}

async fn withheld_lines_keep_the_chain_whole(store: Arc<dyn Store>) {
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
}
