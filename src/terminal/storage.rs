//! What a screen is told of storage: what became of the entries it gave, and whether they are held in memory alone.

use std::sync::{Arc, Mutex};

use super::in_force::lock;
use crate::{
    journal::{AppendError, Head, Keeping, Kept},
    survey::{JournalPlace, StoreOutcome},
};

/// What a screen is told of entries that were given to the journal.
pub fn outcome_of(kept: &Result<Kept, AppendError>) -> StoreOutcome {
    let place = |head: &Head| JournalPlace { chain: head.chain, seq: head.seq };
    match kept {
        Ok(Kept::OnDisk(head)) => StoreOutcome::OnDisk(place(head)),
        Ok(Kept::InMemory { head, unsaved }) => StoreOutcome::InMemory { at: place(head), unsaved: *unsaved },
        Err(_) => StoreOutcome::Refused,
    }
}

/// Whoever is to be told where entries go from now on. The journal's thread starts before there is a screen; what it has to tell until then
/// is kept.
#[derive(Clone, Default)]
pub(super) struct KeepingWatch(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    last: Option<Keeping>,
    tell: Option<Box<dyn Fn(Keeping) + Send>>,
}

impl KeepingWatch {
    pub fn tell(&self, keeping: Keeping) {
        let mut watched = lock(&self.0);
        watched.last = Some(keeping);
        if let Some(tell) = &watched.tell {
            tell(keeping);
        }
    }

    pub fn listen(&self, tell: impl Fn(Keeping) + Send + 'static) {
        let mut watched = lock(&self.0);
        if let Some(last) = watched.last {
            tell(last);
        }
        watched.tell = Some(Box::new(tell));
    }
}
