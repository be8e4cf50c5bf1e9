//! Central's page in a real browser: the score is there, and changes when a tap arrives. Needs chromium and chromedriver; without them it
//! is skipped, except where `CI` is set. With `XINSHENG_SCREENS=DIR` it leaves pictures of the page.

#![expect(clippy::unwrap_used, reason = "a test")]

use crate::http;

use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::journal::{Journal, help, response, tested};
use crate::signed::{Call, enrolment, health};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use xinsheng::{
    central::{Central, Settings},
    config::{self, Glyphs},
    model::{EntryId, Moment, TimeQuality, TouchpointId, Value},
    questionnaire::Hospital,
    sign::KeyPair,
    wire::{Answer, Body, Draft, EnrolmentReply},
};

/// How long the page may take to show what central knows; a loaded machine is slow.
const PATIENCE_TRIES: u32 = 300;

struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Starts; `None` if there is no chromedriver.
    fn start(width: u32, height: u32) -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .args(["--port=0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            line.strip_suffix('.')?.rsplit_once("on port ")?.1.parse::<u16>().ok()
        });
        // The rest is read so that the driver never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let mut browser =
            Self { driver, address: ([127, 0, 0, 1], port.unwrap()).into(), session: String::new(), profile };
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--lang=en-US",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--window-size={width},{height}"));
        arguments.push(format!("--user-data-dir={}", browser.profile.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = browser.ask("POST", "/session", &wanted);
        let id = session["sessionId"].as_str();
        id.unwrap_or_else(|| panic!("{session}")).clone_into(&mut browser.session);
        Some(browser)
    }

    fn ask(&self, method: &str, path: &str, body: &Json) -> Json {
        let body = if method == "GET" { vec![] } else { serde_json::to_vec(body).unwrap() };
        let headers = [("content-type", "application/json".to_owned())];
        let (_, reply) = http::call(self.address, method, path, &headers, &body);
        let reply: Json = serde_json::from_slice(&reply).unwrap();
        reply["value"].clone()
    }

    fn tell(&self, command: &str, body: &Json) -> Json {
        self.ask("POST", &format!("/session/{}/{command}", self.session), body)
    }

    fn go(&self, url: &str) {
        self.tell("url", &json!({"url": url}));
    }

    fn run(&self, script: &str) -> Json {
        self.tell("execute/sync", &json!({"script": script, "args": []}))
    }

    fn resize(&self, width: u32, height: u32) {
        // A window has a least width; what the page sees has none.
        let view = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.tell("goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": view}));
    }

    /// Waits until a script gives something else than null, false or an empty text.
    fn wait(&self, script: &str) -> Json {
        for _ in 0..PATIENCE_TRIES {
            let value = self.run(script);
            if !(value.is_null() || value == json!(false) || value == json!("")) {
                return value;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the page never fulfilled: {script}\n{}", self.run("return document.body.innerText"));
    }

    fn assert_no_complaint(&self) {
        let log = self.tell("se/log", &json!({"type": "browser"}));
        let complaints: Vec<&Json> =
            log.as_array().unwrap().iter().filter(|line| line["level"] == "SEVERE").collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// The whole page, or on a phone its first screens.
    fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("XINSHENG_SCREENS").map(PathBuf::from) else { return };
        let shot = self.tell(
            "goog/cdp/execute",
            &json!({"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": !name.starts_with("phone")}}),
        );
        let png = BASE64_STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), png).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            self.ask("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "the page shows the latest hours of the real clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A terminal that taps over HTTP.
struct Terminal<'a> {
    central: SocketAddr,
    hospital: &'a Hospital,
    touchpoint: TouchpointId,
    key: KeyPair,
    id: String,
    journal: Journal,
    taps: u64,
    sent: u64,
}

