//! Failed starts: counted on the disk, so that a terminal whose power or program fails again and again at its start goes on with
//! the least it needs.
//!
//! A start counts as unsettled until it has run for [`SETTLED_AFTER`] or ended in order. After [`UNSETTLED_MAX`] of them in a row the next one is
//! in the safe profile: built-in sizes, no sound, no logo, no added font, no delivered configuration, nothing that staff chose. Whatever of these brought the
//! program down is out of its way, and it takes ratings. The profile ends with the first start that settles. The count is one small file
//! that is replaced; an hour of brown-outs adds nothing to it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level,
};

use crate::durable;

/// The file in the data folder.
const FILE: &str = "starts.json";

/// A program that runs so long has started.
pub const SETTLED_AFTER: Duration = Duration::from_mins(1);

/// So many failed starts, and the next one is in the safe profile.
pub const UNSETTLED_MAX: u32 = 5;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Starts {
    /// Since the folder was made.
    total: u64,
    /// In a row, the running one included.
    unsettled: u32,
}

/// How much a start tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// Everything that is configured.
    Usual,
    /// The least that takes ratings.
    Safe,
}

/// Watches one start.
#[derive(Debug)]
pub struct StartGuard {
    file: PathBuf,
    starts: Starts,
}

impl StartGuard {
    /// Counts this start. A disk that takes no count stops no start.
    pub fn begin(data: &Path) -> Self {
        let file = data.join(FILE);
        let before = read(&file);
        let starts = Starts { total: before.total + 1, unsettled: before.unsettled.saturating_add(1) };
        let guard = Self { file, starts };
        guard.write();
        if guard.profile() == Profile::Safe {
            tracing::error!(
                starts = before.unsettled,
                "the last starts failed; this one is in the safe profile: built-in sizes, no sound, no logo, no added font, no delivered configuration, nothing that staff chose"
            );
        }
        guard
    }

    /// How much this start tries.
    pub const fn profile(&self) -> Profile {
        if self.starts.unsettled > UNSETTLED_MAX { Profile::Safe } else { Profile::Usual }
    }

    /// Starts of the program since the data folder was made, this one included.
    pub const fn total(&self) -> u64 {
        self.starts.total
    }

    /// The start has come to something.
    pub fn settle(&mut self) {
        self.starts.unsettled = 0;
        self.write();
    }

    /// A signal to end is an end in order: whoever turns a terminal off has not seen it fail. The signal does then what it always does.
    ///
    /// # Errors
    /// The signals or a thread cannot be had.
    pub fn settle_at_signals(data: &Path) -> io::Result<()> {
        let file = data.join(FILE);
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        let wait = move || {
            for signal in signals.forever() {
                Self { starts: Starts { unsettled: 0, ..read(&file) }, file: file.clone() }.write();
                if let Err(error) = low_level::emulate_default_handler(signal) {
                    tracing::error!(%error, signal, "the signal did not end the program");
                }
            }
        };
        thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
    }

    /// Settles after a while on a thread of its own, or as soon as the program ends in order.
    pub fn watch(mut self, after: Duration) -> io::Result<Settling> {
        let (ends_in_order, end) = mpsc::channel();
        let wait = move || match end.recv_timeout(after) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => self.settle(),
            // The program failed before its time.
            Err(RecvTimeoutError::Disconnected) => {}
        };
        let thread = thread::Builder::new().name("start-guard".into()).spawn(wait)?;
        Ok(Settling { ends_in_order, thread })
    }

    fn write(&self) {
        let written = serde_json::to_vec(&self.starts)
            .map_err(io::Error::from)
            .and_then(|bytes| durable::replace(&self.file, &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.file.display(), "this start could not be counted");
        }
    }
}

/// A start that is being watched.
#[derive(Debug)]
pub struct Settling {
    ends_in_order: Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Settling {
    /// The program ends in order.
    pub fn end(self) {
        // It has settled already if nobody listens.
        let _ = self.ends_in_order.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread that watches the start panicked");
        }
    }
}

/// What the file says; one that cannot be read says nothing.
fn read(file: &Path) -> Starts {
    fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::survived;

    #[test]
    fn five_starts_that_come_to_nothing_are_followed_by_a_safe_one_until_one_settles() {
        let data = tempfile::tempdir().unwrap();
        for start in 1..=UNSETTLED_MAX {
            assert_eq!(StartGuard::begin(data.path()).profile(), Profile::Usual, "start {start}");
        }
        assert_eq!(StartGuard::begin(data.path()).profile(), Profile::Safe);
        let mut settles = StartGuard::begin(data.path());
        assert_eq!(settles.profile(), Profile::Safe, "the start before failed as well");
        settles.settle();
        let next = StartGuard::begin(data.path());
        assert_eq!((next.profile(), next.total()), (Profile::Usual, 8));
        survived!(7; UNSETTLED_MAX + 1, "starts that came to nothing");
    }

    #[test]
    fn an_hour_of_brown_outs_leaves_one_small_file() {
        let data = tempfile::tempdir().unwrap();
        let starts = 180;
        for _ in 0..starts {
            StartGuard::begin(data.path());
        }
        let files: Vec<_> = fs::read_dir(data.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 1);
        assert!(files[0].metadata().unwrap().len() < 100);
        survived!(7; starts, "starts");
    }

    #[test]
    fn a_start_settles_in_time_or_with_the_end_of_the_program_and_a_fall_is_no_end() {
        let data = tempfile::tempdir().unwrap();
        let unsettled = || read(&data.path().join(FILE)).unsettled;
        StartGuard::begin(data.path()).watch(SETTLED_AFTER).unwrap().end();
        assert_eq!(unsettled(), 0);
        let falls = StartGuard::begin(data.path()).watch(SETTLED_AFTER).unwrap();
        drop(falls.ends_in_order);
        falls.thread.join().unwrap();
        assert_eq!(unsettled(), 1);
        let runs = StartGuard::begin(data.path()).watch(Duration::ZERO).unwrap();
        runs.thread.join().unwrap();
        assert_eq!(unsettled(), 0);
    }

    /// Set in the process that is to be ended.
    const CHILD: &str = "XINSHENG_TEST_ENDED";

    #[test]
    fn a_start_that_is_ended_by_a_signal_has_not_failed() {
        if let Some(data) = std::env::var_os(CHILD) {
            StartGuard::settle_at_signals(Path::new(&data)).unwrap();
            StartGuard::begin(Path::new(&data));
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
            thread::park_timeout(Duration::from_secs(20));
            std::process::exit(0);
        }
        let data = tempfile::tempdir().unwrap();
        StartGuard::begin(data.path());
        let name = "start_guard::tests::a_start_that_is_ended_by_a_signal_has_not_failed";
        let ended = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, data.path())
            .output()
            .unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&ended.status);
        assert_eq!(signal, Some(SIGTERM), "the signal does what it always does: {ended:?}");
        assert_eq!(read(&data.path().join(FILE)), Starts { total: 2, unsettled: 0 });
    }

    #[test]
    fn a_damaged_count_and_a_folder_that_takes_nothing_stop_no_start() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(FILE), "{\"total\":").unwrap();
        assert_eq!(StartGuard::begin(data.path()).total(), 1);
        assert_eq!(StartGuard::begin(&data.path().join("missing")).profile(), Profile::Usual);
    }
}
