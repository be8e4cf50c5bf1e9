//! What goes to central, and what central's signed word does to the cursor.

use super::{Journal, JournalError, Row, files, rows, schema};
use crate::{
    chain,
    model::{ChainId, Hash, Moment, TimeQuality},
    wire::{BatchHeader, Withheld},
};

/// A wall time of an acknowledgement is written down at most this often, in milliseconds: retention is counted in days.
const ACKNOWLEDGED_EVERY_MS: i64 = 3_600_000;

/// Longest reason kept with a refused entry, in characters: it is shown on the status screen and sent in every batch that repeats it.
const REASON_CHARS_MAX: usize = 200;

/// How much fits into one batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchLimits {
    /// Most entries; at least one is always sent.
    pub entries: usize,
    /// Most bytes of lines with their newlines.
    pub bytes: usize,
}

/// The next entries for central: an unbroken run of one chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Which chain.
    pub chain: ChainId,
    /// Place of the first line.
    pub first_seq: u64,
    /// Chain hash before it.
    pub previous_hash: Hash,
    /// Chain hash after the last line.
    pub head_hash: Hash,
    /// The lines without newlines: frozen entries, or [`Withheld`] where the terminal does not send one.
    pub lines: Vec<Vec<u8>>,
}

impl Batch {
    /// Place of the last line.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + self.lines.len() as u64 - 1
    }

    /// The first line of the request.
    pub fn header(&self, sent: Moment) -> BatchHeader {
        BatchHeader {
            chain: self.chain,
            first_seq: self.first_seq,
            previous_hash: self.previous_hash,
            count: u32::try_from(self.lines.len()).unwrap_or(u32::MAX),
            head_hash: self.head_hash,
            sent,
        }
    }
}

impl Journal {
    /// The entries after the cursor, oldest first; `None` if there are none.
    pub fn batch(&mut self, limits: BatchLimits) -> Result<Option<Batch>, JournalError> {
        while self.state.last_seq == self.state.cursor && self.state.to_carry > 0 {
            self.carry_step()?;
        }
        let (chain, base, cursor) = (self.state.chain, self.state.base, self.state.cursor);
        let last_n = self.state.last_n();
        if base + cursor == last_n {
            return Ok(None);
        }
        let conn = self.db()?;
        let damaged = JournalError::Damaged { seq: cursor };
        let previous_hash = rows::hash_at(conn, chain, base, cursor)?.ok_or(damaged)?;
        let batch = Batch {
            chain,
            first_seq: cursor + 1,
            previous_hash,
            head_hash: previous_hash,
            lines: Vec::new(),
        };
        let mut builder = Builder { batch, base, bytes_left: limits.bytes, damaged: None };
        rows::scan(conn, base + cursor + 1, last_n, limits.entries.max(1), |row| builder.take(row))?;
        match builder.damaged {
            // What comes before the damage can still be sent.
            Some(seq) if builder.batch.lines.is_empty() => Err(JournalError::Damaged { seq }),
            Some(_) | None => Ok(Some(builder.batch)),
        }
    }

    /// Moves the cursor to what central has signed for. A repeated or late receipt changes nothing.
    pub fn acknowledge(&mut self, through: u64, head_hash: Hash, now: &Moment) -> Result<(), JournalError> {
        self.check_hash(through, head_hash)?;
        if through <= self.state.cursor {
            return Ok(());
        }
        let (chain, n, hooks) = (self.state.chain, self.state.base + through, self.hooks.clone());
        let at_ms = now.wall.timestamp_millis();
        let transaction = schema::begin(self.db()?)?;
        transaction
            .prepare_cached("UPDATE chain SET cursor = ?1 WHERE id = ?2")?
            .execute((rows::int(through), chain.0))?;
        // An unset clock says nothing about age, and a note within the hour adds nothing to the one before.
        if now.quality != TimeQuality::Unset {
            transaction
                .prepare_cached(
                    "INSERT INTO acknowledged (n, at_ms) SELECT ?1, ?2 WHERE NOT EXISTS \
                     (SELECT 1 FROM acknowledged WHERE n = (SELECT max(n) FROM acknowledged) \
                      AND at_ms BETWEEN ?2 - ?3 AND ?2)",
                )?
                .execute((rows::int(n), at_ms, ACKNOWLEDGED_EVERY_MS))?;
        }
        hooks.probe("acknowledge before commit");
        transaction.commit()?;
        self.state.cursor = through;
        Ok(())
    }

