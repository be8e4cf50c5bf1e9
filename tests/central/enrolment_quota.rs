//! How many wrong enrolment codes are listened to, over real connections; addresses are those that a proxy on this machine tells.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::net::TcpListener;

use xinsheng::{
    central::{Central, Settings},
    config::Tls,
    sign::KeyPair,
    survey::Start,
};

use crate::{faults::survived, hospital::plan, http::call, signed::enrolment};

struct Scene {
    central: Central,
    _data: tempfile::TempDir,
    keys: u64,
}

impl Scene {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(data.path());
        settings.config.tls = Tls::BehindProxy;
        let hospital = plan(&["window"], Start::Attract).hospital;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let central = Central::start(settings, std::sync::Arc::unwrap_or_clone(hospital), listener).unwrap();
        Self { central, _data: data, keys: 0 }
    }

    fn code(&self) -> String {
        self.central.new_code(&"window".parse().unwrap()).unwrap()
    }

    /// Enrols a new terminal from an address and gives the status.
    fn enrols(&mut self, from: &str, code: &str) -> u16 {
        self.keys += 1;
        let mut seed = [1; 32];
        seed[..8].copy_from_slice(&self.keys.to_le_bytes());
        let key = KeyPair::from_seed(&seed);
        let request = enrolment(&key, code);
        let mut headers = request.headers();
        headers.push(("x-forwarded-for", from.to_owned()));
        call(self.central.address(), "POST", &request.uri(), &headers, &request.body).0
    }
}

const WRONG: &str = "00000-00000-00000";

#[test]
fn a_hundred_terminals_are_enrolled_one_after_the_other_from_one_machine() {
    let mut scene = Scene::new();
    for n in 0..100 {
        let code = scene.code();
        assert_eq!(scene.enrols("10.0.0.1", &code), 200, "terminal {n}");
    }
}

#[test]
fn after_ten_wrong_codes_an_address_waits_and_others_do_not() {
    let mut scene = Scene::new();
    let code = scene.code();
    for _ in 0..10 {
        assert_eq!(scene.enrols("10.0.0.1", WRONG), 403);
    }
    assert_eq!(scene.enrols("10.0.0.1", WRONG), 429);
    assert_eq!(scene.enrols("10.0.0.1", &code), 429, "a right guess is not looked at either");
    assert_eq!(scene.enrols("10.0.0.2", &code), 200);
    // An IPv6 network of 64 bits is one address.
    for n in 0..10 {
        assert_eq!(scene.enrols(&format!("2001:db8::{n}"), WRONG), 403);
    }
    assert_eq!(scene.enrols("2001:db8::ffff", WRONG), 429);
    assert_eq!(scene.enrols("2001:db8:0:1::1", WRONG), 403);
    survived!(45; 21, "wrong codes");
}

#[test]
fn a_flood_of_wrong_codes_from_many_addresses_keeps_no_installer_away() {
    let mut scene = Scene::new();
    let codes = [scene.code(), scene.code()];
    let statuses: Vec<u16> =
        (0..640).map(|n| scene.enrols(&format!("10.1.{}.{}", n / 200, n % 200), WRONG)).collect();
    assert!(statuses.iter().all(|status| *status == 403), "{statuses:?}");
    assert_eq!(scene.enrols("10.1.0.7", WRONG), 429, "too many in all: whoever was wrong before waits");
    assert_eq!(scene.enrols("10.9.9.9", &codes[0]), 200);
    assert_eq!(scene.enrols("10.9.9.9", &codes[1]), 200);
    survived!(45; statuses.len(), "wrong codes from as many addresses");
}
