//! Scores with honest uncertainty: pure sums over counts.
//!
//! Every score travels with n, its interval and the name of its formula; one stored answer is scored by every yardstick that fits its
//! scale. Small counts are hidden by one rule, everywhere (see [`Suppression`]).

mod formulas;
mod interval;
mod report;
mod suppress;

pub use formulas::{Measured, Tally, Yardstick};
pub use interval::{Interval, wilson};
pub use report::{Grouping, Request, ScoreRow, headline_of, report};
pub use suppress::{Display, LIMIT_DEFAULT, Shown, Suppressed, Suppression};
