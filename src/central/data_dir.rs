//! The folder that holds the database.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;

use super::{
    clock,
    store::{Store, sqlite::SqliteStore},
};
use crate::durable;

/// The database's name in the data folder.
pub(crate) const DATABASE_FILE: &str = "central.sqlite";

/// Opens the store in a data folder, making both if need be.
pub fn open_store(data_dir: &Path) -> anyhow::Result<Arc<dyn Store>> {
    durable::make_folder(data_dir)
        .with_context(|| format!("cannot make the data folder {}", data_dir.display()))?;
    let path = data_dir.join(DATABASE_FILE);
    let now = clock::now();
    Ok(Arc::new(SqliteStore::open(&path, clock::fresh_store_id(now), now)?))
}

/// The same with the public half of the key that belongs to it, for terminals that are written into it before central starts.
#[cfg(feature = "load")]
pub(crate) fn open_store_and_key(
    data_dir: &Path,
) -> anyhow::Result<(Arc<dyn Store>, crate::sign::PublicKey)> {
    open_store(data_dir)?;
    let (store, key) = super::signing_key::open(data_dir)?;
    Ok((store, key.public()))
}
