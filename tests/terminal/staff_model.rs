//! Random touches in the staff area: after every event its promises hold.
//!
//! The model is a ledger of what was asked, recorded and answered. `XINSHENG_STEPS` sets how many events are tried (default 60,000).
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use crate::faults::survived;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use xinsheng::model::{Lang, TouchpointId};
use xinsheng::pin::Pin;
use xinsheng::staff::{
    Ago, Answer, Ask, ButtonState, Choice, Effect, EnrolFault, EnrolState, Entry, Event, ExportFault,
    ExportState, Failure, IDLE_MS, MenuItem, NetworkState, NotKept, PICTURES, PinNote, PinVerdict, Press,
    Reached, Staff, StaffPlan, StatusFacts, Storage, Token, View, Volume,
};
use xinsheng::sync::{Diagnosis, Fault};
use xinsheng::wire::Body;

use crate::chance;

const EVENTS_PER_VISIT_MAX: usize = 120;

/// What opens the menu.
const PIN: &str = "4071";

const START_MS: u64 = 1_000_000;

fn id(name: &str) -> TouchpointId {
    name.parse().unwrap()
}

fn lang(tag: &str) -> Lang {
    tag.parse().unwrap()
}

fn plan(has_pin: bool) -> StaffPlan {
    StaffPlan {
        has_pin,
        touchpoint: id("registration"),
        places: vec![vec![id("registration")], vec![id("pharmacy")]],
        place: Some(0),
        languages: vec![lang("zh-CN"), lang("en")],
        language: Some(0),
        volume: Volume::Medium,
        buttons: ["one", "two", "three"].map(str::to_owned).into(),
        grid: (3, 2),
    }
}

fn facts() -> StatusFacts {
    StatusFacts {
        not_counted: 0,
        unsent: Some(7),
        oldest_unsent: Some(Ago::Hours(3)),
        last_contact: None,
        trouble: Some(Diagnosis::new(Fault::Unreached, "central cannot be reached")),
        terminal: None,
        version: "1",
        storage: Storage::Good,
    }
}

fn reached() -> Reached {
    Reached { held: Some(7), words: "fine".into() }
}

/// A member of staff with quick fingers: whatever is asked is kept for later.
struct Visit {
    staff: Staff,
    now: u64,
    asks: Vec<(Token, Ask)>,
    records: Vec<(Token, String)>,
    left: u32,
    wiped: u32,
    restarts: u32,
}

impl Visit {
    fn new(has_pin: bool, entry: Entry) -> Self {
        let staff = Staff::new(plan(has_pin), entry, START_MS);
        Self { staff, now: START_MS, asks: vec![], records: vec![], left: 0, wiped: 0, restarts: 0 }
    }

    fn does(&mut self, event: Event) -> &mut Self {
        for effect in self.staff.handle(event, self.now) {
            assert_eq!(self.left, 0, "{effect:?} after leaving");
            match effect {
                Effect::Ask { token, ask } => self.asks.push((token, ask)),
                Effect::Record { token, body: Body::SelfTest(test) } => {
                    assert_eq!(test.touchpoint, self.staff.plan().touchpoint);
                    self.records.push((token, test.target));
                }
                Effect::Record { body, .. } => panic!("the staff area records no {}", body.kind()),
                Effect::Wipe => self.wiped += 1,
                Effect::Restart => self.restarts += 1,
                Effect::Leave => self.left += 1,
            }
        }
        self
    }

    fn types(&mut self, digits: &str) -> &mut Self {
        for digit in digits.chars() {
            self.does(Event::Key(digit.into()));
        }
        self
    }

    fn waits(&mut self, ms: u64) -> &mut Self {
        self.now += ms;
        self.does(Event::Tick)
    }

    /// The newest question is answered.
    fn hears(&mut self, answer: Answer) -> &mut Self {
        let (token, _) = self.asks.pop().unwrap();
        self.does(Event::Answered(token, answer))
    }

    fn asked(&self) -> &Ask {
        &self.asks.last().unwrap().1
    }

    fn opened() -> Self {
        let mut visit = Self::new(true, Entry::Pin);
        visit.types(PIN).does(Event::Enter);
        assert_eq!(visit.asked(), &Ask::CheckPin(Pin::new(PIN).unwrap()));
        visit.hears(Answer::Pin(PinVerdict::Right));
        assert_eq!(visit.staff.view(), View::Menu);
        visit
    }

