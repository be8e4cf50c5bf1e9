//! The current state of responses and answers, and the count changes of each entry.
//!
//! Invariant: the sum of all bookings equals a recount of the answers that are `counted`, and of the reasons that belong to the value such
//! an answer stands at. A response that was undone once stays
//! undone, and of two answers to the same question of the same response the later one stands, whatever order they are booked in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono_tz::Tz;

use super::time::{BootStart, HOUR_UNKNOWN, Timed};
use crate::{
    model::{
        BootId, ChainId, Lang, QuestionId, QuestionnaireRef, ReasonId, ResponseId, Scale, TerminalId,
        TouchpointId, Value,
    },
    wire::{EndOutcome, Flag},
};

/// Where an entry stands, when it was written and when it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The journal.
    pub chain: ChainId,
    /// Its place there.
    pub seq: u64,
    /// The boot it was written in.
    pub boot: BootId,
    /// Milliseconds into that boot.
    pub up_ms: u64,
    /// When central received it, Unix milliseconds.
    pub received_ms: i64,
}

impl Origin {
    /// Whether an entry from here replaces one from there: the boot clock's order within a boot, else the order within a journal, and
    /// arrival between journals.
    ///
    /// The boot clock goes first because places can mislead: a new chain takes taps before the older entries are carried into it, so
    /// that an answer and the one it replaced can stand there in the wrong order.
    fn supersedes(self, other: Self) -> bool {
        if self.boot == other.boot && self.up_ms != other.up_ms {
            self.up_ms > other.up_ms
        } else if self.chain == other.chain {
            self.seq > other.seq
        } else {
            self.received_ms >= other.received_ms
        }
    }
}

/// An answer as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct AnswerRow {
    /// The visitor's pass.
    pub response: ResponseId,
    /// Which question.
    pub question: QuestionId,
    /// What is rated.
    pub touchpoint: TouchpointId,
    /// Which wording.
    pub questionnaire: QuestionnaireRef,
    /// The value's scale.
    pub scale: Scale,
    /// The scale's code.
    pub value: Value,
    /// The language on screen.
    pub lang: Lang,
    /// From showing to tap, in milliseconds.
    pub shown_ms: Option<u64>,
    /// The terminal's opinions.
    pub flags: Vec<Flag>,
    /// Whether it counts: its response was not undone.
    pub counted: bool,
    /// The terminal.
    pub terminal: TerminalId,
    /// The entry.
    pub origin: Origin,
    /// Corrected time.
    pub timed: Timed,
    /// Start of the site-local hour, Unix seconds, or [`HOUR_UNKNOWN`].
    pub hour: i64,
}

impl AnswerRow {
    /// Whether the terminal doubts it.
    pub fn flagged(&self) -> bool {
        !self.flags.is_empty()
    }

    /// The count it belongs to.
    pub fn counter(&self) -> Counter {
        Counter {
            touchpoint: self.touchpoint.clone(),
            questionnaire: self.questionnaire.clone(),
            question: self.question.clone(),
            scale: self.scale,
            hour: self.hour,
            flagged: self.flagged(),
            value: self.value,
        }
    }
}

/// One cell of the rollups.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Counter {
    /// What is rated.
    pub touchpoint: TouchpointId,
    /// Which wording.
    pub questionnaire: QuestionnaireRef,
    /// Which question.
    pub question: QuestionId,
    /// The value's scale.
    pub scale: Scale,
    /// Start of the site-local hour, Unix seconds, or [`HOUR_UNKNOWN`].
    pub hour: i64,
    /// Whether the terminal doubted the answers.
    pub flagged: bool,
    /// The scale's code.
    pub value: Value,
}

/// One cell of the reasons' rollups: why visitors gave a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ReasonCounter {
    /// The count that the explained answer belongs to.
    pub answer: Counter,
    /// What was chosen; `None` counts the visitors who were asked and answered, those who chose nothing included.
    pub reason: Option<ReasonId>,
}

/// A visitor's pass as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseRow {
    /// Its id.
    pub response: ResponseId,
    /// Where it was given.
    pub terminal: TerminalId,
    /// What was rated, once known.
    pub touchpoint: Option<TouchpointId>,
    /// How it ended, once known.
    pub outcome: Option<EndOutcome>,
    /// The response it replaces.
    pub replaces: Option<ResponseId>,
    /// Corrected time of its first entry, Unix milliseconds.
    pub first_ms: i64,
}

/// Reasons as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReasonsRow {
    /// The visitor's pass.
    pub response: ResponseId,
    /// Which question.
    pub question: QuestionId,
    /// What is rated.
    pub touchpoint: TouchpointId,
    /// Which wording.
    pub questionnaire: QuestionnaireRef,
    /// The value they explain.
    pub value: Value,
    /// Chosen reasons; empty means none of them.
    pub chosen: Vec<ReasonId>,
    /// The language on screen.
    pub lang: Lang,
    /// The entry.
    pub origin: Origin,
}

