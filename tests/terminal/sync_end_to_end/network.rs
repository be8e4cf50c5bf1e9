//! Everything between the terminal and central that can go wrong with one exchange.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use xinsheng::wire::content_type;

use super::Scene;
use crate::{
    faults::survived,
    proxy::{Fault, answer},
};

fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

/// Everything between the terminal and central that can go wrong, by name.
pub fn faults() -> Vec<(&'static str, Fault)> {
    let plain = [("content-type", "text/plain")];
    let html = [("content-type", "text/html")];
    let receipt = [("content-type", content_type::RECEIPT)];
    let status = |line: &str| Fault::Answer(answer(line, &plain, b"no"));
    let forged = br#"{"accepted_through":9999999}"#;
    vec![
        ("reset at once", Fault::ResetAtOnce),
        ("reset in the request", Fault::ResetInRequest),
        ("lost receipt after the commit", Fault::LoseAnswer),
        ("request delivered twice", Fault::Twice),
        ("reset within the receipt", Fault::HalfAnswer),
        ("receipt cut short", Fault::ShortenedAnswer),
        ("receipt byte by byte", Fault::Drip),
        ("no answer", Fault::Silence),
        ("request delivered much later", Fault::DeliverLater),
        ("captive portal with 200", Fault::Answer(answer("200 OK", &html, b"<html>log in"))),
        ("captive portal with 511", status("511 Network Authentication Required")),
        ("forged receipt", Fault::Answer(answer("200 OK", &receipt, forged))),
        ("forged receipt after the commit", Fault::Replace(answer("200 OK", &receipt, forged))),
        ("empty 200", Fault::Answer(answer("200 OK", &receipt, b""))),
        ("204", Fault::Answer(answer("204 No Content", &[("content-length", "0")], b""))),
        ("redirect", Fault::Answer(answer("302 Found", &[("location", "http://127.0.0.1:1/login")], b""))),
        ("permanent redirect", Fault::Answer(answer("308 Permanent Redirect", &[("location", "/")], b""))),
        ("400 of a proxy", status("400 Bad Request")),
        ("401", status("401 Unauthorized")),
        ("403", status("403 Forbidden")),
        ("404", status("404 Not Found")),
        ("405", status("405 Method Not Allowed")),
        ("407", status("407 Proxy Authentication Required")),
        ("408", status("408 Request Timeout")),
        ("409 of a proxy", status("409 Conflict")),
        ("413", status("413 Content Too Large")),
        ("422 of a proxy", status("422 Unprocessable Content")),
        ("425", status("425 Too Early")),
        ("426", status("426 Upgrade Required")),
        ("429", status("429 Too Many Requests")),
        ("500", status("500 Internal Server Error")),
        ("502", status("502 Bad Gateway")),
        ("503", status("503 Service Unavailable")),
        ("504", status("504 Gateway Timeout")),
        ("507", status("507 Insufficient Storage")),
        (
            "Retry-After in seconds",
            Fault::Answer(answer("429 Too Many Requests", &[("retry-after", "1")], b"")),
        ),
        (
            "Retry-After as a date, of a server in another year",
            Fault::Answer(answer(
                "503 Service Unavailable",
                &[
                    ("retry-after", "Sun, 06 Nov 1994 08:49:38 GMT"),
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                b"",
            )),
        ),
        ("huge body", Fault::Answer(answer("200 OK", &receipt, &vec![b'x'; 3 * 1024 * 1024]))),
        (
            "endless body",
            Fault::Answer(answer(
                "200 OK",
                &[("content-type", "text/html"), ("content-length", "1000000000000")],
                b"x",
            )),
        ),
        (
            "compressed bomb",
            Fault::Answer(answer(
                "200 OK",
                &[("content-type", content_type::RECEIPT), ("content-encoding", "gzip")],
                &gzip_bomb(),
            )),
        ),
        (
            "broken chunks",
            Fault::Answer(answer("200 OK", &[("transfer-encoding", "chunked")], b"zz\r\nnonsense\r\n")),
        ),
        ("no HTTP", Fault::Answer(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        ("HTTP/1.0 without a length", Fault::Answer(b"HTTP/1.0 200 OK\r\n\r\n<html>".to_vec())),
        (
            "a header without end",
            Fault::Answer([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 500_000]].concat()),
        ),
    ]
}

/// The fault of docs/faults.md that one of [`faults`] is a case of.
fn number(name: &str) -> u32 {
    let is = |kinds: &[&str]| kinds.iter().any(|kind| name.starts_with(kind));
    if is(&["lost receipt", "reset within the receipt", "receipt cut short"]) {
        5
    } else if is(&["captive portal", "forged", "empty 200", "204", "redirect", "permanent redirect"]) {
        19
    } else if is(&["400", "401", "403", "404", "405", "407", "409", "422", "426"]) {
        21
    } else if is(&["408", "413", "425", "429", "5", "Retry-After"]) {
        22
    } else if is(&["request delivered"]) {
        26
    } else {
        24
    }
}

#[test]
fn whatever_lies_between_both_sides_end_with_the_same_entries() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let chain = kiosk.ends().0.chain;
    for (name, fault) in faults() {
        // Before the taps, so that the batch itself meets it, or whatever request comes first.
        scene.proxy.then([fault]);
        let head = kiosk.tap(3);
        let started = Instant::now();
        kiosk.sync.retry();
        kiosk.wait_for(name, |status| {
            status.all_sent && status.queue.cursor >= head.seq && scene.proxy.left() == 0
        });
        assert!(started.elapsed() < Duration::from_secs(20), "{name} held up the terminal");
        let (ours, cursor) = kiosk.ends();
        assert_eq!((ours.chain, ours.seq, cursor), (chain, head.seq, head.seq), "{name}");
    }
    assert_eq!(scene.proxy.deliver_late(), 1);
    kiosk.wait_until_sent(kiosk.tap(1));
    scene.check(&kiosk);
    assert_eq!(kiosk.sync.status().quarantined, 0);
    kiosk.stop();
    for fault in [5, 19, 21, 22, 24, 26] {
        survived!(fault; faults().iter().filter(|(name, _)| number(name) == fault).count(), "listed cases");
    }
}

#[test]
fn a_storm_of_faults_loses_nothing() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    let slow = |name: &str| {
        ["receipt byte by byte", "no answer", "Retry-After", "endless"].iter().any(|s| name.contains(s))
    };
    let quick: Vec<_> = faults().into_iter().filter(|(name, _)| !slow(name)).collect();
    scene.proxy.then(quick.iter().map(|(_, fault)| fault.clone()));
    for _ in &quick {
        kiosk.tap(40);
        kiosk.sync.retry();
    }
    scene.tap_until_every_fault_was_met(&kiosk, "calm", 1);
    scene.proxy.deliver_late();
    kiosk.wait_until_sent(kiosk.tap(1));
    scene.check(&kiosk);
    kiosk.stop();
    for fault in [5, 19, 21, 22, 24, 26] {
        survived!(fault; quick.iter().filter(|(name, _)| number(name) == fault).count(), "listed cases");
    }
}

#[test]
fn a_batch_that_central_finds_too_large_is_halved_until_it_passes() {
    let scene = Scene::new(|settings| settings.config.limits.body_kib = 8);
    let kiosk = scene.kiosk();
    let head = kiosk.tap(400);
    kiosk.wait_until_sent(head);
    scene.check(&kiosk);
    let before = scene.proxy.requests();
    kiosk.wait_until_sent(kiosk.tap(20));
    assert!(scene.proxy.requests() - before < 10, "the size that passes is remembered");
    kiosk.stop();
    survived!(22; head.seq, "entries");
}
