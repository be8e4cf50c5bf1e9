//! Are the pages safe to touch on every panel, and does a touch do what it should?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]
#![cfg(feature = "kiosk")]

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery, init_no_event_loop};
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Model, ModelRc, PhysicalSize, VecModel};
use std::cell::RefCell;
use std::rc::Rc;
use xinsheng::lang::{Catalogue, Text, Words};
use xinsheng::panel::{Panel, Rotation};
use xinsheng::ui::{
    AppWindow, Arrangement, Attract, Choice, Language, LanguageItem, Metrics, Notice, OptionItem, Page,
    PlaceItem, Question, ReasonItem, Reasons, Shell, StillThere, Thanks, lay_out,
};

/// Rounding to whole pixels may take this much from a target or a gap.
const TOLERANCE_PX: f32 = 1.0;

#[test]
fn every_target_is_large_enough_apart_and_on_the_glass() {
    init_no_event_loop();
    xinsheng::kiosk::fonts::register(&xinsheng::fonts::Fonts::shipped());
    let window = AppWindow::new().expect("a window");
    let catalogue = Catalogue::shipped().expect("readable languages");
    for panel in panels() {
        for (first, second) in [("zh-CN", "en"), ("en", "zh-CN")] {
            show_on(&window, &panel);
            for (page, arrange) in visits(&panel) {
                arrange(&window, &catalogue, first, second);
                let boxes = targets(&window);
                assert!(page == "out of service" || !boxes.is_empty(), "{page} on {panel:?} has no target");
                check(&boxes, &panel, &window, &format!("{page} in {first} on {panel:?}"));
            }
        }
    }
}

