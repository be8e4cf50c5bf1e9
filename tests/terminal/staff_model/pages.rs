//! The pages behind the menu: self-test, glass and screen, status, network, choices and export.

use xinsheng::{
    staff::{
        Answer, Ask, Choice, Event, ExportState, IDLE_MS, MenuItem, NetworkState, NotKept, PICTURES, Press,
        Token, View, Volume,
    },
    sync::{Diagnosis, Fault},
};

use super::{Visit, facts, id, lang, reached};

/// What the self-test shows: the page under test, and how its buttons are.
fn under_test(visit: &Visit) -> (Option<usize>, Vec<Press>, usize) {
    match visit.staff.view() {
        View::SelfTest { buttons, left, page } => {
            (page, buttons.iter().map(|button| button.state).collect(), left)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_button_is_stored_before_it_is_said() {
    use Press::{Failed, Pressed, Stored, Untouched};
    let mut visit = Visit::at(MenuItem::SelfTest);
    assert_eq!(under_test(&visit), (None, vec![Untouched; 4], 4), "it begins with what is left");
    visit.does(Event::Press("one".into()));
    assert!(visit.records.is_empty(), "no button stands there");
    visit.does(Event::Confirm);
    for button in ["one", "three", "help", "two"] {
        visit.does(Event::Press(button.into()));
    }
    let names: Vec<&str> = visit.records.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(names, ["one", "help", "two"], "the third is on another page");
    assert_eq!(under_test(&visit), (Some(0), vec![Pressed, Pressed, Pressed, Untouched], 4));
    let tokens: Vec<Token> = visit.records.iter().map(|(token, _)| *token).collect();
    visit.does(Event::Stored(tokens[0])).does(Event::StoreFailed(tokens[1]));
    assert_eq!(under_test(&visit), (None, vec![Stored, Pressed, Failed, Untouched], 3), "a refusal is told");
    visit.does(Event::Stored(tokens[2])).does(Event::Confirm);
    assert_eq!(under_test(&visit).0, Some(1), "the page after the one that showed");
    visit.does(Event::Press("help".into()));
    let (again, _) = visit.records.last().cloned().unwrap();
    visit.does(Event::Stored(again));
    assert_eq!(under_test(&visit), (Some(1), vec![Stored, Stored, Stored, Untouched], 1));
    visit.does(Event::Press("three".into()));
    let (last, _) = visit.records.last().cloned().unwrap();
    visit.does(Event::Stored(last));
    assert_eq!(under_test(&visit), (None, vec![Stored; 4], 0));
}

#[test]
fn a_deaf_button_keeps_nobody_from_the_other_pages() {
    let mut visit = Visit::at(MenuItem::SelfTest);
    let pages: Vec<Option<usize>> = (0..3)
        .map(|_| {
            visit.does(Event::Confirm);
            let (page, ..) = under_test(&visit);
            visit.does(Event::Back);
            page
        })
        .collect();
    assert_eq!(pages, [Some(0), Some(1), Some(0)], "and round to what was left");
    visit.does(Event::Back);
    assert_eq!(visit.staff.view(), View::Menu);
}

#[test]
fn the_tests_of_glass_and_screen_come_to_their_end() {
    let mut visit = Visit::at(MenuItem::TouchTest);
    for field in 0..6 {
        visit.does(Event::Field(99)).does(Event::Field(field));
    }
    let View::TouchTest { fields, columns: 3, rows: 2 } = visit.staff.view() else { panic!("another page") };
    assert!(fields.iter().all(|touched| *touched));
    let mut visit = Visit::at(MenuItem::ScreenTest);
    for picture in 0..PICTURES {
        assert_eq!(visit.staff.view(), View::ScreenTest { picture });
        visit.does(Event::Next);
    }
    assert_eq!(visit.staff.view(), View::Menu);
}

#[test]
fn status_and_network_are_shown_when_they_are_known_and_can_be_asked_again() {
    let mut visit = Visit::at(MenuItem::Status);
    assert_eq!(visit.staff.view(), View::Status(None));
    visit.hears(Answer::Status(Box::new(facts())));
    assert_eq!(visit.staff.view(), View::Status(Some(&facts())));

    let mut visit = Visit::at(MenuItem::NetworkTest);
    assert_eq!(visit.asked(), &Ask::TestNetwork);
    visit.does(Event::Confirm);
    assert_eq!(visit.asks.len(), 1, "one test at a time");
    let bad = Diagnosis::new(Fault::NameUnresolved, "no name");
    visit.hears(Answer::Network(Err(bad.clone())));
    assert_eq!(visit.staff.view(), View::NetworkTest(&NetworkState::Bad(bad)));
    visit.does(Event::Confirm).hears(Answer::Network(Ok(reached())));
    assert_eq!(visit.staff.view(), View::NetworkTest(&NetworkState::Good(reached())));
}

#[test]
fn a_result_that_took_long_can_still_be_read() {
    let mut visit = Visit::at(MenuItem::NetworkTest);
    visit.waits(55_000).hears(Answer::Network(Ok(reached())));
    visit.waits(IDLE_MS - 1);
    assert!(!visit.staff.has_left());
    visit.waits(1);
    assert!(visit.staff.has_left());
}

#[test]
fn a_choice_is_shown_once_it_is_kept() {
    let mut visit = Visit::at(MenuItem::Touchpoint);
    visit.does(Event::Pick(0));
    assert!(visit.asks.is_empty(), "that is rated already");
    visit.does(Event::Pick(1)).does(Event::Pick(1));
    let wish = Choice::Touchpoints(vec![id("pharmacy")]);
    assert_eq!((visit.asks.len(), visit.asked()), (1, &Ask::Keep(wish.clone())));
    assert!(matches!(visit.staff.view(), View::Touchpoint { current: Some(0), .. }));
    visit.hears(Answer::Kept(Err(NotKept::Storage)));
    assert!(matches!(visit.staff.view(), View::NotKept(NotKept::Storage)), "it could not be kept");
    let mut visit = Visit::at(MenuItem::Touchpoint);
    visit.does(Event::Pick(1));
    assert!(matches!(visit.staff.view(), View::Touchpoint { waiting: true, .. }));
    visit.hears(Answer::Kept(Err(NotKept::Screens("3.9 mm".into()))));
    assert!(matches!(visit.staff.view(), View::NotKept(NotKept::Screens(_))), "and it says why");
    visit.does(Event::Back);
    assert_eq!(visit.staff.plan().place, Some(0), "nothing has changed");
    let mut visit = Visit::at(MenuItem::Touchpoint);
    visit.does(Event::Pick(1)).does(Event::Back).hears(Answer::Kept(Ok(wish)));
    assert_eq!(visit.staff.plan().place, Some(1), "also when the page was left meanwhile");
    assert_eq!(
        visit.staff.plan().touchpoint,
        id("pharmacy"),
        "a self-test is booked where the terminal is now"
    );

    let mut visit = Visit::at(MenuItem::Language);
    visit.does(Event::Pick(1)).hears(Answer::Kept(Ok(Choice::Language(lang("en")))));
    assert!(matches!(visit.staff.view(), View::Language { current: Some(1), .. }));
    let mut visit = Visit::at(MenuItem::Volume);
    visit.does(Event::Pick(3)).hears(Answer::Kept(Ok(Choice::Volume(Volume::High))));
    assert_eq!(visit.staff.view(), View::Volume(Volume::High));
}

#[test]
fn a_stick_is_noticed_when_it_is_plugged_in_and_the_export_says_how_many_entries() {
    let mut visit = Visit::at(MenuItem::Export);
    assert_eq!(visit.staff.view(), View::Export(&ExportState::Looking));
    visit.hears(Answer::Stick(None));
    assert_eq!(visit.staff.view(), View::Export(&ExportState::NoStick));
    visit.waits(1_999);
    assert!(visit.asks.is_empty());
    visit.waits(1).waits(2_000);
    assert_eq!(visit.asks.len(), 1, "no second look before the first came back");
    visit.hears(Answer::Stick(Some("/media/KINGSTON".into())));
    let View::Export(state) = visit.staff.view() else { panic!("another page") };
    assert_eq!(state.folder_name().as_deref(), Some("KINGSTON"));
    visit.does(Event::Confirm);
    assert_eq!(visit.asked(), &Ask::Export("/media/KINGSTON".into()));
    assert_eq!(visit.staff.view(), View::Export(&ExportState::Working));
    visit.hears(Answer::Exported(Ok(12)));
    assert_eq!(visit.staff.view(), View::Export(&ExportState::Done { entries: 12 }));
    visit.does(Event::Confirm);
    assert_eq!(visit.asked(), &Ask::FindStick, "and once more, if somebody wants to");
}
