//! A proxy that strips, empties or rewrites one header at a time, in both directions, over every header of a real exchange: nothing is
//! withheld, the cursor never moves wrongly, and everything arrives once the proxy leaves the headers alone.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect, and waits in real time")]

use crate::faults::survived;
use xinsheng::{
    clock::fresh,
    journal::{BatchLimits, Journal, OpenArgs},
    model::{BootId, Moment, TimeQuality},
    sync::{
        Fault as StaffFault, Identity, SyncState,
        apply::remembered_limit,
        message::{Request, Speaker, ask_config, ask_cursor, send_batch, send_json},
        outcome::{Asked, Exchange, Outcome, Trust, classify},
        transport::{HttpTransport, Transport as _},
    },
    wire::{Body, Draft, Health, ScreenFacts, SelfTest, path},
};

use super::{
    proxy::{Change, Fault, Mangle, Side, answer},
    sync_end_to_end::{DEADLINES, Kiosk, Scene, registration, settings, start_central},
};

const CHANGES: [Change; 7] = [
    Change::Strip,
    Change::Empty,
    Change::Rewrite("x"),
    Change::Rewrite("0"),
    Change::Rewrite("2"),
    Change::Rewrite("gzip"),
    Change::Rewrite("sig1=:AAAA:"),
];

fn mangles(scene: &Scene, path: &'static str) -> Vec<Mangle> {
    let mut list = Vec::new();
    for side in [Side::Request, Side::Answer] {
        let names = scene.proxy.headers_seen(path, side);
        assert!(names.len() >= 6, "{path} {side:?}: {names:?}");
        for name in names {
            list.extend(CHANGES.map(|change| Mangle { path, side, name: name.clone(), change }));
        }
    }
    list
}

#[test]
fn row_1_a_proxy_that_mangles_any_header_of_a_batch_withholds_nothing_and_everything_arrives() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    // Large enough to be compressed: one header more.
    kiosk.wait_until_sent(kiosk.tap(40));
    let chain = kiosk.ends().0.chain;
    let list = mangles(&scene, path::ENTRIES);
    assert!(list.iter().any(|mangle| mangle.name == "xinsheng-protocol"));
    assert!(list.iter().any(|mangle| mangle.name == "content-encoding"));
    let mangled = list.len();
    for mangle in list {
        scene.proxy.mangle(mangle.clone());
        let head = kiosk.tap(12);
        kiosk.sync.retry();
        kiosk.wait_for(&format!("{mangle:?}"), |status| {
            kiosk.sync.retry();
            status.all_sent && status.queue.cursor >= head.seq && !scene.proxy.is_mangling()
        });
        let refused = kiosk.terminal.recorder().call(|journal| journal.stats().unwrap().refused).unwrap();
        assert_eq!(refused, 0, "{mangle:?} made the terminal withhold an entry");
        assert_eq!(kiosk.ends().0.chain, chain, "{mangle:?} made the terminal begin a new journal");
        assert_ne!(kiosk.sync.status().state, SyncState::NotAllowed, "{mangle:?}");
    }
    assert_eq!(kiosk.terminal.recorder().call(remembered_limit).unwrap(), None, "no batch became smaller");
    scene.check(&kiosk);
    kiosk.stop();
    survived!(24; mangled, "mangled headers");
}

/// A terminal that asks by hand.
struct Asker<'a> {
    scene: &'a Scene,
    identity: Identity,
    transport: HttpTransport,
    journal: Journal,
    _folder: tempfile::TempDir,
}

impl<'a> Asker<'a> {
    fn new(scene: &'a Scene) -> Self {
        let identity = Identity::load(&scene.home.path().join("identity.json")).unwrap();
        let transport = HttpTransport::new(&scene.proxy.url(), None, DEADLINES).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut open = OpenArgs::new(fresh::chain_id(), moment());
        open.ballast_bytes = 4096;
        let (mut journal, _) = Journal::open(folder.path(), open).unwrap();
        let tested = |n| {
            let body = Body::SelfTest(SelfTest {
                touchpoint: registration(),
                target: format!("button {n}"),
                of: None,
            });
            Draft { id: fresh::entry_id(&moment()), at: moment(), body }
        };
        journal.append((0..8).map(tested).collect()).unwrap();
        Self { scene, identity, transport, journal, _folder: folder }
    }

    fn request(&mut self, kind: &str) -> (Asked, Request) {
        let nonce = fresh::chain_id().to_string();
        let key = self.identity.key.clone();
        let terminal = self.identity.terminal.clone();
        let at = moment().wall;
        let speaker = Speaker { key: &key, terminal: Some(terminal.as_str()), at, nonce: &nonce };
        let chain = self.journal.head().chain;
        match kind {
            path::CURSOR => (Asked::Cursor, ask_cursor(&speaker, chain).unwrap()),
            path::CONFIG => (Asked::Config, ask_config(&speaker, Some("\"mine\"")).unwrap()),
            path::HEALTH => (Asked::Health, send_json(&speaker, path::HEALTH, &health(chain)).unwrap()),
            path::ENTRIES => {
                let limits = BatchLimits { entries: 10, bytes: 100_000 };
                let batch = self.journal.batch(limits).unwrap().unwrap();
                let request = send_batch(&speaker, &batch.header(moment()), &batch.lines).unwrap();
                (Asked::Batch { first_seq: 1, count: batch.lines.len() }, request)
            }
            other => panic!("nobody asks for {other}"),
        }
    }

