//! Fault 23: a central that is restored from a backup made by its own command, under real terminals that go on tapping.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test that waits for threads waits in real time, and not for ever"
)]

use crate::faults::survived;
use std::{
    collections::BTreeSet,
    net::TcpListener,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use xinsheng::{
    central::{self, Central, store::CountQuery},
    clock::{SystemClock, fresh},
    config::{EXAMPLE_TOUCHPOINTS, Glyphs, load_hospital},
    model::Value,
    questionnaire::Hospital,
    sync,
    wire::{Answer, Body},
};

use crate::{
    proxy::Proxy,
    sync_end_to_end::{Files, Kiosk, PATIENCE, settings},
};

fn hospital() -> Hospital {
    let read = |_: &Path| Ok(EXAMPLE_TOUCHPOINTS.as_bytes().to_vec());
    load_hospital("touchpoints.toml".as_ref(), &read, &Glyphs::default()).unwrap().value
}

fn start(data: &Path) -> Central {
    Central::start(settings(data), hospital(), TcpListener::bind("127.0.0.1:0").unwrap()).unwrap()
}

/// Visitors who answer the first question of the first touchpoint.
fn visitors(kiosk: &Kiosk, count: usize) -> xinsheng::journal::Head {
    let hospital = hospital();
    let place = hospital.touchpoints[0].clone();
    let question = hospital.questionnaire(&place.questionnaire).unwrap().questions[0].clone();
    let value = (0..=10).map(Value).find(|value| question.scale.holds(*value)).unwrap();
    let clock = SystemClock::new();
    kiosk.record((0..count).map(|_| {
        Body::Answer(Answer {
            response: fresh::response_id(&xinsheng::clock::Clock::now(&clock)),
            touchpoint: place.id.clone(),
            questionnaire: place.questionnaire.clone(),
            question: question.id.clone(),
            scale: question.scale,
            value,
            lang: hospital.languages[0].clone(),
            shown_ms: None,
            order: Vec::new(),
            flags: Vec::new(),
        })
    }))
}

fn counted(central: &Central) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let site = hospital().sites[0].id.clone();
    let counts = runtime.block_on(central.store().counts(&site, CountQuery::default())).unwrap();
    counts.iter().map(|count| count.n).sum()
}

#[test]
fn fault_23_a_backup_restored_under_running_terminals_is_filled_up_and_nothing_is_lost_or_doubled() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = hospital().touchpoints[0].id.clone();
    let mut running = start(data.path());
    let proxy = Proxy::start(running.address());
    let homes: Vec<_> = (0..2).map(|_| tempfile::tempdir().unwrap()).collect();
    let kiosks: Vec<Kiosk> = homes
        .iter()
        .map(|home| {
            let code = running.new_code(&place).unwrap();
            let file = home.path().join("identity.json");
            sync::enrol(&proxy.url(), None, &code, &file, &SystemClock::new()).unwrap();
            Kiosk::start(&Files::new(home.path(), &proxy.url()))
        })
        .collect();
    let tap_and_send = |count| {
        let heads: Vec<_> = kiosks.iter().map(|kiosk| visitors(kiosk, count)).collect();
        kiosks.iter().zip(heads).for_each(|(kiosk, head)| drop(kiosk.wait_until_sent(head)));
    };
    tap_and_send(40);

    let backup = out.path().join("central.sqlite");
    thread::scope(|scope| {
        scope.spawn(|| central::backup(data.path(), &backup).unwrap());
        (0..10).for_each(|_| _ = visitors(&kiosks[0], 5));
    });
    tap_and_send(30);
    assert_eq!(counted(&running), 2 * 70 + 50);

    let refused = format!("{:#}", central::restore(&backup, data.path(), true).unwrap_err());
    assert!(refused.contains("stop it first"), "{refused}");
    running.stop().unwrap();
    // The screens go on while central is away.
    kiosks.iter().for_each(|kiosk| _ = visitors(kiosk, 10));
    let refused = format!("{:#}", central::restore(&backup, data.path(), false).unwrap_err());
    assert!(refused.contains("--replace"), "{refused}");
    let restored = central::restore(&backup, data.path(), true).unwrap();
    assert!(restored.set_aside.unwrap().join("central.key").is_file());
    running = start(data.path());
    assert!(counted(&running) < 2 * 70 + 50, "the backup is older");
    proxy.point_to(running.address());

    let expected = 2 * 80 + 50;
    let until = Instant::now() + PATIENCE;
    loop {
        let now = counted(&running);
        if now == expected {
            break;
        }
        assert!(now < expected, "something was counted twice");
        assert!(Instant::now() < until, "central was not filled again: {now} of {expected}");
        kiosks.iter().for_each(|kiosk| kiosk.sync.retry());
        thread::sleep(Duration::from_millis(50));
    }
    let findings = running.verify().unwrap();
    assert!(findings.is_whole(), "{findings:?}");
    let held: BTreeSet<_> =
        findings.chains.iter().map(|one| (one.held.chain, one.held.cursor.accepted_through)).collect();
    let written: BTreeSet<_> =
        kiosks.iter().map(|kiosk| (kiosk.ends().0.chain, kiosk.ends().0.seq)).collect();
    assert_eq!(held, written, "each journal under the chain it always had, to its end");
    kiosks.into_iter().for_each(Kiosk::stop);
    survived!(23, 44; expected, "answers");
}
