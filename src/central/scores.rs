//! Scores with honest uncertainty: pure sums over counts.
//!
//! Every score travels with n, its interval and the name of its formula; one stored answer is scored by every yardstick that fits its
//! scale. Small counts are hidden by one rule, everywhere (see [`Suppression`]).

mod formulas;
mod report;
mod suppress;

pub use formulas::{Interval, Measured, Tally, Yardstick, nps_interval, wilson};
pub use report::{Grouping, Request, ScoreRow, headline_of, report};
pub use suppress::{Display, LIMIT_DEFAULT, Shown, Suppressed, Suppression};
