//! How often somebody may ask.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter, clock::Clock as _};

use super::{domain::wrong_codes::WrongCodes, error::ApiError, peer::Peer};
use crate::model::TerminalId;

/// Terminals whose rate is remembered before those idle for long are dropped.
const REMEMBERED_MAX: usize = 100_000;

/// The allowances.
pub(super) struct Allowances {
    by_terminal: DefaultKeyedRateLimiter<TerminalId>,
    wrong_codes: Mutex<WrongCodes>,
}

impl Allowances {
    pub(super) fn new(requests_per_minute: NonZeroU32) -> Self {
        Self {
            by_terminal: RateLimiter::keyed(Quota::per_minute(requests_per_minute)),
            wrong_codes: Mutex::default(),
        }
    }

    /// Takes one request off a terminal's allowance.
    pub(super) fn allow(&self, terminal: &TerminalId) -> Result<(), ApiError> {
        if self.by_terminal.len() > REMEMBERED_MAX {
            self.by_terminal.retain_recent();
        }
        self.by_terminal.check_key(terminal).map_err(|until| too_many(&until))
    }

    /// Whether an enrolment code from there is looked at. Nothing is taken off: only [`Self::wrong_code`] costs.
    pub(super) fn allow_code(&self, from: Option<&Peer>, now: DateTime<Utc>) -> Result<(), ApiError> {
        let wrong_codes = self.wrong_codes.lock().unwrap_or_else(PoisonError::into_inner);
        wrong_codes.admit(network(from), now).map_err(|wait| {
            let seconds = wait.num_milliseconds().max(1).unsigned_abs().div_ceil(1_000);
            ApiError::too_many(u32::try_from(seconds).unwrap_or(u32::MAX))
        })
    }

    /// An enrolment code from there was wrong.
    pub(super) fn wrong_code(&self, from: Option<&Peer>, now: DateTime<Utc>) {
        self.wrong_codes.lock().unwrap_or_else(PoisonError::into_inner).charge(network(from), now);
    }
}

/// Who is to answer for wrong codes. A proxy that names nobody brings many people: only the cap on all holds for them.
fn network(from: Option<&Peer>) -> Option<IpAddr> {
    from.filter(|peer| !peer.is_proxy).map(Peer::network)
}

fn too_many(
    until: &NotUntil<<governor::clock::DefaultClock as governor::clock::Clock>::Instant>,
) -> ApiError {
    let wait = until.wait_time_from(governor::clock::DefaultClock::default().now());
    let seconds = wait.saturating_add(Duration::from_millis(999)).as_secs().max(1);
    ApiError::too_many(u32::try_from(seconds).unwrap_or(u32::MAX))
}
