//! A moment as a terminal knows it: a wall clock that may be wrong, and a boot clock that never jumps.

use chrono::{DateTime, Utc};
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
