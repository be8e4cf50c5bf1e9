//! Journals, their entries and their signed heads.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::{
    Read, SqliteStore,
    codec::{chain as chain_id, hash, instant, json, limit_of, signed, text, unsigned},
};
use crate::{
    central::store::{
        ChainStore, ChainSummary, Checkpoint, Cursor, SignedRequest, StoreError, StoredEntry, names,
    },
    model::{ChainId, SiteId},
};

#[async_trait]
impl ChainStore for SqliteStore {
    async fn cursor(&self, site: &SiteId, chain: ChainId) -> Result<Option<Cursor>, StoreError> {
        let sql = "select terminal, accepted_through, head_hash, first_received, last_received from chains \
                   where site = ?1 and chain = ?2";
        self.look_up(site, move |db| db.first(sql, params![db.site(), chain.0], cursor)).await
    }

    async fn chains(&self, site: &SiteId) -> Result<Vec<ChainSummary>, StoreError> {
        let sql = "select terminal, accepted_through, head_hash, first_received, last_received, chain, \
                   quarantined, withheld from chains where site = ?1 order by first_received, chain";
        self.read(site, move |db| db.all(sql, [db.site()], summary)).await
    }

    async fn entries(
        &self,
        site: &SiteId,
        chain: ChainId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = "select seq, hash, line, leaf, received_at, state, reason from entries \
                   where site = ?1 and chain = ?2 and seq > ?3 order by seq limit ?4";
        let read = move |db: super::SiteDb<'_>| {
            db.all(sql, params![db.site(), chain.0, signed(after), limit_of(limit)], entry)
        };
        self.read(site, read).await
    }

    async fn checkpoints(&self, site: &SiteId, chain: ChainId) -> Result<Vec<Checkpoint>, StoreError> {
        let sql = "select first_seq, seq, head_hash, terminal, public_key, header_line, signed_headers, content \
                   from checkpoints where site = ?1 and chain = ?2 order by seq, first_seq";
        self.read(site, move |db| db.all(sql, params![db.site(), chain.0], checkpoint)).await
    }
}

fn cursor(row: &Row<'_>) -> Read<Cursor> {
    Ok(Cursor {
        terminal: text("terminal", &row.get::<_, String>(0)?)?,
        accepted_through: unsigned(row.get(1)?)?,
        head_hash: hash(&row.get::<_, Vec<u8>>(2)?)?,
        first_received: instant(row.get(3)?)?,
        last_received: instant(row.get(4)?)?,
    })
}

fn summary(row: &Row<'_>) -> Read<ChainSummary> {
    Ok(ChainSummary {
        cursor: cursor(row)?,
        chain: chain_id(&row.get::<_, Vec<u8>>(5)?)?,
        quarantined: unsigned(row.get(6)?)?,
        withheld: unsigned(row.get(7)?)?,
    })
}

fn entry(row: &Row<'_>) -> Read<StoredEntry> {
    Ok(StoredEntry {
        seq: unsigned(row.get(0)?)?,
        hash: hash(&row.get::<_, Vec<u8>>(1)?)?,
        line: row.get(2)?,
        leaf: row.get::<_, Option<Vec<u8>>>(3)?.map(|bytes| hash(&bytes)).transpose()?,
        received_at: instant(row.get(4)?)?,
        state: names::entry_state(&row.get::<_, String>(5)?, row.get(6)?)?,
    })
}

fn checkpoint(row: &Row<'_>) -> Read<Checkpoint> {
    let proof: SignedRequest = json("signed request", &row.get::<_, String>(6)?)?;
    Ok(Checkpoint {
        first_seq: unsigned(row.get(0)?)?,
        seq: unsigned(row.get(1)?)?,
        head_hash: hash(&row.get::<_, Vec<u8>>(2)?)?,
        terminal: text("terminal", &row.get::<_, String>(3)?)?,
        public_key: row.get(4)?,
        header_line: row.get(5)?,
        proof: SignedRequest { content: row.get(7)?, ..proof },
    })
}
