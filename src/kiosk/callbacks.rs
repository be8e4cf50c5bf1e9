//! From the pages to the survey: each intent of a page is one event.

use std::{cell::RefCell, rc::Rc};

use slint::ComponentHandle;

use super::Shared;
use crate::{
    survey::{Event, Page},
    ui::{AppWindow, Attract, Choice, Language, Notice, Question, Reasons, Shell, StillThere, Thanks},
};

/// Presses outside the options have numbers of their own, far from any option's: they count as targets of a sweep too.
const BESIDE: usize = 1_000;

pub(super) fn connect(window: &AppWindow, shared: &Rc<RefCell<Shared>>) {
    let on = |event: Event| {
        let shared = Rc::downgrade(shared);
        move || {
            if let Some(shared) = shared.upgrade() {
                shared.borrow_mut().handle(event.clone());
            }
        }
    };
    let on_index = |event: fn(usize) -> Event| {
        let shared = Rc::downgrade(shared);
        move |index: i32| {
            if let (Some(shared), Ok(index)) = (shared.upgrade(), usize::try_from(index)) {
                shared.borrow_mut().handle(event(index));
            }
        }
    };
    connect_shell(window, shared, &on);

    let attract = window.global::<Attract>();
    attract.on_start_pressed(on(Event::Pressed(BESIDE)));
    attract.on_start_tapped(on(Event::Begin));

    connect_choice(window, shared, &on);

    let question = window.global::<Question>();
    question.on_option_pressed(on_index(Event::Pressed));
    question.on_option_tapped(on_index(Event::Rate));

    let reasons = window.global::<Reasons>();
    reasons.on_reason_pressed(on_index(Event::Pressed));
    reasons.on_reason_tapped(on_index(Event::ToggleReason));
    reasons.on_back_pressed(on(Event::Pressed(BESIDE + 1)));
    reasons.on_back_tapped(on(Event::Back));
    reasons.on_done_pressed(on(Event::Pressed(BESIDE + 2)));
    reasons.on_done_tapped(on(Event::ReasonsDone));

    let thanks = window.global::<Thanks>();
    thanks.on_undo_pressed(on(Event::Pressed(BESIDE + 3)));
    thanks.on_undo_tapped(on(Event::Undo));
    thanks.on_another_pressed(on(Event::Pressed(BESIDE + 4)));
    thanks.on_another_tapped(on(Event::Another));

    let still_there = window.global::<StillThere>();
    still_there.on_here_pressed(on(Event::Pressed(BESIDE + 5)));
    still_there.on_here_tapped(on(Event::StillHere));

    let notice = window.global::<Notice>();
    notice.on_action_pressed(on(Event::Pressed(BESIDE + 8)));
    notice.on_action_tapped(act_on_notice(shared));

    let language = window.global::<Language>();
    language.on_language_pressed(on_index(Event::Pressed));
    language.on_language_tapped(on_index(Event::PickLanguage));
    language.on_back_pressed(on(Event::Pressed(BESIDE + 6)));
    language.on_back_tapped(on(Event::KeepLanguage));
}

fn connect_shell<F: Fn() + 'static>(
    window: &AppWindow,
    shared: &Rc<RefCell<Shared>>,
    on: &impl Fn(Event) -> F,
) {
    let shell = window.global::<Shell>();
    shell.on_touched(on(Event::Touched));
    shell.on_language_pressed(on(Event::Pressed(BESIDE + 7)));
    shell.on_language_tapped(on(Event::OpenLanguages));
    shell.on_help_pressed(on(Event::Pressed(BESIDE + 9)));
    shell.on_help_tapped(on(Event::CallHelp));
    let turn = |louder: bool| {
        let weak = Rc::downgrade(shared);
        move || {
            if let Some(shared) = weak.upgrade() {
                shared.borrow().sound.visitor_turns(louder);
            }
        }
    };
    shell.on_louder(turn(true));
    shell.on_softer(turn(false));
    let weak = Rc::downgrade(shared);
    shell.on_finger(move |down| {
        if let Some(shared) = weak.upgrade() {
            shared.borrow_mut().finger(down);
        }
    });
    let weak = Rc::downgrade(shared);
    shell.on_rescaled(move || {
        if let Some(shared) = weak.upgrade() {
            shared.borrow_mut().lay_out_anew();
        }
    });
    let weak = Rc::downgrade(shared);
    shell.on_news(move || {
        if let Some(shared) = weak.upgrade() {
            shared.borrow_mut().take_news();
        }
    });
}

/// The one button of a notice: what it does depends on what is said.
fn act_on_notice(shared: &Rc<RefCell<Shared>>) -> impl Fn() + 'static {
    let shared = Rc::downgrade(shared);
    move || {
        let Some(shared) = shared.upgrade() else { return };
        let closed = matches!(shared.borrow().survey.page(), Page::Closed { .. });
        shared.borrow_mut().handle(if closed { Event::Begin } else { Event::Dismiss });
    }
}

fn connect_choice<F: Fn() + 'static>(
    window: &AppWindow,
    shared: &Rc<RefCell<Shared>>,
    on: &impl Fn(Event) -> F,
) {
    let choice = window.global::<Choice>();
    let place = |event: fn(usize) -> Event| {
        let shared = Rc::downgrade(shared);
        move |index: i32| {
            if let (Some(shared), Ok(index)) = (shared.upgrade(), usize::try_from(index)) {
                let mut shared = shared.borrow_mut();
                let first = shared.first_listed();
                shared.handle(event(first + index));
            }
        }
    };
    choice.on_place_pressed(place(Event::Pressed));
    choice.on_place_tapped(place(Event::PickTouchpoint));
    let turn = |forward: bool| {
        let shared = Rc::downgrade(shared);
        move || {
            if let Some(shared) = shared.upgrade() {
                shared.borrow_mut().turn_choice_page(forward);
            }
        }
    };
    choice.on_previous_pressed(on(Event::Pressed(BESIDE + 10)));
    choice.on_next_pressed(on(Event::Pressed(BESIDE + 11)));
    choice.on_previous_tapped(turn(false));
    choice.on_next_tapped(turn(true));
}
