//! One line of a journal, booked as a terminal's first entry.
#![no_main]

use std::sync::LazyLock;

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use xinsheng::{central::fuzzing, config, questionnaire::Hospital};

static HOSPITALS: LazyLock<[Hospital; 2]> = LazyLock::new(config::example_hospitals);

fuzz_target!(|line: &[u8]| {
    let received = DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
    for hospital in &*HOSPITALS {
        _ = fuzzing::book_line(line, hospital, received);
    }
});
