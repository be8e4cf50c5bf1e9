//! Configuration files as staff write them: what the check says, what comes into force, and what the screens make of them.
//!
//! One program, because each test program links the whole product. `cargo test --test config MODULE::` runs one suite.

#[path = "../support/chance.rs"]
mod chance;
mod check;
#[path = "../support/faults.rs"]
mod faults;
mod hostile;
mod in_force;
mod mistakes;
mod parts;
mod screens;
