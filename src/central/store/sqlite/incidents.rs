//! Incidents.

use async_trait::async_trait;
use rusqlite::params;

use super::{
    Read, SiteDb, SqliteStore,
    codec::{instant, limit_of, millis, text, unsigned},
};
use crate::{
    central::{
        domain::incidents::{INCIDENTS_A_DAY_MAX, NewIncident},
        store::{Incident, IncidentStore, StoreError, names},
    },
    model::SiteId,
};

#[async_trait]
impl IncidentStore for SqliteStore {
    async fn incidents(&self, site: &SiteId, limit: usize) -> Result<Vec<Incident>, StoreError> {
        self.read(site, move |db| latest(db, limit)).await
    }

    async fn incident_count(&self, site: &SiteId) -> Result<u64, StoreError> {
        let sql = "select count(*) from incidents where site = ?1";
        self.read(site, move |db| db.count(sql, [db.site()])).await
    }
}

fn latest(db: SiteDb<'_>, limit: usize) -> Read<Vec<Incident>> {
    db.all(
        "select kind, subject, terminal, first_at, last_at, times, detail from incidents \
         where site = ?1 order by last_at desc limit ?2",
        params![db.site(), limit_of(limit)],
        |row| {
            Ok(Incident {
                kind: names::incident_kind(&row.get::<_, String>(0)?)?,
                subject: row.get(1)?,
                terminal: text("terminal", &row.get::<_, String>(2)?)?,
                first_at: instant(row.get(3)?)?,
                last_at: instant(row.get(4)?)?,
                times: unsigned(row.get(5)?)?,
                detail: row.get(6)?,
            })
        },
    )
}

/// Keeps an incident, or notes that it came again.
pub(super) fn keep(db: SiteDb<'_>, incident: &NewIncident) -> Read<()> {
    let (kind, terminal) = (incident.kind.name(), incident.terminal.as_str());
    let today = db.all(
        "select subject from incidents where site = ?1 and kind = ?2 and terminal = ?3 and first_at > ?4 \
         order by first_at desc, subject limit ?5",
        params![
            db.site(),
            kind,
            terminal,
            millis(incident.look_back_to()),
            // One of them may be this very incident.
            limit_of(INCIDENTS_A_DAY_MAX + 1)
        ],
        |row| Ok(row.get::<_, String>(0)?),
    )?;
    db.run(
        "insert into incidents (site, kind, subject, terminal, first_at, last_at, times, detail) \
         values (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6) on conflict (site, kind, subject, terminal) do update set \
         last_at = excluded.last_at, times = times + 1, detail = excluded.detail",
        params![db.site(), kind, incident.kept_under(today), terminal, millis(incident.at), incident.detail],
    )?;
    Ok(())
}
