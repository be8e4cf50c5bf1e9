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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        central::domain::{
            contact::BootTime,
            ingest::{Ask, Batch, BootStart, HeldChain, LearntFrom, SignedRequest},
            machine::Machine,
        },
        model::{BootId, ChainId, EntryId, Moment, TimeQuality},
        questionnaire::Hospital,
        wire::{BatchHeader, Body, Draft, Entry, HelpCall},
    };

    const CHAIN: ChainId = ChainId([7; 16]);

    fn sent(up_ms: u64) -> Moment {
        Moment {
            wall: "2026-11-21T08:00:00Z".parse().unwrap(),
            boot: BootId::from_parts(1, [0; 10]),
            up_ms,
            quality: TimeQuality::Synced,
        }
    }

    fn help(seq: u64) -> String {
        let call = HelpCall { touchpoint: "ward".parse().unwrap(), lang: "en".parse().unwrap() };
        let id = EntryId::from_parts(seq, [1; 10]);
        let draft = Draft { id, at: sent(5), body: Body::HelpCalled(call) };
        Entry::new(draft, seq).to_line().unwrap()
    }

    /// A journal of a call for help, a line that cannot be read, and another call.
    fn journal() -> Vec<String> {
        vec![help(1), "{]".to_owned(), help(3)]
    }

    fn hash_after(lines: &[String]) -> Hash {
        chain::head(chain::genesis(CHAIN), lines.iter().map(String::as_bytes))
    }

    /// Lines of a journal from a place on, as `t-1` sends them.
    fn submission(journal: &[String], first: usize) -> Submission {
        let (before, lines) = journal.split_at(first - 1);
        let header = BatchHeader {
            chain: CHAIN,
            first_seq: first as u64,
            previous_hash: hash_after(before),
            count: u32::try_from(lines.len()).unwrap(),
            head_hash: hash_after(journal),
            sent: sent(60_000),
        };
        let body = format!("{}\n{}\n", serde_json::to_string(&header).unwrap(), lines.join("\n"));
        Submission {
            site: "main".parse().unwrap(),
            zone: chrono_tz::UTC,
            terminal: "t-1".parse().unwrap(),
            public_key: "key".to_owned(),
            batch: Batch::read(body.as_bytes()).unwrap(),
            proof: SignedRequest {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                protocol: "1".to_owned(),
                content_encoding: None,
                content_digest: String::new(),
                signature_input: String::new(),
                signature: String::new(),
                content: None,
            },
            hospital: Arc::new(Hospital {
                languages: Vec::new(),
                sites: Vec::new(),
                touchpoints: Vec::new(),
                questionnaires: Vec::new(),
            }),
            received_at: "2026-11-21T08:01:00Z".parse().unwrap(),
        }
    }

    /// What a store holds that has these lines of the journal, from this machine.
    fn holding(lines: &[String], terminal: &str, hardware: &str) -> Snapshot {
        let owner = Machine { terminal: terminal.parse().unwrap(), hardware: Some(hardware.to_owned()) };
        let accepted_through = lines.len() as u64;
        let chain = HeldChain { owner, accepted_through, head_hash: hash_after(lines), last_known_ms: None };
        Snapshot {
            hardware: Some("pi-1".to_owned()),
            chain: (accepted_through > 0).then_some(chain),
            ..Snapshot::default()
        }
    }

    fn decided(submission: &Submission, held: Snapshot) -> Decision {
        decide(submission, Reading::new(&submission.batch.lines), held)
    }

    fn accepted(through: u64, head_hash: Hash, stored: u32, duplicate: u32, help_calls: u32) -> Ingested {
        Ingested::Accepted {
            accepted_through: through,
            head_hash,
            stored,
            duplicate,
            quarantined: Vec::new(),
            counted: false,
            help_calls,
        }
    }

    #[test]
    fn a_new_journal_is_appended_from_its_beginning_with_what_its_lines_mean() {
        let journal = journal();
        let decision = decided(&submission(&journal, 1), holding(&[], "t-1", "pi-1"));
        let append = decision.append.unwrap();
        assert_eq!((append.accepted_through, append.head_hash), (3, hash_after(&journal)));
        assert_eq!((append.quarantined, append.withheld), (1, 0));
        assert_eq!((append.writes.entries.len(), append.writes.help.len()), (3, 2));
        let Ingested::Accepted { stored: 3, duplicate: 0, help_calls: 2, quarantined, .. } = decision.outcome
        else {
            panic!("{:?}", decision.outcome)
        };
        assert_eq!(quarantined.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2]);
        assert!(decision.incident.is_none());
    }

    #[test]
    fn of_a_batch_that_overlaps_only_the_new_lines_are_written() {
        let journal = journal();
        let decision = decided(&submission(&journal, 1), holding(&journal[..2], "t-1", "pi-1"));
        assert_eq!(decision.outcome, accepted(3, hash_after(&journal), 1, 2, 1));
        let append = decision.append.unwrap();
        assert_eq!(append.writes.entries.iter().map(|row| row.line.seq).collect::<Vec<_>>(), [3]);
        assert_eq!(append.quarantined, 0, "the line that cannot be read was counted before");
    }

    #[test]
    fn a_batch_that_is_held_already_writes_nothing_and_gets_the_same_receipt_again() {
        let journal = journal();
        let whole = decided(&submission(&journal, 1), holding(&journal, "t-1", "pi-1"));
        assert_eq!(whole.outcome, accepted(3, hash_after(&journal), 0, 3, 0));
        assert!(whole.append.is_none());
        // Part of what is held: the hash at its end is asked for.
        let part = submission(&journal[..2], 1);
        assert_eq!(Ask::about(&part, &Reading::new(&part.batch.lines)).hash_at, Some(2));
        let hash = Some(hash_after(&journal[..2]));
        let held = Snapshot { hash, ..holding(&journal, "t-1", "pi-1") };
        assert_eq!(decided(&part, held).outcome, accepted(3, hash_after(&journal), 0, 2, 0));
    }

    #[test]
    fn a_batch_beyond_a_gap_writes_nothing_and_is_told_how_far_central_is() {
        let journal = journal();
        let decision = decided(&submission(&journal, 3), holding(&journal[..1], "t-1", "pi-1"));
        assert_eq!(decision.outcome, accepted(1, hash_after(&journal[..1]), 0, 0, 0));
        assert!(decision.append.is_none() && decision.incident.is_none());
    }

    #[test]
    fn another_history_under_the_same_places_is_a_conflict_and_an_incident() {
        let (journal, other) = (journal(), vec![help(9)]);
        let decision = decided(&submission(&journal, 1), holding(&other, "t-1", "pi-1"));
        let head_hash = hash_after(&other);
        assert_eq!(decision.outcome, Ingested::Conflict { accepted_through: 1, head_hash });
        assert!(decision.append.is_none());
        let incident = decision.incident.unwrap();
        assert_eq!((incident.kind, incident.subject), (IncidentKind::Clone, CHAIN));
        assert!(incident.detail.contains("entries 1 to 3 differ"), "{}", incident.detail);
    }

    #[test]
    fn a_journal_goes_on_under_the_new_name_of_its_machine_and_is_a_conflict_from_another() {
        let journal = journal();
        let again = decided(&submission(&journal, 1), holding(&journal[..2], "t-0", "pi-1"));
        assert!(again.append.is_some() && again.incident.is_none());
        let other = decided(&submission(&journal, 1), holding(&journal[..2], "t-0", "pi-2"));
        assert!(
            matches!(other.outcome, Ingested::Conflict { accepted_through: 2, .. }) && other.append.is_none()
        );
        assert!(other.incident.unwrap().detail.contains("belongs to t-0"));
    }

    #[test]
    fn a_request_is_a_sign_of_life_whatever_becomes_of_its_batch_unless_it_is_played_back() {
        let (journal, other) = (journal(), vec![help(9)]);
        for lines in [&journal[..0], &journal[..], &other[..]] {
            assert!(decided(&submission(&journal, 1), holding(lines, "t-1", "pi-1")).contact.is_some());
        }
        let last_contact = Some(BootTime { boot: sent(0).boot, up_ms: 60_000 });
        let start = BootStart { began_ms: 5, from: LearntFrom::Contact };
        let boots = [(sent(0).boot, start)].into();
        let held = Snapshot { last_contact, boots, ..holding(&journal, "t-1", "pi-1") };
        assert!(decided(&submission(&journal, 1), held).contact.is_none());
    }
}
