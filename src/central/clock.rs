//! The only place where central reads the time or asks for chance.
//!
//! Handlers and jobs take the time from [`WallClock`], which tests set.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand::Rng as _;

use crate::model::StoreId;

/// What tells central the time.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl WallClock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Arc::new(now))
    }

    /// Whatever a function says; for tests.
    pub fn of(tell: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl std::fmt::Debug for WallClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WallClock")
    }
}

/// The system's time, for commands that have no server.
pub(super) fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "central's one look at the clock")]
    Utc::now()
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

pub(super) fn fresh_store_id(at: DateTime<Utc>) -> StoreId {
    StoreId::from_parts(u64::try_from(at.timestamp_millis()).unwrap_or(0), random())
}
