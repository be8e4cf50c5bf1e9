//! Passwords: what may be one, and the Argon2id hash that is kept.
//!
//! Pure, but slow on purpose: a hash takes tens of milliseconds and 19 MiB, so it is made on a thread for such work, a few at a time.
//! Neither a password nor its hash is in any `Debug` output or error.

use std::{fmt, str::FromStr};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHash as Phc, PasswordHasher as _,
    PasswordVerifier as _, Version,
};

use super::PersonName;

/// Fewest characters: with a choice of them that is none of the commonest, guessing within the allowed tries is hopeless.
pub const CHARS_MIN: usize = 12;

/// Most characters: longer ones only make work.
pub const CHARS_MAX: usize = 128;

/// Fewest different characters.
const DIFFERENT_MIN: usize = 5;

/// OWASP's least for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Words and runs of keys that passwords are commonly made of. What is left of a password without them must be long enough to count.
const COMMON: [&str; 58] = [
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "passwort",
    "letmein",
    "welcome",
    "iloveyou",
    "admin",
    "administrator",
    "changeme",
    "default",
    "secret",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "master",
    "login",
    "hello",
    "hospital",
    "xinsheng",
    "mima",
    "yiyuan",
    "woaini",
    "5201314",
    "1314520",
    "520",
    "1314",
    "qwertyuiop",
    "qwerty",
    "qwertz",
    "azerty",
    "asdfghjkl",
    "asdfgh",
    "asdf",
    "zxcvbnm",
    "zxcvbn",
    "1qaz2wsx",
    "1qaz",
    "2wsx",
    "3edc",
    "qazwsx",
    "q1w2e3r4",
    "1q2w3e4r",
    "zaq12wsx",
    "aa123456",
    "a123456",
    "abcdefghijklmnopqrstuvwxyz",
    "abcdef",
    "abc123",
    "abcd",
    "0123456789",
    "1234567890",
];

/// What must be left of a password without its common parts.
const REST_MIN: usize = 6;

/// What somebody typed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Any text; [`weakness_of`] says whether it may be set. The same characters are one password, whichever way they were typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Why a password cannot be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Weakness {
    /// Fewer than [`CHARS_MIN`] characters.
    #[error("a password has at least {CHARS_MIN} characters")]
    Short,
    /// More than [`CHARS_MAX`] characters.
    #[error("a password has at most {CHARS_MAX} characters")]
    Long,
    /// The name, with little else.
    #[error("the password says the name; leave the name out")]
    Name,
    /// A few characters again and again, or what everybody takes.
    #[error("this password is among the first that are tried; take other words")]
    Common,
}

/// Why a password cannot be set; none if it can.
pub fn weakness_of(password: &Password, name: &PersonName) -> Option<Weakness> {
    let text = password.0.to_lowercase();
    let count = password.0.chars().count();
    if count < CHARS_MIN {
        return Some(Weakness::Short);
    }
    if count > CHARS_MAX {
        return Some(Weakness::Long);
    }
    // What stands before the @ of an address is the name as well.
    let own = name.as_str().split('@').next().unwrap_or_default();
    let backwards: String = own.chars().rev().collect();
    let without_name = text.replace(name.as_str(), "");
    let without_name = [own, &backwards]
        .iter()
        .filter(|part| part.chars().count() >= 3)
        .fold(without_name, |rest, part| rest.replace(*part, ""));
    if without_name != text && without_name.chars().count() < CHARS_MIN - 3 {
        return Some(Weakness::Name);
    }
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    let is_common = different.len() < DIFFERENT_MIN || rest_of(&text) < REST_MIN;
    is_common.then_some(Weakness::Common)
}

/// How many characters are left without common words and without runs like 1234 or 4321.
fn rest_of(text: &str) -> usize {
    let text = COMMON.iter().fold(text.to_owned(), |rest, word| rest.replace(word, "\n"));
    let chars: Vec<char> = text.chars().collect();
    let (mut rest, mut start) = (0, 0);
    while start < chars.len() {
        let step = |at: usize| -> i64 {
            let code = |i: usize| chars.get(i).map_or(0, |c| i64::from(u32::from(*c)));
            code(at + 1) - code(at)
        };
        let mut end = start + 1;
        let run = step(start);
        while (-1..=1).contains(&run) && end < chars.len() && step(end - 1) == run {
            end += 1;
        }
        if end - start >= 3 {
            // A run is as good as its first character.
            rest += 1;
            start = end;
        } else {
            rest += usize::from(chars.get(start) != Some(&'\n'));
            start += 1;
        }
    }
    rest
}

