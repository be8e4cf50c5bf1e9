//! A screen that nobody sees: it keeps what a terminal tells it.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{
    Arc, Mutex,
    mpsc::{self, Receiver, Sender},
};

use xinsheng::lang::Text;
use xinsheng::model::ChainId;
use xinsheng::staff::{Answer, Effect, Entry, Event, Staff, StaffPlan, Token, Volume};
use xinsheng::survey::JournalPlace;
use xinsheng::terminal::{Screen, Setup};

/// What a screen was told, the last of each.
#[derive(Clone, Default)]
pub struct Told {
    pub setup: Option<Setup>,
    pub badge: Option<Text>,
    pub delivered: Option<JournalPlace>,
    pub answer: Option<Answer>,
    pub closed: bool,
}

/// A screen without a window.
pub struct Headless {
    told: Mutex<Told>,
    change: Mutex<Sender<()>>,
}

impl Headless {
    /// The screen, and a note of each time it is told something.
    pub fn new() -> (Arc<Self>, Receiver<()>) {
        let (change, changes) = mpsc::channel();
        (Arc::new(Self { told: Mutex::default(), change: Mutex::new(change) }), changes)
    }

    pub fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }

    /// Forgets the last answer, before another question.
    pub fn forget_answer(&self) {
        self.told.lock().unwrap().answer = None;
    }

    fn take(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap());
        // A test that has ended listens no more.
        let _ = self.change.lock().unwrap().send(());
    }
}

impl Screen for Headless {
    fn setup(&self, setup: Setup) {
        self.take(|told| told.setup = Some(setup));
    }

    fn badge(&self, text: Option<Text>) {
        self.take(|told| told.badge = text);
    }

    fn delivered(&self, through: JournalPlace) {
        self.take(|told| told.delivered = Some(through));
    }

    fn saved(&self, _: ChainId) {
        self.take(|_| {});
    }

    fn staff_answer(&self, _: Token, answer: Answer) {
        self.take(|told| told.answer = Some(answer));
    }

    fn close(&self) {
        self.take(|told| told.closed = true);
    }
}

/// Any token: whoever answers only gives it back.
pub fn token() -> Token {
    let plan = StaffPlan {
        has_pin: true,
        touchpoint: "registration".parse().unwrap(),
        places: vec![],
        place: None,
        languages: vec![],
        language: None,
        volume: Volume::Off,
        tests: vec![],
        grid: (1, 1),
    };
    let mut staff = Staff::new(plan, Entry::Pin, 0);
    "4071".chars().for_each(|digit| drop(staff.handle(Event::Key(digit.into()), 0)));
    match staff.handle(Event::Enter, 0).pop() {
        Some(Effect::Ask { token, .. }) => token,
        other => panic!("{other:?}"),
    }
}
