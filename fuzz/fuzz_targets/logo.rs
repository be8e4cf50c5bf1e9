//! A picture that is to be the hospital's logo.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xinsheng::config;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = config::read_logo(bytes) {
        _ = error.to_string();
    }
});
