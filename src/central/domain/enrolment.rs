//! Enrolment: which code lets which terminal in, and the end of a terminal's key.
//!
//! Invariants:
//! - a code lets one key in, once, before it ends; the same key with the same code again gets the same answer, because the first one may
//!   have been lost on the way;
//! - a key that was revoked is not let in again by the code that let it in;
//! - the first revocation stays.

use chrono::{DateTime, Utc};

use crate::model::{Hash, TerminalId, TouchpointId};

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

/// The offered code as a store holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HeldCode {
    pub(crate) touchpoint: TouchpointId,
    pub(crate) expires_at: DateTime<Utc>,
    /// The terminal that it let in.
    pub(crate) used_by: Option<User>,
}

/// A terminal that was let in by a code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct User {
    pub(crate) terminal: TerminalId,
    /// Its key, base64, and whether that was revoked; `None` if the terminal is not there.
    pub(crate) key: Option<(String, bool)>,
}

/// What is told, and what is written: if `takes_in`, the terminal, its first place from now on, and the code as used by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Enrolment {
    pub(crate) outcome: Enrolled,
    pub(crate) takes_in: bool,
}

/// Whether a code lets a terminal in.
pub(crate) fn decide(code: Option<HeldCode>, new: &NewTerminal) -> Enrolment {
    let told = |outcome| Enrolment { outcome, takes_in: false };
    let Some(code) = code else { return told(Enrolled::UnknownCode) };
    let touchpoint = code.touchpoint;
    match code.used_by {
        Some(User { terminal, key: Some((key, revoked)) }) if key == new.public_key && !revoked => {
            told(Enrolled::Welcome { terminal, touchpoint })
        }
        Some(_) => told(Enrolled::UsedCode),
        None if code.expires_at <= new.at => told(Enrolled::ExpiredCode),
        None => Enrolment {
            outcome: Enrolled::Welcome { terminal: new.terminal.clone(), touchpoint },
            takes_in: true,
        },
    }
}

/// When a key ended that is revoked now; `held` says when it was revoked before.
pub(crate) fn revoked_at(held: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    held.unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-11-21T08:00:00Z".parse().unwrap()
    }

    fn asks(key: &str, hours: i64) -> NewTerminal {
        NewTerminal {
            code_hash: Hash([9; 32]),
            terminal: "t-new".parse().unwrap(),
            public_key: key.to_owned(),
            hardware_id: "pi-7".to_owned(),
            software: "1".to_owned(),
            at: start() + TimeDelta::hours(hours),
        }
    }

    fn code(used_by: Option<User>) -> HeldCode {
        let expires_at = start() + TimeDelta::hours(24);
        HeldCode { touchpoint: "window".parse().unwrap(), expires_at, used_by }
    }

    fn user(key: Option<(&str, bool)>) -> User {
        let key = key.map(|(key, revoked)| (key.to_owned(), revoked));
        User { terminal: "t-1".parse().unwrap(), key }
    }

    fn welcome(terminal: &str) -> Enrolled {
        Enrolled::Welcome { terminal: terminal.parse().unwrap(), touchpoint: "window".parse().unwrap() }
    }

    fn told(outcome: Enrolled) -> Enrolment {
        Enrolment { outcome, takes_in: false }
    }

    #[test]
    fn a_good_code_takes_a_terminal_in_under_the_name_it_offers() {
        assert_eq!(
            decide(Some(code(None)), &asks("k", 23)),
            Enrolment { outcome: welcome("t-new"), takes_in: true }
        );
    }

    #[test]
    fn a_code_that_was_never_made_or_is_a_day_old_takes_nobody_in() {
        assert_eq!(decide(None, &asks("k", 0)), told(Enrolled::UnknownCode));
        assert_eq!(decide(Some(code(None)), &asks("k", 24)), told(Enrolled::ExpiredCode));
    }

    #[test]
    fn the_same_key_gets_the_same_answer_again_also_when_the_code_has_ended_since() {
        for hours in [0, 48] {
            let used = code(Some(user(Some(("k", false)))));
            assert_eq!(decide(Some(used), &asks("k", hours)), told(welcome("t-1")));
        }
    }

    #[test]
    fn a_used_code_takes_in_no_other_key_no_revoked_key_and_nobody_whose_terminal_is_gone() {
        for used_by in [user(Some(("other", false))), user(Some(("k", true))), user(None)] {
            assert_eq!(decide(Some(code(Some(used_by))), &asks("k", 0)), told(Enrolled::UsedCode));
        }
    }

    #[test]
    fn the_first_revocation_stays() {
        let later = start() + TimeDelta::hours(1);
        assert_eq!(revoked_at(None, later), later);
        assert_eq!(revoked_at(Some(start()), later), start());
    }
}
