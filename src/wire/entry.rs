//! A journal entry: one line of JSON.

use serde::{Deserialize, Serialize};

use super::ENTRY_BYTES_MAX;
use crate::model::{
    BootId, EntryId, Hash, Lang, Moment, QuestionId, QuestionnaireRef, ReasonId, ResponseId, Scale,
    TimeQuality, TouchpointId, Value,
};

/// The entry format's version, field `v`.
const ENTRY_VERSION: u32 = 1;

/// Why a line is not an entry this version can read.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Longer than [`ENTRY_BYTES_MAX`].
    #[error("entry line has {0} bytes, more than {ENTRY_BYTES_MAX}")]
    TooLong(usize),
    /// Not JSON, an unknown kind, or a field that does not fit.
    #[error("entry line cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// Written by a newer format.
    #[error("entry has format version {0}, this program reads {ENTRY_VERSION}")]
    Version(u32),
}

/// What is to be written to the journal; sequence number and hash are the journal's to give.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// Unique id, made by the caller.
    pub id: EntryId,
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub body: Body,
}

/// One line of a journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Format version.
    pub v: u32,
    /// Place in its chain, from 1 without gaps.
    pub seq: u64,
    /// Unique across chains.
    pub id: EntryId,
    /// When it happened.
    pub at: Moment,
    /// What happened.
    #[serde(flatten)]
    pub body: Body,
}

impl Entry {
    /// Gives a draft its place in a chain.
    pub fn new(draft: Draft, seq: u64) -> Self {
        Self { v: ENTRY_VERSION, seq, id: draft.id, at: draft.at, body: draft.body }
    }

    /// The line that is stored, hashed and sent.
    pub fn to_line(&self) -> Result<String, EntryError> {
        let line = serde_json::to_string(self).map_err(EntryError::Unreadable)?;
        if line.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong(line.len()));
        }
        Ok(line)
    }

    /// Reads a line. Unknown fields are ignored.
    pub fn from_line(line: &[u8]) -> Result<Self, EntryError> {
        if line.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong(line.len()));
        }
        let entry: Self = serde_json::from_slice(line).map_err(EntryError::Unreadable)?;
        if entry.v == ENTRY_VERSION { Ok(entry) } else { Err(EntryError::Version(entry.v)) }
    }
}

/// Stands in a batch for a line that is not sent: `{"withheld":{"seq":7,"leaf":"..","reason":".."}}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "WithheldLine", into = "WithheldLine")]
pub struct Withheld {
    /// Place in its chain.
    pub seq: u64,
    /// SHA-256 of the line that is not sent.
    pub leaf: Hash,
    /// Why it is not sent: `erased` or central's own refusal.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
struct WithheldLine {
    withheld: WithheldFields,
}

#[derive(Serialize, Deserialize)]
struct WithheldFields {
    seq: u64,
    leaf: Hash,
    reason: String,
}

impl From<WithheldLine> for Withheld {
    fn from(line: WithheldLine) -> Self {
        let WithheldFields { seq, leaf, reason } = line.withheld;
        Self { seq, leaf, reason }
    }
}

impl From<Withheld> for WithheldLine {
    fn from(Withheld { seq, leaf, reason }: Withheld) -> Self {
        Self { withheld: WithheldFields { seq, leaf, reason } }
    }
}

/// What happened, by `kind`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// The program started.
    Boot(BootFacts),
    /// A visitor chose a value.
    Answer(Answer),
    /// A visitor chose reasons for a value.
    Reasons(Reasons),
    /// A visitor's pass ended.
    ResponseEnd(ResponseEnd),
    /// A visitor asked for help.
    HelpCalled(HelpCall),
    /// The screen was locked for wiping.
    Cleaning(Cleaning),
    /// A button was tested by staff; never counts as an answer.
    SelfTest(SelfTest),
    /// The configuration changed, or a wrong one was refused.
    Config(ConfigChange),
}

impl Body {
    /// The name in the `kind` field.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Boot(_) => "boot",
            Self::Answer(_) => "answer",
            Self::Reasons(_) => "reasons",
            Self::ResponseEnd(_) => "response_end",
            Self::HelpCalled(_) => "help_called",
            Self::Cleaning(_) => "cleaning",
            Self::SelfTest(_) => "self_test",
            Self::Config(_) => "config",
        }
    }
}

/// The state a program started in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BootFacts {
    /// Program version.
    pub software: String,
    /// SHA-256 of the configuration in force, hexadecimal.
    pub config_hash: String,
    /// Start of the operating system.
    pub boot: BootId,
    /// What the clock is worth.
    pub clock: TimeQuality,
    /// The touchpoints it asks about, the first one first: central learns from it where the terminal stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touchpoints: Vec<TouchpointId>,
    /// The chain that begins with this entry is held in memory, because the disk refuses entries.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_memory: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// An opinion about an answer. Flags never drop an answer; scores are computed with and without them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Within 5 s of the last response.
    Repeat,
    /// More than 6 responses within a minute.
    Burst,
    /// Less than 300 ms after the question was shown.
    TooFast,
    /// Several targets in one stroke.
    Sweep,
    /// A flag of a newer version.
    #[serde(other)]
    Other,
}

