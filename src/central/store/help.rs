//! Calls for help, and tests of the buttons.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{HelpRow, SelfTested, StoreError};
use crate::model::{EntryId, SiteId};

/// Keeps calls for help and tests of the buttons.
#[async_trait]
pub trait HelpStore: Send + Sync {
    /// Calls for help: those that ring, then those that came since a moment, each latest first.
    async fn help_calls(
        &self,
        site: &SiteId,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<HelpRow>, StoreError>;

    /// Calls for help that ring; those in one line count one by one.
    async fn open_help_calls(&self, site: &SiteId) -> Result<u64, StoreError>;

    /// Marks a call for help answered, and gives when that was; the first mark stays. `None` if there is no such call.
    async fn answer_help(
        &self,
        site: &SiteId,
        id: EntryId,
        at: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// The last test of each terminal whose buttons were ever tested.
    async fn self_tests(&self, site: &SiteId) -> Result<Vec<SelfTested>, StoreError>;
}
