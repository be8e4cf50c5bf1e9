//! What people read of scores and reasons: three kinds of "not shown", spans that end, pages, late rows, closed places.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use crate::faults::survived;
use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use xinsheng::{
    model::{EntryId, Moment, TimeQuality},
    survey::Start,
    wire::{Body, Draft, EndOutcome, ResponseEnd},
};

use super::{
    api::{Api, IntoRequest as _, Terminal},
    hospital::{plan, texts},
    journal::{Journal, answer, because, end, response},
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Writes an answer of a certain moment.
fn push_at(journal: &mut Journal, when: DateTime<Utc>, body: Body) {
    let moment =
        Moment { wall: when, boot: journal.boot, up_ms: journal.last_seq(), quality: TimeQuality::Synced };
    let mut random = [journal.chain.0[0]; 10];
    random[..8].copy_from_slice(&journal.last_seq().to_be_bytes());
    journal.push_draft(Draft { id: EntryId::from_parts(2, random), at: moment, body });
}

async fn send(api: &Api, terminal: &Terminal, journal: &Journal) {
    // A batch has at most 500 entries.
    for first in (1..=journal.last_seq()).step_by(400) {
        let count = usize::try_from(journal.last_seq() + 1 - first).unwrap().min(400);
        let reply = api.send(terminal.part(journal, first, count).request()).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }
}

fn find<'a>(rows: &'a [Json], name: &str, value: &str) -> &'a Json {
    rows.iter().find(|row| row[name] == value).unwrap_or_else(|| panic!("no {name} {value} in {rows:#?}"))
}

async fn text(api: &Api, path: &str) -> String {
    String::from_utf8(api.get(path).await.body).unwrap()
}

/// The window with 60 bad answers: 50 name the wait, 8 the manner, 2 something else.
async fn with_reasons() -> (Api, Terminal, Journal) {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    for n in 0..60 {
        journal.push(answer(n, 1));
        journal.push(because(
            n,
            1,
            if n < 50 {
                &["wait"]
            } else if n < 58 {
                &["manner"]
            } else {
                &["other"]
            },
        ));
    }
    send(&api, &terminal, &journal).await;
    (api, terminal, journal)
}

#[tokio::test]
async fn reasons_are_counted_by_touchpoint_question_span_and_filter() {
    let (api, terminal, mut journal) = with_reasons().await;
    let rows = api.rows("/v1/reasons").await;
    let window = find(&rows, "touchpoint", "window");
    assert_eq!(
        (&window["question"], &window["asked"], &window["values"]),
        (&json!("a"), &json!(60), &json!([1, 2]))
    );
    assert_eq!(window["prompt"]["en"], "What went wrong? Choose any");
    let reasons = window["reasons"].as_array().unwrap();
    let wait = find(reasons, "reason", "wait");
    assert_eq!((&wait["n"], &wait["value"], &wait["display"]), (&json!(50), &json!(83.33), &json!("plain")));
    assert_eq!((&wait["texts"]["zh-CN"], &wait["written"]["value"]), (&json!("等得太久"), &json!("83")));
    assert!(wait["low"].as_f64().unwrap() < 83.0 && wait["formula"].as_str().unwrap().contains("Wilson"));
    // Two visitors are few, and the eight beside them would give them away.
    let (manner, other) = (find(reasons, "reason", "manner"), find(reasons, "reason", "other"));
    assert_eq!((&manner["n"], &manner["suppressed"]), (&Json::Null, &json!("complement")));
    assert_eq!((&other["n"], &other["suppressed"]), (&Json::Null, &json!("hidden")));
    let ward = find(&rows, "touchpoint", "ward");
    assert_eq!((&ward["asked"], &ward["suppressed"]), (&json!(0), &json!("no_answers")));

    let asked = async |query: &str| {
        let rows = api.rows(&format!("/v1/reasons?{query}")).await;
        assert!(rows.iter().all(|row| row["touchpoint"] == "window"), "{rows:#?}");
        rows[0]["asked"].clone()
    };
    assert_eq!(asked("touchpoint=window&from=2026-11-21&to=2026-11-22").await, 60);
    assert_eq!(asked("touchpoint=window&question=a&from=2026-11-22&to=2026-11-23").await, 0);
    assert!(api.rows("/v1/reasons?question=b").await.is_empty(), "nobody is asked for reasons there");
    (0..10).for_each(|n| _ = journal.push(end(n, EndOutcome::Undone)));
    send(&api, &terminal, &journal).await;
    assert_eq!(asked("touchpoint=window").await, 50);
    api.get("/v1/reasons?touchpoint=x").await.problem(404);
    api.get("/v1/reasons?colour=red").await.problem(400);
}

