//! Ed25519 keys as newtypes: a public key is written in base64, a secret key is never written to a log.

use std::{fmt, str::FromStr};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the base64 of 32 bytes.
    #[error("`{0}` is not the base64 text of 32 bytes")]
    Text(String),
    /// Not a point of the curve, or one of the few weak ones.
    #[error("`{0}` is not a usable Ed25519 public key")]
    Point(String),
}

/// A secret key with its public half. `Debug` shows the public half only.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

impl KeyPair {
    /// The key pair of 32 random bytes, given by the caller.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The secret, for storing.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of some bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair(public: {})", self.public())
    }
}

/// A public key; its text is base64 with padding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Whether a signature of some bytes holds. Strict: there is one valid signature, not several equivalent ones.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }

    /// The 32 bytes, for storing.
    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = BASE64_STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| KeyError::Text(text.to_owned()))?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Point(text.to_owned()))?;
        if key.is_weak() { Err(KeyError::Point(text.to_owned())) } else { Ok(Self(key)) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_read_back_what_they_write() -> Result<(), KeyError> {
        let key = KeyPair::from_seed(&[7; 32]).public();
        assert_eq!(key.to_string().parse::<PublicKey>()?, key);
        Ok(())
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in ["", "AAAA", "not base64!", &BASE64_STANDARD.encode([0; 33])] {
            assert!(matches!(wrong.parse::<PublicKey>(), Err(KeyError::Text(_))), "{wrong}");
        }
        // The neutral element: everybody's signature would hold for it.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let text = BASE64_STANDARD.encode(neutral);
        assert!(matches!(text.parse::<PublicKey>(), Err(KeyError::Point(_))));
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let pair = KeyPair::from_seed(&[7; 32]);
        let shown = format!("{pair:?}");
        assert!(shown.contains(&pair.public().to_string()));
        assert!(!shown.contains(&BASE64_STANDARD.encode([7; 32])) && !shown.contains("7, 7"));
    }
}
