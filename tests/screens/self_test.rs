//! The self-test on the real pages: every button that patients meet is touched where it is drawn, and leaves its entry and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition};
use xinsheng::fonts::{Fonts, Ruler};
use xinsheng::kiosk::pages::{Glass, Speaker};
use xinsheng::kiosk::staff::tested::{TestPage, pages_under_test};
use xinsheng::lang::{Catalogue, Text};
use xinsheng::panel::{Corner, Grid, Panel, Rotation};
use xinsheng::survey::{OutOfHours, Plan, Start};
use xinsheng::ui::{Page as Shown, SelfTest};
use xinsheng::wire::{Body, SelfTest as Entry};

use crate::backstage::PIN;
use crate::hospital;
use crate::staff::Screen;

/// Several places, more than one page of them holds, and every page that a configuration can ask for.
fn everything() -> Plan {
    let mut plan = hospital::plan(&["window", "ward", "exit"], Start::Attract);
    plan.out_of_hours = OutOfHours::Offer;
    let hospital = Arc::make_mut(&mut plan.hospital);
    let exit = hospital.touchpoints[2].clone();
    for n in 1..=12 {
        let id = format!("exit-{n}").parse().unwrap();
        plan.touchpoints.push(xinsheng::model::TouchpointId::clone(&id));
        hospital.touchpoints.push(xinsheng::questionnaire::Touchpoint { id, ..exit.clone() });
    }
    plan
}

/// How the list of places lies, as the running screen works it out.
fn grid(plan: &Plan, panel: Panel) -> Grid {
    let (catalogue, fonts) = (Catalogue::shipped().unwrap(), Fonts::shipped());
    let lang = &plan.languages[0];
    let speaker = Speaker { catalogue: &catalogue, fonts: &fonts, lang, second: None };
    let names: Vec<String> = plan
        .touchpoints
        .iter()
        .map(|id| plan.hospital.touchpoint(id).unwrap().name.get(lang).to_owned())
        .collect();
    let corner = Corner::Patient(plan.help.then_some(speaker.text(Text::HelpButton)));
    let glass = Glass { panel, low_reach: false, ruler: Ruler::new(&fonts) };
    speaker.grid(&glass, Text::ChoiceTitle, &names, corner)
}

/// Each button once: an element of several components that inherit from each other is found once for each.
fn buttons(screen: &Screen) -> Vec<ElementHandle> {
    let all = ElementQuery::from_root(&screen.window)
        .match_descendants()
        .match_accessible_role(AccessibleRole::Button)
        .find_all();
    let mut places = BTreeSet::new();
    let place = |button: &ElementHandle| {
        let at = button.absolute_position();
        (at.x.to_bits(), at.y.to_bits())
    };
    all.into_iter().filter(|button| places.insert(place(button))).collect()
}

fn label(button: &ElementHandle) -> String {
    button.accessible_label().unwrap().to_string()
}

fn touch(screen: &Screen, button: &ElementHandle) {
    let (corner, size) = (button.absolute_position(), button.size());
    let position = LogicalPosition::new(corner.x + size.width / 2.0, corner.y + size.height / 2.0);
    let finger = PointerEventButton::Left;
    screen.window.window().dispatch_event(WindowEvent::PointerPressed { position, button: finger });
    screen.window.window().dispatch_event(WindowEvent::PointerReleased { position, button: finger });
}

fn self_tests(screen: &Screen) -> Vec<Entry> {
    let test = |body| match body {
        Body::SelfTest(test) => test,
        other => panic!("a press under test left {other:?}"),
    };
    screen.entries().into_iter().map(test).collect()
}

/// Walks through the self-test, touching each button of each page until the page gives way; what was tested, in order.
fn touch_everything(screen: &Screen, pages: &[(TestPage, Vec<String>)]) -> Vec<String> {
    let all: BTreeSet<&String> = pages.iter().flat_map(|(_, names)| names).collect();
    screen.knock(5).type_pin(PIN).press("测试按键");
    assert!(screen.shows(&format!("请逐个点按，还剩 {} 个", all.len())), "what is left");
    screen.press("下一页");
    let mut tested: Vec<String> = Vec::new();
    for (page, names) in pages {
        assert_ne!(screen.page(), Shown::Report, "{page:?} is missing");
        let here = buttons(screen);
        let labels: Vec<String> = here.iter().map(label).collect();
        assert_eq!(here.len(), names.len(), "{page:?}: the page has {labels:?}, the self-test {names:?}");
        let new: BTreeSet<&String> = names.iter().filter(|name| !tested.contains(name)).collect();
        let mut touched = BTreeSet::new();
        for (at, label) in labels.iter().enumerate() {
            if new.iter().all(|name| tested.contains(name)) {
                break;
            }
            let before = self_tests(screen).len();
            touch(screen, &buttons(screen)[at]);
            let entries = self_tests(screen);
            let [entry] = &entries[before..] else {
                panic!("{page:?}: `{label}` left {:?}", &entries[before..])
            };
            assert!(names.contains(&entry.target), "{page:?}: `{label}` is {entry:?}");
            assert!(touched.insert(entry.target.clone()), "{page:?}: two buttons are {}", entry.target);
            assert_eq!(entry.of, Some(u32::try_from(all.len()).unwrap()));
            tested.push(entry.target.clone());
        }
        assert!(new.iter().all(|name| touched.contains(*name)), "{page:?}: {new:?} of which {touched:?}");
    }
    assert!(screen.shows("按键全部正常，都已存下"), "on {:?}", screen.page());
    assert!(!screen.window.global::<SelfTest>().get_on(), "the ticks are gone");
    tested
}

