//! Identifiers as newtypes: a name once parsed cannot be mistaken for another kind of name.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest name accepted for any text identifier: it must fit a log line, a URL and a label.
const NAME_LEN_MAX: usize = 64;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A text identifier breaks the naming rule.
    #[error(
        "`{0}` is not an id: use 1 to 64 lower-case letters, digits, `-` or `_`, starting with a letter or digit"
    )]
    Name(String),
    /// Not a language tag.
    #[error("`{0}` is not a language tag: write it like zh-CN, en or bo")]
    Lang(String),
    /// Not `id@version`.
    #[error("`{0}` is not a questionnaire with its version: write it like outpatient@1")]
    QuestionnaireRef(String),
    /// Not the hexadecimal text of the right length.
    #[error("`{0}` is not {1} hexadecimal digits")]
    Hex(String, usize),
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first_ok = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first_ok
        && text.len() <= NAME_LEN_MAX
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_lang(text: &str) -> bool {
    let mut parts = text.split('-');
    let base_ok =
        parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()));
    base_ok && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:ident, $error:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as it stands in files, requests and tables.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if $check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError::$error(text.to_owned()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A hospital, or one campus of it: the outermost key of everything central stores.
    SiteId, is_name, Name
);
text_id!(
    /// A place in the patient's journey that is rated.
    TouchpointId, is_name, Name
);
text_id!(
    /// A terminal, named by central when it enrols.
    TerminalId, is_name, Name
);
text_id!(
    /// A questionnaire, without its version.
    QuestionnaireId, is_name, Name
);
text_id!(
    /// A question within its questionnaire.
    QuestionId, is_name, Name
);
text_id!(
    /// A reason within its question.
    ReasonId, is_name, Name
);
text_id!(
    /// A language as a BCP 47 tag: `zh-CN`, `en`, `ug`.
    Lang, is_lang, Lang
);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A `UUIDv7` from a time and 80 random bits, both given by the caller.
            pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// One visitor's pass through a questionnaire.
    ResponseId
);
uuid_id!(
    /// One journal entry; stays the same when the entry is carried into a new chain.
    EntryId
);
uuid_id!(
    /// Somebody who may sign in to central.
    PersonId
);
uuid_id!(
    /// Somebody who is signed in to central, on one browser.
    SessionId
);
uuid_id!(
    /// What a program shows to central instead of signing in.
    TokenId
);
uuid_id!(
    /// One start of a terminal's operating system.
    BootId
);
uuid_id!(
    /// One central store; a store restored from a backup keeps it.
    StoreId
);

/// Bytes that are written as lower-case hexadecimal.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; $len]);

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = || IdError::Hex(text.to_owned(), $len * 2);
                if text.len() != $len * 2 || !text.is_ascii() {
                    return Err(wrong());
                }
                let mut bytes = [0; $len];
                for (i, byte) in bytes.iter_mut().enumerate() {
                    let pair = text.get(i * 2..i * 2 + 2).ok_or_else(wrong)?;
                    *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
                }
                Ok(Self(bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_id!(
    /// A journal's random 128-bit identity: made with the database, changed when storage was replaced, restored or cloned.
    ChainId, 16
);
hex_id!(
    /// A SHA-256 digest.
    Hash, 32
);

/// A questionnaire with its version, written `id@version`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct QuestionnaireRef {
    /// Which questionnaire.
    pub id: QuestionnaireId,
    /// Which wording of it; counts from 1.
    pub version: u32,
}

impl FromStr for QuestionnaireRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::QuestionnaireRef(text.to_owned());
        let (id, version) = text.split_once('@').ok_or_else(wrong)?;
        Ok(Self {
            id: id.parse().map_err(|_| wrong())?,
            version: version.parse().ok().filter(|v| *v > 0).ok_or_else(wrong)?,
        })
    }
}

impl TryFrom<String> for QuestionnaireRef {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<QuestionnaireRef> for String {
    fn from(q: QuestionnaireRef) -> Self {
        q.to_string()
    }
}

impl fmt::Display for QuestionnaireRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

impl fmt::Debug for QuestionnaireRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_slugs() {
        assert!("ward-7_b".parse::<TouchpointId>().is_ok());
        assert!("111".parse::<TouchpointId>().is_ok());
        for wrong in ["", "Ward", "-ward", "a b", "病房", &"a".repeat(65)] {
            assert!(wrong.parse::<TouchpointId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn languages_are_bcp47_tags() {
        assert!("zh-CN".parse::<Lang>().is_ok());
        assert!("bo".parse::<Lang>().is_ok());
        for wrong in ["", "z", "ZH", "zh_CN", "zh-"] {
            assert!(wrong.parse::<Lang>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn questionnaires_carry_a_version() -> Result<(), IdError> {
        let q: QuestionnaireRef = "outpatient@3".parse()?;
        assert_eq!((q.id.as_str(), q.version), ("outpatient", 3));
        assert_eq!(q.to_string(), "outpatient@3");
        for wrong in ["outpatient", "outpatient@", "outpatient@0", "@1", "a@b"] {
            assert!(wrong.parse::<QuestionnaireRef>().is_err(), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn hashes_read_back_what_they_write() -> Result<(), IdError> {
        let hash = Hash([0xab; 32]);
        assert_eq!(hash.to_string().parse::<Hash>()?, hash);
        assert!("xy".repeat(32).parse::<Hash>().is_err());
        assert!("ab".repeat(31).parse::<Hash>().is_err());
        assert!("é".repeat(32).parse::<Hash>().is_err());
        Ok(())
    }
}
