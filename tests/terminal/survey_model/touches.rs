//! Touches that are no answer or a doubtful one: second touches, palms, wiping, haste and repeats.

use xinsheng::{
    survey::{Event, HelpStage, Page, Plan, Start, Timing},
    wire::{Body, Flag},
};

use super::Visitor;
use crate::{faults::survived, hospital::plan};

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
