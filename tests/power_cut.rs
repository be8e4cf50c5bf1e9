//! Nobody who was thanked is forgotten: a child taps on an ext4 file system, the power goes at a random point, and what the journal holds
//! afterwards is compared with what the child was told is stored.
//!
//! The cut is ext4's own shutdown without flushing its log: nothing that was not synced reaches the disk. 200 cuts by default;
//! `XINSHENG_CUTS=10000 cargo test --test power_cut` makes ten thousand. A second suite keeps every write to the disk and cuts at every
//! flush, from the making of the database on.
//!
//! Where no file system can be mounted the suites say that they are skipped; in CI (`CI=true`) they fail there.
#![cfg(feature = "terminal")]
#![expect(clippy::expect_used, reason = "a test stops where the world is not as it was set up")]
#![expect(unsafe_code, reason = "the shutdown of a file system is an ioctl")]

use crate::faults::survived;
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rustix::ioctl;
use xinsheng::{
    clock::{Clock, SimClock, fresh},
    durable,
    journal::{Head, Journal, JournalError, OpenArgs, Opened, TestHooks, Upkeep},
    model::Moment,
    wire::Draft,
};

#[path = "power/write_log.rs"]
mod write_log;

#[path = "support/faults.rs"]
mod faults;

#[path = "support/journal.rs"]
#[expect(dead_code, reason = "shared with the other suites of the journal")]
mod support;

use support::{Disk, moment};

const CHILD_DIR: &str = "XINSHENG_POWER_DIR";
const CHILD_NORMAL: &str = "XINSHENG_POWER_NORMAL";

/// Cuts without the environment variable.
const CUTS: u32 = 200;

/// A new disk after so many cuts: it brings the first start of a journal under the knife, and keeps recomputing the chain cheap.
const CUTS_PER_DISK: u32 = 25;

/// With `synchronous=NORMAL` most cuts lose something; this many never all miss.
const CONTROL_CUTS: u32 = 20;

/// Starts of the journal, and commits in each, while every write is kept.
const LIVES: u32 = 3;
const ROUNDS_A_LIFE: u32 = 50;

/// So many flushes at least: more than there are commits.
const FLUSHES_MIN: u32 = 200;

/// Files written over one another while every write is kept.
const REPLACED: usize = 40;

/// Most entries tapped between two cuts.
const TAPS_MAX: u32 = 60;

#[test]
fn no_thanked_tap_is_lost_in_any_power_cut() {
    if !support::may_mount() {
        return;
    }
    let cuts = std::env::var("XINSHENG_CUTS")
        .ok()
        .map_or(CUTS, |text| text.parse().expect("XINSHENG_CUTS is a number"));
    let tally = cut_power(cuts, "");
    eprintln!("{cuts} power cuts, {} thanked taps, {} cuts that lost one", tally.thanked, tally.lossy);
    assert!(tally.thanked > u64::from(cuts), "the child tapped");
    assert_eq!(tally.lossy, 0, "{:?}", tally.first_loss);
    survived!(1, 2, 3; cuts, "cuts");
}

#[test]
fn without_full_sync_the_same_cuts_lose_taps() {
    if !support::may_mount() {
        return;
    }
    let tally = cut_power(CONTROL_CUTS, "1");
    let (lossy, example) = (tally.lossy, tally.first_loss.unwrap_or_default());
    eprintln!("synchronous=NORMAL: {CONTROL_CUTS} power cuts, {lossy} that lost a thanked tap; {example}");
    assert!(lossy > 0, "the test would not notice a journal that does not sync");
}

#[test]
fn a_cut_at_any_flush_leaves_every_tap_that_was_thanked_for_before_it() {
    if !support::may_mount() || !write_log::may_log() {
        return;
    }
    let disk = write_log::LoggedDisk::new(24);
    let dir = disk.dir().join("terminal");
    let mut thanked = Vec::new();
    let clock = SimClock::new(moment(0));
    for life in 0..LIVES {
        let args = OpenArgs { ballast_bytes: 65_536, ..OpenArgs::new(fresh::chain_id(), clock.now()) };
        let (mut journal, _) = Journal::open(&dir, args).expect("open");
        for round in 0..ROUNDS_A_LIFE {
            clock.advance(5_000);
            let now = clock.now();
            let head = journal.append(tapped(round, &now)).expect("append");
            thanked.push((disk.position(), head));
            match round {
                10 | 30 => journal.acknowledge(head.seq, head.hash, &now).expect("acknowledge"),
                20 | 40 => while journal.upkeep(&now).expect("upkeep") == Upkeep::More {},
                45 if life == 1 => drop(journal.start_new_chain(fresh::chain_id(), &now).expect("chain")),
                // The log is copied into the database.
                47 => journal.checkpoint_now().expect("checkpoint"),
                _ => {}
            }
        }
        journal.close().expect("close");
    }
    let (mut lost, total) = (Vec::new(), thanked.len());
    let flushes = disk.after_each_flush(|dir, here| {
        let last = thanked.iter().rev().find(|(position, _)| *position <= here).map(|(_, head)| head);
        let next = thanked.iter().find(|(position, _)| *position > here).map(|(_, head)| head);
        let compared = compare(&dir.join("terminal"), last).and_then(|found| at_most_one_more(&found, next));
        if let Err(loss) = compared {
            lost.push(format!("flush at {here}: {loss}"));
        }
    });
    eprintln!("{flushes} cuts, one at each flush of {total} commits, from the making of the database on");
    assert!(flushes >= FLUSHES_MIN, "only {flushes} flushes were tried");
    assert_eq!(lost, Vec::<String>::new());
    survived!(1, 2, 3; flushes, "cuts, one at each flush");
}

