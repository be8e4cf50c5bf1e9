//! Incidents: what tells that entries are missing, not understood or not of one machine. Their kinds, how many of a terminal are kept, and
//! what one says in words for staff: what happened, and how to mend it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    central::store::QuarantineGroup,
    model::{ChainId, TerminalId},
};

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// Two machines write one journal, or a card was restored: another history came under the same places.
    Clone,
    /// A terminal found its storage damaged and may have lost entries.
    LostEntries,
    /// Entries are kept and not understood.
    Quarantine,
    /// A changed configuration has mistakes; the last good one stays in force.
    ConfigRefused,
    /// A changed configuration needs a restart.
    RestartNeeded,
    /// Terminals are enrolled for a site that the configuration does not have.
    SiteMissing,
}

impl IncidentKind {
    /// The name in tables and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clone => "clone",
            Self::LostEntries => "lost_entries",
            Self::Quarantine => "quarantine",
            Self::ConfigRefused => "config_refused",
            Self::RestartNeeded => "restart_needed",
            Self::SiteMissing => "site_missing",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Clone,
            Self::LostEntries,
            Self::Quarantine,
            Self::ConfigRefused,
            Self::RestartNeeded,
            Self::SiteMissing,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// An incident that has just happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NewIncident {
    pub(crate) kind: IncidentKind,
    /// The journal it is about.
    pub(crate) subject: ChainId,
    pub(crate) terminal: TerminalId,
    pub(crate) at: DateTime<Utc>,
    /// In words.
    pub(crate) detail: String,
}

/// Incidents of one kind that one terminal can cause in a day: what comes beyond is counted with the last of them, so that a terminal
/// that makes up journals cannot push everything else off the list.
pub(crate) const INCIDENTS_A_DAY_MAX: usize = 5;

const DAY: TimeDelta = TimeDelta::days(1);

impl NewIncident {
    /// A store reads the subjects of this terminal's incidents of this kind that were first seen after this moment, the latest first.
    pub(crate) fn look_back_to(&self) -> DateTime<Utc> {
        self.at.checked_sub_signed(DAY).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The subject under which it is kept: its own, or that of the day's latest where there are too many. `today` is what
    /// [`Self::look_back_to`] asks for.
    pub(crate) fn kept_under(&self, today: Vec<String>) -> String {
        let own = self.subject.to_string();
        let others = today.iter().filter(|subject| **subject != own).count();
        match today.into_iter().next() {
            Some(latest) if others >= INCIDENTS_A_DAY_MAX => latest,
            _ => own,
        }
    }
}

/// Entries in the quarantine with one reason.
pub(in crate::central) fn quarantine_words(group: &QuarantineGroup) -> String {
    let QuarantineGroup { terminal, reason, entries, .. } = group;
    let counted = if *entries == 1 { "1 entry is".to_owned() } else { format!("{entries} entries are") };
    format!("{counted} kept and not counted: {reason}. {}", mend(reason, terminal.as_str()))
}

/// What to do, by the words that the reason for a quarantine begins with.
fn mend(reason: &str, terminal: &str) -> String {
    let configure = "and save it: central takes the file into force and counts them by itself";
    if reason.starts_with("touchpoint ") && reason.contains(" belongs to site ") {
        format!(
            "Terminal {terminal} asks about a touchpoint of another site: correct its touchpoints, or move the touchpoint to this site in the touchpoints file {configure}"
        )
    } else if reason.ends_with("is not configured") || reason.contains(" is not configured ") {
        format!(
            "Add it to the touchpoints file {configure}; or correct the configuration of terminal {terminal}"
        )
    } else if reason.contains(" belongs to terminal ") {
        format!(
            "A terminal can change only its own answers: find out what terminal {terminal} is, and revoke its key if it is not yours"
        )
    } else if reason.contains("format version") {
        "Update central: it then counts them by itself".to_owned()
    } else if reason.contains(" scale ") {
        format!(
            "The question was changed without a new version of its questionnaire: give it one in the touchpoints file, with both versions, {configure}"
        )
    } else {
        format!(
            "Look at the lines with `xinsheng-central quarantine list`; terminal {terminal} may be damaged or run another program"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_of_the_quarantine_says_how_many_why_and_what_to_do() {
        let words = |entries, reason: &str| {
            quarantine_words(&QuarantineGroup {
                terminal: "t-1".parse().unwrap(),
                reason: reason.to_owned(),
                entries,
                first_at: DateTime::UNIX_EPOCH,
                last_at: DateTime::UNIX_EPOCH,
            })
        };
        let text = words(12, "touchpoint `desk-c` is not configured");
        assert!(text.starts_with("12 entries are kept and not counted: touchpoint `desk-c`"), "{text}");
        assert!(text.contains("Add it to the touchpoints file"), "{text}");
        assert!(words(1, "touchpoint `a` belongs to site `north`").contains("1 entry is"));
        assert!(words(1, "touchpoint `a` belongs to site `north`").contains("another site"));
        assert!(
            words(1, "question `q` of `x@1` has scale csat5, the answer has nps11").contains("new version")
        );
        assert!(words(1, "response `r` belongs to terminal `t-2`").contains("revoke"));
        assert!(words(1, "reason `wait` is not configured for value 1").contains("Add it"));
        assert!(words(1, "entry line cannot be read: eof").contains("quarantine list"));
    }

    fn incident(number: u8) -> NewIncident {
        NewIncident {
            kind: IncidentKind::Clone,
            subject: ChainId([number; 16]),
            terminal: "t-1".parse().unwrap(),
            at: DateTime::UNIX_EPOCH + DAY,
            detail: String::new(),
        }
    }

    fn today(numbers: impl IntoIterator<Item = u8>) -> Vec<String> {
        numbers.into_iter().map(|number| ChainId([number; 16]).to_string()).collect()
    }

    #[test]
    fn five_incidents_of_a_terminal_are_kept_in_a_day_and_more_are_counted_with_the_latest() {
        let own = |number: u8| ChainId([number; 16]).to_string();
        assert_eq!(incident(9).kept_under(Vec::new()), own(9));
        assert_eq!(incident(9).kept_under(today([4, 3, 2, 1])), own(9), "the fifth");
        assert_eq!(incident(9).kept_under(today([5, 4, 3, 2, 1])), own(5), "the sixth");
        assert_eq!(incident(9).look_back_to(), DateTime::UNIX_EPOCH);
    }

    #[test]
    fn an_incident_that_comes_again_is_no_further_one() {
        assert_eq!(incident(2).kept_under(today([5, 4, 3, 2, 1])), ChainId([2; 16]).to_string());
    }

    #[test]
    fn every_kind_is_read_back_from_its_name() {
        for name in
            ["clone", "lost_entries", "quarantine", "config_refused", "restart_needed", "site_missing"]
        {
            let kind = IncidentKind::from_name(name).unwrap();
            assert_eq!((kind.name(), serde_json::to_value(kind).unwrap()), (name, name.into()));
        }
        assert_eq!(IncidentKind::from_name("alarm"), None);
    }
}
