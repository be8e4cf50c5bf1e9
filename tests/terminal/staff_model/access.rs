//! Who gets in and how the area is left: PIN, lock, enrolment, idle time, wiping and restart.

use xinsheng::staff::{
    Answer, Ask, EnrolFault, EnrolState, Entry, Event, Failure, IDLE_MS, MenuItem, NotKept, PinNote,
    PinVerdict, Staff, View,
};

use super::{PIN, START_MS, Visit, plan};

#[test]
fn a_pin_is_typed_corrected_and_never_shown() {
    let mut visit = Visit::new(true, Entry::Pin);
    visit.types("407").does(Event::Enter);
    assert!(visit.asks.is_empty(), "three digits are no PIN");
    visit.types("2").does(Event::Erase).types("1");
    assert_eq!(visit.staff.view(), View::Pin { typed: 4, note: PinNote::None });
    visit.does(Event::Enter);
    assert_eq!(visit.staff.view(), View::Pin { typed: 0, note: PinNote::Checking });
    visit.types("99").does(Event::Enter);
    assert_eq!(visit.asks.len(), 1, "one at a time");
    let shown = format!("{:?} {:?} {:?}", visit.staff, visit.asks, Event::Key('7'.into()));
    assert!(!shown.contains("4071") && !shown.contains('7'), "{shown}");
}

#[test]
fn a_wrong_pin_is_said_with_the_tries_left_and_a_lock_counts_down_in_minutes() {
    let mut visit = Visit::new(true, Entry::Pin);
    visit.types("1111").does(Event::Enter).hears(Answer::Pin(PinVerdict::Wrong { left: 1 }));
    assert_eq!(visit.staff.view(), View::Pin { typed: 0, note: PinNote::Wrong { left: 1 } });
    visit.types("2222").does(Event::Enter).hears(Answer::Pin(PinVerdict::Locked { left_ms: 100_000 }));
    assert_eq!(visit.staff.view(), View::Pin { typed: 0, note: PinNote::Locked { minutes: 2 } });
    visit.types("4071").does(Event::Enter);
    assert!(visit.asks.is_empty(), "a locked keypad takes nothing");
    assert_eq!(visit.staff.deadline_ms(), Some(visit.now + 40_000), "when one minute is left");
    visit.waits(40_000);
    assert_eq!(visit.staff.view(), View::Pin { typed: 0, note: PinNote::Locked { minutes: 1 } });
    visit.does(Event::Touched).waits(59_999).does(Event::Touched).waits(1);
    assert_eq!(visit.staff.view(), View::Pin { typed: 0, note: PinNote::None }, "the wait is over");
}

#[test]
fn without_a_pin_in_the_configuration_the_screen_can_be_wiped_and_nothing_else() {
    let mut visit = Visit::new(false, Entry::Pin);
    visit.types("4071").does(Event::Enter);
    assert_eq!(visit.staff.view(), View::Pin { typed: 0, note: PinNote::NoPin });
    visit.does(Event::Wipe);
    assert_eq!((visit.wiped, visit.left, visit.asks.len()), (1, 1, 0));
}

#[test]
fn who_walks_away_leaves_nothing_open_also_for_a_touch_that_comes_before_the_tick() {
    let mut visit = Visit::at(MenuItem::Touchpoint);
    visit.now += IDLE_MS;
    visit.does(Event::Pick(1));
    assert_eq!((visit.left, visit.asks.len()), (1, 0));
    let mut visit = Visit::at(MenuItem::Export);
    visit.waits(IDLE_MS - 1);
    assert!(!visit.staff.has_left());
    visit.waits(1);
    assert!(visit.staff.has_left());
}

#[test]
fn an_answer_to_an_earlier_visit_does_not_open_the_menu() {
    let mut first = Visit::new(true, Entry::Pin);
    first.types(PIN).does(Event::Enter).does(Event::Back);
    let (token, _) = first.asks.pop().unwrap();
    let mut second = Staff::new(plan(true), Entry::Pin, START_MS + 400);
    for digit in "1111".chars() {
        second.handle(Event::Key(digit.into()), START_MS + 500);
    }
    second.handle(Event::Enter, START_MS + 600);
    second.handle(Event::Answered(token, Answer::Pin(PinVerdict::Right)), START_MS + 700);
    assert_eq!(second.view(), View::Pin { typed: 0, note: PinNote::Checking });
    second.handle(Event::Answered(token, Answer::Kept(Err(NotKept::Storage))), START_MS + 800);
    assert_eq!(second.view(), View::Pin { typed: 0, note: PinNote::Checking });
}

#[test]
fn the_screen_is_wiped_from_the_menu_and_a_glass_that_was_touched_all_over_goes_back() {
    let visit = Visit::at(MenuItem::Wipe);
    assert_eq!((visit.wiped, visit.left), (1, 1));
    let mut visit = Visit::at(MenuItem::TouchTest);
    for field in 0..6 {
        visit.does(Event::Field(field));
    }
    assert!(matches!(visit.staff.view(), View::TouchTest { .. }), "it says that all is well");
    visit.does(Event::Field(2));
    assert_eq!(visit.staff.view(), View::Menu);
}

#[test]
fn a_restart_is_asked_about_first() {
    let mut visit = Visit::at(MenuItem::Restart);
    visit.does(Event::Back);
    assert_eq!((visit.restarts, visit.staff.view()), (0, View::Menu));
    let mut visit = Visit::at(MenuItem::Restart);
    visit.does(Event::Confirm);
    assert_eq!((visit.restarts, visit.left), (1, 1));
}

#[test]
fn a_new_terminal_is_enrolled_with_nothing_but_its_code() {
    let mut visit = Visit::new(false, Entry::Enrol);
    visit.types("12345678901234").does(Event::Enter);
    assert!(visit.asks.is_empty(), "one digit is missing");
    visit.types("5");
    let typed = "12345-67890-12345";
    assert_eq!(visit.staff.view(), View::Enrol { typed, state: &EnrolState::Typing });
    visit.does(Event::Enter);
    assert!(matches!(visit.asked(), Ask::Enrol(code) if code.grouped() == typed));
    visit.does(Event::Erase).hears(Answer::Enrolled(Err(Failure::new(EnrolFault::Code, "unknown code"))));
    let state = EnrolState::Failed { why: Failure::new(EnrolFault::Code, "unknown code") };
    assert_eq!(visit.staff.view(), View::Enrol { typed, state: &state });
    visit.does(Event::Confirm);
    assert_eq!(visit.staff.view(), View::Enrol { typed, state: &EnrolState::Typing }, "to be corrected");
    visit.does(Event::Erase).types("6").does(Event::Enter);
    visit.hears(Answer::Enrolled(Ok("t-1".parse().unwrap())));
    let state = EnrolState::Done { terminal: "t-1".parse().unwrap() };
    assert_eq!(visit.staff.view(), View::Enrol { typed: "12345-67890-12346", state: &state });
    visit.does(Event::Confirm);
    assert_eq!(visit.left, 1, "there is no menu behind it");

    let mut later = Visit::new(true, Entry::Enrol);
    later.does(Event::Back);
    assert_eq!(later.left, 1);
}
