//! A touchpoints.toml as staff left it: checked, and every finding written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xinsheng::config::{Kind, check_bytes};

fuzz_target!(|bytes: &[u8]| {
    _ = check_bytes(Kind::Touchpoints, bytes).to_string();
});