#[tokio::test]
async fn reasons_are_in_the_csv_files_and_keep_the_rule_there() {
    let (api, _, _) = with_reasons().await;
    let file = text(&api, "/v1/reasons?format=csv&touchpoint=window").await;
    let line =
        |reason: &str| file.lines().find(|line| line.contains(&format!(",{reason},"))).unwrap().to_owned();
    assert!(line("wait").contains(",60,wait,Long wait / 等得太久,50,83.33,"), "{file}");
    assert!(line("manner").contains(",manner,Attitude / 态度不好,,,,,complement,"), "{file}");
    assert!(line("other").contains(",other,Other / 其他,,,,,hidden,"), "{file}");
    let answers = text(&api, "/v1/export.csv?from=2026-11-21&to=2026-11-23").await;
    let mut reader = csv::Reader::from_reader(answers.trim_start_matches('\u{feff}').as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "reasons").unwrap();
    let chosen: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
    assert_eq!(chosen.len(), 60);
    assert_eq!(chosen.iter().filter(|reason| *reason == "wait").count(), 50);
}

#[tokio::test]
async fn no_answers_too_few_and_hidden_for_protection_are_three_things_in_json_and_csv() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    // Three days with 40, 3 and 12 answers.
    let mut number = 0;
    for (day, answers) in [(17, 40), (18, 3), (19, 12)] {
        for _ in 0..answers {
            push_at(&mut journal, at(&format!("2026-11-{day}T04:00:00Z")), answer(number, 5));
            number += 1;
        }
    }
    send(&api, &terminal, &journal).await;
    let days = "by=day&touchpoint=window&from=2026-11-17&to=2026-11-21";
    let rows = api.rows(&format!("/v1/scores?{days}")).await;
    let state = |day: &str| {
        let row = find(&rows, "start", &format!("2026-11-{day}T00:00:00+08:00"));
        (row["n"].clone(), row["suppressed"].clone(), row["written"]["n"].clone())
    };
    assert_eq!(state("17"), (json!(40), Json::Null, json!("40")));
    assert_eq!(state("18"), (Json::Null, json!("hidden"), Json::Null));
    assert_eq!(state("19"), (Json::Null, json!("complement"), Json::Null));
    let body: Json = api.get(&format!("/v1/scores?{days}")).await.json();
    let slots: Vec<&str> = body["spans"][0]["slots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slot| slot["label"].as_str().unwrap())
        .collect();
    assert_eq!(slots, ["2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"], "also days without answers");
    let ward = api.rows("/v1/scores?touchpoint=ward").await.remove(0);
    assert_eq!((&ward["n"], &ward["suppressed"]), (&json!(0), &json!("no_answers")));
    let file = text(&api, &format!("/v1/scores?{days}&format=csv")).await;
    for (day, word) in [("18", ",,csat,,,,hidden,"), ("19", ",,csat,,,,complement,")] {
        let line = file
            .lines()
            .find(|line| line.contains(&format!("2026-11-{day}")) && line.contains("csat,"))
            .unwrap();
        assert!(line.contains(word), "{line}");
    }
    assert!(text(&api, "/v1/scores?touchpoint=ward&format=csv").await.contains(",0,yes,,,,no_answers,"));
    survived!(46; slots.len(), "days");
}

