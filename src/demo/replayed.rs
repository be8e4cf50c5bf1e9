//! Which rows of files this folder holds already, so that the same file counts once.
//!
//! One line a row: its identity and the place of the journal's last entry before it was tapped. The line is written before the tap, so after
//! a power cut only the last one is in doubt; [`settle`] asks the journal whether anything came after it. A line `.` says that all rows
//! before it are in the journal.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::replay::Identity;

const FILE: &str = "replayed.txt";
const SETTLED: &str = ".";

/// The rows that are in the journal, and the file that says so.
pub(super) struct Replayed {
    known: HashSet<Identity>,
    file: File,
    path: PathBuf,
}

impl Replayed {
    /// Reads what is there; the last row must have been settled.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let known = lines(&path)?.iter().filter_map(|line| parse(line)).map(|(row, _)| row).collect();
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { known, file, path })
    }

    pub(super) fn holds(&self, row: Identity) -> bool {
        self.known.contains(&row)
    }

    /// The row is about to be tapped; the journal's last entry is this one.
    pub(super) fn begin(&mut self, row: Identity, seq: u64) -> anyhow::Result<()> {
        let name: String = row.0.iter().map(|byte| format!("{byte:02x}")).collect();
        self.write(&format!("{name} {seq}\n"))
    }

    /// All rows so far are in the journal.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        self.write(&format!("{SETTLED}\n"))
    }

    fn write(&mut self, line: &str) -> anyhow::Result<()> {
        self.file.write_all(line.as_bytes()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// After an interrupted replay: whether the row begun last is in the journal. `last_seq` reads the place of the journal's last entry.
pub(super) fn settle(folder: &Path, last_seq: impl FnOnce() -> anyhow::Result<u64>) -> anyhow::Result<()> {
    let path = folder.join(FILE);
    let mut lines = lines(&path)?;
    // A line that was cut off belongs to a row that was not tapped.
    while lines.last().is_some_and(|line| line != SETTLED && parse(line).is_none()) {
        lines.pop();
    }
    let Some((_, before)) = lines.last().and_then(|line| parse(line)) else { return Ok(()) };
    if last_seq()? <= before {
        lines.pop();
    }
    lines.push(SETTLED.to_owned());
    std::fs::write(&path, lines.join("\n") + "\n").with_context(|| format!("cannot write {}", path.display()))
}

fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn parse(line: &str) -> Option<(Identity, u64)> {
    let (name, seq) = line.split_once(' ')?;
    if name.len() != 32 || !name.is_ascii() {
        return None;
    }
    let mut row = [0; 16];
    for (i, byte) in row.iter_mut().enumerate() {
        *byte = u8::from_str_radix(name.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some((Identity(row), seq.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_power_cut_only_the_last_row_is_in_doubt_and_the_journal_decides() {
        let [first, second] = [Identity([1; 16]), Identity([0xab; 16])];
        for (last_seq, in_journal) in [(7, true), (5, false)] {
            let folder = tempfile::tempdir().unwrap();
            let mut replayed = Replayed::open(folder.path()).unwrap();
            replayed.begin(first, 2).unwrap();
            replayed.begin(second, 5).unwrap();
            replayed.write("0102").unwrap();
            drop(replayed);
            settle(folder.path(), || Ok(last_seq)).unwrap();
            let replayed = Replayed::open(folder.path()).unwrap();
            assert!(replayed.holds(first));
            assert_eq!(replayed.holds(second), in_journal, "the journal ends at {last_seq}");
            drop(replayed);
            // Later entries of other visits do not change what was settled.
            settle(folder.path(), || Ok(1_000)).unwrap();
            assert_eq!(Replayed::open(folder.path()).unwrap().holds(second), in_journal);
        }
    }

    #[test]
    fn a_replay_that_ended_is_not_in_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let mut replayed = Replayed::open(folder.path()).unwrap();
        replayed.begin(Identity([1; 16]), 2).unwrap();
        replayed.end().unwrap();
        settle(folder.path(), || panic!("the journal need not be asked")).unwrap();
        assert!(Replayed::open(folder.path()).unwrap().holds(Identity([1; 16])));
    }
}
