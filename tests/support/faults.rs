//! Notes which fault of `tests/faults.toml` a test has just shown, and how often. `scripts/faults.py` makes docs/faults.md from the notes.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::{fs::OpenOptions, io::Write as _, path::Path};

/// Called at the end of a test, when everything held. `times` says how often the fault was made, `unit` what was counted: `cuts`, `requests`.
pub(crate) fn survived(faults: &[u32], times: u64, unit: &str) {
    assert!(times > 0, "a fault that was not made proves nothing");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("main").to_owned();
    let list = faults.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let line =
        format!("{{\"faults\":[{list}],\"program\":\"{}\",\"test\":\"{test}\",\"times\":{times},\"unit\":\"{unit}\"}}\n", env!("CARGO_CRATE_NAME"));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.jsonl");
    let note = OpenOptions::new().create(true).append(true).open(file).and_then(|mut file| file.write_all(line.as_bytes()));
    // The test passed whether or not it can be noted; the script misses the note and says so.
    if let Err(error) = note {
        eprintln!("the fault was not noted: {error}");
    }
}
