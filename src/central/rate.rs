//! How often somebody may ask.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter, clock::Clock as _,
};

use super::error::ApiError;
use crate::model::TerminalId;

/// Enrolments of all terminals together in a minute: guessing a code of fifteen digits then takes ten million years.
const ENROLMENTS_PER_MINUTE: u32 = 60;

/// Terminals whose rate is remembered before those idle for long are dropped.
const REMEMBERED_MAX: usize = 100_000;

/// The allowances.
pub(super) struct Allowances {
    by_terminal: DefaultKeyedRateLimiter<TerminalId>,
    enrolments: DefaultDirectRateLimiter,
}

impl Allowances {
    pub(super) fn new(requests_per_minute: NonZeroU32) -> Self {
        let enrolments = NonZeroU32::new(ENROLMENTS_PER_MINUTE).unwrap_or(NonZeroU32::MIN);
        Self {
            by_terminal: RateLimiter::keyed(Quota::per_minute(requests_per_minute)),
            enrolments: RateLimiter::direct(Quota::per_minute(enrolments)),
        }
    }

    /// Takes one request off a terminal's allowance.
    pub(super) fn allow(&self, terminal: &TerminalId) -> Result<(), ApiError> {
        if self.by_terminal.len() > REMEMBERED_MAX {
            self.by_terminal.retain_recent();
        }
        self.by_terminal.check_key(terminal).map_err(|until| too_many(&until))
    }

    /// Takes one enrolment off everybody's allowance.
    pub(super) fn allow_enrolment(&self) -> Result<(), ApiError> {
        self.enrolments.check().map_err(|until| too_many(&until))
    }
}

fn too_many(
    until: &NotUntil<<governor::clock::DefaultClock as governor::clock::Clock>::Instant>,
) -> ApiError {
    let wait = until.wait_time_from(governor::clock::DefaultClock::default().now());
    let seconds = wait.saturating_add(Duration::from_millis(999)).as_secs().max(1);
    ApiError::too_many(u32::try_from(seconds).unwrap_or(u32::MAX))
}
