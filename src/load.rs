//! Load on a real central, measured beside plain inserts of the same lines in the same run.
//!
//! Central is its own program in a process of its own. Simulated terminals speak the real protocol to it over loopback: keys of their own,
//! enrolment by code, lines and chains as a journal writes them, RFC 9421 signatures.
//!
//! Invariants:
//! - whatever a terminal computes (lines, hashes, compression, signatures) is computed before a stage begins, and every receipt is verified after
//!   it ends, because this program and central share the processor; a receipt that does not hold ends the run with an error;
//! - a terminal sends a batch only after the answer to the one before, as a real one does;
//! - a rate counts what was answered while all connections were busy;
//! - a ratio is of two rates of one run; the floor runs while central is idle;
//! - traffic goes to loopback only, and every stage is bounded in time and in number.

mod connection;
mod crowd;
mod floor;
mod probe;
mod report;
mod returning;
mod server;
mod stage;
mod terminal;
mod visits;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use hdrhistogram::Histogram;

pub use report::{Floor, Machine, Report, Returning, Stage, Verified};

use crate::clock::{Clock as _, SystemClock};
use crowd::{BY_PROTOCOL_MAX, Wanted};
use floor::{GROUP, Postgres, per_second};
use probe::Memory;
use server::{Counted, Server, can_trace};
use terminal::{Link, Terminal};

/// More entries a second than any machine takes so far: bounds what is prepared for a stage, which may end before its time is over.
const ENTRIES_PER_S_MAX: usize = 120_000;

/// The same for requests.
pub const REQUESTS_PER_S_MAX: usize = 14_000;

/// Lines of a floor: some 90 MB, a second of inserts on a fast disk.
const FLOOR_LINES: usize = 200_000;

/// Time of one floor.
const FLOOR_LIMIT: Duration = Duration::from_secs(2);

/// Taps of a place on an ordinary day.
const VISITS_A_DAY: u64 = 40;

/// Days that returning terminals were away.
const DAYS_AWAY: i64 = 7;

/// Longest drain of a crowd.
const DRAIN_LIMIT: Duration = Duration::from_mins(10);

/// Batches of one size from so many connections, written as `100x4`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Entries a batch.
    pub batch: usize,
    /// Connections.
    pub connections: usize,
}

impl std::str::FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('x').and_then(|(batch, connections)| {
            Some(Self { batch: batch.parse().ok()?, connections: connections.parse().ok()? })
        });
        let fits = |shape: &Self| {
            (1..=crate::wire::BATCH_ENTRIES_MAX).contains(&shape.batch)
                && (1..=1024).contains(&shape.connections)
        };
        parts
            .filter(fits)
            .ok_or_else(|| format!("`{text}` is no stage: write entries a batch x connections, like 100x4"))
    }
}

/// What to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// Central's program.
    pub central: PathBuf,
    /// The folder in which a fresh one is made and thrown away: its file system is what is measured.
    pub folder: PathBuf,
    /// A central that runs already: its address and its configuration file.
    pub running: Option<(String, PathBuf)>,
    /// Simulated terminals.
    pub terminals: usize,
    /// The stages, one after the other.
    pub stages: Vec<Shape>,
    /// Longest time of a stage.
    pub seconds: u64,
    /// Most requests prepared for a second: a stage ends when they are sent.
    pub requests_per_s_max: usize,
    /// Decides every visit, key and id.
    pub seed: u64,
    /// Measure the floors too.
    pub floors: bool,
    /// So many terminals return at once instead of the stages.
    pub returning: Option<usize>,
}

