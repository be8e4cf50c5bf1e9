//! Values that more than one file holds as text: opening hours, addresses and language tags.

pub(in crate::config) mod hours;
pub(in crate::config) mod tags;
pub(in crate::config) mod url;
