//! A file of ratings for `--replay`.
#![no_main]

use std::io::Cursor;

use chrono::NaiveDate;
use libfuzzer_sys::fuzz_target;
use xinsheng::replay::{self, Options};

fuzz_target!(|bytes: &[u8]| {
    let options = Options::new(NaiveDate::MAX, chrono_tz::Asia::Shanghai);
    match replay::read(Cursor::new(bytes), &options) {
        Ok(plan) => assert!(plan.rows.iter().all(|row| row.place < plan.places.len())),
        Err(findings) => _ = findings.to_string(),
    }
});
