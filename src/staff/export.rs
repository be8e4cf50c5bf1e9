//! The journal onto a stick: every entry as a line of JSON, and the file's SHA-256 beside it.
//!
//! Invariants:
//! - a file has its name only when all of it is on the stick: it is written under another name, synced, and renamed;
//! - nothing on the stick is ever overwritten, and no symbolic link on it is followed: the terminal may run as root, and the stick is
//!   somebody else's.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::{
    durable::Folder,
    journal,
    model::{Hash, Moment, TimeQuality},
};

/// Exports of one day; staff who make more have another problem.
const EXPORTS_A_DAY_MAX: u32 = 99;

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// The file.
    pub file: PathBuf,
    /// How many entries it holds.
    pub entries: u64,
}

/// The name of an export without its end: who, and the day in UTC if the terminal knows it.
pub(crate) fn stem(who: &str, now: &Moment) -> String {
    match now.quality {
        TimeQuality::Unset => format!("xinsheng-{who}-undated"),
        TimeQuality::Synced | TimeQuality::Estimated => {
            format!("xinsheng-{who}-{}", now.wall.format("%Y-%m-%d"))
        }
    }
}

/// Writes all entries of the journal in `journal` into `folder`. Reads beside the running journal. A stick is nobody's to trust: no link
/// on it is followed, in the folder's place neither.
pub fn export(journal: &Path, folder: &Path, stem: &str) -> anyhow::Result<Exported> {
    let writing = || format!("cannot write into {}", folder.display());
    let stick = Folder::open_foreign(folder).with_context(writing)?;
    let name = free_name(&stick, stem, folder)?;
    let mut entries = 0;
    let mut digest = String::new();
    stick
        .finish(&name, |file| {
            let mut counted = Counted { out: &mut BufWriter::new(file), hash: Sha256::new(), lines: 0 };
            journal::cli::export(journal, &mut counted)?;
            counted.out.flush()?;
            entries = counted.lines;
            digest = Hash(counted.hash.finalize().into()).to_string();
            Ok::<(), anyhow::Error>(())
        })
        .with_context(writing)?;
    stick.finish(&sum_of(&name), |file| writeln!(file, "{digest}  {name}")).with_context(writing)?;
    Ok(Exported { file: folder.join(name), entries })
}

/// `name.jsonl`, `name-2.jsonl` and so on: the first that nothing on the stick has.
fn free_name(stick: &Folder, stem: &str, folder: &Path) -> anyhow::Result<String> {
    for n in 1..=EXPORTS_A_DAY_MAX {
        let name = if n == 1 { format!("{stem}.jsonl") } else { format!("{stem}-{n}.jsonl") };
        if !stick.has(&name)? && !stick.has(&sum_of(&name))? {
            return Ok(name);
        }
    }
    bail!("there are {EXPORTS_A_DAY_MAX} exports of today in {}; remove some", folder.display())
}

fn sum_of(name: &str) -> String {
    format!("{name}.sha256")
}

