//! Entries that were not understood, and their replay.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::{
    Read, SiteDb, SqliteStore, apply,
    codec::{chain as chain_id, hash, instant, limit_of, signed, text, unsigned},
    snapshot::read_snapshot,
};
use crate::{
    central::{
        domain::ingest::{Ask, Content, KeptEntry, Line, Reading, retry},
        store::{
            Place, QuarantineGroup, QuarantineStore, QuarantinedEntry, Replayed, Retry, StoreError, names,
            quarantine::REPLAY_PAGE,
        },
    },
    model::{ChainId, SiteId, TerminalId},
};

#[async_trait]
impl QuarantineStore for SqliteStore {
    async fn quarantine(&self, site: &SiteId, limit: usize) -> Result<Vec<QuarantinedEntry>, StoreError> {
        let sql = "select c.terminal, e.chain, e.seq, e.reason, e.received_at, e.line from entries e \
                   join chains c on c.site = e.site and c.chain = e.chain \
                   where e.site = ?1 and e.state = 'quarantined' order by e.chain, e.seq limit ?2";
        self.read(site, move |db| db.all(sql, params![db.site(), limit_of(limit)], quarantined)).await
    }

    async fn quarantine_groups(
        &self,
        site: &SiteId,
        limit: usize,
    ) -> Result<Vec<QuarantineGroup>, StoreError> {
        let sql = "select c.terminal, e.reason, count(*), min(e.received_at), max(e.received_at) from entries e \
                   join chains c on c.site = e.site and c.chain = e.chain \
                   where e.site = ?1 and e.state = 'quarantined' group by c.terminal, e.reason \
                   order by max(e.received_at) desc, c.terminal, e.reason limit ?2";
        self.read(site, move |db| db.all(sql, params![db.site(), limit_of(limit)], group)).await
    }

    async fn quarantined(&self, site: &SiteId) -> Result<u64, StoreError> {
        let sql = "select coalesce(sum(quarantined), 0) from chains where site = ?1";
        self.read(site, move |db| db.count(sql, [db.site()])).await
    }

    async fn quarantined_of(&self, site: &SiteId, id: &TerminalId) -> Result<u64, StoreError> {
        let id = id.clone();
        let sql = "select coalesce(sum(quarantined), 0) from chains where site = ?1 and terminal = ?2";
        self.look_up(site, move |db| db.count(sql, params![db.site(), id.as_str()])).await
    }

    async fn replay_page(
        &self,
        retry: Retry,
        after: Option<Place>,
    ) -> Result<(Replayed, Option<Place>), StoreError> {
        let site = retry.site.clone();
        self.write(&site, move |db| replay(db, &retry, after)).await
    }
}

fn quarantined(row: &Row<'_>) -> Read<QuarantinedEntry> {
    Ok(QuarantinedEntry {
        terminal: text("terminal", &row.get::<_, String>(0)?)?,
        chain: chain_id(&row.get::<_, Vec<u8>>(1)?)?,
        seq: unsigned(row.get(2)?)?,
        reason: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
        received_at: instant(row.get(4)?)?,
        line: row.get::<_, Option<Vec<u8>>>(5)?.unwrap_or_default(),
    })
}

fn group(row: &Row<'_>) -> Read<QuarantineGroup> {
    Ok(QuarantineGroup {
        terminal: text("terminal", &row.get::<_, String>(0)?)?,
        reason: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
        entries: unsigned(row.get(2)?)?,
        first_at: instant(row.get(3)?)?,
        last_at: instant(row.get(4)?)?,
    })
}

fn replay(db: SiteDb<'_>, by: &Retry, after: Option<Place>) -> Read<(Replayed, Option<Place>)> {
    let page = kept(db, after)?;
    let mut done = Replayed::default();
    for entry in &page {
        let reading = Reading::new(std::slice::from_ref(&entry.line));
        let held = read_snapshot(db, &Ask::about_lines(entry.context(by), &reading))?;
        let retried = retry(by, entry, reading, held);
        done.understood += u64::from(retried.understood);
        done.remaining += u64::from(!retried.understood);
        let key = (db.site(), entry.chain.0, signed(entry.line.seq));
        if retried.understood {
            db.run(
                "update chains set quarantined = max(quarantined - 1, 0) where site = ?1 and chain = ?2",
                (key.0, key.1),
            )?;
        }
        db.run(
            "update entries set state = ?4, reason = ?5, at = ?6, time_basis = ?7 \
             where site = ?1 and chain = ?2 and seq = ?3",
            params![
                key.0,
                key.1,
                key.2,
                retried.state.name(),
                retried.state.reason(),
                retried.timed.map(|timed| timed.at_ms),
                retried.timed.map(|timed| timed.basis.name())
            ],
        )?;
        apply::writes(db, entry.context(by), &retried.writes)?;
    }
    let more = page.last().filter(|_| page.len() == REPLAY_PAGE).map(|entry| (entry.chain, entry.line.seq));
    Ok((done, more))
}

/// A page of the quarantine behind a place.
fn kept(db: SiteDb<'_>, after: Option<Place>) -> Read<Vec<KeptEntry>> {
    let (chain, seq) = after.unwrap_or((ChainId([0; 16]), 0));
    db.all(
        "select c.terminal, e.chain, e.seq, e.hash, e.line, e.at, e.time_basis, e.received_at from entries e \
         join chains c on c.site = e.site and c.chain = e.chain \
         where e.site = ?1 and e.state = 'quarantined' and (e.chain, e.seq) > (?2, ?3) \
         order by e.chain, e.seq limit ?4",
        params![db.site(), chain.0, signed(seq), limit_of(REPLAY_PAGE)],
        |row| {
            let (at_ms, basis): (Option<i64>, Option<String>) = (row.get(5)?, row.get(6)?);
            let timed = at_ms.zip(basis).map(|(at_ms, basis)| names::timed(at_ms, &basis)).transpose()?;
            Ok(KeptEntry {
                terminal: text("terminal", &row.get::<_, String>(0)?)?,
                chain: chain_id(&row.get::<_, Vec<u8>>(1)?)?,
                line: Line {
                    seq: unsigned(row.get(2)?)?,
                    hash: hash(&row.get::<_, Vec<u8>>(3)?)?,
                    content: Content::Line(row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default()),
                },
                timed,
                received_at: instant(row.get(7)?)?,
            })
        },
    )
}
