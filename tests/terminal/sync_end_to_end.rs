//! The real sync thread against the real central, through a proxy that misbehaves: every row of the outcome table, and what lies below
//! HTTP. At the end both sides hold the same entries: central signs for the journal's last place with the journal's own chain hash.

#![cfg(all(feature = "terminal", feature = "central"))]
#![expect(
    clippy::disallowed_methods,
    reason = "a test that waits for threads waits in real time, and not for ever"
)]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use crate::faults::survived;
use crate::http;

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    time::{Duration, Instant},
};

use crate::headless::{self, Headless};
use crate::proxy::{Fault, Proxy, answer};
use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;
use xinsheng::{
    central::{Central, Settings},
    clock::{Clock, SystemClock, fresh},
    config::{self, DELIVERED_FILE, EXAMPLE_CENTRAL, EXAMPLE_KIOSK, EXAMPLE_TOUCHPOINTS, Glyphs, Tls},
    journal::Head,
    lang::Text,
    model::{ChainId, TouchpointId},
    questionnaire::{Hospital, OpeningHours, Site, Stage, Texts, Touchpoint},
    staff::{Answer, Ask, Reached},
    sync::{
        self, Diagnosis, Identity, SyncHandle, SyncState, SyncStatus, backoff::Backoff, engine::Pace,
        transport::Deadlines,
    },
    terminal::{Assembly, Place, Screen, Terminal},
    wire::{Body, ConfigChange, Draft, Entry, SelfTest, content_type},
};

/// Far more than anything here takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Short enough for a test to see a deadline pass, long enough for a loaded machine to answer.
pub const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_millis(1500), whole: Duration::from_millis(1500) };

fn pace() -> Pace {
    Pace { backoff: Backoff { floor_ms: 1, base_ms: 2, cap_ms: 20 }, gather_ms: 0, ..Pace::default() }
}

pub fn registration() -> TouchpointId {
    "registration".parse().unwrap()
}

pub fn hospital() -> Hospital {
    let site =
        Site { id: "main".parse().unwrap(), name: Texts::default(), time_zone: chrono_tz::Asia::Shanghai };
    let touchpoint = Touchpoint {
        id: registration(),
        site: site.id.clone(),
        name: Texts::default(),
        stage: Stage::Visit,
        dimension: None,
        hours: OpeningHours::default(),
        icon: "generic".into(),
        questionnaire: "long@1".parse().unwrap(),
    };
    Hospital {
        languages: Vec::new(),
        sites: vec![site],
        touchpoints: vec![touchpoint],
        questionnaires: Vec::new(),
    }
}

pub fn settings(data: &Path) -> Settings {
    let mut settings = Settings::new(data);
    settings.config.limits.requests_per_minute = NonZeroU32::new(1_000_000).unwrap();
    settings
}

pub fn start_central(settings: Settings) -> Central {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Central::start(settings, hospital(), listener).unwrap()
}

/// A terminal put together as its program does it, with the example's files, on a screen that nobody sees.
pub struct Kiosk {
    pub terminal: Terminal,
    screen: Arc<Headless>,
    pub sync: SyncHandle,
    clock: Arc<SystemClock>,
    changes: Receiver<()>,
}

impl Kiosk {
    pub fn start(files: &Files) -> Self {
        let clock = Arc::new(SystemClock::new());
        let place = Place { config: files.kiosk_toml(), data: None };
        let mut assembly = Assembly::new(place, clock.clone());
        (assembly.pace, assembly.deadlines, assembly.ballast_bytes) = (pace(), DEADLINES, Some(4096));
        // A bare machine has neither serial number nor machine id, and what nobody can tell apart is let through.
        if assembly.hardware_id == "unknown" {
            assembly.hardware_id = "serial-of-this-machine".into();
        }
        let mut terminal = assembly.start().unwrap();
        let (screen, changes) = Headless::new();
        terminal.attach(&(screen.clone() as Arc<dyn Screen>)).unwrap();
        let sync = terminal.sync().clone();
        Self { terminal, screen, sync, clock, changes }
    }

    pub fn tap(&self, count: usize) -> Head {
        let button = |i| SelfTest { touchpoint: registration(), target: format!("button {i}") };
        self.record((0..count).map(|i| Body::SelfTest(button(i))))
    }

