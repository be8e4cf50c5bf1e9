//! Whoever asks central something, and what they may.

use super::{Grant, Place, Right, Role, Scope};
use crate::model::{PersonId, SessionId, TokenId};

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Nobody we know.
    Public,
    /// A person who signed in.
    Person {
        /// Who.
        id: PersonId,
        /// The name to sign in with.
        name: String,
        /// By which session.
        session: SessionId,
    },
    /// A program with an API token.
    Token {
        /// Which token.
        id: TokenId,
        /// What it is for.
        label: String,
    },
}

/// Whoever asks, with their roles. Queries take one and show what it may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Viewer {
    /// Who it is.
    pub who: Who,
    grants: Vec<Grant>,
}

impl Viewer {
    /// Whoever did not say who they are.
    pub const fn public() -> Self {
        Self { who: Who::Public, grants: Vec::new() }
    }

    /// A person or a token with these roles.
    pub const fn new(who: Who, grants: Vec<Grant>) -> Self {
        Self { who, grants }
    }

    /// The places for which they have a right: of all their roles together.
    pub fn scope_for(&self, right: Right) -> Scope {
        if Role::Public.may(right) {
            return Scope::Everything;
        }
        if matches!(self.who, Who::Token { .. }) && !right.is_for_tokens() {
            return Scope::NOTHING;
        }
        let having = self.grants.iter().filter(|grant| grant.role().may(right));
        having.fold(Scope::NOTHING, |scope, grant| scope.and(grant.scope()))
    }

    /// Whether they have a right for a place.
    pub fn may(&self, right: Right, place: Place<'_>) -> bool {
        self.scope_for(right).covers(place)
    }

    /// Whether there is any place for which they have a right. What they then see is still limited by [`Viewer::scope_for`].
    pub fn may_somewhere(&self, right: Right) -> bool {
        !self.scope_for(right).is_nothing()
    }

    /// Whether anything is known of them.
    pub const fn is_known(&self) -> bool {
        !matches!(self.who, Who::Public)
    }

    /// Their roles.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(grants: Vec<Grant>) -> Viewer {
        let id = PersonId::from_parts(1, [1; 10]);
        Viewer::new(Who::Person { id, name: "li".into(), session: SessionId::from_parts(1, [2; 10]) }, grants)
    }

    fn grant(role: Role, site: Option<&str>) -> Grant {
        Grant::new(role, Scope::of(site.map(|site| site.parse().unwrap()), [])).unwrap()
    }

    #[test]
    fn a_right_holds_where_a_role_that_has_it_was_given_and_nowhere_else() {
        let viewer = person(vec![grant(Role::Viewer, Some("main")), grant(Role::Analyst, Some("east"))]);
        let (main, east) = ("main".parse().unwrap(), "east".parse().unwrap());
        assert!(viewer.may(Right::SeeHelp, Place::Site(&main)));
        assert!(!viewer.may(Right::SeeHelp, Place::Site(&east)), "the other role's site");
        assert!(viewer.may(Right::SeeRows, Place::Site(&east)));
        assert!(!viewer.may(Right::SeeRows, Place::Site(&main)), "the other role's site");
        assert!(viewer.may(Right::SeeReleased, Place::Site(&main)), "both roles have it");
        assert!(!viewer.may_somewhere(Right::ManagePeople) && viewer.may_somewhere(Right::SeeRows));
    }

    #[test]
    fn whoever_has_no_role_is_no_more_than_the_public() {
        for viewer in [Viewer::public(), person(vec![])] {
            for right in Right::ALL {
                assert_eq!(viewer.may_somewhere(right), right == Right::SeePublic, "{right:?}");
            }
        }
    }

    #[test]
    fn a_token_of_an_admin_makes_no_people_and_no_tokens() {
        let who = Who::Token { id: TokenId::from_parts(1, [1; 10]), label: "scan".into() };
        let token = Viewer::new(who, vec![grant(Role::Admin, None)]);
        assert!(
            token.may(Right::SeeTerminals, Place::Hospital) && token.may(Right::Metrics, Place::Hospital)
        );
        for right in [Right::ManagePeople, Right::ManageTokens, Right::OwnAccount] {
            assert!(!token.may_somewhere(right), "{right:?}");
            assert!(person(vec![grant(Role::Admin, None)]).may(right, Place::Hospital), "{right:?}");
        }
    }
}
