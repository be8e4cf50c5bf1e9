//! Faults between terminal and central by their number in docs/faults.md, where the suite of random and listed faults does not name them.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at what it did not expect, and waits in real time"
)]

use crate::faults::survived;
use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

use xinsheng::{
    central::Central,
    clock::SystemClock,
    config::Tls,
    sync::{self, Fault as StaffFault, SyncState},
    wire::content_type,
};

use super::{
    proxy::{Fault, answer},
    sync_end_to_end::{
        Files, Kiosk, Scene, hospital, network::faults, other_central::held, registration, settings,
        start_central, tls::certificates,
    },
};

/// Gets taps through whatever comes first, within a bounded time.
fn survives(scene: &Scene, kiosk: &Kiosk, name: &str, faults: Vec<Fault>) {
    let chain = kiosk.ends().0.chain;
    scene.proxy.then(faults);
    let started = Instant::now();
    scene.tap_until_every_fault_was_met(kiosk, name, 3);
    assert!(started.elapsed() < Duration::from_secs(90), "{name}");
    assert_eq!(kiosk.ends().0.chain, chain, "{name}");
    let refused = kiosk.terminal.recorder().call(|journal| journal.stats().unwrap().refused).unwrap();
    assert_eq!(refused, 0, "{name}");
}

#[test]
fn fault_18_no_server_a_name_without_an_address_and_no_way_keep_everything_and_it_is_sent_afterwards() {
    let scene = Scene::new(|_| {});
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // A resolver that does not answer either, and a route that swallows everything, end at the deadline.
    let tried = [
        (format!("http://{closed}"), [StaffFault::Unreached, StaffFault::Unreached]),
        ("https://central.invalid:8460".to_owned(), [StaffFault::NameUnresolved, StaffFault::NoAnswer]),
        ("https://192.0.2.1:8460".to_owned(), [StaffFault::Unreached, StaffFault::NoAnswer]),
    ];
    let files = Files::new(scene.home.path(), &scene.proxy.url());
    let kiosk = Kiosk::start(&files);
    kiosk.wait_until_sent(kiosk.tap(1));
    let mut now = scene.proxy.url();
    let go_to = |from: &str, to: &str| {
        let hash = kiosk.terminal.config_hash();
        files.change(from, to);
        kiosk.terminal.look_at_files();
        kiosk.wait_for("the change", |_| kiosk.terminal.config_hash() != hash);
    };
    for (url, expected) in &tried {
        go_to(&now, url);
        now.clone_from(url);
        let tapped = kiosk.tap(2);
        let told = kiosk.wait_for(url, |status| {
            kiosk.sync.retry();
            status.last_error.as_ref().is_some_and(|error| expected.contains(&error.fault))
        });
        println!("{url}: {}", told.last_error.unwrap().words);
        let (head, cursor) = kiosk.ends();
        assert_eq!(head.chain, tapped.chain, "{url}");
        assert!(cursor + 2 <= tapped.seq, "{url} moved the cursor to {cursor}");
    }
    go_to(&now, &scene.proxy.url());
    kiosk.wait_until_sent(kiosk.tap(1));
    scene.check(&kiosk);
    kiosk.stop();
    survived!(18; tried.len(), "ways that lead nowhere");
}

#[test]
fn fault_19_a_captive_portal_deletes_nothing_is_not_followed_and_is_told_as_something_between() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let login = TcpListener::bind("127.0.0.1:0").unwrap();
    login.set_nonblocking(true).unwrap();
    let to = format!("http://{}/login", login.local_addr().unwrap());
    let html = ("content-type", "text/html");
    let forged = br#"{"accepted_through":9999999}"#;
    let mut answered = 0;
    for (name, portal) in [
        ("200", answer("200 OK", &[html], b"<html>log in")),
        ("302", answer("302 Found", &[("location", &to)], b"")),
        ("307", answer("307 Temporary Redirect", &[("location", &to)], b"")),
        ("403", answer("403 Forbidden", &[html], b"<html>log in")),
        ("511", answer("511 Network Authentication Required", &[html], b"<html>log in")),
        ("a receipt", answer("200 OK", &[("content-type", content_type::RECEIPT)], forged)),
        (
            "a signature",
            answer(
                "200 OK",
                &[
                    ("content-type", content_type::RECEIPT),
                    ("signature-input", "sig1=()"),
                    ("signature", "sig1=:AAAA:"),
                ],
                forged,
            ),
        ),
    ] {
        scene.proxy.then(vec![Fault::Answer(portal); 6]);
        answered += 6;
        let head = kiosk.tap(2);
        let told = kiosk.wait_for(name, |status| status.badge.is_some());
        assert_eq!(told.last_error.unwrap().fault, StaffFault::InBetween, "{name}");
        assert!(told.badge.unwrap().to_string().contains("something between"), "{name}");
        assert!(told.queue.cursor < head.seq, "{name}");
        survives(&scene, &kiosk, name, Vec::new());
    }
    assert!(login.accept().is_err(), "a redirect was followed");
    scene.check(&kiosk);
    kiosk.stop();
    survived!(19; answered, "foreign answers");
}

