//! What must hold after every step and at the end.

use std::collections::{BTreeMap, HashSet};

use xinsheng::model::EntryId;

use super::{Delivery, Step, World, told};

impl World {
    /// Ids of the entries whose line the journal has, and whether each is refused.
    pub(super) fn held(&mut self) -> Step<BTreeMap<EntryId, bool>> {
        let mut out = Vec::new();
        self.journal().export(&mut out).map_err(told("export"))?;
        let mut held = BTreeMap::new();
        for line in out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let value: serde_json::Value = serde_json::from_slice(line).map_err(told("exported line"))?;
            if let Some(id) = value["entry"]["id"].as_str() {
                let refused = value["refused"].is_string();
                *held.entry(id.parse().map_err(told("id"))?).or_insert(false) |= refused;
            }
        }
        Ok(held)
    }

    /// What must hold after every step.
    pub(super) fn check(&mut self) -> Step {
        let report = self.journal().verify().map_err(told("verify"))?;
        if !report.is_whole() {
            return Err(format!("{:?}", report.flaws));
        }
        let stats = self.journal().stats().map_err(told("stats"))?;
        let current = report.chains.last().ok_or("no chain")?;
        if (current.chain, current.last_seq, current.head_hash)
            != (stats.head.chain, stats.head.seq, stats.head.hash)
        {
            return Err(format!("{current:?} but {stats:?}"));
        }
        if stats.queue_depth < stats.head.seq - stats.cursor || stats.cursor != current.cursor {
            return Err(format!("the queue is miscounted: {stats:?}"));
        }
        let refused: u64 = report.chains.iter().map(|chain| chain.refused).sum();
        if refused != stats.refused {
            return Err(format!("{refused} refused, counted {}", stats.refused));
        }
        let held = self.held()?;
        // Whoever was thanked for is here or was at central.
        match self.thanked.iter().find(|id| !held.contains_key(*id) && !self.ever_counted.contains(*id)) {
            Some(id) => Err(format!("{id} was thanked for and is gone")),
            None => Ok(()),
        }
    }

    /// All is well at last: everything is delivered. Then both sides are compared.
    pub(super) fn settle(&mut self) -> Step {
        for _ in 0..1000 {
            self.deliver(50, 20_000, Delivery::Received)?;
            if self.journal().queue_depth() == 0 && self.follow_cursor()? && self.journal().queue_depth() == 0
            {
                return self.compare();
            }
        }
        Err("the queue does not drain".into())
    }

    fn compare(&mut self) -> Step {
        let held = self.held()?;
        let chains = self.journal().verify().map_err(told("verify"))?.chains;
        self.count("lines erased", chains.iter().map(|chain| chain.erased).sum());
        self.count("chains", chains.len() as u64);
        self.count("entries refused", chains.iter().map(|chain| chain.refused).sum());
        self.count("entries thanked for", self.thanked.len() as u64);
        let counted = &self.central.counted;
        for id in &self.thanked {
            // An erased entry was at central once; if central lost it afterwards nobody has it.
            let gone = !held.contains_key(id) && self.ever_counted.contains(id);
            if !counted.contains(id) && !self.refused.contains(id) && !gone {
                return Err(format!("{id} was thanked for and is not at central"));
            }
        }
        let known: HashSet<_> = self.thanked.union(&self.doubtful).collect();
        match counted.iter().find(|id| !known.contains(id)) {
            Some(id) => Err(format!("central counted {id}, which nobody tapped")),
            None => Ok(()),
        }
    }
}
