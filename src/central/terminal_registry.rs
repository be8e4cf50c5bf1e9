//! Which site a terminal belongs to.
//!
//! A request names the terminal alone. Where it was found is remembered, because names are never given twice; what is held of the terminal
//! is read each time, because another process may revoke it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::store::{Store, StoreError, Terminal};
use crate::{
    model::{SiteId, TerminalId},
    questionnaire::Hospital,
};

/// Terminals whose site is remembered before all are forgotten.
const REMEMBERED_MAX: usize = 100_000;

/// Sites of terminals that were asked for.
#[derive(Default)]
pub(super) struct TerminalRegistry(Mutex<HashMap<TerminalId, SiteId>>);

impl TerminalRegistry {
    /// Finds a terminal among the sites.
    pub(super) async fn find(
        &self,
        store: &dyn Store,
        hospital: &Hospital,
        id: &TerminalId,
    ) -> Result<Option<Terminal>, StoreError> {
        let home = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(site) = home {
            return store.terminal(&site, id).await;
        }
        for site in &hospital.sites {
            if let Some(terminal) = store.terminal(&site.id, id).await? {
                self.remember(id, &site.id);
                return Ok(Some(terminal));
            }
        }
        Ok(None)
    }

    fn remember(&self, id: &TerminalId, site: &SiteId) {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if homes.len() >= REMEMBERED_MAX {
            homes.clear();
        }
        homes.insert(id.clone(), site.clone());
    }
}