    fn at(item: MenuItem) -> Self {
        let mut visit = Self::opened();
        let index = MenuItem::ALL.iter().position(|other| *other == item).unwrap();
        visit.does(Event::Pick(index));
        visit
    }
}

#[derive(Clone, Debug)]
enum Op {
    Touch(Event),
    Wait(u64),
    /// The PIN is typed as a member of staff types it.
    TypeThePin,
    /// One of the questions asked so far is answered, early or late.
    Answer(usize, Box<Answer>),
    /// The question of the PIN page is answered as the worker would.
    CheckThePin(usize),
    /// An entry is on the disk, or is not.
    Stored(usize, bool),
}

fn touch() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => prop::char::range('0', '9').prop_map(|digit| Event::Key(digit.into())),
        1 => Just(Event::Key('x'.into())),
        1 => Just(Event::Erase),
        3 => Just(Event::Enter),
        2 => Just(Event::Back),
        1 => Just(Event::Wipe),
        8 => (0..12usize).prop_map(Event::Pick),
        6 => (0..4usize).prop_map(Event::Press),
        3 => (0..7usize).prop_map(Event::Field),
        3 => Just(Event::Next),
        2 => Just(Event::Confirm),
        1 => Just(Event::Touched),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Status(Box::new(facts()))),
        Just(Answer::Network(Ok(reached()))),
        Just(Answer::Network(Err(Diagnosis::new(Fault::NameUnresolved, "no name")))),
        Just(Answer::Stick(None)),
        Just(Answer::Stick(Some("/media/stick".into()))),
        Just(Answer::Exported(Ok(12))),
        Just(Answer::Exported(Err(Failure::new(ExportFault::Full, "full")))),
        Just(Answer::Enrolled(Ok("t-1".parse().unwrap()))),
        Just(Answer::Enrolled(Err(Failure::new(EnrolFault::Code, "wrong code")))),
        Just(Answer::Kept(Err(NotKept::Storage))),
        Just(Answer::Kept(Ok(Choice::Volume(Volume::Off)))),
        Just(Answer::Kept(Ok(Choice::Touchpoints(vec!["pharmacy".parse().unwrap()])))),
        Just(Answer::Pin(PinVerdict::Wrong { left: 1 })),
        Just(Answer::Pin(PinVerdict::Locked { left_ms: 200_000 })),
        Just(Answer::Pin(PinVerdict::NotPossible)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        16 => touch().prop_map(Op::Touch),
        3 => Just(Op::TypeThePin),
        3 => any::<prop::sample::Index>().prop_map(|i| Op::CheckThePin(i.index(1_000))),
        4 => (0..1_000usize, answer()).prop_map(|(i, answer)| Op::Answer(i, Box::new(answer))),
        6 => (0..1_000usize, prop::bool::weighted(0.9)).prop_map(|(i, works)| Op::Stored(i, works)),
        3 => prop_oneof![8 => 0..3_000u64, 1 => 20_000..70_000u64].prop_map(Op::Wait),
    ]
}

fn is_behind_the_pin(view: &View<'_>) -> bool {
    !matches!(view, View::Pin { .. })
}

/// What the self-test page must show, by the model's own books: names, and how their entries went.
#[derive(Default)]
struct Books {
    /// Entries of the page that is open, with what came back.
    entries: Vec<(Token, String, Option<bool>)>,
    was_open: bool,
}

impl Books {
    fn check(&self, buttons: &[ButtonState], left: usize) -> Result<(), TestCaseError> {
        for button in buttons {
            let mine = || self.entries.iter().filter(|(_, id, _)| *id == button.id);
            match button.state {
                Press::Untouched => prop_assert_eq!(mine().count(), 0),
                Press::Pressed => prop_assert!(mine().any(|(_, _, back)| back.is_none())),
                Press::Stored => {
                    prop_assert!(mine().count() > 0);
                    let last_is_stored = mine().next_back().is_some_and(|(_, _, back)| *back == Some(true));
                    prop_assert!(last_is_stored, "stored is shown before it is so");
                    prop_assert!(mine().all(|(_, _, back)| back.is_some()), "an entry is still on its way");
                }
                Press::Failed => prop_assert!(mine().any(|(_, _, back)| *back == Some(false))),
            }
        }
        prop_assert_eq!(left, buttons.iter().filter(|b| b.state != Press::Stored).count());
        Ok(())
    }
}

