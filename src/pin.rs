//! The staff PIN: what may be one, and the Argon2id hash of it that stands in kiosk.toml.
//!
//! Pure, but slow on purpose: making or checking a hash takes tenths of a second, so neither happens on a thread that draws.
//!
//! Invariants:
//! - neither a PIN nor its hash is in any `Debug` output or error;
//! - a [`PinHash`] is Argon2id, costs an attacker at least what OWASP asks for, and a Raspberry Pi at most about two seconds.
//!
//! A PIN of a few digits is found by trying all of them, whatever the hash: what keeps strangers out is the lock-out at the keypad. The
//! hash keeps the PIN from being read over a shoulder, in a copy of the file, or from a backup.

mod ask;

use std::{fmt, str::FromStr};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _,
    Version, password_hash::phc::Output,
};

pub use ask::ask;

use crate::chain;

/// Fewest digits: what people know from bank cards.
pub(crate) const DIGITS_MIN: usize = 4;

/// Most digits: more is not remembered, it is written on the terminal.
pub(crate) const DIGITS_MAX: usize = 12;

/// Memory of a hash made here, in KiB, and passes over it: 0.14 s on a desktop computer.
const MEMORY_KIB: u32 = 32 * 1024;
const PASSES: u32 = 3;

/// OWASP's least for Argon2id: 19 MiB and two passes.
const MEMORY_KIB_MIN: u32 = 19 * 1024;
const PASSES_MIN: u32 = 2;

/// A terminal with 1 GB of memory has this to spare.
const MEMORY_KIB_MAX: u32 = 64 * 1024;

/// Memory times passes: 0.75 s on a desktop computer, and a Raspberry Pi is taken for a third as fast.
const WORK_KIB_MAX: u32 = 512 * 1024;

/// A hash has few enough lanes for the smallest machine; one after the other, they cost no more.
const LANES_MAX: u32 = 4;

/// Shortest salt and hash in bytes: what RFC 9106 recommends, and 128 bits.
const SALT_BYTES_MIN: usize = 16;
const HASH_BYTES_MIN: usize = 16;

/// PINs that are tried first: columns, crosses and words of the keypad, and numbers that sound like something.
const COMMON: [&str; 14] = [
    "2580",
    "0852",
    "1470",
    "3690",
    "1397",
    "159753",
    "147258",
    "147258369",
    "123321",
    "112233",
    "1314",
    "520131",
    "5201314",
    "7758521",
];

/// Digits that may be a PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

impl Pin {
    /// `None` unless it has 4 to 12 digits.
    pub fn new(digits: &str) -> Option<Self> {
        let fits = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len());
        (fits && digits.bytes().all(|b| b.is_ascii_digit())).then(|| Self(digits.to_owned()))
    }

    /// Whether it would be among the first that somebody tries.
    pub(crate) fn is_weak(&self) -> bool {
        let digits = self.0.as_bytes();
        let repeats = |period: usize| {
            digits.len() >= 2 * period && digits.iter().zip(&digits[period..]).all(|(a, b)| a == b)
        };
        let step = |by: u8| digits.windows(2).all(|pair| (pair[0] - b'0' + by) % 10 == pair[1] - b'0');
        // Every year of a living person's birth, and some to come.
        let is_year = digits.len() == 4 && ["19", "20"].iter().any(|century| self.0.starts_with(century));
        (1..=3).any(repeats) || step(1) || step(9) || is_year || COMMON.contains(&self.0.as_str())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

/// Why a text is not the hash of a PIN. None of them repeats the text: somebody may have written the PIN itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PinHashError {
    /// Not a PHC string.
    #[error("this is not the hash of a PIN")]
    NotAHash,
    /// A PHC string of another function, or of an old version.
    #[error("the PIN's hash is not Argon2id version 19")]
    NotArgon2id,
    /// Too cheap for somebody who tries.
    #[error(
        "the PIN's hash is too weak: m={memory_kib}, t={passes}; at least m={MEMORY_KIB_MIN}, t={PASSES_MIN}, a salt of {SALT_BYTES_MIN} bytes and a hash of {HASH_BYTES_MIN} are needed"
    )]
    TooWeak {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
    },
    /// Too expensive for a terminal.
    #[error(
        "the PIN's hash would take a terminal too long: m={memory_kib}, t={passes}, p={lanes}; at most m={MEMORY_KIB_MAX}, m times t {WORK_KIB_MAX}, and p={LANES_MAX}"
    )]
    TooSlow {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
}

/// The Argon2id hash of a PIN, as a PHC string: `$argon2id$v=19$m=..,t=..,p=..$salt$hash`.
#[derive(Clone, PartialEq, Eq)]
pub struct PinHash {
    text: String,
    parsed: PasswordHash,
}

impl PinHash {
    /// Hashes a PIN with a salt never used before.
    pub fn new(pin: &Pin, salt: &[u8; SALT_BYTES_MIN]) -> Result<Self, PinHashError> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| PinHashError::NotAHash)?;
        Self::with(params, pin, salt)
    }

    /// The cheapest hash that is accepted, so that tests need not wait.
    #[doc(hidden)]
    pub fn cheapest(pin: &Pin, salt: &[u8; SALT_BYTES_MIN]) -> Result<Self, PinHashError> {
        let params = Params::new(MEMORY_KIB_MIN, PASSES_MIN, 1, None).map_err(|_| PinHashError::NotAHash)?;
        Self::with(params, pin, salt)
    }

    fn with(params: Params, pin: &Pin, salt: &[u8]) -> Result<Self, PinHashError> {
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: PasswordHash =
            hasher.hash_password_with_salt(pin.0.as_bytes(), salt).map_err(|_| PinHashError::NotAHash)?;
        hash.to_string().parse()
    }

    /// Whether this is the PIN. Takes tenths of a second, the same for a right and a wrong one.
    pub fn verify(&self, pin: &Pin) -> bool {
        Argon2::default().verify_password(pin.0.as_bytes(), &self.parsed).is_ok()
    }

    /// Tells one hash from another without giving it away.
    pub fn fingerprint(&self) -> String {
        let digest = chain::sha256(self.text.as_bytes()).to_string();
        digest.get(..16).unwrap_or_default().to_owned()
    }

    /// The line for kiosk.toml.
    pub fn line(&self) -> String {
        format!("pin_hash = \"{}\"", self.text)
    }
}

