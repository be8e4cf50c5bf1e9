//! The hash chain that makes a journal provable.
//!
//! `hash = SHA-256(previous hash || leaf)`, `leaf = SHA-256(line bytes)`, and the first entry's previous hash is SHA-256 of the 16
//! bytes of the chain id. A line that was erased after its retention time leaves its leaf behind, so that the chain can still be
//! recomputed from end to end.

use sha2::{Digest, Sha256};

use crate::model::{ChainId, Hash};

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// The hash before the first entry of a chain.
pub fn genesis(chain: ChainId) -> Hash {
    sha256(&chain.0)
}

/// The hash of one line, without its newline.
pub fn leaf(line: &[u8]) -> Hash {
    sha256(line)
}

/// The hash after an entry, from the hash before it and its leaf.
pub fn link(previous: Hash, leaf: Hash) -> Hash {
    let mut digest = Sha256::new();
    digest.update(previous.0);
    digest.update(leaf.0);
    Hash(digest.finalize().into())
}

/// The hash after a run of lines.
pub fn head<'a>(previous: Hash, lines: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    lines.into_iter().fold(previous, |hash, line| link(hash, leaf(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_two_is_what_the_formula_says() {
        let chain = ChainId([0; 16]);
        // SHA-256 of sixteen zero bytes, from `head -c 16 /dev/zero | sha256sum`.
        assert_eq!(
            genesis(chain).to_string(),
            "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb"
        );
        let by_hand = link(link(genesis(chain), leaf(b"a")), leaf(b"b"));
        assert_eq!(head(genesis(chain), [b"a".as_slice(), b"b"]), by_hand);
    }

    #[test]
    fn order_content_and_chain_all_matter() {
        let (one, two) = (genesis(ChainId([1; 16])), genesis(ChainId([2; 16])));
        let ab = head(one, [b"a".as_slice(), b"b"]);
        assert_ne!(ab, head(one, [b"b".as_slice(), b"a"]));
        assert_ne!(ab, head(one, [b"a".as_slice(), b"c"]));
        assert_ne!(ab, head(two, [b"a".as_slice(), b"b"]));
    }
}