#[tokio::test]
async fn every_report_and_export_has_a_longest_span_and_says_what_to_ask_for_instead() {
    let api = Api::new();
    for (path, fix, status) in [
        ("/v1/scores?by=hour&from=2026-01-01&to=2026-02-02", "may cover 31 days", 422),
        ("/v1/scores?by=hour&period=all", "may cover 31 days", 422),
        ("/v1/scores?by=hour&period=365d", "may cover 31 days", 422),
        ("/v1/scores?by=day&period=all", "may cover 400 days", 422),
        ("/v1/scores?by=day&from=2020-01-01&to=2026-01-01", "shorter spans", 422),
        ("/v1/export.csv?period=all", "may cover 400 days", 422),
        ("/v1/export.csv?from=2020-01-01&to=2026-01-01", "shorter spans", 422),
        ("/v1/scores?period=today&from=2026-01-01", "either `period`", 422),
        ("/v1/scores?period=fortnight", "fortnight", 400),
        ("/v1/reasons?from=2026-01-02&to=2026-01-02", "before `to`", 422),
        ("/v1/scores?from=%2B262142-12-31", "1970 to 9999", 400),
    ] {
        let problem = api.get(path).await.problem(status);
        assert!(problem.detail.as_ref().unwrap().contains(fix), "{path}: {problem:?}");
    }
    for path in ["/v1/scores?by=hour", "/v1/scores?by=day", "/v1/scores", "/v1/reasons", "/v1/export.csv"] {
        assert_eq!(api.get(path).await.status, 200, "{path} without a span has a default");
    }
    let spans = async |query: &str| {
        let body: Json = api.get(&format!("/v1/scores?{query}")).await.json();
        body["spans"][0].clone()
    };
    let today = spans("period=today").await;
    assert_eq!((&today["first_day"], &today["time_zone"]), (&today["last_day"], &json!("Asia/Shanghai")));
    assert_eq!(spans("by=hour").await["slots"].as_array().unwrap().len(), 24);
    assert_eq!(spans("by=day").await["slots"].as_array().unwrap().len(), 28);
    assert_eq!(
        (&spans("period=all").await["from"], &spans("").await["first_day"]),
        (&Json::Null, &Json::Null)
    );
}

#[tokio::test]
async fn the_first_and_last_instants_that_can_be_written_are_answered_whatever_their_offset() {
    let api = Api::new();
    for span in [
        "from=9999-12-31T23:59:59-12:00",
        "from=9999-12-31",
        "to=1970-01-01T00:00:00%2B14:00",
        "from=1970-01-01T00:00:00%2B14:00",
        "from=9999-12-31T00:00:00-12:00&to=9999-12-31T23:59:59-12:00",
        "from=1970-01-01T00:00:00%2B14:00&to=1970-01-02",
    ] {
        for report in ["scores?", "scores?by=hour&", "scores?by=day&", "reasons?", "export.csv?"] {
            let reply = api.get(&format!("/v1/{report}{span}")).await;
            let text = String::from_utf8_lossy(&reply.body);
            assert!([200, 422].contains(&reply.status.as_u16()), "{report}{span}: {} {text}", reply.status);
        }
    }
}

#[tokio::test]
async fn a_long_report_by_hour_comes_in_pages_that_give_each_hour_once() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    let hours = 31 * 24;
    for hour in 0..hours {
        push_at(
            &mut journal,
            at("2026-09-30T16:00:00Z") + TimeDelta::hours(hour),
            answer(hour.unsigned_abs(), 5),
        );
    }
    send(&api, &terminal, &journal).await;
    let (mut from, mut seen, mut pages) = ("2026-10-01".to_owned(), BTreeSet::new(), 0);
    loop {
        let body: Json = api.get(&format!("/v1/scores?by=hour&from={from}&to=2026-11-01")).await.json();
        let rows = body["rows"].as_array().unwrap();
        assert!(!rows.is_empty() && rows.len() <= 2_000, "{}", rows.len());
        for row in rows {
            let key = (row["start"].as_str().unwrap().to_owned(), row["score"].as_str().unwrap().to_owned());
            assert!(seen.insert(key), "twice: {row}");
        }
        pages += 1;
        match body["next"].as_str() {
            Some(next) => next.clone_into(&mut from),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (3 * 31 * 24, 2));
}