#[test]
fn fault_6_a_cut_at_any_flush_leaves_the_old_configuration_file_or_the_whole_new_one() {
    if !support::may_mount() || !write_log::may_log() {
        return;
    }
    // Now longer, now shorter than the one before.
    let text = |n: usize| format!("version {n}\n").repeat(1 + n % 7 * 400);
    let disk = write_log::LoggedDisk::new(24);
    let mut replaced = Vec::new();
    for n in 0..REPLACED {
        durable::replace(&disk.dir().join("touchpoints.toml"), text(n).as_bytes()).expect("replace");
        replaced.push(disk.position());
    }
    let mut wrong = Vec::new();
    let flushes = disk.after_each_flush(|dir, here| {
        let done = replaced.iter().filter(|position| **position <= here).count();
        let found = fs::read_to_string(dir.join("touchpoints.toml")).ok();
        // The last that was done, or the one under way.
        let old = done.checked_sub(1).map(text);
        if found != old && found != Some(text(done)) {
            wrong.push(format!(
                "flush at {here}: {done} were written, {:?} bytes",
                found.map(|text| text.len())
            ));
        }
    });
    eprintln!("{flushes} cuts, one at each flush of {REPLACED} files written over one another");
    assert!(flushes as usize >= REPLACED, "only {flushes} flushes were tried");
    assert_eq!(wrong, Vec::<String>::new());
    survived!(6; flushes, "cuts, one at each flush");
}

/// Not a test by itself: what the child process runs.
#[test]
#[ignore = "the other tests start it as a process of its own"]
fn child_that_taps() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let normal = std::env::var(CHILD_NORMAL).is_ok_and(|text| !text.is_empty());
    // The disk going away is how this ends.
    if let Err(error) = tap(Path::new(&dir), normal) {
        println!("ended: {error}");
    }
}

