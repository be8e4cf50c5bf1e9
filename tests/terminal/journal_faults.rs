//! Faults of storage by name: what the journal finds, what it says, and that no entry it can still read is lost.
#![cfg(feature = "terminal")]
#![expect(clippy::expect_used, reason = "a test stops where the world is not as it was set up")]

use crate::faults::survived;
use std::{
    collections::HashSet,
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use xinsheng::{
    journal::{
        AppendError, BatchLimits, Flaw, Journal, JournalError, OpenArgs, OpenError, OpenReport, Opened,
        TestHooks, Upkeep, Why, cli,
    },
    model::EntryId,
    wire::Withheld,
};

use crate::support;

use crate::support::{Disk, chain, copy_dir, draft, drafts, fast_dir, id, moment, open, small, waiting};

/// Starts in three hours with the power gone every twenty seconds: a log that only grew would be longer than [`BROWN_OUT_BYTES_MAX`].
const BROWN_OUTS: u64 = 600;

/// What they may leave: a log of a thousand pages before it is copied into the database, and the entries.
const BROWN_OUT_BYTES_MAX: u64 = 4_500_000;

/// The log is cut back to this once it can be: what a commit in between may have added is far less.
const LOG_BYTES_MAX: u64 = 9 * 1024 * 1024;

/// Makes a journal with entries 0..n, the first `sent` of them acknowledged, closed cleanly.
fn filled(dir: &Path, n: u64, sent: u64) {
    let (mut journal, report) = open(dir, 1);
    assert_eq!(report.opened, Opened::Fresh);
    journal.append(drafts(0..sent)).expect("append");
    let head = journal.head();
    journal.acknowledge(head.seq, head.hash, &moment(0)).expect("acknowledge");
    for n in sent..n {
        journal.append(vec![draft(n, moment(n))]).expect("append");
    }
    journal.close().expect("close");
}

fn ids(numbers: std::ops::Range<u64>) -> Vec<EntryId> {
    numbers.map(id).collect()
}

fn set_aside(report: &OpenReport) -> (&Why, &PathBuf, u64) {
    match &report.opened {
        Opened::SetAside { why, moved_to, salvaged } => (why, moved_to, *salvaged),
        other @ (Opened::Fresh | Opened::Continued | Opened::NewChain { .. }) => {
            panic!("not set aside: {other:?}")
        }
    }
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).expect("open");
    file.seek(SeekFrom::Start(at)).expect("seek");
    file.write_all(bytes).expect("write");
}

fn find(path: &Path, text: &str) -> u64 {
    let bytes = fs::read(path).expect("read");
    bytes.windows(text.len()).position(|part| part == text.as_bytes()).expect("is there") as u64
}

#[test]
fn a_database_that_became_empty_is_no_fresh_start() {
    let dir = fast_dir();
    filled(dir.path(), 20, 5);
    fs::write(dir.path().join("journal.db"), b"").expect("truncate");
    let (mut journal, report) = open(dir.path(), 2);
    assert_eq!(set_aside(&report).0, &Why::Empty);
    let lost = report.lost.expect("a loss");
    assert_eq!((lost.chain, lost.known_seq, lost.after), (Some(chain(1)), 20, Some(id(19))));
    assert_eq!(journal.head().chain, chain(2));
    assert_eq!(journal.stats().expect("stats").lost_after, Some(id(19)));
    journal.clear_lost_after().expect("told central");
    drop(journal);
    let (mut journal, report) = open(dir.path(), 3);
    assert_eq!((report.opened, report.lost), (Opened::Continued, None));
    assert_eq!(journal.stats().expect("stats").lost_after, None);
    survived!(11; 1, "journal");
}

#[test]
fn a_database_that_is_gone_is_no_fresh_start() {
    let dir = fast_dir();
    filled(dir.path(), 3, 0);
    fs::remove_file(dir.path().join("journal.db")).expect("remove");
    let (_journal, report) = open(dir.path(), 2);
    assert_eq!(set_aside(&report).0, &Why::Missing);
    assert_eq!(report.lost.expect("a loss").known_seq, 3);
    survived!(11; 1, "journal");
}

