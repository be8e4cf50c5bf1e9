//! What a store reads before anything is decided about lines: an [`Ask`] names it, a [`Snapshot`] holds it.
//!
//! A store reads and writes in one transaction in which nobody else writes to the same terminal, journal or responses. It may read more
//! than it is asked for of a list, never less: what is not in a snapshot is not held.

use std::collections::{BTreeSet, HashMap};

use super::{
    help::HELP_SPAN_MS,
    ledger::{AnswerRow, ReasonsRow, ResponseRow},
    moves::Standing,
    project::Context,
    reading::Reading,
    submission::Submission,
    time::BootStart,
};
use crate::{
    central::domain::{contact::BootTime, machine::Machine},
    model::{BootId, ChainId, EntryId, Hash, ResponseId, TerminalId},
};

/// What is to be read, all of one site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ask {
    /// The terminal that writes: its machine, its last contact, where it stands.
    pub(crate) terminal: TerminalId,
    /// The journal: how far it is held, and whose it is.
    pub(crate) chain: ChainId,
    /// A place in the journal whose chain hash is to be read.
    pub(crate) hash_at: Option<u64>,
    /// Entry ids: the places of those that are known.
    pub(crate) entry_ids: BTreeSet<EntryId>,
    /// Visitors' passes: their rows, with all answers and reasons.
    pub(crate) responses: BTreeSet<ResponseId>,
    /// The same passes and those that they replace: whose they are.
    pub(crate) owned: BTreeSet<ResponseId>,
    /// Boots of the terminal: their start, or if it is not known, the answers that wait for it.
    pub(crate) boots: BTreeSet<BootId>,
    /// Buttons of the terminal: when each was last tested.
    pub(crate) tested: BTreeSet<String>,
    /// Open calls for help of the terminal are counted that came after this, Unix milliseconds.
    pub(crate) help_after_ms: Option<i64>,
}

impl Ask {
    /// What decides about a batch. `reading` reads its lines.
    pub(crate) fn about(submission: &Submission, reading: &Reading<'_>) -> Self {
        let mut ask = Self::about_lines(submission.context(), reading);
        ask.hash_at = Some(submission.batch.last_seq());
        ask.boots.insert(submission.batch.header.sent.boot);
        ask
    }

    /// What decides about lines that are held already.
    pub(crate) fn about_lines(context: Context<'_>, reading: &Reading<'_>) -> Self {
        let responses = reading.responses();
        let received_ms = context.received_at.timestamp_millis();
        Self {
            terminal: context.terminal.clone(),
            chain: context.chain,
            hash_at: None,
            entry_ids: reading.entry_ids().collect(),
            owned: responses.union(&reading.replaced()).copied().collect(),
            responses,
            boots: reading.boots(),
            tested: reading.tested(),
            help_after_ms: reading.calls_help().then(|| received_ms.saturating_sub(HELP_SPAN_MS)),
        }
    }
}

/// A journal as it is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldChain {
    /// The machine that writes it.
    pub owner: Machine,
    /// End of the unbroken prefix.
    pub accepted_through: u64,
    /// Chain hash there.
    pub head_hash: Hash,
    /// Its latest dated entry, Unix milliseconds.
    pub last_known_ms: Option<i64>,
}

/// What a store holds of what an [`Ask`] names.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// What the sender's machine calls itself; `None` where no such terminal is enrolled.
    pub hardware: Option<String>,
    /// The sender's own clock at its last sign of life.
    pub last_contact: Option<BootTime>,
    /// Where the sender stands.
    pub standing: Standing,
    /// The journal.
    pub chain: Option<HeldChain>,
    /// The chain hash at the place asked for.
    pub hash: Option<Hash>,
    /// Places of those entry ids that are known.
    pub places: HashMap<EntryId, (ChainId, u64)>,
    /// Those responses that are known.
    pub responses: Vec<ResponseRow>,
    /// All answers of these responses.
    pub answers: Vec<AnswerRow>,
    /// All reasons of these responses.
    pub reasons: Vec<ReasonsRow>,
    /// Those of the owned responses that are known, with the machine that wrote them.
    pub owners: HashMap<ResponseId, Machine>,
    /// Those boots that are known.
    pub boots: HashMap<BootId, BootStart>,
    /// Answers without an hour, of the sender's boots that are not known yet, and the reasons for them.
    pub undated: Vec<(AnswerRow, Option<ReasonsRow>)>,
    /// When those of the buttons were last tested that ever were, Unix milliseconds.
    pub tested: HashMap<String, i64>,
    /// Calls for help of the sender that came within the asked time, are open and stand in the list one by one.
    pub help_open: u64,
}

impl Snapshot {
    /// The machine that sends.
    pub(super) fn sender(&self, terminal: &TerminalId) -> Machine {
        Machine { terminal: terminal.clone(), hardware: self.hardware.clone() }
    }

    /// Those of the owned responses that belong to another machine than the sender, with the terminal that wrote them.
    pub(super) fn foreign(&self, sender: &Machine) -> HashMap<ResponseId, TerminalId> {
        let foreign = self.owners.iter().filter(|(_, owner)| !owner.is(sender));
        foreign.map(|(response, owner)| (*response, owner.terminal.clone())).collect()
    }
}
