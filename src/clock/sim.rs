//! A clock that stands still until it is moved: for tests, replays and the simulated panel.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::Clock;
use crate::model::{BootId, Moment, TimeQuality};

/// A settable clock; share it through an `Arc`.
#[derive(Debug)]
pub struct SimClock {
    moment: Mutex<Moment>,
}

impl SimClock {
    /// Starts at a moment.
    pub fn new(moment: Moment) -> Self {
        Self { moment: Mutex::new(moment) }
    }

    /// A synchronised clock at this wall time, one second after boot.
    pub fn at(wall: DateTime<Utc>, boot: BootId) -> Self {
        Self::new(Moment { wall, boot, up_ms: 1000, quality: TimeQuality::Synced })
    }

    /// Replaces the moment, jumps included.
    pub fn set(&self, moment: Moment) {
        *self.lock() = moment;
    }

    /// Sets the wall time alone, as a replay does from its file; the boot clock follows if time moved forward.
    pub fn set_wall(&self, wall: DateTime<Utc>) {
        let mut moment = self.lock();
        let passed = (wall - moment.wall).num_milliseconds();
        moment.up_ms += u64::try_from(passed).unwrap_or(0);
        moment.wall = wall;
    }

    /// Lets time pass: both clocks move.
    pub fn advance(&self, ms: u64) {
        let mut moment = self.lock();
        moment.up_ms += ms;
        moment.wall += TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX));
    }

    /// Moves the wall clock only, as a time server or a careless hand does.
    pub fn jump_wall(&self, by: TimeDelta) {
        let mut moment = self.lock();
        if let Some(wall) = moment.wall.checked_add_signed(by) {
            moment.wall = wall;
        }
    }

    /// Starts the machine again.
    pub fn reboot(&self, boot: BootId, quality: TimeQuality) {
        let mut moment = self.lock();
        moment.boot = boot;
        moment.up_ms = 0;
        moment.quality = quality;
    }

    fn lock(&self) -> MutexGuard<'_, Moment> {
        self.moment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Moment {
        *self.lock()
    }

    fn set_offset(&self, central: DateTime<Utc>) {
        let mut moment = self.lock();
        if moment.quality != TimeQuality::Synced {
            moment.wall = central;
            moment.quality = TimeQuality::Estimated;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn time_passes_only_when_told() {
        let clock = SimClock::at(DateTime::UNIX_EPOCH, BootId(Uuid::nil()));
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.advance(1500);
        assert_eq!(clock.now().up_ms, before.up_ms + 1500);
        clock.jump_wall(TimeDelta::days(-400));
        assert_eq!(clock.now().up_ms, before.up_ms + 1500);
        assert!(clock.now().wall < before.wall);
    }

    #[test]
    fn central_sets_a_clock_that_was_never_set() {
        let clock = SimClock::at(DateTime::UNIX_EPOCH, BootId(Uuid::nil()));
        let central = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        clock.set_offset(central);
        assert_eq!(clock.now().wall, DateTime::UNIX_EPOCH);
        clock.reboot(BootId(Uuid::max()), TimeQuality::Unset);
        clock.set_offset(central);
        assert_eq!((clock.now().wall, clock.now().quality), (central, TimeQuality::Estimated));
    }
}
