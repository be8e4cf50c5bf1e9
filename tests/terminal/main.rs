//! The terminal's suites without a screen: survey, journal, staff area, sound, and the way to central.
//!
//! One program, because each test program links the whole product. `cargo test --test terminal MODULE::` runs one suite.

mod architecture;
mod assembly;
#[cfg(feature = "central")]
mod backup;
#[path = "../support/chance.rs"]
mod chance;
mod connections;
#[path = "../support/faults.rs"]
mod faults;
#[path = "../support/headless.rs"]
mod headless;
#[path = "../support/hospital.rs"]
mod hospital;
#[path = "../support/http.rs"]
mod http;
mod journal_faults;
mod journal_model;
mod keeper_model;
mod network_faults;
mod proxy;
mod proxy_headers;
mod sound;
mod staff_model;
mod staff_worker;
mod storage_faults;
#[path = "../support/journal.rs"]
mod support;
mod survey_model;
mod sync_end_to_end;
mod sync_model;
mod web_proxy;
