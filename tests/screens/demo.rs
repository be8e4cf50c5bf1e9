//! The demo as a person starts it: real feedback tapped on the real pages, synced for real, and the published numbers at the other end.
//!
//! The shipped sample always; with `XINSHENG_REPLAY=FILE` that file too. The expected shares are computed here from the file by the rule of
//! the Friends and Family Test: positive is very good and good, negative poor and very poor, over all answers, "don't know" included.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
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
        Self::replay_with(file, data, &[]).0
    }

    /// The same with more options; also gives what it said until then.
    fn replay_with(file: &Path, data: &Path, more: &[&str]) -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xinsheng-demo"))
            .args(["--headless", "--port", "0", "--replay"])
            .arg(file)
            .arg("--data")
            .arg(data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut page, mut said) = (String::new(), String::new());
        while let Some(Ok(line)) = output.next() {
            println!("{line}");
            said += &line;
            said.push('\n');
            if let Some(address) = line.strip_prefix("central's page: ") {
                page = address.to_owned();
            }
            if line.starts_with("all synced and verified") {
                return (Self { child, page, _output: output }, said);
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

/// A file in a folder of its own.
fn written(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    (folder, file)
}

/// Answers by name of the place, without the "don't know" rule or intervals: what was counted at all.
fn counted(demo: &Demo) -> BTreeMap<String, u64> {
    let rows = demo.scores("by=touchpoint&filter=raw");
    rows.iter()
        .filter(|row| row["score"] == "fft_positive" && row["n"].as_u64().is_some_and(|n| n > 0))
        .map(|row| (row["names"]["en"].as_str().unwrap().to_owned(), row["n"].as_u64().unwrap()))
        .collect()
}

const HEAD: &str = "respondent,date,touchpoint,rating\n";

fn rows(prefix: &str, place: &str, date: &str, count: usize) -> String {
    (0..count).map(|i| format!("{prefix}{i},{date},{place},{}\n", i % 6 + 1)).collect()
}

#[test]
fn the_same_file_twice_counts_once_and_another_file_keeps_the_places_of_the_first() {
    let data = tempfile::tempdir().unwrap();
    let (_one, first) = written("one.csv", format!("{HEAD}{}", rows("p", "North", "2026-01-30", 12)));
    let (_two, second) = written("two.csv", format!("{HEAD}{}", rows("p", "South", "2026-01-31", 12)));
    let north = [("North".to_owned(), 12)].into();
    assert_eq!(counted(&Demo::replay(&first, data.path())), north);
    let (demo, said) = Demo::replay_with(&first, data.path(), &[]);
    assert!(said.contains("12 of 12 rows are in this folder already and are not counted again"), "{said}");
    assert_eq!(counted(&demo), north);
    drop(demo);
    let both: BTreeMap<String, u64> = [("North".to_owned(), 12), ("South".to_owned(), 12)].into();
    assert_eq!(counted(&Demo::replay(&second, data.path())), both);
    // A longer export of the same: only what is new is tapped.
    let longer = format!("{HEAD}{}", rows("p", "North", "2026-01-30", 15));
    let (_more, third) = written("more.csv", longer);
    let (demo, said) = Demo::replay_with(&third, data.path(), &[]);
    assert!(said.contains("12 of 15 rows are in this folder already"), "{said}");
    assert_eq!(counted(&demo)["North"], 15);
    let configured = std::fs::read_to_string(data.path().join("config/touchpoints.toml")).unwrap();
    assert!(
        configured.contains("\"north\"") && configured.contains("\"south\""),
        "both stay in the configuration"
    );
}

#[test]
fn chinese_cyrillic_and_known_names_and_a_month_on_its_last_day_are_replayed() {
    let data = tempfile::tempdir().unwrap();
    let places = [
        "药房",
        "内科3楼",
        "Аптека",
        "Pharmacy",
        "Ward 😀",
        "Department of Respiratory and Critical Care Medicine",
    ];
    let mut text = HEAD.to_owned();
    for (i, place) in places.iter().enumerate() {
        text += &rows(&format!("p{i}-"), place, "2026-01-31", 6);
    }
    text += &rows("q", "Emergency", "2026-01-31", 450);
    let (_folder, file) = written("names.csv", text);
    let (demo, said) = Demo::replay_with(&file, data.path(), &[]);
    let counted = counted(&demo);
    for name in ["药房", "内科3楼", "Аптека", "Pharmacy", "Ward grinning"] {
        assert_eq!(counted.get(name), Some(&6), "{name} in {counted:?}");
    }
    assert_eq!(counted.values().sum::<u64>(), 36 + 450, "{counted:?}");
    assert!(said.contains("`Pharmacy` is the place `pharmacy` of the configuration"), "{said}");
}

#[test]
fn a_real_export_in_gbk_with_semicolons_is_replayed_by_naming_its_columns() {
    let data = tempfile::tempdir().unwrap();
    let mut text = "编号;日期;科室;满意度\n".to_owned();
    for i in 0..6 {
        text += &format!("{i};2026/1/{};急诊室;非常满意\n", 20 + i);
    }
    let (bytes, _, _) = encoding_rs::GBK.encode(&text);
    let (_folder, file) = written("export.csv", bytes);
    let words = ["--columns", "respondent=编号,date=日期,touchpoint=科室,rating=满意度", "--scale", "csat5"];
    let (demo, said) = Demo::replay_with(&file, data.path(), &words);
    assert!(
        said.contains("the file is taken for GBK/GB18030") && said.contains("fields are separated by `;`"),
        "{said}"
    );
    let rows = demo.scores("by=touchpoint&filter=raw");
    let row = rows.iter().find(|row| row["names"]["en"] == "急诊室" && row["score"] == "csat").unwrap();
    assert_eq!(row["n"], 6, "{row}");
}

#[test]
fn a_file_is_checked_whole_before_the_first_tap_and_nothing_of_a_wrong_one_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let (_folder, file) = written(
        "bad.csv",
        format!("{HEAD}p1,2026-01-30,North,1\np2,26-01-31,North,5\np3,2026-01-30,North,x\n"),
    );
    let output = Command::new(env!("CARGO_BIN_EXE_xinsheng-demo"))
        .args(["--headless", "--exit", "--port", "0", "--replay"])
        .arg(&file)
        .arg("--data")
        .arg(data.path())
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(words.contains("2 findings:\n  line 3: `26-01-31` has a year of two digits"), "{words}");
    assert!(words.contains("\n  line 4: `x` is no rating"), "{words}");
    assert!(!data.path().join("kiosk/journal.db").exists(), "nothing was tapped");
    let configured = std::fs::read_to_string(data.path().join("config/touchpoints.toml")).unwrap();
    assert!(!configured.contains("north"), "no place was added");
}

/// Runs the demo without a window to its end; what it said, and how long it took.
fn run_to_end(arguments: &[&str], data: &Path) -> (String, std::time::Duration) {
    let started = std::time::Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_xinsheng-demo"))
        .args(["--headless", "--exit", "--port", "0"])
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    (said, started.elapsed())
}

fn entries_at_central(said: &str) -> &str {
    said.lines().find(|line| line.starts_with("central:  ")).unwrap_or_else(|| panic!("no chain in {said}"))
}

#[test]
fn the_example_history_is_made_once_through_journal_and_sync_and_kept_from_real_feedback() {
    let data = tempfile::tempdir().unwrap();
    let (first, took) = run_to_end(&["--history"], data.path());
    println!("an example history took {took:?}:\n{first}");
    assert!(first.contains("the example history is on the page"), "{first}");
    let (second, _) = run_to_end(&["--history"], data.path());
    assert_eq!(entries_at_central(&first), entries_at_central(&second), "made once");
    // Without a window such a folder shows its history, and never the sample of real feedback.
    let (third, _) = run_to_end(&[], data.path());
    assert_eq!(entries_at_central(&first), entries_at_central(&third));
    let (_folder, file) = written("real.csv", format!("{HEAD}p1,2026-01-30,North,1\n"));
    let output = Command::new(env!("CARGO_BIN_EXE_xinsheng-demo"))
        .args(["--headless", "--exit", "--port", "0", "--replay"])
        .arg(&file)
        .arg("--data")
        .arg(data.path())
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success()
            && words.contains("holds example data, which real feedback must not be mixed with"),
        "{words}"
    );
}