#[test]
fn a_log_without_its_database_is_kept() {
    let dir = fast_dir();
    fs::write(dir.path().join("journal.db-wal"), b"something").expect("write");
    let (_journal, report) = open(dir.path(), 2);
    let (why, folder, _) = set_aside(&report);
    assert_eq!(why, &Why::Missing);
    assert_eq!(fs::read(folder.join("journal.db-wal")).expect("read"), b"something");
    survived!(11; 1, "journal");
}

#[test]
fn a_foreign_database_is_moved_untouched() {
    let dir = fast_dir();
    let path = dir.path().join("journal.db");
    let foreign = rusqlite::Connection::open(&path).expect("open");
    foreign
        .execute_batch("PRAGMA application_id = 77; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .expect("fill");
    foreign.close().expect("close");
    let before = fs::read(&path).expect("read");
    let (mut journal, report) = open(dir.path(), 2);
    let (why, folder, salvaged) = set_aside(&report);
    assert_eq!((why, salvaged), (&Why::Foreign(77), 0));
    assert_eq!(fs::read(folder.join("journal.db")).expect("read"), before);
    journal.append(drafts(0..1)).expect("the new one works");
    survived!(11; 1, "journal");
}

#[test]
fn a_foreign_database_without_an_id_is_moved_too() {
    let dir = fast_dir();
    let foreign = rusqlite::Connection::open(dir.path().join("journal.db")).expect("open");
    foreign.execute_batch("CREATE TABLE t (x)").expect("fill");
    foreign.close().expect("close");
    let (_journal, report) = open(dir.path(), 2);
    assert_eq!(set_aside(&report).0, &Why::Foreign(0));
}

#[test]
fn a_destroyed_header_costs_no_entry() {
    let dir = fast_dir();
    filled(dir.path(), 40, 10);
    overwrite(&dir.path().join("journal.db"), 0, &[0; 100]);
    let (mut journal, report) = open(dir.path(), 2);
    let (why, folder, salvaged) = set_aside(&report);
    assert_eq!((why, salvaged), (&Why::NotADatabase, 30));
    assert!(folder.join("journal.db").exists());
    let lost = report.lost.as_ref().expect("a report");
    assert_eq!((lost.known_seq, lost.after), (40, Some(id(39))));
    assert!(journal.verify().expect("verify").is_whole());
    assert_eq!(waiting(&mut journal).into_iter().collect::<HashSet<_>>(), ids(10..40).into_iter().collect());
    survived!(11; 1, "journal");
}

#[test]
fn a_destroyed_page_costs_its_own_entries_only() {
    let dir = fast_dir();
    filled(dir.path(), 100, 10);
    let path = dir.path().join("journal.db");
    // The page that holds entry 50: its header is destroyed, its content is not.
    let page = find(&path, "\"50-xxx") / 4096 * 4096;
    overwrite(&path, page, &[0x55; 8]);
    let (mut journal, report) = open(dir.path(), 2);
    let (why, _, salvaged) = set_aside(&report);
    assert!(matches!(why, Why::Corrupt(_)), "{why:?}");
    // What SQL cannot reach is carved out of the file.
    assert_eq!(salvaged, 90);
    assert_eq!(report.lost.as_ref().map(|lost| lost.unreadable), Some(0));
    assert_eq!(waiting(&mut journal).into_iter().collect::<HashSet<_>>(), ids(10..100).into_iter().collect());
    survived!(11; 1, "journal");
}

#[test]
fn a_wiped_page_is_counted_as_lost() {
    let dir = fast_dir();
    filled(dir.path(), 100, 10);
    let path = dir.path().join("journal.db");
    let page = find(&path, "\"50-xxx") / 4096 * 4096;
    overwrite(&path, page, &[0; 4096]);
    let (mut journal, report) = open(dir.path(), 2);
    let salvaged = set_aside(&report).2;
    let lost = report.lost.clone().expect("a loss");
    assert!((1..20).contains(&lost.unreadable), "{lost:?}");
    assert_eq!(salvaged + lost.unreadable, 90);
    assert_eq!(waiting(&mut journal).len() as u64, salvaged);
    survived!(11; 1, "journal");
}

#[test]
fn a_bit_flipped_inside_a_line_does_not_hold_up_the_others() {
    let dir = fast_dir();
    filled(dir.path(), 100, 0);
    let path = dir.path().join("journal.db");
    overwrite(&path, find(&path, "\"30-xxx") + 1, b"9");
    let (mut journal, report) = open(dir.path(), 2);
    assert_eq!(report.opened, Opened::Continued);
    let verified = journal.verify().expect("verify");
    assert_eq!(verified.flaws, [Flaw::LineChanged { chain: chain(1), seq: 31 }]);
    let batch = journal.batch(BatchLimits::default()).expect("batch").expect("entries");
    assert_eq!(batch.lines.len(), 100);
    let withheld: Withheld = serde_json::from_slice(&batch.lines[30]).expect("withheld");
    assert_eq!((withheld.seq, withheld.reason.as_str()), (31, "damaged"));
    survived!(11; 1, "journal");
}

#[test]
fn a_flipped_hash_ends_the_chain_and_keeps_the_entries() {
    let dir = fast_dir();
    filled(dir.path(), 200, 0);
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).expect("open");
    conn.execute("UPDATE entry SET hash = zeroblob(32) WHERE n = 50", []).expect("flip");
    conn.close().expect("close");
    let (mut journal, report) = open(dir.path(), 2);
    assert_eq!(report.opened, Opened::Continued);
    let batch = journal.batch(BatchLimits::default()).expect("batch").expect("the part before it");
    assert_eq!(batch.last_seq(), 49);
    journal.acknowledge(49, batch.head_hash, &moment(0)).expect("acknowledge");
    assert!(matches!(journal.batch(BatchLimits::default()), Err(JournalError::Damaged { seq: 50 })));
    journal.start_new_chain(chain(3), &moment(0)).expect("new chain");
    assert_eq!(waiting(&mut journal), ids(0..200), "all of it, should central fall back later");
    survived!(11; 1, "journal");
}

