//! The built server as a process: killed, stopped, out of disk, under changed files, and copied while it writes. Each test is named after
//! its fault.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at what it did not expect"
)]

mod stop;

use crate::faults::survived;
use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use xinsheng::{
    central,
    model::TerminalId,
    sign::KeyPair,
    wire::{Answer, Body, EnrolmentReply, HealthReply, Receipt},
};

use crate::{
    http::call,
    journal::{Journal, answer, help},
    signed::{Call, enrolment, health},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xinsheng-central");

/// Looks at something every twentieth of a second, for at most a minute.
const LOOKS: usize = 1_200;

const DESKS: [(&str, &str); 3] = [("desk-a", "Desk A"), ("desk-b", "Desk B"), ("desk-c", "Desk C")];

/// A touchpoints file with so many desks.
fn touchpoints(desks: &[(&str, &str)]) -> String {
    let places: String = desks
        .iter()
        .map(|(id, name)| {
            format!("[[touchpoint]]\nid = \"{id}\"\nname = {{ en = \"{name}\" }}\nstage = \"visit\"\nquestionnaire = \"q@1\"\n\n")
        })
        .collect();
    format!(
        "languages = [\"en\"]\n\n[[site]]\nid = \"main\"\nname = {{ en = \"East Hospital\" }}\ntime_zone = \"Asia/Shanghai\"\n\n{places}\
         [[questionnaire]]\nid = \"q@1\"\n\n[[questionnaire.question]]\nid = \"overall\"\ntext = {{ en = \"How was it?\" }}\nscale = \"csat5\"\n"
    )
}

struct Server {
    home: tempfile::TempDir,
    address: SocketAddr,
    child: Child,
}

impl Server {
    fn start() -> Self {
        Self::start_with("stop_notice_s = 0\n", &[])
    }

    /// With more limits and more of an environment.
    fn start_with(limits: &str, environment: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = format!(
            "listen = \"{address}\"\ntouchpoints_file = \"touchpoints.toml\"\n\n[storage]\ndir = \"data\"\n\n\
             [limits]\nrequests_per_minute = 6000\n{limits}"
        );
        fs::write(home.path().join("central.toml"), file).unwrap();
        fs::write(home.path().join("touchpoints.toml"), touchpoints(&DESKS[..2])).unwrap();
        let child = command(home.path(), &["serve"], None).envs(environment.iter().copied()).spawn().unwrap();
        let server = Self { home, address, child };
        server.wait_until_ready();
        server
    }

    fn again(&mut self, limit_kib: Option<u32>) {
        self.child = run(self.home.path(), &["serve"], limit_kib);
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let address = self.address;
        until("the server is ready", || {
            TcpStream::connect(address).is_ok() && call(address, "GET", "/healthz", &[], b"").0 == 200
        });
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn command(&self, arguments: &[&str]) -> String {
        let output = run(self.home.path(), arguments, None).wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    }

    fn terminal(&self) -> Terminal {
        self.terminal_with(1)
    }

    fn terminal_with(&self, seed: u8) -> Terminal {
        let code = self.command(&["enrol", "--touchpoint", "desk-a"]);
        let key = KeyPair::from_seed(&[seed; 32]);
        let asked = enrolment(&key, code.trim());
        let (status, body) = self.post(&asked);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let welcome: EnrolmentReply = serde_json::from_slice(&body).unwrap();
        Terminal { key, id: welcome.terminal }
    }

    fn post(&self, asked: &Call<'_>) -> (u16, Vec<u8>) {
        call(self.address, asked.method, &asked.uri(), &asked.headers(), &asked.body)
    }

    fn rows(&self, path: &str) -> Vec<Json> {
        let (status, body) = call(self.address, "GET", path, &[], b"");
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        let json: Json = serde_json::from_slice(&body).unwrap();
        json.get("rows").unwrap_or(&json).as_array().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

struct Terminal {
    key: KeyPair,
    id: TerminalId,
}

impl Terminal {
    fn batch(&self, journal: &Journal, first: u64, count: usize) -> Call<'_> {
        Call {
            key: &self.key,
            terminal: Some(self.id.to_string()),
            method: "POST",
            path: "/v1/terminals/self/entries",
            query: None,
            kind: "application/x-ndjson",
            body: journal.body(first, count),
            encoding: None,
            protocol: "1",
        }
    }
}

fn run(home: &Path, arguments: &[&str], limit_kib: Option<u32>) -> Child {
    command(home, arguments, limit_kib).spawn().unwrap()
}

fn command(home: &Path, arguments: &[&str], limit_kib: Option<u32>) -> Command {
    let mut command = match limit_kib {
        None => Command::new(PROGRAM),
        Some(kib) => {
            // A file that cannot grow stands for a disk that is full: writes fail, reads go on.
            let mut command = Command::new("bash");
            let limited = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
            command.arg("-c").arg(limited).arg(PROGRAM);
            command
        }
    };
    let config = home.join("central.toml");
    command.args(arguments).arg("--config").arg(config).env("XINSHENG_LOG", "off");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn until(what: &str, mut is_it: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_it() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("in vain: {what}");
}

/// An answer at a desk.
fn at(desk: &str, number: u64) -> Body {
    match answer(number, 5) {
        Body::Answer(answer) => Body::Answer(Answer {
            touchpoint: desk.parse().unwrap(),
            questionnaire: "q@1".parse().unwrap(),
            question: "overall".parse().unwrap(),
            ..answer
        }),
        other => other,
    }
}

fn through(body: &[u8]) -> u64 {
    serde_json::from_slice::<Receipt>(body).unwrap().accepted_through
}

#[test]
fn fault_44_a_server_killed_while_it_takes_batches_in_loses_nothing_that_it_signed_for() {
    let mut server = Server::start();
    let terminal = server.terminal();
    let mut journal = Journal::new(1);
    (0..600).for_each(|n| _ = journal.push(at("desk-a", n)));
    let mut signed_for = 0;
    let kills = 5_u64;
    for round in 0..kills {
        let pid = Pid::from_child(&server.child);
        let killer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20 + round * 17));
            kill_process(pid, Signal::KILL).unwrap();
        });
        while signed_for < journal.last_seq() {
            let count = usize::try_from((journal.last_seq() - signed_for).min(7)).unwrap();
            let asked = terminal.batch(&journal, signed_for + 1, count);
            let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| server.post(&asked)));
            match answered {
                Ok((200, body)) => signed_for = through(&body),
                Ok(_) | Err(_) => break,
            }
        }
        killer.join().unwrap();
        server.child.wait().unwrap();
        server.again(None);
        let held = server
            .rows("/v1/chains")
            .first()
            .map_or(0, |row| row["range"].as_str().unwrap().trim_start_matches("1-").parse::<u64>().unwrap());
        assert!(held >= signed_for, "signed for {signed_for}, held {held}");
    }
    let all = terminal.batch(&journal, 1, 500);
    assert_eq!(server.post(&all).0, 200);
    let rest = terminal.batch(&journal, 501, 100);
    assert_eq!(through(&server.post(&rest).1), 600);
    assert!(server.command(&["verify"]).contains("all whole"));
    let total = server.rows("/v1/scores?by=site&filter=raw");
    assert_eq!(total[0]["n"], 600, "each once, in spite of the kills and the repeats");
    survived!(44; kills, "kills");
}

