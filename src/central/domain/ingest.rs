//! From a batch of journal lines to what the store writes: pure decisions.
//!
//! None of these steps does I/O:
//! 1. [`Batch::read`]: does the body hold what its header says, and do its hashes add up?
//! 2. [`Ask`] names what the store has to read, and a [`Snapshot`] holds it.
//! 3. [`decide()`] says what is written and what the terminal is told. [`place`]: how does the batch lie against what is held: new, known,
//!    beyond a gap, or another history? [`project()`]: what do the new lines mean: answers, ends of responses, counts, calls for help, or a
//!    reason for quarantine?
//! 4. [`retry()`] does the same for one entry of the quarantine.
//!
//! Invariants:
//! - content never refuses a batch: a line that cannot be read, is not configured, or touches what belongs to another terminal is kept
//!   raw, with the reason; only a line over the protocol's length is refused, by itself;
//! - counts change by additions only, and always equal a recount of the stored answers whose response was not undone, and of the reasons
//!   for them;
//! - the same entry under another chain is kept, and not counted again;
//! - a call for help is never turned away: it rings whatever the configuration says, unless it comes too late.

mod batch;
mod decide;
mod help;
mod ledger;
mod moves;
mod project;
mod reading;
mod replay;
mod snapshot;
mod submission;
mod time;

pub use batch::{Batch, Content, Line, place};
pub(crate) use batch::{BatchError, Placement, plain_body};
pub(crate) use decide::{Append, decide};
pub use help::HelpRow;
pub(crate) use help::TestedRow;
pub(crate) use ledger::{AnswerRow, Booked, Counter, ReasonCounter, ReasonsRow, ResponseRow};
pub use ledger::{Ledger, Origin};
pub use project::{Context, EntryState, Writes};
pub(crate) use project::{EntryRow, project};
pub use reading::Reading;
pub(crate) use replay::{KeptEntry, retry};
pub use replay::{Replayed, Retry};
pub use snapshot::Snapshot;
pub(crate) use snapshot::{Ask, HeldChain};
pub use submission::{Ingested, SignedRequest, Submission};
pub(crate) use time::{BootStart, EARLIEST_MS, HOUR_UNKNOWN, LearntFrom, TimeBasis, Timed, hour_start};
