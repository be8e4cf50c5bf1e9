//! Central, as the protocol has it: two lists, and the cursor it reports.

use std::collections::{HashMap, HashSet};

use xinsheng::{
    chain::{genesis, leaf, link},
    journal::Batch,
    model::{ChainId, EntryId, Hash},
    wire::Withheld,
};

use crate::support::entry_id;

/// Central, as the protocol has it: entries by (chain, seq), each entry counted once by its id.
#[derive(Clone, Default)]
pub(super) struct Central {
    chains: HashMap<ChainId, Vec<Hash>>,
    pub(super) counted: HashSet<EntryId>,
}

/// What central made of a batch.
pub(super) enum Stored {
    All(u64, Hash),
    /// It holds other entries there.
    Conflict,
    /// It lacks entries before.
    Gap,
}

impl Central {
    pub(super) fn cursor(&self, chain: ChainId) -> (u64, Hash) {
        let hashes = self.chains.get(&chain).map_or(&[][..], Vec::as_slice);
        (hashes.len() as u64, hashes.last().copied().unwrap_or_else(|| genesis(chain)))
    }

    /// Stores a batch, unless it does not follow what is there.
    pub(super) fn store(&mut self, batch: &Batch) -> Result<Stored, String> {
        let hashes = self.chains.entry(batch.chain).or_default();
        let mut hash = batch.previous_hash;
        let before = batch.first_seq - 1;
        let known = if before == 0 { Some(genesis(batch.chain)) } else { hashes.get(index(before)).copied() };
        match known {
            None => return Ok(Stored::Gap),
            Some(known) if known != hash => return Ok(Stored::Conflict),
            Some(_) => {}
        }
        for (seq, line) in (batch.first_seq..).zip(&batch.lines) {
            let withheld: Option<Withheld> = serde_json::from_slice(line).ok();
            hash = link(hash, withheld.as_ref().map_or_else(|| leaf(line), |withheld| withheld.leaf));
            match hashes.get(index(seq)) {
                Some(known) if *known != hash => return Ok(Stored::Conflict),
                Some(_) => {}
                None => hashes.push(hash),
            }
            if withheld.is_none() {
                let value: serde_json::Value =
                    serde_json::from_slice(line).map_err(|error| error.to_string())?;
                if value["seq"] != seq {
                    return Err(format!("line {seq} says {}", value["seq"]));
                }
                self.counted.extend(entry_id(line));
            }
        }
        if hash != batch.head_hash {
            return Err("a batch's head hash is not the hash of its lines".into());
        }
        Ok(Stored::All(batch.last_seq(), hash))
    }
}

/// Where a chain's list has an entry.
fn index(seq: u64) -> usize {
    usize::try_from(seq).expect("a short chain") - 1
}