fn every_button_on(plan: Plan, panel: Panel) -> BTreeSet<String> {
    let pages = pages_under_test(&plan, &panel, grid(&plan, panel));
    let expected: BTreeSet<String> = pages.iter().flat_map(|(_, names)| names.clone()).collect();
    let screen = Screen::on(plan, panel);
    let tested: BTreeSet<String> = touch_everything(&screen, &pages).into_iter().collect();
    assert_eq!(tested, expected);
    screen.kiosk.with_survey(|survey| {
        assert!(survey.at_rest(), "no answer, no visit, no call");
        assert_eq!(survey.lang().as_str(), "zh-CN", "and the language is as it was");
    });
    tested
}

#[test]
fn every_button_that_patients_meet_is_touched_and_leaves_one_entry() {
    let tested = every_button_on(everything(), Panel::new(10.1, 1280, 800));
    for name in [
        "begin",
        "place:ward",
        "place:exit-12",
        "previous",
        "next",
        "a:1",
        "b:4",
        "fft:1",
        "reason:wait",
        "done",
        "back",
        "undo",
        "another",
        "here",
        "language",
        "language:en",
        "language:back",
        "help",
        "help:back",
        "rate",
    ] {
        assert!(tested.contains(name), "{name} is not among {tested:?}");
    }
}

#[test]
fn also_on_a_small_panel_where_help_stands_on_the_page_of_the_languages_alone() {
    let tested = every_button_on(everything(), Panel::new(7.0, 800, 480));
    assert!(tested.contains("help"));
}

#[test]
fn also_on_a_small_panel_that_stands_upright() {
    every_button_on(everything(), Panel { rotation: Rotation::Quarter, ..Panel::new(7.0, 800, 480) });
}

#[test]
fn a_terminal_with_one_place_one_language_and_no_help_has_only_its_own_buttons() {
    let mut plan = hospital::plan(&["ward"], Start::Question);
    plan.languages.truncate(1);
    plan.help = false;
    let tested = every_button_on(plan, Panel::new(10.1, 1280, 800));
    let expected =
        ["a:0", "a:1", "back", "done", "here", "reason:manner", "reason:other", "reason:wait", "undo"];
    assert_eq!(tested, expected.map(str::to_owned).into());
}

#[test]
fn another_configuration_ends_a_self_test_whose_pages_are_gone() {
    let screen = Screen::on(hospital::plan(&["ward"], Start::Question), Panel::new(10.1, 1280, 800));
    screen.knock(5).type_pin(PIN).press("测试按键").press("下一页");
    assert_eq!(screen.page(), Shown::Question);
    screen.change(hospital::plan(&["exit"], Start::Question));
    assert_eq!(screen.page(), Shown::Choice, "the menu");
    screen.press("测试按键").press("下一页");
    assert_eq!(screen.page(), Shown::Question, "and a new one tests the new pages");
}

#[test]
fn the_head_of_a_page_under_test_leads_to_what_is_left_and_on_to_the_next_page() {
    let screen = Screen::on(hospital::plan(&["ward"], Start::Question), Panel::new(10.1, 1280, 800));
    screen.knock(5).type_pin(PIN).press("测试按键").press("下一页");
    assert_eq!(screen.page(), Shown::Question);
    let left = |n: usize| screen.shows(&format!("请逐个点按，还剩 {n} 个"));
    screen.knock(1);
    assert!(screen.page() == Shown::Report && left(15), "nothing was pressed");
    screen.press("下一页");
    assert_eq!(screen.page(), Shown::Reasons, "the deaf page is passed by");
    screen.press("好了").committed();
    screen.knock(1);
    assert!(left(14));
    screen.press("返回");
    assert_eq!(screen.page(), Shown::Choice, "the menu");
    assert_eq!(self_tests(&screen).len(), 1);
}