#[test]
fn a_damaged_end_is_not_continued() {
    let dir = fast_dir();
    filled(dir.path(), 20, 0);
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).expect("open");
    conn.execute("UPDATE entry SET hash = zeroblob(32) WHERE n = 20", []).expect("flip");
    conn.close().expect("close");
    let (mut journal, report) = open(dir.path(), 2);
    assert_eq!(report.opened, Opened::NewChain { why: Why::NewestDamaged });
    assert_eq!(waiting(&mut journal), ids(0..20));
    survived!(11; 1, "journal");
}

#[test]
fn a_log_that_vanished_is_noticed() {
    let (dir, cut) = (fast_dir(), fast_dir());
    filled(dir.path(), 10, 0);
    let (mut journal, _) = open(dir.path(), 2);
    journal.append(drafts(10..15)).expect("append");
    assert_eq!(journal.upkeep(&moment(120_000)).expect("upkeep"), Upkeep::Done);
    copy_dir(dir.path(), cut.path());
    fs::remove_file(cut.path().join("journal.db-wal")).expect("remove");
    let (mut journal, report) = open(cut.path(), 3);
    assert_eq!(report.opened, Opened::NewChain { why: Why::SideAhead });
    let lost = report.lost.expect("a loss");
    assert_eq!((lost.known_seq, lost.after, lost.unreadable), (15, Some(id(9)), 5));
    assert_eq!(journal.stats().expect("stats").lost_after, Some(id(9)));
    assert_eq!(journal.head().chain, chain(3));
    assert_eq!(waiting(&mut journal), ids(0..10));
    survived!(11, 12; lost.unreadable, "lost entries");
}

