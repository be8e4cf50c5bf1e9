//! Whole visits on the real pages, found by what each button is announced as, on Slint's testing backend with mocked time.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use i_slint_backend_testing::{AccessibleRole, ElementHandle, init_no_event_loop, mock_elapsed_time};
use xinsheng::clock::SimClock;
use xinsheng::kiosk::Kiosk;
use xinsheng::lang::Catalogue;
use xinsheng::model::BootId;
use xinsheng::panel::Panel;
use xinsheng::survey::{Page, Start, StoreOutcome};
use xinsheng::terminal::{Parts, Reply};
use xinsheng::ui::AppWindow;
use xinsheng::wire::{Body, Draft, EndOutcome};

use crate::hospital;

/// A screen whose commits succeed at once, fail, or wait until the test lets them.
struct Screen {
    window: AppWindow,
    kiosk: Kiosk,
    clock: Arc<SimClock>,
    journal: Rc<RefCell<Vec<Body>>>,
    disk: Rc<RefCell<Disk>>,
}

#[derive(Default)]
struct Disk {
    mode: Mode,
    waiting: Vec<Reply>,
}

#[derive(Default, PartialEq)]
enum Mode {
    #[default]
    Works,
    Fails,
    Stalls,
}

impl Screen {
    fn new(touchpoints: &[&str], start: Start) -> Self {
        init_no_event_loop();
        xinsheng::kiosk::fonts::register(&xinsheng::fonts::Fonts::shipped());
        let window = AppWindow::new().unwrap();
        let wall = "2026-11-21T02:00:00Z".parse().unwrap();
        let clock = Arc::new(SimClock::at(wall, BootId::from_parts(0, [1; 10])));
        let (journal, disk) = (Rc::<RefCell<Vec<Body>>>::default(), Rc::<RefCell<Disk>>::default());
        let (written, state) = (journal.clone(), disk.clone());
        let store = move |drafts: Vec<Draft>, reply: Reply| {
            let mut disk = state.borrow_mut();
            match disk.mode {
                Mode::Works => {
                    written.borrow_mut().extend(drafts.into_iter().map(|draft| draft.body));
                    reply(StoreOutcome::PRETENDED);
                }
                Mode::Fails => reply(StoreOutcome::Refused),
                Mode::Stalls => disk.waiting.push(reply),
            }
        };
        let parts = Parts {
            plan: hospital::plan(touchpoints, start),
            catalogue: Catalogue::shipped().unwrap(),
            fonts: xinsheng::fonts::Fonts::shipped(),
            second_language: Some(hospital::lang("en")),
            panel: Panel::new(10.1, 1280, 800),
            low_reach: false,
            look: xinsheng::terminal::Look::default(),
            full_screen: false,
            clock: clock.clone(),
            staff: xinsheng::terminal::StaffParts::none(),
            sound: xinsheng::sound::SoundHandle::silent(),
            store: Box::new(store),
        };
        let kiosk = Kiosk::new(&window, parts).unwrap();
        Self { window, kiosk, clock, journal, disk }
    }

    /// Thinks for a second, then presses the button that is announced with these words.
    fn press(&self, label: &str) -> &Self {
        self.wait(1_000);
        self.button(label)
            .unwrap_or_else(|| panic!("no button `{label}`; there are {:?}", self.labels()))
            .invoke_accessible_default_action();
        self
    }

    fn wait(&self, ms: u64) -> &Self {
        // In steps, so that each timer meets the clock it was set for.
        for _ in 0..ms.div_ceil(100) {
            self.clock.advance(100);
            mock_elapsed_time(Duration::from_millis(100));
        }
        self
    }

    fn button(&self, label: &str) -> Option<ElementHandle> {
        ElementHandle::find_by_accessible_label(&self.window, label)
            .find(|element| element.accessible_role() == Some(AccessibleRole::Button))
    }

    fn labels(&self) -> Vec<String> {
        i_slint_backend_testing::ElementQuery::from_root(&self.window)
            .match_descendants()
            .match_accessible_role(AccessibleRole::Button)
            .find_all()
            .iter()
            .filter_map(|element| element.accessible_label().map(String::from))
            .collect()
    }

    fn shows(&self, text: &str) -> bool {
        ElementHandle::find_by_accessible_label(&self.window, text).next().is_some()
    }

    fn thanks(&self) -> bool {
        self.kiosk.with_survey(|survey| matches!(survey.page(), Page::Thanks { .. }))
            && self.shows("谢谢您！已经记下了")
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.journal.borrow().iter().map(Body::kind).collect()
    }
}

#[test]
fn one_tap_on_a_face_is_thanked_for() {
    let screen = Screen::new(&["exit"], Start::Question);
    screen.press("很好");
    assert!(screen.thanks());
    assert_eq!(screen.kinds(), ["answer"]);
    screen.wait(5_000);
    assert_eq!(screen.kinds(), ["answer", "response_end"]);
    assert!(screen.kiosk.at_rest());
}

