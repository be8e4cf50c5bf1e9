//! Input is drawn at once.
//!
//! On X11 Slint draws what changed at the next beat of a timer that begins with the change (i-slint-backend-winit, `frame_throttle.rs)`: one
//! whole frame after every touch. Asked for a redraw when the input arrives, winit delivers it right after that input. Windows that are
//! not winit's (the simulated panel, tests) draw when their owner says so, and are left alone.

use slint::{
    Window,
    winit_030::{EventResult, WinitWindowAccessor, winit::event::WindowEvent},
};

/// Lets a window draw what a press, a touch or a key changed, without waiting for the next frame.
pub(super) fn on_input(window: &Window) {
    window.on_winit_window_event(|window, event| {
        if matches!(
            event,
            WindowEvent::MouseInput { .. } | WindowEvent::Touch(_) | WindowEvent::KeyboardInput { .. }
        ) {
            now(window);
        }
        EventResult::Propagate
    });
}

/// Draws what has changed since the last frame. Without a change nothing is drawn.
pub(super) fn now(window: &Window) {
    window.with_winit_window(slint::winit_030::winit::window::Window::request_redraw);
}
