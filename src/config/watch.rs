//! Picks up changed files while a terminal or central runs. The caller keeps what is in force: a wrong file changes nothing.
//!
//! One thread owns the watcher. The system's notices and a timer as safety net (a notice may be missed on an overlay or network file
//! system) both lead to the same question: do the bytes differ from the ones looked at last? Notices come in bursts while an editor
//! saves, so the files are read once it has been quiet for [`QUIET`].

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use notify::{RecursiveMode, Watcher};

#[cfg(feature = "terminal")]
use super::load::{DELIVERED_FILE, KioskSetup};
use super::{
    finding::Findings,
    glyphs::Glyphs,
    load::{self, CentralSetup, Loaded},
};
#[cfg(feature = "terminal")]
use crate::fonts::Fonts;

/// How long no notice may come before the files are read: an editor writes, renames and touches within a few milliseconds, a copy over
/// the network within a few hundred.
const QUIET: Duration = Duration::from_millis(300);

/// Longest time a burst of notices can put the reading off.
const PATIENCE: Duration = Duration::from_secs(5);

/// Files are looked at this often without any notice.
const POLL: Duration = Duration::from_mins(1);

/// What became of changed files.
#[derive(Debug)]
pub enum Change<T = load::KioskSetup> {
    /// They are right: take them into force.
    New(Box<Loaded<T>>),
    /// They are wrong: stay with what is in force, show the findings to staff.
    Refused(Findings),
}

/// A running watch; dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    notices: Sender<Notice>,
    thread: Option<JoinHandle<()>>,
}

enum Notice {
    Changed,
    Stop,
}

