//! x
pub mod icons;
#[cfg(feature = "terminal")]
pub mod lang;
pub mod panel;
#[cfg(feature = "kiosk")]
pub mod ui;
