//! Notes which fault of tests/faults.toml a test has just shown, and how often. `scripts/faults.py` makes docs/faults.md from the notes.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its own part")]

use std::{fs::OpenOptions, io::Write as _, path::Path};

/// At the end of a test, when everything held: which faults it made, how often, and what was counted. The test is named by the function that
/// this stands in.
macro_rules! survived {
    ($($fault:literal),+; $times:expr, $unit:literal) => {{
        fn here() {}
        $crate::faults::note(std::any::type_name_of_val(&here), &[$($fault),+], $times, $unit)
    }};
}
pub(crate) use survived;

pub(crate) fn note(here: &str, faults: &[u32], times: impl TryInto<u64>, unit: &str) {
    let times = times.try_into().unwrap_or(0);
    assert!(times > 0, "a fault that was not made proves nothing");
    let test = here.trim_end_matches("::here").trim_end_matches("::{{closure}}");
    let list = faults.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let line = format!("{{\"faults\":[{list}],\"test\":\"{test}\",\"times\":{times},\"unit\":\"{unit}\"}}\n");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.jsonl");
    // One write for each line: tests run beside each other.
    let noted = OpenOptions::new().create(true).append(true).open(file);
    // The test passed whether or not it can be noted; the script misses the note and says so.
    if let Err(error) = noted.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("the fault was not noted: {error}");
    }
}