#[test]
fn fault_20_a_wrong_certificate_keeps_the_queue_has_its_own_diagnosis_and_the_right_one_sends_everything() {
    let tried = [
        ("127.0.0.1", (2020, 2090), false, StaffFault::CertificateIssuer, "unknown authority"),
        ("127.0.0.1", (2020, 2021), true, StaffFault::CertificateTime, "expired"),
        ("127.0.0.1", (2080, 2090), true, StaffFault::CertificateTime, "not valid yet"),
        ("central.example", (2020, 2090), true, StaffFault::CertificateName, "another name"),
    ];
    for (name, years, known, fault, words) in tried {
        let folder = || tempfile::tempdir().unwrap();
        let (data, home, right_pems, wrong_pems) = (folder(), folder(), folder(), folder());
        let (right_ca, right) = certificates(right_pems.path(), "127.0.0.1", (2020, 2090));
        let (wrong_ca, wrong) = certificates(wrong_pems.path(), name, years);
        // Each central in turn gets the same address.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let start = |tls: &Tls| {
            let mut settings = settings(data.path());
            settings.config.tls = tls.clone();
            Central::start(settings, hospital(), listener.try_clone().unwrap()).unwrap()
        };
        let central = start(&right);
        let url = central.url();
        let believed = home.path().join("ca.pem");
        fs::copy(&right_ca, &believed).unwrap();
        let code = central.new_code(&registration()).unwrap();
        let file = home.path().join("identity.json");
        sync::enrol(&url, Some(&believed), &code, &file, &SystemClock::new()).unwrap();
        central.stop().unwrap();

        let central = start(&wrong);
        if known {
            fs::copy(&wrong_ca, &believed).unwrap();
        }
        let kiosk = Kiosk::start(&Files::new(home.path(), &format!("{url}\"\nca_file = \"ca.pem")));
        let head = kiosk.tap(3);
        let told = kiosk.wait_for(words, |status| status.last_error.is_some());
        let error = told.last_error.unwrap();
        assert!(error.fault == fault && error.words.contains(words), "{error:?}");
        assert_eq!(kiosk.ends(), (head, 0), "nothing was given up");
        central.stop().unwrap();

        fs::copy(&right_ca, &believed).unwrap();
        let central = start(&right);
        kiosk.wait_for("receipt", |status| {
            kiosk.sync.retry();
            status.all_sent && status.queue.cursor >= head.seq
        });
        assert_eq!(held(&central, head.chain), kiosk.ends().0.seq);
        kiosk.stop();
    }
    survived!(20; tried.len(), "wrong certificates");
}

#[test]
fn fault_21_a_revoked_terminal_keeps_everything_says_so_and_sends_it_once_it_is_enrolled_anew() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    let known = kiosk.wait_until_sent(kiosk.tap(1)).terminal.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let site = hospital().sites[0].id.clone();
    let store = scene.central.store();
    assert!(runtime.block_on(store.revoke(&site, &known, chrono::DateTime::UNIX_EPOCH)).unwrap());
    let head = kiosk.tap(5);
    let told = kiosk.wait_for("refusal", |status| {
        kiosk.sync.retry();
        status.state == SyncState::NotAllowed
    });
    assert!(told.badge.unwrap().to_string().contains("enrol this terminal anew"), "central itself said so");
    assert_eq!(told.last_error.unwrap().fault, StaffFault::NotAccepted);
    assert_eq!(told.queue.waiting, 5, "everything is kept");
    let file = scene.home.path().join("identity.json");
    let code = scene.central.new_code(&registration()).unwrap();
    sync::enrol(&scene.proxy.url(), None, &code, &file, &SystemClock::new()).unwrap();
    kiosk.wait_for("receipt", |status| {
        kiosk.sync.retry();
        status.all_sent && status.queue.cursor >= head.seq && status.state == SyncState::InContact
    });
    kiosk.stop();
    survived!(21, 29; told.queue.waiting, "entries kept and sent");
}

