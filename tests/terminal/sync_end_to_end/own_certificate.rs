//! A central that made its certificate itself: terminals know it by its key, from the digits of the enrolment code on, and by nothing else.

use std::{
    fs,
    io::{self, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tempfile::TempDir;
use xinsheng::{
    central::{self, Central, Settings},
    clock::SystemClock,
    config::Tls,
    sync::{self, EnrolError, Fault, Identity},
};

use super::{Files, Kiosk, PATIENCE, registration, settings, start_central, tls::certificates};
use crate::faults::survived;

/// The only question that may be asked of a server whose key is not known.
const WORD_OF_CENTRAL: &str = "GET /v1/terminals/self/certificate";

fn own(data: &Path) -> Settings {
    let mut settings = settings(data);
    settings.config.tls = Tls::Own;
    settings.certificate_every = Duration::from_millis(20);
    settings
}

fn enrol(address: SocketAddr, code: &str, home: &Path) -> Result<Identity, EnrolError> {
    sync::enrol(&url(address), None, code, &home.join("identity.json"), &SystemClock::new())
}

fn url(address: SocketAddr) -> String {
    format!("https://{address}")
}

fn words(error: EnrolError) -> String {
    format!("{:#}", anyhow::Error::new(error))
}

/// One address for whoever is behind it at the moment; it passes bytes on and understands none of them.
struct Door {
    address: SocketAddr,
    to: Arc<Mutex<SocketAddr>>,
}

impl Door {
    fn to(address: SocketAddr) -> Self {
        let to = Arc::new(Mutex::new(address));
        let behind = Arc::clone(&to);
        let address = listen(move |near| {
            let target = *behind.lock().unwrap();
            let Ok(far) = TcpStream::connect(target) else { return };
            let (mut from_near, mut to_far) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || {
                drop(io::copy(&mut from_near, &mut to_far));
                drop(to_far.shutdown(Shutdown::Write));
            });
            let (mut from_far, mut to_near) = (far, near);
            drop(io::copy(&mut from_far, &mut to_near));
            drop(to_near.shutdown(Shutdown::Both));
        });
        Self { address, to }
    }

    fn point_to(&self, address: SocketAddr) {
        *self.to.lock().unwrap() = address;
    }
}

/// Something between a terminal and central, with a certificate of its own for the right address. It passes on whatever it can read.
struct Interceptor {
    address: SocketAddr,
    read: Arc<Mutex<Vec<String>>>,
}

impl Interceptor {
    fn before(central: SocketAddr) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let read = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&read);
        let address = listen(move |near| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut near = StreamOwned::new(connection, near);
            // Whoever looks at the certificate sends nothing.
            let Some(request) = read_request(&mut near) else { return };
            noted.lock().unwrap().push(request.line());
            drop(near.write_all(&request.sent_to(central)));
            near.conn.send_close_notify();
            drop(near.flush());
        });
        Self { address, read }
    }

    fn read(&self) -> Vec<String> {
        self.read.lock().unwrap().clone()
    }
}

fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    address
}

struct Request {
    head: String,
    body: Vec<u8>,
}

fn read_request(stream: &mut impl io::Read) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(Request { head, body })
}

impl Request {
    fn line(&self) -> String {
        self.head.split(" HTTP").next().unwrap().to_owned()
    }

    /// What central answers to the same request.
    fn sent_to(&self, central: SocketAddr) -> Vec<u8> {
        let (method, path) = self.head.split(' ').next().zip(self.head.split(' ').nth(1)).unwrap();
        let client = reqwest::blocking::Client::builder()
            .no_proxy()
            .tls_danger_accept_invalid_certs(true)
            .build()
            .unwrap();
        let mut again = client
            .request(method.parse().unwrap(), format!("https://{central}{path}"))
            .body(self.body.clone());
        for (name, value) in self.head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
            if !["host", "content-length", "connection"].contains(&name.to_ascii_lowercase().as_str()) {
                again = again.header(name, value);
            }
        }
        let answer = again.send().unwrap();
        let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\n", answer.status().as_u16());
        for (name, value) in answer.headers() {
            if name != "transfer-encoding" && name != "connection" {
                head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
            }
        }
        let mut bytes = format!("{head}\r\n").into_bytes();
        bytes.extend(answer.bytes().unwrap());
        bytes
    }
}

