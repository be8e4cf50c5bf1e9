//! Notes which fault of tests/faults.toml a test has just shown, and how often. `scripts/faults.py` makes docs/faults.md from the notes. The
//! library's own tests use it too.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its own part")]

use std::{fs::OpenOptions, io::Write as _, path::PathBuf};

/// At the end of a test, when everything held: which faults it made, how often, and what was counted. The test is named by the function that
/// this stands in.
macro_rules! survived {
    ($($fault:expr),+; $times:expr, $unit:literal) => {{
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
    // One write for each line: tests run beside each other.
    let noted = folder()
        .and_then(|folder| OpenOptions::new().create(true).append(true).open(folder.join("faults.jsonl")));
    // The test passed whether or not it can be noted; the script misses the note and says so.
    if let Err(error) = noted.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("the fault was not noted: {error}");
    }
}

/// Cargo names the folder to the programs under tests/; the library's test program lies in `deps`, two folders below what holds it.
fn folder() -> std::io::Result<PathBuf> {
    if let Some(folder) = option_env!("CARGO_TARGET_TMPDIR") {
        return Ok(folder.into());
    }
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3).ok_or(std::io::ErrorKind::NotFound)?;
    let folder = target.join("tmp");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
