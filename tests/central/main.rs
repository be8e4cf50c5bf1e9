//! Central's suites: what it stores, what its API answers, and its page in a real browser.
//!
//! One program, because each test program links the whole product. `cargo test --test central MODULE::` runs one suite.

mod api;
#[path = "../support/chance.rs"]
mod chance;
mod enrolment_quota;
#[path = "../support/faults.rs"]
mod faults;
mod figures;
#[path = "../support/hospital.rs"]
mod hospital;
#[path = "../support/http.rs"]
mod http;
mod journal;
#[cfg(feature = "load")]
mod load;
mod monitoring;
mod nginx;
mod outage;
mod page;
mod process;
mod proof;
mod reasons;
mod signed;
mod store_contract;
