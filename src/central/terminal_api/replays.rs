//! Requests that were seen before: somebody who records a terminal's request and sends it again must not make the terminal look alive.
//!
//! A bounded memory of signatures, in two halves: when the newer one is full it becomes the older one, and what was older is forgotten. Only
//! proven requests get in, so nobody can fill it but terminals.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};

/// Signatures in each half: half an hour of a thousand terminals that come every minute with two requests.
const REMEMBERED: usize = 65_536;

/// What is kept of a signature; 128 bits cannot be made to collide by chance.
type Mark = [u8; 16];

/// The signatures that were seen lately.
pub(in crate::central) struct Replays {
    halves: Mutex<(HashSet<Mark>, HashSet<Mark>)>,
    room: usize,
}

impl Replays {
    pub(in crate::central) fn new() -> Self {
        Self::with_room(REMEMBERED)
    }

    fn with_room(room: usize) -> Self {
        Self { halves: Mutex::default(), room }
    }

    /// Whether a signature is seen for the first time; remembers it.
    pub(in crate::central) fn is_new(&self, signature: &str) -> bool {
        let mut mark = Mark::default();
        let hash = Sha256::digest(signature.as_bytes());
        mark.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let (newer, older) = &mut *halves;
        if older.contains(&mark) || !newer.insert(mark) {
            return false;
        }
        if newer.len() >= self.room {
            *older = std::mem::take(newer);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::survived;

    #[test]
    fn a_signature_is_new_once_and_the_memory_is_bounded() {
        let replays = Replays::with_room(10);
        assert!(replays.is_new("a") && !replays.is_new("a"));
        for n in 0..9 {
            assert!(replays.is_new(&n.to_string()));
        }
        assert!(!replays.is_new("a"), "it is in the older half now");
        for n in 9..100 {
            assert!(replays.is_new(&n.to_string()));
            let halves = replays.halves.lock().unwrap();
            assert!(halves.0.len() < 10 && halves.1.len() <= 10);
        }
        assert!(replays.is_new("a"), "forgotten");
        survived!(45; 2, "replays");
    }
}
