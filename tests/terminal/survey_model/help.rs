//! Calls for help: help is promised only for a call that central has.

use xinsheng::{
    model::ChainId,
    survey::{Effect, Event, HelpStage, JournalPlace, Page, Start, Survey, Token},
};

use super::{Visitor, at, place};
use crate::hospital::plan;

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

/// A survey whose visitor has called for help, in the millisecond 0, and the call that waits to be stored.
fn called_for_help() -> (Survey, Token) {
    let mut survey = Survey::new(plan(&["window"], Start::Question)).unwrap();
    match at(&mut survey, 0, Event::CallHelp).as_slice() {
        [Effect::Store { token, .. }] => (survey, *token),
        other => panic!("{other:?}"),
    }
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
fn a_call_for_help_of_an_older_chain_is_not_told_by_a_place_in_a_newer_one() {
    let (mut survey, token) = called_for_help();
    at(&mut survey, 100, Event::Stored { token, at: place(40) });
    let newer = JournalPlace { chain: ChainId([9; 16]), seq: 41 };
    at(&mut survey, 200, Event::Delivered { through: newer });
    assert_eq!(survey.page(), Page::Help(HelpStage::Calling), "places of two chains were compared");
    at(&mut survey, 300, Event::Delivered { through: place(40) });
    assert_eq!(survey.page(), Page::Help(HelpStage::Told));
}