fn run(has_pin: bool, entry: Entry, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut visit = Visit::new(has_pin, entry);
    let (mut opened, mut books, mut last_touch) = (false, Books::default(), START_MS);
    for op in ops {
        let records_before = visit.records.len();
        let pressed = match (op, visit.staff.view()) {
            (Op::Touch(Event::Press(i)), View::SelfTest { buttons, .. }) => {
                buttons.get(*i).map(|b| b.id.clone())
            }
            _ => None,
        };
        let was_over = visit.staff.has_left();
        let idle = visit.now >= last_touch + IDLE_MS;
        match op {
            Op::Touch(event) => {
                visit.does(event.clone());
                last_touch = visit.now;
            }
            Op::TypeThePin => {
                visit.does(Event::Erase).types(PIN).does(Event::Enter);
                last_touch = visit.now;
            }
            Op::Wait(ms) => drop(visit.waits(*ms)),
            Op::Answer(i, answer) if !visit.asks.is_empty() => {
                let (token, _) = visit.asks[i % visit.asks.len()];
                visit.does(Event::Answered(token, (**answer).clone()));
                // An answer somebody waited for gives them time to read it.
                last_touch = visit.now;
            }
            Op::CheckThePin(i) if !visit.asks.is_empty() => {
                let (token, ask) = visit.asks[i % visit.asks.len()].clone();
                if let Ask::CheckPin(pin) = ask {
                    let right = Pin::new(PIN).as_ref() == Some(&pin);
                    let newest = visit.asks.iter().rev().find(|(_, ask)| matches!(ask, Ask::CheckPin(_)));
                    let waits_for_it = newest.is_some_and(|(newest, _)| *newest == token)
                        && visit.staff.view() == View::Pin { typed: 0, note: PinNote::Checking };
                    let verdict = if right { PinVerdict::Right } else { PinVerdict::Wrong { left: 3 } };
                    visit.does(Event::Answered(token, Answer::Pin(verdict)));
                    opened |= right && waits_for_it;
                }
            }
            Op::Stored(i, works) if !visit.records.is_empty() => {
                let (token, _) = visit.records[i % visit.records.len()].clone();
                visit.does(if *works { Event::Stored(token) } else { Event::StoreFailed(token) });
                let entry = books.entries.iter_mut().find(|(t, _, back)| *t == token && back.is_none());
                if let Some((_, _, back)) = entry {
                    *back = Some(*works);
                }
            }
            _ => {}
        }
        prop_assert!(!was_over || visit.staff.has_left(), "it came back by itself");
        let entries = visit.records[records_before..].to_vec();
        let expected: Vec<String> = pressed.filter(|_| !was_over && !idle).into_iter().collect();
        let recorded: Vec<String> = entries.iter().map(|(_, id)| id.clone()).collect();
        prop_assert_eq!(recorded, expected, "one press is one entry, and nothing else is one");
        let view = visit.staff.view();
        let is_open = matches!(view, View::SelfTest { .. });
        if is_open && !books.was_open {
            books.entries.clear();
        }
        books.was_open = is_open;
        books.entries.extend(entries.into_iter().map(|(token, id)| (token, id, None)));
        if let View::SelfTest { buttons, left } = view {
            books.check(buttons, left)?;
        }
        let is_enrolment = entry == Entry::Enrol && matches!(view, View::Enrol { .. });
        prop_assert!(opened || is_enrolment || !is_behind_the_pin(&view), "{view:?} without the PIN");
        prop_assert!(
            entry == Entry::Pin || is_enrolment || visit.staff.has_left(),
            "enrolment opens {view:?}"
        );
        prop_assert!(
            has_pin || entry == Entry::Enrol || visit.asks.is_empty(),
            "nothing is asked without a PIN"
        );
        if visit.staff.has_left() {
            prop_assert_eq!(visit.staff.deadline_ms(), None);
        } else {
            prop_assert!(
                visit.staff.deadline_ms().is_some_and(|at| at <= visit.now.max(last_touch) + IDLE_MS)
            );
        }
    }
    // Everybody goes away: the area is left, once, whatever is still being done.
    for _ in 0..100 {
        if let Some(deadline) = visit.staff.deadline_ms() {
            visit.now = visit.now.max(deadline);
            visit.does(Event::Tick);
        }
    }
    prop_assert!(visit.staff.has_left(), "never left: {:?}", visit.staff.view());
    prop_assert_eq!(visit.left, 1);
    let tokens: BTreeSet<Token> =
        visit.asks.iter().map(|(t, _)| *t).chain(visit.records.iter().map(|(t, _)| *t)).collect();
    prop_assert_eq!(tokens.len(), visit.asks.len() + visit.records.len(), "a token was given twice");
    Ok(())
}