    pub fn record(&self, bodies: impl Iterator<Item = Body>) -> Head {
        let at = self.clock.now();
        let drafts = bodies.map(|body| Draft { id: fresh::entry_id(&at), at, body }).collect();
        let (tell, told) = mpsc::channel();
        self.terminal.recorder().append(drafts, move |head| tell.send(head).unwrap());
        told.recv_timeout(PATIENCE).unwrap().unwrap()
    }

    /// Waits for a status; the thread tells of every change, so nothing is slept through.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&SyncStatus) -> bool) -> SyncStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = self.sync.status();
            if is_it(&now) {
                return now;
            }
            assert!(Instant::now() < until, "no {what} in time: {now:?}");
            // Most changes are told of; figures in between are looked up.
            let _ = self.changes.recv_timeout(Duration::from_millis(10));
        }
    }

    pub fn wait_until_sent(&self, head: Head) -> SyncStatus {
        self.wait_for("receipt for everything", |status| {
            status.all_sent && status.queue.cursor >= head.seq && status.state == SyncState::InContact
        })
    }

    /// The journal's end, and how far central signed for it: a cursor only moves over hashes that are equal on both sides.
    pub fn ends(&self) -> (Head, u64) {
        self.terminal.recorder().call(|journal| (journal.head(), journal.cursor())).unwrap()
    }

    /// Whether the place that is rated here has this name on the screen.
    fn shows(&self, name: &str) -> bool {
        self.screen.told().setup.is_some_and(|setup| {
            let place = setup.plan.hospital.touchpoint(&registration());
            place.is_some_and(|place| place.name.get(&"zh-CN".parse().unwrap()) == name)
        })
    }

    /// What somebody in the staff area is told who tests the network.
    fn tests_network(&self) -> Result<Reached, Diagnosis> {
        self.screen.forget_answer();
        (self.terminal.parts().staff.ask)(headless::token(), Ask::TestNetwork);
        self.wait_for("answer of the network test", |_| self.screen.told().answer.is_some());
        match self.screen.told().answer {
            Some(Answer::Network(result)) => result,
            other => panic!("{other:?}"),
        }
    }

    pub fn stop(self) {
        self.terminal.stop();
    }
}

/// A central, a proxy before it and an enrolled terminal behind it.
pub struct Scene {
    pub data: TempDir,
    pub home: TempDir,
    pub central: Central,
    pub proxy: Proxy,
}

impl Scene {
    pub fn new(adjust: impl FnOnce(&mut Settings)) -> Self {
        let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut settings = settings(data.path());
        adjust(&mut settings);
        let central = start_central(settings);
        let proxy = Proxy::start(central.address());
        let scene = Self { data, home, central, proxy };
        scene.enrol();
        scene
    }

    pub fn enrol(&self) -> Identity {
        let code = self.central.new_code(&registration()).unwrap();
        let file = self.home.path().join("identity.json");
        sync::enrol(&self.proxy.url(), None, &code, &file, &SystemClock::new()).unwrap()
    }

    pub fn kiosk(&self) -> Kiosk {
        Kiosk::start(&Files::new(self.home.path(), &self.proxy.url()))
    }

    /// Taps `count` times and waits for the receipt, again until the proxy made every fault that it was told of. A fault needs a request, and
    /// several taps may go in one.
    pub fn tap_until_every_fault_was_met(&self, kiosk: &Kiosk, what: &str, count: usize) {
        let until = Instant::now() + 3 * PATIENCE;
        loop {
            let head = kiosk.tap(count);
            kiosk.wait_for(what, |status| {
                kiosk.sync.retry();
                status.all_sent && status.queue.cursor >= head.seq
            });
            if self.proxy.left() == 0 {
                return;
            }
            assert!(Instant::now() < until, "faults that no request meets: {what}");
        }
    }

    /// Both sides hold the same entries, and central's audit finds every chain and signature whole.
    pub fn check(&self, kiosk: &Kiosk) {
        let (head, cursor) = kiosk.ends();
        assert_eq!(cursor, head.seq);
        let findings = self.central.verify().unwrap();
        assert!(findings.is_whole(), "{findings:?}");
        let chain =
            findings.chains.iter().find(|one| one.held.chain == head.chain).expect("the chain is held");
        assert_eq!(chain.held.cursor.accepted_through, head.seq);
        assert_eq!(chain.held.cursor.head_hash, head.hash);
    }
}

fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

/// Everything between the terminal and central that can go wrong, by name.
pub fn faults() -> Vec<(&'static str, Fault)> {
    let plain = [("content-type", "text/plain")];
    let html = [("content-type", "text/html")];
    let receipt = [("content-type", content_type::RECEIPT)];
    let status = |line: &str| Fault::Answer(answer(line, &plain, b"no"));
    let forged = br#"{"accepted_through":9999999}"#;
    vec![
        ("reset at once", Fault::ResetAtOnce),
        ("reset in the request", Fault::ResetInRequest),
        ("lost receipt after the commit", Fault::LoseAnswer),
        ("request delivered twice", Fault::Twice),
        ("reset within the receipt", Fault::HalfAnswer),
        ("receipt cut short", Fault::ShortenedAnswer),
        ("receipt byte by byte", Fault::Drip),
        ("no answer", Fault::Silence),
        ("request delivered much later", Fault::DeliverLater),
        ("captive portal with 200", Fault::Answer(answer("200 OK", &html, b"<html>log in"))),
        ("captive portal with 511", status("511 Network Authentication Required")),
        ("forged receipt", Fault::Answer(answer("200 OK", &receipt, forged))),
        ("forged receipt after the commit", Fault::Replace(answer("200 OK", &receipt, forged))),
        ("empty 200", Fault::Answer(answer("200 OK", &receipt, b""))),
        ("204", Fault::Answer(answer("204 No Content", &[("content-length", "0")], b""))),
        ("redirect", Fault::Answer(answer("302 Found", &[("location", "http://127.0.0.1:1/login")], b""))),
        ("permanent redirect", Fault::Answer(answer("308 Permanent Redirect", &[("location", "/")], b""))),
        ("400 of a proxy", status("400 Bad Request")),
        ("401", status("401 Unauthorized")),
        ("403", status("403 Forbidden")),
        ("404", status("404 Not Found")),
        ("405", status("405 Method Not Allowed")),
        ("407", status("407 Proxy Authentication Required")),
        ("408", status("408 Request Timeout")),
        ("409 of a proxy", status("409 Conflict")),
        ("413", status("413 Content Too Large")),
        ("422 of a proxy", status("422 Unprocessable Content")),
        ("425", status("425 Too Early")),
        ("426", status("426 Upgrade Required")),
        ("429", status("429 Too Many Requests")),
        ("500", status("500 Internal Server Error")),
        ("502", status("502 Bad Gateway")),
        ("503", status("503 Service Unavailable")),
        ("504", status("504 Gateway Timeout")),
        ("507", status("507 Insufficient Storage")),
        (
            "Retry-After in seconds",
            Fault::Answer(answer("429 Too Many Requests", &[("retry-after", "1")], b"")),
        ),
        (
            "Retry-After as a date, of a server in another year",
            Fault::Answer(answer(
                "503 Service Unavailable",
                &[
                    ("retry-after", "Sun, 06 Nov 1994 08:49:38 GMT"),
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                b"",
            )),
        ),
        ("huge body", Fault::Answer(answer("200 OK", &receipt, &vec![b'x'; 3 * 1024 * 1024]))),
        (
            "endless body",
            Fault::Answer(answer(
                "200 OK",
                &[("content-type", "text/html"), ("content-length", "1000000000000")],
                b"x",
            )),
        ),
        (
            "compressed bomb",
            Fault::Answer(answer(
                "200 OK",
                &[("content-type", content_type::RECEIPT), ("content-encoding", "gzip")],
                &gzip_bomb(),
            )),
        ),
        (
            "broken chunks",
            Fault::Answer(answer("200 OK", &[("transfer-encoding", "chunked")], b"zz\r\nnonsense\r\n")),
        ),
        ("no HTTP", Fault::Answer(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        ("HTTP/1.0 without a length", Fault::Answer(b"HTTP/1.0 200 OK\r\n\r\n<html>".to_vec())),
        (
            "a header without end",
            Fault::Answer([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 500_000]].concat()),
        ),
    ]
}

/// The fault of docs/faults.md that one of [`faults`] is a case of.
fn number(name: &str) -> u32 {
    let is = |kinds: &[&str]| kinds.iter().any(|kind| name.starts_with(kind));
    if is(&["lost receipt", "reset within the receipt", "receipt cut short"]) {
        5
    } else if is(&["captive portal", "forged", "empty 200", "204", "redirect", "permanent redirect"]) {
        19
    } else if is(&["400", "401", "403", "404", "405", "407", "409", "422", "426"]) {
        21
    } else if is(&["408", "413", "425", "429", "5", "Retry-After"]) {
        22
    } else if is(&["request delivered"]) {
        26
    } else {
        24
    }
}

#[test]
fn whatever_lies_between_both_sides_end_with_the_same_entries() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let chain = kiosk.ends().0.chain;
    for (name, fault) in faults() {
        // Before the taps, so that the batch itself meets it, or whatever request comes first.
        scene.proxy.then([fault]);
        let head = kiosk.tap(3);
        let started = Instant::now();
        kiosk.sync.retry();
        kiosk.wait_for(name, |status| {
            status.all_sent && status.queue.cursor >= head.seq && scene.proxy.left() == 0
        });
        assert!(started.elapsed() < Duration::from_secs(20), "{name} held up the terminal");
        let (ours, cursor) = kiosk.ends();
        assert_eq!((ours.chain, ours.seq, cursor), (chain, head.seq, head.seq), "{name}");
    }
    assert_eq!(scene.proxy.deliver_late(), 1);
    kiosk.wait_until_sent(kiosk.tap(1));
    scene.check(&kiosk);
    assert_eq!(kiosk.sync.status().quarantined, 0);
    kiosk.stop();
    for fault in [5, 19, 21, 22, 24, 26] {
        survived!(fault; faults().iter().filter(|(name, _)| number(name) == fault).count(), "listed cases");
    }
}

#[test]
fn a_storm_of_faults_loses_nothing() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    let slow = |name: &str| {
        ["receipt byte by byte", "no answer", "Retry-After", "endless"].iter().any(|s| name.contains(s))
    };
    let quick: Vec<_> = faults().into_iter().filter(|(name, _)| !slow(name)).collect();
    scene.proxy.then(quick.iter().map(|(_, fault)| fault.clone()));
    for _ in &quick {
        kiosk.tap(40);
        kiosk.sync.retry();
    }
    scene.tap_until_every_fault_was_met(&kiosk, "calm", 1);
    scene.proxy.deliver_late();
    kiosk.wait_until_sent(kiosk.tap(1));
    scene.check(&kiosk);
    kiosk.stop();
    for fault in [5, 19, 21, 22, 24, 26] {
        survived!(fault; quick.iter().filter(|(name, _)| number(name) == fault).count(), "listed cases");
    }
}

