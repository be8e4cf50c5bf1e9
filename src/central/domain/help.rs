//! Calls for help after they arrived: in which order they are listed, and what an acknowledgement ends.

use std::cmp::Reverse;

use super::ingest::HelpRow;
use crate::model::TerminalId;

/// The list of calls: those that ring first, then the latest to arrive.
pub(crate) fn listed(mut calls: Vec<HelpRow>, limit: usize) -> Vec<HelpRow> {
    calls.sort_by_key(|call| (!call.is_open(), Reverse((call.received_ms, call.timed.at_ms)), call.id));
    calls.truncate(limit);
    calls
}

/// What an acknowledgement depends on: the call as it is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HeldCall {
    pub(crate) terminal: TerminalId,
    pub(crate) received_ms: i64,
    pub(crate) folded: bool,
    pub(crate) answered_ms: Option<i64>,
}

/// What an acknowledgement writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answered {
    /// When the call was answered.
    pub(crate) at_ms: i64,
    /// The folded calls that end with it: those of this terminal that are open and arrived up to this time, Unix milliseconds.
    pub(crate) line: Option<(TerminalId, i64)>,
}

/// Marks a call answered: the first mark stays. The line of a terminal's folded calls ends all that came up to the one it showed.
pub(crate) fn answer(call: HeldCall, now_ms: i64) -> Answered {
    Answered {
        at_ms: call.answered_ms.unwrap_or(now_ms),
        line: call.folded.then_some((call.terminal, call.received_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        central::domain::ingest::{TimeBasis, Timed},
        model::EntryId,
    };

    fn call(number: u8, received_ms: i64, late: bool, answered_ms: Option<i64>) -> HelpRow {
        HelpRow {
            id: EntryId::from_parts(1, [number; 10]),
            terminal: "t-1".parse().unwrap(),
            touchpoint: "window".parse().unwrap(),
            lang: "en".parse().unwrap(),
            timed: Timed { at_ms: 0, basis: TimeBasis::Synced },
            received_ms,
            late,
            folded: false,
            calls: 1,
            answered_ms,
        }
    }

    #[test]
    fn what_rings_comes_first_and_then_the_latest() {
        let calls = vec![
            call(1, 10, false, None),
            call(2, 40, true, None),
            call(3, 30, false, Some(31)),
            call(4, 20, false, None),
        ];
        let ids: Vec<EntryId> = listed(calls.clone(), 9).into_iter().map(|call| call.id).collect();
        assert_eq!(ids, [4, 1, 2, 3].map(|number| EntryId::from_parts(1, [number; 10])));
        assert!(listed(calls, 2).iter().all(HelpRow::is_open), "a short list keeps what rings");
    }

    fn held(folded: bool, answered_ms: Option<i64>) -> HeldCall {
        HeldCall { terminal: "t-1".parse().unwrap(), received_ms: 50, folded, answered_ms }
    }

    #[test]
    fn the_first_mark_of_a_call_stays() {
        assert_eq!(answer(held(false, None), 70), Answered { at_ms: 70, line: None });
        assert_eq!(answer(held(false, Some(60)), 70), Answered { at_ms: 60, line: None });
    }

    #[test]
    fn a_mark_on_the_line_of_folded_calls_ends_those_that_came_up_to_the_one_shown() {
        let line = Some(("t-1".parse().unwrap(), 50));
        assert_eq!(answer(held(true, None), 70), Answered { at_ms: 70, line });
    }
}
