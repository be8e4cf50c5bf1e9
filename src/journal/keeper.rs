//! Entries while the disk refuses: a bounded journal in memory, sent directly, and written down as soon as the disk takes entries again.
//!
//! A card that turned read-only refuses every commit. Then the terminal goes on in memory, with the same code and tables, under a chain of its
//! own: central sees it as one more chain of this terminal, whose first entry says that it is held in memory. Invariants:
//! - nothing in memory is ever called stored: [`Kept::InMemory`] is no thanks;
//! - at most [`MEMORY_ENTRIES_MAX`] entries wait in memory; what comes after them is refused as the disk refused it;
//! - what central has not signed for, or has refused, is written to the disk under its entry ids before the memory is given up. Sent twice
//!   in two chains it still counts once, because central knows entries by their ids.

use super::{AppendError, Head, Journal, JournalError, OpenArgs, Row, Stats, files, rows};
use crate::{
    model::{ChainId, EntryId, Moment},
    wire::{Body, BootFacts, Draft, Entry},
};

/// Entries that may wait in memory: a quarter of a megabyte, and a busy day without central.
pub const MEMORY_ENTRIES_MAX: u64 = 500;

/// Whether the disk takes entries again is tried this often, in milliseconds.
const TRY_DISK_MS: u64 = 60_000;

/// When the disk took something again after it had refused, in the journal's key-value table.
const DISK_BACK_KEY: &str = "disk_back";

/// Where entries are after they were given to the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// On the disk.
    OnDisk(Head),
    /// In memory alone; lost if the power goes before central has them.
    InMemory {
        /// The end of the chain in memory.
        head: Head,
        /// Entries in memory that central has not signed for.
        unsaved: u64,
    },
}

impl Kept {
    /// The end of the chain that the entries went to.
    pub const fn head(&self) -> Head {
        match self {
            Self::OnDisk(head) | Self::InMemory { head, .. } => *head,
        }
    }
}

/// The random names that a chain in memory needs, should one begin.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The chain's.
    pub chain: ChainId,
    /// Its first entry's.
    pub boot: EntryId,
}

/// The terminal's journal, with the one in memory while there is one.
pub struct Keeper {
    disk: Journal,
    memory: Option<Memory>,
}

struct Memory {
    journal: Journal,
    /// When the disk was tried last, on the boot clock.
    tried_up_ms: u64,
}

impl Keeper {
    /// Keeps entries in this journal as long as its disk takes them.
    pub const fn new(disk: Journal) -> Self {
        Self { disk, memory: None }
    }

    /// The journal on the disk.
    pub const fn disk(&mut self) -> &mut Journal {
        &mut self.disk
    }

    /// The journal whose entries are sent now: the one in memory while there is one, because they are in danger and because a disk that
    /// refuses entries cannot note what central has signed for.
    pub fn sending(&mut self) -> &mut Journal {
        match &mut self.memory {
            Some(memory) => &mut memory.journal,
            None => &mut self.disk,
        }
    }

    /// Entries in memory that central has not signed for; `None` while the disk takes entries.
    pub fn unsaved(&self) -> Option<u64> {
        self.memory.as_ref().map(|memory| memory.journal.queue_depth())
    }

    /// How the journal is, with what is held in memory.
    pub fn stats(&mut self) -> Result<Stats, JournalError> {
        let unsaved = self.unsaved();
        // A disk that turned read-only may refuse to be read too; staff are told what is known.
        let stats = match self.disk.stats() {
            Err(_) if self.memory.is_some() => self.disk.stats_without_database(),
            read => read?,
        };
        Ok(Stats { queue_depth: stats.queue_depth + unsaved.unwrap_or(0), unsaved, ..stats })
    }

    /// Keeps entries: on the disk, or in memory if it refuses.
    pub fn append(
        &mut self,
        drafts: Vec<Draft>,
        now: &Moment,
        names: impl FnOnce() -> Names,
    ) -> Result<Kept, AppendError> {
        if self.memory.is_none() {
            match self.disk.append(drafts.clone()) {
                Ok(head) => return Ok(Kept::OnDisk(head)),
                Err(error @ (AppendError::ReadOnly(_) | AppendError::Io(_))) => {
                    self.memory = Some(begin(&self.disk, names(), now, &error).ok_or(error)?);
                    // They are not lost yet.
                    self.disk.not_stored = self.disk.not_stored.saturating_sub(drafts.len() as u64);
                }
                Err(error) => return Err(error),
            }
        }
        self.hold(drafts)
    }

    fn hold(&mut self, drafts: Vec<Draft>) -> Result<Kept, AppendError> {
        let count = drafts.len() as u64;
        let Some(memory) = &mut self.memory else { return Err(AppendError::Gone) };
        let held = if memory.journal.queue_depth() + count > MEMORY_ENTRIES_MAX {
            Err(AppendError::MemoryFull)
        } else {
            memory.journal.append(drafts)
        };
        match held {
            Ok(head) => Ok(Kept::InMemory { head, unsaved: memory.journal.queue_depth() }),
            Err(error) => {
                self.disk.not_stored += count;
                Err(error)
            }
        }
    }