#[test]
fn fault_44_a_full_disk_is_a_503_and_nothing_signed_for_is_lost() {
    let mut server = Server::start();
    let terminal = server.terminal();
    let mut journal = Journal::new(1);
    (0..3_000).for_each(|n| _ = journal.push(at("desk-a", n)));
    server.kill();
    server.again(Some(2_048));
    let (mut signed_for, mut refused) = (0, 0);
    while signed_for < journal.last_seq() && refused < 3 {
        let count = usize::try_from((journal.last_seq() - signed_for).min(50)).unwrap();
        match server.post(&terminal.batch(&journal, signed_for + 1, count)) {
            (200, body) => signed_for = through(&body),
            (status, body) => {
                assert_eq!(status, 503, "{}", String::from_utf8_lossy(&body));
                refused += 1;
            }
        }
    }
    assert!(signed_for > 0 && refused == 3, "{signed_for} signed for, {refused} refused");
    server.kill();
    server.again(None);
    while signed_for < journal.last_seq() {
        let count = usize::try_from((journal.last_seq() - signed_for).min(500)).unwrap();
        signed_for = through(&server.post(&terminal.batch(&journal, signed_for + 1, count)).1);
    }
    assert!(server.command(&["verify"]).contains("all whole"));
    assert_eq!(server.rows("/v1/scores?by=site&filter=raw")[0]["n"], 3_000);
    survived!(44; refused, "refused batches");
}

