//! What goes into the store and comes out of it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::{
    central::domain::ingest::{AnswerRow, Batch, Counter},
    model::{
        ChainId, Hash, QuestionId, QuestionnaireRef, ReasonId, ResponseId, Scale, SiteId, TerminalId,
        TouchpointId, Value,
    },
    questionnaire::{Hospital, Questionnaire, Touchpoint},
    wire::{Health, Quarantined},
};

/// Buttons tested within this time belong to one test: a terminal with many places has more than a hundred.
pub(crate) const SELF_TEST_SPAN: TimeDelta = TimeDelta::minutes(60);

/// A one-time enrolment code, by its hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCode {
    /// SHA-256 of the normalised code.
    pub code_hash: Hash,
    /// The touchpoint the terminal will stand at.
    pub touchpoint: TouchpointId,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A terminal that wants in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTerminal {
    /// SHA-256 of the code it offers.
    pub code_hash: Hash,
    /// The name it gets if the code is good; a name in use is never given twice.
    pub terminal: TerminalId,
    /// Base64.
    pub public_key: String,
    /// What tells the machine from a copy of its card.
    pub hardware_id: String,
    /// Program version.
    pub software: String,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What became of an enrolment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enrolled {
    /// Taken in, or taken in before with the same code and key (the answer was lost).
    Welcome {
        /// Its name.
        terminal: TerminalId,
        /// Where it stands.
        touchpoint: TouchpointId,
    },
    /// No such code.
    UnknownCode,
    /// The code is used.
    UsedCode,
    /// The code is too old.
    ExpiredCode,
}

/// An enrolled terminal.
#[derive(Clone, PartialEq, Debug)]
pub struct Terminal {
    /// Where it belongs.
    pub site: SiteId,
    /// Its name.
    pub id: TerminalId,
    /// Base64.
    pub public_key: String,
    /// What tells the machine from a copy of its card.
    pub hardware_id: String,
    /// The touchpoint it stands at.
    pub touchpoint: TouchpointId,
    /// Program version at enrolment.
    pub software: String,
    /// When it was taken in.
    pub enrolled_at: DateTime<Utc>,
    /// When its key was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Its last signed request.
    pub last_seen: Option<DateTime<Utc>>,
    /// What it last said about itself.
    pub health: Option<Health>,
}

/// How far a journal is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The terminal that writes it.
    pub terminal: TerminalId,
    /// End of the unbroken prefix.
    pub accepted_through: u64,
    /// Chain hash there.
    pub head_hash: Hash,
    /// When its first batch came.
    pub first_received: DateTime<Utc>,
    /// When its last new entry came.
    pub last_received: DateTime<Utc>,
}

/// A verified batch with its proof.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The site.
    pub site: SiteId,
    /// Its time zone.
    pub zone: Tz,
    /// Who sent it.
    pub terminal: TerminalId,
    /// The key its signature was checked with, base64.
    pub public_key: String,
    /// The batch.
    pub batch: Batch,
    /// The signed request: what an auditor checks the signature with.
    pub proof: SignedRequest,
    /// What is asked where.
    pub hospital: Arc<Hospital>,
    /// Now.
    pub received_at: DateTime<Utc>,
}

/// The parts of a signed request that are kept.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct SignedRequest {
    /// `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The `xinsheng-protocol` header.
    pub protocol: String,
    /// The `content-encoding` header.
    pub content_encoding: Option<String>,
    /// The `content-digest` header.
    pub content_digest: String,
    /// The `signature-input` header.
    pub signature_input: String,
    /// The `signature` header.
    pub signature: String,
    /// The body as sent, where it cannot be made again from what is stored.
    #[serde(skip)]
    pub content: Option<Vec<u8>>,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ingested {
    /// It lies on the unbroken prefix, or beyond a gap and nothing was stored.
    Accepted {
        /// How far the journal is held.
        accepted_through: u64,
        /// Chain hash there.
        head_hash: Hash,
        /// New entries.
        stored: u32,
        /// Entries that were held.
        duplicate: u32,
        /// Entries not understood.
        quarantined: Vec<Quarantined>,
        /// Whether any count changed.
        counted: bool,
        /// Calls for help among the new entries, late ones included.
        help_calls: u32,
    },
    /// Another history is held under the same places; a clone alarm was raised.
    Conflict {
        /// How far the journal is held.
        accepted_through: u64,
        /// Chain hash there.
        head_hash: Hash,
    },
}

/// One stored entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEntry {
    /// Place in the chain.
    pub seq: u64,
    /// Chain hash after it.
    pub hash: Hash,
    /// The line; `None` where only its leaf hash came.
    pub line: Option<Vec<u8>>,
    /// The leaf hash, where there is no line.
    pub leaf: Option<Hash>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// `projected`, `not_counted`, `quarantined`, `withheld` or `repeated`.
    pub state: String,
    /// The reason for it.
    pub reason: Option<String>,
}

/// A kept signed head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// First entry of the batch.
    pub first_seq: u64,
    /// Last entry of the batch.
    pub seq: u64,
    /// Chain hash after it.
    pub head_hash: Hash,
    /// Who signed.
    pub terminal: TerminalId,
    /// With which key, base64.
    pub public_key: String,
    /// The header line of the batch.
    pub header_line: Vec<u8>,
    /// The signed request.
    pub proof: SignedRequest,
}