#[test]
fn a_database_from_another_card_does_not_continue_this_one() {
    let (dir, other) = (fast_dir(), fast_dir());
    filled(dir.path(), 10, 0);
    let (mut journal, _) = open(other.path(), 9);
    journal.append(drafts(50..60)).expect("append");
    journal.close().expect("close");
    fs::copy(other.path().join("journal.db"), dir.path().join("journal.db")).expect("exchange");
    let (mut journal, report) = open(dir.path(), 2);
    assert_eq!(report.opened, Opened::NewChain { why: Why::SideDiffers });
    assert_eq!(report.lost.and_then(|lost| lost.chain), Some(chain(1)));
    assert_eq!(waiting(&mut journal), ids(50..60));
}

#[test]
fn a_damaged_side_file_costs_nothing_and_is_written_again() {
    let dir = fast_dir();
    filled(dir.path(), 10, 0);
    fs::write(dir.path().join("journal.head"), b"{\"chain\":").expect("write");
    let (mut journal, report) = open(dir.path(), 2);
    assert_eq!((report.opened, report.lost), (Opened::Continued, None));
    assert!(journal.verify().expect("verify").is_whole());
    // Together with an empty database it still says that there was one.
    drop(journal);
    fs::write(dir.path().join("journal.head"), b"").expect("write");
    fs::write(dir.path().join("journal.db"), b"").expect("write");
    let (_journal, report) = open(dir.path(), 3);
    assert_eq!(set_aside(&report).0, &Why::Empty);
}

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
fn what_others_keep_in_meta_survives_a_damaged_page() {
    let dir = fast_dir();
    filled(dir.path(), 100, 10);
    let (mut journal, _) = open(dir.path(), 2);
    journal.set_meta("terminal", "t-12").expect("meta");
    journal.close().expect("close");
    let path = dir.path().join("journal.db");
    overwrite(&path, find(&path, "\"50-xxx") / 4096 * 4096, &[0x55; 8]);
    let (mut journal, report) = open(dir.path(), 3);
    set_aside(&report);
    assert_eq!(journal.meta("terminal").expect("meta").as_deref(), Some("t-12"));
}

#[test]
fn a_power_cut_while_a_database_is_set_aside_loses_nothing() {
    let points =
        ["set aside after moving", "creating before commit", "set aside after creating", "after side file"];
    for point in points {
        let (dir, cut) = (fast_dir(), fast_dir());
        filled(dir.path(), 40, 10);
        overwrite(&dir.path().join("journal.db"), 0, &[0; 100]);
        let (from, to, done) = (dir.path().to_owned(), cut.path().to_owned(), Mutex::new(false));
        let probe = move |at: &'static str| {
            let mut done = done.lock().expect("lock");
            if at == point && !*done {
                copy_dir(&from, &to);
                *done = true;
            }
            false
        };
        let hooks = TestHooks { probe: Some(Arc::new(probe)), ..TestHooks::default() };
        drop(Journal::open(dir.path(), OpenArgs { hooks, ..small(2) }).expect("open"));
        let (mut journal, report) = open(cut.path(), 3);
        assert_eq!(set_aside(&report).0, &Why::NotADatabase, "{point}");
        assert!(cut.path().join("corrupt-1/journal.db").exists(), "{point}");
        assert!(journal.verify().expect("verify").is_whole(), "{point}");
        let all: HashSet<_> = waiting(&mut journal).into_iter().collect();
        assert_eq!(all, ids(10..40).into_iter().collect(), "{point}");
        drop(journal);
        assert_eq!(open(cut.path(), 4).1.opened, Opened::Continued, "{point}");
    }
    survived!(3, 11; points.len(), "cuts");
}