/// Counts lines and hashes on the way.
struct Counted<'w> {
    out: &'w mut dyn Write,
    hash: Sha256,
    lines: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        let bytes = bytes.get(..taken).unwrap_or(bytes);
        self.hash.update(bytes);
        self.lines += (bytes.split(|byte| *byte == b'\n').count() - 1) as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::{
        chain,
        journal::{Journal, OpenArgs},
        model::{BootId, ChainId, EntryId},
        wire::{Body, Draft, SelfTest},
    };

    fn now() -> Moment {
        let wall = DateTime::UNIX_EPOCH + TimeDelta::days(20_778);
        Moment { wall, boot: BootId::from_parts(0, [1; 10]), up_ms: 0, quality: TimeQuality::Synced }
    }

    fn journal_of(count: u8) -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let args = OpenArgs { ballast_bytes: 0, ..OpenArgs::new(ChainId([1; 16]), now()) };
        let (mut journal, _) = Journal::open(folder.path(), args).unwrap();
        let draft = |n: u8| {
            let body = Body::SelfTest(SelfTest {
                touchpoint: "registration".parse().unwrap(),
                target: n.to_string(),
            });
            Draft { id: EntryId::from_parts(0, [n; 10]), at: now(), body }
        };
        journal.append((1..=count).map(draft).collect()).unwrap();
        (folder, journal)
    }

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn every_entry_of_a_running_journal_is_exported_with_its_sum() {
        let (data, _running) = journal_of(7);
        let stick = tempfile::tempdir().unwrap();
        let done = export(data.path(), stick.path(), &stem("t-1", &now())).unwrap();
        assert_eq!(done.entries, 7);
        assert_eq!(
            names(stick.path()),
            ["xinsheng-t-1-2026-11-21.jsonl", "xinsheng-t-1-2026-11-21.jsonl.sha256"]
        );
        let text = fs::read(&done.file).unwrap();
        let sum = fs::read_to_string(stick.path().join("xinsheng-t-1-2026-11-21.jsonl.sha256")).unwrap();
        assert_eq!(sum, format!("{}  xinsheng-t-1-2026-11-21.jsonl\n", chain::sha256(&text)));
        assert_eq!(String::from_utf8(text).unwrap().lines().count(), 7);
    }

    #[test]
    fn nothing_on_the_stick_is_overwritten() {
        let (data, _running) = journal_of(1);
        let stick = tempfile::tempdir().unwrap();
        fs::write(stick.path().join("e.jsonl"), "somebody's").unwrap();
        fs::write(stick.path().join("e-2.jsonl.sha256"), "half an export").unwrap();
        let done = export(data.path(), stick.path(), "e").unwrap();
        assert_eq!(done.file, stick.path().join("e-3.jsonl"));
        assert_eq!(fs::read_to_string(stick.path().join("e.jsonl")).unwrap(), "somebody's");
        for n in 4..=EXPORTS_A_DAY_MAX {
            fs::write(stick.path().join(format!("e-{n}.jsonl")), "").unwrap();
        }
        assert!(export(data.path(), stick.path(), "e").unwrap_err().to_string().contains("remove some"));
    }

    #[test]
    fn an_export_follows_no_link_on_the_stick_and_is_for_the_owner_alone() {
        let (data, _running) = journal_of(1);
        let (stick, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let precious = home.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        // Names that an export takes while it is being written and afterwards, as links into the system and into nowhere.
        for name in
            ["e.jsonl.new", ".e.jsonl.part", "e.jsonl.sha256.new", "e-2.jsonl.new", "e-2.jsonl.sha256.new"]
        {
            symlink(&precious, stick.path().join(name)).unwrap();
        }
        symlink(home.path().join("made-by-export"), stick.path().join("e.jsonl")).unwrap();
        let done = export(data.path(), stick.path(), "e").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert_eq!(names(home.path()), ["precious"], "a link that leads nowhere was followed");
        assert_eq!(done.file, stick.path().join("e-2.jsonl"));
        for name in ["e-2.jsonl", "e-2.jsonl.sha256"] {
            let found = fs::symlink_metadata(stick.path().join(name)).unwrap();
            assert!(found.is_file(), "{name}");
            assert_eq!(found.permissions().mode() & 0o777, 0o600, "{name}");
        }
        let link = home.path().join("stick");
        symlink(stick.path(), &link).unwrap();
        assert!(export(data.path(), &link, "f").is_err(), "the folder itself is a link");
    }

    #[test]
    fn a_failed_export_leaves_nothing_and_says_why() {
        let stick = tempfile::tempdir().unwrap();
        let nowhere = tempfile::tempdir().unwrap();
        let error = export(nowhere.path(), stick.path(), "e").unwrap_err();
        assert!(format!("{error:#}").contains("there is no journal"), "{error:#}");
        assert!(names(stick.path()).is_empty());
        let (data, _running) = journal_of(1);
        let gone = stick.path().join("pulled-out");
        let error = export(data.path(), &gone, "e").unwrap_err();
        assert!(format!("{error:#}").contains("No such file"), "{error:#}");
        assert!(!gone.exists());
    }

    #[test]
    fn a_terminal_that_does_not_know_the_day_says_so() {
        let lost = Moment { quality: TimeQuality::Unset, ..now() };
        assert_eq!(stem("t-1", &lost), "xinsheng-t-1-undated");
    }
}
