//! Another central with the same key: restored from a backup, or moved to another address.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use xinsheng::{central::Central, lang::Text, model::ChainId};

use super::{Files, Kiosk, PATIENCE, Scene, settings, start_central};
use crate::faults::survived;

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

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

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
