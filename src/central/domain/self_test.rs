//! The last test of a terminal's buttons, from the time at which each button was last tested.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::TerminalId;

/// Buttons tested within this time belong to one test: a terminal with many places has more than a hundred.
pub(crate) const SELF_TEST_SPAN: TimeDelta = TimeDelta::minutes(60);

/// Buttons of a terminal tested within [`SELF_TEST_SPAN`] before its last one, by how many it said it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TestedGroup {
    /// The terminal.
    pub(crate) terminal: TerminalId,
    /// How many buttons it has to test, as it said with each of these; `None` where it did not.
    pub(crate) of: Option<u64>,
    /// When the last of them was tested.
    pub(crate) last_at: DateTime<Utc>,
    /// How many different ones.
    pub(crate) targets: u64,
}

/// The last test of a terminal's buttons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelfTested {
    /// The terminal.
    pub terminal: TerminalId,
    /// When its last button was tested.
    pub at: DateTime<Utc>,
    /// Different buttons tested within [`SELF_TEST_SPAN`] before that.
    pub targets: u64,
    /// Of so many, where the terminal said so.
    pub of: Option<u64>,
}

/// The last test of each terminal. Another number of buttons is another configuration, so another test; what was tested without
/// a number belongs to every test.
pub(crate) fn last_tests(groups: &[TestedGroup]) -> Vec<SelfTested> {
    let mut tests: Vec<SelfTested> = Vec::new();
    for terminal in groups.chunk_by(|one, next| one.terminal == next.terminal) {
        let Some(last) = terminal.iter().max_by_key(|group| (group.last_at, group.of)) else { continue };
        let same = terminal.iter().filter(|group| group.of.is_none() || group.of == last.of);
        tests.push(SelfTested {
            terminal: last.terminal.clone(),
            at: last.last_at,
            targets: same.map(|group| group.targets).sum(),
            of: last.of,
        });
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(terminal: &str, of: Option<u64>, minute: i64, targets: u64) -> TestedGroup {
        let last_at = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
        TestedGroup { terminal: terminal.parse().unwrap(), of, last_at, targets }
    }

    #[test]
    fn the_last_test_of_a_terminal_is_that_of_its_last_number_of_buttons() {
        let groups = [group("t-1", Some(3), 5, 3), group("t-1", Some(9), 8, 2), group("t-2", None, 1, 4)];
        let found = last_tests(&groups);
        assert_eq!(
            found.iter().map(|test| (test.terminal.as_str(), test.targets, test.of)).collect::<Vec<_>>(),
            [("t-1", 2, Some(9)), ("t-2", 4, None)]
        );
        assert_eq!(found[0].at, DateTime::UNIX_EPOCH + TimeDelta::minutes(8));
    }

    #[test]
    fn buttons_tested_without_a_number_count_with_the_test_they_were_part_of() {
        let found = last_tests(&[group("t-1", None, 5, 1), group("t-1", Some(9), 8, 2)]);
        assert_eq!((found.len(), found[0].targets, found[0].of), (1, 3, Some(9)));
    }
}
