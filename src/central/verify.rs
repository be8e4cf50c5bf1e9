//! The audit: every chain and every signature recomputed from what is stored.
//!
//! For each journal: do the stored lines (or leaf hashes, where a line was withheld) lead from the chain's first hash to its head without
//! a gap? Is every signed head on the way, and does the terminal's signature hold for the very bytes it sent? And for the counts: does a
//! recount of the answers give the same?

use std::{collections::BTreeSet, fmt, sync::Arc};

use super::{
    domain::ingest::{Batch, plain_body},
    store::{ChainSummary, Checkpoint, Drift, Store, StoreError},
    terminal_api::auth::gunzip,
};
use crate::{
    chain,
    model::{ChainId, Hash, SiteId},
    questionnaire::Hospital,
    sign::{Proof, PublicKey, RequestParts, verify_request},
    wire::BATCH_BYTES_MAX,
};

/// Entries read at a time.
const PAGE: usize = 2_000;

/// Decompressed batches were never larger when they were taken in; room for a raised limit.
const BATCH_MAX: usize = 16 * BATCH_BYTES_MAX;

/// What the audit found.
#[derive(Debug, Default)]
pub struct Findings {
    /// One for each journal.
    pub chains: Vec<ChainFinding>,
    /// Counts that differ from a recount.
    pub drift: Vec<Drift>,
}

impl Findings {
    /// Whether everything is whole.
    pub fn is_whole(&self) -> bool {
        self.drift.is_empty() && self.chains.iter().all(|chain| chain.damage.is_empty())
    }
}

/// What the audit found about a journal.
#[derive(Debug)]
pub struct ChainFinding {
    /// The journal.
    pub held: ChainSummary,
    /// Signed heads that hold.
    pub heads: u64,
    /// The last entry such a head covers.
    pub last_signed: u64,
    /// What is wrong, in words; empty if all is well.
    pub damage: Vec<String>,
}

impl fmt::Display for ChainFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cursor = &self.held.cursor;
        let word = if self.damage.is_empty() { "complete" } else { "DAMAGED" };
        write!(f, "{} {}: 1-{} {word}", cursor.terminal, self.held.chain, cursor.accepted_through)?;
        write!(f, ", {} signed heads, the last at {}", self.heads, self.last_signed)?;
        if self.held.withheld > 0 {
            write!(f, ", {} lines withheld", self.held.withheld)?;
        }
        if self.held.quarantined > 0 {
            write!(f, ", {} in quarantine", self.held.quarantined)?;
        }
        self.damage.iter().try_for_each(|damage| write!(f, "\n  {damage}"))
    }
}

/// Recomputes everything.
pub async fn verify(store: &Arc<dyn Store>, hospital: &Hospital) -> Result<Findings, StoreError> {
    let mut findings = Findings::default();
    // Also what belongs to sites that the file no longer names.
    let named = hospital.sites.iter().map(|site| site.id.clone());
    let sites: BTreeSet<SiteId> = named.chain(store.sites().await?).collect();
    for site in &sites {
        for held in store.chains(site).await? {
            findings.chains.push(verify_chain(store, site, held).await?);
        }
        findings.drift.extend(store.drift(site).await?);
    }
    Ok(findings)
}

async fn verify_chain(
    store: &Arc<dyn Store>,
    site: &SiteId,
    held: ChainSummary,
) -> Result<ChainFinding, StoreError> {
    let mut damage = Vec::new();
    let mut heads = store.checkpoints(site, held.chain).await?.into_iter().peekable();
    let (mut hash, mut seq) = (chain::genesis(held.chain), 0_u64);
    let (mut good, mut last_signed) = (0, 0);
    loop {
        let page = store.entries(site, held.chain, seq, PAGE).await?;
        let is_last = page.len() < PAGE;
        for entry in page {
            if entry.seq != seq + 1 {
                damage.push(format!("entries {} to {} are missing", seq + 1, entry.seq - 1));
            }
            let leaf = entry.leaf.or_else(|| entry.line.as_deref().map(chain::leaf)).unwrap_or(Hash([0; 32]));
            hash = chain::link(hash, leaf);
            seq = entry.seq;
            if hash != entry.hash {
                damage.push(format!("entry {seq} is not what was received"));
                // Go on from the stored hash, so that one changed line is reported once.
                hash = entry.hash;
            }
            while let Some(head) = heads.next_if(|head| head.seq <= seq) {
                let body = body_of(store, site, held.chain, &head).await?;
                match check_head(&head, &body, (head.seq == seq).then_some(hash)) {
                    Ok(()) => {
                        good += 1;
                        last_signed = head.seq;
                    }
                    Err(what) => damage.push(format!("the signed head at {}: {what}", head.seq)),
                }
            }
        }
        if is_last {
            break;
        }
    }
    damage.extend(
        heads.map(|head| format!("entries {} to {} are signed for and missing", head.first_seq, head.seq)),
    );
    let cursor = &held.cursor;
    if (seq, hash) != (cursor.accepted_through, cursor.head_hash) {
        damage.push(format!("the cursor stands at {}, the entries end at {seq}", cursor.accepted_through));
    }
    if last_signed != seq {
        damage.push(format!("entries after {last_signed} are covered by no valid signature"));
    }
    Ok(ChainFinding { held, heads: good, last_signed, damage })
}

/// The body as it was sent: kept where it was compressed, otherwise the header line and the stored lines again.
async fn body_of(
    store: &Arc<dyn Store>,
    site: &SiteId,
    chain: ChainId,
    head: &Checkpoint,
) -> Result<Vec<u8>, StoreError> {
    if let Some(content) = &head.proof.content {
        return Ok(content.clone());
    }
    let count = usize::try_from(head.seq + 1 - head.first_seq).unwrap_or(usize::MAX);
    let lines = store.entries(site, chain, head.first_seq - 1, count).await?;
    Ok(plain_body(&head.header_line, lines.iter().map(|entry| entry.line.as_deref().unwrap_or_default())))
}

/// Whether the head is the recomputed one, and the terminal's signature holds for the bytes that carried it.
fn check_head(head: &Checkpoint, body: &[u8], recomputed: Option<Hash>) -> Result<(), String> {
    if recomputed != Some(head.head_hash) {
        return Err("it is not the head of the stored entries".to_owned());
    }
    let proof = &head.proof;
    let key: PublicKey = head.public_key.parse().map_err(|_| "its key cannot be read".to_owned())?;
    let said = RequestParts {
        method: &proof.method,
        path: &proof.path,
        query: None,
        terminal: Some(head.terminal.as_str()),
        protocol: &proof.protocol,
        content_encoding: proof.content_encoding.as_deref(),
        body,
    };
    let shown = Proof {
        content_digest: Some(&proof.content_digest),
        signature_input: &proof.signature_input,
        signature: &proof.signature,
    };
    verify_request(&key, &said, &shown).map_err(|error| error.to_string())?;
    let text = match proof.content_encoding {
        Some(_) => gunzip(body, BATCH_MAX).ok().flatten().ok_or("its body cannot be decompressed")?,
        None => body.to_vec(),
    };
    let batch = Batch::reread(&text).map_err(|error| error.to_string())?;
    if batch.header.head_hash == head.head_hash && batch.last_seq() == head.seq {
        Ok(())
    } else {
        Err("the signed body leads to another head".to_owned())
    }
}
