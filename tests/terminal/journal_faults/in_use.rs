//! A journal in use: many starts, many chains, newer schemas, and other programs beside it.

use std::{fs, path::Path};

use xinsheng::journal::{BatchLimits, Journal, OpenError, Opened, Why, cli};

use super::{filled, ids, set_aside};
use crate::{
    faults::survived,
    support::{chain, copy_dir, drafts, fast_dir, moment, open, small, waiting},
};

/// Starts in three hours with the power gone every twenty seconds: a log that only grew would be longer than [`BROWN_OUT_BYTES_MAX`].
const BROWN_OUTS: u64 = 600;

/// What they may leave: a log of a thousand pages before it is copied into the database, and the entries.
const BROWN_OUT_BYTES_MAX: u64 = 4_500_000;

#[test]
fn chain_after_chain_an_entry_is_carried_from_its_newest_row_only() {
    let dir = fast_dir();
    filled(dir.path(), 20, 0);
    let (mut journal, _) = open(dir.path(), 2);
    journal.refuse(4, "unknown question").expect("refuse");
    for n in 3..9 {
        // Central has everything, loses everything, and then another journal writes under this chain.
        while let Some(batch) = journal.batch(BatchLimits::default()).expect("batch") {
            journal.acknowledge(batch.last_seq(), batch.head_hash, &moment(0)).expect("acknowledge");
        }
        let first = xinsheng::chain::genesis(journal.head().chain);
        journal.rewind(0, first).expect("rewind");
        journal.start_new_chain(chain(n), &moment(0)).expect("new chain");
    }
    let stats = journal.stats().expect("stats");
    assert_eq!(stats.refused, 1);
    assert_eq!(waiting(&mut journal), [ids(0..3), ids(4..20)].concat());
    assert_eq!(journal.head().seq, 20);
}

#[test]
fn a_second_program_is_told_who_has_the_journal() {
    let dir = fast_dir();
    let (mut journal, _) = open(dir.path(), 1);
    let second = Journal::open(dir.path(), small(2)).err().expect("refused");
    assert!(
        matches!(&second, OpenError::InUse { pid, .. } if *pid == std::process::id().to_string()),
        "{second}"
    );
    journal.append(drafts(0..1)).expect("the first is unaffected");
    drop(journal);
    assert_eq!(open(dir.path(), 2).1.opened, Opened::Continued);
    survived!(14; 1, "second program");
}

#[test]
fn a_newer_schema_is_used_if_it_allows_and_kept_if_not() {
    let dir = fast_dir();
    filled(dir.path(), 10, 4);
    let path = dir.path().join("journal.db");
    let newer = |sql: &str| {
        let conn = rusqlite::Connection::open(&path).expect("open");
        conn.execute_batch(sql).expect("change");
        conn.close().expect("close");
    };
    newer("ALTER TABLE entry ADD COLUMN mood TEXT; PRAGMA user_version = 99;");
    let (mut journal, report) = open(dir.path(), 2);
    assert_eq!(report.opened, Opened::Continued);
    journal.append(drafts(10..11)).expect("append");
    journal.close().expect("close");
    newer("UPDATE meta SET value = '99' WHERE key = 'readable_from'");
    let (mut journal, report) = open(dir.path(), 3);
    let (why, folder, salvaged) = set_aside(&report);
    assert_eq!((why, salvaged), (&Why::Newer(99), 7));
    let kept = rusqlite::Connection::open(folder.join("journal.db")).expect("open");
    let version: i64 = kept.pragma_query_value(None, "user_version", |row| row.get(0)).expect("version");
    assert_eq!(version, 99);
    assert_eq!(waiting(&mut journal), ids(4..11));
    survived!(25; 2, "journals of a newer program");
}

