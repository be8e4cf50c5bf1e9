//! A kiosk.toml as staff left it: checked, every finding written, and the data folder looked for that it still shows.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use xinsheng::config::{Kind, check_bytes, data_dir_of};

fuzz_target!(|bytes: &[u8]| {
    _ = check_bytes(Kind::Kiosk, bytes).to_string();
    _ = data_dir_of(Path::new("kiosk.toml"), &|_| Ok(bytes.to_vec()));
});
