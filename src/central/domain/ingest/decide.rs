//! Decides about a batch: is it new, known, beyond a gap, or another history, and what is written because of it.
//!
//! A store reads what [`Ask::about`](super::Ask::about) names, calls [`decide`], and writes the [`Decision`] in the same transaction.

use super::{Ingested, Placement, Reading, Snapshot, Submission, Writes, batch::place, project::project};
use crate::{
    central::domain::{
        contact::{Contact, contact},
        incidents::{IncidentKind, NewIncident},
    },
    chain,
    model::Hash,
};

/// What a store writes because of a batch, and what the terminal is told once that is durable.
#[derive(Debug)]
pub(crate) struct Decision {
    /// What the terminal is told.
    pub(crate) outcome: Ingested,
    /// The sign of life in the request.
    pub(crate) contact: Option<Contact>,
    /// An incident.
    pub(crate) incident: Option<NewIncident>,
    /// New entries; with them the batch's signed head is kept.
    pub(crate) append: Option<Append>,
}

/// New entries of a journal and everything that changes with them.
#[derive(Debug)]
pub(crate) struct Append {
    /// How far the journal is held from now on.
    pub(crate) accepted_through: u64,
    /// Chain hash there.
    pub(crate) head_hash: Hash,
    /// Entries to add to those of the journal that are in the quarantine.
    pub(crate) quarantined: u64,
    /// Entries to add to those of the journal whose line did not come.
    pub(crate) withheld: u64,
    /// The entries and what they mean.
    pub(crate) writes: Writes,
}

/// Decides about a batch. `reading` reads all of its lines.
pub(crate) fn decide(submission: &Submission, reading: Reading<'_>, held: Snapshot) -> Decision {
    let batch = &submission.batch;
    let sent = &batch.header.sent;
    let contact =
        contact(held.last_contact, held.boots.contains_key(&sent.boot), sent, submission.received_at);
    let told = |outcome, incident| Decision { outcome, contact, incident, append: None };
    let (through, head_hash) = held
        .chain
        .as_ref()
        .map_or((0, chain::genesis(batch.header.chain)), |chain| (chain.accepted_through, chain.head_hash));
    let conflict = |detail| {
        let outcome = Ingested::Conflict { accepted_through: through, head_hash };
        told(outcome, Some(clone_incident(submission, detail)))
    };
    if let Some(chain) = &held.chain
        && !chain.owner.is(&held.sender(&submission.terminal))
    {
        return conflict(format!(
            "{} sent entries of a journal that belongs to {}",
            submission.terminal, chain.owner.terminal
        ));
    }
    let hash_at = |seq| if seq == through { Some(head_hash) } else { held.hash };
    let known = match place(batch, through, hash_at) {
        Placement::Append { known } => known,
        Placement::Gap => return told(nothing_new(through, head_hash, 0), None),
        Placement::Conflict => {
            return conflict(format!(
                "entries {} to {} differ from those held; two machines write this journal, or a card was restored",
                batch.header.first_seq,
                batch.last_seq()
            ));
        }
    };
    let Some(last) = batch.lines.get(known..).and_then(<[_]>::last) else {
        return told(nothing_new(through, head_hash, batch.header.count), None);
    };
    let writes = project(submission.context(), reading.after(known), held, Some(sent));
    let (quarantined, withheld) = writes.kept_aside();
    let outcome = Ingested::Accepted {
        accepted_through: last.seq,
        head_hash: last.hash,
        stored: count(writes.entries.len()),
        duplicate: count(known),
        quarantined: writes.quarantined(),
        counted: !writes.booked.counts.is_empty(),
        help_calls: count(writes.help.len()),
    };
    let append = Append { accepted_through: last.seq, head_hash: last.hash, quarantined, withheld, writes };
    Decision { outcome, contact, incident: None, append: Some(append) }
}

fn nothing_new(accepted_through: u64, head_hash: Hash, duplicate: u32) -> Ingested {
    Ingested::Accepted {
        accepted_through,
        head_hash,
        stored: 0,
        duplicate,
        quarantined: Vec::new(),
        counted: false,
        help_calls: 0,
    }
}

fn clone_incident(submission: &Submission, detail: String) -> NewIncident {
    NewIncident {
        kind: IncidentKind::Clone,
        subject: submission.batch.header.chain,
        terminal: submission.terminal.clone(),
        at: submission.received_at,
        detail,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
