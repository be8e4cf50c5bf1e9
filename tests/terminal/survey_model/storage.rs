//! Commits that fail, take long or stay in memory, and what the visitor is told of them.

use xinsheng::{
    model::ChainId,
    survey::{Effect, Event, HeldStage, JournalPlace, OutOfService, Page, Start, Survey, Token},
};

use super::{at, fresh, place};
use crate::{faults::survived, hospital::plan};

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
