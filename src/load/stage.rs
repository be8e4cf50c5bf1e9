//! One stage: batches of one size from so many connections, sent as fast as central answers.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::JoinSet;

use super::{
    connection::{Connection, Traffic, read, status_of},
    probe::Cpu,
    server::Server,
    terminal::{Batch, Terminal},
};
use crate::sync::outcome::{Outcome, Trust, classify};

/// After an answer that says to come again, until the next try.
const PAUSE: Duration = Duration::from_millis(20);

/// Refusals of one request before the stage gives up.
const REFUSALS_MAX: u32 = 500;

/// What one terminal sends in a stage.
pub(super) struct Queue {
    pub(super) terminal: usize,
    pub(super) batches: VecDeque<Batch>,
}

/// A request that was answered.
pub(super) struct Answered {
    pub(super) terminal: usize,
    pub(super) batch: Batch,
    pub(super) answer: Vec<u8>,
    pub(super) took: Duration,
    /// Since the stage began.
    pub(super) at: Duration,
}

/// What came of a stage.
pub(super) struct Raw {
    pub(super) answered: Vec<Answered>,
    pub(super) traffic: Traffic,
    /// When the first connection had nothing left to send, or the time was over: later answers do not count for the rate.
    pub(super) full_until: Duration,
    /// Answers that said to come again.
    pub(super) refusals: u64,
    /// Until the last answer.
    pub(super) took: Duration,
    /// Processor time of central meanwhile.
    pub(super) cpu: Option<Cpu>,
}

#[expect(clippy::disallowed_methods, reason = "a load program times what it does")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Sends queues over so many connections, at most for so long.
pub(super) async fn run(
    server: &Server,
    queues: Vec<Queue>,
    connections: usize,
    limit: Duration,
) -> anyhow::Result<Raw> {
    let mut lanes: Vec<Vec<Queue>> = (0..connections).map(|_| Vec::new()).collect();
    for (n, queue) in queues.into_iter().enumerate() {
        lanes[n % connections].push(queue);
    }
    let mut open = Vec::new();
    for lane in lanes.into_iter().filter(|lane| !lane.is_empty()) {
        open.push((lane, Connection::open(server.address).await.context("central cannot be reached")?));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    let (began, cpu) = (now(), server.pid().map(Cpu::of));
    for (lane, connection) in open {
        tasks.spawn(drive(lane, connection, began, limit, Arc::clone(&stop)));
    }
    let mut raw = Raw {
        answered: Vec::new(),
        traffic: Traffic::default(),
        full_until: limit,
        refusals: 0,
        took: limit,
        cpu: None,
    };
    while let Some(done) = tasks.join_next().await {
        let lane = done??;
        raw.answered.extend(lane.answered);
        raw.traffic.add(lane.traffic);
        raw.refusals += lane.refusals;
        raw.full_until = raw.full_until.min(lane.ran_out.unwrap_or(limit));
    }
    raw.took = began.elapsed();
    raw.cpu = server.pid().zip(cpu).map(|(pid, before)| Cpu::of(pid).since(before));
    Ok(raw)
}

struct Lane {
    answered: Vec<Answered>,
    traffic: Traffic,
    refusals: u64,
    ran_out: Option<Duration>,
}

/// One connection: a batch of each of its terminals in turn, the next of a terminal when the one before is answered.
async fn drive(
    mut queues: Vec<Queue>,
    mut connection: Connection,
    began: Instant,
    limit: Duration,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Lane> {
    let mut lane = Lane { answered: Vec::new(), traffic: Traffic::default(), refusals: 0, ran_out: None };
    'all: loop {
        for queue in &mut queues {
            if stop.load(Ordering::Relaxed) || began.elapsed() >= limit {
                break 'all;
            }
            let Some(batch) = queue.batches.pop_front() else {
                lane.ran_out = Some(began.elapsed());
                stop.store(true, Ordering::Relaxed);
                break 'all;
            };
            let mut refused = 0;
            let (answer, took) = loop {
                let sent = now();
                let answer = connection.ask(&batch.ready.bytes).await?;
                if !matches!(status_of(&answer), 429 | 503) {
                    break (answer, sent.elapsed());
                }
                refused += 1;
                lane.refusals += 1;
                anyhow::ensure!(refused < REFUSALS_MAX, "central does not take a batch");
                tokio::time::sleep(PAUSE).await;
            };
            let terminal = queue.terminal;
            lane.answered.push(Answered { terminal, batch, answer, took, at: began.elapsed() });
        }
    }
    lane.traffic = connection.traffic;
    Ok(lane)
}

/// Holds an answer against its request as a terminal does: signature, chain, place and hash.
pub(super) fn check(trust: &Trust, batch: &Batch, answer: &[u8]) -> anyhow::Result<()> {
    let reply = read(answer)?;
    let outcome = classify(&batch.ready.exchange, trust, Ok(&reply));
    let Outcome::Receipt(receipt) = outcome else { anyhow::bail!("a batch was not taken: {outcome:?}") };
    anyhow::ensure!(
        receipt.accepted_through == batch.last_seq && receipt.head_hash == batch.head,
        "a receipt names another place than the batch's end"
    );
    anyhow::ensure!(
        receipt.stored == batch.entries && receipt.quarantined.is_empty(),
        "{} of {} entries stored, {} not understood",
        receipt.stored,
        batch.entries,
        receipt.quarantined.len()
    );
    Ok(())
}

/// Prepares batches for every terminal, on two threads.
pub(super) fn prepare(
    terminals: &mut [Terminal],
    size: usize,
    each: usize,
    host: SocketAddr,
    at: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Vec<Queue>> {
    let half = terminals.len().div_ceil(2).max(1);
    let numbered: Vec<_> = terminals.iter_mut().enumerate().collect();
    let mut halves = Vec::new();
    let mut rest = numbered;
    while !rest.is_empty() {
        let later = rest.split_off(half.min(rest.len()));
        halves.push(std::mem::replace(&mut rest, later));
    }
    std::thread::scope(|scope| {
        let work = |part: Vec<(usize, &mut Terminal)>| -> anyhow::Result<Vec<Queue>> {
            part.into_iter()
                .map(|(terminal, speaker)| {
                    let batches = (0..each).map(|_| speaker.batch(size, at, host));
                    Ok(Queue { terminal, batches: batches.collect::<anyhow::Result<_>>()? })
                })
                .collect()
        };
        let threads: Vec<_> = halves.into_iter().map(|part| scope.spawn(move || work(part))).collect();
        let mut queues = Vec::new();
        for thread in threads {
            queues.extend(thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??);
        }
        Ok(queues)
    })
}

/// Verifies every receipt, on two threads; gives how many hold.
pub(super) fn verify(terminals: &[Terminal], answered: &[Answered]) -> anyhow::Result<u64> {
    let trusts: Vec<Trust> = terminals.iter().map(Terminal::trust).collect();
    let part = |part: &[Answered]| -> anyhow::Result<u64> {
        part.iter().try_for_each(|one| check(&trusts[one.terminal], &one.batch, &one.answer))?;
        Ok(part.len() as u64)
    };
    std::thread::scope(|scope| {
        let chunk = answered.len().div_ceil(2).max(1);
        let threads: Vec<_> = answered.chunks(chunk).map(|some| scope.spawn(|| part(some))).collect();
        let mut held = 0;
        for thread in threads {
            held += thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        Ok(held)
    })
}
