//! The terminal's clock and dice: the only place of a terminal program that reads time or asks for chance.
//!
//! Everything else takes a [`Moment`] or random bytes as arguments. Invariants:
//! - `up_ms` is `CLOCK_BOOTTIME`: it never jumps and counts suspended time; order within a boot is by it alone;
//! - the wall clock may be wrong, and says so in its [`TimeQuality`];
//! - a time given by central anchors the wall clock to the boot clock, so that a later jump of the system clock does not move it.

pub mod fresh;
mod sim;

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rustix::time::{ClockId, clock_gettime};
use uuid::Uuid;

pub use sim::SimClock;

use crate::model::{BootId, Moment, TimeQuality};

/// A wall clock before this year was never set: the program is younger than that.
const BUILD_YEAR: i32 = 2026;

/// A wall clock from this year on is a mistake, not a date.
const YEAR_MAX: i32 = 2100;

/// Exists while a time server disciplines the clock. The first is systemd-timesyncd's; the second is for chrony and others, touched by
/// a unit ordered after `time-sync.target`.
const SYNCED_MARKERS: [&str; 2] = ["/run/systemd/timesync/synchronized", "/run/xinsheng/clock-synchronized"];

/// Where Linux names the current start of the system.
const BOOT_ID_FILE: &str = "/proc/sys/kernel/random/boot_id";

/// Tells the moment.
pub trait Clock: Send + Sync {
    /// The moment of the call.
    fn now(&self) -> Moment;

    /// Central said what time it is. A clock that a time server disciplines ignores it.
    fn set_offset(&self, central: DateTime<Utc>);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    boot: BootId,
    /// Central's wall time minus the boot clock.
    anchor: Mutex<Option<DateTime<Utc>>>,
}

impl SystemClock {
    /// Reads the boot id; a system that has none gets a random one, which is new at every program start.
    pub fn new() -> Self {
        let named = fs::read_to_string(BOOT_ID_FILE).ok().and_then(|text| Uuid::parse_str(text.trim()).ok());
        let boot = named.unwrap_or_else(|| uuid::Builder::from_random_bytes(fresh::bytes()).into_uuid());
        Self { boot: BootId(boot), anchor: Mutex::new(None) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let up_ms = up_ms();
        let anchor = *self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, quality) = judge(system_wall(), is_synced(), anchor, up_ms);
        Moment { wall, boot: self.boot, up_ms, quality }
    }

    fn set_offset(&self, central: DateTime<Utc>) {
        let anchor = central.checked_sub_signed(delta(up_ms()));
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = anchor;
    }
}

/// What the wall clock says and is worth: a disciplined clock first, then central's time, then a plausible system clock.
fn judge(
    system: DateTime<Utc>,
    synced: bool,
    anchor: Option<DateTime<Utc>>,
    up_ms: u64,
) -> (DateTime<Utc>, TimeQuality) {
    let plausible = (BUILD_YEAR..YEAR_MAX).contains(&system.year());
    let by_central = anchor.and_then(|anchor| anchor.checked_add_signed(delta(up_ms)));
    match by_central {
        _ if synced && plausible => (system, TimeQuality::Synced),
        Some(wall) => (wall, TimeQuality::Estimated),
        None if plausible => (system, TimeQuality::Estimated),
        None => (system, TimeQuality::Unset),
    }
}

fn delta(ms: u64) -> TimeDelta {
    TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn up_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let (s, ns) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    s * 1000 + ns / 1_000_000
}

fn is_synced() -> bool {
    SYNCED_MARKERS.iter().any(|path| Path::new(path).exists())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn system_wall() -> DateTime<Utc> {
    // Not `Utc::now`, which panics before 1970.
    std::time::SystemTime::now().into()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::faults::survived;

    fn year(year: i32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(year, 11, 21, 8, 0, 0).single().expect("a date")
    }

    #[test]
    fn a_clock_without_a_chip_is_unset_until_central_speaks() {
        let up_ms = 5000;
        assert_eq!(judge(year(1970), false, None, up_ms), (year(1970), TimeQuality::Unset));
        let anchor = year(2026) - delta(up_ms);
        assert_eq!(judge(year(1970), false, Some(anchor), up_ms), (year(2026), TimeQuality::Estimated));
        // The system clock jumping does not move a time anchored to the boot clock.
        assert_eq!(judge(year(2090), false, Some(anchor), up_ms), (year(2026), TimeQuality::Estimated));
        survived!(33; 1, "jump of the clock");
    }

    #[test]
    fn a_disciplined_clock_needs_nobody() {
        assert_eq!(judge(year(2027), true, Some(year(2026)), 0), (year(2027), TimeQuality::Synced));
        // A marker left over on a machine whose clock is plainly wrong is not believed.
        assert_eq!(judge(year(1970), true, None, 0).1, TimeQuality::Unset);
        assert_eq!(judge(year(2027), false, None, 0).1, TimeQuality::Estimated);
        assert_eq!(judge(year(2150), false, None, 0).1, TimeQuality::Unset);
    }

    #[test]
    fn the_boot_clock_goes_forward_and_the_boot_stays() {
        let clock = SystemClock::new();
        let (first, second) = (clock.now(), clock.now());
        assert!(second.up_ms >= first.up_ms);
        assert_eq!(first.boot, second.boot);
    }
}
