//! Whole visits on the simulated panel: a finger at a point, and what the glass shows.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use xinsheng::clock::SimClock;
use xinsheng::lang::Catalogue;
use xinsheng::model::BootId;
use xinsheng::panel::Panel;
use xinsheng::survey::{Page, Start, StoreOutcome};
use xinsheng::terminal::Parts;
use xinsheng::wire::{Body, Draft};
use xinsheng::{page_audit::Area, simulator::SimPanel};

use crate::hospital;

type Journal = Rc<RefCell<Vec<Body>>>;

fn panel(glass: Panel, touchpoints: &[&str], start: Start) -> (SimPanel, Journal) {
    let wall = "2026-11-21T02:00:00Z".parse().unwrap();
    let clock = Arc::new(SimClock::at(wall, BootId::from_parts(0, [1; 10])));
    let journal = Journal::default();
    let written = journal.clone();
    let panel = SimPanel::new(glass, clock, |clock| Parts {
        plan: hospital::plan(touchpoints, start),
        catalogue: Catalogue::shipped().unwrap(),
        fonts: xinsheng::fonts::Fonts::shipped(),
        second_language: Some(hospital::lang("en")),
        panel: glass,
        low_reach: false,
        look: xinsheng::terminal::Look::default(),
        full_screen: false,
        clock,
        staff: xinsheng::terminal::StaffParts::none(),
        sound: xinsheng::sound::SoundHandle::silent(),
        store: Box::new(move |drafts: Vec<Draft>, reply| {
            written.borrow_mut().extend(drafts.into_iter().map(|draft| draft.body));
            reply(StoreOutcome::PRETENDED);
        }),
    });
    (panel.unwrap(), journal)
}

fn ten_inch() -> Panel {
    Panel::new(10.1, 1280, 800)
}

/// Every fourth pixel of an area.
fn pixels(panel: &SimPanel, area: Area) -> Vec<[u8; 3]> {
    let (left, top) = (area.x as u32, area.y as u32);
    let mut all = Vec::new();
    for y in (top..top + area.height as u32).step_by(4) {
        for x in (left..left + area.width as u32).step_by(4) {
            all.push(panel.pixel(x, y));
        }
    }
    all
}

fn thanked(panel: &SimPanel) -> bool {
    panel.kiosk().with_survey(|survey| matches!(survey.page(), Page::Thanks { .. }))
}

#[test]
fn a_finger_on_the_glass_is_seen_in_the_same_frame_and_counts_when_it_leaves() {
    let (mut panel, journal) = panel(ten_inch(), &["exit"], Start::Question);
    panel.advance(1_000);
    let button = panel.find("很好").unwrap();
    let before = pixels(&panel, button);
    panel.press_at(button.center());
    let pressed = pixels(&panel, button);
    assert_ne!(before, pressed, "the button must answer at once");
    assert!(journal.borrow().is_empty());
    panel.release_at(button.center());
    assert_eq!(journal.borrow().iter().map(Body::kind).collect::<Vec<_>>(), ["answer"]);
    assert!(thanked(&panel));
}

#[test]
fn sliding_off_a_button_takes_the_tap_back() {
    let (mut panel, journal) = panel(ten_inch(), &["exit"], Start::Question);
    panel.advance(1_000);
    let button = panel.find("很好").unwrap();
    let before = pixels(&panel, button);
    panel.press_at(button.center());
    panel.move_to((640.0, 100.0));
    panel.release_at((640.0, 100.0));
    assert!(journal.borrow().is_empty());
    panel.advance(1_000);
    assert_eq!(before, pixels(&panel, button));
}

#[test]
fn travel_inside_a_button_is_still_a_tap() {
    let (mut panel, journal) = panel(ten_inch(), &["exit"], Start::Question);
    panel.advance(1_000);
    let button = panel.find("很好").unwrap();
    panel.press_at((button.x + 4.0, button.y + 4.0));
    panel.move_to(button.center());
    panel.release_at((button.x + button.width - 4.0, button.y + button.height - 4.0));
    assert_eq!(journal.borrow().len(), 1);
}

#[test]
fn the_whole_card_is_the_target_up_to_its_corners() {
    let (mut panel, journal) = panel(ten_inch(), &["exit"], Start::Question);
    panel.advance(1_000);
    let button = panel.find("说不清").unwrap();
    panel.tap_at((button.x + 3.0, button.y + 3.0));
    assert_eq!(journal.borrow().len(), 1);
}

#[test]
fn an_exit_is_walked_through_by_finger_on_every_panel_size() {
    let panels = [
        ten_inch(),
        Panel::new(7.0, 1024, 600),
        Panel::new(7.0, 800, 480),
        Panel::new(7.0, 720, 1280),
        Panel::new(15.6, 1920, 1080),
        Panel::new(21.5, 1920, 1080),
    ];
    for glass in panels {
        // A thread has one screen.
        std::thread::spawn(move || {
            let (mut panel, journal) = panel(glass, &["window", "ward", "exit"], Start::Attract);
            for label in ["点这里开始", "住院病房", "否", "等得太久", "好了"] {
                panel.advance(1_000);
                let button = panel.find(label).unwrap_or_else(|| panic!("{glass:?}: no `{label}`"));
                let (width, height) = glass.page_px();
                assert!(
                    button.x >= 0.0
                        && button.y >= 0.0
                        && button.x + button.width <= width as f32
                        && button.y + button.height <= height as f32,
                    "{glass:?}: `{label}` lies off the glass: {button:?}"
                );
                let least = glass.target_mm() * glass.px_per_mm() - 1.0;
                assert!(
                    f64::from(button.width) >= least && f64::from(button.height) >= least,
                    "{glass:?}: `{label}` is smaller than {} mm: {button:?}",
                    glass.target_mm()
                );
                panel.tap_at(button.center());
            }
            assert!(thanked(&panel), "{glass:?}");
            assert_eq!(journal.borrow().iter().map(Body::kind).collect::<Vec<_>>(), ["answer", "reasons"]);
        })
        .join()
        .unwrap();
    }
}

#[test]
fn nothing_is_drawn_while_nobody_is_there() {
    let (mut panel, _) = panel(ten_inch(), &["exit"], Start::Question);
    panel.advance(1_000);
    let frames = panel.frames_drawn();
    panel.advance(10 * 60 * 1_000);
    assert_eq!(panel.frames_drawn(), frames, "an idle page must not draw");
}

/// Fault 37: a bag on the counter, a drop of water.
#[test]
fn a_contact_of_a_minute_is_let_go_and_the_next_finger_counts() {
    let (mut panel, journal) = panel(ten_inch(), &["exit"], Start::Question);
    panel.advance(1_000);
    let (stuck, other) = (panel.find("很好").unwrap(), panel.find("一般").unwrap());
    let before = pixels(&panel, stuck);
    panel.press_at(stuck.center());
    panel.advance(59_000);
    assert_ne!(before, pixels(&panel, stuck), "a long press is still one");
    panel.advance(2_000);
    assert_eq!(before, pixels(&panel, stuck), "nothing is pressed any more");
    assert!(journal.borrow().is_empty(), "and nothing was tapped");
    panel.tap_at(other.center());
    assert!(thanked(&panel) || !journal.borrow().is_empty(), "the next finger counts");
}