    fn ask(&mut self, kind: &str) -> Outcome {
        let (asked, request) = self.request(kind);
        let exchange = Exchange::new(asked, self.journal.head().chain, &request);
        let trust = Trust { key: self.identity.central_key, store: self.identity.store };
        classify(&exchange, &trust, self.transport.send(&request).as_ref())
    }

    fn is_true(&mut self, outcome: &Outcome) -> bool {
        let head = self.journal.head();
        match outcome {
            Outcome::Receipt(receipt) => {
                (receipt.accepted_through, receipt.head_hash) == (head.seq, head.hash)
            }
            Outcome::Cursor(cursor) => [0, head.seq].contains(&cursor.accepted_through),
            Outcome::Health(_) => true,
            Outcome::Config { etag, text } => {
                text == "# touchpoints"
                    && *etag == format!("\"{}\"", xinsheng::chain::sha256(text.as_bytes()))
            }
            Outcome::ConfigUnchanged
            | Outcome::Unknown(_)
            | Outcome::Wait { .. }
            | Outcome::TooLarge
            | Outcome::Refused { .. }
            | Outcome::NotAllowed { .. }
            | Outcome::Misconfigured { .. }
            | Outcome::Conflict => false,
        }
    }
}

fn moment() -> Moment {
    let boot = BootId::from_parts(0, [7; 10]);
    Moment { wall: chrono::DateTime::UNIX_EPOCH, boot, up_ms: 1_000, quality: TimeQuality::Unset }
}

fn health(chain: xinsheng::model::ChainId) -> Health {
    Health {
        chain,
        last_seq: 0,
        queue_depth: 0,
        oldest_unsent_s: None,
        unsaved: 0,
        refused: 0,
        last_error: None,
        temperature_c: None,
        disk_free_bytes: None,
        clock: TimeQuality::Unset,
        software: "test".into(),
        config_hash: String::new(),
        screen: ScreenFacts::default(),
        restarts: 0,
        lost_after: None,
        sent: moment(),
    }
}

#[test]
fn row_1_whatever_a_proxy_does_to_a_header_the_answer_is_true_or_nothing_is_known() {
    let scene = Scene::new(|settings| settings.delivered = Some(b"# touchpoints".to_vec()));
    let mut asker = Asker::new(&scene);
    for kind in [path::ENTRIES, path::CURSOR, path::HEALTH, path::CONFIG] {
        let good = asker.ask(kind);
        assert!(asker.is_true(&good), "{kind}: {good:?}");
        for mangle in mangles(&scene, kind) {
            scene.proxy.mangle(mangle.clone());
            let outcome = asker.ask(kind);
            assert!(!asker.scene.proxy.is_mangling());
            let unknown = matches!(outcome, Outcome::Unknown(_));
            assert!(unknown || asker.is_true(&outcome), "{mangle:?}: {outcome:?}");
        }
        let good = asker.ask(kind);
        assert!(asker.is_true(&good), "{kind}: {good:?}");
    }
}

#[test]
fn row_16_an_unsigned_status_changes_nothing_but_the_wait_and_is_told_as_something_between() {
    let scene = Scene::new(|_| {});
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(1));
    let chain = kiosk.ends().0.chain;
    let statuses =
        ["403 Forbidden", "401 Unauthorized", "413 Content Too Large", "404 Not Found", "409 Conflict"];
    for status in statuses {
        let blocked = answer(
            status,
            &[("content-type", "text/html")],
            b"<html><body>Blocked by the firewall</body></html>",
        );
        scene.proxy.then(vec![Fault::Answer(blocked); 8]);
        let head = kiosk.tap(20);
        let told = kiosk.wait_for(status, |status| status.badge.is_some());
        let badge = told.badge.unwrap().to_string();
        assert!(badge.contains("something between") && !badge.contains("enrol"), "{badge}");
        assert_eq!(told.last_error.unwrap().fault, StaffFault::InBetween, "{status}");
        assert_eq!(told.state, SyncState::Misconfigured);
        kiosk.wait_for("drain", |status| {
            kiosk.sync.retry();
            status.all_sent && status.queue.cursor >= head.seq && scene.proxy.left() == 0
        });
        assert_eq!(kiosk.terminal.recorder().call(remembered_limit).unwrap(), None, "{status}");
        assert_eq!(kiosk.ends().0.chain, chain, "{status}");
    }
    scene.check(&kiosk);
    kiosk.stop();
    survived!(21; statuses.len(), "unsigned statuses");
}

#[test]
fn row_16_a_batch_that_central_s_own_413_halved_grows_again() {
    let mut scene = Scene::new(|settings| settings.config.limits.body_kib = 8);
    let kiosk = scene.kiosk();
    kiosk.wait_until_sent(kiosk.tap(400));
    let halved = kiosk.terminal.recorder().call(remembered_limit).unwrap().unwrap();
    assert!(halved < 400, "{halved}");
    scene.central.stop().unwrap();
    scene.central = start_central(settings(scene.data.path()));
    scene.proxy.point_to(scene.central.address());
    let grown = |kiosk: &Kiosk| kiosk.terminal.recorder().call(remembered_limit).unwrap().unwrap();
    for _ in 0..600 {
        if grown(&kiosk) >= 500 {
            break;
        }
        kiosk.sync.retry();
        kiosk.wait_until_sent(kiosk.tap(1));
    }
    assert_eq!(grown(&kiosk), 500);
    scene.check(&kiosk);
    let kiosk_head = kiosk.ends().0.seq;
    kiosk.stop();
    survived!(22; kiosk_head, "entries");
}