#[test]
fn a_batch_that_central_finds_too_large_is_halved_until_it_passes() {
    let scene = Scene::new(|settings| settings.config.limits.body_kib = 8);
    let kiosk = scene.kiosk();
    let head = kiosk.tap(400);
    kiosk.wait_until_sent(head);
    scene.check(&kiosk);
    let before = scene.proxy.requests();
    kiosk.wait_until_sent(kiosk.tap(20));
    assert!(scene.proxy.requests() - before < 10, "the size that passes is remembered");
    kiosk.stop();
    survived!(22; head.seq, "entries");
}

#[test]
fn a_central_restored_from_an_old_backup_is_filled_again() {
    let mut scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(50));
    let backup = tempfile::tempdir().unwrap();
    scene.central.stop().unwrap();
    copy(scene.data.path(), backup.path());
    scene.central = start_central(settings(scene.data.path()));
    scene.proxy.point_to(scene.central.address());
    kiosk.sync.retry();
    kiosk.wait_until_sent(kiosk.tap(70));
    scene.central.stop().unwrap();
    scene.central = start_central(settings(backup.path()));
    scene.proxy.point_to(scene.central.address());
    let head = kiosk.tap(1);
    kiosk.sync.retry();
    kiosk.wait_until_sent(head);
    let rewound = |scene: &Scene, kiosk: &Kiosk| {
        let chains = scene.central.verify().unwrap().chains;
        chains.iter().any(|found| found.held.cursor.accepted_through == kiosk.ends().0.seq)
    };
    // The receipt that shows the fallback says the cursor is ahead; what follows fills the gap.
    let until = Instant::now() + PATIENCE;
    while !rewound(&scene, &kiosk) {
        assert!(Instant::now() < until, "central was not filled again");
        kiosk.sync.retry();
        let _ = kiosk.changes.recv_timeout(Duration::from_millis(20));
    }
    kiosk.wait_until_sent(head);
    scene.check(&kiosk);
    kiosk.stop();
    survived!(23; 1, "restore");
}

