//! People, their names and their roles.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{PasswordHash, Role, Scope};
use crate::model::PersonId;

/// Longest name: an e-mail address of a hospital fits.
const NAME_CHARS_MAX: usize = 64;

/// The name somebody signs in with: letters of any script, digits and `. _ - @`, in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PersonName(String);

/// Why a text is not a name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a name has 1 to {NAME_CHARS_MAX} letters, digits or . _ - @, and no spaces")]
pub struct NameError;

impl PersonName {
    /// The name as it is compared and shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        // A combining mark is no letter, so that what looks the same is written in one way.
        let name: String = text.trim().chars().flat_map(char::to_lowercase).collect();
        let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
        let plain = name.chars().all(|c| c.is_alphanumeric() || "._-@".contains(c));
        if fits && plain { Ok(Self(name)) } else { Err(NameError) }
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role for some places.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Grant {
    role: Role,
    scope: Scope,
}

/// As a grant stands in the store and in the audit log.
#[derive(Serialize, Deserialize)]
struct Written {
    role: Role,
    scope: Scope,
}

/// Why somebody cannot be given this.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GrantError {
    /// Public and terminal are what somebody is, not what is given.
    #[error("the role `{}` cannot be given to anybody", .0.name())]
    NotGiven(Role),
    /// It is about central as a whole.
    #[error("the role `{}` is always for the whole hospital; leave sites and touchpoints out", .0.name())]
    NotScoped(Role),
}

impl Grant {
    /// A role for some places.
    pub fn new(role: Role, scope: Scope) -> Result<Self, GrantError> {
        if !Role::GIVEN.contains(&role) {
            return Err(GrantError::NotGiven(role));
        }
        if scope != Scope::Everything && !role.can_be_scoped() {
            return Err(GrantError::NotScoped(role));
        }
        Ok(Self { role, scope })
    }

    /// Which role.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// For which places.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl TryFrom<Written> for Grant {
    type Error = GrantError;

    fn try_from(written: Written) -> Result<Self, GrantError> {
        Self::new(written.role, written.scope)
    }
}

impl From<Grant> for Written {
    fn from(grant: Grant) -> Self {
        Self { role: grant.role, scope: grant.scope }
    }
}

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Never given twice.
    pub id: PersonId,
    /// To sign in with.
    pub name: PersonName,
    /// None until it is set by a link, or where an external provider signs the person in.
    pub password: Option<PasswordHash>,
    /// Issuer and subject at an external provider.
    pub external: Option<(String, String)>,
    /// Their roles.
    pub grants: Vec<Grant>,
    /// Since when.
    pub made_at: DateTime<Utc>,
    /// Since when they may not sign in any more.
    pub disabled_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_in_lower_case_and_without_spaces_around_it() {
        let name = |text: &str| text.parse::<PersonName>().map(|name| name.to_string());
        assert_eq!(name(" Li.Na@Hospital.example "), Ok("li.na@hospital.example".into()));
        assert_eq!(name("李娜"), Ok("李娜".into()));
        assert_eq!(name("Ülkü"), Ok("ülkü".into()));
        for wrong in ["", "  ", "li na", "a\u{301}b", "<b>", "a\nb", "a\u{202e}b", &"x".repeat(65)] {
            assert_eq!(name(wrong), Err(NameError), "{wrong:?}");
        }
    }

    #[test]
    fn an_admin_of_one_site_cannot_exist_not_even_in_the_database() {
        let main = || Scope::of(["main".parse().unwrap()], []);
        assert_eq!(Grant::new(Role::Admin, main()), Err(GrantError::NotScoped(Role::Admin)));
        assert_eq!(Grant::new(Role::Public, Scope::Everything), Err(GrantError::NotGiven(Role::Public)));
        let grant = Grant::new(Role::Viewer, main()).unwrap();
        let text = serde_json::to_string(&grant).unwrap();
        assert_eq!(serde_json::from_str::<Grant>(&text).unwrap(), grant);
        assert!(serde_json::from_str::<Grant>(&text.replace("viewer", "admin")).is_err());
    }
}
