//! The demo as a person starts it: real feedback tapped on the real pages, synced for real, and the published numbers at the other end.
//!
//! The shipped sample always; with `XINSHENG_REPLAY=FILE` that file too. The expected shares are computed here from the file by the rule of
//! the Friends and Family Test: positive is very good and good, negative poor and very poor, over all answers, "don't know" included.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

struct Demo {
    child: Child,
    page: String,
    /// Held open: a program whose output nobody takes ends.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    /// Starts it and comes back when everything is synced and verified.
    fn replay(file: &Path, data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xinsheng-demo"))
            .args(["--headless", "--port", "0", "--replay"])
            .arg(file)
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut page = String::new();
        while let Some(Ok(line)) = output.next() {
            println!("{line}");
            if let Some(address) = line.strip_prefix("central's page: ") {
                page = address.to_owned();
            }
            if line.starts_with("all synced and verified") {
                return Self { child, page, _output: output };
            }
        }
        panic!("the demo ended early: {:?}", child.wait());
    }

    fn scores(&self, query: &str) -> Vec<serde_json::Value> {
        let answer = reqwest::blocking::get(format!("{}v1/scores?{query}", self.page)).unwrap();
        assert!(answer.status().is_success());
        let body: serde_json::Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        body["rows"].as_array().unwrap_or_else(|| panic!("no rows in {body}")).clone()
    }
}

#[derive(Default)]
struct Tally {
    answers: u32,
    positive: u32,
    negative: u32,
}

fn tallies(file: &Path) -> BTreeMap<String, Tally> {
    let mut all: BTreeMap<String, Tally> = BTreeMap::new();
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(file).unwrap();
    for row in reader.records().map(Result::unwrap) {
        let rating: u32 = row[3].parse().unwrap();
        if rating > 6 {
            continue;
        }
        let tally = all.entry(row[2].to_owned()).or_default();
        tally.answers += 1;
        tally.positive += u32::from(rating <= 2);
        tally.negative += u32::from(rating == 4 || rating == 5);
    }
    all
}

fn percent(part: u32, whole: u32) -> f64 {
    (10_000.0 * f64::from(part) / f64::from(whole)).round() / 100.0
}

fn the_scores_are_the_files(file: &Path) {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::replay(file, data.path());
    let tallies = tallies(file);
    assert!(!tallies.is_empty());
    for filter in ["raw", "filtered"] {
        let rows = demo.scores(&format!("by=touchpoint&filter={filter}"));
        for (name, tally) in &tallies {
            for (score, part) in [("fft_positive", tally.positive), ("fft_negative", tally.negative)] {
                let row = rows
                    .iter()
                    .find(|row| row["names"]["en"] == name.as_str() && row["score"] == score)
                    .unwrap_or_else(|| panic!("no {score} of {name} in {rows:#?}"));
                assert_eq!(row["n"], tally.answers, "{name}, {filter}: {row}");
                let (value, expected) = (row["value"].as_f64().unwrap(), percent(part, tally.answers));
                assert!(
                    (value - expected).abs() < 0.005,
                    "{name} {score}, {filter}: {value}, the file says {expected}"
                );
                let (low, high) = (row["low"].as_f64().unwrap(), row["high"].as_f64().unwrap());
                assert!(low <= value && value <= high && low < high, "{row}");
                println!("{name} {score} ({filter}): {value} % of {} [{low}, {high}]", tally.answers);
            }
        }
    }
}

#[test]
fn real_feedback_comes_out_as_the_published_shares() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sample/fft-ambulance-sample.csv");
    the_scores_are_the_files(&sample);
    if let Some(file) = std::env::var_os("XINSHENG_REPLAY") {
        the_scores_are_the_files(&PathBuf::from(file));
    }
}

#[test]
fn a_file_that_cannot_be_replayed_says_which_line_and_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.csv");
    std::fs::write(&file, "respondent,date,touchpoint,rating\np1,yesterday,Ward,1\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xinsheng-demo"))
        .args(["--headless", "--exit", "--port", "0", "--replay"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("line 2: `yesterday` is not a date; write it like 2026-01-31"), "{words}");
}
