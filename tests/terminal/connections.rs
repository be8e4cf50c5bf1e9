//! Who may be connected to central, and for how long; with a real terminal that must get through meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at what it did not expect, and waits in real time"
)]

use crate::faults::survived;
use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use xinsheng::{
    central::{Central, Settings},
    clock::SystemClock,
    config::Tls,
    sync,
};

use super::sync_end_to_end::{
    Files, Kiosk, PATIENCE, hospital, registration, settings, start_central, tls::certificates,
};

const SILENT: usize = 2_000;
const SLOW: usize = 200;

/// From accept; short, so that the test sees it pass.
const HEAD_S: u16 = 5;
const HEAD: Duration = Duration::from_secs(HEAD_S as u64);

/// For a machine that does other things as well.
const SLACK: Duration = Duration::from_secs(10);

fn quick(settings: &mut Settings) {
    settings.config.limits.header_timeout_s = HEAD_S;
    settings.config.limits.idle_timeout_s = 1;
}

fn enrolled(central: &Central, home: &Path) {
    let code = central.new_code(&registration()).unwrap();
    sync::enrol(&central.url(), None, &code, &home.join("identity.json"), &SystemClock::new()).unwrap();
}

/// Waits for the other end to close; an answer before it is read over.
fn is_closed_within(stream: &mut TcpStream, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    stream.set_nonblocking(false).unwrap();
    loop {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).unwrap();
        match stream.read(&mut [0; 1024]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if Instant::now() >= until {
                    return false;
                }
            }
            Err(_) => return true,
        }
    }
}

#[test]
fn row_3_two_thousand_silent_and_two_hundred_slow_sockets_do_not_keep_a_terminal_out() {
    let have = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: have.maximum, maximum: have.maximum }).unwrap();
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut settings = settings(data.path());
    quick(&mut settings);
    let (total, per_address) = {
        let limits = &settings.config.limits;
        (limits.connections as usize, limits.connections_per_address as usize)
    };
    assert!(per_address < total && total < SILENT, "the defaults are what is tried");
    let central = start_central(settings);
    enrolled(&central, home.path());
    let address = central.address();

    let began = Instant::now();
    let mut silent: Vec<TcpStream> = (0..SILENT).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut slow: Vec<TcpStream> = (0..SLOW).map(|_| TcpStream::connect(address).unwrap()).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let (told, mut dripping) =
        (Arc::clone(&stop), slow.iter().map(|s| s.try_clone().unwrap()).collect::<Vec<_>>());
    let drip = thread::spawn(move || {
        let head = b"GET /v1/scores HTTP/1.1\r\nhost: localhost\r\nx-padding: "
            .iter()
            .chain(std::iter::repeat(&b'x'));
        for byte in head.take(400) {
            if told.load(Ordering::Relaxed) {
                return;
            }
            for stream in &mut dripping {
                // Those that central closed cannot be written to.
                let _ = stream.write(&[*byte]);
            }
            thread::sleep(Duration::from_millis(100));
        }
    });
    // Meanwhile newcomers keep coming, as many in a second as a broken device makes.
    let told = Arc::clone(&stop);
    let flood = thread::spawn(move || {
        let mut kept = std::collections::VecDeque::new();
        for _ in 0..600 {
            if told.load(Ordering::Relaxed) {
                return;
            }
            kept.extend(TcpStream::connect(address).ok());
            if kept.len() > 300 {
                kept.pop_front();
            }
            thread::sleep(Duration::from_millis(20));
        }
    });

    let kiosk = Kiosk::start(&Files::new(home.path(), &central.url()));
    let started = Instant::now();
    for _ in 0..5 {
        let head = kiosk.tap(3);
        kiosk.wait_for("receipt", |status| {
            kiosk.sync.retry();
            status.all_sent && status.queue.cursor >= head.seq
        });
    }
    let took = started.elapsed();
    println!("five batches took {took:?} beside {SILENT} silent and {SLOW} slow sockets");
    assert!(took < Duration::from_secs(20), "{took:?}");

    // Every socket is closed at its deadline, or was before for somebody else's sake.
    let due = (HEAD + SLACK).saturating_sub(began.elapsed());
    let until = Instant::now() + due;
    for stream in silent.iter_mut().chain(&mut slow) {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(50));
        assert!(is_closed_within(stream, left), "a socket is open after {:?}", began.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    drip.join().unwrap();
    flood.join().unwrap();
    kiosk.stop();
    survived!(45; SILENT + SLOW, "sockets");
}

