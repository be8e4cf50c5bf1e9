//! The names that values have in the tables of every store.

use super::StoreError;
use crate::{
    central::domain::ingest::{EntryState, LearntFrom, TimeBasis, Timed},
    central::store::IncidentKind,
    model::Scale,
    wire::{EndOutcome, Flag},
};

pub(super) fn scale(name: &str) -> Result<Scale, StoreError> {
    Scale::from_name(name).ok_or_else(|| StoreError::damaged("scale", name))
}

pub(super) fn incident_kind(name: &str) -> Result<IncidentKind, StoreError> {
    IncidentKind::from_name(name).ok_or_else(|| StoreError::damaged("kind of incident", name))
}

pub(super) fn entry_state(name: &str, reason: Option<String>) -> Result<EntryState, StoreError> {
    EntryState::from_name(name, reason).ok_or_else(|| StoreError::damaged("state of an entry", name))
}

pub(super) fn timed(at_ms: i64, basis: &str) -> Result<Timed, StoreError> {
    let basis = TimeBasis::from_name(basis).ok_or_else(|| StoreError::damaged("time basis", basis))?;
    Ok(Timed { at_ms, basis })
}

pub(super) fn learnt_from(name: &str) -> Result<LearntFrom, StoreError> {
    LearntFrom::from_name(name).ok_or_else(|| StoreError::damaged("source of a boot's start", name))
}

pub(super) const fn outcome_name(outcome: EndOutcome) -> &'static str {
    match outcome {
        EndOutcome::Completed => "completed",
        EndOutcome::TimedOut => "timed_out",
        EndOutcome::Left => "left",
        EndOutcome::Undone => "undone",
    }
}

pub(super) fn outcome(name: &str) -> Result<EndOutcome, StoreError> {
    [EndOutcome::Completed, EndOutcome::TimedOut, EndOutcome::Left, EndOutcome::Undone]
        .into_iter()
        .find(|outcome| outcome_name(*outcome) == name)
        .ok_or_else(|| StoreError::damaged("outcome", name))
}

const fn flag_name(flag: Flag) -> &'static str {
    match flag {
        Flag::Repeat => "repeat",
        Flag::Burst => "burst",
        Flag::TooFast => "too_fast",
        Flag::Sweep => "sweep",
        Flag::Other => "other",
    }
}

fn flag(name: &str) -> Flag {
    [Flag::Repeat, Flag::Burst, Flag::TooFast, Flag::Sweep]
        .into_iter()
        .find(|flag| flag_name(*flag) == name)
        .unwrap_or(Flag::Other)
}

/// Flags as `repeat|burst`; empty for none.
pub(super) fn flags_text(flags: &[Flag]) -> String {
    flags.iter().map(|flag| flag_name(*flag)).collect::<Vec<_>>().join("|")
}

/// The flags that [`flags_text`] wrote; what is not known is [`Flag::Other`].
pub(super) fn flags(text: &str) -> Vec<Flag> {
    text.split('|').filter(|name| !name.is_empty()).map(flag).collect()
}
