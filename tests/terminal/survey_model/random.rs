//! Random visitors: the model is a ledger of what was asked to be stored, what was reported back, and how each response ended.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::TestRunner};
use xinsheng::{
    model::{ChainId, ResponseId},
    survey::{
        Effect, Event, HeldStage, HelpStage, JournalPlace, OutOfHours, Page, Plan, Start, Survey, Token,
    },
    wire::{Body, EndOutcome},
};

use super::{DISK, fresh};
use crate::{chance, faults::survived, hospital::plan};

const EVENTS_PER_VISIT_MAX: usize = 100;

#[derive(Clone, Debug)]
enum Op {
    Tap(Event),
    /// Time passes, and whatever is due happens.
    Wait(u64),
    /// The oldest outstanding commit succeeds.
    Commit,
    /// The oldest outstanding commit fails.
    Fail,
    /// The disk refuses: the oldest outstanding commit and all after it go into memory.
    Hold,
    /// The disk takes entries again, and what was in memory is on it.
    Save,
    /// Central acknowledges the journal so far.
    Deliver(prop::sample::Index),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => Just(Op::Tap(Event::Begin)),
        2 => (0..4usize).prop_map(|i| Op::Tap(Event::PickTouchpoint(i))),
        2 => (0..7usize).prop_map(|i| Op::Tap(Event::Pressed(i))),
        8 => (0..7usize).prop_map(|i| Op::Tap(Event::Rate(i))),
        3 => (0..4usize).prop_map(|i| Op::Tap(Event::ToggleReason(i))),
        3 => Just(Op::Tap(Event::ReasonsDone)),
        1 => Just(Op::Tap(Event::Back)),
        1 => Just(Op::Tap(Event::Undo)),
        1 => Just(Op::Tap(Event::Another)),
        1 => Just(Op::Tap(Event::StillHere)),
        1 => Just(Op::Tap(Event::OpenLanguages)),
        1 => (0..3usize).prop_map(|i| Op::Tap(Event::PickLanguage(i))),
        1 => Just(Op::Tap(Event::KeepLanguage)),
        1 => Just(Op::Tap(Event::Touched)),
        1 => Just(Op::Tap(Event::CallHelp)),
        1 => any::<prop::sample::Index>().prop_map(Op::Deliver),
        1 => Just(Op::Tap(Event::Dismiss)),
        1 => Just(Op::Tap(Event::Clean)),
        1 => any::<bool>().prop_map(|open| Op::Tap(Event::Opening(open))),
        8 => prop_oneof![0..400u64, 400..3_000u64, 20_000..60_000u64].prop_map(Op::Wait),
        8 => Just(Op::Commit),
        1 => Just(Op::Fail),
        1 => Just(Op::Hold),
        1 => Just(Op::Save),
    ]
}

#[derive(Default)]
struct Ledger {
    outstanding: Vec<(Token, Vec<Body>)>,
    answers: BTreeMap<ResponseId, usize>,
    ends: BTreeMap<ResponseId, EndOutcome>,
    unconfirmed: BTreeSet<ResponseId>,
    lost: BTreeSet<ResponseId>,
    /// Responses with an answer that is in memory alone, and where the last one is.
    held: BTreeMap<ResponseId, JournalPlace>,
    /// The end of the chain on the disk, and of the one in memory while the disk refuses.
    disk: u64,
    memory: Option<JournalPlace>,
    chains: u8,
    /// What central has signed for.
    acknowledged: BTreeMap<ChainId, u64>,
    /// The last call for help: where it stands, once it does.
    call: Option<(Token, Option<JournalPlace>)>,
    /// Responses whose visitor was told that nothing could be stored.
    told_not_stored: BTreeSet<ResponseId>,
}

impl Ledger {
    /// Books the effects and returns how many answers they hold.
    fn book(&mut self, effects: Vec<Effect>) -> Result<usize, TestCaseError> {
        let mut answers = 0;
        for Effect::Store { token, bodies } in effects {
            for body in &bodies {
                match body {
                    Body::Answer(a) => {
                        prop_assert!(a.scale.holds(a.value), "an answer off its scale");
                        prop_assert!(a.order.contains(&a.value), "an answer that was not on screen");
                        prop_assert!(!self.ends.contains_key(&a.response), "an answer after the end");
                        *self.answers.entry(a.response).or_default() += 1;
                        self.unconfirmed.insert(a.response);
                        answers += 1;
                    }
                    Body::ResponseEnd(end) => {
                        let before = self.ends.insert(end.response, end.outcome);
                        prop_assert!(before.is_none(), "a response ended twice");
                        let answered = self.answers.contains_key(&end.response);
                        prop_assert_eq!(end.outcome == EndOutcome::Left, !answered);
                    }
                    Body::HelpCalled(_) => self.call = Some((token, None)),
                    _ => {}
                }
            }
            self.outstanding.push((token, bodies));
        }
        Ok(answers)
    }

