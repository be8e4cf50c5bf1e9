//! The floors: plain inserts of the same lines, made durable at every commit, in the same file system and the same run.
//!
//! One narrow table (site, chain, seq, hash, line) with the one key that makes a second insert harmless, and nothing else: no central can be
//! faster on the same database, so a rate means something only beside its floor.

mod postgres;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};

use super::{stage::now, terminal::Link};

pub(super) use postgres::Postgres;

/// Chains whose lines a grouped commit takes one each of.
pub(super) const GROUP: usize = 64;

const TABLE: &str = "create table floor (site text not null, chain blob not null, seq integer not null, \
    hash blob not null, line blob not null, primary key (site, chain, seq)) strict, without rowid";

const INSERT: &str =
    "insert into floor (site, chain, seq, hash, line) values (?1, ?2, ?3, ?4, ?5) on conflict do nothing";

/// What a floor came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) rows: u64,
    pub(super) took: Duration,
}

impl Rate {
    pub(super) fn rows_per_s(&self) -> f64 {
        per_second(self.rows, self.took)
    }
}

/// So many in so long.
#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
pub(super) fn per_second(n: u64, took: Duration) -> f64 {
    n as f64 / took.as_secs_f64().max(1e-9)
}

/// Commits of so many lines each into a fresh SQLite database, `synchronous=FULL` in WAL mode, for at most `limit`.
pub(super) fn sqlite(
    folder: &Path,
    lines: &[Link],
    a_commit: usize,
    limit: Duration,
) -> anyhow::Result<Rate> {
    let path = folder.join(format!("floor-{a_commit}.sqlite"));
    let mut connection = Connection::open(&path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    connection.execute_batch(TABLE)?;
    let began = now();
    let mut rows = 0;
    for group in lines.chunks_exact(a_commit) {
        if began.elapsed() >= limit {
            break;
        }
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for link in group {
                let seq = i64::try_from(link.seq)?;
                rows += insert.execute(params!["main", link.chain.0, seq, link.hash.0, link.line])? as u64;
            }
        }
        transaction.commit()?;
    }
    let rate = Rate { rows, took: began.elapsed() };
    drop(connection);
    for ending in ["", "-wal", "-shm"] {
        // What is left goes with the folder.
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    Ok(rate)
}

/// When it began, for [`postgres`].
pub(super) fn began() -> Instant {
    now()
}
