//! Random visitors against the survey: after every event its promises hold.
//!
//! The model is a ledger of what was asked to be stored, what was reported back, and how each response ended. `XINSHENG_STEPS` sets
//! how many events are tried (default 40,000).
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use crate::faults::survived;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use xinsheng::model::{ChainId, ResponseId};
use xinsheng::survey::{
    Effect, Event, HeldStage, HelpStage, JournalPlace, OutOfHours, OutOfService, Page, Plan, Start, Survey,
    Timing, Token,
};
use xinsheng::wire::{Body, EndOutcome, Flag};

use crate::chance;
use crate::hospital::plan;

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

const DISK: ChainId = ChainId([0; 16]);

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

fn fresh(n: &mut u64) -> ResponseId {
    *n += 1;
    let mut random = [0; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    ResponseId::from_parts(1_700_000_000_000, random)
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

/// A hand on the screen, for the sentences below.
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

#[test]
fn one_tap_is_enough_where_the_question_is_the_resting_page() {
    let mut visitor = Visitor::at(&["exit"], Start::Question);
    visitor.does(Event::Rate(4));
    assert!(matches!(visitor.survey.page(), Page::Thanks { another: false }));
    visitor.waits(5_000);
    assert_eq!(visitor.kinds(), ["answer", "response_end"]);
    assert!(visitor.survey.at_rest());
}

#[test]
fn an_unhappy_visitor_is_asked_why_and_may_choose_several_reasons() {
    let mut visitor = Visitor::at(&["ward"], Start::Question);
    visitor
        .does(Event::Rate(0))
        .does(Event::ToggleReason(2))
        .does(Event::ToggleReason(0))
        .does(Event::ReasonsDone);
    let chosen = visitor.stored.iter().find_map(|body| match body {
        Body::Reasons(r) => Some(r.reasons.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(chosen.unwrap(), ["wait", "other"]);
    assert!(matches!(visitor.survey.page(), Page::Thanks { .. }));
}

#[test]
fn a_changed_answer_withdraws_the_first_response_and_names_it() {
    let mut visitor = Visitor::at(&["exit"], Start::Question);
    visitor.does(Event::Rate(0)).does(Event::Undo).does(Event::Rate(4)).waits(5_000);
    let ends: Vec<_> = visitor
        .stored
        .iter()
        .filter_map(|body| match body {
            Body::ResponseEnd(end) => Some((end.outcome, end.replaces.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [(EndOutcome::Undone, false), (EndOutcome::Completed, true)]);
    assert!(visitor.flags().is_empty(), "a correction is no repeat: {:?}", visitor.flags());
}

#[test]
fn who_walks_away_is_asked_once_and_what_was_answered_stays() {
    let mut visitor = Visitor::at(&["window"], Start::Question);
    visitor.does(Event::Rate(4)).waits(30_000);
    assert!(matches!(visitor.survey.page(), Page::StillThere { .. }));
    visitor.does(Event::StillHere);
    assert!(matches!(visitor.survey.page(), Page::Question { number: (2, 2), .. }));
    visitor.waits(30_000).waits(20_000);
    assert!(visitor.survey.at_rest());
    let end = visitor.stored.last().cloned();
    assert!(matches!(end, Some(Body::ResponseEnd(e)) if e.outcome == EndOutcome::TimedOut));
}

#[test]
fn a_language_chosen_by_one_visitor_is_gone_for_the_next() {
    let mut visitor = Visitor::at(&["exit"], Start::Question);
    visitor.does(Event::OpenLanguages).does(Event::PickLanguage(1));
    assert_eq!(visitor.survey.lang().as_str(), "en");
    visitor.waits(30_000);
    assert_eq!(visitor.survey.lang().as_str(), "zh-CN");
}

#[test]
fn a_second_strike_on_the_same_face_is_the_same_tap() {
    let mut visitor = Visitor::at(&["window"], Start::Question);
    visitor.does(Event::Rate(2)).after(499, Event::Rate(2));
    assert_eq!(visitor.kinds(), ["answer"]);
    visitor.after(600, Event::Rate(2));
    assert_eq!(visitor.kinds(), ["answer", "answer"]);
}

#[test]
fn a_second_strike_means_nothing_on_the_page_that_has_come_under_the_finger() {
    // Each way through a visit: the tap that turns the page, and what stands under the finger then.
    let mut visitor = Visitor::at(&["window"], Start::Attract);
    visitor.does(Event::Begin).after(499, Event::Rate(2));
    assert_eq!(visitor.kinds(), [""; 0], "who touches twice to begin has rated nothing");
    visitor.does(Event::OpenLanguages).does(Event::PickLanguage(1)).after(499, Event::Rate(2));
    assert_eq!(visitor.kinds(), [""; 0], "nor has who chooses a language");
    visitor.waits(30_000).does(Event::StillHere).after(499, Event::Rate(2));
    assert_eq!(visitor.kinds(), [""; 0], "nor who says that they are there");
    visitor.after(1, Event::Rate(2));
    assert_eq!(visitor.kinds(), ["answer"]);
    assert_eq!(visitor.survey.tally().double_strikes, 3);

    let mut visitor = Visitor::at(&["ward"], Start::Question);
    visitor.does(Event::Rate(0)).after(499, Event::ToggleReason(0));
    visitor.does(Event::ReasonsDone).after(499, Event::Undo);
    assert!(matches!(visitor.survey.page(), Page::Thanks { .. }), "the thanks are not skipped");
    let chosen = visitor.stored.iter().any(|body| matches!(body, Body::Reasons(r) if !r.reasons.is_empty()));
    assert!(!chosen, "no reason was chosen");
    let stored = visitor.kinds().len();
    visitor.does(Event::Undo).after(499, Event::Rate(4));
    assert_eq!(visitor.kinds().len(), stored + 1, "the end of what was undone, and no answer");
    visitor.after(1, Event::CallHelp).after(499, Event::Dismiss);
    assert_eq!(visitor.survey.page(), Page::Help(HelpStage::Calling));
}

#[test]
fn a_second_finger_in_the_same_instant_is_no_second_tap() {
    let mut visitor = Visitor::at(&["window"], Start::Question);
    visitor.does(Event::Rate(2)).after(119, Event::Rate(3));
    assert_eq!(visitor.kinds(), ["answer"]);
    assert_eq!(visitor.survey.tally().palms, 1);
    visitor.after(1, Event::Rate(3));
    assert_eq!(visitor.kinds(), ["answer", "answer"], "a quick hand is not held up");
    survived!(37; visitor.survey.tally().palms, "second finger");
}

#[test]
fn help_is_promised_only_when_central_has_the_call_and_the_visit_goes_on() {
    let mut visitor = Visitor::at(&["window"], Start::Attract);
    visitor.does(Event::Begin).does(Event::CallHelp);
    assert_eq!(visitor.kinds(), ["help_called"]);
    assert_eq!(visitor.survey.page(), Page::Help(HelpStage::Calling));
    let told = visitor.delivered();
    visitor.after(300, told);
    assert_eq!(visitor.survey.page(), Page::Help(HelpStage::Told));
    visitor.waits(20_000);
    assert!(matches!(visitor.survey.page(), Page::Question { number: (1, _), .. }));
    visitor.does(Event::CallHelp);
    assert_eq!(visitor.survey.page(), Page::Help(HelpStage::Told), "the same call, still told");
    assert_eq!(visitor.kinds(), ["help_called"]);
}

#[test]
fn help_that_reaches_nobody_says_so_and_takes_it_back_when_central_comes() {
    let mut visitor = Visitor::at(&["window"], Start::Question);
    visitor.does(Event::CallHelp).waits(8_000);
    assert_eq!(visitor.survey.page(), Page::Help(HelpStage::Untold));
    let told = visitor.delivered();
    visitor.does(told);
    assert_eq!(visitor.survey.page(), Page::Help(HelpStage::Told));
    visitor.does(Event::Dismiss);
    assert!(visitor.survey.at_rest());
}

/// A place on the disk.
fn place(seq: u64) -> JournalPlace {
    JournalPlace { chain: DISK, seq }
}

/// A survey whose visitor has called for help, in the millisecond 0, and the call that waits to be stored.
fn called_for_help() -> (Survey, Token) {
    let mut survey = Survey::new(plan(&["window"], Start::Question)).unwrap();
    match at(&mut survey, 0, Event::CallHelp).as_slice() {
        [Effect::Store { token, .. }] => (survey, *token),
        other => panic!("{other:?}"),
    }
}

fn at(survey: &mut Survey, ms: u64, event: Event) -> Vec<Effect> {
    let mut id = ms;
    survey.handle(event, 1_000_000 + ms, fresh(&mut id))
}

#[test]
fn a_call_goes_on_behind_the_page_that_was_left_and_no_other_word_of_central_counts_for_it() {
    let (mut survey, token) = called_for_help();
    at(&mut survey, 600, Event::Dismiss);
    at(&mut survey, 700, Event::Delivered { through: place(7) });
    at(&mut survey, 1_200, Event::CallHelp);
    assert_eq!(survey.page(), Page::Help(HelpStage::Calling), "the call is not even stored");
    at(&mut survey, 1_300, Event::Delivered { through: place(7) });
    at(&mut survey, 1_400, Event::Stored { token, at: place(8) });
    at(&mut survey, 1_500, Event::Delivered { through: place(7) });
    assert_eq!(survey.page(), Page::Help(HelpStage::Calling), "that was about what came before it");
    at(&mut survey, 2_000, Event::Dismiss);
    at(&mut survey, 2_100, Event::Delivered { through: place(8) });
    assert!(survey.at_rest());
    assert!(at(&mut survey, 2_600, Event::CallHelp).is_empty(), "the same call");
    assert_eq!(survey.page(), Page::Help(HelpStage::Told));
}

#[test]
fn a_call_that_could_not_be_stored_is_called_again() {
    let (mut survey, token) = called_for_help();
    at(&mut survey, 600, Event::Dismiss);
    at(&mut survey, 700, Event::StoreFailed(token));
    assert_eq!(at(&mut survey, 1_200, Event::CallHelp).len(), 1);
    assert_eq!(survey.page(), Page::Help(HelpStage::Calling));
}

#[test]
fn wiping_counts_for_nothing_and_ends_what_was_left_open() {
    let mut visitor = Visitor::at(&["window"], Start::Question);
    visitor.does(Event::Rate(2)).does(Event::Clean);
    assert_eq!(visitor.kinds(), ["answer", "response_end", "cleaning"]);
    for target in 0..5 {
        visitor.after(50, Event::Pressed(target)).after(50, Event::Rate(target));
    }
    visitor.after(50, Event::CallHelp).after(50, Event::OpenLanguages);
    assert!(matches!(visitor.survey.page(), Page::Cleaning { .. }));
    assert_eq!(visitor.kinds().len(), 3);
    visitor.waits(30_000);
    assert!(visitor.survey.at_rest());
    visitor.does(Event::Rate(2));
    assert_eq!(visitor.flags(), [], "the wiping is no sweep of the next visitor");
    survived!(37; visitor.survey.tally().idle, "touches of the cloth");
}

#[test]
fn outside_the_hours_an_earlier_visit_can_be_rated_where_that_is_offered() {
    let mut visitor = Visitor::at(&["exit"], Start::Question);
    let offer = Plan { out_of_hours: OutOfHours::Offer, ..plan(&["exit"], Start::Question) };
    visitor.does(Event::NewPlan(offer)).does(Event::Opening(false));
    assert_eq!(visitor.survey.page(), Page::Closed { rate: true });
    visitor.does(Event::Rate(4));
    assert_eq!(visitor.kinds(), [""; 0], "there is no question to rate");
    visitor.does(Event::Begin).does(Event::Rate(4)).waits(5_000);
    assert_eq!(visitor.kinds(), ["answer", "response_end"]);
    assert_eq!(visitor.survey.page(), Page::Closed { rate: true });
    visitor.does(Event::Opening(true));
    assert!(matches!(visitor.survey.page(), Page::Question { .. }));

    let close = Plan { out_of_hours: OutOfHours::Close, ..plan(&["exit"], Start::Question) };
    visitor.does(Event::NewPlan(close)).does(Event::Opening(false)).does(Event::Begin);
    assert_eq!(visitor.survey.page(), Page::Closed { rate: false });
}

#[test]
fn the_list_of_languages_can_be_reached_from_the_thanks_and_gives_the_time_back() {
    let mut visitor = Visitor::at(&["exit"], Start::Question);
    visitor.does(Event::Rate(4)).does(Event::OpenLanguages).does(Event::PickLanguage(1));
    assert!(matches!(visitor.survey.page(), Page::Thanks { .. }));
    visitor.waits(4_999);
    assert!(matches!(visitor.survey.page(), Page::Thanks { .. }));
    visitor.after(1, Event::Tick);
    assert!(visitor.survey.at_rest());
    assert_eq!(visitor.kinds(), ["answer", "response_end"]);
}

#[test]
fn haste_repeats_bursts_and_sweeps_are_flagged_and_kept() {
    let mut visitor = Visitor::at(&["window"], Start::Attract);
    visitor.does(Event::Begin).does(Event::Rate(4)).after(299, Event::Rate(1));
    assert_eq!(visitor.flags(), [Flag::TooFast]);

    let mut visitor = Visitor::at(&["exit"], Start::Question);
    for target in 0..3 {
        visitor.after(100, Event::Pressed(target));
    }
    visitor.after(100, Event::Rate(2));
    assert_eq!(visitor.flags(), [Flag::Sweep]);

    let mut visitor = Visitor::at(&["exit"], Start::Question);
    for _ in 0..7 {
        visitor.waits(2_000).does(Event::Rate(4)).waits(5_000);
    }
    assert_eq!(visitor.flags(), [Flag::Burst], "seven in a minute, none within five seconds");
    let kept = visitor.kinds().iter().filter(|kind| **kind == "answer").count();
    assert_eq!(kept, 7);

    let mut visitor = Visitor::at(&["exit"], Start::Question);
    let timing = Timing { undo_ms: 2_000, ..Timing::default() };
    visitor.does(Event::NewPlan(Plan { timing, ..plan(&["exit"], Start::Question) }));
    visitor.does(Event::Rate(4)).waits(2_000).after(2_999, Event::Rate(4));
    assert_eq!(visitor.flags(), [Flag::Repeat], "the next response within five seconds of the last answer");
    visitor.waits(2_000).after(3_000, Event::Rate(4));
    assert_eq!(visitor.flags(), []);
    survived!(38; kept, "answers");
}

#[test]
fn a_failed_commit_is_said_and_never_thanked_for() {
    let mut survey = Survey::new(plan(&["exit"], Start::Question)).unwrap();
    let mut ids = 0;
    let effects = survey.handle(Event::Rate(0), 1_000_000, fresh(&mut ids));
    let Some(Effect::Store { token, .. }) = effects.into_iter().next() else { panic!("nothing to store") };
    assert!(matches!(survey.page(), Page::Question { pressed: Some(0), .. }));
    survey.handle(Event::StoreFailed(token), 1_000_100, fresh(&mut ids));
    assert_eq!(survey.page(), Page::NotStored);
    survey.handle(Event::Tick, 1_010_100, fresh(&mut ids));
    assert_eq!(
        survey.page(),
        Page::OutOfService(OutOfService::Storage),
        "the next visitor does not tap in vain"
    );
    assert!(survey.handle(Event::Rate(0), 1_040_000, fresh(&mut ids)).is_empty());
    survey.handle(Event::Tick, 1_070_100, fresh(&mut ids));
    assert!(survey.at_rest(), "the next tap shows whether storing works again");
    assert_eq!(survey.handle(Event::Rate(0), 1_080_000, fresh(&mut ids)).len(), 1);
    survived!(8; 1, "failed commit");
}

/// A survey with one rating given in the millisecond 0, and the commit that is outstanding.
fn rated() -> (Survey, Token) {
    let mut survey = Survey::new(plan(&["exit"], Start::Question)).unwrap();
    match at(&mut survey, 0, Event::Rate(0)).as_slice() {
        [Effect::Store { token, .. }] => (survey, *token),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_that_takes_long_is_told_of_and_thanked_for_when_it_comes() {
    let (mut survey, token) = rated();
    at(&mut survey, 1_999, Event::Tick);
    assert!(matches!(survey.page(), Page::Question { pressed: Some(0), .. }));
    at(&mut survey, 2_000, Event::Tick);
    assert_eq!(survey.page(), Page::StillSaving);
    assert!(at(&mut survey, 5_000, Event::Rate(0)).is_empty(), "one tap is one answer");
    at(&mut survey, 9_999, Event::Tick);
    assert_eq!(survey.page(), Page::StillSaving);
    at(&mut survey, 9_999, Event::Stored { token, at: place(1) });
    assert!(matches!(survey.page(), Page::Thanks { .. }));
    assert_eq!(survey.tally().saved_late, 0);
}

#[test]
fn a_stalled_disk_is_waited_for_ten_seconds_and_what_lands_later_is_counted_without_thanks() {
    let (mut survey, token) = rated();
    at(&mut survey, 2_000, Event::Tick);
    let end = at(&mut survey, 10_000, Event::Tick);
    assert_eq!(survey.page(), Page::NotStored);
    let [Effect::Store { token: end, bodies }] = end.as_slice() else { panic!("{end:?}") };
    assert_eq!(bodies[0].kind(), "response_end", "should the answer land, its response has an end");
    at(&mut survey, 20_000, Event::Tick);
    assert_eq!(survey.page(), Page::OutOfService(OutOfService::Storage), "nobody taps in vain");
    at(&mut survey, 80_000, Event::Tick);
    assert_eq!(survey.page(), Page::OutOfService(OutOfService::Storage), "the disk still does not answer");
    at(&mut survey, 95_000, Event::Stored { token, at: place(1) });
    at(&mut survey, 95_000, Event::Stored { token: *end, at: place(2) });
    assert!(survey.at_rest(), "the next visitor is asked at once");
    assert_eq!(survey.tally().saved_late, 1);
    assert_eq!(at(&mut survey, 96_000, Event::Rate(0)).len(), 1);
    survived!(13; 1, "stall");
}

#[test]
fn a_commit_that_lands_while_its_failure_is_being_read_closes_nothing() {
    let (mut survey, token) = rated();
    at(&mut survey, 2_000, Event::Tick);
    at(&mut survey, 10_000, Event::Tick);
    at(&mut survey, 12_000, Event::Stored { token, at: place(1) });
    assert_eq!(survey.page(), Page::NotStored, "what was said stays until it has been read");
    at(&mut survey, 20_000, Event::Tick);
    assert!(survey.at_rest());
}

#[test]
fn an_answer_in_memory_is_never_thanked_for_and_the_hospital_has_it_only_when_central_says_so() {
    let memory = ChainId([7; 16]);
    let held = |seq| JournalPlace { chain: memory, seq };
    let (mut survey, token) = rated();
    at(&mut survey, 100, Event::Held { token, at: held(2), unsaved: 2 });
    assert_eq!(survey.page(), Page::Held(HeldStage::Sending));
    at(&mut survey, 200, Event::Delivered { through: place(900) });
    at(&mut survey, 300, Event::Delivered { through: held(1) });
    assert_eq!(survey.page(), Page::Held(HeldStage::Sending), "another chain, and another entry");
    at(&mut survey, 400, Event::Delivered { through: held(2) });
    assert_eq!(survey.page(), Page::Held(HeldStage::Received));
    let end = at(&mut survey, 10_400, Event::Tick);
    assert!(survey.at_rest());
    assert!(matches!(end.as_slice(), [Effect::Store { bodies, .. }] if bodies[0].kind() == "response_end"));
}

#[test]
fn an_answer_in_memory_that_central_does_not_get_is_said_with_the_count_until_the_disk_has_it() {
    let held = JournalPlace { chain: ChainId([7; 16]), seq: 12 };
    let (mut survey, token) = rated();
    at(&mut survey, 100, Event::Held { token, at: held, unsaved: 12 });
    at(&mut survey, 8_100, Event::Tick);
    assert_eq!(survey.page(), Page::Held(HeldStage::Waiting { unsaved: 12 }));
    at(&mut survey, 9_000, Event::Saved { chain: ChainId([8; 16]) });
    assert_eq!(survey.page(), Page::Held(HeldStage::Waiting { unsaved: 12 }), "that was another memory");
    at(&mut survey, 9_100, Event::Saved { chain: held.chain });
    assert!(matches!(survey.page(), Page::Thanks { .. }), "now it is saved");
}

#[test]
fn a_call_for_help_of_an_older_chain_is_not_told_by_a_place_in_a_newer_one() {
    let (mut survey, token) = called_for_help();
    at(&mut survey, 100, Event::Stored { token, at: place(40) });
    let newer = JournalPlace { chain: ChainId([9; 16]), seq: 41 };
    at(&mut survey, 200, Event::Delivered { through: newer });
    assert_eq!(survey.page(), Page::Help(HelpStage::Calling), "places of two chains were compared");
    at(&mut survey, 300, Event::Delivered { through: place(40) });
    assert_eq!(survey.page(), Page::Help(HelpStage::Told));
}

#[test]
fn a_terminal_that_is_not_set_up_asks_nothing_until_it_is() {
    let unknown = Plan { out_of_service: Some(OutOfService::NotSetUp), ..plan(&["exit"], Start::Question) };
    let mut visitor = Visitor::at(&["exit"], Start::Question);
    visitor.does(Event::NewPlan(unknown));
    for event in [Event::Begin, Event::Rate(1), Event::ToggleReason(0)] {
        visitor.does(event);
        assert_eq!(visitor.survey.page(), Page::OutOfService(OutOfService::NotSetUp));
    }
    assert_eq!(visitor.kinds(), [""; 0]);
    visitor.does(Event::OpenLanguages).does(Event::PickLanguage(1));
    assert_eq!(visitor.survey.page(), Page::OutOfService(OutOfService::NotSetUp), "in the other language");
    visitor.does(Event::NewPlan(plan(&["exit"], Start::Question))).does(Event::Rate(1));
    assert_eq!(visitor.kinds(), ["answer"]);
}