#[test]
fn row_3_a_tls_handshake_that_does_not_end_is_closed_at_the_same_deadline() {
    let (data, pems) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut settings = settings(data.path());
    quick(&mut settings);
    settings.config.tls = certificates(pems.path(), "127.0.0.1", (2020, 2090)).1;
    let central = start_central(settings);
    let began = Instant::now();
    let mut streams: Vec<TcpStream> =
        (0..20).map(|_| TcpStream::connect(central.address()).unwrap()).collect();
    for stream in &mut streams[10..] {
        // The beginning of a greeting that never ends.
        stream.write_all(&[0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc]).unwrap();
    }
    for stream in &mut streams {
        assert!(is_closed_within(stream, HEAD + SLACK));
    }
    assert!(began.elapsed() >= HEAD / 2, "they were let try");
    survived!(45; streams.len(), "handshakes");
}

#[test]
fn row_3_an_idle_connection_and_one_that_reads_nothing_are_let_go() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = settings(data.path());
    quick(&mut settings);
    settings.stall_timeout = Duration::from_secs(1);
    let central = start_central(settings);
    let mut idle = TcpStream::connect(central.address()).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let began = Instant::now();
    assert!(is_closed_within(&mut idle, SLACK));
    assert!(began.elapsed() >= Duration::from_millis(500), "the next request had its time");

    // Asks for the largest answer over and over and reads none of it.
    let mut deaf = TcpStream::connect(central.address()).unwrap();
    let ask = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(500);
    deaf.set_write_timeout(Some(SLACK)).unwrap();
    // It may be closed while it still asks.
    let _ = deaf.write_all(&ask);
    let began = Instant::now();
    let mut closed = false;
    while began.elapsed() < SLACK && !closed {
        thread::sleep(Duration::from_millis(200));
        closed = deaf.write_all(b"GET / HTTP/1.1\r\n").is_err();
    }
    assert!(closed, "who reads nothing keeps its connection");
}

/// Sends raw bytes and reads until the end or for a while.
fn raw(address: SocketAddr, request: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    let mut chunk = [0; 4096];
    while !text.contains("\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(n) if n > 0 => text.push_str(&String::from_utf8_lossy(&chunk[..n])),
            Ok(_) | Err(_) => break,
        }
    }
    (stream, text)
}

