//! Certificates: the pinned authority, the diagnoses, and a changed authority file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use xinsheng::{clock::SystemClock, config::Tls, sync};

use super::{Files, Kiosk, registration, settings, start_central};
use crate::faults::survived;

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

    // One that is junk or lost is none: what was read before stays in force.
    fs::write(&believed, "junk").unwrap();
    kiosk.wait_until_sent(kiosk.tap(2));
    fs::remove_file(&believed).unwrap();
    kiosk.wait_until_sent(kiosk.tap(3));
    fs::copy(&wrong, &believed).unwrap();
    let head = kiosk.tap(4);
    kiosk.wait_for("trouble", |status| status.last_error.is_some());
    fs::copy(&right, &believed).unwrap();
    kiosk.wait_until_sent(head);
    kiosk.stop();
    survived!(20, 29; 1, "authority");
}