/// Runs what is asked for.
///
/// # Errors
/// Central cannot be run, a receipt does not hold, or a recount gives something else.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let home = tempfile::Builder::new()
        .prefix("xinsheng-load-")
        .tempdir_in(&options.folder)
        .with_context(|| format!("cannot make a folder in {}", options.folder.display()))?;
    let now = SystemClock::new().now().wall;
    let wanted = wanted(options);
    let (server, mut terminals) = begin(options, home.path(), &wanted, now)?;
    let memory = server.pid().map(Memory::watch).transpose()?;
    let mut report = Report {
        machine: machine(now),
        terminals: terminals.len(),
        enrolled_by_protocol: terminals.len().min(BY_PROTOCOL_MAX),
        stages: Vec::new(),
        rss_peak_mib: None,
        pss_peak_mib: None,
        verified: None,
        postgres_missing: None,
        returning: None,
        notes: vec!["requests were made and signed before each stage, receipts verified after it".to_owned()],
    };
    let mut run = Run { options, home: home.path(), server, memory, now, named: Named::default() };
    if options.returning.is_some() {
        report.returning = Some(run.returning(&mut terminals)?);
        report.memory(run.memory.as_ref());
    } else {
        run.stages(&mut terminals, &mut report)?;
    }
    if run.server.pid().is_some() {
        report.verified = Some(run.recount()?);
    }
    Ok(report)
}

fn wanted(options: &Options) -> Wanted {
    let seed = options.seed;
    match options.returning {
        // One more, which has nothing to send.
        Some(terminals) => Wanted {
            seed,
            terminals: terminals + 1,
            since: TimeDelta::days(DAYS_AWAY),
            apart_s: 24 * 3_600 / VISITS_A_DAY * 9 / 10,
        },
        None => Wanted { seed, terminals: options.terminals, since: TimeDelta::days(60), apart_s: 60 },
    }
}

/// A central that serves, and the terminals it knows.
fn begin(
    options: &Options,
    home: &Path,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> anyhow::Result<(Server, Vec<Terminal>)> {
    let (server, stored) = if let Some((url, config)) = &options.running {
        anyhow::ensure!(
            wanted.terminals <= BY_PROTOCOL_MAX,
            "a central that runs already takes in {BY_PROTOCOL_MAX} terminals at most"
        );
        (Server::running(url, config)?, Vec::new())
    } else {
        let mut server = Server::prepare(home)?;
        let stored = crowd::into_store(&server, wanted, now)?;
        server.start(&options.central, home, Counted::Nothing)?;
        (server, stored)
    };
    let mut terminals = crowd::by_protocol(&server, home, wanted, now)?;
    terminals.extend(stored);
    Ok((server, terminals))
}

/// What receipts named so far.
#[derive(Clone, Copy, Default)]
struct Named {
    entries: u64,
    answers: u64,
}

struct Run<'a> {
    options: &'a Options,
    home: &'a Path,
    server: Server,
    memory: Option<Memory>,
    now: DateTime<Utc>,
    named: Named,
}

