//! Calls for help: when they are open, how they are listed, and what a flood of them does.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta};
use xinsheng::{
    central::store::{HelpRow, Store, Submission},
    model::{BootId, EntryId, Moment, SiteId, TimeQuality},
    wire::Draft,
};

use super::{called, calls, enrolled, journal_of, send_after, site, submission};
use crate::journal::{Journal, answer, help, start};

contract! {
    a_call_for_help_rings_once_however_often_it_is_sent_and_until_it_is_answered,
    a_call_that_comes_too_late_is_listed_and_does_not_ring,
    a_call_from_a_place_that_is_not_configured_rings_as_well,
    row_13_a_flood_of_calls_is_kept_and_counted_and_hides_no_other_call,
}

async fn a_call_for_help_rings_once_however_often_it_is_sent_and_until_it_is_answered(store: Arc<dyn Store>) {
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
        assert_eq!(store.answer_help(&site(), id, at).await.unwrap(), Some(answered), "the first mark stays");
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
}

async fn a_call_that_comes_too_late_is_listed_and_does_not_ring(store: Arc<dyn Store>) {
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
}

async fn a_call_from_a_place_that_is_not_configured_rings_as_well(store: Arc<dyn Store>) {
    let mut journal = Journal::new(1);
    journal.push(help("new-wing", "en"));
    assert_eq!(called(&send_after(&store, &journal, 2).await), 1);
    let [call] = calls(&store).await.try_into().unwrap();
    assert!(call.is_open() && call.touchpoint.as_str() == "new-wing");
    assert!(store.quarantine(&site(), 9).await.unwrap().is_empty());
}

async fn row_13_a_flood_of_calls_is_kept_and_counted_and_hides_no_other_call(store: Arc<dyn Store>) {
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
    assert_eq!(store.open_help_calls(&site()).await.unwrap(), 101);

    let folded = lines.iter().find(|call| call.calls > 1).unwrap();
    assert_eq!(folded.calls, 80);
    store.answer_help(&site(), folded.id, start() + TimeDelta::minutes(3)).await.unwrap();
    assert_eq!(store.open_help_calls(&site()).await.unwrap(), 21, "one mark ends the whole line");
    let ended = store.help_calls(&site(), start(), 200).await.unwrap();
    assert_eq!(ended.iter().filter(|call| !call.is_open()).map(|call| call.calls).collect::<Vec<_>>(), [80]);
}