#[test]
fn fault_24_slow_cut_garbled_and_endless_answers_end_at_the_deadline_and_are_asked_for_again() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let wanted = [
        "receipt byte by byte",
        "receipt cut short",
        "reset within the receipt",
        "broken chunks",
        "endless body",
        "huge body",
        "compressed bomb",
        "HTTP/1.0 without a length",
        "a header without end",
        "no answer",
    ];
    let all = faults();
    for name in wanted {
        let fault = all.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        survives(&scene, &kiosk, name, vec![fault]);
    }
    // A connection that a router forgot while it was idle cannot be used again: each request has its own.
    let before = (scene.proxy.requests(), kiosk.sync.status().requests);
    for _ in 0..5 {
        kiosk.wait_until_sent(kiosk.tap(1));
    }
    let after = (scene.proxy.requests(), kiosk.sync.status().requests);
    assert_eq!(after.0 - before.0, after.1 - before.1, "a connection was used twice");
    scene.check(&kiosk);
    kiosk.stop();
    survived!(24; wanted.len(), "answers");
}

#[test]
fn fault_29_a_central_with_another_key_gets_nothing_until_staff_enrol_anew_and_then_everything() {
    let mut scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(4));
    let chain = kiosk.ends().0.chain;
    scene.central.stop().unwrap();
    // A machine set up anew: neither the key nor the entries of the old one.
    scene.data = tempfile::tempdir().unwrap();
    scene.central = start_central(settings(scene.data.path()));
    scene.proxy.point_to(scene.central.address());
    let head = kiosk.tap(5);
    let told = kiosk.wait_for("trouble", |status| {
        kiosk.sync.retry();
        status.badge.is_some()
    });
    assert_eq!(told.last_error.unwrap().fault, StaffFault::InBetween);
    let words = told.badge.unwrap().to_string();
    assert!(words.contains("central's list"), "what to look for: {words}");
    assert_eq!((told.queue.waiting, kiosk.ends()), (5, (head, head.seq - 5)));
    assert_eq!(held(&scene.central, chain), 0);

    scene.enrol();
    kiosk.wait_for("receipt", |status| {
        kiosk.sync.retry();
        status.all_sent && held(&scene.central, kiosk.ends().0.chain) >= kiosk.ends().0.seq
    });
    scene.check(&kiosk);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let site = hospital().sites[0].id.clone();
    let end = kiosk.ends().0;
    let entries = runtime.block_on(scene.central.store().entries(&site, end.chain, 0, 1_000)).unwrap();
    let taps = entries.iter().filter(|entry| {
        let line = entry.line.as_ref().map(|line| String::from_utf8_lossy(line).into_owned());
        line.is_some_and(|line| line.contains("self_test"))
    });
    assert_eq!(taps.count(), 9, "also those that the old central had signed for");
    kiosk.stop();
    survived!(29; entries.len(), "entries kept and sent");
}

#[test]
fn fault_28_interim_answers_a_proxy_that_holds_back_and_a_black_hole_for_large_packets_lose_nothing() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let (held_back, swallowed) = (2, 2);
    survives(&scene, &kiosk, "interim answers", vec![Fault::ContinueAndHoldBack; held_back]);
    scene.proxy.then(vec![Fault::BlackHole; swallowed]);
    let head = kiosk.tap(300);
    kiosk.wait_for("the other side of the hole", |status| {
        kiosk.sync.retry();
        status.all_sent && status.queue.cursor >= head.seq && scene.proxy.left() == 0
    });
    scene.check(&kiosk);
    kiosk.stop();
    survived!(28; held_back + swallowed, "requests");
}

#[test]
fn fault_28_a_central_on_ipv6_alone_is_reached() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        assert!(std::env::var_os("CI").is_none(), "this machine has no IPv6");
        return println!("skipped: this machine has no IPv6");
    };
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let central = Central::start(settings(data.path()), hospital(), listener).unwrap();
    let code = central.new_code(&registration()).unwrap();
    let file = home.path().join("identity.json");
    sync::enrol(&central.url(), None, &code, &file, &SystemClock::new()).unwrap();
    let kiosk = Kiosk::start(&Files::new(home.path(), &central.url()));
    kiosk.wait_until_sent(kiosk.tap(2));
    kiosk.stop();
    survived!(28; 1, "address");
}

#[test]
fn fault_28_a_central_that_moved_is_found_at_the_next_attempt() {
    let mut scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    scene.central.stop().unwrap();
    scene.central = start_central(settings(scene.data.path()));
    let head = kiosk.tap(1);
    kiosk.wait_for("loss", |status| {
        kiosk.sync.retry();
        status.last_error.is_some()
    });
    scene.proxy.point_to(scene.central.address());
    kiosk.wait_for("receipt", |status| {
        kiosk.sync.retry();
        status.all_sent && status.queue.cursor >= head.seq
    });
    scene.check(&kiosk);
    kiosk.stop();
    survived!(28; 1, "move");
}