#[test]
fn a_card_copied_into_another_machine_stops_and_what_it_holds_is_kept() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(5));
    let chain = kiosk.ends().0.chain;
    kiosk.stop();

    let file = scene.home.path().join("identity.json");
    let mut identity = Identity::load(&file).unwrap();
    identity.hardware_id = "serial-of-another".into();
    identity.save(&file).unwrap();
    let kiosk = scene.kiosk();
    let status = kiosk.wait_for("refusal", |status| status.state == SyncState::NotEnrolled);
    assert!(status.badge.unwrap().to_string().contains("enrol this terminal anew"));
    assert_ne!(kiosk.ends().0.chain, chain, "nothing more is written under the old chain");
    assert!(!file.exists());
    let head = kiosk.tap(2);
    scene.enrol();
    kiosk.sync.retry();
    kiosk.wait_for("contact", |status| status.all_sent && status.state == SyncState::InContact);
    kiosk.wait_until_sent(head);
    scene.check(&kiosk);
    assert!(kiosk.terminal.identity_file().exists());
    kiosk.stop();
    survived!(30; 1, "card");
}

#[test]
fn a_terminal_without_identity_waits_for_one_and_a_stop_is_prompt() {
    let scene = Scene::new(|_| {});
    fs::remove_file(scene.home.path().join("identity.json")).unwrap();
    let kiosk = scene.kiosk();
    kiosk.wait_for("state", |status| status.state == SyncState::NotEnrolled);
    let head = kiosk.tap(2);
    scene.enrol();
    kiosk.sync.retry();
    kiosk.wait_until_sent(head);
    let started = Instant::now();
    kiosk.stop();
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_terminal_that_staff_enrol_anew_goes_on_under_its_new_name_at_once() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    let before = kiosk.wait_until_sent(kiosk.tap(1));
    let identity = scene.enrol();
    assert_ne!(before.terminal.as_ref(), Some(&identity.terminal));
    kiosk.sync.retry();
    kiosk.wait_for("the new name", |status| status.terminal.as_ref() == Some(&identity.terminal));
    kiosk.stop();
}

#[test]
fn a_used_code_is_refused_and_a_lost_answer_costs_no_code() {
    let scene = Scene::new(|_| {});
    let code = scene.central.new_code(&registration()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identity.json");
    let enrol =
        |code: &str, file: &Path| sync::enrol(&scene.proxy.url(), None, code, file, &SystemClock::new());

    scene
        .proxy
        .then([Fault::LoseAnswer, Fault::Answer(answer("200 OK", &[("content-type", "text/html")], b"hi"))]);
    assert!(matches!(enrol(&code, &file), Err(sync::EnrolError::Unreached(_))));
    assert!(matches!(enrol(&code, &file), Err(sync::EnrolError::Foreign { .. })));
    let identity = enrol(&code, &file).unwrap();
    assert_eq!(Identity::load(&file).unwrap().terminal, identity.terminal);
    assert_eq!(identity.touchpoint, registration());

    let other = folder.path().join("other.json");
    assert!(matches!(enrol(&code, &other), Err(sync::EnrolError::Refused { .. })));
    assert!(matches!(enrol("00000-00000-00000", &other), Err(sync::EnrolError::Refused { .. })));
    assert!(!other.exists());
}

/// A certificate authority and a server certificate for names, valid from one year to another.
pub fn certificates(folder: &Path, name: &str, years: (i32, i32)) -> (PathBuf, Tls) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    ca.not_before = rcgen::date_time_ymd(2020, 1, 1);
    ca.not_after = rcgen::date_time_ymd(2090, 1, 1);
    let ca_cert = ca.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut server = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    server.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    server.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let cert = server.signed_by(&key, &issuer).unwrap();
    let write = |file: &str, text: String| {
        let path = folder.join(file);
        fs::write(&path, text).unwrap();
        path
    };
    let ca_file = write("ca.pem", ca_cert.pem());
    (ca_file, Tls::Files { cert: write("cert.pem", cert.pem()), key: write("key.pem", key.serialize_pem()) })
}

