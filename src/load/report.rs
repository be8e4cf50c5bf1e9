//! What was measured, as a table for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::{probe::Memory, returning::us_to};

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What it ran on.
    pub machine: Machine,
    /// Simulated terminals.
    pub terminals: usize,
    /// Of these, enrolled by a code and the real request; the others were written into the store before central started.
    pub enrolled_by_protocol: usize,
    /// One for each size of batch.
    pub stages: Vec<Stage>,
    /// Most resident memory of central while it was looked at, in MiB; `None` for a central that was not started here.
    pub rss_peak_mib: Option<f64>,
    /// The same, shared pages counted in part.
    pub pss_peak_mib: Option<f64>,
    /// Journals and counts recomputed after central had stopped.
    pub verified: Option<Verified>,
    /// Why there is no floor of PostgreSQL.
    pub postgres_missing: Option<String>,
    /// Terminals that came back at once.
    pub returning: Option<Returning>,
    /// How it was done.
    pub notes: Vec<String>,
}

/// What it ran on.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Day of the run.
    pub date: String,
    /// This program's version.
    pub version: String,
    /// As the system names it.
    pub processor: String,
    /// Cores, shared by central and this program.
    pub cores: usize,
    /// Kernel.
    pub kernel: String,
    /// Version of PostgreSQL, where its floor was measured.
    pub postgres: Option<String>,
    /// Version of SQLite.
    pub sqlite: String,
}

/// Batches of one size.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// Entries a batch.
    pub batch: usize,
    /// Connections.
    pub connections: usize,
    /// Seconds that count for the rates.
    pub seconds: f64,
    /// Requests answered in that time.
    pub requests: u64,
    /// A second.
    pub requests_per_s: f64,
    /// A second.
    pub entries_per_s: f64,
    /// From the first byte sent to the last byte of the answer.
    pub p50_ms: f64,
    /// The same.
    pub p99_ms: f64,
    /// The same.
    pub max_ms: f64,
    /// Receipts that hold: all, or the run fails.
    pub receipts_verified: u64,
    /// Answers that said to come again.
    pub refusals: u64,
    /// Calls of central that wait for the disk, for each request; `None` where they are not counted.
    pub syncs_per_request: Option<f64>,
    /// Bytes of a request on the wire, head included, for each entry.
    pub sent_per_entry: f64,
    /// Bytes of an answer on the wire, head included, for each entry.
    pub received_per_entry: f64,
    /// Growth of the database file for each entry, after a checkpoint.
    pub at_rest_per_entry: Option<f64>,
    /// Processor time of central for each entry, in microseconds.
    pub cpu_us_per_entry: Option<f64>,
    /// Share of the time in which central's writing thread computed.
    pub writer_busy: Option<f64>,
    /// Plain inserts of the same lines in commits of the same size.
    pub floors: Vec<Floor>,
}

/// A floor beside a stage.
#[derive(Clone, Debug, Serialize)]
pub struct Floor {
    /// Which database.
    pub database: &'static str,
    /// Rows a commit.
    pub rows_a_commit: usize,
    /// Connections that insert.
    pub connections: usize,
    /// Rows a second.
    pub rows_per_s: f64,
    /// Central's entries a second in parts of it.
    pub ratio: f64,
}

/// What a recount gave.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// Journals.
    pub journals: usize,
    /// Entries in them.
    pub entries: u64,
    /// Entries that receipts named.
    pub receipts_named: u64,
    /// Counted answers.
    pub answers: u64,
    /// Answers that receipts named.
    pub answers_named: u64,
}

/// Many terminals that come back at once.
#[derive(Clone, Debug, Serialize)]
pub struct Returning {
    /// How many.
    pub terminals: usize,
    /// Entries that waited on them, all together.
    pub entries: u64,
    /// Until the last was empty, in seconds.
    pub seconds: f64,
    /// A second.
    pub entries_per_s: f64,
    /// Until a terminal's first batch was accepted: median, 99th percentile, longest, in seconds.
    pub first_p50_s: f64,
    /// The same.
    pub first_p99_s: f64,
    /// The same.
    pub first_max_s: f64,
    /// Answers that said to come again, and connections that broke.
    pub retries: u64,
    /// Terminals whose cursor at central is the end of their journal.
    pub equal: usize,
    /// Requests of a terminal with nothing to send, meanwhile: how many, and the longest in milliseconds.
    pub idle_requests: u64,
    /// The same.
    pub idle_p99_ms: f64,
    /// The same.
    pub idle_max_ms: f64,
    /// Reads of the scores meanwhile.
    pub reads: u64,
    /// The same.
    pub reads_p99_ms: f64,
    /// The same.
    pub reads_max_ms: f64,
}

