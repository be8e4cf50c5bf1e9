//! Counts always equal a recount, whatever is sent in whatever pieces (fault 47).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use proptest::prelude::*;
use xinsheng::{
    central::store::{Ingested, Store},
    model::{EntryId, Moment},
    wire::{Body, Draft, EndOutcome},
};

use super::{Kind, all_counts, send, site};
use crate::{
    chance,
    faults::survived,
    journal::{Journal, answer, end, flagged},
};

#[derive(Clone, Debug)]
enum Tap {
    Answer { response: u64, value: u8, flagged: bool },
    End { response: u64, undone: bool },
    Junk,
    Repeated { of: usize },
}

#[derive(Clone, Debug)]
struct Sending {
    journal: usize,
    back: u64,
    count: usize,
}

fn tap() -> impl Strategy<Value = Tap> {
    prop_oneof![
        6 => (0..6u64, 1..=6u8, any::<bool>()).prop_map(|(response, value, flagged)| Tap::Answer { response, value, flagged }),
        2 => (0..6u64, any::<bool>()).prop_map(|(response, undone)| Tap::End { response, undone }),
        1 => Just(Tap::Junk),
        1 => (0..40usize).prop_map(|of| Tap::Repeated { of }),
    ]
}

fn sending() -> impl Strategy<Value = Sending> {
    (0..2usize, 0..5u64, 1..8usize).prop_map(|(journal, back, count)| Sending { journal, back, count })
}

/// The simplest thing that could be right: every entry once, and of a response's answers the one that was written last.
#[derive(Default)]
struct Model {
    seen: BTreeSet<EntryId>,
    answers: BTreeMap<u64, (u64, u8, bool)>,
    undone: BTreeSet<u64>,
}

impl Model {
    fn take(&mut self, written: &Written) {
        if !self.seen.insert(written.id) {
            return;
        }
        match &written.tap {
            Tap::Answer { response, value: value @ 1..=5, flagged } => {
                let answer = self.answers.entry(*response).or_default();
                *answer = (*answer).max((written.at.up_ms, *value, *flagged));
            }
            Tap::End { response, undone: true } => {
                self.undone.insert(*response);
            }
            Tap::Answer { .. } | Tap::End { .. } | Tap::Junk | Tap::Repeated { .. } => {}
        }
    }

    fn counts(&self) -> BTreeMap<(String, u8, bool), u64> {
        let mut sums = BTreeMap::new();
        for (_, (_, value, flagged)) in
            self.answers.iter().filter(|(response, _)| !self.undone.contains(response))
        {
            *sums.entry(("a".to_owned(), *value, *flagged)).or_default() += 1;
        }
        sums
    }
}

/// An entry of a journal.
#[derive(Clone)]
struct Written {
    id: EntryId,
    at: Moment,
    tap: Tap,
}

/// Writes taps into a journal; the second journal carries entries of the first over as they are.
fn write(journal: &mut Journal, taps: &[Tap], other: &[Written], offset: u64) -> Vec<Written> {
    let mut written = Vec::new();
    for tap in taps {
        let at = journal.now();
        let (id, at, tap) = match tap.clone() {
            Tap::Answer { response, value, flagged: doubt } => {
                let response = response + offset;
                let id = journal.push(maybe_flagged(answer(response, value), doubt));
                (id, at, Tap::Answer { response, value, flagged: doubt })
            }
            Tap::End { response, undone } => {
                let response = response + offset;
                let outcome = if undone { EndOutcome::Undone } else { EndOutcome::Completed };
                (journal.push(end(response, outcome)), at, Tap::End { response, undone })
            }
            Tap::Junk => {
                journal.push_raw(b"{]".to_vec());
                (EntryId::from_parts(journal.last_seq(), [journal.chain.0[0]; 10]), at, Tap::Junk)
            }
            Tap::Repeated { of } => {
                let Some(Written { id, at, tap: Tap::Answer { response, value, flagged: doubt } }) =
                    other.get(of).cloned()
                else {
                    continue;
                };
                journal.push_draft(Draft { id, at, body: maybe_flagged(answer(response, value), doubt) });
                (id, at, Tap::Answer { response, value, flagged: doubt })
            }
        };
        written.push(Written { id, at, tap });
    }
    written
}

fn maybe_flagged(body: Body, doubt: bool) -> Body {
    if doubt { flagged(body) } else { body }
}

async fn counts_equal_a_recount(store: Arc<dyn Store>, taps: [Vec<Tap>; 2], sendings: Vec<Sending>) {
    let mut journals = [Journal::new(1), Journal::new(2)];
    let first = write(&mut journals[0], &taps[0], &[], 0);
    let second = write(&mut journals[1], &taps[1], &first, 100);
    let written = [first, second];
    let (mut model, mut through) = (Model::default(), [0_u64; 2]);
    let drain = (0..2).flat_map(|journal| (0..30).map(move |_| Sending { journal, back: 0, count: 7 }));
    for Sending { journal: which, back, count } in sendings.into_iter().chain(drain) {
        let journal = &journals[which];
        // From a little behind the cursor to a little beyond it: overlaps, repeats and gaps.
        let first = (through[which] + 2).saturating_sub(back).max(1);
        let first = if back == 0 { through[which] + 1 } else { first };
        if first > journal.last_seq() {
            continue;
        }
        let count = count.min(usize::try_from(journal.last_seq() - first + 1).unwrap());
        let Ingested::Accepted { accepted_through, .. } = send(&store, "t-1", journal, first, count).await
        else {
            panic!("one history is no conflict");
        };
        for seq in through[which] + 1..=accepted_through {
            model.take(&written[which][usize::try_from(seq).unwrap() - 1]);
        }
        through[which] = accepted_through;
        assert_eq!(all_counts(&store).await, model.counts());
        assert!(store.drift(&site()).await.unwrap().is_empty());
    }
    assert_eq!(through, [journals[0].last_seq(), journals[1].last_seq()], "in the end everything is held");
}

/// Histories tried so far.
static CASES: AtomicU32 = AtomicU32::new(0);

contract_of_kind! { counts_equal_a_recount_whatever_is_sent_in_whatever_pieces }

fn counts_equal_a_recount_whatever_is_sent_in_whatever_pieces<K: Kind>() {
    let taps = || prop::collection::vec(tap(), 1..40);
    proptest!(chance::cases(24), |(one in taps(), two in taps(), sendings in prop::collection::vec(sending(), 0..20))| {
        K::run(|store| counts_equal_a_recount(store, [one, two], sendings));
        CASES.fetch_add(1, Ordering::Relaxed);
    });
    survived!(47; CASES.load(Ordering::Relaxed), "histories");
}