/// A chosen value. A later answer to the same question of the same response replaces it in the scores.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The visitor's pass.
    pub response: ResponseId,
    /// What is rated.
    pub touchpoint: TouchpointId,
    /// Which wording.
    pub questionnaire: QuestionnaireRef,
    /// Which question of it.
    pub question: QuestionId,
    /// The scale the value belongs to.
    pub scale: Scale,
    /// The scale's code.
    pub value: Value,
    /// The language on screen.
    pub lang: Lang,
    /// From showing the question to the tap, in milliseconds; `None` where the question is the resting page.
    pub shown_ms: Option<u64>,
    /// The values as they lay on screen, in reading order.
    pub order: Vec<Value>,
    /// Opinions of the terminal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

/// Reasons for a value. A later list for the same question of the same response replaces it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reasons {
    /// The visitor's pass.
    pub response: ResponseId,
    /// What is rated.
    pub touchpoint: TouchpointId,
    /// Which wording.
    pub questionnaire: QuestionnaireRef,
    /// Which question of it.
    pub question: QuestionId,
    /// The value they explain.
    pub value: Value,
    /// Chosen reasons in configuration order; empty means "none of these".
    pub reasons: Vec<ReasonId>,
    /// The reasons as they lay on screen, in reading order.
    pub order: Vec<ReasonId>,
    /// The language on screen.
    pub lang: Lang,
    /// From showing the reasons to the decision, in milliseconds.
    pub shown_ms: u64,
}

/// How a visitor's pass ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndOutcome {
    /// All questions were answered.
    Completed,
    /// The visitor went away in the middle; what was answered counts.
    TimedOut,
    /// The visitor began and gave no answer.
    Left,
    /// The visitor took the answers back; they do not count.
    Undone,
}

/// The end of a visitor's pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResponseEnd {
    /// The visitor's pass.
    pub response: ResponseId,
    /// What was rated, if it got that far.
    pub touchpoint: Option<TouchpointId>,
    /// How it ended.
    pub outcome: EndOutcome,
    /// The response this one replaces, after "change my answer".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ResponseId>,
}

/// A call for help.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HelpCall {
    /// Where.
    pub touchpoint: TouchpointId,
    /// The caller's language.
    pub lang: Lang,
}

/// A locked screen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cleaning {
    /// Where.
    pub touchpoint: TouchpointId,
    /// How long the screen stays locked, in seconds.
    pub seconds: u32,
}

/// A tested button.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SelfTest {
    /// Where.
    pub touchpoint: TouchpointId,
    /// Which button.
    pub target: String,
}

/// A configuration that was taken or refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfigChange {
    /// SHA-256 of the configuration, hexadecimal.
    pub config_hash: String,
    /// Whether it is in force.
    pub accepted: bool,
    /// Why it was refused: the first problem found; or what staff chose on site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is rated at the terminal from now on; empty where that did not change, and in entries of versions that did not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touchpoints: Vec<TouchpointId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::survived;

    /// A line as version 0.1.0 wrote it. It must stay readable: lines like it lie on terminals.
    const ANSWER_LINE: &str = r#"{"v":1,"seq":7,"id":"01890a5d-ac96-774b-bcce-b302099a8057","at":{"wall":"2026-11-21T08:30:00.000Z","boot":"01890a5d-ac96-774b-bcce-b302099a8000","up_ms":123456,"quality":"synced"},"kind":"answer","response":"01890a5d-ac96-774b-bcce-b302099a8001","touchpoint":"registration","questionnaire":"outpatient@1","question":"service","scale":"csat5","value":5,"lang":"zh-CN","shown_ms":2100,"order":[1,2,3,4,5],"flags":["repeat"]}"#;

    #[test]
    fn a_line_reads_and_writes_as_the_same_bytes() -> Result<(), EntryError> {
        let entry = Entry::from_line(ANSWER_LINE.as_bytes())?;
        assert_eq!(entry.body.kind(), "answer");
        assert_eq!(entry.to_line()?, ANSWER_LINE);
        Ok(())
    }

    #[test]
    fn unknown_fields_and_flags_are_read_over() -> Result<(), EntryError> {
        let line = ANSWER_LINE.replace(r#"["repeat"]"#, r#"["hovering"],"mood":"calm""#);
        let entry = Entry::from_line(line.as_bytes())?;
        assert!(matches!(entry.body, Body::Answer(a) if a.flags == [Flag::Other]));
        survived!(25; 1, "line of a newer program");
        Ok(())
    }

    #[test]
    fn a_withheld_line_is_no_entry_and_an_entry_is_no_withheld_line() -> Result<(), serde_json::Error> {
        let withheld = Withheld { seq: 7, leaf: Hash([1; 32]), reason: "erased".into() };
        let line = serde_json::to_string(&withheld)?;
        assert!(line.starts_with(r#"{"withheld":{"seq":7,"leaf":"#));
        assert_eq!(serde_json::from_str::<Withheld>(&line)?, withheld);
        assert!(Entry::from_line(line.as_bytes()).is_err());
        assert!(serde_json::from_str::<Withheld>(ANSWER_LINE).is_err());
        Ok(())
    }

    #[test]
    fn unknown_kinds_and_versions_are_errors() {
        let kind = ANSWER_LINE.replace(r#""kind":"answer""#, r#""kind":"dance""#);
        assert!(matches!(Entry::from_line(kind.as_bytes()), Err(EntryError::Unreadable(_))));
        let version = ANSWER_LINE.replace(r#""v":1"#, r#""v":2"#);
        assert!(matches!(Entry::from_line(version.as_bytes()), Err(EntryError::Version(2))));
        let long = format!("{ANSWER_LINE}{}", " ".repeat(ENTRY_BYTES_MAX));
        assert!(matches!(Entry::from_line(long.as_bytes()), Err(EntryError::TooLong(_))));
        survived!(25; 2, "lines of a newer program");
    }
}
