//! A font that comes with a language folder, and what is asked of it before it is used.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xinsheng::fonts::Family;

fuzz_target!(|bytes: &[u8]| {
    match Family::read("en", bytes.to_vec(), None) {
        Ok(family) => _ = family.faces(),
        Err(error) => _ = error.to_string(),
    }
});
