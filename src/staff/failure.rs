//! Why an export or an enrolment did not work, as far as staff can do something about it.
//!
//! Like [`crate::sync::Diagnosis`]: a fault that has a sentence in the language of staff, and the exact words in English for the log.

use std::io::ErrorKind;

use crate::{
    journal::JournalError,
    sync::{EnrolError, Fault},
};

/// Why no entries are on the stick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportFault {
    /// The stick is no longer there.
    TakenOut,
    /// There is no room on it.
    Full,
    /// It cannot be written to.
    ReadOnly,
    /// Something else with the stick.
    Stick,
    /// The journal cannot be read.
    Journal,
}

impl ExportFault {
    /// Every one, for the pages and their tests.
    pub const ALL: [Self; 5] = [Self::TakenOut, Self::Full, Self::ReadOnly, Self::Stick, Self::Journal];
}

/// Why a terminal was not enrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnrolFault {
    /// Central does not take the code.
    Code,
    /// The identity cannot be stored here.
    Storage,
    /// Central was not reached, or not central.
    Central(Fault),
}

/// A fault with its exact words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure<F> {
    /// What staff can do something about.
    pub fault: F,
    /// The exact words, in English.
    pub words: String,
}

impl<F> Failure<F> {
    /// A fault and its words.
    pub fn new(fault: F, words: impl Into<String>) -> Self {
        Self { fault, words: words.into() }
    }
}

impl Failure<ExportFault> {
    /// Of what an export ended with.
    pub(crate) fn of_export(error: &anyhow::Error) -> Self {
        let is_journal =
            error.chain().any(|cause| cause.is::<JournalError>() || cause.is::<rusqlite::Error>());
        let kind =
            error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
        let fault = match kind {
            _ if is_journal => ExportFault::Journal,
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) => {
                ExportFault::Full
            }
            Some(ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied) => ExportFault::ReadOnly,
            Some(ErrorKind::NotFound | ErrorKind::NotADirectory) => ExportFault::TakenOut,
            _ => ExportFault::Stick,
        };
        Self::new(fault, format!("{error:#}"))
    }
}

impl Failure<EnrolFault> {
    /// Of what an enrolment ended with.
    pub(crate) fn of_enrolment(error: EnrolError) -> Self {
        let fault = match &error {
            EnrolError::Transport(error) => EnrolFault::Central(error.fault()),
            EnrolError::Unreached(trouble) => EnrolFault::Central(trouble.fault()),
            // Of twenty digits one is mistyped far more often than somebody is in between; the log has both.
            EnrolError::Code | EnrolError::OtherCentral | EnrolError::Refused { .. } => EnrolFault::Code,
            EnrolError::Foreign { .. } | EnrolError::Unsigned(_) | EnrolError::Key(_) => {
                EnrolFault::Central(Fault::InBetween)
            }
            EnrolError::Unreadable(_) => EnrolFault::Central(Fault::Misconfigured),
            EnrolError::Message(_) => EnrolFault::Central(Fault::Other),
            EnrolError::Identity(_) => EnrolFault::Storage,
        };
        Self::new(fault, format!("{:#}", anyhow::Error::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::sync::outcome::Trouble;

    #[test]
    fn an_export_fails_for_reasons_that_staff_can_tell_apart() {
        let of = |kind: ErrorKind| {
            let error =
                Err::<(), _>(std::io::Error::from(kind)).context("cannot write xinsheng.jsonl").unwrap_err();
            Failure::of_export(&error).fault
        };
        assert_eq!(of(ErrorKind::StorageFull), ExportFault::Full);
        assert_eq!(of(ErrorKind::ReadOnlyFilesystem), ExportFault::ReadOnly);
        assert_eq!(of(ErrorKind::NotFound), ExportFault::TakenOut);
        assert_eq!(of(ErrorKind::Other), ExportFault::Stick);
        let journal =
            anyhow::Error::new(rusqlite::Error::InvalidQuery).context("cannot write xinsheng.jsonl");
        let failure = Failure::of_export(&journal);
        assert_eq!(failure.fault, ExportFault::Journal);
        assert!(failure.words.starts_with("cannot write xinsheng.jsonl: "), "{}", failure.words);
    }

    #[test]
    fn a_wrong_code_is_told_from_a_central_that_is_not_reached() {
        let refused = EnrolError::Refused { status: 403, reason: "used".into() };
        assert_eq!(Failure::of_enrolment(refused).fault, EnrolFault::Code);
        let unreached = EnrolError::Unreached(Trouble::Resolve);
        assert_eq!(Failure::of_enrolment(unreached).fault, EnrolFault::Central(Fault::NameUnresolved));
        let portal = EnrolError::Foreign { status: 200, content_type: "text/html".into() };
        assert_eq!(Failure::of_enrolment(portal).fault, EnrolFault::Central(Fault::InBetween));
    }
}