#[test]
fn a_journal_that_is_cut_off_every_twenty_seconds_for_hours_counts_its_starts_and_does_not_grow() {
    let root = fast_dir();
    let at = |life: u64| root.path().join(format!("life-{life}"));
    fs::create_dir(at(0)).expect("mkdir");
    let bytes = |dir: &Path| -> u64 {
        let files = fs::read_dir(dir)
            .expect("read")
            .map(|entry| entry.expect("entry").metadata().expect("metadata").len());
        files.sum()
    };
    let mut first = 0;
    for life in 0..BROWN_OUTS {
        let (mut journal, report) = open(&at(life), 1);
        assert_eq!(report.lost, None, "life {life}");
        // What a start writes: an entry that says so.
        journal.append(drafts(life..life + 1)).expect("append");
        assert_eq!(journal.stats().expect("stats").restarts, life + 1);
        // The power goes: what is on the disk now is all that the next start finds.
        copy_dir(&at(life), &at(life + 1));
        if life == 0 {
            first = bytes(&at(0));
        }
        drop(journal);
        fs::remove_dir_all(at(life)).expect("remove");
    }
    let grown = bytes(&at(BROWN_OUTS)).saturating_sub(first);
    println!("{grown} bytes after {BROWN_OUTS} starts");
    assert!(grown < BROWN_OUT_BYTES_MAX, "{grown} bytes for {BROWN_OUTS} entries");
    assert_eq!(fs::read_dir(at(BROWN_OUTS)).expect("read").count(), 6, "no file is left over from a start");
    survived!(7; BROWN_OUTS, "starts");
}

#[test]
fn nobody_but_the_owner_can_read_the_files_of_a_journal() {
    use std::os::unix::fs::PermissionsExt;
    // What a login shell has. Every test of this program may have it too.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let dir = fast_dir();
    let modes = || -> Vec<(String, u32)> {
        let look = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry.expect("entry");
            let mode = entry.metadata().expect("metadata").permissions().mode() & 0o777;
            (entry.file_name().to_string_lossy().into_owned(), mode)
        };
        fs::read_dir(dir.path()).expect("read").map(look).collect()
    };
    let (mut journal, _) = open(dir.path(), 1);
    journal.append(drafts(0..3)).expect("append");
    let made = modes();
    assert!(made.len() >= 6, "database, log, shared memory, side file, ballast, lock: {made:?}");
    assert!(made.iter().all(|(_, mode)| *mode == 0o600), "{made:?}");
    drop(journal);
    for (name, _) in modes() {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o644)).expect("chmod");
    }
    let _journal = open(dir.path(), 1);
    assert!(modes().iter().all(|(_, mode)| *mode == 0o600), "left open by an older program: {:?}", modes());
}

#[test]
fn the_commands_read_beside_a_running_terminal() {
    let dir = fast_dir();
    let mut out = Vec::new();
    assert!(cli::status(dir.path(), &mut out).is_err(), "there is no journal yet");
    let (mut journal, _) = open(dir.path(), 1);
    journal.append(drafts(0..30)).expect("append");
    journal.refuse(3, "unknown question").expect("refuse");
    assert_eq!(cli::status(dir.path(), &mut out).expect("status"), cli::Verdict::Good);
    let status = String::from_utf8(out).expect("text");
    assert!(status.contains("unsent          30") && status.contains("unknown question"), "{status}");
    let mut out = Vec::new();
    assert_eq!(cli::verify(dir.path(), &mut out).expect("verify"), cli::Verdict::Good);
    let mut out = Vec::new();
    cli::export(dir.path(), &mut out).expect("export");
    let exported = String::from_utf8(out).expect("text");
    assert_eq!(exported.lines().count(), 30);
    let batch = journal.batch(BatchLimits::default()).expect("batch").expect("entries");
    let line = String::from_utf8(batch.lines[0].clone()).expect("text");
    assert!(exported.lines().next().is_some_and(|first| first.contains(&line)), "the bytes that were hashed");
    journal.append(drafts(30..31)).expect("the writer is unaffected");
}
