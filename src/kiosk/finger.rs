//! A finger that does not leave the glass: a bag on the counter, a drop of water, a fault of the panel.
//!
//! While one contact lasts, Slint gives every other touch to what is under the first. So a contact of a minute is let go: what it pressed
//! is not tapped, and the next touch counts.

use std::time::Duration;

use slint::{
    ComponentHandle, LogicalPosition, Timer, Weak,
    platform::{PointerEventButton, WindowEvent},
};

use crate::ui::AppWindow;

/// Nobody rests a finger on a button for so long.
const STUCK_MS: u64 = 60_000;

/// The contact that is on the glass, since when.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Finger {
    down_ms: Option<u64>,
}

impl Finger {
    /// It came down at a time, or left.
    pub(super) fn is_down(&mut self, down: bool, now_ms: u64) {
        self.down_ms = down.then_some(now_ms);
    }

    /// When it will have been there for too long.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        self.down_ms.map(|at| at + STUCK_MS)
    }

    /// Whether it has been there for too long; told once.
    pub(super) fn is_stuck(&mut self, now_ms: u64) -> bool {
        let stuck = self.deadline_ms().is_some_and(|deadline| deadline <= now_ms);
        if stuck {
            self.down_ms = None;
        }
        stuck
    }
}

/// Ends the contact beside everything, so that nothing is tapped. Later, because what it pressed tells the screen about it.
pub(super) fn let_go(window: Weak<AppWindow>) {
    tracing::warn!("something has been on the glass for a minute; it is taken for no finger");
    Timer::single_shot(Duration::ZERO, move || {
        let Some(window) = window.upgrade() else { return };
        let position = LogicalPosition::new(-1.0, -1.0);
        for event in [
            WindowEvent::PointerMoved { position },
            WindowEvent::PointerReleased { position, button: PointerEventButton::Left },
            WindowEvent::PointerExited,
        ] {
            // Only a closed window refuses events, and then there is nothing to end.
            let _ = window.window().dispatch_event_with_result(event);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_of_a_minute_is_stuck_once_and_a_shorter_one_never() {
        let mut finger = Finger::default();
        finger.is_down(true, 1_000);
        assert_eq!(finger.deadline_ms(), Some(61_000));
        assert!(!finger.is_stuck(60_999));
        assert!(finger.is_stuck(61_000));
        assert!(!finger.is_stuck(99_000), "told once");
        finger.is_down(true, 100_000);
        finger.is_down(false, 100_100);
        assert!(!finger.is_stuck(200_000));
    }
}
