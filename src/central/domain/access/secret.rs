//! Secrets that are handed out: of sessions, links and API tokens, and what is kept of them.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    chain,
    model::{Hash, PersonId},
};

/// 256 random bits that somebody holds; written as 64 hexadecimal digits. Central keeps only the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new one from random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// What is kept: of 256 random bits no more than a plain hash is needed, since nobody can try them all.
    pub fn hash(&self) -> Hash {
        chain::sha256(&self.0)
    }

    /// What is handed out, once.
    pub fn reveal(&self) -> String {
        Hash(self.0).to_string()
    }

    /// What a form of this session's pages carries. Only whoever holds the secret can compute it.
    pub fn form_token(&self) -> String {
        let mut bytes = b"xinsheng form 1:".to_vec();
        bytes.extend(self.0);
        chain::sha256(&bytes).to_string()
    }
}

impl FromStr for Secret {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse::<Hash>().map(|hash| Self(hash.0)).map_err(|_| ())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Scanners for leaked secrets look for this.
const TOKEN_PREFIX: &str = "xst_";

/// An API token: prefix, secret, and a checksum, so that a scanner can tell a real one from what only looks like one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiToken(Secret);

impl ApiToken {
    /// A new one from random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(random))
    }

    /// What is kept.
    pub fn hash(&self) -> Hash {
        self.0.hash()
    }

    /// What is handed out, once.
    pub fn reveal(&self) -> String {
        let secret = self.0.reveal();
        format!("{TOKEN_PREFIX}{secret}{:08x}", checksum(&secret))
    }
}

impl FromStr for ApiToken {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = text.strip_prefix(TOKEN_PREFIX).ok_or(())?;
        let (secret, sum) = rest.split_at_checked(64).ok_or(())?;
        if sum == format!("{:08x}", checksum(secret)) { secret.parse().map(Self) } else { Err(()) }
    }
}

/// CRC-32 of the secret's digits, as other services have it.
fn checksum(secret: &str) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(secret.as_bytes());
    crc.sum()
}

/// How long a link to set a password waits: over a weekend.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::hours(72);

/// What a link is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// To set the first password, or a new one.
    SetPassword,
    /// To sign in once; only the demo hands them out.
    SignIn,
}

/// A link that works once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Whose.
    pub person: PersonId,
    /// What for.
    pub purpose: LinkPurpose,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// From when on it does not work any more.
    pub expires_at: DateTime<Utc>,
}

impl Link {
    /// A link made now.
    pub fn new(person: PersonId, purpose: LinkPurpose, now: DateTime<Utc>) -> Self {
        Self { person, purpose, made_at: now, expires_at: now + LINK_LIFETIME }
    }

    /// Whether it still works.
    pub fn is_good_at(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_what_is_kept_of_it_is_another_text() {
        let secret = Secret::new([0xab; 32]);
        assert_eq!(secret.reveal().parse(), Ok(secret.clone()));
        let kept = secret.hash().to_string();
        assert_ne!(kept, secret.reveal());
        assert_ne!(kept.parse::<Secret>().unwrap().hash(), secret.hash(), "the kept text opens nothing");
        let form = secret.form_token();
        assert!(form != kept && form != secret.reveal());
        assert_ne!(form.parse::<Secret>().unwrap().hash(), secret.hash(), "a form's text opens nothing");
        for wrong in ["", "ab", &"g".repeat(64), &"ab".repeat(33)] {
            assert_eq!(wrong.parse::<Secret>(), Err(()), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn an_api_token_is_told_by_its_prefix_and_checksum() {
        let token = ApiToken::new([0xab; 32]);
        let text = token.reveal();
        assert!(text.starts_with("xst_abab") && text.len() == 4 + 64 + 8, "{text}");
        assert_eq!(text.parse(), Ok(token));
        let other = text.replacen("ab", "ba", 1);
        for wrong in [&text[4..], &text[..75], &other, "xst_", "", &text.to_uppercase()] {
            assert_eq!(wrong.parse::<ApiToken>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_link_works_for_three_days() {
        let made = DateTime::UNIX_EPOCH;
        let link = Link::new(PersonId::from_parts(1, [1; 10]), LinkPurpose::SetPassword, made);
        assert!(link.is_good_at(made) && link.is_good_at(made + TimeDelta::hours(71)));
        assert!(!link.is_good_at(made + TimeDelta::hours(72)));
    }
}
