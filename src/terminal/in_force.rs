//! What is in force on a running terminal, and how it changes.
//!
//! One value holds the configuration as it was loaded and what staff chose on site; everything else asks it. Invariant: whoever is told of
//! a change (screen, staff area, sound, way to central) is told after this value has it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    screen::{Screen, Setup},
    setup::setup_of,
};
use crate::{
    clock::{Clock, fresh},
    config::{Findings, KioskSetup, LastGood, Loaded, Origin, Started},
    journal::RecorderHandle,
    lang::Text,
    model::{SiteId, TouchpointId},
    staff::StaffChoices,
    survey::OutOfService,
    wire::{Body, BootFacts, ConfigChange, Draft},
};

/// The configuration as it was loaded, and what staff chose on site.
#[derive(Clone)]
pub(super) struct InForce {
    pub loaded: Loaded<KioskSetup>,
    pub choices: StaffChoices,
    /// Nobody has said what is rated here.
    pub not_set_up: bool,
    /// The site that central enrolled the terminal for.
    pub site: Option<SiteId>,
}

impl InForce {
    /// What the choices make of the file.
    pub fn setup(&self) -> KioskSetup {
        let mut setup = self.loaded.value.clone();
        self.choices.apply(&mut setup);
        setup
    }

    /// What the screen makes of it.
    pub fn screen(&self) -> Setup {
        let mut screen = setup_of(&self.setup());
        screen.plan.out_of_service = self.not_set_up.then_some(OutOfService::NotSetUp);
        screen
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What staff should know, from three sources: what is being lost comes first, then what somebody must act on.
#[derive(Clone, Default)]
pub(super) struct Badges(Arc<Mutex<BadgeWords>>);

#[derive(Default)]
struct BadgeWords {
    storage: Option<Text>,
    config: Option<Text>,
    sync: Option<Text>,
}

impl Badges {
    pub(crate) fn set_storage(&self, text: Option<Text>, screen: &dyn Screen) {
        self.change(screen, |words| words.storage = text);
    }

    pub(crate) fn set_config(&self, text: Option<Text>, screen: &dyn Screen) {
        self.change(screen, |words| words.config = text);
    }

    pub(crate) fn set_sync(&self, text: Option<Text>, screen: &dyn Screen) {
        self.change(screen, |words| words.sync = text);
    }

    fn change(&self, screen: &dyn Screen, change: impl FnOnce(&mut BadgeWords)) {
        let mut words = lock(&self.0);
        change(&mut words);
        screen.badge(words.storage.or(words.config).or(words.sync));
    }
}

/// The journal and the clock, for entries about the terminal itself.
#[derive(Clone)]
pub(super) struct Diary {
    pub recorder: RecorderHandle,
    pub clock: Arc<dyn Clock>,
}

impl Diary {
    /// Writes an entry about the terminal itself. Nobody is thanked for it, so a failure is only logged (by the recorder).
    pub fn note(&self, body: Body) {
        let at = self.clock.now();
        self.recorder.append(vec![Draft { id: fresh::entry_id(&at), at, body }], |_| {});
    }

    /// A configuration is in force.
    pub(crate) fn note_taken(&self, config_hash: &str, touchpoints: Vec<TouchpointId>) {
        let config_hash = config_hash.to_owned();
        self.note(Body::Config(ConfigChange { config_hash, accepted: true, reason: None, touchpoints }));
    }

    /// A configuration was refused.
    pub(crate) fn note_refused(&self, findings: &Findings) {
        self.note(Body::Config(ConfigChange {
            config_hash: String::new(),
            accepted: false,
            // The first finding is enough for a journal; all of them are in the log.
            reason: findings.0.first().map(|finding| finding.what.clone()),
            touchpoints: Vec::new(),
        }));
    }

    /// The first entries of a run, and the last good configuration where it is to be kept.
    pub(crate) fn note_start(
        &self,
        started: &Started,
        touchpoints: Vec<TouchpointId>,
        last_good: Option<&LastGood>,
        unjudged: bool,
    ) {
        let now = self.clock.now();
        self.note(Body::Boot(BootFacts {
            software: env!("CARGO_PKG_VERSION").into(),
            config_hash: started.loaded.config_hash.clone(),
            boot: now.boot,
            clock: now.quality,
            touchpoints,
            in_memory: false,
        }));
        match started.origin {
            Origin::Files => {
                if !started.findings.any_error() && !started.findings.0.is_empty() {
                    tracing::warn!(
                        "the configuration lacks a part, and is in force without it:\n{}",
                        started.findings
                    );
                }
                if let Some(last_good) = last_good {
                    keep(last_good, &started.loaded);
                }
            }
            Origin::LastGood if unjudged => {
                tracing::info!(
                    "the files have changed; the last good configuration is in force until they are judged"
                );
            }
            Origin::LastGood | Origin::BuiltIn => {
                let instead = match started.origin {
                    Origin::BuiltIn => "there is no earlier one, and the built-in questions are asked",
                    Origin::Files | Origin::LastGood => "the last good one is in force",
                };
                tracing::error!("the configuration is wrong; {instead}:\n{}", started.findings);
                self.note_refused(&started.findings);
            }
        }
    }
}

pub(super) fn keep(last_good: &LastGood, loaded: &Loaded<KioskSetup>) {
    if let Err(error) = last_good.save(loaded) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the configuration in force could not be kept for later"
        );
    }
}