#[test]
fn tls_is_checked_against_the_pinned_authority_and_troubles_are_told_apart() {
    let tried = [
        ("127.0.0.1", (2020, 2090), true, None),
        ("127.0.0.1", (2020, 2090), false, Some("unknown authority")),
        ("127.0.0.1", (2020, 2021), true, Some("expired")),
        ("127.0.0.1", (2080, 2090), true, Some("not valid yet")),
        ("central.example", (2020, 2090), true, Some("another name")),
    ];
    for (name, years, pinned, expected) in tried {
        let (data, pems) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (ca_file, tls) = certificates(pems.path(), name, years);
        let other_pems = tempfile::tempdir().unwrap();
        let (other_ca, _) = certificates(other_pems.path(), name, years);
        let mut settings = settings(data.path());
        settings.config.tls = tls;
        let central = start_central(settings);
        let code = central.new_code(&registration()).unwrap();
        let believed = if pinned { ca_file } else { other_ca };
        let file = data.path().join("identity.json");
        let enrolled = sync::enrol(&central.url(), Some(&believed), &code, &file, &SystemClock::new());
        match (enrolled, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => {
                let said = format!("{:#}", anyhow::Error::new(error));
                assert!(said.contains(words), "{said}");
            }
            (result, expected) => panic!("{name} {years:?}: {result:?}, expected {expected:?}"),
        }
    }
    survived!(20; tried.iter().filter(|(.., expected)| expected.is_some()).count(), "wrong certificates");
}

/// A terminal's files: the example's, with the journal beside them.
pub struct Files(PathBuf);

impl Files {
    /// What is there already stays as it is.
    pub fn new(folder: &Path, url: &str) -> Self {
        let files = Self(folder.to_owned());
        if !files.kiosk_toml().exists() {
            let kiosk = EXAMPLE_KIOSK.replace("../data/kiosk", ".").replace(EXAMPLE_URL, url);
            fs::write(files.kiosk_toml(), kiosk).unwrap();
            fs::write(folder.join("touchpoints.toml"), EXAMPLE_TOUCHPOINTS).unwrap();
        }
        files
    }

    fn kiosk_toml(&self) -> PathBuf {
        self.0.join("kiosk.toml")
    }

    pub fn change(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.kiosk_toml()).unwrap();
        assert!(text.contains(old), "no {old} in kiosk.toml");
        fs::write(self.kiosk_toml(), text.replace(old, new)).unwrap();
    }

    fn delivered(&self) -> String {
        fs::read_to_string(self.0.join(DELIVERED_FILE)).unwrap()
    }
}

const EXAMPLE_URL: &str = "http://127.0.0.1:8460";

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    fs::read(path)
}

/// Central as its program starts it: from central.toml and the touchpoints file beside it.
fn configured_central(folder: &Path, touchpoints: &str) -> Central {
    fs::write(folder.join("central.toml"), EXAMPLE_CENTRAL.replace("../data/central", "data")).unwrap();
    fs::write(folder.join("touchpoints.toml"), touchpoints).unwrap();
    let loaded = config::load_central(&folder.join("central.toml"), &read, &Glyphs::default()).unwrap();
    let mut settings = Settings::from_config(&loaded);
    // The shortest that a terminal agrees to.
    settings.config.terminals.next_sync_after_s = 1;
    Central::start(settings, loaded.value.hospital, TcpListener::bind("127.0.0.1:0").unwrap()).unwrap()
}

/// What central says is in force on its only terminal.
fn reported_hash(central: &Central) -> String {
    let (_, body) = http::call(central.address(), "GET", "/v1/terminals", &[], &[]);
    let rows: serde_json::Value = serde_json::from_slice(&body).unwrap();
    rows[0]["config_hash"].as_str().unwrap_or_default().to_owned()
}

