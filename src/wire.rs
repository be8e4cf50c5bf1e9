//! What a terminal and central say to each other, version 1: the only serde contract of both sides.
//!
//! Invariants:
//! - an entry is one line of JSON, at most [`ENTRY_BYTES_MAX`] bytes, frozen when written: it is stored, hashed and sent as the
//!   same bytes, and never serialised a second time;
//! - readers ignore fields they do not know; the raw line keeps them;
//! - an entry whose kind or content cannot be read is still a link of its chain;
//! - a terminal that no longer has a line (erased after its retention time), or was refused it, sends a [`Withheld`] line in its place:
//!   the leaf hash alone keeps the chain whole and the gap visible.

mod entry;
mod requests;

pub use entry::{
    Answer, Body, BootFacts, Cleaning, ConfigChange, Draft, EndOutcome, Entry, EntryError, Flag, HelpCall,
    Reasons, ResponseEnd, SelfTest, Withheld,
};
pub use requests::{
    BatchHeader, CertificateReply, CursorReply, EXAMPLE_HARDWARE, Enrolment, EnrolmentReply, Health,
    HealthReply, Problem, Quarantined, Receipt, ScreenFacts,
};

/// The protocol's major version, sent in [`header::PROTOCOL`]; a newer one is refused with 426.
pub const PROTOCOL_VERSION: u32 = 1;

/// Longest entry line in bytes, without its newline: an answer takes about 600, so this bounds a hostile or broken writer.
pub(crate) const ENTRY_BYTES_MAX: usize = 4096;

/// Most entries in one batch: a day of a busy terminal in one request, and a transaction of a few milliseconds at central.
pub const BATCH_ENTRIES_MAX: usize = 500;

/// Most bytes in one batch body before compression: [`BATCH_ENTRIES_MAX`] average entries with room to spare.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// What a machine without a serial number and a machine id calls itself; no two machines are the same because both say so.
pub const HARDWARE_UNKNOWN: &str = "unknown";

/// Content types. A receipt under any other type is no receipt.
pub mod content_type {
    /// A batch: a [`super::BatchHeader`] line, then the exact entry lines.
    pub const ENTRIES: &str = "application/x-ndjson";
    /// A [`super::Receipt`].
    pub const RECEIPT: &str = "application/vnd.xinsheng.receipt+json";
    /// Everything else that is JSON.
    pub const JSON: &str = "application/json";
    /// RFC 9457.
    pub const PROBLEM: &str = "application/problem+json";
    /// Delivered configuration: the text of touchpoints.toml.
    pub const TOML: &str = "application/toml";
}

/// Request paths.
pub mod path {
    /// POST: trade a one-time code and a public key for a terminal id.
    pub const ENROLMENTS: &str = "/v1/enrolments";
    /// GET `?chain=`: how far central is.
    pub const CURSOR: &str = "/v1/terminals/self/cursor";
    /// POST: a batch of entries.
    pub const ENTRIES: &str = "/v1/terminals/self/entries";
    /// POST: how the terminal is.
    pub const HEALTH: &str = "/v1/terminals/self/health";
    /// GET: the key of the certificate central serves with.
    pub const CERTIFICATE: &str = "/v1/terminals/self/certificate";
    /// GET: the configuration central delivers.
    pub const CONFIG: &str = "/v1/terminals/self/config";
}

/// Header names (lower case, as HTTP/2 and the signature base want them).
pub mod header {
    /// The protocol's major version.
    pub const PROTOCOL: &str = "xinsheng-protocol";
    /// The terminal id a request speaks for.
    pub const TERMINAL: &str = "xinsheng-terminal";
    /// RFC 9530.
    pub const CONTENT_DIGEST: &str = "content-digest";
    /// RFC 9421.
    pub const SIGNATURE_INPUT: &str = "signature-input";
    /// RFC 9421.
    pub const SIGNATURE: &str = "signature";
}
