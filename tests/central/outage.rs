//! Fault 27: an outage is over, and all terminals of a hospital come back in the same instant.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]
#![expect(clippy::disallowed_methods, reason = "a test of real connections waits in real time, with an end")]

use crate::faults::survived;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    sync::Barrier,
    task::JoinSet,
    time::{sleep, timeout, timeout_at},
};
use xinsheng::{
    central::{
        Central, Settings,
        store::{CountQuery, Enrolled, NewCode, NewTerminal},
    },
    chain,
    model::{BootId, ChainId, TerminalId},
    sign::KeyPair,
    survey::Start,
    wire::Receipt,
};

use crate::{
    hospital::plan,
    journal::{Journal, answer, start},
    signed::Call,
};

const TERMINALS: u16 = 1_000;

/// What waits at each terminal, and how much of it goes in one batch.
const ENTRIES: u64 = 20;
const IN_A_BATCH: u64 = 10;

/// Places for far fewer than come, so that most are turned away at first.
const CONNECTIONS: u32 = 100;

/// Central asks to wait for seconds. Here a second is a fiftieth of one.
const SECOND: Duration = Duration::from_millis(20);

/// A whole request takes a terminal no longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Who has asked so often is not served at all.
const REQUESTS_MAX: u64 = 200;

const ALL_SENT: Duration = Duration::from_secs(20);

struct Terminal {
    number: u16,
    key: KeyPair,
    id: TerminalId,
    journal: Journal,
}

/// What the terminals met.
#[derive(Clone, Copy, Default, Debug)]
struct Met {
    requests: u64,
    turned_away: u64,
    broken: u64,
}

impl Terminal {
    fn new(number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        let mut seed = [1; 32];
        (seed[0], seed[1]) = (high, low);
        let mut chain = [7; 16];
        (chain[0], chain[1]) = (high, low);
        let mut journal = Journal::of(ChainId(chain), BootId::from_parts(number.into(), [3; 10]));
        (0..ENTRIES).for_each(|n| _ = journal.push(answer(u64::from(number) * ENTRIES + n, 5)));
        let id = format!("t-{number}").parse().unwrap();
        Self { number, key: KeyPair::from_seed(&seed), id, journal }
    }

    async fn is_enrolled_at(&self, central: &Central) {
        let (store, site) =
            (central.store(), plan(&["window"], Start::Question).hospital.sites[0].id.clone());
        let touchpoint = "window".parse().unwrap();
        let code_hash = chain::sha256(self.id.as_str().as_bytes());
        let expires_at = start() + chrono::TimeDelta::days(1);
        store.add_code(&site, NewCode { code_hash, touchpoint, made_at: start(), expires_at }).await.unwrap();
        let new = NewTerminal {
            code_hash,
            terminal: self.id.clone(),
            public_key: self.key.public().to_string(),
            hardware_id: format!("hw-{}", self.number),
            software: "0.1.0".to_owned(),
            at: start(),
        };
        assert!(matches!(store.enrol(&site, new).await.unwrap(), Enrolled::Welcome { .. }));
    }

    /// Sends its journal to the end as a terminal does: batch after batch, waiting as it is asked to, again where a connection broke.
    async fn sends_all(&self, central: SocketAddr) -> Met {
        let (mut met, mut sent) = (Met::default(), 0);
        while sent < self.journal.last_seq() {
            assert!(met.requests < REQUESTS_MAX, "{} is never served: {met:?}", self.id);
            met.requests += 1;
            // Terminals draw their waits at random; here each has its own.
            let drawn = 1.0 + f64::from(self.number % 100) / 100.0;
            match timeout(DEADLINE, self.asks(central, sent + 1)).await {
                Ok(Ok((200, _, body))) => {
                    let receipt: Receipt = serde_json::from_slice(&body).unwrap();
                    assert!(receipt.accepted_through > sent && receipt.quarantined.is_empty(), "{receipt:?}");
                    sent = receipt.accepted_through;
                }
                Ok(Ok((429 | 503, Some(seconds), _))) => {
                    met.turned_away += 1;
                    sleep(SECOND.mul_f64(drawn * f64::from(seconds))).await;
                }
                Ok(Ok((status, _, body))) => panic!("{status}: {}", String::from_utf8_lossy(&body)),
                Ok(Err(_)) | Err(_) => {
                    met.broken += 1;
                    sleep(SECOND.mul_f64(drawn * 5.0)).await;
                }
            }
        }
        met
    }