    /// The oldest commit comes back.
    fn report(&mut self, works: bool) -> Option<Event> {
        if self.outstanding.is_empty() {
            return None;
        }
        let (token, bodies) = self.outstanding.remove(0);
        let count = bodies.len() as u64;
        let in_memory = self.memory.as_mut().map(|end| {
            end.seq += if works { count } else { 0 };
            *end
        });
        let at = in_memory.unwrap_or_else(|| {
            self.disk += if works { count } else { 0 };
            JournalPlace { chain: DISK, seq: self.disk }
        });
        if works && let Some((_, place)) = self.call.as_mut().filter(|(call, _)| *call == token) {
            *place = Some(at);
        }
        for body in bodies {
            if let Body::Answer(a) = body {
                let still_open = self.outstanding.iter().any(|(_, later)| {
                    later.iter().any(|b| matches!(b, Body::Answer(l) if l.response == a.response))
                });
                if !works {
                    self.lost.insert(a.response);
                } else if in_memory.is_some() {
                    self.held.insert(a.response, at);
                }
                if !still_open {
                    self.unconfirmed.remove(&a.response);
                }
            }
        }
        Some(match (works, in_memory) {
            (false, _) => Event::StoreFailed(token),
            (true, None) => Event::Stored { token, at },
            (true, Some(_)) => Event::Held { token, at, unsaved: at.seq },
        })
    }

    /// The disk refuses from now on.
    fn hold(&mut self) -> Option<Event> {
        if self.memory.is_none() {
            self.chains += 1;
            self.memory = Some(JournalPlace { chain: ChainId([self.chains; 16]), seq: 0 });
        }
        self.report(true)
    }

    fn save(&mut self) -> Option<Event> {
        let chain = self.memory.take()?.chain;
        self.held.clear();
        Some(Event::Saved { chain })
    }

    fn deliver(&mut self, how_far: prop::sample::Index) -> Event {
        let end = self.memory.unwrap_or(JournalPlace { chain: DISK, seq: self.disk });
        let known = self.acknowledged.entry(end.chain).or_default();
        let new = usize::try_from(end.seq - *known).unwrap();
        *known += how_far.index(new + 1) as u64;
        Event::Delivered { through: JournalPlace { seq: *known, ..end } }
    }

    fn is_acknowledged(&self, at: JournalPlace) -> bool {
        self.acknowledged.get(&at.chain).is_some_and(|through| at.seq <= *through)
    }
}

fn run(plan: &Plan, ops: &[Op]) -> Result<(), TestCaseError> {
    let mut survey = Survey::new(plan.clone()).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let (mut ledger, mut now, mut ids) = (Ledger::default(), 1_000_000u64, 0u64);
    for op in ops {
        step(&mut survey, &mut ledger, op, &mut now, &mut ids)?;
    }
    // Everybody goes away and the disk catches up: the screen must come to rest in the default language.
    for _ in 0..10 {
        while let Some(event) = ledger.report(true) {
            let effects = survey.handle(event, now, fresh(&mut ids));
            ledger.book(effects)?;
        }
        if let Some(deadline) = survey.deadline_ms() {
            now = now.max(deadline);
            let effects = survey.handle(Event::Tick, now, fresh(&mut ids));
            ledger.book(effects)?;
        }
    }
    prop_assert!(survey.at_rest(), "never comes to rest: {:?}", survey.page());
    prop_assert_eq!(survey.lang(), &plan.languages[0]);
    for response in ledger.answers.keys().filter(|r| !ledger.lost.contains(r)) {
        prop_assert!(ledger.ends.contains_key(response), "an answered response without an end");
    }
    Ok(())
}

