//! Kiosks and their cards: starts, taps, crashes, copies, older images.

use std::{collections::BTreeSet, path::Path};

use chrono::TimeDelta;
use tempfile::TempDir;
use xinsheng::{
    journal::{Journal, OpenArgs},
    model::{BootId, ChainId, EntryId, Moment, TimeQuality},
    sync::{
        apply,
        engine::{Engine, Queue},
    },
    wire::{Body, Draft, SelfTest},
};

use super::{World, pace, true_time};

pub(super) struct Kiosk {
    dir: TempDir,
    journal: Option<Journal>,
    pub(super) engine: Engine,
    boot: BootId,
    booted_ms: u64,
    /// Between this kiosk's wall clock and the truth.
    wall_off: TimeDelta,
    quality: TimeQuality,
}

impl Kiosk {
    pub(super) fn journal(&mut self) -> &mut Journal {
        self.journal.as_mut().expect("open")
    }

    pub(super) fn queue(&mut self) -> Queue {
        let journal = self.journal();
        Queue { cursor: journal.cursor(), waiting: journal.queue_depth() }
    }
}

impl World {
    pub(super) fn moment(&self, kiosk: usize) -> Moment {
        let kiosk = &self.kiosks[kiosk];
        Moment {
            wall: true_time(self.now_ms) + kiosk.wall_off,
            boot: kiosk.boot,
            up_ms: self.now_ms - kiosk.booted_ms,
            quality: kiosk.quality,
        }
    }

    pub(super) fn boot_kiosk(&mut self, dir: TempDir) {
        let boot = BootId::from_parts(self.now_ms, self.dice.bytes());
        let engine = Engine::new(pace(), None);
        let (wall_off, quality) = (TimeDelta::zero(), TimeQuality::Unset);
        self.kiosks.push(Kiosk {
            dir,
            journal: None,
            engine,
            boot,
            booted_ms: self.now_ms,
            wall_off,
            quality,
        });
        let last = self.kiosks.len() - 1;
        self.open(last);
    }

    fn open(&mut self, i: usize) {
        let chain = ChainId(self.dice.bytes());
        let now = self.moment(i);
        let mut args = OpenArgs::new(chain, now);
        args.ballast_bytes = 4096;
        let (mut journal, _) = Journal::open(self.kiosks[i].dir.path(), args).expect("the journal opens");
        let limit = apply::remembered_limit(&mut journal);
        let kiosk = &mut self.kiosks[i];
        kiosk.engine = Engine::new(pace(), limit);
        kiosk.journal = Some(journal);
    }

    pub(super) fn tap(&mut self, i: usize) {
        let at = self.moment(i);
        let count = 1 + self.dice.below(4);
        let ids: Vec<EntryId> =
            (0..count).map(|_| EntryId::from_parts(self.now_ms, self.dice.bytes())).collect();
        let touchpoint: xinsheng::model::TouchpointId = "registration".parse().expect("an id");
        let drafts = ids.iter().map(|id| {
            let body =
                Body::SelfTest(SelfTest { touchpoint: touchpoint.clone(), target: id.to_string(), of: None });
            Draft { id: *id, at, body }
        });
        let drafts = drafts.collect();
        self.kiosks[i].journal().append(drafts).expect("the disk is good");
        self.tell(&format!("kiosk {i}: {count} taps"));
        self.thanked.extend(ids);
    }

    pub(super) fn jump_clock(&mut self, i: usize) {
        let days = i64::try_from(self.dice.below(40_000)).expect("small") - 20_000;
        let kiosk = &mut self.kiosks[i];
        kiosk.wall_off = TimeDelta::days(days);
        kiosk.quality = TimeQuality::Estimated;
        self.seen.count("clock jump");
        self.tell(&format!("kiosk {i}: clock off by {days} days"));
    }

    /// The power goes: what lies on the disk at this instant is what the next start finds.
    pub(super) fn crash(&mut self, i: usize) {
        let image = folder();
        copy(self.kiosks[i].dir.path(), image.path());
        let kiosk = &mut self.kiosks[i];
        kiosk.journal = None;
        kiosk.dir = image;
        kiosk.boot = BootId::from_parts(self.now_ms, self.dice.bytes());
        kiosk.booted_ms = self.now_ms;
        kiosk.wall_off = TimeDelta::zero();
        self.open(i);
        self.seen.count("crash");
        self.tell(&format!("kiosk {i}: crash"));
    }

    pub(super) fn copy_card(&mut self, i: usize) {
        // Two machines under one key are the worst case; one that notices the copy stops by itself.
        if self.kiosks.len() == 1 {
            let image = folder();
            copy(self.kiosks[i].dir.path(), image.path());
            self.boot_kiosk(image);
            self.seen.count("clone");
            self.tell(&format!("kiosk {i}: its card is copied into another machine"));
        }
    }

    pub(super) fn take_image(&mut self, i: usize) {
        let image = folder();
        copy(self.kiosks[i].dir.path(), image.path());
        self.images.push(image);
    }

    pub(super) fn roll_back(&mut self, i: usize) {
        let Some(image) = self.images.pop() else { return };
        self.kiosks[i].journal = None;
        self.kiosks[i].dir = image;
        self.open(i);
        let mut on_cards = BTreeSet::new();
        for kiosk in &mut self.kiosks {
            on_cards.extend(ids_on(kiosk.journal()));
        }
        // A tap that only the exchanged card held is lost with it, as with any lost card.
        let gone = self.thanked.iter().filter(|id| !on_cards.contains(id)).copied();
        self.rolled_back.extend(gone);
        self.seen.count("roll back");
        self.tell(&format!("kiosk {i}: an older image of a card is put in"));
    }
}

/// In memory where the machine has such a place: the model crashes often, and here power never really fails.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        if entry.file_type().expect("a type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// The ids of everything that lies on a card.
fn ids_on(journal: &mut Journal) -> Vec<EntryId> {
    #[derive(serde::Deserialize)]
    struct Exported {
        entry: Option<Id>,
    }
    #[derive(serde::Deserialize)]
    struct Id {
        id: EntryId,
    }
    let mut text = Vec::new();
    journal.export(&mut text).expect("readable");
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |line| serde_json::from_slice::<Exported>(line).expect("an exported line");
    lines.filter_map(|line| read(line).entry).map(|entry| entry.id).collect()
}