#[test]
fn fault_44_a_server_that_is_told_to_stop_answers_what_it_has_begun_and_ends_within_ten_seconds() {
    use std::io::{Read as _, Write as _};
    let mut server = Server::start();
    let terminal = server.terminal();
    let mut journal = Journal::new(1);
    (0..50).for_each(|n| _ = journal.push(at("desk-a", n)));
    let asked = terminal.batch(&journal, 1, 50);
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n",
        asked.path,
        asked.body.len()
    );
    for (name, value) in asked.headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    slow.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    let (first, rest) = asked.body.split_at(500);
    slow.write_all(first).unwrap();
    // A page that stays open, as pages do.
    let mut page = TcpStream::connect(server.address).unwrap();
    page.write_all(b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    page.read_exact(&mut [0; 15]).unwrap();
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
    // Open pages are let go first.
    page.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    page.read_to_end(&mut Vec::new()).unwrap();
    slow.write_all(rest).unwrap();
    let mut answered = Vec::new();
    slow.read_to_end(&mut answered).unwrap();
    assert!(answered.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answered));
    let ended = (0..200).find_map(|_| {
        thread::sleep(Duration::from_millis(50));
        server.child.try_wait().unwrap()
    });
    assert!(ended.expect("it ends within ten seconds").success());
    server.again(None);
    assert_eq!(server.rows("/v1/chains")[0]["range"], "1-50");
    survived!(44; 1, "stop");
}

