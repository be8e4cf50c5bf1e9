//! From a batch of journal lines to what the store writes: pure decisions.
//!
//! Three steps, none of which does I/O:
//! 1. [`Batch::read`]: does the body hold what its header says, and do its hashes add up?
//! 2. [`place`]: how does it lie against what the store holds: new, known, beyond a gap, or another history?
//! 3. [`project()`]: what do the new lines mean: answers, ends of responses, counts, calls for help, or a reason for quarantine?
//!
//! Invariants:
//! - content never refuses a batch: a line that cannot be read or is not configured is kept raw, with the reason;
//! - counts change by additions only, and always equal a recount of the stored answers whose response was not undone;
//! - the same entry under another chain is kept, and not counted again;
//! - a call for help is never turned away: it rings whatever the configuration says, unless it comes too late.

mod batch;
mod help;
mod ledger;
mod project;
mod time;

pub use batch::{Batch, BatchError, Content, Line, Placement, place, plain_body};
pub use help::{HelpRow, LATE_AFTER_MS, TestedRow, is_late};
pub use ledger::{AnswerRow, Booked, Counter, Ledger, Origin, ReasonsRow, ResponseRow};
pub use project::{Context, EntryRow, EntryState, Held, Reading, Writes, project};
pub use time::{BootStart, HOUR_UNKNOWN, LearntFrom, TimeBasis, Timed, Timekeeper, hour_start};
