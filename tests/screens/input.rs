//! Does a touch, a key or an assistive program do what it should, and nothing else?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]
#![cfg(feature = "kiosk")]

use std::{cell::RefCell, rc::Rc};

use i_slint_backend_testing::{ElementHandle, init_no_event_loop};
use slint::{
    ComponentHandle, LogicalPosition, PhysicalSize,
    platform::{Key, PointerEventButton, WindowEvent},
};
use xinsheng::{
    panel::Panel,
    ui::{
        AppWindow, Arrangement, Attract, Choice, OptionItem, Page, PlaceItem, Question, Reasons, Shell,
        StillThere, Thanks, lay_out,
    },
};

#[test]
fn a_finger_lifted_inside_taps_and_one_that_slid_off_does_not() {
    let window = shown();
    window.global::<Shell>().set_page(Page::Question);
    let log = record_question(&window);
    let good = ElementHandle::find_by_accessible_label(&window, "满意").next().expect("the fourth card");
    let (middle, inside, beside) = {
        let (at, size) = (good.absolute_position(), good.size());
        let point = |dx: f32, dy: f32| LogicalPosition::new(at.x + size.width * dx, at.y + size.height * dy);
        (point(0.5, 0.5), point(0.9, 0.9), point(1.08, 0.5))
    };

    finger(&window, &[middle, inside]);
    assert_eq!(*log.borrow(), ["touched", "pressed 3", "tapped 3"], "travel inside is fine");
    log.borrow_mut().clear();
    finger(&window, &[middle, beside]);
    assert_eq!(*log.borrow(), ["touched", "pressed 3"], "sliding off cancels");
    log.borrow_mut().clear();
    finger(&window, &[beside, middle]);
    assert_eq!(*log.borrow(), ["touched"], "sliding on does not tap either");
}

#[test]
fn assistive_programs_and_number_keys_tap_without_pressing() {
    let window = shown();
    window.global::<Shell>().set_page(Page::Question);
    let log = record_question(&window);
    ElementHandle::find_by_accessible_label(&window, "非常不满意")
        .next()
        .expect("the first card")
        .invoke_accessible_default_action();
    assert_eq!(*log.borrow(), ["tapped 0"]);
    log.borrow_mut().clear();
    type_key(&window, "2");
    assert_eq!(*log.borrow(), ["touched", "tapped 1"]);
    log.borrow_mut().clear();
    type_key(&window, "6");
    assert_eq!(*log.borrow(), ["touched"], "there is no sixth card");
}

#[test]
fn a_pad_of_a_few_buttons_needs_no_glass() {
    let window = shown();
    let log = Rc::new(RefCell::new(Vec::new()));
    let note = |word: &'static str| {
        let log = log.clone();
        move || log.borrow_mut().push(word)
    };
    window.global::<Attract>().on_start_tapped(note("start"));
    window.global::<Reasons>().on_done_tapped(note("done"));
    window.global::<Reasons>().on_back_tapped(note("back"));
    window.global::<StillThere>().on_here_tapped(note("here"));
    window.global::<Thanks>().on_undo_tapped(note("undo"));
    let shell = window.global::<Shell>();
    for (page, key) in [(Page::Attract, "3"), (Page::StillThere, "1"), (Page::Thanks, "1")] {
        shell.set_page(page);
        type_key(&window, key);
    }
    shell.set_page(Page::Reasons);
    type_key(&window, Key::Return);
    type_key(&window, Key::Escape);
    assert_eq!(*log.borrow(), ["start", "here", "undo", "done", "back"]);
}

