//! A machine without free file handles or inodes, or with a log that cannot be written.

use std::{
    fs,
    process::{Command, Stdio},
    sync::atomic::Ordering,
};

use xinsheng::journal::{Journal, Opened};

use super::{failing, ids};
use crate::{
    faults::survived,
    support::{self, Disk, draft, drafts, fast_dir, moment, open, small, waiting},
};

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
        .args([
            "--exact",
            &format!("journal_faults::resources::{name}"),
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
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
