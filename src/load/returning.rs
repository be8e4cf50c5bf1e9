//! Many terminals that come back at once with a backlog, as after a week without a network.
//!
//! Each asks how far central is, as a terminal does at every start, and then sends batch after batch, each after the receipt for the one before.
//! Meanwhile a terminal with nothing to send reports its health and asks for its cursor, each on a connection of its own, and somebody reads
//! the scores.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use super::{
    connection::{Connection, read, status_of},
    histogram, micros,
    report::Returning,
    stage::{self, Answered, Queue, check, now},
    terminal::{Ready, Terminal},
};
use crate::sync::outcome::{Outcome, Trust, classify};

/// Entries a batch: what a terminal with a backlog sends.
pub(super) const BATCH: usize = 500;

/// Tries of one request, and the longest pause between two.
const TRIES_MAX: u32 = 200;
const PAUSE_MAX_MS: u64 = 500;

/// Between two requests of whoever only looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Prepared requests of the idle terminal: more than fit into any run.
const IDLE_REQUESTS: usize = 6_000;

/// Terminals with their backlog, ready to go.
pub(super) struct Crowd {
    queues: Vec<Queue>,
    asks: Vec<Ready>,
    idle: Vec<Ready>,
    trust: Trust,
    entries: u64,
}

/// What came of it, with all receipts.
pub(super) struct Came {
    pub(super) report: Returning,
    pub(super) answered: Vec<Answered>,
}

/// Prepares the whole backlog; the last terminal has none.
pub(super) fn prepare(
    terminals: &mut [Terminal],
    entries_each: usize,
    host: SocketAddr,
    at: DateTime<Utc>,
) -> anyhow::Result<Crowd> {
    let (idle, loaded) = terminals.split_last_mut().context("there are terminals")?;
    let trust = idle.trust();
    let full = entries_each / BATCH;
    let mut queues = stage::prepare(loaded, BATCH, full, host, at)?;
    let rest = entries_each % BATCH;
    for queue in &mut queues {
        if rest > 0 {
            queue.batches.push_back(loaded[queue.terminal].batch(rest, at, host)?);
        }
    }
    let asks = loaded.iter_mut().map(|terminal| terminal.cursor(at, host)).collect::<Result<_, _>>()?;
    let idle = (0..IDLE_REQUESTS)
        .map(|n| if n % 2 == 0 { idle.health(at, host) } else { idle.cursor(at, host) })
        .collect::<Result<_, _>>()?;
    let entries = (loaded.len() * entries_each) as u64;
    Ok(Crowd { queues, asks, idle, trust, entries })
}

