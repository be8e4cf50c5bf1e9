//! What the store counts, for whoever watches over central.

use super::terminals::is_stale;
use crate::central::{app::App, metrics::StoreLevels, store::StoreError};

/// Of all sites together; an error if the store cannot be read or written.
pub(in crate::central) async fn levels(app: &App) -> Result<StoreLevels, StoreError> {
    app.store.ready().await?;
    let now = app.now();
    let mut levels = StoreLevels::default();
    for site in &app.hospital().sites {
        for terminal in
            app.store.terminals(&site.id).await?.iter().filter(|terminal| terminal.revoked_at.is_none())
        {
            levels.terminals += 1;
            levels.terminals_stale += u64::from(is_stale(app, terminal, now));
            let waiting = terminal.health.as_ref().map_or(0, |health| health.queue_depth);
            levels.queue_depth = levels.queue_depth.saturating_add(waiting);
        }
        let counted = app.store.levels(&site.id).await?;
        levels.quarantined = levels.quarantined.saturating_add(counted.quarantined);
        levels.help_open = levels.help_open.saturating_add(counted.help_open);
        levels.alarms = levels.alarms.saturating_add(counted.incidents);
    }
    Ok(levels)
}
