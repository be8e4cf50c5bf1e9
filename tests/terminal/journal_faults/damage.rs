//! Damaged, missing and foreign files: what is set aside, what is salvaged, and what is reported as lost.

use std::{
    collections::HashSet,
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::{Arc, Mutex},
};

use xinsheng::{
    journal::{BatchLimits, Flaw, Journal, JournalError, OpenArgs, Opened, TestHooks, Upkeep, Why},
    wire::Withheld,
};

use super::{filled, ids, set_aside};
use crate::{
    faults::survived,
    support::{chain, copy_dir, drafts, fast_dir, id, moment, open, small, waiting},
};

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
