//! The files beside the database: the side file, the ballast and the lock. All of them can be read by the terminal's user alone.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Head, OpenError};
use crate::{chain, durable, model::EntryId};

pub(super) const DB: &str = "journal.db";
pub(super) const WAL: &str = "journal.db-wal";
pub(super) const SHM: &str = "journal.db-shm";
pub(super) const SIDE: &str = "journal.head";
pub(super) const BALLAST: &str = "ballast";
const LOCK: &str = "lock";
const WRITE_TEST: &str = "write-test";

/// Read and written by the owner alone.
const OWNER_ONLY: u32 = 0o600;

/// The ballast is made when this many times its size is free, so that making it never causes the trouble it is for.
const BALLAST_ROOM: u64 = 4;

/// A program that is just ending, or a child it is just starting, holds the lock for a moment: so often is it tried again.
const LOCK_TRIES: u32 = 20;

/// Between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// A side file is one short line and its hash; a longer one is not ours.
const SIDE_BYTES_MAX: u64 = 4096;

/// Makes the folder and sees that it stays.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    if !dir.is_dir() {
        fs::create_dir_all(dir)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            durable::sync_folder(parent)?;
        }
    }
    Ok(())
}

/// Takes the database and its neighbours away from other users, where an earlier program left them open. SQLite gives the files that it
/// makes later the database's mode.
pub(super) fn make_private(dir: &Path) {
    for name in [DB, WAL, SHM, SIDE, BALLAST, LOCK] {
        if let Err(error) = durable::make_private(&dir.join(name)) {
            tracing::warn!(%error, name, dir = %dir.display(), "other users can read a file of the journal");
        }
    }
}

/// How a file of the journal is opened for writing; made if it is missing, for this user alone.
pub(super) fn owners_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(OWNER_ONLY);
    options
}

/// Takes the folder for this program.
pub(super) fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let failed = |source| OpenError::File { what: "take the lock", path: path.clone(), source };
    let open = owners_file().read(true).open(&path);
    let mut file = open.map_err(failed)?;
    let mut locked = file.try_lock();
    for _ in 0..LOCK_TRIES {
        if !matches!(locked, Err(TryLockError::WouldBlock)) {
            break;
        }
        thread::sleep(LOCK_PAUSE);
        locked = file.try_lock();
    }
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Only for the message: an unreadable pid leaves it empty.
            drop(file.read_to_string(&mut pid));
            return Err(OpenError::InUse { dir: dir.to_owned(), pid: pid.trim().to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // The pid is for people; a full disk must not keep the journal closed.
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        tracing::warn!(%error, path = %path.display(), "the lock file does not name this process");
    }
    Ok(file)
}

/// The high-water mark beside the database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Side {
    #[serde(flatten)]
    pub head: Head,
    /// Acknowledged through this entry: tells a salvage what was sent.
    pub cursor: u64,
    /// The id of the entry at `head.seq`.
    pub id: Option<EntryId>,
}

/// What lies where the side file should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum SideFile {
    Missing,
    Damaged,
    Read(Side),
}

impl SideFile {
    pub fn read(dir: &Path) -> io::Result<Self> {
        let file = match File::open(dir.join(SIDE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Missing),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        Ok(match file.take(SIDE_BYTES_MAX).read_to_end(&mut bytes) {
            Ok(_) => Self::parse(&bytes).map_or(Self::Damaged, Self::Read),
            Err(_) => Self::Damaged,
        })
    }

    pub fn side(&self) -> Option<&Side> {
        match self {
            Self::Read(side) => Some(side),
            Self::Missing | Self::Damaged => None,
        }
    }

    fn parse(bytes: &[u8]) -> Option<Side> {
        let (line, check) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
        if chain::sha256(line.as_bytes()).to_string() != check.trim_end() {
            return None;
        }
        serde_json::from_str(line).ok()
    }
}

impl Side {
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let line = serde_json::to_string(self)?;
        let check = chain::sha256(line.as_bytes());
        durable::replace(&dir.join(SIDE), format!("{line}\n{check}\n").as_bytes())
    }
}

/// Makes the ballast if it is missing and there is room; says whether it is there.
pub(super) fn make_ballast(dir: &Path, bytes: u64) -> io::Result<bool> {
    let path = dir.join(BALLAST);
    if fs::metadata(&path).is_ok_and(|meta| meta.len() >= bytes) {
        return Ok(true);
    }
    if free_bytes(dir)? < bytes.saturating_mul(BALLAST_ROOM) {
        return Ok(false);
    }
    let file = owners_file().open(&path)?;
    file.set_len(0)?;
    let filled = match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
        Ok(()) => file.sync_all(),
        // Not every file system can reserve; zeros it must store do the same.
        Err(rustix::io::Errno::OPNOTSUPP) => {
            io::copy(&mut io::repeat(0).take(bytes), &mut &file).and_then(|_| file.sync_all())
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = filled {
        drop_ballast(dir)?;
        return Err(error);
    }
    Ok(true)
}

/// Gives the ballast's room back; says whether there was any.
pub(super) fn drop_ballast(dir: &Path) -> io::Result<bool> {
    match fs::remove_file(dir.join(BALLAST)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Bytes a program may still write where the folder lies.
pub(super) fn free_bytes(dir: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether the file system refuses writes. A mount option tells; since Linux 6.15 an ext4 that stopped itself after an error does not
/// show it there and has to be tried.
pub(super) fn is_read_only(dir: &Path) -> bool {
    let mounted =
        rustix::fs::statvfs(dir).map(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    let tried = || {
        let path = dir.join(WRITE_TEST);
        let made = File::create(&path);
        // Left behind, it is found and removed the next time.
        drop(fs::remove_file(&path));
        made.is_err_and(|error| error.kind() == io::ErrorKind::ReadOnlyFilesystem)
    };
    mounted.unwrap_or(false) || tried()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChainId, Hash};

    #[test]
    fn a_side_file_reads_back_and_a_flipped_bit_is_seen() {
        let dir = tempfile::tempdir().expect("folder");
        assert_eq!(SideFile::read(dir.path()).expect("read"), SideFile::Missing);
        let head = Head { chain: ChainId([7; 16]), seq: 12, hash: Hash([9; 32]) };
        let side = Side { head, cursor: 3, id: None };
        side.write(dir.path()).expect("write");
        assert_eq!(SideFile::read(dir.path()).expect("read"), SideFile::Read(side));
        let path = dir.path().join(SIDE);
        let mut bytes = fs::read(&path).expect("read");
        bytes[60] ^= 1;
        fs::write(&path, bytes).expect("write");
        assert_eq!(SideFile::read(dir.path()).expect("read"), SideFile::Damaged);
        fs::write(&path, b"").expect("write");
        assert_eq!(SideFile::read(dir.path()).expect("read"), SideFile::Damaged);
    }

    #[test]
    fn ballast_takes_real_room_and_gives_it_back() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().expect("folder");
        assert!(make_ballast(dir.path(), 65_536).expect("make"));
        assert!(fs::metadata(dir.path().join(BALLAST)).expect("meta").blocks() * 512 >= 65_536);
        assert!(drop_ballast(dir.path()).expect("drop"));
        assert!(!drop_ballast(dir.path()).expect("drop"));
        assert!(!make_ballast(dir.path(), u64::MAX / 2).expect("no room"));
    }
}
