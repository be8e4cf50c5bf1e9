//! From the pages only staff see to the staff area: each intent of a page is one event.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use slint::ComponentHandle;

use crate::{
    kiosk::Shared,
    staff::{Entry, Event, Key},
    ui::{AppWindow, Keypad, Report, ScreenTest, Shell, TouchTest},
};

pub(in crate::kiosk) fn connect(window: &AppWindow, shared: &Rc<RefCell<Shared>>) {
    let on = |event: fn(i32) -> Event| {
        let shared = Rc::downgrade(shared);
        move |n: i32| {
            if let Some(shared) = shared.upgrade() {
                let mut shared = shared.borrow_mut();
                shared.staff_touch(event(n));
                shared.drain();
                shared.show();
            }
        }
    };
    let plain = |event: fn(i32) -> Event| {
        let act = on(event);
        move || act(0)
    };
    let shell = window.global::<Shell>();
    shell.on_head_touched(ask_for_pin_page(Rc::downgrade(shared), |shared, now_ms| {
        shared.head_taps.tap(now_ms)
    }));
    shell.on_staff_asked(ask_for_pin_page(Rc::downgrade(shared), |_, _| true));
    shell.on_back_tapped(plain(|_| Event::Back));
    let keypad = window.global::<Keypad>();
    keypad.on_digit_tapped(on(|digit| {
        let digit = u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10));
        digit.map_or(Event::Touched, |digit| Event::Key(Key::from(digit)))
    }));
    keypad.on_erase_tapped(plain(|_| Event::Erase));
    keypad.on_enter_tapped(plain(|_| Event::Enter));
    keypad.on_other_tapped(plain(|_| Event::Wipe));
    window.global::<Report>().on_action_tapped(plain(|_| Event::Confirm));
    window
        .global::<TouchTest>()
        .on_field_touched(on(|field| Event::Field(usize::try_from(field).unwrap_or(0))));
    window.global::<ScreenTest>().on_next_tapped(plain(|_| Event::Next));
}

/// Opens the PIN page when `asked` says that this touch or key asks for it.
fn ask_for_pin_page(
    shared: Weak<RefCell<Shared>>,
    asked: fn(&mut Shared, u64) -> bool,
) -> impl Fn() + 'static {
    move || {
        let Some(shared) = shared.upgrade() else { return };
        let mut shared = shared.borrow_mut();
        let now_ms = shared.clock.now().up_ms;
        if !shared.leaves_test_page() && asked(&mut shared, now_ms) {
            shared.open_staff(Entry::Pin);
        }
    }
}
