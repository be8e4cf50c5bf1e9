//! The only place where central reads the clock, rolls dice, or touches files of its own.

use std::{fs, io, path::Path};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use rand::Rng as _;

use crate::{durable, model::StoreId, sign::KeyPair};

/// The database's name in the data folder.
pub(super) const DATABASE_FILE: &str = "central.sqlite";

/// Central's signing key in the data folder: 32 bytes, readable by its owner only.
pub(super) const KEY_FILE: &str = "central.key";

pub(super) fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "central's one look at the clock")]
    Utc::now()
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

pub(super) fn fresh_store_id() -> StoreId {
    StoreId::from_parts(u64::try_from(now().timestamp_millis()).unwrap_or(0), random())
}

/// Reads central's key; `None` if there is no file. One that an earlier version left open to others is closed to them.
pub(super) fn read_key(path: &Path) -> anyhow::Result<Option<KeyPair>> {
    match fs::read(path) {
        Ok(bytes) => {
            durable::make_private(path)
                .with_context(|| format!("cannot set the mode of {}; run chmod 600 on it", path.display()))?;
            let seed = <[u8; 32]>::try_from(bytes.as_slice());
            let seed = seed.ok().with_context(|| {
                format!("{} does not hold a key of 32 bytes; restore it from a backup", path.display())
            })?;
            Ok(Some(KeyPair::from_seed(&seed)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read the key {}", path.display())),
    }
}

/// Of two programs that start together only one makes the key; both use that one.
pub(super) fn make_key(path: &Path) -> anyhow::Result<KeyPair> {
    match durable::create(path, &random::<32>()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.with_context(|| format!("cannot write the key {}", path.display()))?,
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read the key {}", path.display()))?;
    let seed = <[u8; 32]>::try_from(bytes.as_slice());
    Ok(KeyPair::from_seed(&seed.ok().with_context(|| format!("{} is no key", path.display()))?))
}