    /// Tries, now and then, whether the disk takes entries again. Gives the chain that was held in memory once it is on the disk.
    pub fn write_down(&mut self, now: &Moment) -> Option<ChainId> {
        let memory = self.memory.as_mut()?;
        if now.up_ms.saturating_sub(memory.tried_up_ms) < TRY_DISK_MS {
            return None;
        }
        memory.tried_up_ms = now.up_ms;
        self.write_down_now(now)
    }

    /// The same without a wait, for the end of the program.
    fn write_down_now(&mut self, now: &Moment) -> Option<ChainId> {
        let memory = self.memory.as_mut()?;
        if files::is_read_only(self.disk.dir()) {
            return None;
        }
        let chain = memory.journal.head().chain;
        let not_stored = self.disk.not_stored;
        let written = memory.journal.undelivered().map_err(|error| error.to_string()).and_then(|drafts| {
            let count = drafts.len();
            if count == 0 {
                // A commit shows that the disk takes something.
                self.disk
                    .set_meta(DISK_BACK_KEY, &now.wall.to_rfc3339())
                    .map_err(|error| error.to_string())?;
            } else {
                self.disk.append(drafts).map_err(|error| error.to_string())?;
            }
            Ok(count)
        });
        self.disk.not_stored = not_stored;
        match written {
            Ok(count) => {
                tracing::info!(
                    count,
                    "the disk takes entries again; those that were held in memory are stored"
                );
                self.memory = None;
                Some(chain)
            }
            Err(error) => {
                tracing::warn!(error, "the disk still refuses entries");
                None
            }
        }
    }

    /// Begins another chain in memory when the one there has been sent and is long, so that memory stays flat however long this lasts.
    pub(super) fn renew_memory(&mut self, now: &Moment, names: impl FnOnce() -> Names) {
        let Some(memory) = &mut self.memory else { return };
        let head = memory.journal.head();
        if memory.journal.queue_depth() == 0
            && memory.journal.state.refused == 0
            && head.seq > MEMORY_ENTRIES_MAX
        {
            match in_memory(&self.disk, names(), now) {
                Ok(journal) => memory.journal = journal,
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the memory could not be renewed"
                ),
            }
        }
    }

    /// Closes the journal; what is held in memory is written down if the disk takes it.
    pub fn close(mut self, now: &Moment) -> Result<(), JournalError> {
        if self.memory.is_some() && self.write_down_now(now).is_none() {
            tracing::error!(unsaved = self.unsaved(), "entries that were held in memory are lost");
        }
        self.disk.close()
    }
}

fn begin(disk: &Journal, names: Names, now: &Moment, refused: &AppendError) -> Option<Memory> {
    tracing::error!(
        error = refused as &dyn std::error::Error,
        "the disk refuses entries; they are held in memory and sent directly"
    );
    match in_memory(disk, names, now) {
        Ok(journal) => Some(Memory { journal, tried_up_ms: now.up_ms }),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "entries cannot be held in memory either"
            );
            None
        }
    }
}

/// An empty journal in memory but for the entry that says what it is.
fn in_memory(disk: &Journal, names: Names, now: &Moment) -> Result<Journal, AppendError> {
    let args = OpenArgs { retention: disk.retention, ..OpenArgs::new(names.chain, *now) };
    let mut journal = Journal::in_memory(&args).map_err(AppendError::Io)?;
    let facts = BootFacts {
        software: env!("CARGO_PKG_VERSION").into(),
        config_hash: String::new(),
        boot: now.boot,
        clock: now.quality,
        touchpoints: Vec::new(),
        in_memory: true,
    };
    journal.append(vec![Draft { id: names.boot, at: *now, body: Body::Boot(facts) }])?;
    Ok(journal)
}

impl Journal {
    /// What central has not signed for, and what it refused: everything that would be lost with this journal.
    fn undelivered(&mut self) -> Result<Vec<Draft>, JournalError> {
        while self.state.to_carry > 0 {
            self.carry_step()?;
        }
        let (delivered, last_n) = (self.state.base + self.state.cursor, self.state.last_n());
        let mut drafts = Vec::new();
        let mut take = |row: Row| {
            let is_missing = !row.is_carried && (row.n > delivered || row.refused.is_some());
            let entry = row.line.filter(|_| is_missing).and_then(|line| Entry::from_line(&line).ok());
            let tells_of_memory = |body: &Body| matches!(body, Body::Boot(facts) if facts.in_memory);
            if let Some(Entry { id, at, body, .. }) = entry.filter(|entry| !tells_of_memory(&entry.body)) {
                drafts.push(Draft { id, at, body });
            }
            true
        };
        rows::scan(self.db()?, 1, last_n, usize::MAX, &mut take)?;
        Ok(drafts)
    }
}
