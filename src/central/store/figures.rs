//! Counts of answers and of reasons, and the answers themselves.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    central::domain::ingest::{AnswerRow, Counter},
    model::{QuestionId, QuestionnaireRef, ReasonId, ResponseId, Scale, SiteId, TouchpointId, Value},
};

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

/// Gives figures.
#[async_trait]
pub trait FigureStore: Send + Sync {
    /// Counts of answers.
    async fn counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<Count>, StoreError>;

    /// Counts of the reasons for counted answers.
    async fn reason_counts(&self, site: &SiteId, query: CountQuery) -> Result<Vec<ReasonCount>, StoreError>;

    /// Answers of a span with the reasons for them, by time, after a key, for export.
    async fn answers(
        &self,
        site: &SiteId,
        span: TimeSpan,
        after: Option<AnswerKey>,
        limit: usize,
    ) -> Result<Vec<ExplainedAnswer>, StoreError>;

    /// Counts that differ from a recount of the answers; empty if all is well.
    async fn drift(&self, site: &SiteId) -> Result<Vec<Drift>, StoreError>;
}
