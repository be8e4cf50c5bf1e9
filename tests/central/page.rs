//! Central's page in a real browser: the score is there, and changes when a tap arrives. Needs chromium and chromedriver; without them it
//! is skipped, except where `CI` is set. With `XINSHENG_SCREENS=DIR` it leaves pictures of the page.

#![expect(clippy::unwrap_used, reason = "a test")]

mod axe;
mod browser;
mod hospital;

use std::net::TcpListener;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use xinsheng::central::Central;

use crate::{http, journal::tested};
use browser::browser;
use hospital::{example, fill};

#[expect(clippy::disallowed_methods, reason = "the page shows the latest hours of the real clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

#[test]
fn the_score_is_there_and_changes_when_a_tap_arrives() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (settings, hospital) = example(folder.path());
    let central =
        Central::start(settings, hospital.clone(), TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let mut terminals = fill(&central, &hospital);
    let touchpoint = terminals[0].touchpoint.clone();

    browser.go(&format!("{}/?lang=en", central.url()));
    let value =
        format!("return document.querySelector('[data-touchpoint=\"{touchpoint}\"] .value')?.textContent");
    let before = browser.wait(&value);
    browser.wait("return document.querySelectorAll('[data-terminal]').length >= 10");
    assert!(browser.run("return document.querySelector('#live').className") != json!("lost"));
    browser.picture("page-en.png");

    for _ in 0..200 {
        terminals[0].tap(0, now());
    }
    terminals[0].send();
    browser.wait(&format!("const now = (() => {{ {value} }})(); return now && now !== {before}"));

    browser.tell(
        "goog/cdp/execute",
        &json!({"cmd": "Emulation.setLocaleOverride", "params": {"locale": "zh-CN"}}),
    );
    browser.run("document.querySelector('#language').click()");
    browser.wait("return document.documentElement.lang === 'zh-CN' && document.querySelector('#scores-title').textContent === '各触点评分'");
    browser.picture("page-zh.png");
    for (name, width) in [("phone-zh", 360), ("tablet-zh", 820)] {
        browser.resize(width, 1500);
        let wide = browser.run("return document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= u64::from(width), "{name} scrolls sideways: {wide}");
        browser.picture(&format!("{name}.png"));
    }
    browser.resize(360, 1500);
    browser.run("document.querySelector('#language').click()");
    browser.picture("phone-en.png");
    let wide = browser.run("return document.documentElement.scrollWidth");
    assert!(wide.as_u64().unwrap() <= 360, "scrolls sideways: {wide}");

    browser.assert_no_complaint();
    drop(browser);
    central.stop().unwrap();
}

#[test]
fn a_call_for_help_stands_out_until_somebody_goes() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (settings, hospital) = example(folder.path());
    let central =
        Central::start(settings, hospital.clone(), TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let mut terminals = fill(&central, &hospital);
    for target in ["face 1", "face 2", "face 3", "face 4", "face 5"] {
        terminals[0].note(tested(target), now() - TimeDelta::hours(30));
    }
    browser.go(&format!("{}/?lang=en", central.url()));
    browser.wait("return document.querySelectorAll('[data-terminal]').length >= 10");
    assert_eq!(browser.run("return document.querySelector('#help').checkVisibility()"), json!(false));

    // A terminal that was offline brings an old call; another one rings now, twice.
    terminals[2].call_help("zh-CN", now() - TimeDelta::hours(3));
    browser.wait("return document.querySelectorAll('#calls [data-call]').length === 1");
    assert_eq!(browser.run("return document.querySelector('#help').checkVisibility()"), json!(false));
    assert_eq!(browser.run("return document.querySelector('#rings').textContent"), json!(""));
    terminals[0].call_help("ug", now() - TimeDelta::minutes(4));
    terminals[0].call_help("ug", now());
    let shown = "const item = document.querySelector('#help li'); return item?.innerText.includes('called 2 times') && item.innerText";
    let words = browser.wait(shown);
    for word in ["Registration", "waiting 4 min", "speaks Uyghur"] {
        assert!(words.as_str().unwrap().contains(word), "{words}");
    }
    assert_eq!(browser.run("return document.querySelector('#rings').getAttribute('role')"), json!("alert"));
    let said = browser.run("return document.querySelector('#rings').textContent");
    assert_eq!(said, json!("Help needed: Registration, Uyghur"));
    assert!(browser.run("return document.title").as_str().unwrap().starts_with("(1) Help needed"));
    browser.wait(
        "return document.querySelector('#terminals').innerText.includes('buttons tested 30 h ago (5)')",
    );
    browser.picture("help-en.png");
    browser.run("window.scrollTo(0, document.body.scrollHeight)");
    let in_view = "const box = document.querySelector('#help button').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight";
    assert_eq!(browser.run(in_view), json!(true), "it stays in view however far down one reads");

    terminals[4].call_help("en", now() - TimeDelta::minutes(11));
    browser.tell(
        "goog/cdp/execute",
        &json!({"cmd": "Emulation.setLocaleOverride", "params": {"locale": "zh-CN"}}),
    );
    browser.run("document.querySelector('#language').click()");
    browser.wait("return document.querySelectorAll('#help li').length === 2 && document.querySelector('#help-title').textContent === '有人需要帮助'");
    for (name, width) in [("phone-help-zh", 360), ("tablet-help-zh", 820)] {
        browser.resize(width, 1500);
        browser.run("window.scrollTo(0, 0)");
        let wide = browser.run("return document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= u64::from(width), "{name} scrolls sideways: {wide}");
        let tall = browser.run("return Math.min(...[...document.querySelectorAll('#help button, #calls button')].map((button) => button.offsetHeight))");
        assert!(tall.as_f64().unwrap() >= 48.0, "a finger needs more than {tall}");
        browser.picture(&format!("{name}.png"));
    }
    browser.resize(360, 1500);
    browser.run("document.querySelector('#language').click()");
    let wide = browser.run("return document.documentElement.scrollWidth");
    assert!(wide.as_u64().unwrap() <= 360, "scrolls sideways: {wide}");
    browser.picture("phone-help-en.png");
    browser.run("document.querySelector('#language').click()");
    browser.resize(1280, 900);

    // Whoever waits longest stands first; the button takes it off every page.
    for left in [1, 0] {
        browser.run("document.querySelector('#help button').click()");
        browser.wait(&format!("return document.querySelectorAll('#help li').length === {left}"));
    }
    assert_eq!(browser.run("return document.querySelector('#help').checkVisibility()"), json!(false));
    browser.wait("return document.querySelectorAll('#calls [data-call]').length === 4");
    browser.picture("calls-zh.png");
    let (_, calls) = http::call(central.address(), "GET", "/v1/help", &[], &[]);
    let calls: Json = serde_json::from_slice(&calls).unwrap();
    let states: Vec<&str> =
        calls.as_array().unwrap().iter().map(|call| call["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["answered", "answered", "answered", "late"]);
    browser.run("document.querySelector('#calls button').click()");
    browser.wait("return document.querySelector('#calls button') === null && document.querySelector('#calls').innerText.includes('送达过晚，已知悉')");

    browser.assert_no_complaint();
    drop(browser);
    central.stop().unwrap();
}

#[test]
fn reasons_and_the_three_kinds_of_not_shown_are_told_apart_on_the_page() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (settings, mut hospital) = example(folder.path());
    // Two places of one name, and names in scripts of either direction.
    for (i, name) in [(2, "挂号窗口"), (3, "نومۇر ئېلىش كۆزنىكى (A-3)"), (4, "抽血\n化验")]
    {
        let lang = "zh-CN".parse().unwrap();
        hospital.touchpoints[i].name.0.insert(lang, name.to_owned());
    }
    let central =
        Central::start(settings, hospital.clone(), TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    fill(&central, &hospital);

    browser.tell(
        "goog/cdp/execute",
        &json!({"cmd": "Emulation.setTimezoneOverride", "params": {"timezoneId": "America/Los_Angeles"}}),
    );
    browser.go(&format!("{}/?lang=zh", central.url()));
    let place = |i: usize| hospital.touchpoints[i].id.to_string();
    let text = |i: usize, what: &str| {
        let script =
            format!("return document.querySelector('[data-touchpoint=\"{}\"] {what}')?.innerText", place(i));
        browser.wait(&script).as_str().unwrap().to_owned()
    };
    let first = hospital.questionnaire(&hospital.touchpoints[0].questionnaire).unwrap().questions[0].clone();
    let group = first.reasons_for(xinsheng::model::Value(1)).unwrap();
    let wait = group.reasons[0].text.get(&"zh-CN".parse().unwrap()).replace('\n', "");
    let shown = text(0, ".reasons");
    assert!(shown.contains(&wait) && shown.contains("人回答") && shown.contains('%'), "{shown}");
    assert!(text(0, "dd.interval").contains('–') && text(0, "dd.n").parse::<u32>().unwrap() == 240);

    // The figures are central's, word for word.
    let (_, scores) = http::call(central.address(), "GET", "/v1/scores?period=all", &[], &[]);
    let scores: Json = serde_json::from_slice(&scores).unwrap();
    let row =
        scores["rows"].as_array().unwrap().iter().find(|row| row["touchpoint"] == json!(place(0))).unwrap();
    let figure = format!("{}{}", row["written"]["value"].as_str().unwrap(), row["unit"].as_str().unwrap());
    assert_eq!(text(0, ".value"), figure);

    // Too few is not no answers.
    assert_eq!(text(9, ".value"), "少于 5 份，不显示");
    assert_eq!(text(10, ".value"), "还没有评价");
    let states = browser.run("return [...new Set([...document.querySelectorAll('.card')].map((card) => card.dataset.state))].sort()");
    assert_eq!(states, json!(["count_only", "hidden", "no_answers", "shown"]));

    // Two places of one name are told apart; a name of the other direction stays within its card.
    assert!(text(0, "h3").contains(&place(0)) && text(2, "h3").contains(&place(2)));
    let rtl = format!(
        "return getComputedStyle(document.querySelector('[data-touchpoint=\"{}\"] h3')).direction",
        place(3)
    );
    assert_eq!(browser.wait(&rtl), "rtl");
    assert_eq!(text(4, "h3"), "抽血化验");

    // Periods are the hospital's days, whatever time zone the browser believes in.
    browser.run("document.querySelector('#period [data-key=\"today\"]').click()");
    let today = browser.wait("const text = document.querySelector('.span').innerText; return text.includes('Asia/Shanghai') && text.includes('至') && text");
    let day = now().with_timezone(&chrono_tz::Asia::Shanghai).format("%Y-%m-%d").to_string();
    assert_eq!(today.as_str().unwrap().matches(&day).count(), 2, "{today}");
    browser.run("document.querySelector('#period [data-key=\"all\"]').click()");
    browser.wait("return document.querySelector('.span').innerText.includes('全部时间')");
    browser.picture("reasons-zh.png");
    for (name, width) in [("phone-reasons-zh", 360), ("tablet-reasons-zh", 820)] {
        browser.resize(width, 1500);
        let wide = browser.run("return document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= u64::from(width), "{name} scrolls sideways: {wide}");
        browser.picture(&format!("{name}.png"));
    }
    browser.assert_no_complaint();
    drop(browser);
    central.stop().unwrap();
}

#[test]
fn the_page_computes_no_day_and_formats_no_figure() {
    let script = include_str!("../../assets/central/page.js");
    for word in
        ["toISOString", "getTimezoneOffset", "NumberFormat", "toFixed", "Math.round", "getUTC", "toLocale"]
    {
        assert!(!script.contains(word), "{word} is central's work");
    }
}
