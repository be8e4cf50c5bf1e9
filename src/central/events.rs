//! What open pages are told at once.

use serde::Serialize;
use tokio::sync::broadcast;

use crate::model::{SiteId, TerminalId};

/// Events a slow page may miss before it is told to look at everything again.
const EVENTS_KEPT: usize = 256;

/// All open pages.
pub(super) struct Events(broadcast::Sender<Event>);

impl Events {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(EVENTS_KEPT))
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody may be looking.
        let _ = self.0.send(event);
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}

/// Something a page wants to know at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// Counts changed.
    Scores {
        /// Where.
        site: SiteId,
    },
    /// A terminal was heard.
    Terminal {
        /// Where.
        site: SiteId,
        /// Which.
        terminal: TerminalId,
    },
    /// Something staff must know.
    Incident {
        /// Where.
        site: SiteId,
    },
    /// Somebody called for help, or a call was answered.
    Help {
        /// Where.
        site: SiteId,
    },
    /// Central stops: pages connect again by themselves.
    Goodbye,
}

impl Event {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Scores { .. } => "scores",
            Self::Terminal { .. } => "terminal",
            Self::Incident { .. } => "incident",
            Self::Help { .. } => "help",
            Self::Goodbye => "goodbye",
        }
    }
}
