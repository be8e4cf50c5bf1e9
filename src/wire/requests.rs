//! Requests and answers around the entries.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::{
    ChainId, EntryId, Hash, Moment, SiteId, StoreId, TerminalId, TimeQuality, TouchpointId, millis,
};

/// The machine name of a terminal whose answers a program made up to show what central's page looks like. Central takes such a terminal in only
/// if it was started for that, and says beside its answers that nobody gave them.
pub const EXAMPLE_HARDWARE: &str = "example-data";

/// The first line of a batch; the exact entry lines follow, each ended by a newline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BatchHeader {
    /// Which journal.
    pub chain: ChainId,
    /// Sequence number of the first entry.
    pub first_seq: u64,
    /// Chain hash before the first entry.
    pub previous_hash: Hash,
    /// How many lines follow.
    pub count: u32,
    /// Chain hash after the last entry.
    pub head_hash: Hash,
    /// When the terminal sent it: central learns the offset of this boot's clock from it.
    pub sent: Moment,
}

/// An entry central stored but could not interpret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct Quarantined {
    /// Place in the chain.
    pub seq: u64,
    /// Why, in words for staff.
    pub reason: String,
}

/// Central's signed word that it has everything up to `accepted_through`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Which store speaks.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub store: StoreId,
    /// Which journal.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub chain: ChainId,
    /// Last sequence number of the unbroken prefix it holds.
    pub accepted_through: u64,
    /// Chain hash at `accepted_through`.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub head_hash: Hash,
    /// Entries of this batch that are new.
    pub stored: u32,
    /// Entries of this batch that were there.
    pub duplicate: u32,
    /// Entries stored but not understood.
    #[serde(default)]
    pub quarantined: Vec<Quarantined>,
    /// When to come again, in seconds.
    pub next_sync_after_s: u32,
    /// Central's clock.
    #[serde(with = "millis")]
    pub time: DateTime<Utc>,
}

/// How far central is with a journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct CursorReply {
    /// Which store speaks.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub store: StoreId,
    /// Which journal.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub chain: ChainId,
    /// Last sequence number held; 0 for an unknown journal.
    pub accepted_through: u64,
    /// Chain hash there; the chain's first hash when nothing is held.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub head_hash: Hash,
    /// Central's clock.
    #[serde(with = "millis")]
    pub time: DateTime<Utc>,
}

/// Which certificate central serves with: its word for a terminal that meets a key it does not know.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct CertificateReply {
    /// Which store speaks.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub store: StoreId,
    /// SHA-256 of the certificate's key (`SubjectPublicKeyInfo`); null where central does not encrypt by itself.
    #[cfg_attr(feature = "central", schema(value_type = Option<String>))]
    pub key: Option<Hash>,
    /// Central's clock.
    #[serde(with = "millis")]
    pub time: DateTime<Utc>,
}

/// A terminal asks to be taken in. The request is signed with the key it offers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// The one-time code staff made.
    pub code: String,
    /// Ed25519 public key, base64.
    pub public_key: String,
    /// What tells this machine from a copy of its card.
    pub hardware_id: String,
    /// Program version.
    pub software: String,
    /// The terminal's clock.
    pub sent: Moment,
}

/// A terminal was taken in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct EnrolmentReply {
    /// Its name from now on.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub terminal: TerminalId,
    /// Where it belongs.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub site: SiteId,
    /// The touchpoint the code was made for.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub touchpoint: TouchpointId,
    /// Which store speaks.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub store: StoreId,
    /// Central's Ed25519 public key, base64; receipts are checked against it.
    pub central_key: String,
    /// Central's clock.
    #[serde(with = "millis")]
    pub time: DateTime<Utc>,
}

/// A terminal's screen.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct ScreenFacts {
    /// Pixels across.
    pub width_px: u32,
    /// Pixels down.
    pub height_px: u32,
}

/// How a terminal is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct Health {
    /// The journal it writes.
    #[cfg_attr(feature = "central", schema(value_type = String))]
    pub chain: ChainId,
    /// Last sequence number written.
    pub last_seq: u64,
    /// Entries without a receipt.
    pub queue_depth: u64,
    /// Age of the oldest of them, in seconds.
    pub oldest_unsent_s: Option<u64>,
    /// Entries held in memory alone, because the terminal's disk refuses them.
    #[serde(default)]
    pub unsaved: u64,
    /// Entries central refused one by one; kept on the terminal.
    #[serde(default)]
    pub refused: u64,
    /// What went wrong last, in words.
    pub last_error: Option<String>,
    /// Degrees Celsius.
    pub temperature_c: Option<f32>,
    /// Free bytes where the journal lies.
    pub disk_free_bytes: Option<u64>,
    /// What the clock is worth.
    pub clock: TimeQuality,
    /// Program version.
    pub software: String,
    /// SHA-256 of the configuration in force, hexadecimal.
    pub config_hash: String,
    /// The panel.
    #[serde(default)]
    pub screen: ScreenFacts,
    /// Program starts since the journal was made.
    #[serde(default)]
    pub restarts: u64,
    /// An entry with this id was the newest when storage was found damaged; what came after it may be lost.
    #[serde(default)]
    #[cfg_attr(feature = "central", schema(value_type = Option<String>))]
    pub lost_after: Option<EntryId>,
    /// The terminal's clock.
    pub sent: Moment,
}

