//! What an idle terminal does for its journal, in steps short enough that a tap never notices.

use chrono::TimeDelta;

use super::{Head, Journal, JournalError, SIDE_ENTRIES, SIDE_MS, SideMark, files, key, rows, schema};
use crate::model::{Moment, TimeQuality};

/// Entries erased in one transaction.
const ERASE_STEP: u64 = 500;

/// An idle checkpoint is worth its two syncs after this many entries.
const CHECKPOINT_ENTRIES: u64 = 200;

/// Whether upkeep is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upkeep {
    /// Nothing is left to do.
    Done,
    /// Come again soon.
    More,
}

impl Journal {
    /// One step of upkeep: carries, writes the side file, checkpoints, erases what is past its time, makes the ballast.
    pub fn upkeep(&mut self, now: &Moment) -> Result<Upkeep, JournalError> {
        if self.state.to_carry > 0 {
            self.carry_step()?;
            return Ok(Upkeep::More);
        }
        if self.is_side_due(now.up_ms) {
            self.write_side(now.up_ms)?;
        }
        if self.since_checkpoint >= CHECKPOINT_ENTRIES {
            self.checkpoint()?;
        }
        if self.erase_step(now)? {
            return Ok(Upkeep::More);
        }
        if self.is_in_memory() {
            return Ok(Upkeep::Done);
        }
        match files::make_ballast(&self.dir, self.ballast_bytes) {
            Ok(there) => self.is_tight = !there,
            Err(error) => tracing::warn!(%error, dir = %self.dir.display(), "no ballast"),
        }
        Ok(Upkeep::Done)
    }

    /// Copies the log into the database now; see [`Journal::upkeep`], which does it when it is worth its two syncs.
    #[doc(hidden)]
    pub fn checkpoint_now(&mut self) -> Result<(), JournalError> {
        self.checkpoint()
    }

    fn checkpoint(&mut self) -> Result<(), JournalError> {
        let hooks = self.hooks.clone();
        hooks.probe("before checkpoint");
        // PASSIVE keeps the log's file: overwriting it needs no new blocks, so commits stay cheap.
        schema::checkpoint(self.db()?, "PASSIVE")?;
        hooks.probe("after checkpoint");
        self.since_checkpoint = 0;
        Ok(())
    }

    /// Erases some lines that are past their time; says whether more may be left.
    fn erase_step(&mut self, now: &Moment) -> Result<bool, JournalError> {
        let limit = self.erasable(now)?;
        let hooks = self.hooks.clone();
        let conn = self.db()?;
        let from = rows::meta_number(conn, key::ERASED_THROUGH)?;
        if from >= limit {
            return Ok(false);
        }
        let through = limit.min(from + ERASE_STEP);
        let transaction = schema::begin(conn)?;
        // A refused entry is nowhere else.
        transaction.execute(
            "UPDATE entry SET line = NULL WHERE n > ?1 AND n <= ?2 AND refused IS NULL AND line IS NOT NULL",
            (rows::int(from), rows::int(through)),
        )?;
        rows::set_meta(&transaction, key::ERASED_THROUGH, &through.to_string())?;
        hooks.probe("erase before commit");
        transaction.commit()?;
        self.since_checkpoint += through - from;
        Ok(through < limit)
    }

    /// The last row that may be erased: acknowledged long enough ago, not among the newest, delivered or carried.
    fn erasable(&mut self, now: &Moment) -> Result<u64, JournalError> {
        let beyond_newest = self.state.last_n().saturating_sub(self.retention.entries);
        if self.hooks.erase_unacknowledged {
            return Ok(beyond_newest);
        }
        if now.quality == TimeQuality::Unset || beyond_newest == 0 {
            return Ok(0);
        }
        let delivered = self.state.base + self.state.cursor;
        let days = TimeDelta::days(i64::from(self.retention.days));
        let cutoff = now.wall.checked_sub_signed(days).map_or(i64::MIN, |at| at.timestamp_millis());
        let conn = self.db()?;
        let aged = conn
            .query_row("SELECT max(n) FROM acknowledged WHERE at_ms <= ?1", [cutoff], |row| {
                row.get::<_, Option<i64>>(0)
            })?
            .map_or(0, rows::uint);
        let uncarried = rows::first_carry(conn)?.map_or(u64::MAX, |first| first.saturating_sub(1));
        Ok(beyond_newest.min(delivered).min(aged).min(uncarried))
    }

    /// Whether the side file lags behind by so much that it is worth writing.
    fn is_side_due(&self, up_ms: u64) -> bool {
        let changed = self.side.head != self.head() || self.side.cursor != self.state.cursor;
        // The boot clock starts again at a reboot, but a journal is opened after it.
        changed && up_ms.saturating_sub(self.side.up_ms) >= SIDE_MS
    }

    /// After many entries the side file is written without waiting for an idle moment.
    pub(super) fn side_after_append(&mut self) {
        if self.state.last_seq.saturating_sub(self.side.head.seq) < SIDE_ENTRIES {
            return;
        }
        let up_ms = self.side.up_ms;
        // The entries are stored; a side file that cannot be written costs only its protection.
        if let Err(error) = self.write_side(up_ms) {
            tracing::warn!(%error, dir = %self.dir.display(), "the side file could not be written");
            self.side.head.seq = self.state.last_seq;
        }
    }

    pub(super) fn write_side(&mut self, up_ms: u64) -> Result<(), JournalError> {
        if self.is_in_memory() {
            return Ok(());
        }
        let (head, cursor): (Head, u64) = (self.head(), self.state.cursor);
        let n = self.state.last_n();
        self.hooks.clone().probe("before side file");
        let line = rows::get(self.db()?, n)?.and_then(|row| row.line);
        let id = line.and_then(|line| rows::entry_id(&line));
        files::Side { head, cursor, id }.write(&self.dir)?;
        self.hooks.clone().probe("after side file");
        self.side = SideMark { head, cursor, up_ms };
        Ok(())
    }
}