#[test]
fn whatever_anybody_does_the_promises_of_the_staff_area_hold() {
    let steps: usize = std::env::var("XINSHENG_STEPS").ok().and_then(|s| s.parse().ok()).unwrap_or(60_000);
    let cases = u32::try_from(steps / EVENTS_PER_VISIT_MAX).unwrap();
    let mut runner = TestRunner::new(chance::cases(cases));
    let entries = prop_oneof![4 => Just(Entry::Pin), 1 => Just(Entry::Enrol)];
    let ops = prop::collection::vec(op(), EVENTS_PER_VISIT_MAX);
    runner
        .run(&(prop::bool::weighted(0.8), entries, ops), |(has_pin, entry, ops)| run(has_pin, entry, &ops))
        .unwrap_or_else(|failure| panic!("{failure}"));
    println!("{} staff events", cases as usize * EVENTS_PER_VISIT_MAX);
    survived!(43; cases as usize * EVENTS_PER_VISIT_MAX, "events");
}

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
fn every_button_is_stored_before_it_is_said() {
    let mut visit = Visit::at(MenuItem::SelfTest);
    for button in 0..3 {
        visit.does(Event::Press(button));
    }
    let names: Vec<&str> = visit.records.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(names, ["one", "two", "three"]);
    assert!(matches!(visit.staff.view(), View::SelfTest { left: 3, .. }), "pressed is not stored");
    let tokens: Vec<Token> = visit.records.iter().map(|(token, _)| *token).collect();
    visit.does(Event::Stored(tokens[0])).does(Event::Stored(tokens[2])).does(Event::StoreFailed(tokens[1]));
    let states = |visit: &Visit| match visit.staff.view() {
        View::SelfTest { buttons, .. } => buttons.iter().map(|button| button.state).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(states(&visit), [Press::Stored, Press::Failed, Press::Stored]);
    visit.does(Event::Press(1));
    let (again, _) = visit.records.last().cloned().unwrap();
    visit.does(Event::Stored(again));
    assert!(matches!(visit.staff.view(), View::SelfTest { left: 0, .. }));
}

#[test]
fn the_tests_of_glass_and_screen_come_to_their_end() {
    let mut visit = Visit::at(MenuItem::TouchTest);
    for field in 0..6 {
        visit.does(Event::Field(99)).does(Event::Field(field));
    }
    let View::TouchTest { fields, columns: 3, rows: 2 } = visit.staff.view() else { panic!("another page") };
    assert!(fields.iter().all(|touched| *touched));
    let mut visit = Visit::at(MenuItem::ScreenTest);
    for picture in 0..PICTURES {
        assert_eq!(visit.staff.view(), View::ScreenTest { picture });
        visit.does(Event::Next);
    }
    assert_eq!(visit.staff.view(), View::Menu);
}

#[test]
fn status_and_network_are_shown_when_they_are_known_and_can_be_asked_again() {
    let mut visit = Visit::at(MenuItem::Status);
    assert_eq!(visit.staff.view(), View::Status(None));
    visit.hears(Answer::Status(Box::new(facts())));
    assert_eq!(visit.staff.view(), View::Status(Some(&facts())));

    let mut visit = Visit::at(MenuItem::NetworkTest);
    assert_eq!(visit.asked(), &Ask::TestNetwork);
    visit.does(Event::Confirm);
    assert_eq!(visit.asks.len(), 1, "one test at a time");
    let bad = Diagnosis::new(Fault::NameUnresolved, "no name");
    visit.hears(Answer::Network(Err(bad.clone())));
    assert_eq!(visit.staff.view(), View::NetworkTest(&NetworkState::Bad(bad)));
    visit.does(Event::Confirm).hears(Answer::Network(Ok(reached())));
    assert_eq!(visit.staff.view(), View::NetworkTest(&NetworkState::Good(reached())));
}

#[test]
fn a_result_that_took_long_can_still_be_read() {
    let mut visit = Visit::at(MenuItem::NetworkTest);
    visit.waits(55_000).hears(Answer::Network(Ok(reached())));
    visit.waits(IDLE_MS - 1);
    assert!(!visit.staff.has_left());
    visit.waits(1);
    assert!(visit.staff.has_left());
}

#[test]
fn a_choice_is_shown_once_it_is_kept() {
    let mut visit = Visit::at(MenuItem::Touchpoint);
    visit.does(Event::Pick(0));
    assert!(visit.asks.is_empty(), "that is rated already");
    visit.does(Event::Pick(1)).does(Event::Pick(1));
    let wish = Choice::Touchpoints(vec![id("pharmacy")]);
    assert_eq!((visit.asks.len(), visit.asked()), (1, &Ask::Keep(wish.clone())));
    assert!(matches!(visit.staff.view(), View::Touchpoint { current: Some(0), .. }));
    visit.hears(Answer::Kept(Err(NotKept::Storage)));
    assert!(matches!(visit.staff.view(), View::NotKept(NotKept::Storage)), "it could not be kept");
    let mut visit = Visit::at(MenuItem::Touchpoint);
    visit.does(Event::Pick(1));
    assert!(matches!(visit.staff.view(), View::Touchpoint { waiting: true, .. }));
    visit.hears(Answer::Kept(Err(NotKept::Screens("3.9 mm".into()))));
    assert!(matches!(visit.staff.view(), View::NotKept(NotKept::Screens(_))), "and it says why");
    visit.does(Event::Back);
    assert_eq!(visit.staff.plan().place, Some(0), "nothing has changed");
    let mut visit = Visit::at(MenuItem::Touchpoint);
    visit.does(Event::Pick(1)).does(Event::Back).hears(Answer::Kept(Ok(wish)));
    assert_eq!(visit.staff.plan().place, Some(1), "also when the page was left meanwhile");
    assert_eq!(
        visit.staff.plan().touchpoint,
        id("pharmacy"),
        "a self-test is booked where the terminal is now"
    );

    let mut visit = Visit::at(MenuItem::Language);
    visit.does(Event::Pick(1)).hears(Answer::Kept(Ok(Choice::Language(lang("en")))));
    assert!(matches!(visit.staff.view(), View::Language { current: Some(1), .. }));
    let mut visit = Visit::at(MenuItem::Volume);
    visit.does(Event::Pick(3)).hears(Answer::Kept(Ok(Choice::Volume(Volume::High))));
    assert_eq!(visit.staff.view(), View::Volume(Volume::High));
}

#[test]
fn a_stick_is_noticed_when_it_is_plugged_in_and_the_export_says_how_many_entries() {
    let mut visit = Visit::at(MenuItem::Export);
    assert_eq!(visit.staff.view(), View::Export(&ExportState::Looking));
    visit.hears(Answer::Stick(None));
    assert_eq!(visit.staff.view(), View::Export(&ExportState::NoStick));
    visit.waits(1_999);
    assert!(visit.asks.is_empty());
    visit.waits(1).waits(2_000);
    assert_eq!(visit.asks.len(), 1, "no second look before the first came back");
    visit.hears(Answer::Stick(Some("/media/KINGSTON".into())));
    let View::Export(state) = visit.staff.view() else { panic!("another page") };
    assert_eq!(state.folder_name().as_deref(), Some("KINGSTON"));
    visit.does(Event::Confirm);
    assert_eq!(visit.asked(), &Ask::Export("/media/KINGSTON".into()));
    assert_eq!(visit.staff.view(), View::Export(&ExportState::Working));
    visit.hears(Answer::Exported(Ok(12)));
    assert_eq!(visit.staff.view(), View::Export(&ExportState::Done { entries: 12 }));
    visit.does(Event::Confirm);
    assert_eq!(visit.asked(), &Ask::FindStick, "and once more, if somebody wants to");
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
