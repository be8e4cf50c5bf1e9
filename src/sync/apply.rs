//! What the engine's effects do to the journal: shared by the sync thread and by the model test, so that what is tested is what runs.

use super::engine::{Effect, NewChainReason};
use crate::{
    chain,
    journal::{Journal, JournalError},
    model::{ChainId, Moment},
};

/// The batch size that passed, in the journal's key-value table.
const LIMIT_KEY: &str = "sync_batch_entries";

/// Does what an effect asks of the journal. `asked_about` is the chain the request was about: if the journal has begun another one since,
/// an answer about the old one changes nothing. Effects that are not the journal's do nothing here.
pub fn apply(
    journal: &mut Journal,
    effect: &Effect,
    asked_about: ChainId,
    new_chain: ChainId,
    now: &Moment,
) -> Result<(), JournalError> {
    let same_chain = journal.head().chain == asked_about;
    match effect {
        Effect::MoveCursor { through, head } if same_chain => journal.acknowledge(*through, *head, now),
        Effect::Rewind { through, head } if same_chain => journal.rewind(*through, *head),
        Effect::Refuse { seq, reason } if same_chain => journal.refuse(*seq, reason),
        Effect::NewChain(_) => begin_chain(journal, new_chain, now),
        Effect::Quarantined(entries) => {
            let known = journal.stats()?.quarantined;
            let reason = entries.last().map(|entry| entry.reason.as_str());
            journal.note_quarantined(known.saturating_add(entries.len() as u64), reason)
        }
        Effect::QuarantineIs(n) => journal.note_quarantined(*n, None),
        Effect::RememberLimit(limit) => journal.set_meta(LIMIT_KEY, &limit.to_string()),
        Effect::MoveCursor { .. }
        | Effect::Rewind { .. }
        | Effect::Refuse { .. }
        | Effect::SetBadge(_)
        | Effect::ApplyConfig { .. }
        | Effect::SetClock(_) => Ok(()),
    }
}

/// Begins a chain that holds everything this journal still has, acknowledged entries too: where two histories part is not known, and a
/// central that was restored may have lost what it signed for. Central knows entries by their ids and counts none twice. So one chain is
/// always enough to refill central from.
pub(crate) fn begin_chain(
    journal: &mut Journal,
    new_chain: ChainId,
    now: &Moment,
) -> Result<(), JournalError> {
    journal.rewind(0, chain::genesis(journal.head().chain))?;
    journal.start_new_chain(new_chain, now).map(|_| ())
}

/// The remembered batch size, if one was found to pass.
pub fn remembered_limit(journal: &mut Journal) -> Option<usize> {
    journal.meta(LIMIT_KEY).ok().flatten().and_then(|text| text.parse().ok())
}

/// What a journal's refusal means for its chain; `None` where it means trouble with storage.
pub fn ends_chain(error: &JournalError) -> Option<NewChainReason> {
    match error {
        JournalError::HeadMismatch { .. } => Some(NewChainReason::NotOurs),
        JournalError::Ahead { .. } => Some(NewChainReason::CentralAhead),
        JournalError::Damaged { .. } => Some(NewChainReason::Damaged),
        JournalError::NotWaiting { .. }
        | JournalError::ChainUsed(_)
        | JournalError::Storage(_)
        | JournalError::Io(_) => None,
    }
}