impl Run<'_> {
    fn stages(&mut self, terminals: &mut [Terminal], report: &mut Report) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut postgres = None;
        if self.options.floors {
            let started = Postgres::start(self.home).and_then(|mut server| {
                runtime.block_on(server.ready())?;
                Ok(server)
            });
            match started {
                Ok(server) => {
                    report.machine.postgres = Some(server.version.clone());
                    postgres = Some(server);
                }
                Err(error) => report.postgres_missing = Some(format!("{error:#}")),
            }
        }
        for shape in &self.options.stages {
            let mut stage = self.stage(terminals, *shape, &runtime)?;
            if self.options.floors {
                self.floors(&mut stage, postgres.as_ref(), &runtime)?;
            }
            report.stages.push(stage);
        }
        if self.server.pid().is_none() {
            return Ok(());
        }
        report.memory(self.memory.as_ref());
        self.memory = None;
        if can_trace() {
            self.count_syncs(terminals, &mut report.stages, &runtime)?;
            report.notes.push(
                "syncs are fsync and fdatasync of central, counted by strace in a second of each stage after the measured ones"
                    .to_owned(),
            );
        } else {
            report.notes.push("syncs are not counted: there is no strace with --seccomp-bpf".to_owned());
        }
        Ok(())
    }

    /// One stage: everything is made, sent, and every receipt verified.
    fn send(
        &mut self,
        terminals: &mut [Terminal],
        shape: Shape,
        seconds: u64,
        runtime: &tokio::runtime::Runtime,
    ) -> anyhow::Result<stage::Raw> {
        let most = (ENTRIES_PER_S_MAX / shape.batch).min(self.options.requests_per_s_max)
            * usize::try_from(seconds)?;
        let each = (most / terminals.len()).max(2);
        let mut heads: Vec<_> = terminals.iter().map(Terminal::head).collect();
        let queues = stage::prepare(terminals, shape.batch, each, self.server.address, self.now)?;
        let late = terminals.iter().map(Terminal::last_at).max();
        anyhow::ensure!(
            late.is_none_or(|at| at < self.now),
            "the visits reach into the future: use more terminals"
        );
        let limit = Duration::from_secs(seconds);
        let raw = runtime.block_on(stage::run(&self.server, queues, shape.connections, limit))?;
        // What was prepared and not sent never happened.
        for one in &raw.answered {
            let head = &mut heads[one.terminal];
            if one.batch.last_seq > head.0 {
                *head = (one.batch.last_seq, one.batch.head);
            }
        }
        for (terminal, (seq, hash)) in terminals.iter_mut().zip(heads) {
            terminal.go_back(seq, hash);
        }
        stage::verify(terminals, &raw.answered)?;
        let (entries, answers) = sums(&raw.answered);
        self.named.entries += entries;
        self.named.answers += answers;
        Ok(raw)
    }

    fn stage(
        &mut self,
        terminals: &mut [Terminal],
        shape: Shape,
        runtime: &tokio::runtime::Runtime,
    ) -> anyhow::Result<Stage> {
        let pid = self.server.pid();
        let at_rest = |server: &Server| pid.map(|_| server.bytes_at_rest()).transpose();
        let before = at_rest(&self.server)?;
        let raw = self.send(terminals, shape, self.options.seconds, runtime)?;
        let after = at_rest(&self.server)?;
        let (entries, _) = sums(&raw.answered);
        let counted: Vec<_> = raw.answered.iter().filter(|one| one.at <= raw.full_until).collect();
        let mut latency = histogram()?;
        counted.iter().try_for_each(|one| latency.record(micros(one.took)))?;
        let requests = counted.len() as u64;
        let in_time = counted.iter().map(|one| u64::from(one.batch.entries)).sum::<u64>();
        let each_entry = |n: u64| per_second(n, Duration::from_secs(entries.max(1)));
        let ms = |us| returning::us_to(us, 1e3);
        Ok(Stage {
            batch: shape.batch,
            connections: shape.connections,
            seconds: raw.full_until.as_secs_f64(),
            requests,
            requests_per_s: per_second(requests, raw.full_until),
            entries_per_s: per_second(in_time, raw.full_until),
            p50_ms: ms(latency.value_at_quantile(0.5)),
            p99_ms: ms(latency.value_at_quantile(0.99)),
            max_ms: ms(latency.max()),
            receipts_verified: raw.answered.len() as u64,
            refusals: raw.refusals,
            syncs_per_request: None,
            sent_per_entry: each_entry(raw.traffic.sent),
            received_per_entry: each_entry(raw.traffic.received),
            at_rest_per_entry: after
                .zip(before)
                .map(|(after, before)| each_entry(after.saturating_sub(before))),
            cpu_us_per_entry: raw.cpu.map(|cpu| each_entry(micros(cpu.total))),
            writer_busy: raw.cpu.map(|cpu| cpu.writer.as_secs_f64() / raw.took.as_secs_f64().max(1e-9)),
            floors: Vec::new(),
        })
    }

    /// Starts central again under a count of the calls that wait for the disk, and sends a second of each stage.
    fn count_syncs(
        &mut self,
        terminals: &mut [Terminal],
        stages: &mut [Stage],
        runtime: &tokio::runtime::Runtime,
    ) -> anyhow::Result<()> {
        self.server.stop()?;
        self.server.start(&self.options.central, self.home, Counted::Syncs)?;
        for stage in stages {
            let shape = Shape { batch: stage.batch, connections: stage.connections };
            let before = self.server.syncs();
            let raw = self.send(terminals, shape, 1, runtime)?;
            let requests = Duration::from_secs(raw.answered.len().max(1) as u64);
            let syncs = self.server.syncs().zip(before).map(|(after, before)| after - before);
            stage.syncs_per_request = syncs.map(|syncs| per_second(syncs, requests));
        }
        Ok(())
    }

    fn floors(
        &self,
        stage: &mut Stage,
        postgres: Option<&Postgres>,
        runtime: &tokio::runtime::Runtime,
    ) -> anyhow::Result<()> {
        let lines = Arc::new(self.floor_lines(stage.batch)?);
        let mut found =
            vec![("SQLite", stage.batch, 1, floor::sqlite(self.home, &lines, stage.batch, FLOOR_LIMIT)?)];
        if stage.batch == 1 {
            found.push(("SQLite", GROUP, 1, floor::sqlite(self.home, &lines, GROUP, FLOOR_LIMIT)?));
        }
        if let Some(postgres) = postgres {
            let rate =
                runtime.block_on(postgres.rate(&lines, stage.batch, stage.connections, FLOOR_LIMIT))?;
            found.push(("PostgreSQL", stage.batch, stage.connections, rate));
        }
        stage.floors = found
            .into_iter()
            .map(|(database, rows_a_commit, connections, rate)| Floor {
                database,
                rows_a_commit,
                connections,
                rows_per_s: rate.rows_per_s(),
                ratio: stage.entries_per_s / rate.rows_per_s(),
            })
            .collect();
        Ok(())
    }

    /// Lines of chains of their own, in runs of one batch each.
    fn floor_lines(&self, batch: usize) -> anyhow::Result<Vec<Link>> {
        let wanted = Wanted { seed: self.options.seed ^ 0xf100, ..wanted(self.options) };
        let mut chains = crowd::for_floor(&self.server, &Wanted { terminals: GROUP, ..wanted }, self.now)?;
        let mut lines = Vec::with_capacity(FLOOR_LINES);
        while lines.len() < FLOOR_LINES {
            for chain in &mut chains {
                lines.extend(chain.lines(batch)?);
            }
        }
        Ok(lines)
    }

    fn returning(&mut self, terminals: &mut [Terminal]) -> anyhow::Result<Returning> {
        let visits = usize::try_from(VISITS_A_DAY)? * usize::try_from(DAYS_AWAY)?;
        let crowd = returning::prepare(terminals, 1 + 3 * visits, self.server.address, self.now)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let address = self.server.address;
        let mut came = runtime.block_on(returning::run(address, crowd, DRAIN_LIMIT))?;
        runtime.block_on(returning::settle(address, terminals, &mut came, self.now))?;
        let (entries, answers) = sums(&came.answered);
        self.named = Named { entries, answers };
        Ok(came.report)
    }

    /// Stops central and recomputes everything from its data folder.
    fn recount(&mut self) -> anyhow::Result<Verified> {
        self.server.stop()?;
        let findings = self.server.verify()?;
        anyhow::ensure!(findings.is_whole(), "a recount finds damage");
        let (entries, answers) = self.server.totals()?;
        let named = self.named;
        anyhow::ensure!(
            (entries, answers) == (named.entries, named.answers),
            "receipts name {} entries and {} answers, {entries} and {answers} are held",
            named.entries,
            named.answers
        );
        Ok(Verified {
            journals: findings.chains.len(),
            entries,
            receipts_named: named.entries,
            answers,
            answers_named: named.answers,
        })
    }
}

fn sums(answered: &[stage::Answered]) -> (u64, u64) {
    answered.iter().fold((0, 0), |(entries, answers), one| {
        (entries + u64::from(one.batch.entries), answers + u64::from(one.batch.answers))
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Microseconds, to three digits.
fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

fn machine(now: DateTime<Utc>) -> Machine {
    let first = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Machine {
        date: now.format("%Y-%m-%d").to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        processor: first("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        kernel: kernel.trim().to_owned(),
        postgres: None,
        sqlite: rusqlite::version().to_owned(),
    }
}
