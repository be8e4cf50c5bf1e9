//! Central behind a real nginx with nothing set but where to pass requests: events arrive at once, and a sub-path works with and without
//! its last slash. Needs nginx; without it these are skipped, except where `CI` is set.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at what it did not expect, and waits in real time"
)]

mod shipped;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use xinsheng::{
    central::{Central, Settings},
    config::Tls,
    survey::Start,
};

use super::hospital::plan;

/// An address that nobody listens at.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

struct Nginx {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts with these locations; `None` if there is no nginx.
    fn start(locations: &str) -> Option<Self> {
        let address = free();
        Self::start_with(address, &format!("server {{ listen {address};\n{locations} }}"))
    }

    /// Starts with what stands in `http`, which listens there.
    fn start_with(address: SocketAddr, http: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {at}/{name};\n"))
            .concat();
        let text = format!(
            "daemon off; pid {at}/pid; error_log {at}/error.log;\nevents {{}}\nhttp {{ access_log off;\n{temporary}{http} }}"
        );
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let started = Command::new("nginx")
            .args([
                "-p",
                &at.to_string(),
                "-c",
                &format!("{at}/nginx.conf"),
                "-e",
                &format!("{at}/error.log"),
            ])
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            assert!(std::env::var_os("CI").is_none(), "nginx is needed for this test");
            println!("skipped: there is no nginx");
            return None;
        };
        let nginx = Self { child, address, _folder: folder };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(nginx)
    }

    fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = self.ask(path);
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It ends its worker with it; killed, it would leave it behind.
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::TERM,
        );
        let _ = self.child.wait();
    }
}

fn central(public_url: &str) -> (Central, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(folder.path());
    settings.config.tls = Tls::BehindProxy;
    settings.config.public_url = Some(public_url.to_owned());
    let hospital = Arc::unwrap_or_clone(plan(&["window"], Start::Attract).hospital);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (Central::start(settings, hospital, listener).unwrap(), folder)
}

#[test]
fn row_11_events_pass_a_default_nginx_at_once_and_the_stream_is_never_silent_for_15_seconds() {
    let (central, _folder) = central("https://xinsheng.hospital.example");
    let up = central.address();
    let Some(nginx) = Nginx::start(&format!("location / {{ proxy_pass http://{up}; }}")) else { return };
    let mut stream = nginx.ask("/v1/events");
    let mut text = String::new();
    let mut read_until = |wanted: &str, patience: Duration| {
        let until = Instant::now() + patience;
        while !text.contains(wanted) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no `{wanted}` within {patience:?}: {text}");
            stream.set_read_timeout(Some(left)).unwrap();
            let mut chunk = [0; 4096];
            if let Ok(n) = stream.read(&mut chunk) {
                text.push_str(&String::from_utf8_lossy(&chunk[..n]));
            }
        }
        text.clone()
    };
    let head = read_until("event: refresh", Duration::from_secs(5)).to_lowercase();
    assert!(head.contains("cache-control: no-cache, no-transform"), "{head}");
    // A comment line: a colon at the beginning of a line.
    read_until("\n:", Duration::from_secs(15));
}

#[test]
fn row_11_the_headers_that_keep_a_proxy_from_holding_events_back_are_there() {
    let (central, _folder) = central("https://xinsheng.hospital.example");
    let mut stream = TcpStream::connect(central.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut chunk = [0; 4096];
    let n = stream.read(&mut chunk).unwrap();
    let head = String::from_utf8_lossy(&chunk[..n]).to_lowercase();
    assert!(head.contains("x-accel-buffering: no\r\n"), "{head}");
    assert!(head.contains("cache-control: no-cache, no-transform\r\n"), "{head}");
}

#[test]
fn row_11_a_sub_path_works_with_and_without_its_last_slash() {
    let (central, _folder) = central("https://hospital.example/xinsheng");
    let up = central.address();
    // The path taken off by the proxy, or passed on as it is.
    for location in [
        format!("location /xinsheng/ {{ proxy_pass http://{up}/; }}"),
        format!("location /xinsheng {{ proxy_pass http://{up}; }}"),
    ] {
        let Some(nginx) = Nginx::start(&location) else { return };
        let bare = nginx.get("/xinsheng");
        if !bare.starts_with("HTTP/1.1 200") {
            let to = bare
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("location: ").map(str::to_owned));
            assert!(to.is_some_and(|to| to.trim().ends_with("/xinsheng/")), "{location}: {bare}");
        }
        let page = nginx.get("/xinsheng/");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("href=\"/xinsheng/page.css\""), "{page}");
        assert!(page.contains("base-uri 'self'"), "{page}");
        for file in ["page.js", "page.css", "v1/scores", "v1/help"] {
            let found = nginx.get(&format!("/xinsheng/{file}"));
            assert!(found.starts_with("HTTP/1.1 200"), "{location} {file}: {found}");
        }
    }
    let mut direct = TcpStream::connect(up).unwrap();
    direct.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    direct.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
}
