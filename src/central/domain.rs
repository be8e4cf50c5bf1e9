//! What central decides, without I/O: time, chance and what the store holds are arguments.

pub mod access;
pub(super) mod code;
pub(super) mod incidents;
pub mod ingest;
pub mod scores;
pub(super) mod wrong_codes;
