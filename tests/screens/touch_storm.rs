//! An hour of hands on the glass: children, palms, cloths, fingers that slide off. Every press is accounted for, memory stays flat, and the
//! journal holds what the survey took.
//!
//! `XINSHENG_STORM_PRESSES` sets how many presses the hour has.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use i_slint_backend_testing::{AccessibleRole, ElementQuery};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use xinsheng::clock::{Clock, SimClock};
use xinsheng::journal::{Journal, OpenArgs, Recorder, cli};
use xinsheng::lang::Catalogue;
use xinsheng::model::{BootId, ChainId};
use xinsheng::panel::Panel;
use xinsheng::survey::{Page, Start};
use xinsheng::terminal::{Look, Parts};
use xinsheng::{page_audit::Area, simulator::SimPanel};

use crate::hospital;

const HOUR_MS: u64 = 3_600_000;
/// Set for the process that runs the storm.
const CHILD: &str = "XINSHENG_STORM_CHILD";
const SEED: u64 = 20_261_122;
/// What the allocator may keep beyond what it had after a quarter of the storm.
const GROWTH_KB_MAX: i64 = 4 * 1024;

/// What the test counts by itself, from where it put the fingers down and up.
#[derive(Default, Debug)]
struct Expected {
    presses: u64,
    /// Down and up on the same target.
    taps: u64,
}

struct Storm {
    panel: SimPanel,
    dice: StdRng,
    expected: Expected,
    /// Where the targets of a page lie; looked up once for each page that shows.
    targets: BTreeMap<String, Rc<Vec<Area>>>,
}

impl Storm {
    fn page(&self) -> String {
        self.panel.kiosk().with_survey(|survey| {
            let page = match survey.page() {
                Page::Question { question, .. } => format!("question {}", question.id),
                Page::Reasons { .. } => "reasons".into(),
                Page::StillThere { .. } => "still there".into(),
                Page::Cleaning { .. } => "cleaning".into(),
                other => format!("{other:?}"),
            };
            format!("{page} in {}", survey.lang())
        })
    }

    fn targets(&mut self) -> Rc<Vec<Area>> {
        let page = self.page();
        if let Some(known) = self.targets.get(&page) {
            return known.clone();
        }
        let buttons = ElementQuery::from_root(self.panel.window())
            .match_descendants()
            .match_accessible_role(AccessibleRole::Button)
            .find_all();
        let area = |button: &i_slint_backend_testing::ElementHandle| {
            let (at, size) = (button.absolute_position(), button.size());
            Area { x: at.x, y: at.y, width: size.width, height: size.height }
        };
        let found = Rc::new(buttons.iter().map(area).collect::<Vec<_>>());
        self.targets.insert(page, found.clone());
        found
    }

    fn target_at(targets: &[Area], (x, y): (f32, f32)) -> Option<usize> {
        let inside =
            |area: &Area| x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height;
        targets.iter().position(inside)
    }

    fn anywhere(&mut self) -> (f32, f32) {
        (self.dice.random_range(0..1280) as f32 + 0.5, self.dice.random_range(0..800) as f32 + 0.5)
    }

    /// One finger: mostly on a target, sometimes beside, sometimes sliding off.
    fn press(&mut self) {
        let targets = self.targets();
        let down = if self.dice.random_bool(0.7) && !targets.is_empty() {
            let area = targets[self.dice.random_range(0..targets.len())];
            area.center()
        } else {
            self.anywhere()
        };
        let up = if self.dice.random_bool(0.15) { self.anywhere() } else { down };
        let on = Self::target_at(&targets, down);
        self.expected.presses += 1;
        self.expected.taps += u64::from(on.is_some() && on == Self::target_at(&targets, up));
        self.panel.press_at(down);
        if up != down {
            self.panel.move_to(up);
        }
        self.panel.release_at(up);
    }
}

fn resident_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// In a process of its own: the memory of the other suites' tests is not counted.
#[test]
fn an_hour_of_touches_leaves_every_press_accounted_for_and_memory_flat() {
    if std::env::var_os(CHILD).is_some() {
        return storm();
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("touch_storm::an_hour_of_touches_leaves_every_press_accounted_for_and_memory_flat")
        .env(CHILD, "1")
        .status()
        .unwrap();
    assert!(status.success(), "the storm ended with {status}");
}

fn storm() {
    let presses: u64 =
        std::env::var("XINSHENG_STORM_PRESSES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    let home = tempfile::tempdir().unwrap();
    let wall = "2026-11-21T02:00:00Z".parse().unwrap();
    let clock = Arc::new(SimClock::at(wall, BootId::from_parts(0, [1; 10])));
    let args = OpenArgs { ballast_bytes: 0, ..OpenArgs::new(ChainId([7; 16]), clock.now()) };
    let (journal, _) = Journal::open(home.path(), args).unwrap();
    let recorder = Recorder::spawn(journal, clock.clone(), |_| {}).unwrap();
    let (handle, commits) = (recorder.handle(), recorder.handle());
    let glass = Panel::new(10.1, 1280, 800);
    let panel = SimPanel::new(glass, clock, |clock| Parts {
        plan: hospital::plan(&["window"], Start::Question),
        catalogue: Catalogue::shipped().unwrap(),
        fonts: xinsheng::fonts::Fonts::shipped(),
        second_language: Some(hospital::lang("en")),
        panel: glass,
        low_reach: false,
        look: Look::default(),
        full_screen: false,
        clock,
        staff: xinsheng::terminal::StaffParts::none(),
        sound: xinsheng::sound::SoundHandle::silent(),
        store: Box::new(move |drafts, reply| {
            handle.keep(drafts, move |kept| reply(xinsheng::terminal::outcome_of(&kept)))
        }),
    });
    let mut storm = Storm {
        panel: panel.unwrap(),
        dice: StdRng::seed_from_u64(SEED),
        expected: Expected::default(),
        targets: BTreeMap::new(),
    };
    let mut settled_kb = 0;
    for n in 0..presses {
        storm.press();
        commits.call(|_| ()).unwrap();
        storm.panel.settle();
        // Bursts of a child's two fingers, and pauses in which pages go by themselves.
        let mean = HOUR_MS / presses;
        let pause = match storm.dice.random_range(0..10) {
            0..=3 => storm.dice.random_range(5..150),
            4..=8 => storm.dice.random_range(0..mean),
            _ => storm.dice.random_range(0..6 * mean),
        };
        storm.panel.advance(pause);
        if n == presses / 4 {
            settled_kb = resident_kb();
        }
    }
    let growth = resident_kb() - settled_kb;
    let tally = storm.panel.kiosk().with_survey(|survey| survey.tally());
    println!("{:?}; {tally:?}; grew by {growth} kB since a quarter of the hour", storm.expected);

    assert_eq!(storm.panel.kiosk().touches(), storm.expected.presses, "every press is noticed");
    let counted = tally.taken + tally.double_strikes + tally.palms + tally.idle;
    assert_eq!(counted, storm.expected.taps, "every tap is counted once: {tally:?}");
    assert!(
        tally.double_strikes > 0 && tally.palms > 0,
        "the storm had no double strikes or palms: {tally:?}"
    );
    assert!(growth < GROWTH_KB_MAX, "memory grew by {growth} kB");

    drop(storm);
    recorder.stop();
    let mut report = Vec::new();
    let verdict = cli::verify(home.path(), &mut report).unwrap();
    assert_eq!(verdict, cli::Verdict::Good, "{}", String::from_utf8_lossy(&report));
}
