//! Chance for the shells: ids and key material from the operating system's generator. The pure core takes them as arguments.

use crate::model::{BootId, ChainId, EntryId, Moment, ResponseId};

/// Random bytes, fit for keys.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes);
    bytes
}

/// A new chain's identity.
pub fn chain_id() -> ChainId {
    ChainId(bytes())
}

/// The secret half of an Ed25519 key.
pub(crate) fn key_seed() -> [u8; 32] {
    bytes()
}

/// A simulated start of a machine.
pub(crate) fn boot_id() -> BootId {
    BootId(uuid::Builder::from_random_bytes(bytes()).into_uuid())
}

/// A new entry's id.
pub fn entry_id(now: &Moment) -> EntryId {
    EntryId::from_parts(unix_ms(now), bytes())
}

/// A new visitor's id.
pub fn response_id(now: &Moment) -> ResponseId {
    ResponseId::from_parts(unix_ms(now), bytes())
}

/// A number in `0.0..1.0`, for jitter.
pub fn unit() -> f64 {
    rand::random()
}

fn unix_ms(now: &Moment) -> u64 {
    u64::try_from(now.wall.timestamp_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_chains_are_never_the_same() {
        assert_ne!(chain_id(), chain_id());
        assert_ne!(key_seed(), [0; 32]);
        assert!((0.0..1.0).contains(&unit()));
    }
}
