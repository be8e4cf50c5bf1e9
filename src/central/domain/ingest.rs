//! From a batch of journal lines to what the store writes: pure decisions.
//!
//! Three steps, none of which does I/O:
//! 1. [`Batch::read`]: does the body hold what its header says, and do its hashes add up?
//! 2. [`place`]: how does it lie against what the store holds: new, known, beyond a gap, or another history?
//! 3. [`project()`]: what do the new lines mean: answers, ends of responses, counts, calls for help, or a reason for quarantine?
//!
//! Invariants:
//! - content never refuses a batch: a line that cannot be read, is not configured, or touches what belongs to another terminal is kept
//!   raw, with the reason; only a line over the protocol's length is refused, by itself;
//! - counts change by additions only, and always equal a recount of the stored answers whose response was not undone, and of the reasons
//!   for them;
//! - the same entry under another chain is kept, and not counted again;
//! - a call for help is never turned away: it rings whatever the configuration says, unless it comes too late.

mod batch;
mod help;
mod ledger;
mod moves;
mod project;
mod time;

pub use batch::{Batch, Content, Line, place};
pub(crate) use batch::{BatchError, Placement, plain_body};
pub use help::HelpRow;
pub(crate) use help::{HELP_SPAN_MS, TestedRow};
pub(crate) use ledger::{AnswerRow, Booked, Counter, ReasonCounter, ReasonsRow, ResponseRow};
pub use ledger::{Ledger, Origin};
pub(crate) use moves::Standing;
pub use project::{Context, Held, Reading, Writes};
pub(crate) use project::{EntryRow, EntryState, is_same_hardware, project};
pub(crate) use time::{BootStart, EARLIEST_MS, HOUR_UNKNOWN, LearntFrom, TimeBasis, Timed, hour_start};