impl Report {
    /// Notes the most memory that central had so far.
    pub(super) fn memory(&mut self, watched: Option<&Memory>) {
        let mib = |kib| us_to(kib, 1024.0);
        let peaks = watched.map(Memory::peaks);
        self.rss_peak_mib = peaks.map(|(rss, _)| mib(rss));
        self.pss_peak_mib = peaks.map(|(_, pss)| mib(pss));
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let machine = &self.machine;
        writeln!(
            out,
            "xinsheng {} on {}, {} cores (shared by central and the load), Linux {}, SQLite {}{}, {}",
            machine.version,
            machine.processor,
            machine.cores,
            machine.kernel,
            machine.sqlite,
            machine.postgres.as_ref().map(|version| format!(", PostgreSQL {version}")).unwrap_or_default(),
            machine.date
        )?;
        writeln!(
            out,
            "{} terminals, {} of them enrolled by a code\n",
            self.terminals, self.enrolled_by_protocol
        )?;
        if !self.stages.is_empty() {
            self.write_stages(out)?;
        }
        if let Some(back) = &self.returning {
            write_returning(out, back)?;
        }
        if let (Some(rss), Some(pss)) = (self.rss_peak_mib, self.pss_peak_mib) {
            writeln!(out, "memory of central at its highest: RSS {rss:.1} MiB, PSS {pss:.1} MiB")?;
        }
        if let Some(all) = &self.verified {
            writeln!(
                out,
                "recount after the end: {} journals, {} entries ({} receipted), {} answers counted ({} receipted), all whole",
                all.journals, all.entries, all.receipts_named, all.answers, all.answers_named
            )?;
        }
        if let Some(why) = &self.postgres_missing {
            writeln!(out, "no floor of PostgreSQL: {why}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))
    }

    fn write_stages(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| batch | connections | requests/s | entries/s | p50 / p99 / max ms | syncs/request | wire B/entry, up + down | at rest B/entry | central µs/entry | writer busy |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|---|---|")?;
        for stage in &self.stages {
            let shown = |value: Option<f64>, digits: usize| {
                value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
            };
            writeln!(
                out,
                "| {} | {} | {:.0} | {:.0} | {:.1} / {:.1} / {:.1} | {} | {:.0} + {:.0} | {} | {} | {} % |",
                stage.batch,
                stage.connections,
                stage.requests_per_s,
                stage.entries_per_s,
                stage.p50_ms,
                stage.p99_ms,
                stage.max_ms,
                shown(stage.syncs_per_request, 3),
                stage.sent_per_entry,
                stage.received_per_entry,
                shown(stage.at_rest_per_entry, 0),
                shown(stage.cpu_us_per_entry, 1),
                shown(stage.writer_busy.map(|busy| busy * 100.0), 0),
            )?;
        }
        writeln!(out, "\n| batch | floor | rows a commit | connections | rows/s | central / floor |")?;
        writeln!(out, "|---|---|---|---|---|---|")?;
        for stage in &self.stages {
            for floor in &stage.floors {
                writeln!(
                    out,
                    "| {} | {} | {} | {} | {:.0} | {:.2} |",
                    stage.batch,
                    floor.database,
                    floor.rows_a_commit,
                    floor.connections,
                    floor.rows_per_s,
                    floor.ratio
                )?;
            }
        }
        writeln!(out)
    }
}

fn write_returning(out: &mut String, back: &Returning) -> std::fmt::Result {
    writeln!(
        out,
        "{} terminals returned at once with {} entries: empty after {:.1} s ({:.0} entries/s), {} cursors equal to their journals, {} retries",
        back.terminals, back.entries, back.seconds, back.entries_per_s, back.equal, back.retries
    )?;
    writeln!(
        out,
        "first accepted batch of a terminal after p50 {:.2} s, p99 {:.2} s, max {:.2} s",
        back.first_p50_s, back.first_p99_s, back.first_max_s
    )?;
    writeln!(
        out,
        "meanwhile an idle terminal: {} requests, p99 {:.0} ms, max {:.0} ms; reads of /v1/scores: {}, p99 {:.0} ms, max {:.0} ms",
        back.idle_requests,
        back.idle_p99_ms,
        back.idle_max_ms,
        back.reads,
        back.reads_p99_ms,
        back.reads_max_ms
    )
}
