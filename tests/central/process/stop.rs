//! How the built server stops, and what it tells the service manager.
#![allow(clippy::disallowed_methods, reason = "a stop takes real time, which is measured")]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Server, at, through};
use crate::{http::call, journal::Journal, signed::Call};

/// What must be seen comes at once; this is for a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(30);

fn desk_a(number: u8, answers: u64) -> Journal {
    let mut journal = Journal::new(number);
    (0..answers).for_each(|n| _ = journal.push(at("desk-a", u64::from(number) * 1_000 + n)));
    journal
}

fn terminate(server: &Server) {
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
}

/// A request of which the head and half of the body are sent, and the other half.
fn begun<'a>(server: &Server, asked: &'a Call<'_>) -> (TcpStream, &'a [u8]) {
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n",
        asked.path,
        asked.body.len()
    );
    for (name, value) in asked.headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (first, rest) = asked.body.split_at(asked.body.len() / 2);
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(first).unwrap();
    (stream, rest)
}

/// The status of a request on a connection of its own; `None` if nobody accepts it.
fn asked_anew(server: &Server, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(server.address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
    stream.write_all(head.as_bytes()).ok()?;
    let mut answered = String::new();
    // A connection that waits to be accepted when the listener closes is reset.
    stream.read_to_string(&mut answered).ok()?;
    answered.get(9..12)?.parse().ok()
}

#[test]
fn a_stop_first_says_not_ready_and_serves_on_then_takes_nobody_new_and_ends_with_receipts() {
    let mut server = Server::start_with("stop_notice_s = 2\n", &[]);
    let (slow, quick) = (server.terminal_with(1), server.terminal_with(2));
    let (long, short) = (desk_a(1, 50), desk_a(2, 3));
    let asked = slow.batch(&long, 1, 50);
    let (mut in_flight, rest) = begun(&server, &asked);
    assert_eq!(asked_anew(&server, "/readyz"), Some(200));

    terminate(&server);
    let told = Instant::now();
    while asked_anew(&server, "/readyz") == Some(200) {
        assert!(told.elapsed() < PATIENCE, "readiness stays on");
    }
    let off = Instant::now();
    assert_eq!(
        asked_anew(&server, "/readyz"),
        Some(503),
        "readiness goes off before connections are refused"
    );
    assert_eq!(asked_anew(&server, "/healthz"), Some(200), "it is alive all the same");
    let (status, receipt) = server.post(&quick.batch(&short, 1, 3));
    assert_eq!((status, through(&receipt)), (200, 3), "in the time of notice everybody is served");
    while let Some(status) = asked_anew(&server, "/readyz") {
        assert_eq!(status, 503, "not ready once, not ready until the end");
        assert!(off.elapsed() < PATIENCE, "it goes on listening");
        thread::sleep(Duration::from_millis(10));
    }
    let notice = off.elapsed();
    // Seen off a moment after it went off.
    assert!(notice > Duration::from_millis(1_500), "connections are refused after {notice:?} of two seconds");

    in_flight.write_all(rest).unwrap();
    let mut answered = String::new();
    in_flight.read_to_string(&mut answered).unwrap();
    let (head, body) = answered.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(through(body.as_bytes()), 50, "what was begun ends with its receipt");
    assert!(server.child.wait().unwrap().success());
    assert!(told.elapsed() < Duration::from_secs(10), "the stop took {:?}", told.elapsed());

    server.again(None);
    let held: Vec<_> = server.rows("/v1/chains").iter().map(|row| row["range"].clone()).collect();
    assert!(held.contains(&"1-50".into()) && held.contains(&"1-3".into()), "{held:?}");
}

#[test]
fn a_request_that_never_ends_does_not_hold_up_the_stop_for_ten_seconds() {
    let mut server = Server::start_with("stop_notice_s = 1\n", &[]);
    let terminal = server.terminal();
    let journal = desk_a(1, 50);
    let asked = terminal.batch(&journal, 1, 50);
    let (_in_flight, _) = begun(&server, &asked);
    terminate(&server);
    let told = Instant::now();
    assert!(server.child.wait().unwrap().success());
    assert!(told.elapsed() < Duration::from_secs(10), "the stop took {:?}", told.elapsed());
}

#[test]
fn systemd_is_told_when_central_is_ready_that_it_is_alive_and_that_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = || {
        let mut words = [0; 1024];
        let n = socket.recv(&mut words).expect("something is said");
        String::from_utf8_lossy(&words[..n]).into_owned()
    };
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "600000")];
    let mut server = Server::start_with("stop_notice_s = 0\n", &environment);
    let said = hear();
    assert!(said.contains("READY=1\n"), "{said}");
    assert!(said.contains(&format!("STATUS=serves {}", server.address)), "{said}");
    assert_eq!(call(server.address, "GET", "/readyz", &[], b"").0, 200);
    let since = Instant::now();
    for _ in 0..4 {
        assert_eq!(hear().trim(), "WATCHDOG=1");
    }
    // The first at once, the others every third of the patience.
    assert!(since.elapsed() < Duration::from_secs(3), "too seldom: {:?}", since.elapsed());
    terminate(&server);
    let stopping = (0..20).map(|_| hear()).find(|words| words.trim() != "WATCHDOG=1").unwrap();
    assert!(stopping.contains("STOPPING=1"), "{stopping}");
    assert!(server.child.wait().unwrap().success());
}
