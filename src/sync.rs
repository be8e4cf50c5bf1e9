//! The terminal's way to central: its own thread, which owns the connection and nothing else.
//!
//! - [`engine`]: when to say what, and what an answer changes; without I/O, clock or dice. [`backoff`]: how long to wait.
//! - `batch_size`: how many entries pass at once. [`outcome`]: what an answer means; the one table of statuses. [`diagnosis`]: what is wrong, for staff. [`message`]: requests and answers as values.
//! - [`link`]: where central is. [`transport`]: HTTPS, through the `proxy` of the environment if it names one. [`server_key`]: which servers are taken
//!   for central; `following`: how that changes. [`keys`]: who this terminal is.
//!   [`mod@enrol`]: how it became that.
//! - [`mod@apply`]: what the engine's effects do to the journal. [`worker`]: the thread that puts them together.
//!
//! The journal is the queue: nothing is kept here that a restart would lose.

pub mod apply;
pub mod backoff;
mod batch_size;
pub mod diagnosis;
pub mod engine;
pub mod enrol;
mod following;
pub mod hardware;
pub mod keys;
pub mod link;
pub mod message;
pub mod outcome;
mod proxy;
pub mod server_key;
pub mod transport;
pub mod worker;

pub use diagnosis::{Diagnosis, Fault};
pub use enrol::{EnrolError, enrol};
pub use keys::{Identity, IdentityError};
pub use link::{Address, Link};
pub use server_key::ServerKey;
pub use worker::{SyncArgs, SyncHandle, SyncState, SyncStatus, SyncWorker, spawn, wake_pair};
pub(crate) use worker::{SyncInbox, TakeConfig};

/// 128 random bits in hexadecimal: makes every signature, and so every receipt, one of a kind.
pub(crate) fn nonce() -> String {
    crate::model::ChainId(crate::clock::fresh::bytes()).to_string()
}
