//! Files that are there whole or not at all, whatever moment the power goes.
//!
//! A new content is written under another name, synced, given its name, and the folder is synced: four steps in this order, and each of
//! them can be made to fail by a test. Invariants:
//! - after a cut or an error at any step the name has its old content or the whole new one;
//! - what is written here can be read by its owner alone, whatever the umask is;
//! - nothing is written through a symbolic link: unfinished files are created with `O_EXCL` and `O_NOFOLLOW` in a folder held open;
//! - [`Folder::finish`] never replaces a file, [`replace`] replaces one.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, RenameFlags},
    io::Errno,
};

/// Read and written by the owner alone.
const OWNER_ONLY: Mode = Mode::RUSR.union(Mode::WUSR);

/// What group and others may not do.
const OTHERS: Mode = Mode::RWXG.union(Mode::RWXO);

/// Ends the name of a file that is not whole yet.
const UNFINISHED: &str = ".new";

/// Files that this program makes from now on, by whatever library, can be read by its owner alone. Called once, before any thread starts.
pub fn keep_files_private() {
    rustix::process::umask(OTHERS);
}

/// Takes a file away from group and others; one that is missing is nobody's. For files that an earlier program left open.
pub fn make_private(path: &Path) -> io::Result<()> {
    let file =
        match rustix::fs::open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
    if mode.intersects(OTHERS) {
        rustix::fs::fchmod(&file, mode.difference(OTHERS))?;
    }
    Ok(())
}

/// Makes a folder for data, and those above it.
///
/// # Errors
/// As `create_dir_all`; a file of this name is said to be one.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|there| !there.is_dir()) {
        let what = "a file has this name: name another folder with --data, or move the file away";
        return Err(io::Error::new(io::ErrorKind::NotADirectory, what));
    }
    std::fs::create_dir_all(path)
}

/// Largest file that is read as a whole: the largest fonts have half of it.
const READ_BYTES_MAX: u64 = 64 << 20;

/// The bytes of an ordinary file that somebody named. A pipe would never end, a device never be full, and either would stop the program.
///
/// # Errors
/// It cannot be read, is no ordinary file, or has more than 64 MB.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let ordinary = |metadata: &std::fs::Metadata| {
        if metadata.is_file() {
            return Ok(());
        }
        let kind = if metadata.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
        let what = if metadata.is_dir() { "it is a folder" } else { "it is a pipe or a device, and no file" };
        Err(io::Error::new(kind, what))
    };
    // Opening alone can have an effect on a device, so it is looked at first; and again, since another may have come in its place.
    ordinary(&std::fs::metadata(path)?)?;
    let file = File::from(rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )?);
    ordinary(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > READ_BYTES_MAX {
        let what = format!("it has more than {} MB", READ_BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// A step of writing a file, named for tests that make it fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The unfinished file is made and filled.
    Write,
    /// Its content is synced.
    SyncFile,
    /// It gets its name.
    Rename,
    /// The folder, which holds the names, is synced.
    SyncFolder,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Write, Self::SyncFile, Self::Rename, Self::SyncFolder];
}

/// Replaces a file, or makes it: afterwards it holds these bytes, and after a power cut at any moment its old content or the new.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, &mut |_| Ok(()))
}

/// The same with a probe that is called before each step and can make it fail.
#[doc(hidden)]
pub(crate) fn replace_with(
    path: &Path,
    bytes: &[u8],
    before: &mut dyn FnMut(Step) -> io::Result<()>,
) -> io::Result<()> {
    let (folder, name) = place_of(path)?;
    let write = |file: &mut File| file.write_all(bytes);
    folder.put(name, write, before, |folder, unfinished| {
        Ok(rustix::fs::renameat(&folder.0, unfinished, &folder.0, name)?)
    })
}

/// Makes a file that must not be there yet; else the error is of kind `AlreadyExists` and the file is as it was.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, name) = place_of(path)?;
    folder.finish(name, |file| file.write_all(bytes))
}

/// Makes the names in a folder durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    Folder::open(path)?.sync()
}

/// The folder of a path, opened, and the name in it.
fn place_of(path: &Path) -> io::Result<(Folder, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((Folder::open(folder)?, name))
}