/// Lets all of them come at once, at most for so long.
pub(super) async fn run(address: SocketAddr, crowd: Crowd, limit: Duration) -> anyhow::Result<Came> {
    let over = Arc::new(AtomicBool::new(false));
    let began = now();
    let idle = tokio::spawn(look(address, crowd.idle, Some(crowd.trust), Arc::clone(&over)));
    let scores = format!("GET /v1/scores HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes();
    let reads = tokio::spawn(read_scores(address, scores, Arc::clone(&over)));
    let (terminals, mut tasks) = (crowd.queues.len(), JoinSet::new());
    for (queue, ask) in crowd.queues.into_iter().zip(crowd.asks) {
        tasks.spawn(come_back(address, queue, ask, crowd.trust, began, limit));
    }
    let mut firsts = histogram()?;
    let (mut answered, mut retries) = (Vec::new(), 0);
    while let Some(done) = tasks.join_next().await {
        let done = done??;
        let first = done.answered.first().context("a terminal has a backlog")?;
        firsts.record(micros(first.at))?;
        retries += done.retries;
        answered.extend(done.answered);
    }
    let took = began.elapsed();
    over.store(true, Ordering::Release);
    let (idle, reads) = (idle.await??, reads.await??);
    let ms = |us: u64| us_to(us, 1e3);
    let seconds = |us: u64| us_to(us, 1e6);
    let report = Returning {
        terminals,
        entries: crowd.entries,
        seconds: took.as_secs_f64(),
        entries_per_s: super::floor::per_second(crowd.entries, took),
        first_p50_s: seconds(firsts.value_at_quantile(0.5)),
        first_p99_s: seconds(firsts.value_at_quantile(0.99)),
        first_max_s: seconds(firsts.max()),
        retries,
        equal: 0,
        idle_requests: idle.len(),
        idle_p99_ms: ms(idle.value_at_quantile(0.99)),
        idle_max_ms: ms(idle.max()),
        reads: reads.len(),
        reads_p99_ms: ms(reads.value_at_quantile(0.99)),
        reads_max_ms: ms(reads.max()),
    };
    Ok(Came { report, answered })
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a run")]
pub(super) fn us_to(us: u64, unit: f64) -> f64 {
    us as f64 / unit
}

struct Returned {
    answered: Vec<Answered>,
    retries: u64,
}

async fn come_back(
    address: SocketAddr,
    mut queue: Queue,
    ask: Ready,
    trust: Trust,
    began: Instant,
    limit: Duration,
) -> anyhow::Result<Returned> {
    let mut retries = 0;
    let mut connection = None;
    let cursor = persist(address, &mut connection, &ask, &mut retries, (began, limit)).await?;
    let outcome = classify(&ask.exchange, &trust, Ok(&read(&cursor)?));
    let is_empty = matches!(&outcome, Outcome::Cursor(held) if held.accepted_through == 0);
    anyhow::ensure!(is_empty, "central does not say that it holds nothing: {outcome:?}");
    let mut answered = Vec::new();
    while let Some(batch) = queue.batches.pop_front() {
        let sent = now();
        let answer = persist(address, &mut connection, &batch.ready, &mut retries, (began, limit)).await?;
        let (took, at, terminal) = (sent.elapsed(), began.elapsed(), queue.terminal);
        answered.push(Answered { terminal, batch, answer, took, at });
    }
    Ok(Returned { answered, retries })
}

/// Sends a request until it is answered with more than "come again".
async fn persist(
    address: SocketAddr,
    connection: &mut Option<Connection>,
    request: &Ready,
    retries: &mut u64,
    (began, limit): (Instant, Duration),
) -> anyhow::Result<Vec<u8>> {
    for tries in 0..TRIES_MAX {
        anyhow::ensure!(began.elapsed() < limit, "not empty within the time");
        let asked = async {
            let mut open = match connection.take() {
                Some(open) => open,
                None => Connection::open(address).await?,
            };
            let answer = open.ask(&request.bytes).await?;
            *connection = Some(open);
            std::io::Result::Ok(answer)
        };
        match asked.await {
            Ok(answer) if !matches!(status_of(&answer), 408 | 429 | 503) => return Ok(answer),
            Ok(_) | Err(_) => {
                *retries += 1;
                let pause = (10_u64 << tries.min(6)).min(PAUSE_MAX_MS);
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
    }
    anyhow::bail!("central does not take a request")
}

/// One request after the other, each on a connection of its own, until the others are done; gives their times in microseconds.
async fn look(
    address: SocketAddr,
    requests: Vec<Ready>,
    trust: Option<Trust>,
    over: Arc<AtomicBool>,
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut times = histogram()?;
    for request in requests {
        if over.load(Ordering::Acquire) {
            break;
        }
        let sent = now();
        let answer = Connection::open(address).await?.ask(&request.bytes).await?;
        times.record(micros(sent.elapsed()))?;
        if let Some(trust) = &trust {
            let outcome = classify(&request.exchange, trust, Ok(&read(&answer)?));
            anyhow::ensure!(
                matches!(outcome, Outcome::Health(_) | Outcome::Cursor(_)),
                "an idle terminal is told {outcome:?}"
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(times)
}

async fn read_scores(
    address: SocketAddr,
    request: Vec<u8>,
    over: Arc<AtomicBool>,
) -> anyhow::Result<hdrhistogram::Histogram<u64>> {
    let mut times = histogram()?;
    while !over.load(Ordering::Acquire) {
        let sent = now();
        let answer = Connection::open(address).await?.ask(&request).await?;
        times.record(micros(sent.elapsed()))?;
        anyhow::ensure!(status_of(&answer) == 200, "the scores are answered with {}", status_of(&answer));
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(times)
}

/// Verifies all receipts, and that central's cursor is the end of each journal.
pub(super) async fn settle(
    address: SocketAddr,
    terminals: &mut [Terminal],
    came: &mut Came,
    at: DateTime<Utc>,
) -> anyhow::Result<()> {
    let trusts: Vec<Trust> = terminals.iter().map(Terminal::trust).collect();
    for one in &came.answered {
        check(&trusts[one.terminal], &one.batch, &one.answer)?;
    }
    let mut connection = Connection::open(address).await?;
    let Some((_, loaded)) = terminals.split_last_mut() else { return Ok(()) };
    for terminal in loaded {
        let ask = terminal.cursor(at, address)?;
        let answer = connection.ask(&ask.bytes).await?;
        let Outcome::Cursor(held) = classify(&ask.exchange, &terminal.trust(), Ok(&read(&answer)?)) else {
            anyhow::bail!("central does not say how far it is");
        };
        anyhow::ensure!(
            (held.accepted_through, held.head_hash) == terminal.head(),
            "central is elsewhere than the journal of {}",
            terminal.identity.terminal
        );
        came.report.equal += 1;
    }
    Ok(())
}
