//! What a reader of central gets to see, as data: one file a subject. `api` and `web` render it; neither loads or decides by itself.

pub(super) mod chains;
pub(super) mod help;
pub(super) mod incidents;
pub(super) mod levels;
pub(super) mod quarantine;
pub(super) mod scores;
pub(super) mod terminals;

use super::{app::App, domain::scores::RangeError, store::StoreError};
use crate::questionnaire::Site;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueryError {
    /// A parameter that cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Parameters that can be read, and together ask for a span that cannot be answered.
    #[error("{0}")]
    Span(String),
    /// Something that does not exist.
    #[error("{0}")]
    Unknown(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RangeError> for QueryError {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Unreadable(_) => Self::Unreadable(error.to_string()),
            RangeError::Twice
            | RangeError::Backwards
            | RangeError::TooLong { .. }
            | RangeError::Endless(_) => Self::Span(error.to_string()),
        }
    }
}

/// The sites a query is about: the one it names, or all.
pub(super) fn sites(app: &App, wanted: Option<&str>) -> Result<Vec<Site>, QueryError> {
    let hospital = app.hospital();
    let Some(wanted) = wanted else { return Ok(hospital.sites.clone()) };
    let found = hospital.sites.iter().find(|site| site.id.as_str() == wanted);
    found
        .map(|site| vec![site.clone()])
        .ok_or_else(|| QueryError::Unknown(format!("there is no site `{}`", short(wanted))))
}

/// Enough of a text that somebody sent to know it again.
pub(super) fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
