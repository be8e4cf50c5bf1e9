//! The engine of the check: from the bytes of a file and the structs of its kind to a value, or to findings with line, column and fix.
//!
//! It knows no file of ours: what a file holds comes as a type (its schema drives [`structure`]) and as a function (the check for meaning).
//! Nothing here imports from the rest of `config`.

mod finding;
mod key_path;
mod located;
mod pointer;
mod readable;
mod report;
mod schema;
mod structure;
mod suggest;
mod syntax;

pub(in crate::config) use finding::Source;
pub(crate) use finding::cells;
pub use finding::{Finding, Findings, Severity};
pub(in crate::config) use located::Located;
pub use pointer::KeyAt;
pub(in crate::config) use pointer::error_at;
pub(in crate::config) use readable::readable;
pub(in crate::config) use report::{Checked, Report, check};
pub(in crate::config) use schema::of as schema_of;
#[cfg(test)]
pub(in crate::config) use structure::{KEYWORDS_CHECKED, KEYWORDS_LEFT};
pub(crate) use suggest::nearest;
