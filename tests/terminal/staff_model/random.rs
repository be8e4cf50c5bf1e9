//! Random touches: the model is a ledger of what was asked, recorded and answered.

use std::collections::BTreeSet;

use proptest::{prelude::*, test_runner::TestRunner};
use xinsheng::{
    pin::Pin,
    staff::{
        Answer, Ask, ButtonState, Choice, EnrolFault, Entry, Event, ExportFault, Failure, IDLE_MS, NotKept,
        PinNote, PinVerdict, Press, Token, View, Volume,
    },
    sync::{Diagnosis, Fault},
};

use super::{PIN, START_MS, TESTS, Visit, facts, reached};
use crate::{chance, faults::survived};

const EVENTS_PER_VISIT_MAX: usize = 120;

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
        6 => prop::sample::select(vec!["one", "two", "three", "help", "other"])
            .prop_map(|name| Event::Press(name.to_owned())),
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
    fn check(&self, buttons: &[ButtonState], left: usize, page: Option<usize>) -> Result<(), TestCaseError> {
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
        let on_page = |name: &&ButtonState| page.is_some_and(|page| TESTS[page].contains(&name.id.as_str()));
        let shown: Vec<_> = buttons.iter().filter(on_page).collect();
        prop_assert!(
            page.is_none() || shown.iter().any(|button| button.state != Press::Stored),
            "a page that is done still shows"
        );
        prop_assert!(
            page.is_none() || shown.iter().all(|button| button.state != Press::Failed || left > 0),
            "a refusal is forgotten"
        );
        Ok(())
    }
}

fn run(has_pin: bool, entry: Entry, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut visit = Visit::new(has_pin, entry);
    let (mut opened, mut books, mut last_touch) = (false, Books::default(), START_MS);
    for op in ops {
        let records_before = visit.records.len();
        let pressed = match (op, visit.staff.view()) {
            (Op::Touch(Event::Press(name)), View::SelfTest { page: Some(page), .. }) => {
                TESTS[page].contains(&name.as_str()).then(|| name.clone())
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
        if let View::SelfTest { buttons, left, page } = view {
            books.check(buttons, left, page)?;
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
