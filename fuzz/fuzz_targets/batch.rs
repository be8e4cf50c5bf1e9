//! The body of a batch as a terminal sends it: read, booked at an empty store, and every stored time written.
#![no_main]

use std::sync::LazyLock;

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use xinsheng::{central::fuzzing, config, questionnaire::Hospital};

static HOSPITALS: LazyLock<[Hospital; 2]> = LazyLock::new(config::example_hospitals);

fuzz_target!(|body: &[u8]| {
    for received in [1_795_000_000, 0, DateTime::<chrono::Utc>::MAX_UTC.timestamp() - 301] {
        let received = DateTime::from_timestamp(received, 0).unwrap_or_default();
        // A refusal is an answer.
        _ = fuzzing::book_batch(body, &HOSPITALS[0], received);
    }
});