#[tokio::test]
async fn a_late_row_changes_the_closed_day_it_belongs_to() {
    let api = Api::new();
    let (early, late) = (api.enrolled(1).await, api.enrolled(2).await);
    let (mut first, mut second) = (Journal::new(1), Journal::new(2));
    (0..10).for_each(|n| push_at(&mut first, at("2026-11-20T02:00:00Z"), answer(n, 5)));
    (10..20).for_each(|n| push_at(&mut second, at("2026-11-10T02:00:00Z"), answer(n, 1)));
    let day = async |day: &str| {
        let next = day.parse::<u32>().unwrap() + 1;
        let rows = api.rows(&format!("/v1/scores?by=day&from=2026-11-{day}&to=2026-11-{next}")).await;
        rows.first().map(|row| (row["n"].clone(), row["value"].clone()))
    };
    send(&api, &early, &first).await;
    assert_eq!((day("10").await, day("20").await), (None, Some((json!(10), json!(100.0)))));
    send(&api, &late, &second).await;
    assert_eq!(day("10").await, Some((json!(10), json!(0.0))), "ten days late");
    second.push(Body::ResponseEnd(ResponseEnd {
        response: response(10),
        touchpoint: None,
        outcome: EndOutcome::Undone,
        replaces: None,
    }));
    send(&api, &late, &second).await;
    assert_eq!(day("10").await, Some((json!(9), Json::Null)), "and taken back");
    assert_eq!(day("20").await, Some((json!(10), json!(100.0))));
    survived!(46, 47; second.last_seq(), "late rows");
}

#[tokio::test]
async fn fault_46_places_of_one_name_stay_apart_and_names_in_every_script_come_out_as_they_went_in() {
    let (shared, _, _) = with_reasons().await;
    let names = ["挂号窗口", "تىزىملىتىش", "ཐོ་འགོད།", "受付 ﾃｽﾄ", "Ñame, \"quoted\" – é"];
    for name in names {
        let mut hospital = Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital);
        for place in &mut hospital.touchpoints {
            place.name = texts(name);
        }
        let api = Api::new().sharing(&shared, hospital);
        let rows = api.rows("/v1/scores").await;
        for (place, n) in [("window", 60), ("ward", 0)] {
            let row = find(&rows, "touchpoint", place);
            assert_eq!((&row["n"], &row["names"]["zh-CN"]), (&json!(n), &json!(name)));
        }
        let file = text(&api, "/v1/scores?format=csv").await;
        let mut reader = csv::Reader::from_reader(file.trim_start_matches('\u{feff}').as_bytes());
        let named =
            reader.records().filter(|row| row.as_ref().unwrap().iter().any(|cell| cell.contains(name)));
        let places: BTreeSet<String> =
            named.map(|row| row.unwrap().iter().collect::<Vec<_>>().join(",")).collect();
        assert!(places.len() > 2, "{file}");
    }
    survived!(46; names.len(), "names");
}

#[tokio::test]
async fn a_closed_place_keeps_its_history_in_every_report_and_says_that_it_is_closed() {
    let (api, _, _) = with_reasons().await;
    let mut hospital = Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital);
    hospital.touchpoints.retain(|touchpoint| touchpoint.id.as_str() != "window");
    for forget_the_questions in [false, true] {
        let mut hospital = hospital.clone();
        if forget_the_questions {
            hospital.questionnaires.retain(|asked| asked.id.to_string() != "long@1");
        }
        let api = Api::new().sharing(&api, hospital);
        let rows = api.rows("/v1/scores").await;
        let closed = find(&rows, "touchpoint", "window");
        assert_eq!(
            (&closed["n"], &closed["closed"], &closed["value"]),
            (&json!(60), &json!(true), &json!(0.0))
        );
        assert_eq!(find(&rows, "touchpoint", "ward")["closed"], false);
        let site = api.rows("/v1/scores?by=site").await;
        assert_eq!(find(&site, "scale", "csat5")["n"], 60, "the total has it");
        assert_eq!(api.rows("/v1/scores?touchpoint=window").await.len(), 3);
        let reasons = api.rows("/v1/reasons?touchpoint=window").await;
        assert_eq!((&reasons[0]["asked"], &reasons[0]["closed"]), (&json!(60), &json!(true)));
        let days = api.rows("/v1/scores?by=day&from=2026-11-21&to=2026-11-22").await;
        assert_eq!((&days[0]["n"], &days[0]["closed"]), (&json!(60), &json!(true)));
        api.get("/v1/scores?touchpoint=nowhere").await.problem(404);
    }
    survived!(46; 2, "closed places");
}