/// A stored text that is no hash of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is not the Argon2id hash of a password")]
pub struct PasswordHashError;

/// The Argon2id hash of a password, as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: String,
    parsed: Phc,
}

impl PasswordHash {
    /// Hashes a password with a salt never used before.
    pub fn new(password: &Password, salt: &[u8; 16]) -> Result<Self, PasswordHashError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordHashError)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let parsed =
            argon.hash_password_with_salt(password.0.as_bytes(), salt).map_err(|_| PasswordHashError)?;
        Ok(Self { text: parsed.to_string(), parsed })
    }

    /// Whether this is the password. Takes the same time for a right and a wrong one.
    pub fn fits(&self, password: &Password) -> bool {
        // Nothing longer was ever set.
        let is_short = password.0.chars().count() <= CHARS_MAX;
        let tried = if is_short { password.0.as_bytes() } else { &[] };
        Argon2::default().verify_password(tried, &self.parsed).is_ok() && is_short
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for PasswordHash {
    type Err = PasswordHashError;

    fn from_str(text: &str) -> Result<Self, PasswordHashError> {
        let parsed = Phc::new(text).map_err(|_| PasswordHashError)?;
        if parsed.algorithm != ARGON2ID_IDENT || parsed.version != Some(Version::V0x13.into()) {
            return Err(PasswordHashError);
        }
        let params = Params::try_from(&parsed).map_err(|_| PasswordHashError)?;
        // A row with a dearer hash than ours was written by somebody else; it would only cost memory.
        let ours = params.m_cost() == MEMORY_KIB && params.t_cost() == PASSES && params.p_cost() == LANES;
        if ours { Ok(Self { text: text.to_owned(), parsed }) } else { Err(PasswordHashError) }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weakness(password: &str) -> Option<Weakness> {
        weakness_of(&Password::new(password), &"li.na@hospital.example".parse().unwrap())
    }

    #[test]
    fn a_password_is_long_enough_not_the_name_and_none_of_the_commonest() {
        for good in [
            "correct horse battery",
            "vM3!tq9zLw0x",
            "春眠不觉晓处处闻啼鸟夜来风",
            "hospital-grün-treppe-9",
            "li.na likes rainy days",
        ] {
            assert_eq!(weakness(good), None, "{good}");
        }
        assert_eq!(weakness("short"), Some(Weakness::Short));
        assert_eq!(weakness("密码密码密码密码密码密"), Some(Weakness::Short));
        assert_eq!(weakness(&"xyzw".repeat(33)), Some(Weakness::Long));
        for name in ["li.na.li.na.li", "LI.NA@hospital.example", "an.il-li.na-2026"] {
            assert_eq!(weakness(name), Some(Weakness::Name), "{name}");
        }
        for common in [
            "password1234",
            "Password12345!",
            "123456789012",
            "aaaaaaaaaaaaaaa",
            "abababababab",
            "qwertyuiop12",
            "woaini1314520",
            "1qaz2wsx3edc",
            "Hospital2026!",
            "abcdefghijkl",
            "987654321098",
            "passwordpassword",
        ] {
            assert_eq!(weakness(common), Some(Weakness::Common), "{common}");
        }
    }

    #[test]
    fn the_right_password_fits_its_hash_and_no_other_does() {
        let password = Password::new("correct horse battery");
        let hash = PasswordHash::new(&password, &[7; 16]).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        let read: PasswordHash = hash.as_str().parse().unwrap();
        assert!(read.fits(&password) && !read.fits(&Password::new("correct horse batterx")));
        let long = Password::new("x".repeat(129));
        assert!(!PasswordHash::new(&long, &[7; 16]).unwrap().fits(&long), "nothing so long was ever set");
        assert_eq!(format!("{password:?} {hash:?}"), "Password(..) PasswordHash(..)");
    }

    #[test]
    fn what_is_no_hash_of_ours_is_not_taken() {
        let fine = PasswordHash::new(&Password::new("x"), &[7; 16]).unwrap().as_str().to_owned();
        for wrong in [
            String::new(),
            "x".to_owned(),
            fine.replace("argon2id", "argon2i"),
            fine.replace("m=19456", "m=8"),
            fine.replace("m=19456", "m=4000000"),
        ] {
            assert_eq!(wrong.parse::<PasswordHash>(), Err(PasswordHashError), "{wrong}");
        }
    }
}