#[test]
fn an_exit_asks_where_then_what_then_why_then_thanks_and_offers_another_place() {
    let screen = Screen::new(&["window", "ward", "exit"], Start::Attract);
    screen.press("点这里开始").press("住院病房").press("否").press("等得太久").press("其他").press("好了");
    assert!(screen.thanks());
    screen.press("评价别处").press("挂号窗口").press("非常满意").press("非常满意");
    assert!(screen.thanks());
    let reasons = screen.journal.borrow().iter().find_map(|body| match body {
        Body::Reasons(r) => Some(r.reasons.iter().map(ToString::to_string).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(reasons.unwrap(), ["wait", "other"]);
}

#[test]
fn a_visitor_may_change_the_answer_on_the_thank_you_page() {
    let screen = Screen::new(&["exit"], Start::Question);
    screen.press("很差").press("改一下").press("较好");
    assert!(screen.thanks());
    let undone = |body: &Body| matches!(body, Body::ResponseEnd(e) if e.outcome == EndOutcome::Undone);
    assert!(screen.journal.borrow().iter().any(undone));
}

#[test]
fn who_falls_silent_is_asked_and_may_stay() {
    let screen = Screen::new(&["window"], Start::Attract);
    screen.press("点这里开始").wait(30_000);
    assert!(screen.shows("您还在吗？"));
    screen.press("我还在");
    assert!(screen.button("非常满意").is_some());
    screen.wait(30_000).wait(20_000);
    assert!(screen.kiosk.at_rest());
    assert_eq!(screen.kinds(), ["response_end"]);
}

#[test]
fn the_countdown_counts_whole_seconds() {
    let screen = Screen::new(&["window"], Start::Attract);
    screen.press("点这里开始").wait(30_000);
    let seconds =
        |s: &Screen| slint::ComponentHandle::global::<xinsheng::ui::StillThere>(&s.window).get_seconds();
    assert_eq!(seconds(&screen), 20);
    screen.wait(1_000);
    assert_eq!(seconds(&screen), 19);
    screen.wait(10_000);
    assert_eq!(seconds(&screen), 9);
}

#[test]
fn every_page_speaks_the_language_that_was_chosen_and_forgets_it() {
    let screen = Screen::new(&["exit"], Start::Question);
    screen.press("语言").press("English");
    assert!(screen.button("Very good").is_some(), "{:?}", screen.labels());
    screen.press("Very good");
    assert!(screen.shows("Thank you. It is recorded."));
    screen.wait(5_000);
    assert!(screen.button("很好").is_some());
}

#[test]
fn a_tap_that_cannot_be_stored_is_not_thanked_for() {
    let screen = Screen::new(&["exit"], Start::Question);
    screen.disk.borrow_mut().mode = Mode::Fails;
    screen.press("很好");
    assert!(screen.shows("没有记上，抱歉"));
    assert!(!screen.thanks());
    screen.wait(10_000);
    assert!(screen.shows("暂停使用"), "{:?}", screen.labels());
    assert!(screen.button("很好").is_none(), "nobody taps in vain");
    screen.disk.borrow_mut().mode = Mode::Works;
    screen.wait(60_000);
    assert!(screen.kiosk.at_rest());
    screen.press("很好");
    assert!(screen.thanks());
}

#[test]
fn thanks_wait_for_a_slow_disk_and_the_screen_does_not() {
    let screen = Screen::new(&["exit"], Start::Question);
    screen.disk.borrow_mut().mode = Mode::Stalls;
    screen.press("很好");
    assert!(!screen.thanks());
    let held = |s: &Screen| {
        use slint::Model;
        slint::ComponentHandle::global::<xinsheng::ui::Question>(&s.window)
            .get_options()
            .iter()
            .any(|o| o.held)
    };
    assert!(held(&screen), "the tapped level must look tapped while it is written");
    screen.wait(2_000);
    assert!(!screen.thanks());
    let reply = screen.disk.borrow_mut().waiting.pop().unwrap();
    reply(StoreOutcome::PRETENDED);
    screen.kiosk.take_news();
    assert!(screen.thanks());
}

#[test]
fn every_button_has_words() {
    let screen = Screen::new(&["window", "ward", "exit"], Start::Attract);
    let check = |screen: &Screen| {
        let labels = screen.labels();
        assert!(!labels.is_empty() && labels.iter().all(|label| !label.is_empty()), "{labels:?}");
    };
    check(&screen);
    for label in ["点这里开始", "挂号窗口", "不满意", "好了", "非常满意"] {
        screen.press(label);
        check(&screen);
    }
}
