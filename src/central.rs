//! Central: takes signed batches in, books them once, and shows honest scores.
pub mod ingest;
pub mod scores;
pub mod store;