#[test]
fn a_finger_lifted_inside_taps_and_one_that_slid_off_does_not() {
    init_no_event_loop();
    xinsheng::kiosk::fonts::register(&xinsheng::fonts::Fonts::shipped());
    let window = AppWindow::new().expect("a window");
    show_on(&window, &Panel::new(10.1, 1280, 800));
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
    init_no_event_loop();
    xinsheng::kiosk::fonts::register(&xinsheng::fonts::Fonts::shipped());
    let window = AppWindow::new().expect("a window");
    show_on(&window, &Panel::new(10.1, 1280, 800));
    window.show().expect("shown");
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
    init_no_event_loop();
    let window = AppWindow::new().expect("a window");
    show_on(&window, &Panel::new(10.1, 1280, 800));
    window.show().expect("shown");
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
fn tab_and_return_reach_every_card_in_reading_order() {
    init_no_event_loop();
    xinsheng::kiosk::fonts::register(&xinsheng::fonts::Fonts::shipped());
    let window = AppWindow::new().expect("a window");
    show_on(&window, &Panel::new(10.1, 1280, 800));
    window.show().expect("shown");
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

fn show_on(window: &AppWindow, panel: &Panel) {
    let (width, height) = panel.page_px();
    window.window().set_size(PhysicalSize::new(width, height));
    lay_out(window, panel, false);
}

struct Target {
    label: String,
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

fn targets(window: &AppWindow) -> Vec<Target> {
    ElementQuery::from_root(window)
        .match_predicate(|element| element.accessible_role() == Some(AccessibleRole::Button))
        .find_all()
        .into_iter()
        .map(|element| {
            let (at, size) = (element.absolute_position(), element.size());
            Target {
                label: element.accessible_label().unwrap_or_default().into(),
                left: at.x,
                top: at.y,
                right: at.x + size.width,
                bottom: at.y + size.height,
            }
        })
        .collect()
}

fn check(boxes: &[Target], panel: &Panel, window: &AppWindow, place: &str) {
    let mm = window.global::<Metrics>().get_mm();
    #[expect(clippy::cast_possible_truncation, reason = "a length on a screen")]
    let least = panel.target_mm() as f32 * mm - TOLERANCE_PX;
    let glass = window.window().size();
    #[expect(clippy::cast_precision_loss, reason = "a screen has fewer than 2^24 pixels a side")]
    let (width, height) = (glass.width as f32, glass.height as f32);
    for (i, one) in boxes.iter().enumerate() {
        assert!(!one.label.is_empty(), "{place}: a target without a label");
        let (w, h) = (one.right - one.left, one.bottom - one.top);
        assert!(w >= least && h >= least, "{place}: {:?} is {:.1} x {:.1} mm", one.label, w / mm, h / mm);
        assert!(
            one.left >= 0.0 && one.top >= 0.0 && one.right <= width && one.bottom <= height,
            "{place}: {:?} leaves the glass",
            one.label
        );
        for other in &boxes[i + 1..] {
            let across = (one.left - other.right).max(other.left - one.right);
            let down = (one.top - other.bottom).max(other.top - one.bottom);
            assert!(
                across.max(down) >= 3.0 * mm - TOLERANCE_PX,
                "{place}: {:.1} mm between {:?} and {:?}",
                across.max(down) / mm,
                one.label,
                other.label
            );
        }
    }
}

type Arrange = Box<dyn Fn(&AppWindow, &Catalogue, &str, &str)>;

/// Every page with the most it has to hold.
fn visits(panel: &Panel) -> Vec<(String, Arrange)> {
    let mut visits: Vec<(String, Arrange)> = Vec::new();
    for (scale, levels, marked) in [
        ("face4", 4, true),
        ("face5", 5, true),
        ("csat5", 5, true),
        ("ces5", 5, false),
        ("fft6", 6, true),
        ("yes_no", 2, true),
        ("nps11", 11, false),
    ] {
        visits.push((
            format!("question {scale}"),
            Box::new(move |window, catalogue, first, second| {
                let question = window.global::<Question>();
                question.set_title(
                    Words::new("您对这里的服务满意吗？", Some("How was the service here?")).into(),
                );
                question.set_arrangement(if scale == "nps11" {
                    Arrangement::Keys
                } else {
                    Arrangement::Cards
                });
                question.set_low_end(catalogue.words(first, Some(second), Text::RecommendLow).into());
                question.set_high_end(catalogue.words(first, Some(second), Text::RecommendHigh).into());
                let option = |place: usize| OptionItem {
                    value: i32::try_from(place).expect("small"),
                    line: Text::level(scale, place)
                        .map_or_else(
                            || Words::new(&(place - 1).to_string(), None),
                            |text| catalogue.words(first, Some(second), text),
                        )
                        .into(),
                    mark: if marked {
                        format!("face-{}", place.min(5)).into()
                    } else {
                        slint::SharedString::new()
                    },
                    number: (place - 1).to_string().into(),
                    held: false,
                    stored: false,
                };
                question
                    .set_options(ModelRc::new(VecModel::from((1..=levels).map(option).collect::<Vec<_>>())));
                window.global::<Shell>().set_page(Page::Question);
            }),
        ));
    }
    for count in [4, 7] {
        visits.push((
            format!("{count} reasons"),
            Box::new(move |window, catalogue, first, second| {
                let reasons = window.global::<Reasons>();
                reasons.set_title(catalogue.words(first, Some(second), Text::ReasonsWrong).into());
                reasons.set_back(catalogue.words(first, Some(second), Text::ReasonsBack).into());
                reasons.set_done(catalogue.words(first, Some(second), Text::ReasonsDone).into());
                let reason = |i| ReasonItem {
                    line: Words::new("找不到\n地方", Some("Hard to find")).into(),
                    chosen: i == 1,
                };
                reasons.set_reasons(ModelRc::new(VecModel::from((0..count).map(reason).collect::<Vec<_>>())));
                window.global::<Shell>().set_page(Page::Reasons);
            }),
        ));
    }
    let (all, paged) = (panel.places_per_page(0), panel.places_per_page(100));
    for (count, label) in [(1, ""), (6, ""), (all, ""), (paged, "2 / 3")] {
        visits.push((
            format!("choice of {count} {label}"),
            Box::new(move |window, catalogue, first, second| {
                let choice = window.global::<Choice>();
                choice.set_title(catalogue.words(first, Some(second), Text::ChoiceTitle).into());
                choice.set_page_label(label.into());
                choice.set_has_previous(true);
                choice.set_has_next(true);
                let place = |_| PlaceItem {
                    line: Words::new("出院\n办理处", Some("Discharge desk")).into(),
                    icon: "discharge".into(),
                    held: false,
                };
                choice.set_places(ModelRc::new(VecModel::from((0..count).map(place).collect::<Vec<_>>())));
                window.global::<Shell>().set_page(Page::Choice);
            }),
        ));
    }
    visits.push((
        "attract".into(),
        Box::new(|window, catalogue, first, second| {
            window
                .global::<Attract>()
                .set_start(catalogue.words(first, Some(second), Text::AttractStart).into());
            window.global::<Shell>().set_page(Page::Attract);
        }),
    ));
    visits.push((
        "thanks".into(),
        Box::new(|window, catalogue, first, second| {
            let thanks = window.global::<Thanks>();
            thanks.set_title(catalogue.words(first, Some(second), Text::ThanksTitle).into());
            thanks.set_undo(catalogue.words(first, Some(second), Text::ThanksUndo).into());
            thanks.set_another(catalogue.words(first, Some(second), Text::ThanksAnother).into());
            thanks.set_another_shown(true);
            window.global::<Shell>().set_page(Page::Thanks);
        }),
    ));
    visits.push((
        "still there".into(),
        Box::new(|window, catalogue, first, second| {
            window
                .global::<StillThere>()
                .set_explanation(catalogue.words(first, Some(second), Text::StillThereExplanation).into());
            window.global::<Shell>().set_page(Page::StillThere);
        }),
    ));
    visits.push((
        "language".into(),
        Box::new(|window, _, _, _| {
            let language = window.global::<Language>();
            let item =
                |i| LanguageItem { name: "English".into(), family: "Noto Sans SC".into(), current: i == 0 };
            language.set_languages(ModelRc::new(VecModel::from((0..4).map(item).collect::<Vec<_>>())));
            assert_eq!(language.get_languages().row_count(), 4);
            window.global::<Shell>().set_page(Page::Language);
        }),
    ));
    visits.push((
        "out of service".into(),
        Box::new(|window, catalogue, first, second| {
            window
                .global::<Notice>()
                .set_reason(catalogue.words(first, Some(second), Text::OutOfServiceStorage).into());
            window.global::<Shell>().set_page(Page::Notice);
        }),
    ));
    visits
}

/// The panels of the requirements, and each turned by a quarter.
fn panels() -> Vec<Panel> {
    let built = [
        (7.0, 1024, 600),
        (7.0, 800, 480),
        (7.0, 720, 1280),
        (10.1, 1280, 800),
        (15.6, 1920, 1080),
        (21.5, 1920, 1080),
    ];
    built
        .into_iter()
        .map(|(diagonal, width, height)| Panel::new(diagonal, width, height))
        .flat_map(|panel| [panel, Panel { rotation: Rotation::Quarter, ..panel }])
        .collect()
}