impl Watch {
    /// Watches a kiosk.toml and the files it names. `seen_hash` is the [`Loaded::config_hash`] in force; `tell` runs on the watch's
    /// thread, once for each state of the files that differs from the one before. So does `screens`, which files that are right otherwise
    /// have to pass; what is in force did already.
    ///
    /// # Errors
    /// The thread could not be started. Without system notices the watch goes on with its timer.
    #[cfg(feature = "terminal")]
    pub fn spawn(
        path: PathBuf,
        seen_hash: String,
        fonts: Fonts,
        screens: impl Fn(&Loaded<KioskSetup>) -> Findings + Send + 'static,
        tell: impl FnMut(Change<KioskSetup>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let look =
            move |path: &Path| load::load_kiosk(path, &|path| std::fs::read(path), &Glyphs::new(&fonts));
        let judge = move |loaded: Loaded<KioskSetup>| load::pass(loaded, &screens);
        Self::run(path, seen_hash, look, judge, kiosk_files, tell)
    }

    /// Watches a central.toml and the touchpoints file it names, like [`Watch::spawn`].
    ///
    /// # Errors
    /// The thread could not be started. Without system notices the watch goes on with its timer.
    pub fn spawn_central(
        path: PathBuf,
        seen_hash: String,
        tell: impl FnMut(Change<CentralSetup>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let look = |path: &Path| load::load_central(path, &|path| std::fs::read(path), &Glyphs::default());
        let files = |loaded: &Loaded<CentralSetup>| vec![loaded.value.central.touchpoints_file.clone()];
        Self::run(path, seen_hash, look, Ok, files, tell)
    }

    /// `look` reads the files, `judge` says whether a state of them that is not in force may come into force, and `files` names those
    /// besides `path` whose folders are watched.
    fn run<T: 'static>(
        path: PathBuf,
        seen_hash: String,
        look: impl Fn(&Path) -> Result<Loaded<T>, Findings> + Send + 'static,
        judge: impl Fn(Loaded<T>) -> Result<Loaded<T>, Findings> + Send + 'static,
        files: impl Fn(&Loaded<T>) -> Vec<PathBuf> + Send + 'static,
        mut tell: impl FnMut(Change<T>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (notices, inbox) = mpsc::channel();
        let from_system = notices.clone();
        let thread = std::thread::Builder::new().name("config-watch".to_owned()).spawn(move || {
            let mut system = system_watcher(from_system);
            let mut watched = Vec::new();
            follow(&mut system, &mut watched, folders(&path, &[]));
            let mut seen = Seen { hash: Some(seen_hash), findings: None };
            let mut pace = Pace::new(now());
            // A change between the start and the watch has no notice.
            pace.notice(now());
            loop {
                match inbox.recv_timeout(pace.wait(now())) {
                    Ok(Notice::Changed) => pace.notice(now()),
                    Ok(Notice::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if !pace.due(now()) {
                    continue;
                }
                pace.looked(now());
                let loaded = look(&path);
                let named = loaded.as_ref().map_or_else(|_| Vec::new(), &files);
                follow(&mut system, &mut watched, folders(&path, &named));
                let judged =
                    loaded.and_then(|loaded| if seen.holds(&loaded) { Ok(loaded) } else { judge(loaded) });
                if let Some(change) = seen.change(judged) {
                    tell(change);
                }
            }
        })?;
        Ok(Self { notices, thread: Some(thread) })
    }

    /// Looks at the files soon, without waiting for a notice.
    pub fn look(&self) {
        // The thread ends only with the watch itself.
        let _ = self.notices.send(Notice::Changed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.notices.send(Notice::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watch over the configuration ended in a panic");
        }
    }
}

/// What was told last: the same state is not told twice.
struct Seen {
    hash: Option<String>,
    findings: Option<Findings>,
}

impl Seen {
    /// Whether this is what is in force.
    fn holds<T>(&self, loaded: &Loaded<T>) -> bool {
        self.hash.as_ref() == Some(&loaded.config_hash)
    }

    fn change<T>(&mut self, loaded: Result<Loaded<T>, Findings>) -> Option<Change<T>> {
        match loaded {
            Ok(loaded) => {
                let same = self.holds(&loaded) && self.findings.is_none();
                self.hash = Some(loaded.config_hash.clone());
                self.findings = None;
                (!same).then(|| Change::New(Box::new(loaded)))
            }
            Err(findings) => {
                let same = self.findings.as_ref() == Some(&findings);
                self.findings = Some(findings.clone());
                (!same).then_some(Change::Refused(findings))
            }
        }
    }
}

/// When to look: `QUIET` after the last notice of a burst, at most `PATIENCE` after its first, and every `POLL` anyway.
struct Pace {
    looked: Instant,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { looked: now, first: None, last: None }
    }

    fn notice(&mut self, now: Instant) {
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    fn looked(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    fn next(&self) -> Instant {
        let poll = self.looked + POLL;
        let burst = self.first.zip(self.last).map(|(first, last)| (last + QUIET).min(first + PATIENCE));
        burst.map_or(poll, |burst| burst.min(poll))
    }

    fn due(&self, now: Instant) -> bool {
        now >= self.next()
    }

    fn wait(&self, now: Instant) -> Duration {
        self.next().saturating_duration_since(now)
    }
}

fn system_watcher(notices: Sender<Notice>) -> Option<notify::RecommendedWatcher> {
    let tell = move |event: notify::Result<notify::Event>| {
        // Reading is no change; telling of it would make every look cause the next one.
        if event.as_ref().map_or(true, |event| !event.kind.is_access()) {
            let _ = notices.send(Notice::Changed);
        }
    };
    notify::recommended_watcher(tell)
        .inspect_err(
            |error| tracing::warn!(%error, "no notices of changed files; they are looked at every minute"),
        )
        .ok()
}

/// Folders are watched, not files: editors replace a file by another one.
fn folders(path: &Path, files: &[PathBuf]) -> Vec<PathBuf> {
    let named = |path: &Path| match load::folder_of(path) {
        empty if empty.as_os_str().is_empty() => PathBuf::from("."),
        folder => folder.to_owned(),
    };
    let mut folders: Vec<PathBuf> =
        std::iter::once(named(path)).chain(files.iter().map(|file| named(file))).collect();
    folders.sort();
    folders.dedup();
    folders
}

#[cfg(feature = "terminal")]
fn kiosk_files(loaded: &Loaded<KioskSetup>) -> Vec<PathBuf> {
    let kiosk = &loaded.value.kiosk;
    vec![kiosk.touchpoints_file.clone(), kiosk.storage_dir.join(DELIVERED_FILE)]
}

fn follow(
    system: &mut Option<notify::RecommendedWatcher>,
    watched: &mut Vec<PathBuf>,
    folders: Vec<PathBuf>,
) {
    let Some(system) = system else { return };
    for folder in folders {
        if !watched.contains(&folder) && system.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
            watched.push(folder);
        }
    }
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "the watch is a shell; its decisions take the time as an argument"
    )]
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_read_once_it_is_quiet_and_never_put_off_for_ever() {
        let start = now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start);
        assert!(!pace.due(at(59_999)) && pace.due(at(60_000)));
        pace.notice(at(1_000));
        pace.notice(at(1_200));
        assert!(!pace.due(at(1_499)) && pace.due(at(1_500)));
        assert_eq!(pace.wait(at(1_300)), Duration::from_millis(200));
        for ms in (1_200..6_500).step_by(100) {
            pace.notice(at(ms));
        }
        assert!(!pace.due(at(5_999)) && pace.due(at(6_000)));
        pace.looked(at(6_000));
        assert!(!pace.due(at(6_100)));
    }
}
