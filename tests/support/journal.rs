//! What the journal's suites share: moments, drafts, folders and disks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails, and says what it met"
)]
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use uuid::Uuid;
use xinsheng::{
    journal::{Journal, OpenArgs, OpenReport},
    model::{BootId, ChainId, EntryId, Moment, TimeQuality},
    wire::{Body, Draft, SelfTest},
};

/// A moment some milliseconds after the start of the tests' world.
pub fn moment(ms: u64) -> Moment {
    let start = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_778);
    let wall = start + TimeDelta::milliseconds(i64::try_from(ms).expect("small"));
    Moment { wall, boot: BootId(Uuid::nil()), up_ms: ms, quality: TimeQuality::Synced }
}

/// The n-th chain of a test.
pub fn chain(n: u8) -> ChainId {
    ChainId([n; 16])
}

/// The id of the n-th draft of a test.
pub fn id(n: u64) -> EntryId {
    EntryId::from_parts(n, [7; 10])
}

/// The n-th draft of a test.
pub fn draft(n: u64, at: Moment) -> Draft {
    sized_draft(n, at, 300)
}

/// A draft with a text of this many bytes in it.
pub fn sized_draft(n: u64, at: Moment, bytes: usize) -> Draft {
    let touchpoint = "registration".parse().expect("an id");
    let target = format!("{n}-{}", "x".repeat(bytes));
    Draft { id: id(n), at, body: Body::SelfTest(SelfTest { touchpoint, target, of: None }) }
}

/// Drafts with these numbers.
pub fn drafts(numbers: std::ops::Range<u64>) -> Vec<Draft> {
    numbers.map(|n| draft(n, moment(n))).collect()
}

/// A folder in memory where there is one: a model test syncs a hundred thousand times.
pub fn fast_dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// Opens a journal that has to open.
pub fn open(dir: &Path, new: u8) -> (Journal, OpenReport) {
    Journal::open(dir, small(new)).expect("the journal opens")
}

/// Arguments with a small ballast.
pub fn small(new: u8) -> OpenArgs {
    OpenArgs { ballast_bytes: 4096, ..OpenArgs::new(chain(new), moment(0)) }
}

/// Copies a folder as a power cut leaves it: the bytes written so far, and no lock held.
pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("mkdir");
    for entry in fs::read_dir(from).expect("read") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copy");
        }
    }
}

/// Entry ids of what a journal would still send, oldest first.
pub fn waiting(journal: &mut Journal) -> Vec<EntryId> {
    let mut ids = Vec::new();
    while let Some(batch) = journal.batch(xinsheng::journal::BatchLimits::default()).expect("a batch") {
        for line in &batch.lines {
            ids.extend(entry_id(line));
        }
        journal.acknowledge(batch.last_seq(), batch.head_hash, &moment(0)).expect("acknowledge");
    }
    ids
}

/// The id in a line; `None` for a withheld one.
pub fn entry_id(line: &[u8]) -> Option<EntryId> {
    let value: serde_json::Value = serde_json::from_slice(line).expect("json");
    value.get("id").and_then(|id| id.as_str()).map(|id| id.parse().expect("an id"))
}

/// Whether this machine lets the test mount a file system. Elsewhere it is skipped, but never in CI.
pub fn may_mount() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    let loops = Path::new("/dev/loop-control").exists();
    let tools =
        ["mkfs.ext4", "mount", "umount"].iter().all(|tool| Command::new(tool).arg("-V").output().is_ok());
    if root && loops && tools {
        return true;
    }
    let missing = format!("root: {root}, loop devices: {loops}, mkfs.ext4 and mount: {tools}");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI must run this: {missing}");
    eprintln!("skipped, it needs to mount a file system ({missing})");
    false
}

/// How often unmounting is tried.
const UNMOUNT_TRIES: u32 = 100;

/// An ext4 file system in a file.
pub struct Disk {
    folder: TempDir,
    mounted: bool,
}

impl Disk {
    /// Makes and mounts one of some mebibytes.
    pub fn new(mebibytes: u64) -> Self {
        let disk = Self { folder: fast_dir(), mounted: false };
        fs::create_dir(disk.dir()).expect("mkdir");
        let image = fs::File::create(disk.image()).expect("image");
        image.set_len(mebibytes * 1024 * 1024).expect("size");
        let image = disk.image();
        run("mkfs.ext4", &["-q", "-F", "-m", "0", "-E", "nodiscard", text(&image)]);
        let mut disk = disk;
        disk.mount();
        disk
    }

    /// Where it is mounted.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("mnt")
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    pub fn mount(&mut self) {
        run("mount", &["-o", "loop,errors=remount-ro", text(&self.image()), text(&self.dir())]);
        self.mounted = true;
    }

    pub fn unmount(&mut self) {
        // A child that another test is just starting holds our files until it has become its program.
        for _ in 0..UNMOUNT_TRIES {
            if Command::new("umount").arg(self.dir()).output().expect("umount").status.success() {
                self.mounted = false;
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        run("umount", &[text(&self.dir())]);
        self.mounted = false;
    }

    /// The loop device, as the kernel names it.
    pub fn device(&self) -> String {
        let mounts = fs::read_to_string("/proc/mounts").expect("mounts");
        let dir = self.dir();
        let line = mounts.lines().find(|line| line.split(' ').nth(1) == Some(text(&dir))).expect("mounted");
        line.split(' ').next().expect("device").trim_start_matches("/dev/").to_owned()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            drop(Command::new("umount").arg("-l").arg(self.dir()).output());
        }
    }
}

/// A path as an argument of a program.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in ASCII")
}

/// Runs a program that has to succeed.
pub fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().expect(program);
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