fn step(
    survey: &mut Survey,
    ledger: &mut Ledger,
    op: &Op,
    now: &mut u64,
    ids: &mut u64,
) -> Result<(), TestCaseError> {
    let event = match op {
        Op::Tap(event) => Some(event.clone()),
        Op::Wait(ms) => {
            *now += ms;
            Some(Event::Tick)
        }
        Op::Commit => ledger.report(true),
        Op::Fail => ledger.report(false),
        Op::Hold => ledger.hold(),
        Op::Save => ledger.save(),
        Op::Deliver(how_far) => Some(ledger.deliver(*how_far)),
    };
    let Some(event) = event else { return Ok(()) };
    let levels_before = match survey.page() {
        Page::Question { question, pressed: None, .. } => Some(question.levels_on_screen()),
        _ => None,
    };
    let thanked_before = matches!(survey.page(), Page::Thanks { .. });
    let received_before = survey.page() == Page::Held(HeldStage::Received);
    let cleaning_before = matches!(survey.page(), Page::Cleaning { .. });
    let (taps_before, shown_before) = (survey.tally(), format!("{:?}", survey.page()));
    let effects = survey.handle(event.clone(), *now, fresh(ids));
    let answers = ledger.book(effects)?;
    match (&event, levels_before) {
        (Event::Rate(i), Some(levels)) if *i < levels.len() => prop_assert!(answers <= 1),
        _ => prop_assert_eq!(answers, 0, "an answer nobody gave"),
    }
    let tally = survey.tally();
    let counted = tally.taken + tally.double_strikes + tally.palms + tally.idle;
    let counted_before =
        taps_before.taken + taps_before.double_strikes + taps_before.palms + taps_before.idle;
    prop_assert_eq!(counted - counted_before, u64::from(is_tap(&event)), "every tap is counted once");
    if cleaning_before && is_tap(&event) {
        prop_assert_eq!(tally.idle, taps_before.idle + 1);
        prop_assert_eq!(format!("{:?}", survey.page()), shown_before, "wiping changed something");
    }
    if survey.page() == Page::Help(HelpStage::Told) {
        let place = ledger.call.and_then(|(_, place)| place);
        let known = place.is_some_and(|place| ledger.is_acknowledged(place));
        prop_assert!(known, "help was promised for a call that central does not have");
    }
    if matches!(survey.page(), Page::Thanks { .. }) && !thanked_before {
        let newest = ledger.answers.keys().max();
        // Who comes back from the list of languages was thanked before.
        prop_assert!(
            newest.is_some_and(|r| !ledger.unconfirmed.contains(r) && !ledger.lost.contains(r)),
            "thanked before everything was stored"
        );
        prop_assert!(
            newest.is_some_and(|r| !ledger.held.contains_key(r)),
            "thanked for what is in memory alone"
        );
        prop_assert!(newest.is_some_and(|r| !ledger.told_not_stored.contains(r)), "thanked after all");
    }
    match (survey.page(), ledger.answers.keys().max()) {
        (Page::NotStored, Some(newest)) => {
            ledger.told_not_stored.insert(*newest);
        }
        (Page::StillSaving, newest) => {
            prop_assert!(newest.is_some() && !ledger.outstanding.is_empty(), "nothing is being saved");
        }
        (Page::Held(HeldStage::Received), Some(newest)) if !received_before => {
            let at = ledger.held.get(newest);
            prop_assert!(at.is_some_and(|at| ledger.is_acknowledged(*at)), "central does not have it");
        }
        _ => {}
    }
    Ok(())
}

fn is_tap(event: &Event) -> bool {
    !matches!(
        event,
        Event::Pressed(_)
            | Event::Touched
            | Event::Tick
            | Event::Stored { .. }
            | Event::Held { .. }
            | Event::Saved { .. }
            | Event::StoreFailed(_)
            | Event::NewPlan(_)
            | Event::Opening(_)
            | Event::Delivered { .. }
            | Event::Clean
    )
}

#[test]
fn whatever_visitors_do_the_promises_of_the_survey_hold() {
    let steps: usize = std::env::var("XINSHENG_STEPS").ok().and_then(|s| s.parse().ok()).unwrap_or(40_000);
    let plans = [
        plan(&["window"], Start::Question),
        plan(&["window"], Start::Attract),
        plan(&["window", "ward", "exit"], Start::Attract),
        Plan { out_of_hours: OutOfHours::Offer, ..plan(&["window"], Start::Question) },
        Plan { out_of_hours: OutOfHours::Close, ..plan(&["window", "exit"], Start::Attract) },
    ];
    let cases = u32::try_from(steps / EVENTS_PER_VISIT_MAX).unwrap();
    let mut runner = TestRunner::new(chance::cases(cases));
    let ops = prop::collection::vec(op(), EVENTS_PER_VISIT_MAX);
    runner
        .run(&(0..plans.len(), ops), |(which, ops)| run(&plans[which], &ops))
        .unwrap_or_else(|failure| panic!("{failure}"));
    println!("{} survey events", cases as usize * EVENTS_PER_VISIT_MAX);
    survived!(37; cases as usize * EVENTS_PER_VISIT_MAX, "events");
}