/// An entry that was not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantinedEntry {
    /// The terminal.
    pub terminal: TerminalId,
    /// The journal.
    pub chain: ChainId,
    /// Its place there.
    pub seq: u64,
    /// Why.
    pub reason: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// The line.
    pub line: Vec<u8>,
}

/// Entries in the quarantine that have the terminal and the reason in common.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantineGroup {
    /// The terminal.
    pub terminal: TerminalId,
    /// Why they are not understood.
    pub reason: String,
    /// How many.
    pub entries: u64,
    /// When the first of them came.
    pub first_at: DateTime<Utc>,
    /// When the last of them came.
    pub last_at: DateTime<Utc>,
}

/// What is counted for the numbers of a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SiteLevels {
    /// Entries in the quarantine.
    pub quarantined: u64,
    /// Incidents on record.
    pub incidents: u64,
    /// Calls for help that ring.
    pub help_open: u64,
}

/// What a site's configuration said of its places and questions when it was last in force.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Remembered {
    /// Places, configured at present or not.
    pub places: Vec<Touchpoint>,
    /// Questionnaires, configured at present or not.
    pub questionnaires: Vec<Questionnaire>,
}

/// What a replay of the quarantine did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Entries now understood.
    pub understood: u64,
    /// Entries that stay.
    pub remaining: u64,
}

/// Something staff must know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// `clone` or `lost_entries`.
    pub kind: String,
    /// What it is about: a journal.
    pub subject: String,
    /// The terminal.
    pub terminal: TerminalId,
    /// First seen.
    pub first_at: DateTime<Utc>,
    /// Last seen.
    pub last_at: DateTime<Utc>,
    /// How often.
    pub times: u64,
    /// In words.
    pub detail: String,
}

/// The last test of a terminal's buttons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelfTested {
    /// The terminal.
    pub terminal: TerminalId,
    /// When its last button was tested.
    pub at: DateTime<Utc>,
    /// Different buttons tested within [`SELF_TEST_SPAN`] before that.
    pub targets: u64,
    /// Of so many, where the terminal said so.
    pub of: Option<u64>,
}

/// Which counts to read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CountQuery {
    /// Only this touchpoint.
    pub touchpoint: Option<TouchpointId>,
    /// Hours that start at or after this Unix second.
    pub from_hour: Option<i64>,
    /// Hours that start before this Unix second.
    pub to_hour: Option<i64>,
    /// Whether hours are kept apart; otherwise their sum is given.
    pub hourly: bool,
}

/// A count of answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// What is rated.
    pub touchpoint: TouchpointId,
    /// Which wording.
    pub questionnaire: QuestionnaireRef,
    /// Which question.
    pub question: QuestionId,
    /// The value's scale.
    pub scale: Scale,
    /// Start of the site-local hour; `None` if unknown or summed up.
    pub hour: Option<i64>,
    /// Whether the terminal doubted the answers.
    pub flagged: bool,
    /// The scale's code.
    pub value: Value,
    /// How many.
    pub n: u64,
}

/// A count of reasons for answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReasonCount {
    /// The answers: where, which question and value; `n` counts those with this reason.
    pub of: Count,
    /// The reason; `None` counts the visitors who were asked and answered.
    pub reason: Option<ReasonId>,
}

/// From a moment to before another, in Unix milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeSpan {
    /// First moment.
    pub from_ms: i64,
    /// First moment that is no longer part of it.
    pub to_ms: i64,
}

impl TimeSpan {
    /// All time.
    pub const ALL: Self = Self { from_ms: i64::MIN, to_ms: i64::MAX };
}

/// Where an answer stands in an export: by time, then by its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerKey {
    /// Its corrected time, Unix milliseconds.
    pub at_ms: i64,
    /// The visitor's pass.
    pub response: ResponseId,
    /// Which question.
    pub question: QuestionId,
}

/// An answer with the reasons for it.
#[derive(Clone, PartialEq, Debug)]
pub struct ExplainedAnswer {
    /// The answer.
    pub answer: AnswerRow,
    /// The reasons chosen for the value it stands at; `None` where none were asked.
    pub reasons: Option<Vec<ReasonId>>,
}

impl ExplainedAnswer {
    /// Its place in an export.
    pub fn key(&self) -> AnswerKey {
        let AnswerRow { timed, response, question, .. } = &self.answer;
        AnswerKey { at_ms: timed.at_ms, response: *response, question: question.clone() }
    }
}

/// A count that is not the number of its answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drift {
    /// Which count.
    pub counter: Counter,
    /// The reason counted, empty where it is the visitors who were asked for one; `None` for a count of answers.
    pub reason: Option<String>,
    /// What the rollup says.
    pub rollup: i64,
    /// What a recount gives.
    pub recount: i64,
}

/// How many entries stand in which state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainSummary {
    /// The journal.
    pub chain: ChainId,
    /// How far it is held.
    pub cursor: Cursor,
    /// Entries not understood.
    pub quarantined: u64,
    /// Entries whose line did not come.
    pub withheld: u64,
}
