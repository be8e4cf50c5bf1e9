//! A browser without a window, driven by chromedriver.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value as Json, json};

use crate::http;

/// How long the page may take to show what central knows; a loaded machine is slow.
const PATIENCE_TRIES: u32 = 300;

pub(super) struct Browser {
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

    pub(super) fn tell(&self, command: &str, body: &Json) -> Json {
        self.ask("POST", &format!("/session/{}/{command}", self.session), body)
    }

    pub(super) fn go(&self, url: &str) {
        self.tell("url", &json!({"url": url}));
    }

    pub(super) fn run(&self, script: &str) -> Json {
        self.tell("execute/sync", &json!({"script": script, "args": []}))
    }

    pub(super) fn resize(&self, width: u32, height: u32) {
        // A window has a least width; what the page sees has none.
        let view = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.tell("goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": view}));
    }

    /// Waits until a script gives something else than null, false or an empty text.
    pub(super) fn wait(&self, script: &str) -> Json {
        for _ in 0..PATIENCE_TRIES {
            let value = self.run(script);
            if !(value.is_null() || value == json!(false) || value == json!("")) {
                return value;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the page never fulfilled: {script}\n{}", self.run("return document.body.innerText"));
    }

    pub(super) fn assert_no_complaint(&self) {
        let log = self.tell("se/log", &json!({"type": "browser"}));
        let complaints: Vec<&Json> =
            log.as_array().unwrap().iter().filter(|line| line["level"] == "SEVERE").collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// The whole page, or on a phone its first screens.
    pub(super) fn picture(&self, name: &str) {
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

pub(super) fn browser() -> Option<Browser> {
    let browser = Browser::start(1280, 900);
    if browser.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs chromium and chromedriver");
        println!("skipped: there is no chromedriver on this machine");
    }
    browser
}
