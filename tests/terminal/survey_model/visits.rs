//! Visits by name: one tap, corrections, languages, opening hours, and a terminal that is not set up.

use xinsheng::{
    survey::{Event, OutOfHours, OutOfService, Page, Plan, Start},
    wire::{Body, EndOutcome},
};

use super::Visitor;
use crate::hospital::plan;

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
