//! The screens: whole visits, pixels, rules, pictures, a real window, and the demo as a person starts it.
//!
//! One program, because each test program links the whole product. `cargo test --test screens MODULE::` runs one suite.

mod audit;
mod backstage;
mod by_label;
mod by_pixel;
mod demo;
mod golden;
#[path = "../support/hospital.rs"]
mod hospital;
mod input;
mod languages;
mod staff;
mod touch_storm;
mod visits;
mod window;
