//! The nouns every part shares: identifiers, scales and their values, and a moment in time with its quality.
//!
//! Pure data. Invariants:
//! - an identifier that exists is well-formed (it was parsed once, at an edge);
//! - a [`Value`] by itself is a bare number; only [`Scale::holds`] says whether it belongs to a scale.

mod ids;
mod scale;
pub(crate) mod tags;
mod time;

pub use ids::{
    BootId, ChainId, EntryId, Hash, IdError, Lang, PersonId, QuestionId, QuestionnaireId, QuestionnaireRef,
    ReasonId, ResponseId, SessionId, SiteId, StoreId, TerminalId, TokenId, TouchpointId,
};
pub(crate) use scale::Level;
pub use scale::{Polarity, Scale, Value};
pub use time::{Moment, TimeQuality, millis, rfc3339};