/// Longest free text of a health report that is kept, in characters.
const HEALTH_CHARS_MAX: usize = 300;

impl Health {
    /// The report with every figure in the range that it can have: what a terminal says is shown to staff, added up and written out.
    /// `oldest_s_max` is the greatest age that an entry can have.
    #[must_use]
    pub fn bounded(self, oldest_s_max: u64) -> Self {
        // Sums of terminals and 63-bit columns hold it with room to spare.
        let count = |n: u64| n.min(1 << 48);
        let text = |text: String| text.chars().take(HEALTH_CHARS_MAX).collect::<String>();
        let wall = self.sent.wall.clamp(DateTime::UNIX_EPOCH, LATEST_WALL);
        Self {
            last_seq: self.last_seq.min(u64::MAX >> 1),
            queue_depth: count(self.queue_depth),
            oldest_unsent_s: self.oldest_unsent_s.map(|age| age.min(oldest_s_max)),
            unsaved: count(self.unsaved),
            refused: count(self.refused),
            last_error: self.last_error.map(text),
            temperature_c: self.temperature_c.filter(|celsius| (-100.0..=300.0).contains(celsius)),
            disk_free_bytes: self.disk_free_bytes.map(|bytes| bytes.min(u64::MAX >> 1)),
            software: text(self.software),
            config_hash: text(self.config_hash),
            restarts: count(self.restarts),
            sent: Moment { wall, ..self.sent },
            ..self
        }
    }
}

/// The last second of the year 9999, beyond which a date has no common spelling.
const LATEST_WALL: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(at) => at,
    None => DateTime::UNIX_EPOCH,
};

/// Central's answer to [`Health`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct HealthReply {
    /// When to come again, in seconds.
    pub next_sync_after_s: u32,
    /// `ETag` of the configuration central delivers, if it delivers one.
    pub config_etag: Option<String>,
    /// Commands for the terminal; unknown ones are ignored. Known: `sync_now`.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Entries of this terminal that central keeps and cannot read at present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<u64>,
    /// Central's clock.
    #[serde(with = "millis")]
    pub time: DateTime<Utc>,
}

/// RFC 9457 problem details.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A stable name of the kind of problem, as a relative URI.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This case in words: what, and how to fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// On a conflict: the last sequence number central holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_through: Option<u64>,
    /// On a conflict: the chain hash there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "central", schema(value_type = Option<String>))]
    pub head_hash: Option<Hash>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BootId;

    #[test]
    fn a_health_report_of_extremes_is_bounded_and_can_be_written_and_read() {
        let sent = Moment {
            wall: DateTime::<Utc>::MAX_UTC,
            boot: BootId::from_parts(1, [1; 10]),
            up_ms: u64::MAX,
            quality: TimeQuality::Synced,
        };
        let report = Health {
            chain: ChainId([1; 16]),
            last_seq: u64::MAX,
            queue_depth: u64::MAX,
            oldest_unsent_s: Some(u64::MAX),
            unsaved: u64::MAX,
            refused: u64::MAX,
            last_error: Some("x".repeat(1_000_000)),
            temperature_c: Some(f32::INFINITY),
            disk_free_bytes: Some(u64::MAX),
            clock: TimeQuality::Synced,
            software: "v".repeat(10_000),
            config_hash: "h".repeat(10_000),
            screen: ScreenFacts { width_px: u32::MAX, height_px: 0 },
            restarts: u64::MAX,
            lost_after: None,
            sent,
        };
        let kept = report.bounded(1_000);
        assert_eq!((kept.oldest_unsent_s, kept.temperature_c), (Some(1_000), None));
        // A hundred thousand terminals that all say so.
        assert!(
            [kept.queue_depth, kept.unsaved, kept.refused, kept.restarts]
                .iter()
                .all(|n| n.checked_mul(30_000).is_some())
        );
        let text = serde_json::to_string(&kept).unwrap();
        assert!(text.len() < 2_000);
        assert_eq!(serde_json::from_str::<Health>(&text).unwrap(), kept);
    }
}
