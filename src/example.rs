//! An example history: weeks of visits at an example hospital, so that central's page has something to show when nobody has tapped yet.
//!
//! [`visits`] says who comes when and thinks what, [`walk`] takes them through the terminal's own survey, and this module writes what it stores
//! into a real journal and sends it as any terminal does: enrolled by a code, signed, in batches. Invariants:
//! - nobody said any of it, so it can never pass for real: the terminal that sends it is called [`EXAMPLE_HARDWARE`], which central refuses
//!   unless it was started for it, keeps with the terminal, and names wherever its answers are shown;
//! - the same hospital, seed and moment give the same visits;
//! - nothing of a journal is sent before it is complete, so an interrupted history is simply written again.

pub mod visits;
mod walk;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    clock::{Clock, fresh},
    enrolment_code::EnrolmentCode,
    journal::{Journal, OpenArgs, Recorder, RecorderHandle},
    model::{Moment, TimeQuality},
    questionnaire::Hospital,
    sync::{
        self, Address, Identity, Link, SyncArgs, SyncHandle, SyncWorker,
        enrol::enrol_through,
        transport::{Deadlines, HttpTransport},
    },
    wire::{Body, BootFacts, Draft, EXAMPLE_HARDWARE},
};
use visits::Wanted;

/// Says that the journal beside it is complete.
const DONE: &str = "complete";
const IDENTITY: &str = "identity.json";

/// Whether a folder holds an example history.
pub fn is_in(dir: &Path) -> bool {
    dir.join(DONE).exists()
}

/// Writes the journal of a history that ends now.
///
/// # Errors
/// The folder cannot be written.
pub fn write(dir: &Path, hospital: &Arc<Hospital>, wanted: &Wanted) -> anyhow::Result<()> {
    let journal_dir = dir.join("journal");
    match fs::remove_dir_all(&journal_dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot empty {}", journal_dir.display()));
        }
        Ok(()) | Err(_) => {}
    }
    let visits = visits::make(hospital, wanted);
    let began = visits.first().map_or(wanted.until, |visit| visit.at) - TimeDelta::minutes(10);
    let start = Moment { wall: began, boot: fresh::boot_id(), up_ms: 1_000, quality: TimeQuality::Synced };
    let args = OpenArgs::new(fresh::chain_id(), start);
    let (mut journal, _) = Journal::open(&journal_dir, args).context("cannot open the example's journal")?;
    let facts = BootFacts {
        software: env!("CARGO_PKG_VERSION").into(),
        config_hash: String::new(),
        boot: start.boot,
        clock: start.quality,
        touchpoints: hospital.touchpoints.iter().map(|place| place.id.clone()).collect(),
        in_memory: false,
    };
    let boot = Draft { id: fresh::entry_id(&start), at: start, body: Body::Boot(facts) };
    journal.append(vec![boot])?;
    let mut walk = walk::Walk::new(hospital, start, wanted.seed)?;
    // A commit for each day: one for each visit, as a terminal makes it, would wait for the disk thousands of times.
    for day in visits.chunk_by(|a, b| a.day == b.day) {
        for visit in day {
            walk.visit(visit);
        }
        let drafts = walk.take();
        if !drafts.is_empty() {
            journal.append(drafts)?;
        }
    }
    journal.close()?;
    let done = dir.join(DONE);
    fs::write(&done, "example data: a program made these answers\n")
        .with_context(|| format!("cannot write {}", done.display()))
}

/// Enrols the terminal of the example, unless it is enrolled already.
///
/// # Errors
/// Central does not take it in.
pub fn enrol(
    dir: &Path,
    url: &str,
    code: impl FnOnce() -> anyhow::Result<String>,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let file = dir.join(IDENTITY);
    if Identity::load(&file).is_ok() {
        return Ok(());
    }
    let mut transport = HttpTransport::new(url, None, Deadlines::default())?;
    let code = EnrolmentCode::read(&code()?).context("central made a code of another length")?;
    enrol_through(&mut transport, &code, &file, EXAMPLE_HARDWARE, &clock.now())
        .context("cannot enrol the terminal of the example")?;
    Ok(())
}

/// The running terminal of the example: it sends its journal and then stays in contact. Dropping it stops it.
pub struct Sender {
    sync: SyncHandle,
    _worker: SyncWorker,
    recorder: Recorder,
}

impl Sender {
    /// Starts on a folder that [`write()`] and [`enrol`] have filled.
    ///
    /// # Errors
    /// The journal cannot be opened, or a thread cannot start.
    pub fn start(dir: &Path, url: &str, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let args = OpenArgs::new(fresh::chain_id(), clock.now());
        let (journal, _) =
            Journal::open(&dir.join("journal"), args).context("cannot open the example's journal")?;
        let (sync, inbox) = sync::wake_pair();
        let nudge = sync.clone();
        let recorder = Recorder::spawn(journal, clock.clone(), move |_| nudge.nudge())?;
        let mut args = SyncArgs::new(
            Link::new(Address { url: url.to_owned(), ca_file: None, takes_config: false }),
            dir.join(IDENTITY),
        );
        args.hardware_id = EXAMPLE_HARDWARE.to_owned();
        let worker = sync::spawn(inbox, recorder.handle(), clock.clone(), args)?;
        Ok(Self { sync, _worker: worker, recorder })
    }

    /// How the sending goes.
    pub fn sync(&self) -> &SyncHandle {
        &self.sync
    }

    /// The journal's thread.
    pub fn recorder(&self) -> RecorderHandle {
        self.recorder.handle()
    }
}

/// Where the journal of an example in this folder is.
pub fn journal_dir(dir: &Path) -> PathBuf {
    dir.join("journal")
}

/// What a first look needs: four weeks that end now.
pub fn usual(until: DateTime<Utc>) -> Wanted {
    Wanted { seed: 2026, days: 28, until }
}