#[test]
fn keys_reach_what_has_no_digit_of_its_own() {
    let window = shown();
    let log = record_question(&window);
    let note = |word: &'static str| {
        let log = log.clone();
        move || log.borrow_mut().push(word.into())
    };
    let (shell, question) = (window.global::<Shell>(), window.global::<Question>());
    shell.on_help_tapped(note("help"));
    shell.on_language_tapped(note("languages"));
    shell.set_page(Page::Question);
    question.set_arrangement(Arrangement::Keys);
    question.set_options(std::rc::Rc::new(slint::VecModel::from(vec![OptionItem::default(); 11])).into());
    for key in ["0", "9", ".", "*"] {
        type_key(&window, key);
    }
    type_key(&window, Key::F1);
    type_key(&window, Key::F3);
    shell.on_louder(note("louder"));
    shell.on_softer(note("softer"));
    type_key(&window, "+");
    type_key(&window, "-");
    let choice = window.global::<Choice>();
    choice.on_previous_tapped(note("previous"));
    choice.on_next_tapped(note("next"));
    choice.on_place_tapped({
        let log = log.clone();
        move |place| log.borrow_mut().push(format!("place {place}"))
    });
    choice.set_places(std::rc::Rc::new(slint::VecModel::from(vec![PlaceItem::default(); 10])).into());
    shell.set_page(Page::Choice);
    type_key(&window, Key::PageDown);
    type_key(&window, Key::PageUp);
    type_key(&window, "0");
    let done: Vec<String> = log.borrow().iter().filter(|word| *word != "touched").cloned().collect();
    let on_keys = ["tapped 0", "tapped 9", "tapped 10", "tapped 10", "help", "languages", "louder", "softer"];
    assert_eq!(done, [&on_keys[..], &["next", "previous", "place 9"]].concat());
}

#[test]
fn tab_and_return_reach_every_card_in_reading_order() {
    let window = shown();
    window.global::<Shell>().set_page(Page::Question);
    let log = record_question(&window);
    let (languages, help) = (log.clone(), log.clone());
    window.global::<Shell>().on_help_tapped(move || help.borrow_mut().push("help".into()));
    window.global::<Shell>().on_language_tapped(move || languages.borrow_mut().push("language".into()));
    for _ in 0..4 {
        type_key(&window, Key::Tab);
        type_key(&window, Key::Return);
    }
    let pressed: Vec<String> = log.borrow().iter().filter(|word| *word != "touched").cloned().collect();
    assert_eq!(pressed, ["help", "language", "tapped 0", "tapped 1"]);
}

fn record_question(window: &AppWindow) -> Rc<RefCell<Vec<String>>> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let (touched, pressed, tapped) = (log.clone(), log.clone(), log.clone());
    window.global::<Shell>().on_touched(move || touched.borrow_mut().push("touched".into()));
    window
        .global::<Question>()
        .on_option_pressed(move |index| pressed.borrow_mut().push(format!("pressed {index}")));
    window
        .global::<Question>()
        .on_option_tapped(move |index| tapped.borrow_mut().push(format!("tapped {index}")));
    log
}

/// One finger down at the first place, through the others, up at the last.
fn finger(window: &AppWindow, path: &[LogicalPosition]) {
    let button = PointerEventButton::Left;
    let (first, last) = (path[0], path[path.len() - 1]);
    window.window().dispatch_event(WindowEvent::PointerPressed { position: first, button });
    for position in path {
        window.window().dispatch_event(WindowEvent::PointerMoved { position: *position });
    }
    window.window().dispatch_event(WindowEvent::PointerReleased { position: last, button });
    window.window().dispatch_event(WindowEvent::PointerExited);
}

fn type_key(window: &AppWindow, key: impl Into<slint::SharedString>) {
    let text = key.into();
    window.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
    window.window().dispatch_event(WindowEvent::KeyReleased { text });
}

/// A window on the usual panel, in our fonts.
fn shown() -> AppWindow {
    init_no_event_loop();
    xinsheng::kiosk::fonts::register(&xinsheng::fonts::Fonts::shipped());
    let window = AppWindow::new().expect("a window");
    let panel = Panel::new(10.1, 1280, 800);
    let (width, height) = panel.page_px();
    window.window().set_size(PhysicalSize::new(width, height));
    lay_out(&window, &panel, false);
    window.show().expect("shown");
    window
}
