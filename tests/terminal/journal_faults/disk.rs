//! A disk that fails, fills up or turns read-only, and a log that must stay short.

use std::{fs, io::Write, path::Path, sync::atomic::Ordering};

use xinsheng::journal::{AppendError, BatchLimits, Journal, OpenArgs, OpenError, Opened, Upkeep};

use super::{failing, ids};
use crate::{
    faults::survived,
    support::{self, Disk, draft, drafts, fast_dir, moment, open, small, waiting},
};

/// The log is cut back to this once it can be: what a commit in between may have added is far less.
const LOG_BYTES_MAX: u64 = 9 * 1024 * 1024;

#[test]
fn a_failed_sync_is_settled_by_looking_again() {
    let points = ["append before commit", "append after commit"];
    for point in points {
        let dir = fast_dir();
        let (mut journal, failures) = failing(dir.path(), point);
        journal.append(drafts(0..3)).expect("append");
        failures.store(1, Ordering::SeqCst);
        let head = journal.append(drafts(3..5)).expect("written at the second attempt, once");
        assert_eq!((head.seq, journal.stats().expect("stats").not_stored), (5, 0), "{point}");
        assert!(journal.verify().expect("verify").is_whole());
        assert_eq!(waiting(&mut journal), ids(0..5), "each once");
    }
    survived!(10; points.len(), "failed syncs");
}

#[test]
fn a_disk_that_goes_on_failing_is_not_believed() {
    let dir = fast_dir();
    let (mut journal, failures) = failing(dir.path(), "append before commit");
    journal.append(drafts(0..5)).expect("append");
    failures.store(1000, Ordering::SeqCst);
    assert!(matches!(journal.append(drafts(5..7)), Err(AppendError::Io(_))));
    failures.store(0, Ordering::SeqCst);
    assert_eq!(journal.stats().expect("stats").not_stored, 2);
    journal.append(drafts(7..8)).expect("the disk came back");
    assert_eq!(waiting(&mut journal), [ids(0..5), ids(7..8)].concat());
    survived!(10; 1, "refused append");
}

#[test]
fn a_full_disk_drops_the_ballast_and_then_says_so() {
    if !support::may_mount() {
        return;
    }
    let disk = Disk::new(24);
    let dir = disk.dir().join("terminal");
    let args = || OpenArgs { ballast_bytes: 1024 * 1024, ..small(1) };
    let (mut journal, _) = Journal::open(&dir, args()).expect("open");
    assert!(journal.stats().expect("stats").ballast);
    journal.append(drafts(0..10)).expect("append");
    fill_up(&disk.dir().join("filler"));
    let mut stored = 10;
    let refused = loop {
        match journal.append(vec![draft(stored, moment(0))]) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100_000, "the disk never fills");
    };
    assert!(matches!(refused, AppendError::Full(_)), "{refused:?}");
    eprintln!("{stored} entries stored on a full disk before it said so");
    let stats = journal.stats().expect("stats");
    assert!(!stats.ballast && stored > 500, "the ballast's room was used: {stats:?}");
    assert_eq!((stats.head.seq, stats.not_stored), (stored, 1));
    // Restarting on the full disk works too: it can still send.
    drop(journal);
    let (mut journal, report) = Journal::open(&dir, args()).expect("opens on a full disk");
    assert_eq!(report.opened, Opened::Continued);
    let batch = journal.batch(BatchLimits::default()).expect("batch").expect("entries");
    assert_eq!(batch.first_seq, 1);
    fs::remove_file(disk.dir().join("filler")).expect("room again");
    journal.append(vec![draft(stored, moment(0))]).expect("append");
    journal.upkeep(&moment(100_000)).expect("upkeep");
    assert!(journal.stats().expect("stats").ballast, "made again");
    assert_eq!(waiting(&mut journal), ids(0..stored + 1));
    assert!(journal.verify().expect("verify").is_whole());
    survived!(8; stored, "entries until full");
}

fn fill_up(path: &Path) {
    let mut file = fs::File::create(path).expect("create");
    for size in [65_536, 4096, 512] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    drop(file.sync_all());
}

#[test]
fn a_disk_that_turns_read_only_is_not_pretended_away() {
    if !support::may_mount() {
        return;
    }
    let mut disk = Disk::new(16);
    let dir = disk.dir().join("terminal");
    let (mut journal, _) = Journal::open(&dir, small(1)).expect("open");
    journal.append(drafts(0..5)).expect("append");
    let trigger = format!("/sys/fs/ext4/{}/trigger_fs_error", disk.device());
    if !Path::new(&trigger).exists() {
        // A root without /sys, or a kernel without this switch.
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI must run this: no {trigger}");
        eprintln!("skipped, the kernel offers no {trigger}");
        return;
    }
    fs::write(trigger, "test").expect("the file system fails");
    let refused = journal.append(drafts(5..6)).expect_err("not stored");
    assert!(matches!(refused, AppendError::ReadOnly(_)), "{refused:?}");
    assert!(matches!(journal.append(drafts(6..7)), Err(AppendError::ReadOnly(_))));
    drop(journal);
    assert!(matches!(Journal::open(&dir, small(1)), Err(OpenError::ReadOnly(_))));
    disk.unmount();
    disk.mount();
    let (mut journal, _) = Journal::open(&dir, small(1)).expect("after the check");
    assert_eq!(waiting(&mut journal), ids(0..5));
    survived!(9; 2, "refused appends");
}

#[test]
fn a_busy_checkpoint_is_not_taken_for_a_durable_one() {
    let dir = fast_dir();
    let (mut journal, failures) = failing(dir.path(), "append after commit");
    journal.append(drafts(0..3)).expect("append");
    // Somebody reads an older state, as `status` and an export do: not all of the log can be copied into the database.
    let reader = rusqlite::Connection::open(dir.path().join("journal.db")).expect("open");
    reader.execute_batch("BEGIN; SELECT count(*) FROM entry;").expect("read");
    journal.append(drafts(3..5)).expect("append");
    failures.store(1, Ordering::Relaxed);
    assert!(journal.append(drafts(5..6)).is_err(), "in doubt, and nothing settled it");
    drop(reader);
    journal.append(drafts(6..7)).expect("the reader has gone");
    survived!(10; 1, "failed sync");
}

#[test]
fn a_reader_that_stays_for_long_does_not_make_the_log_grow_for_ever() {
    let dir = fast_dir();
    let (mut journal, _) = open(dir.path(), 1);
    let reader = rusqlite::Connection::open(dir.path().join("journal.db")).expect("open");
    reader.execute_batch("BEGIN; SELECT count(*) FROM entry;").expect("read");
    let day = |journal: &mut Journal, from: u64| {
        for n in (from..from + 4_000).step_by(20) {
            journal.append(drafts(n..n + 20)).expect("a reader stops no tap");
            while journal.upkeep(&moment(n)).expect("upkeep") == Upkeep::More {}
        }
    };
    day(&mut journal, 0);
    let held = journal.stats().expect("stats").wal_bytes;
    drop(reader);
    day(&mut journal, 10_000);
    day(&mut journal, 20_000);
    let free = journal.stats().expect("stats").wal_bytes;
    println!("log with a reader {held} bytes, after it {free}");
    assert!(held > LOG_BYTES_MAX / 4, "the reader held nothing: {held}");
    assert!(free <= LOG_BYTES_MAX, "the log stays long when the reader has gone: {free}");
    survived!(16; journal.head().seq, "entries");
}
