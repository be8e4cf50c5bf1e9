//! The survey against random visitors, whose every event must leave its promises kept, and against visits, touches and faults by name.
//!
//! `XINSHENG_STEPS` sets how many events are tried (default 40,000).

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

mod help;
mod random;
mod storage;
mod touches;
mod visits;

use xinsheng::{
    model::{ChainId, ResponseId},
    survey::{Effect, Event, JournalPlace, Start, Survey},
    wire::{Body, Flag},
};

use crate::hospital::plan;

const DISK: ChainId = ChainId([0; 16]);

fn fresh(n: &mut u64) -> ResponseId {
    *n += 1;
    let mut random = [0; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    ResponseId::from_parts(1_700_000_000_000, random)
}

/// A visitor who uses the screen, for the tests by name.
struct Visitor {
    survey: Survey,
    now: u64,
    ids: u64,
    stored: Vec<Body>,
}

impl Visitor {
    fn at(touchpoints: &[&str], start: Start) -> Self {
        Self {
            survey: Survey::new(plan(touchpoints, start)).unwrap(),
            now: 1_000_000,
            ids: 0,
            stored: vec![],
        }
    }

    /// Does it after two seconds of thought; every commit succeeds at once.
    fn does(&mut self, event: Event) -> &mut Self {
        self.after(2_000, event)
    }

    fn after(&mut self, ms: u64, event: Event) -> &mut Self {
        self.now += ms;
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for Effect::Store { token, bodies } in self.survey.handle(event, self.now, fresh(&mut self.ids)) {
                self.stored.extend(bodies);
                events.push(Event::Stored { token, at: place(self.stored.len() as u64) });
            }
        }
        self
    }

    fn waits(&mut self, ms: u64) -> &mut Self {
        self.after(ms, Event::Tick)
    }

    /// Central acknowledges everything that is stored.
    fn delivered(&self) -> Event {
        Event::Delivered { through: place(self.stored.len() as u64) }
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.stored.iter().map(Body::kind).collect()
    }

    fn flags(&self) -> Vec<Flag> {
        self.stored
            .iter()
            .rev()
            .find_map(|body| match body {
                Body::Answer(answer) => Some(answer.flags.clone()),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// A place on the disk.
fn place(seq: u64) -> JournalPlace {
    JournalPlace { chain: DISK, seq }
}

fn at(survey: &mut Survey, ms: u64, event: Event) -> Vec<Effect> {
    let mut id = ms;
    survey.handle(event, 1_000_000 + ms, fresh(&mut id))
}