fn tap(dir: &Path, normal: bool) -> Result<(), Box<dyn std::error::Error>> {
    let clock = SimClock::new(moment(0));
    let hooks = TestHooks { synchronous_normal: normal, ..TestHooks::default() };
    let args = OpenArgs { hooks, ballast_bytes: 65_536, ..OpenArgs::new(fresh::chain_id(), clock.now()) };
    let (mut journal, _) = Journal::open(dir, args)?;
    for round in 1u32.. {
        clock.advance(5000);
        let now = clock.now();
        let head = journal.append(tapped(round, &now))?;
        println!("thanked {} {} {}", head.chain, head.seq, head.hash);
        match round % 40 {
            7 | 21 => journal.acknowledge(head.seq, head.hash, &now)?,
            13 | 26 => {
                journal.upkeep(&now)?;
            }
            39 => {
                journal.start_new_chain(fresh::chain_id(), &now)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn tapped(round: u32, now: &Moment) -> Vec<Draft> {
    let one = || Draft { id: fresh::entry_id(now), ..support::sized_draft(u64::from(round), *now, 300) };
    (0..=round % 3).map(|_| one()).collect()
}

#[derive(Default)]
struct Tally {
    thanked: u64,
    lossy: u32,
    first_loss: Option<String>,
}

fn cut_power(cuts: u32, normal: &str) -> Tally {
    let mut tally = Tally::default();
    let mut dice = StdRng::seed_from_u64(17);
    let mut disk = Disk::new(32);
    for cut in 0..cuts {
        if cut % CUTS_PER_DISK == CUTS_PER_DISK - 1 {
            disk.unmount();
            disk = Disk::new(32);
        }
        let dir = disk.dir().join("terminal");
        let thanked = tap_until_cut(&disk, &dir, normal, &mut dice);
        tally.thanked += thanked.len() as u64;
        disk.unmount();
        disk.mount();
        if let Err(loss) = compare(&dir, thanked.last()) {
            tally.lossy += 1;
            tally.first_loss.get_or_insert(format!("cut {cut}: {loss}"));
            disk.unmount();
            disk = Disk::new(32);
        }
    }
    disk.unmount();
    tally
}

/// Starts the child, cuts the power after some of its taps, and gives everything it had been thanked for at that moment.
fn tap_until_cut(disk: &Disk, dir: &Path, normal: &str, dice: &mut StdRng) -> Vec<Head> {
    let mut child = spawn(dir, normal);
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (send, receive) = mpsc::channel();
    let reader = thread::spawn(move || {
        // Half a line at the end is not thanks.
        for line in output.lines().map_while(Result::ok) {
            if let Some(head) = thanks(&line) {
                send.send(head).expect("the test listens until the child has ended");
            }
        }
    });
    let mut thanked = Vec::new();
    let wanted = dice.random_range(0..TAPS_MAX);
    if wanted == 0 {
        // Somewhere in the first start. A wait is the point here: nothing the child says marks these moments.
        thread::sleep(Duration::from_micros(dice.random_range(0..60_000)));
    } else {
        thanked.extend(receive.iter().take(wanted as usize));
        thread::sleep(Duration::from_micros(dice.random_range(0..3000)));
    }
    thanked.extend(receive.try_iter());
    cut(disk);
    // What the child says from here on does not count: in a real cut it could not say it, and a sync that the shutdown interrupts may
    // return without an error (jbd2 takes the thrown-away transaction for a finished one).
    drop(child.wait());
    drop(reader.join());
    thanked
}

fn spawn(dir: &Path, normal: &str) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child_that_taps", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD_DIR, dir)
        .env(CHILD_NORMAL, normal)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

fn thanks(line: &str) -> Option<Head> {
    // The test harness may have begun the line.
    let (_, rest) = line.split_once("thanked ")?;
    let mut words = rest.split(' ');
    let (chain, seq, hash) = (words.next()?, words.next()?, words.next()?);
    Some(Head { chain: chain.parse().ok()?, seq: seq.parse().ok()?, hash: hash.parse().ok()? })
}

/// `EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`.
fn cut(disk: &Disk) {
    const SHUTDOWN: ioctl::Opcode = ioctl::opcode::read::<u32>(b'X', 125);
    const NO_LOG_FLUSH: u32 = 2;
    let dir = File::open(disk.dir()).expect("open");
    // SAFETY: the kernel reads one u32 through the pointer that `Setter` makes of it.
    let done = unsafe { ioctl::ioctl(&dir, ioctl::Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH)) };
    done.expect("the power goes off");
}

/// Only what was being written when the power went may be there beyond what was thanked for.
fn at_most_one_more(found: &Head, under_way: Option<&Head>) -> Result<(), String> {
    match under_way {
        Some(under_way) if found.chain == under_way.chain && found.seq > under_way.seq => {
            Err(format!("under way was {under_way:?}, found {found:?}"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether everything thanked for is there, and where the journal ends. The last hash covers all before it.
fn compare(dir: &Path, last: Option<&Head>) -> Result<Head, String> {
    let args = OpenArgs { ballast_bytes: 65_536, ..OpenArgs::new(fresh::chain_id(), moment(0)) };
    let (mut journal, report) = Journal::open(dir, args)
        .map_err(|error| format!("does not open: {:#}", anyhow::Error::new(error)))?;
    if !matches!(report.opened, Opened::Fresh | Opened::Continued) {
        return Err(format!("{report:?}"));
    }
    let verified = journal.verify().map_err(|error| error.to_string())?;
    if !verified.is_whole() {
        return Err(format!("{:?}", verified.flaws));
    }
    let found = journal.head();
    let Some(last) = last else { return Ok(found) };
    if found.chain == last.chain {
        return match journal.acknowledge(last.seq, last.hash, &moment(0)) {
            Ok(()) => Ok(found),
            Err(error @ (JournalError::Ahead { .. } | JournalError::HeadMismatch { .. })) => {
                Err(error.to_string())
            }
            Err(error) => Err(format!("does not acknowledge: {error}")),
        };
    }
    // A new chain began after the last thanks.
    let older = verified.chains.iter().find(|chain| chain.chain == last.chain);
    match older {
        Some(chain) if chain.last_seq >= last.seq => Ok(found),
        Some(_) | None => Err(format!("thanked for {last:?}, found {older:?}")),
    }
}
