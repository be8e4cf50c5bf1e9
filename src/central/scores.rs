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

pub use formulas::{Measured, Tally, Yardstick};
pub use interval::{Interval, wilson};
pub use range::{
    Asked, Bound, Period, Range, RangeError, Slot, day_or_instant, days_of, local_text, local_text_ms,
    range_of, slots,
};
pub use reasons::{QuestionReasons, REASON_FORMULA, ReasonRow, reasons};
pub use report::{Grouping, Report, Request, ScoreRow, Written, headline_of, report};
pub use suppress::{Display, Shown, Suppressed, Suppression};
