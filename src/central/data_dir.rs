//! The folder that holds the database.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;

use super::{
    clock,
    store::{Store, sqlite::SqliteStore},
};
use crate::durable;

/// The database's name in the data folder.
pub(super) const DATABASE_FILE: &str = "central.sqlite";

/// Opens the store in a data folder, making both if need be.
pub fn open_store(data_dir: &Path) -> anyhow::Result<Arc<dyn Store>> {
    durable::make_folder(data_dir)
        .with_context(|| format!("cannot make the data folder {}", data_dir.display()))?;
    let path = data_dir.join(DATABASE_FILE);
    let now = clock::now();
    Ok(Arc::new(SqliteStore::open(&path, clock::fresh_store_id(now), now)?))
}