/// The configurations that central knows to be refused, from the entries it holds.
fn refusals(central: &Central, chain: ChainId) -> Vec<ConfigChange> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let site = "main".parse().unwrap();
    let held = runtime.block_on(central.store().entries(&site, chain, 0, 1000)).unwrap();
    let bodies = held.into_iter().map(|entry| Entry::from_line(&entry.line.unwrap()).unwrap().body);
    bodies
        .filter_map(|body| if let Body::Config(change) = body { Some(change) } else { None })
        .filter(|change| !change.accepted)
        .collect()
}

#[test]
fn what_central_delivers_is_taken_into_force_and_what_the_terminal_cannot_use_is_refused_and_central_knows() {
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let named = |name: &str| EXAMPLE_TOUCHPOINTS.replace("挂号窗口", name);
    let central = configured_central(data.path(), &named("挂号大厅"));
    let proxy = Proxy::start(central.address());
    let mut scene = Scene { data, home, central, proxy };
    scene.enrol();
    let files = Files::new(scene.home.path(), &scene.proxy.url());
    files.change("source = \"local\"", "source = \"central\"");
    let kiosk = Kiosk::start(&files);
    // What is delivered is shown, and central hears so.
    let is_taken = |central: &Central, name: &str| {
        kiosk.wait_for(name, |_| kiosk.shows(name) && reported_hash(central) == kiosk.terminal.config_hash());
    };
    is_taken(&scene.central, "挂号大厅");

    scene.central.stop().unwrap();
    scene.central = configured_central(scene.data.path(), &named("一楼挂号厅"));
    scene.proxy.point_to(scene.central.address());
    is_taken(&scene.central, "一楼挂号厅");

    // Without this terminal's own touchpoint the file is of no use to it.
    let of_no_use =
        EXAMPLE_TOUCHPOINTS.replace("\"registration\"\nname", "\"counter\"\nicon = \"registration\"\nname");
    scene.central.stop().unwrap();
    scene.central = configured_central(scene.data.path(), &of_no_use);
    scene.proxy.point_to(scene.central.address());
    let chain = kiosk.ends().0.chain;
    kiosk.wait_for("refusal", |_| !refusals(&scene.central, chain).is_empty());
    let refused = refusals(&scene.central, chain);
    let reason = refused[0].reason.as_deref().unwrap();
    assert!(reason.contains("no touchpoint `registration`") && reason.chars().count() <= 300, "{reason}");
    assert_eq!(refused[0].config_hash, xinsheng::chain::sha256(of_no_use.as_bytes()).to_string());
    assert_eq!(files.delivered(), named("一楼挂号厅"), "the last good file stays");
    kiosk.wait_until_sent(kiosk.tap(1));
    assert_eq!(reported_hash(&scene.central), kiosk.terminal.config_hash());

    scene.central.stop().unwrap();
    scene.central = configured_central(scene.data.path(), &named("挂号收费处"));
    scene.proxy.point_to(scene.central.address());
    is_taken(&scene.central, "挂号收费处");
    assert_eq!(
        refusals(&scene.central, chain).len(),
        1,
        "told once, however often central was asked meanwhile"
    );
    scene.check(&kiosk);
    kiosk.stop();
    survived!(36; 1, "delivered file");
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

// ── A changed address, authority or source is in force without a restart ──

/// Two centrals with the same data and key, as after a move to another machine.
struct Moved {
    scene: Scene,
    other_data: TempDir,
    other: Central,
}

impl Moved {
    fn new() -> Self {
        let mut scene = Scene::new(|_| {});
        let other_data = tempfile::tempdir().unwrap();
        scene.central.stop().unwrap();
        copy(scene.data.path(), other_data.path());
        scene.central = start_central(settings(scene.data.path()));
        scene.proxy.point_to(scene.central.address());
        let other = start_central(settings(other_data.path()));
        Self { scene, other_data, other }
    }
}

pub fn held(central: &Central, chain: ChainId) -> u64 {
    let chains = central.verify().unwrap().chains;
    chains.iter().find(|one| one.held.chain == chain).map_or(0, |one| one.held.cursor.accepted_through)
}

#[test]
fn a_changed_central_address_is_in_force_without_a_restart_and_what_staff_test_is_what_sync_uses() {
    let Moved { scene, other_data, other } = Moved::new();
    let files = Files::new(scene.home.path(), &scene.proxy.url());
    let kiosk = Kiosk::start(&files);
    let first = kiosk.tap(3);
    kiosk.wait_until_sent(first);
    assert!(kiosk.tests_network().unwrap().words.starts_with(&scene.proxy.url()));

    files.change(&scene.proxy.url(), &other.url());
    kiosk.terminal.look_at_files();
    let hash = kiosk.terminal.config_hash();
    kiosk.wait_for("the change", |_| kiosk.terminal.config_hash() != hash);
    let head = kiosk.tap(2);
    kiosk.wait_for("everything at the other central", |status| {
        status.all_sent && status.queue.cursor >= head.seq && held(&other, head.chain) >= head.seq
    });
    assert!(held(&scene.central, head.chain) < head.seq, "nothing goes to the old one any more");
    let tested = kiosk.tests_network().unwrap();
    assert!(tested.words.starts_with(&other.url()), "{}", tested.words);

    // A change that cannot be used says so and changes nothing.
    files.change(&other.url(), "http://192.0.2.1:8460");
    kiosk.terminal.look_at_files();
    kiosk.wait_for("refusal", |_| kiosk.screen.told().badge == Some(Text::BadgeConfigRefused));
    let head = kiosk.tap(1);
    kiosk.wait_for("contact", |_| held(&other, head.chain) >= head.seq);
    assert!(kiosk.tests_network().unwrap().words.starts_with(&other.url()));
    kiosk.stop();
    other.stop().unwrap();
    drop(other_data);
    survived!(28; 1, "move");
}

#[test]
fn a_changed_authority_file_is_read_again_without_a_restart() {
    let (data, home, pems) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (right, tls) = certificates(pems.path(), "127.0.0.1", (2020, 2090));
    let mut settings = settings(data.path());
    settings.config.tls = tls;
    let central = start_central(settings);
    let other_pems = tempfile::tempdir().unwrap();
    let (wrong, _) = certificates(other_pems.path(), "127.0.0.1", (2020, 2090));
    let code = central.new_code(&registration()).unwrap();
    let identity = home.path().join("identity.json");
    sync::enrol(&central.url(), Some(&right), &code, &identity, &SystemClock::new()).unwrap();

    let files = Files::new(home.path(), &format!("{}\"\nca_file = \"ca.pem", central.url()));
    let believed = home.path().join("ca.pem");
    fs::copy(&wrong, &believed).unwrap();
    let kiosk = Kiosk::start(&files);
    let head = kiosk.tap(1);
    let status = kiosk.wait_for("trouble", |status| status.last_error.is_some());
    assert!(status.last_error.unwrap().words.contains("unknown authority"));
    assert_eq!(kiosk.tests_network().unwrap_err().fault, sync::Fault::CertificateIssuer);

    fs::copy(&right, &believed).unwrap();
    kiosk.wait_until_sent(head);
    kiosk.tests_network().unwrap();
    kiosk.stop();
    survived!(20, 29; 1, "authority");
}

#[test]
fn a_source_that_is_switched_to_central_and_back_is_in_force_without_a_restart() {
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let central = configured_central(data.path(), &EXAMPLE_TOUCHPOINTS.replace("挂号窗口", "挂号大厅"));
    let proxy = Proxy::start(central.address());
    let scene = Scene { data, home, central, proxy };
    scene.enrol();
    let files = Files::new(scene.home.path(), &scene.proxy.url());
    let kiosk = Kiosk::start(&files);
    kiosk.wait_until_sent(kiosk.tap(1));
    assert!(!scene.home.path().join(DELIVERED_FILE).exists(), "it takes nothing from central");

    files.change("source = \"local\"", "source = \"central\"");
    kiosk.terminal.look_at_files();
    kiosk.wait_for("central's file", |_| kiosk.shows("挂号大厅"));
    kiosk.wait_for("report", |_| reported_hash(&scene.central) == kiosk.terminal.config_hash());

    files.change("source = \"central\"", "source = \"local\"");
    kiosk.terminal.look_at_files();
    kiosk.wait_for("the terminal's own file", |_| kiosk.shows("挂号窗口"));
    kiosk.wait_for("report", |_| reported_hash(&scene.central) == kiosk.terminal.config_hash());
    kiosk.stop();
}