#[test]
fn fault_44_a_backup_made_while_batches_come_in_is_one_whole_state() {
    let server = Server::start();
    let terminal = server.terminal();
    let mut journal = Journal::new(1);
    (0..2_000).for_each(|n| _ = journal.push(at("desk-a", n)));
    let done = Arc::new(AtomicBool::new(false));
    let signed_for = AtomicU64::new(0);
    let out = tempfile::tempdir().unwrap();
    let mut made = Vec::new();
    thread::scope(|scope| {
        let (server, terminal, journal, ended) = (&server, &terminal, &journal, Arc::clone(&done));
        let signed_for = &signed_for;
        scope.spawn(move || {
            for first in (1..=2_000).step_by(20) {
                let (status, receipt) = server.post(&terminal.batch(journal, first, 20));
                assert_eq!(status, 200);
                signed_for.store(through(&receipt), Ordering::Release);
            }
            ended.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) && made.len() < 20 {
            let file = out.path().join(format!("{}.sqlite", made.len()));
            let before = signed_for.load(Ordering::Acquire);
            server.command(&["backup", file.to_str().unwrap()]);
            made.push((file, before));
        }
    });
    assert!(!made.is_empty());
    assert!(
        made.iter().any(|(_, before)| (1..2_000).contains(before)),
        "none was made in the middle: {made:?}"
    );
    for (file, before) in &made {
        let data = tempfile::tempdir().unwrap();
        let restored = central::restore(file, data.path(), false).unwrap();
        assert_eq!(restored.entries % 20, 0, "no half batch");
        assert!(
            restored.entries >= *before,
            "{before} signed for before the backup, {} in it",
            restored.entries
        );
        let home = tempfile::tempdir().unwrap();
        for name in ["central.toml", "touchpoints.toml"] {
            fs::copy(server.home.path().join(name), home.path().join(name)).unwrap();
        }
        let output = run(home.path(), &["verify", "--data", data.path().to_str().unwrap()], None);
        assert!(output.wait_with_output().unwrap().status.success(), "{}", file.display());
    }
    survived!(44; made.len(), "backups");
}

#[test]
fn case_08_a_changed_touchpoints_file_comes_into_force_and_what_waited_for_it_is_counted() {
    let server = Server::start();
    let terminal = server.terminal();
    let mut journal = Journal::new(1);
    (0..12).for_each(|n| _ = journal.push(at("desk-c", n)));
    assert_eq!(server.post(&terminal.batch(&journal, 1, 12)).0, 200);
    let kinds = || -> Vec<String> {
        server.rows("/v1/incidents").iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(), ["quarantine"]);
    let etag = |journal: &Journal| {
        let report = Call {
            kind: "application/json",
            path: "/v1/terminals/self/health",
            ..terminal.batch(journal, 1, 1)
        };
        let (status, body) = server.post(&Call { body: health(journal), ..report });
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice::<HealthReply>(&body).unwrap().config_etag.unwrap()
    };
    let before = etag(&journal);
    let file = server.home.path().join("touchpoints.toml");

    let wrong = touchpoints(&DESKS).replace("csat5", "csat6");
    fs::write(&file, wrong).unwrap();
    until("the wrong file is an incident", || kinds().contains(&"config_refused".to_owned()));
    let refused = &server.rows("/v1/incidents")[0];
    assert!(refused["detail"].as_str().unwrap().contains("csat6"), "{refused}");
    assert_eq!(server.rows("/v1/quarantine").len(), 12, "the last good one stays");

    fs::write(&file, touchpoints(&DESKS)).unwrap();
    until("the incidents end", || kinds().is_empty());
    assert!(server.rows("/v1/quarantine").is_empty());
    assert_ne!(etag(&journal), before, "terminals are told of the new configuration");
    let desk = |id: &str| server.rows("/v1/scores").into_iter().find(|row| row["touchpoint"] == id).unwrap();
    assert_eq!((desk("desk-c")["n"].as_u64(), desk("desk-c")["closed"].as_bool()), (Some(12), Some(false)));

    fs::write(&file, touchpoints(&DESKS[..2])).unwrap();
    until("the desk is closed", || desk("desk-c")["closed"] == true);
    assert_eq!(desk("desk-c")["n"], 12);
    assert_eq!(server.rows("/v1/scores?by=site")[0]["n"], 12);

    fs::write(&file, touchpoints(&DESKS).replace("\"main\"", "\"other\"")).unwrap();
    until("a site that is gone is an incident", || kinds() == ["config_refused"]);
    let refused = &server.rows("/v1/incidents")[0];
    assert!(refused["detail"].as_str().unwrap().contains("no site `main`"), "{refused}");
    assert_eq!(server.rows("/v1/scores?by=site")[0]["n"], 12, "its answers are shown as before");
    fs::write(&file, touchpoints(&DESKS[..2])).unwrap();
    until("the incident ends", || kinds().is_empty());

    let config = server.home.path().join("central.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("dir = \"data\"", "dir = \"elsewhere\"")).unwrap();
    until("what needs a restart is said", || kinds().contains(&"restart_needed".to_owned()));
}

#[test]
fn the_files_of_a_server_are_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start();
    let terminal = server.terminal();
    let mut journal = Journal::new(1);
    journal.push(help("desk-a", "en"));
    assert_eq!(server.post(&terminal.batch(&journal, 1, 1)).0, 200);
    let out = server.home.path().join("out");
    fs::create_dir(&out).unwrap();
    server.command(&["backup", out.to_str().unwrap()]);
    let files: Vec<PathBuf> = [server.home.path().join("data"), out]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()))
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}
