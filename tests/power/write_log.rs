//! Every write to a disk, in order, and the disk as it was after each flush: a power cut at each of these points and at no other.
//!
//! `qemu-storage-daemon` writes the log below a loop device, in the format of Linux's dm-log-writes.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::support::{fast_dir, run, text};

/// The first number of a log.
const MAGIC: u64 = 0x006a_7366_7773_6872;

/// The sector of the log, in bytes.
const SECTOR: u64 = 512;

const IS_FLUSH: u64 = 1;
const IS_DISCARD: u64 = 4;

/// How often it is looked whether the daemon has begun or ended, and between two looks.
const LOOKS: u32 = 500;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Whether this machine has what it takes. Elsewhere the test is skipped and says so, but never in CI.
pub fn may_log() -> bool {
    let daemon = Command::new("qemu-storage-daemon").arg("--version").output().is_ok();
    let fuse = Path::new("/dev/fuse").exists();
    let missing = format!("qemu-storage-daemon: {daemon}, /dev/fuse: {fuse}");
    assert!(
        daemon && fuse || std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "CI must run this: {missing}"
    );
    if !(daemon && fuse) {
        eprintln!("skipped, it needs a log of writes ({missing})");
    }
    daemon && fuse
}

/// A mounted file system whose writes are logged.
pub struct LoggedDisk {
    folder: TempDir,
    daemon: Child,
}

impl LoggedDisk {
    /// Makes and mounts one of some mebibytes.
    pub fn new(mebibytes: u64) -> Self {
        let folder = fast_dir();
        let at = |name: &str| folder.path().join(name);
        for name in ["image", "device"] {
            File::create(at(name)).expect("a file").set_len(mebibytes * 1024 * 1024).expect("size");
        }
        // A discard would be a hole in the log.
        run("mkfs.ext4", &["-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=0", text(&at("image"))]);
        fs::copy(at("image"), at("base")).expect("copy");
        File::create(at("log")).expect("log").set_len(SECTOR).expect("size");
        fs::create_dir(at("mnt")).expect("mkdir");
        let file =
            |node: &str, name: &str| format!("driver=file,node-name={node},filename={}", text(&at(name)));
        let daemon = Command::new("qemu-storage-daemon")
            .args(["--blockdev", &file("image", "image"), "--blockdev", &file("log", "log")])
            .args([
                "--blockdev",
                "driver=blklogwrites,node-name=logged,file=image,log=log,log-sector-size=512",
            ])
            .args([
                "--export",
                &format!("type=fuse,id=e,node-name=logged,mountpoint={},writable=on", text(&at("device"))),
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("the daemon starts");
        let disk = Self { folder, daemon };
        let device = disk.at("device");
        disk.look_for("the daemon's device", || mounts().contains(text(&device)));
        run("mount", &["-o", "loop", text(&device), text(&disk.dir())]);
        disk
    }

    /// Where it is mounted.
    pub fn dir(&self) -> PathBuf {
        self.at("mnt")
    }

    /// How long the log is: what was written and flushed before now lies in front of this.
    pub fn position(&self) -> u64 {
        fs::metadata(self.at("log")).expect("log").len()
    }

    /// Ends the writing, and calls `look` with every state of the disk after a flush, mounted, and the place of that flush in the log.
    pub fn after_each_flush(mut self, mut look: impl FnMut(&Path, u64)) -> u32 {
        run("umount", &[text(&self.dir())]);
        self.stop();
        let mut log = File::open(self.at("log")).expect("log");
        let mut image = OpenOptions::new().write(true).open(self.at("base")).expect("base");
        let header = sector(&mut log).expect("a log has a header");
        assert_eq!(number(&header, 0), MAGIC, "not a log of writes");
        let entries = number(&header, 16);
        let mut flushes = 0;
        for _ in 0..entries {
            let entry = sector(&mut log).expect("an entry");
            let (at, count, flags) = (number(&entry, 0), number(&entry, 8), number(&entry, 16));
            if flags & IS_DISCARD == 0 {
                let mut data = vec![0; usize::try_from(count * SECTOR).expect("small")];
                log.read_exact(&mut data).expect("the data of an entry");
                image.seek(SeekFrom::Start(at * SECTOR)).expect("seek");
                image.write_all(&data).expect("write");
            }
            if flags & IS_FLUSH != 0 {
                flushes += 1;
                let here = log.stream_position().expect("position");
                fs::copy(self.at("base"), self.at("cut")).expect("copy");
                run("mount", &["-o", "loop", text(&self.at("cut")), text(&self.dir())]);
                look(&self.dir(), here);
                self.look_for("an end of the mount", || {
                    Command::new("umount").arg(self.dir()).output().expect("umount").status.success()
                });
            }
        }
        flushes
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn look_for(&self, what: &str, is_there: impl Fn() -> bool) {
        for _ in 0..LOOKS {
            if is_there() {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
        panic!("there is not {what} under {}", self.folder.path().display());
    }

    fn stop(&mut self) {
        // On SIGTERM it writes the log's header; on SIGKILL it does not.
        let id = rustix::process::Pid::from_child(&self.daemon);
        if rustix::process::kill_process(id, rustix::process::Signal::TERM).is_ok() {
            drop(self.daemon.wait());
        }
    }
}

impl Drop for LoggedDisk {
    fn drop(&mut self) {
        for name in ["mnt", "device"] {
            if mounts().contains(text(&self.at(name))) {
                drop(Command::new("umount").arg("-l").arg(self.at(name)).output());
            }
        }
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

fn mounts() -> String {
    fs::read_to_string("/proc/mounts").expect("mounts")
}

fn sector(log: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(SECTOR).expect("small")];
    log.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A little-endian number of eight bytes.
fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