impl<'a> Terminal<'a> {
    fn enrol(central: &Central, hospital: &'a Hospital, touchpoint: &TouchpointId, number: u8) -> Self {
        let key = KeyPair::from_seed(&[number; 32]);
        let call = enrolment(&key, &central.new_code(touchpoint).unwrap());
        let (status, body) = http::call(central.address(), "POST", call.path, &call.headers(), &call.body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let welcome: EnrolmentReply = serde_json::from_slice(&body).unwrap();
        Self {
            central: central.address(),
            hospital,
            touchpoint: touchpoint.clone(),
            key,
            id: welcome.terminal.to_string(),
            journal: Journal::new(number),
            taps: 0,
            sent: 0,
        }
    }

    /// Taps a value of the headline question: of its levels the one at a place in percent, worst at 0, best at 100.
    fn tap(&mut self, goodness: usize, at: DateTime<Utc>) {
        let asked = self.hospital.touchpoint(&self.touchpoint).unwrap().questionnaire.clone();
        let question = &self.hospital.questionnaire(&asked).unwrap().questions[0];
        let levels: Vec<Value> = question
            .scale
            .levels()
            .iter()
            .filter(|level| level.index.is_some())
            .map(|level| level.value)
            .collect();
        let place = ((levels.len() - 1) * goodness + 50) / 100;
        self.taps += 1;
        let number = u64::from(self.journal.chain.0[0]) * 1_000_000 + self.taps;
        let body = Body::Answer(Answer {
            response: response(number),
            touchpoint: self.touchpoint.clone(),
            questionnaire: asked,
            question: question.id.clone(),
            scale: question.scale,
            value: levels[place],
            lang: "zh-CN".parse().unwrap(),
            shown_ms: Some(2_000),
            order: levels,
            flags: vec![],
        });
        self.push(number, body, at);
    }

    fn push(&mut self, number: u64, body: Body, at: DateTime<Utc>) {
        let moment =
            Moment { wall: at, boot: self.journal.boot, up_ms: self.taps, quality: TimeQuality::Synced };
        let mut random = [0; 10];
        random[..8].copy_from_slice(&number.to_be_bytes());
        self.journal.push_draft(Draft { id: EntryId::from_parts(5, random), at: moment, body });
    }

    /// Something else than a rating happens.
    fn note(&mut self, body: Body, at: DateTime<Utc>) {
        self.taps += 1;
        self.push(u64::from(self.journal.chain.0[0]) * 1_000_000 + self.taps, body, at);
    }

    fn call_help(&mut self, lang: &str, at: DateTime<Utc>) {
        let touchpoint = self.touchpoint.to_string();
        self.note(help(&touchpoint, lang), at);
        self.send();
    }

    fn send(&mut self) {
        while self.sent < self.journal.last_seq() {
            let count = usize::try_from(self.journal.last_seq() - self.sent).unwrap().min(400);
            let body = self.journal.body(self.sent + 1, count);
            self.post("/v1/terminals/self/entries", "application/x-ndjson", body);
            self.sent += count as u64;
        }
        self.post("/v1/terminals/self/health", "application/json", health(&self.journal));
    }

    fn post(&self, path: &str, kind: &str, body: Vec<u8>) {
        let terminal = Some(self.id.clone());
        let call = Call {
            key: &self.key,
            terminal,
            method: "POST",
            path,
            query: None,
            kind,
            body,
            encoding: None,
            protocol: "1",
        };
        let (status, reply) = http::call(self.central, "POST", path, &call.headers(), &call.body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&reply));
    }
}

fn example(data: &Path) -> (Settings, Hospital) {
    let read = |path: &Path| std::fs::read(path);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/central.toml");
    let loaded = config::load_central(&file, &read, &Glyphs::default())
        .unwrap_or_else(|findings| panic!("{findings}"));
    let mut settings = Settings::from_config(&loaded);
    data.clone_into(&mut settings.config.data_dir);
    (settings, loaded.value.hospital)
}

/// A day at a hospital: touchpoints of different size and mood, the last ones with few answers or none.
fn fill<'a>(central: &Central, hospital: &'a Hospital) -> Vec<Terminal<'a>> {
    let sizes = [240, 180, 120, 90, 60, 40, 25, 14, 7, 3];
    let mut terminals = Vec::new();
    for ((touchpoint, taps), number) in hospital.touchpoints.iter().zip(sizes).zip(1..) {
        let mut terminal = Terminal::enrol(central, hospital, &touchpoint.id, number);
        for tap in 0..taps {
            // Evenly over the last 14 hours, with a slump in the middle; a fixed pattern, so that pictures can be compared.
            let at = now() - TimeDelta::minutes(i64::from(tap) * 14 * 60 / i64::from(taps));
            let mood = (tap * 7 + i32::from(number) * 3) % 10;
            let bad = if (taps / 3..taps / 2).contains(&tap) { 5 } else { 2 };
            terminal.tap(
                if mood < bad {
                    10
                } else if mood < bad + 2 {
                    75
                } else {
                    100
                },
                at,
            );
        }
        terminal.send();
        terminals.push(terminal);
    }
    terminals
}

fn browser() -> Option<Browser> {
    let browser = Browser::start(1280, 900);
    if browser.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs chromium and chromedriver");
        println!("skipped: there is no chromedriver on this machine");
    }
    browser
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
