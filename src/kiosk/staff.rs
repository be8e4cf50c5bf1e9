//! The staff area on the screen: [`pages`] shows it, `callbacks` takes touches of its own pages, `input` says what any touch means in it.
//!
//! While somebody is in it the pages belong to the staff area and no touch reaches the survey. How to get in: five touches on the head of a
//! page within three seconds ([`crate::staff::HeadTaps`]), or F2 on a keyboard; neither is announced to patients, and neither opens
//! anything but the PIN page.

mod callbacks;
mod input;
pub mod pages;

pub(super) use callbacks::connect;
pub(crate) use pages::StaffView;
pub use pages::show;
