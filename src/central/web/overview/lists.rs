//! Incidents and terminals.

use chrono::{DateTime, Utc};

use crate::{
    central::{
        queries::{chains::ChainRow, incidents::IncidentRow, terminals::TerminalRow},
        store::IncidentKind,
        web::words::Words,
    },
    lang::CentralText,
};

/// An incident.
pub(super) struct Incident {
    pub(super) kind: String,
    pub(super) facts: String,
    pub(super) detail: String,
}

pub(super) fn incidents(words: Words, rows: Vec<IncidentRow>, now: DateTime<Utc>) -> Vec<Incident> {
    let kind = |kind: IncidentKind| match kind {
        IncidentKind::Clone => CentralText::Clone,
        IncidentKind::LostEntries => CentralText::LostEntries,
        IncidentKind::Quarantine => CentralText::Quarantine,
        IncidentKind::ConfigRefused => CentralText::ConfigRefused,
        IncidentKind::RestartNeeded => CentralText::RestartNeeded,
        IncidentKind::SiteMissing => CentralText::SiteMissing,
    };
    let row = |row: IncidentRow| {
        let times = words.fill(CentralText::Times, &[("n", &row.times.to_string())]);
        let terminal = row.terminal.map(|id| id.to_string());
        let facts: Vec<String> =
            terminal.into_iter().chain([words.ago(Some(row.last_at), now), times]).collect();
        Incident { kind: words.t(kind(row.kind)).to_owned(), facts: facts.join(" · "), detail: row.detail }
    };
    rows.into_iter().map(row).collect()
}

/// A terminal.
pub(super) struct Terminal {
    pub(super) id: String,
    pub(super) place: String,
    /// `ok`, `stale` or `revoked`.
    pub(super) state: &'static str,
    pub(super) word: &'static str,
    pub(super) queue: String,
    pub(super) seen: String,
    pub(super) facts: String,
    pub(super) error: Option<String>,
}

pub(super) fn terminals(
    words: Words,
    rows: &[TerminalRow],
    chains: &[ChainRow],
    now: DateTime<Utc>,
) -> Vec<Terminal> {
    let row = |row: &TerminalRow| {
        let (state, word) = match (row.revoked_at, row.stale) {
            (Some(_), _) => ("revoked", CentralText::Revoked),
            (None, true) => ("stale", CentralText::Stale),
            (None, false) => ("ok", CentralText::Fine),
        };
        let held = chains.iter().filter(|chain| chain.terminal == row.terminal).map(|chain| {
            let text = if chain.complete { CentralText::HeldComplete } else { CentralText::HeldIncomplete };
            words.fill(text, &[("range", &chain.range)])
        });
        let facts: Vec<String> = held.chain([tested(words, row, now)]).collect();
        let name = words.name(&row.names);
        Terminal {
            id: row.terminal.to_string(),
            place: if name.is_empty() { row.touchpoint.to_string() } else { name },
            state,
            word: words.t(word),
            queue: row.queue_depth.map_or_else(|| "–".to_owned(), |n| n.to_string()),
            seen: words.fill(CentralText::Seen, &[("ago", &words.ago(row.last_seen, now))]),
            facts: facts.join(" · "),
            error: row.last_error.clone().filter(|_| state != "ok"),
        }
    };
    rows.iter().map(row).collect()
}

fn tested(words: Words, row: &TerminalRow, now: DateTime<Utc>) -> String {
    let Some(at) = row.self_test_at else { return words.t(CentralText::Untested).to_owned() };
    let (ago, n) = (words.ago(Some(at), now), row.self_test_targets.unwrap_or(0).to_string());
    match row.self_test_of {
        Some(of) => words.fill(CentralText::TestedOf, &[("ago", &ago), ("n", &n), ("of", &of.to_string())]),
        None => words.fill(CentralText::Tested, &[("ago", &ago), ("n", &n)]),
    }
}
