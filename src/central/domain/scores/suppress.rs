//! Small counts: one rule for page, API and export.
//!
//! Below the limit a cell is hidden altogether; up to 9 answers only their number is shown; up to 29 the score is shown hatched, with
//! its wide interval; from 30 plain. A cell that alone would give a hidden one away by subtraction from the total is hidden with it, and
//! says so: it is not one with few answers. A cell without any answer is a third thing, and hides nothing.

use serde::Serialize;
use utoipa::ToSchema;

/// Scores need this many answers to be shown at all.
const SCORE_FROM: u64 = 10;

/// Scores are shown without hatching from here.
const PLAIN_FROM: u64 = 30;

/// Why something is not shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suppressed {
    /// Nobody answered; the number is 0, and there is nothing to protect.
    NoAnswers,
    /// Somebody answered, but fewer than the limit: not even their number.
    Hidden,
    /// Too few for a score: only their number.
    CountOnly,
    /// Enough answered, but it would give a hidden cell away.
    Complement,
}

impl Suppressed {
    /// The word in JSON and pages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoAnswers => "no_answers",
            Self::Hidden => "hidden",
            Self::CountOnly => "count_only",
            Self::Complement => "complement",
        }
    }
}

/// How a shown score is to be drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Display {
    /// Enough answers.
    Plain,
    /// Few answers: draw it hatched, with its interval.
    Hatched,
}

/// What may be shown of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Its score.
    Score(Display),
    /// Less.
    Less(Suppressed),
}

/// The rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suppression {
    /// Cells with fewer answers are hidden.
    pub limit: u64,
}

impl Suppression {
    /// What may be shown of one cell by itself.
    pub fn cell(self, n: u64) -> Shown {
        match n {
            0 => Shown::Less(Suppressed::NoAnswers),
            n if n < self.limit => Shown::Less(Suppressed::Hidden),
            n if n < SCORE_FROM => Shown::Less(Suppressed::CountOnly),
            n if n < PLAIN_FROM => Shown::Score(Display::Hatched),
            _ => Shown::Score(Display::Plain),
        }
    }

    /// What may be shown of cells whose total is published beside them. If what is hidden adds up to fewer answers than the limit, it
    /// could be had by subtraction: then the smallest shown cell is hidden too. Cells without any answer hide nothing and protect nothing.
    pub fn cells(self, counts: &[u64]) -> Vec<Shown> {
        let mut shown: Vec<Shown> = counts.iter().map(|n| self.cell(*n)).collect();
        let is_hidden = |cell: &Shown| *cell == Shown::Less(Suppressed::Hidden);
        let hidden: Vec<u64> =
            shown.iter().zip(counts).filter(|(cell, _)| is_hidden(cell)).map(|(_, n)| *n).collect();
        let given_away = hidden.len() == 1 || (!hidden.is_empty() && hidden.iter().sum::<u64>() < self.limit);
        if given_away {
            let others = (0..counts.len()).filter(|i| !is_hidden(&shown[*i]) && counts[*i] > 0);
            if let Some(smallest) = others.min_by_key(|i| counts[*i]) {
                shown[smallest] = Shown::Less(Suppressed::Complement);
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Suppression = Suppression { limit: 5 };
    const HIDDEN: Shown = Shown::Less(Suppressed::Hidden);
    const NONE: Shown = Shown::Less(Suppressed::NoAnswers);
    const COMPLEMENT: Shown = Shown::Less(Suppressed::Complement);
    const PLAIN: Shown = Shown::Score(Display::Plain);

    #[test]
    fn the_steps_are_five_ten_and_thirty() {
        assert_eq!(RULE.cell(1), HIDDEN);
        assert_eq!(RULE.cell(4), HIDDEN);
        assert_eq!(RULE.cell(5), Shown::Less(Suppressed::CountOnly));
        assert_eq!(RULE.cell(9), Shown::Less(Suppressed::CountOnly));
        assert_eq!(RULE.cell(10), Shown::Score(Display::Hatched));
        assert_eq!(RULE.cell(29), Shown::Score(Display::Hatched));
        assert_eq!(RULE.cell(30), PLAIN);
    }

    #[test]
    fn a_single_hidden_cell_takes_the_smallest_other_with_it() {
        assert_eq!(RULE.cells(&[100, 3, 50]), [PLAIN, HIDDEN, COMPLEMENT]);
        assert_eq!(RULE.cells(&[100, 3]), [COMPLEMENT, HIDDEN]);
    }

    #[test]
    fn several_hidden_cells_protect_each_other_unless_they_are_tiny_together() {
        assert_eq!(RULE.cells(&[100, 4, 4]), [PLAIN, HIDDEN, HIDDEN]);
        assert_eq!(RULE.cells(&[100, 1, 1]), [COMPLEMENT, HIDDEN, HIDDEN]);
    }

    #[test]
    fn no_answers_too_few_and_protection_are_three_things() {
        assert_eq!(RULE.cells(&[0, 3, 40, 100]), [NONE, HIDDEN, COMPLEMENT, PLAIN]);
        assert_eq!(Suppression { limit: 0 }.cell(0), NONE);
    }

    #[test]
    fn empty_cells_and_a_lone_cell_give_nothing_away() {
        assert_eq!(RULE.cells(&[100, 0]), [PLAIN, NONE]);
        assert_eq!(RULE.cells(&[0, 2]), [NONE, HIDDEN]);
        assert_eq!(RULE.cells(&[3]), [HIDDEN]);
        assert!(RULE.cells(&[]).is_empty());
    }
}
