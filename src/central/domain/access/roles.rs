//! The table of roles and rights.

use serde::{Deserialize, Serialize};

/// What somebody is to this hospital.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "central", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whoever asks without signing in.
    Public,
    /// A terminal that signs what it sends.
    Terminal,
    /// Staff of a place.
    Viewer,
    /// Whoever answers for a place.
    Manager,
    /// Whoever evaluates single answers.
    Analyst,
    /// Whoever runs central.
    Admin,
    /// Whoever checks what the others did.
    Auditor,
    /// A program that watches whether central runs well.
    Monitor,
}

/// What may be seen or done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Right {
    /// What central publishes to everybody.
    SeePublic,
    /// Send entries and health, ask for configuration and cursor; proven by the terminal's signature.
    SpeakAsTerminal,
    /// One's own sessions and password.
    OwnAccount,
    /// Figures as they are released, so that no single choice can be told from them.
    SeeReleased,
    /// Single answers, figures of any span, raw beside filtered, and lines that were not understood; each look is logged.
    SeeRows,
    /// Answers as a file; logged.
    Export,
    /// Calls for help.
    SeeHelp,
    /// Mark a call for help answered.
    AnswerHelp,
    /// Terminals and how they are.
    SeeTerminals,
    /// What is wrong with journals, terminals or the configuration.
    SeeIncidents,
    /// Journals and how far they are held and proven.
    SeeProof,
    /// Add and disable people, set their roles, make links for them, end their sessions.
    ManagePeople,
    /// Make and revoke API tokens.
    ManageTokens,
    /// The audit log.
    SeeAudit,
    /// Numbers for monitoring.
    Metrics,
}

use Right::{
    AnswerHelp, Export, ManagePeople, ManageTokens, Metrics, OwnAccount, SeeAudit, SeeHelp, SeeIncidents,
    SeeProof, SeePublic, SeeReleased, SeeRows, SeeTerminals, SpeakAsTerminal,
};

/// Everything that is asked about roles is asked from here. An admin sees no answers and an analyst no people: who is both has both roles.
const TABLE: [(Role, &[Right]); 8] = [
    (Role::Public, &[SeePublic]),
    (Role::Terminal, &[SeePublic, SpeakAsTerminal]),
    (Role::Viewer, &[SeePublic, OwnAccount, SeeReleased, SeeHelp, AnswerHelp]),
    (Role::Manager, &[SeePublic, OwnAccount, SeeReleased, SeeHelp, AnswerHelp]),
    (Role::Analyst, &[SeePublic, OwnAccount, SeeReleased, SeeRows, Export, SeeProof]),
    (
        Role::Admin,
        &[SeePublic, OwnAccount, SeeTerminals, SeeIncidents, SeeProof, ManagePeople, ManageTokens, Metrics],
    ),
    (Role::Auditor, &[SeePublic, OwnAccount, SeeProof, SeeAudit]),
    (Role::Monitor, &[SeePublic, OwnAccount, Metrics]),
];

/// What no API token may, whatever its role: a token that leaked must not make itself another one, or a person.
const NEVER_BY_TOKEN: [Right; 3] = [OwnAccount, ManagePeople, ManageTokens];

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Public,
        Self::Terminal,
        Self::Viewer,
        Self::Manager,
        Self::Analyst,
        Self::Admin,
        Self::Auditor,
        Self::Monitor,
    ];

    /// Roles that a person or a token can be given.
    pub const GIVEN: [Self; 6] =
        [Self::Viewer, Self::Manager, Self::Analyst, Self::Admin, Self::Auditor, Self::Monitor];

    /// Whether this role has a right.
    pub fn may(self, right: Right) -> bool {
        TABLE.iter().any(|(role, rights)| *role == self && rights.contains(&right))
    }

    /// Whether it can be given for some sites or touchpoints only; the others are about central as a whole.
    pub const fn can_be_scoped(self) -> bool {
        matches!(self, Self::Viewer | Self::Manager | Self::Analyst)
    }

    /// Whether what it sees or does is worth a short session.
    pub const fn is_sensitive(self) -> bool {
        matches!(self, Self::Analyst | Self::Admin | Self::Auditor)
    }

    /// As it is written in commands, requests and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Terminal => "terminal",
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Monitor => "monitor",
        }
    }

    /// The role of this name, if it can be given.
    pub fn given(name: &str) -> Option<Self> {
        Self::GIVEN.into_iter().find(|role| role.name() == name)
    }
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 15] = [
        SeePublic,
        SpeakAsTerminal,
        OwnAccount,
        SeeReleased,
        SeeRows,
        Export,
        SeeHelp,
        AnswerHelp,
        SeeTerminals,
        SeeIncidents,
        SeeProof,
        ManagePeople,
        ManageTokens,
        SeeAudit,
        Metrics,
    ];

    /// Whether an API token can have it.
    pub fn is_for_tokens(self) -> bool {
        !NEVER_BY_TOKEN.contains(&self)
    }

    /// In words, for tables and refusals.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SeePublic => "see what is published",
            Self::SpeakAsTerminal => "send entries (by signature)",
            Self::OwnAccount => "own sessions and password",
            Self::SeeReleased => "see released figures",
            Self::SeeRows => "see single answers (logged)",
            Self::Export => "export answers (logged)",
            Self::SeeHelp => "see calls for help",
            Self::AnswerHelp => "answer calls for help",
            Self::SeeTerminals => "see terminals",
            Self::SeeIncidents => "see incidents",
            Self::SeeProof => "see journals and their proof",
            Self::ManagePeople => "manage people",
            Self::ManageTokens => "manage API tokens",
            Self::SeeAudit => "see the audit log",
            Self::Metrics => "read metrics",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_one_row_and_every_right_somebody_who_has_it() {
        for role in Role::ALL {
            assert_eq!(TABLE.iter().filter(|(row, _)| *row == role).count(), 1, "{role:?}");
        }
        for right in Right::ALL {
            assert!(Role::ALL.iter().any(|role| role.may(right)), "{right:?}");
        }
    }

    #[test]
    fn strangers_and_terminals_have_no_right_that_needs_a_person() {
        for right in Right::ALL {
            assert_eq!(Role::Public.may(right), right == SeePublic, "{right:?}");
            assert_eq!(Role::Terminal.may(right), [SeePublic, SpeakAsTerminal].contains(&right), "{right:?}");
        }
    }

    #[test]
    fn single_answers_are_the_analyst_s_alone_and_people_the_admin_s_alone() {
        let who =
            |right: Right| -> Vec<Role> { Role::ALL.into_iter().filter(|role| role.may(right)).collect() };
        assert_eq!((who(SeeRows), who(Export)), (vec![Role::Analyst], vec![Role::Analyst]));
        assert_eq!((who(ManagePeople), who(ManageTokens)), (vec![Role::Admin], vec![Role::Admin]));
        assert_eq!(who(SeeAudit), vec![Role::Auditor]);
    }

    #[test]
    fn what_can_be_given_has_a_name_that_is_read_back() {
        for role in Role::GIVEN {
            assert_eq!(Role::given(role.name()), Some(role));
        }
        assert_eq!(
            (Role::given("public"), Role::given("terminal"), Role::given("Admin")),
            (None, None, None)
        );
    }
}
