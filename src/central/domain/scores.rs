//! Scores with honest uncertainty: pure sums over counts.
//!
//! Every score travels with n, its interval and the name of its formula; one stored answer is scored by every yardstick that fits its
//! scale. Small counts are hidden by one rule, everywhere (see [`Suppression`]). Days and hours are the site's (see [`Range`]).

mod formulas;
mod interval;
mod range;
mod reasons;
mod report;
mod suppress;

pub use formulas::Tally;
pub(crate) use formulas::{Measured, Yardstick};
pub use range::{Asked, Range, slots};
pub(crate) use range::{
    Bound, Period, RangeError, Slot, day_or_instant, days_of, local_text, local_text_ms, range_of,
};
pub use reasons::reasons;
pub(crate) use reasons::{QuestionReasons, ReasonRow};
pub(crate) use report::ScoreRow;
pub use report::{Grouping, Report, Request, Written, report};
pub(crate) use suppress::Suppressed;
pub use suppress::{Display, Shown, Suppression};
