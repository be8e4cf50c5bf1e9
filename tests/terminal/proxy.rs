//! A TCP proxy that misbehaves as told: one fault for each connection, in order; without faults it passes on what it gets.
//!
//! The terminal makes a connection for each request, so a connection is a request.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// Nothing in a test takes longer; a proxy that hangs would hide what it found.
const PATIENCE: Duration = Duration::from_secs(10);

/// What happens to one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// The connection is reset before a byte is read.
    ResetAtOnce,
    /// The request arrives by half, then the connection is reset.
    ResetInRequest,
    /// Central gets the request twice; the second answer is brought back.
    Twice,
    /// Central gets the request and answers; the answer is lost.
    LoseAnswer,
    /// The same, and the connection is reset after half of the answer.
    HalfAnswer,
    /// The answer's body is cut, and its length made to fit.
    ShortenedAnswer,
    /// Every byte of the answer comes a while after the one before.
    Drip,
    /// Nothing is ever answered.
    Silence,
    /// Central gets the request long after the terminal gave up.
    DeliverLater,
    /// Says first that the request may go on, and only then what central answers, in one piece a good while later.
    ContinueAndHoldBack,
    /// What is longer than a packet of the way in between never arrives.
    BlackHole,
    /// This is answered instead; central gets nothing.
    Answer(Vec<u8>),
    /// Central gets the request; this is answered instead.
    Replace(Vec<u8>),
}

/// Which way a header goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Request,
    Answer,
}

/// What is done to one header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Strip,
    Empty,
    Rewrite(&'static str),
}

/// One header of the next exchange about a path.
#[derive(Clone, Debug)]
pub struct Mangle {
    pub path: &'static str,
    pub side: Side,
    pub name: String,
    pub change: Change,
}

#[derive(Default)]
struct Plan {
    faults: VecDeque<Fault>,
    kept: Vec<Vec<u8>>,
    requests: u64,
    mangle: Option<Mangle>,
    /// The header names of the last exchange that passed as it was, for each path.
    seen: BTreeMap<(String, bool), Vec<String>>,
}

/// The running proxy; its threads end with the process.
pub struct Proxy {
    address: SocketAddr,
    upstream: Arc<Mutex<SocketAddr>>,
    plan: Arc<Mutex<Plan>>,
}