/// A central with a certificate of its own, a door before it, and a terminal that was enrolled through the door.
struct Scene {
    data: TempDir,
    home: TempDir,
    central: Central,
    door: Door,
    enrolled: Identity,
}

impl Scene {
    fn new() -> Self {
        let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let central = start_central(own(data.path()));
        let door = Door::to(central.address());
        let code = central.new_code(&registration()).unwrap();
        assert_eq!(code.len(), "12345-67890-12345-67890".len(), "{code}");
        let enrolled = enrol(door.address, &code, home.path()).unwrap();
        Self { data, home, central, door, enrolled }
    }

    fn kiosk(&self) -> Kiosk {
        Kiosk::start(&Files::new(self.home.path(), &url(self.door.address)))
    }

    fn identity(&self) -> Identity {
        Identity::load(&self.home.path().join("identity.json")).unwrap()
    }

    fn restart(self, settings: Settings) -> Self {
        self.central.stop().unwrap();
        let central = start_central(settings);
        self.door.point_to(central.address());
        Self { central, ..self }
    }
}

#[test]
fn a_terminal_needs_no_authority_file_for_a_central_that_made_its_certificate_itself() {
    let scene = Scene::new();
    let facts = central::certificate(&own(scene.data.path())).unwrap().unwrap();
    assert_eq!(scene.enrolled.tls_key, Some(facts.key));
    assert!(facts.names.contains(&"localhost".to_owned()), "{facts}");
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(3));
    kiosk.tests_network().unwrap();
    let mode = |file: &str| fs::metadata(scene.data.path().join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("central-tls.key"), 0o600);

    // The same certificate at the next start.
    let settings = own(scene.data.path());
    let scene = scene.restart(settings);
    kiosk.wait_until_sent(kiosk.tap(3));
    assert_eq!(scene.identity().tls_key, Some(facts.key));
    kiosk.stop();
}

#[test]
fn something_in_between_reads_neither_code_nor_entries() {
    let scene = Scene::new();
    let interceptor = Interceptor::before(scene.central.address());
    let home = tempfile::tempdir().unwrap();
    let code = scene.central.new_code(&registration()).unwrap();
    let refused = words(enrol(interceptor.address, &code, home.path()).unwrap_err());
    assert!(refused.contains("all twenty digits") && refused.contains("in between"), "{refused}");
    let last = if code.ends_with('7') { '8' } else { '7' };
    let mistyped = format!("{}{last}", &code[..code.len() - 1]);
    assert!(matches!(enrol(scene.central.address(), &mistyped, home.path()), Err(EnrolError::OtherCentral)));
    let unbound = &code[.."12345-67890-12345".len()];
    let refused = words(enrol(scene.central.address(), unbound, home.path()).unwrap_err());
    assert!(refused.contains("unknown authority"), "{refused}");
    assert!(matches!(enrol(interceptor.address, "1234", home.path()), Err(EnrolError::Code)));
    assert_eq!(interceptor.read(), [""; 0], "it read nothing");
    enrol(scene.central.address(), &code, home.path()).unwrap();

    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    scene.door.point_to(interceptor.address);
    let head = kiosk.tap(2);
    let status = kiosk.wait_for("trouble", |status| {
        status.last_error.as_ref().is_some_and(|found| found.fault == Fault::InBetween)
    });
    let said = status.last_error.unwrap().words;
    assert!(said.contains("another key") && said.contains("enrol this terminal again"), "{said}");
    assert_eq!(kiosk.tests_network().unwrap_err().fault, Fault::InBetween);
    let read = interceptor.read();
    assert!(!read.is_empty() && read.iter().all(|line| line == WORD_OF_CENTRAL), "{read:?}");
    assert_eq!(scene.identity().tls_key, scene.enrolled.tls_key, "its key was not taken over");

    scene.door.point_to(scene.central.address());
    kiosk.wait_until_sent(head);
    kiosk.stop();
    survived!(20; read.len() + 2, "connections to something in between");
}

