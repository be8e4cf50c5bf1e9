//! Why central is not in contact: a [`Fault`] out of few, and the words that say it exactly.
//!
//! The faults follow what somebody at the terminal can do about them, so that the pages have a sentence for each in every language. The
//! words are English and hold what only an administrator needs: for the log, the command line and central's list of terminals.

use std::fmt;

use crate::secrets;

/// What keeps a terminal from its central, as far as staff can tell it apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Central's name has no address.
    NameUnresolved,
    /// There is no connection.
    Unreached,
    /// Central's certificate is over or not valid yet, or the clock here is wrong.
    CertificateTime,
    /// Central's certificate comes from an unknown authority.
    CertificateIssuer,
    /// Central's certificate is for another name.
    CertificateName,
    /// No answer in time, or half of one.
    NoAnswer,
    /// Central is busy or restarting.
    Busy,
    /// What answers is not the central this terminal knows.
    InBetween,
    /// Central does not know this terminal, or no longer.
    NotAccepted,
    /// The address, the settings or the version of one side is wrong.
    Misconfigured,
    /// This terminal has no usable identity yet.
    NotEnrolled,
    /// The identity here is another machine's.
    Cloned,
    /// Whatever only the words can say.
    Other,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 13] = [
        Self::NameUnresolved,
        Self::Unreached,
        Self::CertificateTime,
        Self::CertificateIssuer,
        Self::CertificateName,
        Self::NoAnswer,
        Self::Busy,
        Self::InBetween,
        Self::NotAccepted,
        Self::Misconfigured,
        Self::NotEnrolled,
        Self::Cloned,
        Self::Other,
    ];
}

/// Why central is not in contact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    /// What kind of fault.
    pub fault: Fault,
    /// The same in English, with everything that is known.
    pub words: String,
}

impl Diagnosis {
    /// A fault and its words.
    pub fn new(fault: Fault, words: impl Into<String>) -> Self {
        Self { fault, words: secrets::without_user_info(&words.into()) }
    }

    /// An error with its causes.
    pub(crate) fn of_error(fault: Fault, error: impl Into<anyhow::Error>) -> Self {
        Self::new(fault, format!("{:#}", error.into()))
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
