//! A terminal's report about itself.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use xinsheng::central::fuzzing;

fuzz_target!(|body: &[u8]| {
    _ = fuzzing::read_health(body, DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default());
});