impl Proxy {
    pub fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Arc::new(Mutex::new(Plan::default()));
        let upstream = Arc::new(Mutex::new(upstream));
        let shared = (Arc::clone(&plan), Arc::clone(&upstream));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (plan, upstream) = (Arc::clone(&shared.0), *lock(&shared.1));
                thread::spawn(move || {
                    let fault = {
                        let mut plan = lock(&plan);
                        plan.requests += 1;
                        plan.faults.pop_front().unwrap_or(Fault::Pass)
                    };
                    // Whatever breaks here is what the test is about.
                    drop(serve(client, upstream, fault, &plan));
                });
            }
        });
        Self { address, upstream, plan }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Central moved.
    pub fn point_to(&self, upstream: SocketAddr) {
        *lock(&self.upstream) = upstream;
    }

    /// What to do with the next requests.
    pub fn then(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.plan).faults.extend(faults);
    }

    /// Faults that have not happened yet.
    pub fn left(&self) -> usize {
        lock(&self.plan).faults.len()
    }

    pub fn requests(&self) -> u64 {
        lock(&self.plan).requests
    }

    /// What to do to a header of the next exchange that passes.
    pub fn mangle(&self, mangle: Mangle) {
        lock(&self.plan).mangle = Some(mangle);
    }

    /// Whether that exchange is still to come.
    pub fn is_mangling(&self) -> bool {
        lock(&self.plan).mangle.is_some()
    }

    /// The header names of the last whole exchange about a path.
    pub fn headers_seen(&self, path: &str, side: Side) -> Vec<String> {
        lock(&self.plan).seen.get(&(path.to_owned(), side == Side::Request)).cloned().unwrap_or_default()
    }

    /// Delivers what [`Fault::DeliverLater`] kept; says how many.
    pub fn deliver_late(&self) -> usize {
        let kept = std::mem::take(&mut lock(&self.plan).kept);
        for request in &kept {
            drop(ask(*lock(&self.upstream), request));
        }
        kept.len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

fn serve(mut client: TcpStream, upstream: SocketAddr, fault: Fault, plan: &Mutex<Plan>) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_nodelay(true)?;
    if matches!(fault, Fault::ResetAtOnce) {
        return reset(&client);
    }
    if matches!(fault, Fault::BlackHole) {
        client.read_exact(&mut [0; 1_200])?;
        thread::sleep(PATIENCE);
        return Ok(());
    }
    if matches!(fault, Fault::ResetInRequest) {
        client.read_exact(&mut [0; 100])?;
        return reset(&client);
    }
    let request = read_request(&mut client)?;
    match fault {
        Fault::ResetAtOnce | Fault::ResetInRequest | Fault::BlackHole => unreachable!("answered above"),
        Fault::ContinueAndHoldBack => {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            let answer = ask(upstream, &request)?;
            thread::sleep(Duration::from_millis(500));
            client.write_all(b"HTTP/1.1 102 Processing\r\n\r\n")?;
            client.write_all(&answer)
        }
        Fault::Pass => pass(&mut client, upstream, request, plan),
        Fault::Twice => {
            ask(upstream, &request)?;
            client.write_all(&ask(upstream, &request)?)
        }
        Fault::LoseAnswer => {
            ask(upstream, &request)?;
            reset(&client)
        }
        Fault::HalfAnswer => {
            let answer = ask(upstream, &request)?;
            client.write_all(&answer[..answer.len() - 20])?;
            reset(&client)
        }
        Fault::ShortenedAnswer => client.write_all(&shortened(&ask(upstream, &request)?)),
        Fault::Drip => {
            for byte in ask(upstream, &request)? {
                client.write_all(&[byte])?;
                thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Fault::Silence => client.read(&mut [0; 1]).map(|_| ()),
        Fault::DeliverLater => {
            lock(plan).kept.push(request);
            reset(&client)
        }
        Fault::Answer(answer) => client.write_all(&answer),
        Fault::Replace(answer) => {
            ask(upstream, &request)?;
            client.write_all(&answer)
        }
    }
}

fn pass(
    client: &mut TcpStream,
    upstream: SocketAddr,
    request: Vec<u8>,
    plan: &Mutex<Plan>,
) -> io::Result<()> {
    let line = String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next().unwrap_or_default());
    let path = line.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
    let mangle = {
        let mut plan = lock(plan);
        if plan.mangle.as_ref().is_some_and(|mangle| mangle.path == path) { plan.mangle.take() } else { None }
    };
    let Some(mangle) = mangle else {
        let answer = ask(upstream, &request)?;
        let mut plan = lock(plan);
        plan.seen.insert((path.clone(), true), names(&request));
        plan.seen.insert((path, false), names(&answer));
        drop(plan);
        return client.write_all(&answer);
    };
    let request = if mangle.side == Side::Request { mangled(&request, &mangle) } else { request };
    let answer = ask(upstream, &request)?;
    client.write_all(&if mangle.side == Side::Answer { mangled(&answer, &mangle) } else { answer })
}

fn names(message: &[u8]) -> Vec<String> {
    let head = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(message.len());
    let text = String::from_utf8_lossy(&message[..head]).into_owned();
    text.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0.to_lowercase())).collect()
}

fn mangled(message: &[u8], mangle: &Mangle) -> Vec<u8> {
    let head = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let text = String::from_utf8_lossy(&message[..head]).into_owned();
    let mut out = Vec::new();
    for (at, line) in text.split("\r\n").enumerate() {
        let is_it =
            at > 0 && line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case(&mangle.name));
        match mangle.change {
            _ if !is_it => out.extend_from_slice(format!("{line}\r\n").as_bytes()),
            Change::Strip => {}
            Change::Empty => out.extend_from_slice(format!("{}: \r\n", mangle.name).as_bytes()),
            Change::Rewrite(value) => {
                out.extend_from_slice(format!("{}: {value}\r\n", mangle.name).as_bytes());
            }
        }
    }
    out.extend_from_slice(&message[head + 2..]);
    out
}

/// Reads head and body, and asks for one answer only, so that the end of the answer is the end of the connection.
fn read_request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        let mut chunk = [0; 4096];
        let n = client.read(&mut chunk)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..n]);
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
    while bytes.len() < head_end + length {
        let mut chunk = [0; 4096];
        let n = client.read(&mut chunk)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..n]);
    }
    bytes.splice(head_end - 2..head_end - 2, *b"connection: close\r\n");
    Ok(bytes)
}

fn ask(upstream: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream)?;
    server.set_read_timeout(Some(PATIENCE))?;
    server.write_all(request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

fn shortened(answer: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    lines.retain(|line| !line.to_lowercase().starts_with("content-length:"));
    let body = &body[..body.len() - 2];
    format!("{}\r\ncontent-length: {}\r\n\r\n{body}", lines.join("\r\n"), body.len()).into_bytes()
}

/// Closing with unread bytes in the buffer makes the kernel send a reset; without them it is an ordinary end, which breaks an answer too.
fn reset(client: &TcpStream) -> io::Result<()> {
    client.shutdown(Shutdown::Both)
}

/// An answer from its parts.
pub fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !headers.iter().any(|(name, _)| ["content-length", "transfer-encoding"].contains(name)) {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}