/// A folder that is held open: what is written into it stays in it, even if its path comes to mean something else.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder of the terminal's own. It may be reached through a link that an administrator made.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlags::empty())
    }

    /// Opens somebody else's folder, such as a stick's: a symbolic link in its place is refused.
    pub fn open_foreign(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlags::NOFOLLOW)
    }

    fn open_with(path: &Path, flags: OFlags) -> io::Result<Self> {
        let flags = flags | OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Whether anything has this name: a file, a folder, or a link that leads nowhere.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the names in it durable.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }

    /// Writes a file that gets its name only when it is whole and synced, and never in place of another. A failed one leaves nothing.
    pub fn finish<E: From<io::Error>>(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> Result<(), E>,
    ) -> Result<(), E> {
        self.put(name, write, &mut |_| Ok(()), |folder, unfinished| folder.name_new(unfinished, name))
    }

    fn put<E: From<io::Error>>(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> Result<(), E>,
        before: &mut dyn FnMut(Step) -> io::Result<()>,
        rename: impl FnOnce(&Self, &str) -> io::Result<()>,
    ) -> Result<(), E> {
        let unfinished = format!("{name}{UNFINISHED}");
        let put = self.write_unfinished(&unfinished, write, before).and_then(|()| {
            before(Step::Rename)?;
            Ok(rename(self, &unfinished)?)
        });
        if put.is_err() {
            // What went wrong is told by the first error; a file left behind is removed by the next try.
            drop(self.remove(&unfinished));
            return put;
        }
        before(Step::SyncFolder)?;
        Ok(self.sync()?)
    }

    fn write_unfinished<E: From<io::Error>>(
        &self,
        unfinished: &str,
        write: impl FnOnce(&mut File) -> Result<(), E>,
        before: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> Result<(), E> {
        before(Step::Write)?;
        // One left over from a power cut may have another mode, or be a link.
        self.remove(unfinished)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, unfinished, flags, OWNER_ONLY).map_err(io::Error::from)?;
        let mut file = File::from(file);
        write(&mut file)?;
        before(Step::SyncFile)?;
        Ok(file.sync_all()?)
    }

    /// Gives a finished file its name unless something has it.
    fn name_new(&self, unfinished: &str, name: &str) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.0, unfinished, &self.0, name, RenameFlags::NOREPLACE) {
            // This file system does not know that kind of renaming; a link never replaces a file either.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(&self.0, unfinished, &self.0, name, AtFlags::empty())?;
                self.remove(unfinished)
            }
            renamed => Ok(renamed?),
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;
    use crate::faults::survived;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn only_ordinary_files_are_read_and_nothing_waits_for_a_pipe_or_a_device_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), b"words").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(read_file(&at("file")).unwrap(), b"words");
        assert!(make_folder(&at("file")).unwrap_err().to_string().contains("--data"));
        make_folder(&at("new/folder")).unwrap();
        make_folder(&at("new/folder")).unwrap();
        assert_eq!(read_file(&at("link")).unwrap(), b"words");
        for name in ["pipe", "loop", "missing", "."] {
            assert!(read_file(&at(name)).is_err(), "{name}");
        }
        assert!(read_file(Path::new("/dev/zero")).unwrap_err().to_string().contains("a device"));
        fs::File::create(at("sparse")).unwrap().set_len(READ_BYTES_MAX + 1).unwrap();
        assert!(read_file(&at("sparse")).unwrap_err().to_string().contains("more than 64 MB"));
    }

    #[test]
    fn a_fault_at_any_step_leaves_the_old_file_or_the_whole_new_one() {
        for (failing, left) in Step::ALL.into_iter().zip(["old", "old", "old", "new"]) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            replace(&path, b"old").unwrap();
            let mut done = vec![];
            let mut probe = |step| {
                done.push(step);
                if step == failing { Err(io::Error::other("injected")) } else { Ok(()) }
            };
            assert_eq!(replace_with(&path, b"new", &mut probe).unwrap_err().to_string(), "injected");
            assert_eq!(fs::read_to_string(&path).unwrap(), left, "{failing:?}");
            assert_eq!(count(folder.path()), 1, "{failing:?} left something behind");
            assert!(Step::ALL.starts_with(&done), "steps out of order: {done:?}");
            replace(&path, b"again").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "again");
        }
        survived!(6; Step::ALL.len(), "failing steps");
    }

    #[test]
    fn what_a_cut_left_behind_is_not_written_through_and_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (path, precious) = (folder.path().join("file"), folder.path().join("precious"));
        fs::write(&precious, "precious").unwrap();
        symlink(&precious, folder.path().join("file.new")).unwrap();
        replace(&path, b"whole").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(count(folder.path()), 2);
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn creating_never_replaces_a_file_nor_follows_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        create(&path, b"first").unwrap();
        symlink(folder.path().join("nowhere"), &link).unwrap();
        for taken in [&path, &link] {
            assert_eq!(create(taken, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(count(folder.path()), 2, "nothing is left beside them");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_foreign_folder_behind_a_link_is_refused_and_ones_own_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        let link = folder.path().join("link");
        symlink(folder.path().join("real"), &link).unwrap();
        assert!(Folder::open_foreign(&link).is_err());
        assert!(Folder::open_foreign(&folder.path().join("real")).is_ok());
        replace(&link.join("file"), b"whole").unwrap();
        assert_eq!(count(&folder.path().join("real")), 1);
    }

    #[test]
    fn a_file_that_others_can_read_is_taken_away_from_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "open").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        make_private(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        make_private(&folder.path().join("missing")).unwrap();
    }
}
