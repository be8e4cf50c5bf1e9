//! What the store counts, for whoever watches over central.

use super::terminals::stale_before;
use crate::central::{app::App, metrics::StoreLevels, store::StoreError};

/// Of all sites together; an error if the store cannot be read or written.
pub(in crate::central) async fn levels(app: &App) -> Result<StoreLevels, StoreError> {
    app.store.ready().await?;
    let mut levels = StoreLevels::default();
    for site in &app.hospital().sites {
        let fleet = app.store.fleet(&site.id, stale_before(app)).await?;
        let add = |to: &mut u64, n: u64| *to = to.saturating_add(n);
        add(&mut levels.terminals, fleet.terminals);
        add(&mut levels.terminals_stale, fleet.silent);
        add(&mut levels.queue_depth, fleet.queue_depth);
        add(&mut levels.quarantined, app.store.quarantined(&site.id).await?);
        add(&mut levels.help_open, app.store.open_help_calls(&site.id).await?);
        add(&mut levels.incidents, app.store.incident_count(&site.id).await?);
    }
    Ok(levels)
}
