//! The configuration that central delivers, and a source that is changed while the terminal runs.

use std::{fs, net::TcpListener, path::Path};

use xinsheng::{
    central::{Central, Settings},
    config::{self, DELIVERED_FILE, EXAMPLE_CENTRAL, EXAMPLE_TOUCHPOINTS, Glyphs},
    model::ChainId,
    wire::{Body, ConfigChange, Entry},
};

use super::{Files, Kiosk, Scene};
use crate::{faults::survived, http, proxy::Proxy};

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