type Key = (ResponseId, QuestionId);

/// The rows a run of entries touches, and the changes to them.
#[derive(Debug)]
pub struct Ledger {
    zone: Tz,
    responses: HashMap<ResponseId, ResponseRow>,
    answers: BTreeMap<Key, AnswerRow>,
    reasons: HashMap<Key, ReasonsRow>,
    changed_responses: BTreeSet<ResponseId>,
    changed_answers: BTreeSet<Key>,
    changed_reasons: BTreeSet<Key>,
    counts: BTreeMap<Counter, i64>,
    /// Keys whose reasons have been taken out of the counts until the run ends.
    touched: BTreeSet<Key>,
    reason_counts: BTreeMap<ReasonCounter, i64>,
}

/// What a [`Ledger`] wants written.
#[derive(Debug, Default)]
pub struct Booked {
    /// New or changed passes.
    pub responses: Vec<ResponseRow>,
    /// New or changed answers.
    pub answers: Vec<AnswerRow>,
    /// New or changed reasons.
    pub reasons: Vec<ReasonsRow>,
    /// What to add to the counts; never zero.
    pub counts: Vec<(Counter, i64)>,
    /// What to add to the counts of reasons; never zero.
    pub reason_counts: Vec<(ReasonCounter, i64)>,
}

impl Ledger {
    /// Starts from the rows the store holds for the responses in question: all answers of each of them.
    pub fn new(
        zone: Tz,
        responses: Vec<ResponseRow>,
        answers: Vec<AnswerRow>,
        reasons: Vec<ReasonsRow>,
    ) -> Self {
        Self {
            zone,
            responses: responses.into_iter().map(|row| (row.response, row)).collect(),
            answers: answers.into_iter().map(|row| ((row.response, row.question.clone()), row)).collect(),
            reasons: reasons.into_iter().map(|row| ((row.response, row.question.clone()), row)).collect(),
            changed_responses: BTreeSet::new(),
            changed_answers: BTreeSet::new(),
            changed_reasons: BTreeSet::new(),
            counts: BTreeMap::new(),
            touched: BTreeSet::new(),
            reason_counts: BTreeMap::new(),
        }
    }

    /// Books an answer; `counted` and `hour` of the row are set here.
    pub fn answer(&mut self, mut row: AnswerRow) {
        let outcome =
            self.response(row.response, &row.terminal, Some(&row.touchpoint), row.timed.at_ms).outcome;
        let key = (row.response, row.question.clone());
        row.counted = outcome != Some(EndOutcome::Undone);
        row.hour = row.timed.hour(self.zone);
        if let Some(old) = self.answers.get(&key) {
            if !row.origin.supersedes(old.origin) {
                return;
            }
            count(&mut self.counts, old, -1);
        }
        count(&mut self.counts, &row, 1);
        self.touch(&key);
        self.answers.insert(key.clone(), row);
        self.changed_answers.insert(key);
    }

    /// Books reasons.
    pub fn reasons(&mut self, row: ReasonsRow, terminal: &TerminalId, at_ms: i64) {
        self.response(row.response, terminal, Some(&row.touchpoint), at_ms);
        let key = (row.response, row.question.clone());
        if self.reasons.get(&key).is_some_and(|old| !row.origin.supersedes(old.origin)) {
            return;
        }
        self.touch(&key);
        self.reasons.insert(key.clone(), row);
        self.changed_reasons.insert(key);
    }

    /// Books the end of a pass. Undone takes all its answers out of the counts, for good.
    pub fn end(
        &mut self,
        response: ResponseId,
        terminal: &TerminalId,
        touchpoint: Option<&TouchpointId>,
        end: (EndOutcome, Option<ResponseId>),
        at_ms: i64,
    ) {
        let row = self.response(response, terminal, touchpoint, at_ms);
        row.replaces = end.1.or(row.replaces);
        if row.outcome == Some(EndOutcome::Undone) {
            return;
        }
        row.outcome = Some(end.0);
        if end.0 != EndOutcome::Undone {
            return;
        }
        let given: Vec<Key> = self.answers.keys().filter(|key| key.0 == response).cloned().collect();
        given.iter().for_each(|key| self.touch(key));
        for (key, answer) in &mut self.answers {
            if key.0 == response && answer.counted {
                count(&mut self.counts, answer, -1);
                answer.counted = false;
                self.changed_answers.insert(key.clone());
            }
        }
    }

