//! A moment as a terminal knows it: a wall clock that may be wrong, and a boot clock that never jumps.

use chrono::{DateTime, Offset as _, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::BootId;

/// How far a wall clock can be trusted. A Raspberry Pi before the 5 has no clock chip, so it often starts in the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct Moment {
    /// Wall clock, UTC; written with milliseconds.
    #[serde(with = "millis")]
    pub wall: DateTime<Utc>,
    /// Which start of the machine.
    #[cfg_attr(feature = "central", schema(value_type = String, format = Uuid))]
    pub boot: BootId,
    /// Milliseconds since that start, suspended time included.
    pub up_ms: u64,
    /// What the wall clock is worth.
    pub quality: TimeQuality,
}

impl Moment {
    /// How long ago this was, in milliseconds: by the boot clock within a start of the machine, which no jump of the wall clock moves; else
    /// by the wall clock, if it was set both times. A time that lies ahead because a clock was wrong counts as now.
    pub fn age_ms(&self, now: &Self) -> Option<u64> {
        if self.boot == now.boot {
            return Some(now.up_ms.saturating_sub(self.up_ms));
        }
        let known = [self, now].iter().all(|moment| moment.quality != TimeQuality::Unset);
        known.then(|| u64::try_from((now.wall - self.wall).num_milliseconds()).unwrap_or(0))
    }
}

/// RFC 3339 text of a moment in a time zone; `None` where the local time lies outside the calendar, which starts and ends at
/// years that only a broken clock reaches. Every place that writes a stored time goes through here: chrono's own function panics.
pub fn rfc3339(at: DateTime<Utc>, zone: &impl chrono::TimeZone, decimals: SecondsFormat) -> Option<String> {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    at.naive_utc().checked_add_offset(offset)?;
    Some(at.with_timezone(&offset).to_rfc3339_opts(decimals, false))
}

/// RFC 3339 with exactly three decimals, so that a frozen line has one spelling.
pub mod millis {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the timestamp with milliseconds and `Z`.
    pub(crate) fn serialize<S: Serializer>(at: &DateTime<Utc>, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// Reads any RFC 3339 timestamp.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::<Utc>::deserialize(d)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(boot: u8, up_ms: u64, day: i64, quality: TimeQuality) -> Moment {
        let wall = DateTime::UNIX_EPOCH + TimeDelta::days(day);
        Moment { wall, boot: BootId::from_parts(0, [boot; 10]), up_ms, quality }
    }

    #[test]
    fn a_clock_that_is_set_late_makes_nothing_years_old() {
        let tapped = at(1, 60_000, 18_262, TimeQuality::Unset);
        let now = at(1, 240_000, 20_782, TimeQuality::Synced);
        assert_eq!(tapped.age_ms(&now), Some(180_000), "three minutes on the boot clock, and not 6.9 years");
        let after_a_reboot = at(2, 5_000, 20_782, TimeQuality::Synced);
        assert_eq!(tapped.age_ms(&after_a_reboot), None, "nobody knows");
    }

    #[test]
    fn between_two_starts_an_age_is_the_wall_clocks_and_never_negative() {
        let tapped = at(1, 60_000, 20_780, TimeQuality::Synced);
        assert_eq!(tapped.age_ms(&at(2, 5_000, 20_782, TimeQuality::Estimated)), Some(2 * 86_400_000));
        assert_eq!(tapped.age_ms(&at(2, 5_000, 20_779, TimeQuality::Synced)), Some(0));
    }

    #[test]
    fn a_time_at_either_end_of_the_calendar_is_written_or_refused_and_never_panics() {
        let zones = [chrono_tz::UTC, chrono_tz::Asia::Shanghai, chrono_tz::America::New_York];
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC] {
            for zone in zones {
                let text = rfc3339(at, &zone, SecondsFormat::Millis);
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
