//! How entries are dated when the clock or the boot of a terminal is not known.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use xinsheng::{
    central::store::{CountQuery, Store, TimeSpan},
    model::{BootId, EntryId, Moment, TimeQuality},
    wire::Draft,
};

use super::{all_counts, calls, counts, hear, only, received, send_all, site, submission};
use crate::{
    faults::survived,
    journal::{Journal, answer, help, tested},
};

contract! {
    answers_of_a_boot_never_seen_count_in_totals_and_get_their_hour_when_the_boot_is_heard_of,
    row_2_no_time_after_its_arrival_is_stored_as_known_and_everything_can_be_exported,
}

async fn answers_of_a_boot_never_seen_count_in_totals_and_get_their_hour_when_the_boot_is_heard_of(
    store: Arc<dyn Store>,
) {
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
    assert_eq!(hours.iter().map(|count| (count.hour, count.n)).collect::<Vec<_>>(), [(Some(expected), 1)]);
    assert!(store.drift(&site()).await.unwrap().is_empty());
    survived!(34; 1, "start");
}

async fn row_2_no_time_after_its_arrival_is_stored_as_known_and_everything_can_be_exported(
    store: Arc<dyn Store>,
) {
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
    assert!(store.self_tests(&site()).await.unwrap().iter().all(|test| test.at.timestamp_millis() <= latest));
    assert!(store.drift(&site()).await.unwrap().is_empty());
    survived!(33; 4, "clocks");
}
