//! Tap debouncing and palm rejection: which tap counts, and which is still the one before it.

use super::{Event, Timing};

/// A tap, as the next one looks back at it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Tap {
    target: Event,
    at_ms: u64,
}

/// What a tap is after the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TapKind {
    /// It counts.
    Tap,
    /// The same finger again, on the same target or on what has taken its place.
    Double,
    /// The palm, or a second finger.
    Palm,
}

/// Which page a target stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// The buttons that every page has in the same place.
    Corner,
    Attract,
    Choice,
    Question,
    Reasons,
    Thanks,
    StillThere,
    Language,
    Notice,
}

impl Tap {
    pub fn new(target: &Event, at_ms: u64) -> Self {
        Self { target: target.clone(), at_ms }
    }

    /// What this tap is after the last one that changed something.
    pub fn after(&self, last: &Self, timing: &Timing) -> TapKind {
        let since_ms = self.at_ms.saturating_sub(last.at_ms);
        let (same, ground) = (self.target == last.target, ground(&self.target));
        // A page that has come under the finger is not meant by its second strike. From question to question the answers stay where
        // they are, and a quick hand may go from one to another.
        let another_page = ground != self::ground(&last.target) && ground != Ground::Corner;
        if since_ms < timing.double_strike_ms && (same || another_page) {
            TapKind::Double
        } else if since_ms < timing.palm_ms {
            TapKind::Palm
        } else {
            TapKind::Tap
        }
    }
}

const fn ground(target: &Event) -> Ground {
    match target {
        Event::OpenLanguages | Event::CallHelp => Ground::Corner,
        Event::Begin => Ground::Attract,
        Event::PickTouchpoint(_) => Ground::Choice,
        Event::Rate(_) => Ground::Question,
        Event::ToggleReason(_) | Event::ReasonsDone | Event::Back => Ground::Reasons,
        Event::Undo | Event::Another => Ground::Thanks,
        Event::StillHere => Ground::StillThere,
        Event::PickLanguage(_) | Event::KeepLanguage => Ground::Language,
        Event::Dismiss
        // No taps.
        | Event::Pressed(_)
        | Event::Touched
        | Event::Delivered { .. }
        | Event::Clean
        | Event::Opening(_)
        | Event::Stored { .. }
        | Event::StoreFailed(_)
        | Event::Tick
        | Event::NewPlan(_)
        | Event::Held { .. }
        | Event::Saved { .. } => Ground::Notice,
    }
}
