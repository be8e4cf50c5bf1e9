//! Entries that central cannot read are kept with the reason and counted once they are understood.

use std::sync::Arc;

use xinsheng::{
    central::store::{Ingested, Store},
    wire::{Answer, Body},
};

use super::{all_counts, only, retry, send_all, site, sqlite, the_hospital};
use crate::{
    faults::survived,
    journal::{Journal, answer},
};

contract! {
    what_is_not_understood_is_kept_with_the_reason_and_replayed_after_the_mend,
    a_replayed_entry_does_not_override_a_later_answer,
    fault_25_lines_of_a_newer_terminal_are_counted_where_they_can_be_read_and_kept_where_not,
}

async fn what_is_not_understood_is_kept_with_the_reason_and_replayed_after_the_mend(store: Arc<dyn Store>) {
    let mut journal = Journal::new(1);
    journal.push_raw(b"\xff\x00 no json".to_vec());
    let unknown = |body: Body| match body {
        Body::Answer(answer) => Body::Answer(Answer { question: "zz".parse().unwrap(), ..answer }),
        other => other,
    };
    journal.push(unknown(answer(1, 5)));
    journal.push(answer(2, 9));
    journal.push(answer(3, 5));
    let Ingested::Accepted { accepted_through, quarantined, .. } = send_all(&store, "t-1", &journal).await
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
    let done = store.replay_quarantine(retry(mended.clone())).await.unwrap();
    assert_eq!((done.understood, done.remaining), (1, 2));
    assert_eq!(all_counts(&store).await, [(("a".into(), 5, false), 1), (("zz".into(), 5, false), 1)].into());
    let done = store.replay_quarantine(retry(mended)).await.unwrap();
    assert_eq!((done.understood, done.remaining), (0, 2));
    assert!(store.drift(&site()).await.unwrap().is_empty());
}

async fn a_replayed_entry_does_not_override_a_later_answer(store: Arc<dyn Store>) {
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
    store.replay_quarantine(retry(mended)).await.unwrap();
    assert_eq!(all_counts(&store).await, only("a", 5, 1));
}

async fn fault_25_lines_of_a_newer_terminal_are_counted_where_they_can_be_read_and_kept_where_not(
    store: Arc<dyn Store>,
) {
    let lines = [
        (r#"{"v":1,"#, r#"{"mood":"calm","v":1,"#),
        (r#""kind":"answer""#, r#""kind":"dance""#),
        (r#"{"v":1,"#, r#"{"v":2,"#),
    ];

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
    survived!(25; lines.len(), "lines of a newer terminal");
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
        assert_eq!((quarantined().await, store.quarantined(&site()).await.unwrap()), (2, 2));
        let mut mended = the_hospital();
        let question = mended.questionnaires[0].questions[0].clone();
        let zz = xinsheng::questionnaire::Question { id: "zz".parse().unwrap(), ..question };
        mended.questionnaires[0].questions.push(zz);
        store.replay_quarantine(retry(mended)).await.unwrap();
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