#[tokio::test]
async fn twelve_equal_answers_prove_no_certainty_and_every_score_names_its_formula() {
    let api = Api::new();
    let terminal = api.enrolled(1).await;
    let mut journal = Journal::new(1);
    (0..12).for_each(|n| _ = journal.push(answer(n, 5)));
    send(&api, &terminal, &journal).await;
    let rows = api.rows("/v1/scores?touchpoint=window").await;
    for row in &rows {
        let (low, high) = (row["low"].as_f64().unwrap(), row["high"].as_f64().unwrap());
        assert!(low < 100.0 && (high - 100.0).abs() < 1e-9 && row["value"] == 100.0, "{row}");
        assert!(row["formula"].as_str().unwrap().contains("95 % interval"), "{row}");
    }
    let index = find(&rows, "score", "index");
    assert!(
        index["low"].as_f64().unwrap() < 90.0 && index["formula"].as_str().unwrap().contains("Perks"),
        "{index}"
    );
    assert_eq!(
        (&index["written"]["value"], &index["unit"], &index["digits"]),
        (&json!("100"), &json!(""), &json!(1))
    );
}

/// What a report by hour cost when it covered everything, and what it costs in pages. By hand: `cargo test --release --no-default-features
/// --features central --test central -- --ignored --nocapture two_years`.
#[tokio::test]
#[ignore = "makes a store of two years, which takes a minute in a debug build"]
async fn two_years_of_hours_are_read_in_pages_of_a_bounded_size() {
    use xinsheng::central::{
        open_store,
        scores::{Grouping, Request, Suppression, report},
        store::CountQuery,
    };
    let folder = tempfile::tempdir().unwrap();
    drop(open_store(folder.path()).unwrap());
    let hospital = {
        let mut hospital = Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital);
        let window = hospital.touchpoints[0].clone();
        hospital.touchpoints = (0..20)
            .map(|i| xinsheng::questionnaire::Touchpoint {
                id: format!("p{i}").parse().unwrap(),
                ..window.clone()
            })
            .collect();
        hospital
    };
    let last = at("2026-11-21T00:00:00Z").timestamp();
    let connection = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    connection
        .execute(
            "with recursive hours(h) as (select 0 union all select h + 1 from hours where h < 730 * 24 - 1), \
             places(p) as (select 0 union all select p + 1 from places where p < 19), \
             levels(v) as (select 1 union all select v + 1 from levels where v < 5) \
             insert into rollups select 'main', 'p' || p, 'long@1', 'a', 'csat5', ?1 - h * 3600, 0, v, 1 + (h + p + v) % 3 \
             from hours, places, levels where h % 24 < 12",
            [last],
        )
        .unwrap();
    connection.execute_batch("analyze; pragma wal_checkpoint(truncate)").unwrap();
    drop(connection);
    let store = open_store(folder.path()).unwrap();
    let site = "main".parse().unwrap();
    let none_closed = BTreeSet::new();
    let request = |by, rows_max| Request {
        hospital: &hospital,
        closed: &none_closed,
        site: &site,
        zone: chrono_tz::Asia::Shanghai,
        touchpoint: None,
        by,
        raw: false,
        rule: Suppression { limit: 5 },
        rows_max,
    };
    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    let measured = async |name: &str, by: Grouping, days: Option<i64>, rows_max| {
        let started = std::time::Instant::now();
        let from_hour = days.map(|days| last - days * 86_400);
        let query = CountQuery {
            from_hour,
            to_hour: from_hour.map(|_| last + 3600),
            hourly: by.is_timed(),
            touchpoint: None,
        };
        let counts = store.counts(&site, query).await.unwrap();
        let read = started.elapsed();
        let report = report(request(by, rows_max), &counts);
        let bytes = serde_json::to_vec(&report.rows).unwrap().len();
        println!(
            "{name}: {} counts in {read:?}, {} rows, {bytes} bytes, {:?}",
            counts.len(),
            report.rows.len(),
            started.elapsed()
        );
        (report.rows.len(), bytes)
    };
    for _ in 0..2 {
        measured("by=hour, everything", Grouping::Hour, None, usize::MAX).await;
        let (rows, bytes) = measured("by=hour, a page of 31 days", Grouping::Hour, Some(31), 2_000).await;
        assert!(rows <= 2_000 && bytes < 4_000_000);
        measured("by=hour, 24 hours", Grouping::Hour, Some(1), 2_000).await;
        measured("by=touchpoint, 28 days", Grouping::Touchpoint, Some(28), 2_000).await;
        measured("by=touchpoint, everything", Grouping::Touchpoint, None, 2_000).await;
    }
}