const EVENTS: &str = "GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[test]
fn row_3_the_caps_hold_and_whoever_finds_no_seat_hears_503() {
    for (total, per_address) in [(8, 64), (64, 8)] {
        let data = tempfile::tempdir().unwrap();
        let mut settings = settings(data.path());
        (settings.config.limits.connections, settings.config.limits.connections_per_address) =
            (total, per_address);
        let central = start_central(settings);
        let open: Vec<_> = (0..8).map(|_| raw(central.address(), EVENTS)).collect();
        assert!(open.iter().all(|(_, text)| text.starts_with("HTTP/1.1 200")));
        let (mut refused, text) = raw(central.address(), "");
        assert!(text.starts_with("HTTP/1.1 503") && text.contains("retry-after: 10"), "{text}");
        assert!(is_closed_within(&mut refused, SLACK));
        drop(open);
        let until = Instant::now() + SLACK;
        while !raw(central.address(), "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .1
            .starts_with("HTTP/1.1 200")
        {
            assert!(Instant::now() < until, "seats are not given back");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn row_19_event_streams_are_limited_for_each_address_and_a_refused_one_is_no_error() {
    let log = Log::default();
    let writer = log.clone();
    // The only test of this program that sets it; what the others do meanwhile is written there too.
    tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).init();
    let data = tempfile::tempdir().unwrap();
    let mut settings = settings(data.path());
    settings.config.limits.pages_per_address = 3;
    let central = start_central(settings);
    let open: Vec<_> = (0..3).map(|_| raw(central.address(), EVENTS)).collect();
    assert!(open.iter().all(|(_, text)| text.starts_with("HTTP/1.1 200")));
    let (_, text) = raw(central.address(), EVENTS);
    assert!(text.starts_with("HTTP/1.1 503") && text.contains("retry-after"), "{text}");
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("central serves"), "{written}");
    assert!(!written.contains("tower_http") && !written.contains("/v1/events"), "{written}");
    drop(open);
    let until = Instant::now() + SLACK;
    while !raw(central.address(), EVENTS).1.starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "a page that was closed keeps its seat");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_page_under_a_foreign_name_reads_and_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = settings(data.path());
    settings.config.public_url = Some("https://xinsheng.hospital.example".into());
    let central = start_central(settings);
    let ask = |line: &str, headers: &str| {
        raw(central.address(), &format!("{line} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n")).1
    };
    for path in ["/", "/v1/scores", "/v1/events", "/v1/help", "/v1/terminals"] {
        let evil = ask(&format!("GET {path}"), "host: evil.example\r\n");
        assert!(evil.starts_with("HTTP/1.1 421"), "{path}: {evil}");
        for host in ["localhost:8460", "127.0.0.1", "xinsheng.hospital.example"] {
            let own = ask(&format!("GET {path}"), &format!("host: {host}\r\n"));
            assert!(own.starts_with("HTTP/1.1 200"), "{path} {host}: {own}");
        }
    }
    assert!(ask("GET /healthz", "host: whatever.example\r\n").starts_with("HTTP/1.1 200"));
    let answered = "POST /v1/help/00000000-0000-7000-8000-000000000000/answered";
    let post = |headers: &str| ask(answered, &format!("host: 127.0.0.1\r\ncontent-length: 0\r\n{headers}"));
    assert!(post("origin: https://evil.example\r\n").starts_with("HTTP/1.1 403"));
    assert!(post("sec-fetch-site: cross-site\r\n").starts_with("HTTP/1.1 403"));
    for own in [
        "",
        "origin: http://127.0.0.1\r\n",
        "origin: https://xinsheng.hospital.example\r\n",
        "sec-fetch-site: same-origin\r\n",
    ] {
        let reply = post(own);
        assert!(reply.starts_with("HTTP/1.1 404"), "{own}: {reply}");
    }
}

#[test]
fn a_plain_central_for_a_proxy_elsewhere_needs_the_proxy_s_name() {
    let start = |trusted: &[&str]| {
        let data = tempfile::tempdir().unwrap();
        let mut settings = settings(data.path());
        settings.config.tls = Tls::BehindProxy;
        settings.config.trusted_proxies = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (Central::start(settings, hospital(), listener).unwrap(), port, data)
    };
    let (central, ..) = start(&[]);
    let error = central.stop().unwrap_err();
    assert!(error.to_string().contains("trusted_proxies"), "{error:#}");
    let (central, port, _data) = start(&["192.0.2.7/32"]);
    let health = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert!(raw(([127, 0, 0, 1], port).into(), health).1.starts_with("HTTP/1.1 200"), "this machine");
    // Another address of this machine stands for another machine of the network.
    if let Some(other) = own_address() {
        let (_, text) = raw((other, port).into(), health);
        assert!(text.starts_with("HTTP/1.1 403"), "{text}");
    }
    central.stop().unwrap();
}

/// The address this machine has in its network, if it is in one; nothing is sent.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|at| at.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn a_renewed_certificate_is_served_without_a_restart_and_a_bad_one_keeps_the_old() {
    let (data, pems, next) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (old_ca, tls) = certificates(pems.path(), "127.0.0.1", (2020, 2090));
    let (new_ca, renewed) = certificates(next.path(), "127.0.0.1", (2020, 2090));
    let mut settings = settings(data.path());
    settings.config.tls = tls.clone();
    settings.certificate_every = Duration::from_millis(50);
    let central = start_central(settings);
    let reaches = |ca: &Path| {
        let code = central.new_code(&registration()).unwrap();
        let home = tempfile::tempdir().unwrap();
        sync::enrol(&central.url(), Some(ca), &code, &home.path().join("id.json"), &SystemClock::new())
            .is_ok()
    };
    assert!(reaches(&old_ca) && !reaches(&new_ca));
    let (Tls::Files { cert, key }, Tls::Files { cert: new_cert, key: new_key }) = (&tls, &renewed) else {
        panic!("files were made");
    };
    std::fs::write(key, "no key").unwrap();
    thread::sleep(Duration::from_millis(500));
    assert!(reaches(&old_ca), "a bad file keeps the old certificate");
    std::fs::copy(new_cert, cert).unwrap();
    std::fs::copy(new_key, key).unwrap();
    let until = Instant::now() + PATIENCE;
    while !reaches(&new_ca) {
        assert!(Instant::now() < until, "the renewed certificate is not served");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(!reaches(&old_ca));
}