impl FromStr for PinHash {
    type Err = PinHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = PasswordHash::new(text).map_err(|_| PinHashError::NotAHash)?;
        if parsed.algorithm != ARGON2ID_IDENT || parsed.version != Some(Version::V0x13.into()) {
            return Err(PinHashError::NotArgon2id);
        }
        let params = Params::try_from(&parsed).map_err(|_| PinHashError::NotAHash)?;
        let (memory_kib, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        let salt_bytes = parsed.salt.as_ref().map_or(0, |salt| salt.len());
        let hash_bytes = parsed.hash.as_ref().map_or(0, Output::len);
        if memory_kib < MEMORY_KIB_MIN
            || passes < PASSES_MIN
            || salt_bytes < SALT_BYTES_MIN
            || hash_bytes < HASH_BYTES_MIN
        {
            return Err(PinHashError::TooWeak { memory_kib, passes });
        }
        if memory_kib > MEMORY_KIB_MAX
            || memory_kib.saturating_mul(passes) > WORK_KIB_MAX
            || lanes > LANES_MAX
        {
            return Err(PinHashError::TooSlow { memory_kib, passes, lanes });
        }
        Ok(Self { text: text.to_owned(), parsed })
    }
}

impl fmt::Debug for PinHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(digits: &str) -> Pin {
        Pin::new(digits).unwrap()
    }

    fn phc(params: &str) -> String {
        format!("$argon2id$v=19${params}$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    }

    #[test]
    fn a_pin_has_four_to_twelve_digits() {
        for fine in ["4071", "407118", "407118924467"] {
            assert!(Pin::new(fine).is_some(), "{fine}");
        }
        for wrong in ["", "407", "4071189244671", "40a1", "４０７１", "407 1", "-407"] {
            assert!(Pin::new(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_is_tried_first_is_weak() {
        for weak in [
            "0000", "777777", "1234", "12345678", "4321", "9876", "7890", "0987", "1212", "123123", "6969",
            "1987", "2011", "2580", "5201314", "112233",
        ] {
            assert!(pin(weak).is_weak(), "{weak}");
        }
        for strong in ["4071", "4074", "80315", "407118", "1243", "198711", "201415926535"] {
            assert!(!pin(strong).is_weak(), "{strong}");
        }
    }

    #[test]
    fn the_right_pin_fits_its_hash_and_no_other_does() {
        let hash = PinHash::new(&pin("4071"), &[7; 16]).unwrap();
        assert!(hash.verify(&pin("4071")));
        assert!(!hash.verify(&pin("4072")) && !hash.verify(&pin("40711")));
        let line = hash.line();
        assert!(line.starts_with("pin_hash = \"$argon2id$v=19$m=32768,t=3,p=1$"), "{line}");
        let read: PinHash = line.trim_start_matches("pin_hash = \"").trim_end_matches('"').parse().unwrap();
        assert_eq!((read.fingerprint(), read.verify(&pin("4071"))), (hash.fingerprint(), true));
        let other = PinHash::new(&pin("4071"), &[8; 16]).unwrap();
        assert_ne!(other.fingerprint(), hash.fingerprint());
    }

    #[test]
    fn what_is_no_hash_too_weak_or_too_slow_is_refused() {
        let read = |text: &str| text.parse::<PinHash>().unwrap_err();
        for text in ["", "4071", "$", "$2b$12$abcdefghijklmnopqrstuv", "argon2id", &phc("m=x,t=2,p=1")] {
            assert_eq!(read(text), PinHashError::NotAHash, "{text}");
        }
        let fine = phc("m=19456,t=2,p=1");
        assert!(fine.parse::<PinHash>().is_ok());
        assert_eq!(read(&fine.replace("argon2id", "argon2i")), PinHashError::NotArgon2id);
        assert_eq!(read(&fine.replace("v=19", "v=16")), PinHashError::NotArgon2id);
        for weak in ["m=19455,t=2,p=1", "m=19456,t=1,p=1"] {
            assert!(matches!(read(&phc(weak)), PinHashError::TooWeak { .. }), "{weak}");
        }
        let no_hash = fine.rsplit_once('$').unwrap().0;
        assert!(matches!(read(no_hash), PinHashError::TooWeak { .. }), "a salt alone");
        assert!(phc("m=65536,t=8,p=4").parse::<PinHash>().is_ok());
        for slow in ["m=65537,t=2,p=1", "m=65536,t=9,p=1", "m=19456,t=4294967295,p=1", "m=65536,t=2,p=5"] {
            assert!(matches!(read(&phc(slow)), PinHashError::TooSlow { .. }), "{slow}");
        }
    }

    #[test]
    fn neither_pin_nor_hash_is_shown() {
        let hash = PinHash::cheapest(&pin("4071"), &[7; 16]).unwrap();
        let shown = format!("{:?} {hash:?} {} {:?}", pin("4071"), read_error("4071"), read_error("4071"));
        assert!(!shown.contains("4071") && !shown.contains('$'), "{shown}");
    }

    fn read_error(text: &str) -> PinHashError {
        text.parse::<PinHash>().unwrap_err()
    }
}
