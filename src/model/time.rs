//! A moment as a terminal knows it: a wall clock that may be wrong, and a boot clock that never jumps.

use chrono::{DateTime, Offset as _, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::BootId;

/// How far a wall clock can be trusted. A Raspberry Pi before the 5 has no clock chip, so it often starts in the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeQuality {
    /// Disciplined by a time server.
    Synced,
    /// Set from a central's answer, a clock chip, or a saved time; may be off by minutes.
    Estimated,
    /// Never set since the machine started.
    Unset,
}

/// When something happened on a terminal. Order within a boot is by `up_ms` alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moment {
    /// Wall clock, UTC; written with milliseconds.
    #[serde(with = "millis")]
    pub wall: DateTime<Utc>,
    /// Which start of the machine.
    pub boot: BootId,
    /// Milliseconds since that start, suspended time included.
    pub up_ms: u64,
    /// What the wall clock is worth.
    pub quality: TimeQuality,
}

impl Moment {
    /// Milliseconds from an earlier moment of the same machine to this one. Within a boot the boot clock counts them, which no jump of
    /// the wall clock moves. From another boot the wall clocks do, if both were set; otherwise, and at least, it is as long as this boot
    /// has lasted.
    pub fn ms_since(&self, earlier: &Self) -> u64 {
        if self.boot == earlier.boot {
            return self.up_ms.saturating_sub(earlier.up_ms);
        }
        let set = self.quality != TimeQuality::Unset && earlier.quality != TimeQuality::Unset;
        let by_wall =
            set.then(|| self.wall.timestamp_millis().saturating_sub(earlier.wall.timestamp_millis()));
        by_wall.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0).max(self.up_ms)
    }
}

/// RFC 3339 text of a moment in a time zone; `None` where the local time lies outside the calendar, which starts and ends at
/// years that only a broken clock reaches. Every place that writes a stored time goes through here: chrono's own function panics.
pub fn rfc3339(at: DateTime<Utc>, zone: impl chrono::TimeZone, decimals: SecondsFormat) -> Option<String> {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    at.naive_utc().checked_add_offset(offset)?;
    Some(at.with_timezone(&offset).to_rfc3339_opts(decimals, false))
}

/// RFC 3339 with exactly three decimals, so that a frozen line has one spelling.
pub mod millis {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the timestamp with milliseconds and `Z`.
    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// Reads any RFC 3339 timestamp.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::<Utc>::deserialize(d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_counted_on_the_boot_clock_and_a_clock_that_started_in_2020_makes_nothing_old() {
        let at = |wall: &str, boot: u64, up_ms, quality| Moment {
            wall: wall.parse().unwrap(),
            boot: BootId::from_parts(boot, [0; 10]),
            up_ms,
            quality,
        };
        let now = at("2026-11-21T10:00:00Z", 1, 90_000, TimeQuality::Synced);
        // Written before the time server answered.
        assert_eq!(now.ms_since(&at("2020-01-01T00:00:10Z", 1, 10_000, TimeQuality::Unset)), 80_000);
        assert_eq!(now.ms_since(&at("2026-11-21T10:00:00Z", 1, 95_000, TimeQuality::Synced)), 0);
        // Another boot: the wall clocks, if both were set; else at least this boot's length.
        assert_eq!(now.ms_since(&at("2026-11-21T09:00:00Z", 2, 5, TimeQuality::Synced)), 3_600_000);
        assert_eq!(now.ms_since(&at("2020-01-01T00:00:10Z", 2, 5, TimeQuality::Unset)), 90_000);
        assert_eq!(now.ms_since(&at("2030-01-01T00:00:10Z", 2, 5, TimeQuality::Synced)), 90_000);
        let end = Moment { wall: DateTime::<Utc>::MAX_UTC, up_ms: u64::MAX, ..now };
        let first = Moment {
            wall: DateTime::<Utc>::MIN_UTC,
            ..at("2026-11-21T10:00:00Z", 4, 0, TimeQuality::Synced)
        };
        assert_eq!((end.ms_since(&first), first.ms_since(&end)), (u64::MAX, 0));
    }

    #[test]
    fn a_time_at_either_end_of_the_calendar_is_written_or_refused_and_never_panics() {
        let zones = [chrono_tz::UTC, chrono_tz::Asia::Shanghai, chrono_tz::America::New_York];
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC] {
            for zone in zones {
                let text = rfc3339(at, zone, SecondsFormat::Millis);
                assert_eq!(
                    text.is_some(),
                    at == DateTime::UNIX_EPOCH || zone == chrono_tz::UTC || {
                        (at == DateTime::<Utc>::MIN_UTC) == (zone == chrono_tz::Asia::Shanghai)
                    }
                );
            }
        }
    }
}