    /// Central fell back, to a backup for example: sends again from there. Entries erased since go as [`Withheld`].
    pub fn rewind(&mut self, to_seq: u64, head_hash: Hash) -> Result<(), JournalError> {
        self.check_hash(to_seq, head_hash)?;
        if to_seq >= self.state.cursor {
            return Ok(());
        }
        let (chain, n, hooks) = (self.state.chain, self.state.base + to_seq, self.hooks.clone());
        let transaction = schema::begin(self.db()?)?;
        transaction.execute("UPDATE chain SET cursor = ?1 WHERE id = ?2", (rows::int(to_seq), chain.0))?;
        transaction.execute("DELETE FROM acknowledged WHERE n > ?1", [rows::int(n)])?;
        hooks.probe("rewind before commit");
        transaction.commit()?;
        self.state.cursor = to_seq;
        Ok(())
    }

    /// Central refuses this one entry: it is kept with the reason and goes as [`Withheld`] from now on.
    pub fn refuse(&mut self, seq: u64, reason: &str) -> Result<(), JournalError> {
        if seq <= self.state.cursor || seq > self.state.last_seq {
            return Err(JournalError::NotWaiting { seq });
        }
        let n = self.state.base + seq;
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let changed = self.db()?.execute(
            "UPDATE entry SET refused = ?2 WHERE n = ?1 AND refused IS NULL",
            (rows::int(n), reason),
        )?;
        self.state.refused += changed as u64;
        Ok(())
    }

    fn check_hash(&mut self, seq: u64, hash: Hash) -> Result<(), JournalError> {
        let (chain, base, last_seq) = (self.state.chain, self.state.base, self.state.last_seq);
        if seq > last_seq {
            return Err(JournalError::Ahead { seq, last_seq });
        }
        let ours = rows::hash_at(self.db()?, chain, base, seq)?.ok_or(JournalError::Damaged { seq })?;
        if ours == hash || self.hooks.trust_any_hash {
            Ok(())
        } else {
            Err(JournalError::HeadMismatch { seq, ours })
        }
    }

    /// Free bytes where the journal lies.
    pub fn disk_free_bytes(&self) -> Option<u64> {
        files::free_bytes(&self.dir).ok()
    }
}

struct Builder {
    batch: Batch,
    base: u64,
    bytes_left: usize,
    damaged: Option<u64>,
}

impl Builder {
    /// Adds a row; `false` when the batch is full or the next row cannot be linked.
    fn take(&mut self, row: Row) -> bool {
        let seq = self.batch.first_seq + self.batch.lines.len() as u64;
        let Some(leaf) = linking_leaf(&row, self.batch.head_hash).filter(|_| row.n == self.base + seq) else {
            self.damaged = Some(seq);
            return false;
        };
        let hash = row.hash;
        let line = wire_line(row, seq, leaf);
        let room = self.bytes_left.checked_sub(line.len() + 1);
        if room.is_none() && !self.batch.lines.is_empty() {
            return false;
        }
        self.bytes_left = room.unwrap_or(0);
        self.batch.head_hash = hash;
        self.batch.lines.push(line);
        true
    }
}

/// The leaf that was hashed: the stored one or, if that is damaged, the line's own.
pub(super) fn linking_leaf(row: &Row, previous: Hash) -> Option<Hash> {
    let own = row.line.as_deref().map(chain::leaf);
    [Some(row.leaf), own].into_iter().flatten().find(|leaf| chain::link(previous, *leaf) == row.hash)
}

fn wire_line(row: Row, seq: u64, leaf: Hash) -> Vec<u8> {
    let reason = match (row.refused, row.line) {
        (Some(reason), _) => reason,
        (None, None) => "erased".into(),
        (None, Some(line)) if chain::leaf(&line) == leaf => return line,
        (None, Some(_)) => "damaged".into(),
    };
    // Two numbers and two texts always serialise.
    serde_json::to_vec(&Withheld { seq, leaf, reason }).unwrap_or_default()
}
