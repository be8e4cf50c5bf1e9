//! How often each kind of event happened in a run.

use std::collections::BTreeMap;

/// How often things happened: a test that never saw a fault proves nothing about it.
#[derive(Clone, Default, Debug)]
pub struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    const EVERYTHING: [&'static str; 20] = [
        "receipt",
        "lost request",
        "lost receipt",
        "duplicate",
        "late request",
        "captive portal",
        "forged receipt",
        "old receipt",
        "busy",
        "too large",
        "not allowed",
        "unsigned refusal",
        "crash",
        "crash between effects",
        "clock jump",
        "clone",
        "roll back",
        "restore",
        "new chain",
        "rewind",
    ];

    pub(super) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// How often something happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    pub fn is_everything(&self) -> Result<(), &'static str> {
        Self::EVERYTHING.iter().find(|what| !self.0.contains_key(*what)).map_or(Ok(()), |what| Err(what))
    }
}
