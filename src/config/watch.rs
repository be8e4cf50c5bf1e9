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
use super::load::{DELIVERED_FILE, KioskAt};
use super::{
    check::Findings,
    hospital::Glyphs,
    load::{self, CentralSetup, KioskSetup, Loaded},
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
pub enum Change<T = KioskSetup> {
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
    /// Watches a kiosk.toml and the files it names. `seen` is what is in force; `tell` runs on the watch's
    /// thread, once for each state of the files that differs from the one before. So does `screens`, which files that are right otherwise
    /// have to pass; what is in force did already.
    ///
    /// # Errors
    /// The thread could not be started. Without system notices the watch goes on with its timer.
    #[cfg(feature = "terminal")]
    pub fn spawn(
        path: PathBuf,
        data_dir: PathBuf,
        seen: &Loaded<KioskSetup>,
        fonts: Fonts,
        screens: impl Fn(&Loaded<KioskSetup>) -> Findings + Send + 'static,
        tell: impl FnMut(Change) + Send + 'static,
    ) -> std::io::Result<Self> {
        let elsewhere = data_dir.clone();
        let look = Look {
            load: move |path: &Path| {
                let at = KioskAt { file: path, data_dir: Some(&data_dir) };
                load::load_kiosk(at, &|path| crate::durable::read_file(path), &Glyphs::new(&fonts))
            },
            judge: move |loaded: Loaded<KioskSetup>| load::pass(loaded, &screens),
            files: kiosk_files,
            without_parts: move |path: &Path| {
                let at = KioskAt { file: path, data_dir: Some(&elsewhere) };
                let without = load::load_kiosk_without_parts(at, &|path| crate::durable::read_file(path));
                without.ok().map(|loaded| loaded.config_hash)
            },
        };
        Self::run(path, seen, look, tell)
    }

    /// Watches a central.toml and the touchpoints file it names, like the watch of a terminal.
    ///
    /// # Errors
    /// The thread could not be started. Without system notices the watch goes on with its timer.
    pub fn spawn_central(
        path: PathBuf,
        seen: &Loaded<CentralSetup>,
        tell: impl FnMut(Change<CentralSetup>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let look = Look {
            load: |path: &Path| {
                load::load_central(path, &|path| crate::durable::read_file(path), &Glyphs::default())
            },
            judge: Ok,
            files: |loaded: &Loaded<CentralSetup>| vec![loaded.value.central.touchpoints_file.clone()],
            without_parts: |_: &Path| None,
        };
        Self::run(path, seen, look, tell)
    }

    fn run<T: 'static>(
        path: PathBuf,
        seen: &Loaded<T>,
        look: Look<
            impl Fn(&Path) -> Result<Loaded<T>, Findings> + Send + 'static,
            impl Fn(Loaded<T>) -> Result<Loaded<T>, Findings> + Send + 'static,
            impl Fn(&Loaded<T>) -> Vec<PathBuf> + Send + 'static,
            impl Fn(&Path) -> Option<String> + Send + 'static,
        >,
        mut tell: impl FnMut(Change<T>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (notices, inbox) = mpsc::channel();
        let from_system = notices.clone();
        let seen_hash = hash_of(seen);
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
                let loaded = (look.load)(&path);
                let named = loaded.as_ref().map_or_else(|_| Vec::new(), &look.files);
                follow(&mut system, &mut watched, folders(&path, &named));
                if let Err(findings) = &loaded
                    && seen.lacks_only_parts((look.without_parts)(&path).as_ref())
                {
                    seen.warn(findings);
                    continue;
                }
                let judge =
                    |loaded: Loaded<T>| if seen.holds(&loaded) { Ok(loaded) } else { (look.judge)(loaded) };
                let judged = loaded.and_then(judge);
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

/// How the files of one kind of program are looked at.
struct Look<Load, Judge, Files, WithoutParts> {
    /// Reads them.
    load: Load,
    /// Whether a state of them that is not in force may come into force.
    judge: Judge,
    /// Which files they name; their folders are watched too.
    files: Files,
    /// The hash of the files if they are right but for something that they name and that can be done without.
    without_parts: WithoutParts,
}

/// Tells one state of the files and their parts from another.
fn hash_of<T>(loaded: &Loaded<T>) -> (String, String) {
    (loaded.config_hash.clone(), loaded.parts_hash.clone())
}

/// What was told last: the same state is not told twice.
struct Seen {
    hash: Option<(String, String)>,
    findings: Option<Findings>,
}

impl Seen {
    /// Whether this is what is in force.
    fn holds<T>(&self, loaded: &Loaded<T>) -> bool {
        self.hash.as_ref() == Some(&hash_of(loaded))
    }

    /// Whether the files are what is in force, and only something that they name is lost. What is in force goes on with it.
    fn lacks_only_parts(&self, without_parts: Option<&String>) -> bool {
        self.hash.as_ref().is_some_and(|(files, _)| Some(files) == without_parts)
    }

    /// Says what is lost, once.
    fn warn(&mut self, findings: &Findings) {
        if self.findings.as_ref() != Some(findings) {
            tracing::warn!("something that the configuration names is lost; it stays in force:\n{findings}");
            self.findings = Some(findings.clone());
        }
    }

    fn change<T>(&mut self, loaded: Result<Loaded<T>, Findings>) -> Option<Change<T>> {
        match loaded {
            Ok(loaded) => {
                let same = self.holds(&loaded) && self.findings.is_none();
                self.hash = Some(hash_of(&loaded));
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
    let mut files = vec![kiosk.touchpoints_file.clone(), kiosk.storage_dir.join(DELIVERED_FILE)];
    files.extend(kiosk.look.logo.iter().chain(&kiosk.central_ca_file).cloned());
    files
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