    /// One request from an address of its own: status, what `Retry-After` says, body.
    async fn asks(&self, central: SocketAddr, first: u64) -> io::Result<(u16, Option<u32>, Vec<u8>)> {
        let asked = Call {
            key: &self.key,
            terminal: Some(self.id.to_string()),
            method: "POST",
            path: "/v1/terminals/self/entries",
            query: None,
            kind: "application/x-ndjson",
            body: self.journal.body(first, usize::try_from(IN_A_BATCH).unwrap()),
            encoding: None,
            protocol: "1",
        };
        let [high, low] = self.number.to_be_bytes();
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 1, high, low), 0).into())?;
        let mut stream = socket.connect(central).await?;
        let length = asked.body.len();
        let mut request = format!(
            "POST {} HTTP/1.1\r\nhost: {central}\r\nconnection: close\r\ncontent-length: {length}\r\n",
            asked.path
        );
        for (name, value) in asked.headers() {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let request = [format!("{request}\r\n").as_bytes(), &asked.body].concat();
        stream.write_all(&request).await?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await?;
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let end = reply.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
        let head = String::from_utf8_lossy(&reply[..end]).to_ascii_lowercase();
        let value =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u32>().ok());
        let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
        let body = reply[end + 4..].to_vec();
        let whole = value("content-length:").is_none_or(|length| body.len() == length as usize);
        if whole { Ok((status, value("retry-after:"), body)) } else { Err(broken()) }
    }
}

/// A folder in memory where there is one: what is tried is not the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[test]
fn fault_27_a_thousand_terminals_that_come_back_at_once_are_all_served_and_each_entry_counts_once() {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum }).unwrap();
    let data = folder();
    let mut settings = Settings::new(data.path());
    settings.config.limits.connections = CONNECTIONS;
    let hospital = Arc::unwrap_or_clone(plan(&["window"], Start::Question).hospital);
    let central = Central::start(settings, hospital, TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let address = central.address();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (met, most, took) = runtime.block_on(async {
        let terminals: Vec<_> = (0..TERMINALS).map(|n| Arc::new(Terminal::new(n))).collect();
        for terminal in &terminals {
            terminal.is_enrolled_at(&central).await;
        }
        let back = Arc::new(Barrier::new(TERMINALS.into()));
        let began = Instant::now();
        let mut all = JoinSet::new();
        for terminal in terminals {
            let back = Arc::clone(&back);
            all.spawn(async move {
                back.wait().await;
                terminal.sends_all(address).await
            });
        }
        let (mut sum, mut most) = (Met::default(), 0);
        let until = tokio::time::Instant::from_std(began + ALL_SENT);
        while let Some(met) = timeout_at(until, all.join_next()).await.expect("all have sent within 20 s") {
            let met = met.unwrap();
            sum.requests += met.requests;
            sum.turned_away += met.turned_away;
            sum.broken += met.broken;
            most = most.max(met.requests);
        }
        (sum, most, began.elapsed())
    });
    println!("{TERMINALS} terminals in {took:?}: {met:?}, at most {most} requests of one terminal");
    assert!(met.turned_away > 0, "nobody was turned away, so nothing was shown: {met:?}");

    let findings = central.verify().unwrap();
    assert!(findings.is_whole(), "{findings:?}");
    assert_eq!(findings.chains.len(), usize::from(TERMINALS));
    assert!(findings.chains.iter().all(|chain| chain.held.cursor.accepted_through == ENTRIES));
    let site = plan(&["window"], Start::Question).hospital.sites[0].id.clone();
    let counts = runtime.block_on(central.store().counts(&site, CountQuery::default())).unwrap();
    let counted: u64 = counts.iter().map(|count| count.n).sum();
    assert_eq!(counted, u64::from(TERMINALS) * ENTRIES, "each once");
    central.stop().unwrap();
    survived!(27; TERMINALS, "terminals");
}