/// Opens a journal whose commits of entries fail at a point as often as the counter says.
fn failing(dir: &Path, point: &'static str) -> (Journal, Arc<AtomicU32>) {
    let failures = Arc::new(AtomicU32::new(0));
    let left = failures.clone();
    let probe = move |at: &'static str| {
        at == point && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
    };
    let hooks = TestHooks { probe: Some(Arc::new(probe)), ..TestHooks::default() };
    let (journal, _) = Journal::open(dir, OpenArgs { hooks, ..small(1) }).expect("open");
    (journal, failures)
}

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

#[test]
fn a_terminal_without_a_free_file_handle_still_takes_taps() {
    let said = child("child_that_runs_out_of_file_handles", Stdio::null());
    assert_eq!(stored(&said), Some(600), "{said}");
    survived!(17; stored(&said).unwrap_or(0), "entries");
}

#[test]
fn fault_17_a_disk_without_a_free_inode_takes_taps_also_after_a_restart() {
    if !support::may_mount() {
        return;
    }
    let disk = Disk::new(24);
    let dir = disk.dir().join("terminal");
    let (mut journal, _) = Journal::open(&dir, small(1)).expect("open");
    journal.append(drafts(0..10)).expect("append");
    let mut fillers = 0_u32;
    while fs::File::create(disk.dir().join(format!("filler-{fillers}"))).is_ok() {
        fillers += 1;
        assert!(fillers < 100_000, "the inodes never end");
    }
    for n in 10..600 {
        journal.append(vec![draft(n, moment(n))]).expect("append without a free inode");
        drop(journal.upkeep(&moment(n * 1_000)));
    }
    // The power goes: the log is there, and nothing has to be made anew.
    drop(journal);
    let (mut journal, report) = Journal::open(&dir, small(2)).expect("opens without a free inode");
    assert_eq!(report.opened, Opened::Continued);
    journal.append(drafts(600..601)).expect("append");
    assert!(journal.verify().expect("verify").is_whole());
    assert_eq!(waiting(&mut journal), ids(0..601));
    survived!(17; journal.head().seq, "entries");
}

#[test]
fn a_terminal_whose_log_cannot_be_written_still_takes_taps() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let said = child("child_that_cannot_log", full.into());
    assert_eq!(stored(&said), Some(20), "{said}");
    survived!(17; stored(&said).unwrap_or(0), "entries");
}

/// How many entries a child says that it stored.
fn stored(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once("stored ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Runs one of the children below in a process of its own and gives what it says.
fn child(name: &str, stderr: Stdio) -> String {
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", &format!("journal_faults::{name}"), "--ignored", "--nocapture", "--test-threads=1"])
        .stderr(stderr)
        .output()
        .expect("the child starts");
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), output.status)
}

#[test]
#[ignore = "another test starts it as a process of its own"]
fn child_that_runs_out_of_file_handles() {
    let dir = fast_dir();
    let (mut journal, _) = open(dir.path(), 1);
    journal.append(drafts(0..1)).expect("append");
    let limit = rustix::process::Rlimit { current: Some(256), maximum: Some(256) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).expect("limit");
    let mut handles = Vec::new();
    while let Ok(handle) = fs::File::open("/dev/null") {
        handles.push(handle);
    }
    // More than the side file waits for, and more than one checkpoint.
    for n in (1..600).step_by(2) {
        journal.append(drafts(n..n + 2)).expect("append without a free handle");
        drop(journal.upkeep(&moment(n * 1_000)));
    }
    drop(handles);
    journal.append(drafts(700..701)).expect("append");
    println!("stored {}", journal.head().seq - 2);
}

#[test]
#[ignore = "another test starts it as a process of its own"]
fn child_that_cannot_log() {
    xinsheng::log::to_stderr("info");
    let dir = fast_dir();
    let (mut journal, failures) = failing(dir.path(), "append before commit");
    for n in 0..20 {
        // Each of them is logged as a disk that failed and was settled.
        failures.store(1, Ordering::Relaxed);
        journal.append(drafts(n..n + 1)).expect("append");
    }
    println!("stored {}", journal.head().seq);
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
