//! Enrolment codes and identities: missing, renewed, or copied into another machine.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use xinsheng::{
    clock::SystemClock,
    sync::{self, Identity, SyncState},
};

use super::{Scene, registration};
use crate::{
    faults::survived,
    proxy::{Fault, answer},
};

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