    /// Dates answers that had no hour, with the reasons for them, now that the start of their boot is known.
    pub fn date(&mut self, undated: Vec<(AnswerRow, Option<ReasonsRow>)>, boots: &[(BootId, BootStart)]) {
        for (row, reasons) in undated {
            let key = (row.response, row.question.clone());
            self.answers.entry(key.clone()).or_insert(row);
            if let Some(reasons) = reasons {
                self.reasons.entry(key.clone()).or_insert(reasons);
            }
            self.touch(&key);
            let Some(row) = self.answers.get_mut(&key) else { continue };
            let start = boots.iter().find(|(boot, _)| *boot == row.origin.boot).map(|(_, start)| start);
            let Some(start) = start.filter(|_| row.hour == HOUR_UNKNOWN) else { continue };
            let Some(timed) = start.date(row.origin.up_ms, row.origin.received_ms) else { continue };
            count(&mut self.counts, row, -1);
            row.timed = timed;
            row.hour = row.timed.hour(self.zone);
            count(&mut self.counts, row, 1);
            self.changed_answers.insert(key);
        }
    }

    /// Ends the run and gives what is to be written.
    pub fn close(mut self) -> Booked {
        for key in std::mem::take(&mut self.touched) {
            self.count_reasons(&key, 1);
        }
        Booked {
            responses: self.changed_responses.iter().filter_map(|key| self.responses.remove(key)).collect(),
            answers: self.changed_answers.iter().filter_map(|key| self.answers.remove(key)).collect(),
            reasons: self.changed_reasons.iter().filter_map(|key| self.reasons.remove(key)).collect(),
            counts: self.counts.into_iter().filter(|(_, n)| *n != 0).collect(),
            reason_counts: self.reason_counts.into_iter().filter(|(_, n)| *n != 0).collect(),
        }
    }

    /// Takes the reasons for an answer out of the counts before either changes; the end of the run counts them again as they then stand.
    fn touch(&mut self, key: &Key) {
        if self.touched.insert(key.clone()) {
            self.count_reasons(key, -1);
        }
    }

    fn count_reasons(&mut self, key: &Key, by: i64) {
        let (Some(answer), Some(reasons)) = (self.answers.get(key), self.reasons.get(key)) else { return };
        if !answer.counted || answer.value != reasons.value {
            return;
        }
        let chosen: BTreeSet<Option<ReasonId>> =
            reasons.chosen.iter().cloned().map(Some).chain([None]).collect();
        for reason in chosen {
            let counter = ReasonCounter { answer: answer.counter(), reason };
            *self.reason_counts.entry(counter).or_default() += by;
        }
    }

    fn response(
        &mut self,
        response: ResponseId,
        terminal: &TerminalId,
        touchpoint: Option<&TouchpointId>,
        at_ms: i64,
    ) -> &mut ResponseRow {
        self.changed_responses.insert(response);
        let row = self.responses.entry(response).or_insert_with(|| ResponseRow {
            response,
            terminal: terminal.clone(),
            touchpoint: None,
            outcome: None,
            replaces: None,
            first_ms: at_ms,
        });
        if row.touchpoint.is_none() {
            row.touchpoint = touchpoint.cloned();
        }
        row
    }
}

fn count(counts: &mut BTreeMap<Counter, i64>, row: &AnswerRow, by: i64) {
    if row.counted {
        let n = counts.entry(row.counter()).or_default();
        *n = n.saturating_add(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(chain: u8, seq: u64, boot: u64, up_ms: u64, received_ms: i64) -> Origin {
        Origin {
            chain: ChainId([chain; 16]),
            seq,
            boot: BootId::from_parts(boot, [0; 10]),
            up_ms,
            received_ms,
        }
    }

    #[test]
    fn within_a_boot_the_boot_clock_decides_whatever_the_places() {
        let (first, second) = (written(2, 9, 1, 100, 5), written(2, 1, 1, 200, 5));
        assert!(second.supersedes(first) && !first.supersedes(second));
        let elsewhere = written(1, 50, 1, 100, 9);
        assert!(second.supersedes(elsewhere) && !elsewhere.supersedes(second));
    }

    #[test]
    fn without_a_common_clock_place_decides_within_a_journal_and_arrival_between_journals() {
        let (early, late) = (written(1, 1, 1, 900, 5), written(1, 2, 2, 100, 5));
        assert!(late.supersedes(early) && !early.supersedes(late));
        let other = written(2, 1, 3, 0, 6);
        assert!(other.supersedes(late) && !late.supersedes(other));
        // Two entries of one instant: their places tell.
        let (one, two) = (written(1, 1, 1, 100, 5), written(1, 2, 1, 100, 5));
        assert!(two.supersedes(one) && !one.supersedes(two));
    }
}
