//! The staff area against random touches, after each of which its promises must hold, and page by page.
//!
//! `XINSHENG_STEPS` sets how many events are tried (default 60,000).

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

mod access;
mod pages;
mod random;

use xinsheng::{
    model::{Lang, TouchpointId},
    pin::Pin,
    staff::{
        Ago, Answer, Ask, Effect, Entry, Event, MenuItem, PinVerdict, Reached, Staff, StaffPlan, StatusFacts,
        Storage, Token, View, Volume,
    },
    sync::{Diagnosis, Fault},
    wire::Body,
};

/// What opens the menu.
const PIN: &str = "4071";

const START_MS: u64 = 1_000_000;

/// Two pages: `help` is on both.
const TESTS: [&[&str]; 2] = [&["one", "two", "help"], &["three", "help"]];

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
        tests: TESTS.map(|page| page.iter().map(|name| (*name).to_owned()).collect()).into(),
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
                    assert_eq!(test.of, Some(4), "each button once");
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