#[test]
fn example_data_is_marked_in_the_api_and_refused_by_a_central_that_is_not_a_demo() {
    use xinsheng::{central, clock, config, example};
    let hospital = std::sync::Arc::new(config::example().value.hospital);
    let clock: std::sync::Arc<dyn clock::Clock> = std::sync::Arc::new(clock::SystemClock::new());
    let started = |is_demo: bool| {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = central::Settings::new(folder.path().join("central"));
        settings.example = is_demo;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        (central::Central::start(settings, (*hospital).clone(), listener).unwrap(), folder)
    };
    let enrol = |central: &central::Central, folder: &Path| {
        let exit = "exit".parse().unwrap();
        example::enrol(&folder.join("example"), &central.url(), || central.new_code(&exit), &*clock)
    };
    let (real, folder) = started(false);
    let refused = format!("{:#}", enrol(&real, folder.path()).unwrap_err());
    assert!(refused.contains("this central takes no example data"), "{refused}");
    let get = |central: &central::Central, path: &str| -> serde_json::Value {
        let text = reqwest::blocking::get(format!("{}{path}", central.url())).unwrap().text().unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(get(&real, "/v1/scores")["example"], false);
    let (demo, folder) = started(true);
    enrol(&demo, folder.path()).unwrap();
    let dir = folder.path().join("example");
    let wanted = example::visits::Wanted { seed: 1, days: 3, until: clock.now().wall };
    example::write(&dir, &hospital, &wanted).unwrap();
    let sender = example::Sender::start(&dir, &demo.url(), &clock).unwrap();
    let patience = std::time::Instant::now();
    while sender.recorder().call(|journal| journal.queue_depth()).unwrap() > 0 {
        assert!(patience.elapsed().as_secs() < 60, "{:?}", sender.sync().status());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let scores = get(&demo, "/v1/scores");
    assert_eq!(scores["example"], true);
    let counted: u64 = scores["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["headline"] == true)
        .filter_map(|row| row["n"].as_u64())
        .sum();
    let visits = example::visits::make(&hospital, &wanted);
    let staying = visits.iter().filter(|visit| !visit.leaves).count() as u64;
    assert!(
        counted > staying / 2 && counted <= staying,
        "{counted} of {staying} (cells with few answers are hidden)"
    );
    assert_eq!(get(&demo, "/v1/terminals")[0]["example"], true);
    assert!(demo.verify().unwrap().is_whole());
}

#[test]
fn each_place_of_a_file_gets_its_own_ratings_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("names.csv");
    let head = "Outpatient department of the Second Affiliated Hospital, building";
    let names = [
        format!("{head} A desk north of the river"),
        format!("{head} B desk north of the river"),
        "第二附属医院国际医疗部门诊大楼甲区三层综合服务台北侧窗口".to_owned(),
        "第二附属医院国际医疗部门诊大楼乙区三层综合服务台北侧窗口".to_owned(),
        "Help".to_owned(),
        "帮助".to_owned(),
        "English".to_owned(),
        "下一页".to_owned(),
    ];
    let rows: String = names
        .iter()
        .enumerate()
        .flat_map(|(i, name)| {
            // As many of each as a score needs to be shown.
            (0..6).map(move |visit| format!("p{i}-{visit},2026-01-30,\"{name}\",{}\n", i % 5 + 1))
        })
        .collect();
    std::fs::write(&file, format!("respondent,date,touchpoint,rating\n{rows}")).unwrap();
    let data = folder.path().join("data");
    let (demo, said) = Demo::replay_with(&file, &data, &["--scale", "csat5"]);
    assert!(said.contains("48 visitors were thanked"), "{said}");
    let asked: Vec<_> =
        demo.scores("by=touchpoint&filter=raw").into_iter().filter(|row| row["n"] != 0).collect();
    let places: std::collections::BTreeSet<String> =
        asked.iter().map(|row| row["touchpoint"].to_string()).collect();
    assert_eq!(places.len(), names.len(), "{asked:#?}");
    assert!(asked.iter().all(|row| row["n"] == 6), "{asked:#?}");
    drop(demo);

    // The same file read as another scale has no new rows, and so changes no place.
    let before = std::fs::read_to_string(data.join("config/touchpoints.toml")).unwrap();
    let (demo, said) = Demo::replay_with(&file, &data, &["--scale", "face5"]);
    assert!(said.contains("48 of 48 rows are in this folder already"), "{said}");
    assert_eq!(std::fs::read_to_string(data.join("config/touchpoints.toml")).unwrap(), before);
    drop(demo);
}
