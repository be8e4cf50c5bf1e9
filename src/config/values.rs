//! Values that more than one file holds as text: opening hours and addresses.

pub(in crate::config) mod hours;
pub(in crate::config) mod url;
