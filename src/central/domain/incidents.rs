//! What an incident says, in words for staff: what happened, and how to mend it.

use crate::central::store::QuarantineGroup;

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
    use chrono::DateTime;

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
}