#[test]
fn a_new_certificate_is_taken_over_because_central_vouches_for_it() {
    let scene = Scene::new();
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let old_code = scene.central.new_code(&registration()).unwrap();
    let (facts, aside) = central::new_certificate(&own(scene.data.path())).unwrap();
    assert!(aside.unwrap().join("central-tls.key").is_file(), "nothing is deleted");
    assert_ne!(Some(facts.key), scene.enrolled.tls_key);
    // A connection that is made before the new one is served still meets the old one.
    let until = Instant::now() + PATIENCE;
    while scene.identity().tls_key != Some(facts.key) {
        assert!(Instant::now() < until, "the new certificate is not taken over");
        kiosk.wait_until_sent(kiosk.tap(1));
    }
    kiosk.tests_network().unwrap();

    // Staff who test the network may be the first to meet it.
    let (facts, _) = central::new_certificate(&own(scene.data.path())).unwrap();
    while scene.identity().tls_key != Some(facts.key) {
        assert!(Instant::now() < until, "the new certificate is not taken over");
        kiosk.tests_network().unwrap();
    }
    kiosk.wait_until_sent(kiosk.tap(2));

    let home = tempfile::tempdir().unwrap();
    let refused = words(enrol(scene.central.address(), &old_code, home.path()).unwrap_err());
    assert!(refused.contains("another certificate (then make a new one)"), "{refused}");
    enrol(scene.central.address(), &scene.central.new_code(&registration()).unwrap(), home.path()).unwrap();

    let interceptor = Interceptor::before(scene.central.address());
    scene.door.point_to(interceptor.address);
    kiosk.tap(1);
    kiosk.wait_for("trouble", |status| status.last_error.is_some());
    assert_eq!(scene.identity().tls_key, Some(facts.key));
    kiosk.stop();
}

#[test]
fn a_certificate_of_the_hospital_takes_the_place_of_central_s_own_without_a_hand_on_the_terminal() {
    let scene = Scene::new();
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let pems = tempfile::tempdir().unwrap();
    let (_, tls) = certificates(pems.path(), "127.0.0.1", (2020, 2090));
    let mut settings = own(scene.data.path());
    settings.config.tls = tls;
    let scene = scene.restart(settings);
    kiosk.wait_until_sent(kiosk.tap(2));
    kiosk.tests_network().unwrap();
    assert_ne!(scene.identity().tls_key, scene.enrolled.tls_key);
    let code = scene.central.new_code(&registration()).unwrap();
    assert_eq!(code.len(), "12345-67890-12345".len(), "an authority vouches for this one: {code}");
    kiosk.stop();
}

#[test]
fn another_central_at_the_same_address_is_refused_with_words_that_say_what_to_do() {
    let scene = Scene::new();
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let other_data = tempfile::tempdir().unwrap();
    let other = start_central(own(other_data.path()));
    scene.door.point_to(other.address());
    let head = kiosk.tap(2);
    let status = kiosk.wait_for("trouble", |status| status.last_error.is_some());
    let said = status.last_error.unwrap().words;
    assert!(said.contains("enrol this terminal again") && said.contains("ca_file"), "{said}");
    assert!(other.verify().unwrap().chains.is_empty(), "nothing was sent to it");
    scene.door.point_to(scene.central.address());
    kiosk.wait_until_sent(head);
    kiosk.stop();
    survived!(20; 1, "other centrals");
}

#[test]
fn backup_and_restore_keep_the_certificate_and_a_lost_key_is_not_replaced_in_silence() {
    let (scene, out) = (Scene::new(), tempfile::tempdir().unwrap());
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let backup = central::backup(scene.data.path(), &out.path().join("a.sqlite")).unwrap();
    for ending in ["tls.pem", "tls.key"] {
        let mode = fs::metadata(backup.with_extension(ending)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
    let fresh = tempfile::tempdir().unwrap();
    // A central that was set up anew by mistake has a certificate already; it is set aside.
    start_central(own(fresh.path())).stop().unwrap();
    let restored = central::restore(&backup, fresh.path(), true).unwrap();
    assert!(restored.set_aside.unwrap().join("central-tls.key").is_file());
    let scene = scene.restart(own(fresh.path()));
    kiosk.wait_until_sent(kiosk.tap(2));
    assert_eq!(scene.identity().tls_key, scene.enrolled.tls_key, "the same key as before");
    kiosk.stop();

    scene.central.stop().unwrap();
    fs::remove_file(fresh.path().join("central-tls.key")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = Central::start(own(fresh.path()), super::hospital(), listener).err().unwrap();
    let refused = format!("{refused:#}");
    assert!(
        refused.contains("put it back from a backup") && refused.contains("certificate --new"),
        "{refused}"
    );
    fs::remove_file(backup.with_extension("tls.key")).unwrap();
    let refused = format!("{:#}", central::restore(&backup, fresh.path(), true).unwrap_err());
    assert!(refused.contains("belongs to the certificate"), "{refused}");
}
