//! What central decides, without I/O: time, chance and what the store holds are arguments.

pub mod access;
pub(super) mod code;
pub mod contact;
pub mod enrolment;
pub mod health;
pub(super) mod help;
pub mod incidents;
pub mod ingest;
pub mod machine;
pub mod scores;
pub mod self_test;
pub(super) mod wrong_codes;
