//! A catalogue of texts as a translator left it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xinsheng::lang;

fuzz_target!(|bytes: &[u8]| {
    // What is wrong is told in words, and the words must be possible too.
    if let Err(error) = lang::read_po(bytes) {
        _ = error.to_string();
    }
});
