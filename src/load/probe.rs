//! What the kernel tells of central's process: memory, processor time, calls that wait for the disk.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Between two looks at the memory of central.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The thread of central that writes to the database.
const WRITER: &str = "central-writer";

/// Processor time of a process so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cpu {
    /// All threads.
    pub(super) total: Duration,
    /// The writing thread.
    pub(super) writer: Duration,
}

impl Cpu {
    pub(super) fn of(pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name before it may hold blanks; user and system time are the twelfth and thirteenth fields after it.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        let total = Duration::from_millis(ticks * 1_000 / per_second);
        Self { total, writer: writer_time(pid).unwrap_or_default() }
    }

    pub(super) fn since(self, before: Self) -> Self {
        Self {
            total: self.total.saturating_sub(before.total),
            writer: self.writer.saturating_sub(before.writer),
        }
    }
}

fn writer_time(pid: u32) -> Option<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let folders = tasks.filter_map(Result::ok).map(|entry| entry.path());
    let is_writer =
        |folder: &PathBuf| fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.trim() == WRITER);
    let folder = folders.into_iter().find(is_writer)?;
    let told = fs::read_to_string(folder.join("schedstat")).ok()?;
    Some(Duration::from_nanos(told.split(' ').next()?.parse().ok()?))
}

/// The most memory a process had while it was looked at.
pub(super) struct Memory {
    stop: Arc<AtomicBool>,
    peaks: Arc<[AtomicU64; 2]>,
    thread: Option<JoinHandle<()>>,
}

impl Memory {
    pub(super) fn watch(pid: u32) -> std::io::Result<Self> {
        let (stop, peaks) =
            (Arc::new(AtomicBool::new(false)), Arc::new([AtomicU64::new(0), AtomicU64::new(0)]));
        let (until, noted) = (Arc::clone(&stop), Arc::clone(&peaks));
        let thread = thread::Builder::new().name("load-memory".to_owned()).spawn(move || {
            while !until.load(Ordering::Acquire) {
                let told = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
                for (peak, name) in noted.iter().zip(["Rss:", "Pss:"]) {
                    peak.fetch_max(kib(&told, name), Ordering::Relaxed);
                }
                thread::sleep(LOOK_EVERY);
            }
        })?;
        Ok(Self { stop, peaks, thread: Some(thread) })
    }

    /// Resident and proportional memory at their highest, in KiB.
    pub(super) fn peaks(&self) -> (u64, u64) {
        let [rss, pss] = &*self.peaks;
        (rss.load(Ordering::Relaxed), pss.load(Ordering::Relaxed))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It only counts.
            let _ = thread.join();
        }
    }
}

fn kib(told: &str, name: &str) -> u64 {
    let line = told.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
