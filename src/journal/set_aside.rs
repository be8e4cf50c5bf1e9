//! Moving a database that cannot be trusted out of the way, so that a cut at any point loses no file and mixes none.
//!
//! A database and its log belong together, but two files cannot be renamed at once. So a marker file says what is being done: while it says
//! "moving", the next start goes on moving; once it says "moved", nothing is moved any more and the new database is made. The marker goes
//! when the new database and its side file are on the disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Why,
    files::{self, DB, SHM, SIDE, WAL},
};
use crate::durable;

const MARKER: &str = "setting-aside";

/// More damaged databases than this beside each other would mean that the card is broken; the last folder name is used again then.
const FOLDERS_MAX: u32 = 10_000;

/// A database is being set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    /// Number of the folder.
    pub number: u32,
    /// What was wrong.
    pub why: Why,
    moved: bool,
}

impl Marker {
    /// What an earlier start left unfinished.
    pub fn pending(dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(dir.join(MARKER)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says what is about to be done.
    pub fn begin(dir: &Path, why: Why) -> io::Result<Self> {
        let free = |number: &u32| !folder(dir, *number).exists();
        let number = (1..FOLDERS_MAX).find(free).unwrap_or(FOLDERS_MAX);
        let marker = Self { number, why, moved: false };
        marker.write(dir)?;
        Ok(marker)
    }

    /// Moves the files; does nothing if that was done.
    pub(crate) fn move_files(&mut self, dir: &Path) -> io::Result<()> {
        if self.moved {
            return Ok(());
        }
        let to = self.folder(dir);
        files::make_dir(&to)?;
        for name in [DB, WAL, SHM, SIDE] {
            let (source, target) = (dir.join(name), to.join(name));
            if source.exists() && !target.exists() {
                fs::rename(source, target)?;
            }
        }
        durable::sync_folder(&to)?;
        durable::sync_folder(dir)?;
        self.moved = true;
        self.write(dir)
    }

    /// Moves away a database that an earlier start began to make in place of the moved one.
    pub(crate) fn move_partial(&self, dir: &Path) -> io::Result<()> {
        let to = self.folder(dir);
        for name in [DB, WAL, SHM] {
            let source = dir.join(name);
            if source.exists() {
                fs::rename(source, to.join(format!("partial-{name}")))?;
            }
        }
        durable::sync_folder(dir)
    }

    /// The new database stands.
    pub fn finish(dir: &Path) -> io::Result<()> {
        match fs::remove_file(dir.join(MARKER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => durable::sync_folder(dir),
        }
    }

    /// Where the files go.
    pub fn folder(&self, dir: &Path) -> PathBuf {
        folder(dir, self.number)
    }

    fn write(&self, dir: &Path) -> io::Result<()> {
        durable::replace(&dir.join(MARKER), serde_json::to_string(self)?.as_bytes())
    }
}

fn folder(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("corrupt-{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_goes_on_where_a_cut_stopped_it() {
        let tmp = tempfile::tempdir().expect("folder");
        let dir = tmp.path();
        for name in [DB, WAL, SIDE] {
            fs::write(dir.join(name), name).expect("write");
        }
        let marker = Marker::begin(dir, Why::NotADatabase).expect("begin");
        // The cut comes after the database was moved and before its log was.
        fs::create_dir(marker.folder(dir)).expect("mkdir");
        fs::rename(dir.join(DB), marker.folder(dir).join(DB)).expect("rename");
        let mut again = Marker::pending(dir).expect("read").expect("marker");
        assert_eq!(again, marker);
        again.move_files(dir).expect("move");
        for name in [DB, WAL, SIDE] {
            assert_eq!(fs::read_to_string(again.folder(dir).join(name)).expect("read"), name);
        }
        // What is made afterwards stays where it is.
        fs::write(dir.join(DB), "new").expect("write");
        Marker::pending(dir).expect("read").expect("marker").move_files(dir).expect("nothing");
        assert_eq!(fs::read_to_string(dir.join(DB)).expect("read"), "new");
        Marker::finish(dir).expect("finish");
        assert_eq!(Marker::pending(dir).expect("read"), None);
        assert_eq!(Marker::begin(dir, Why::Missing).expect("begin").number, 2);
    }
}
