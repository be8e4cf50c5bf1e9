//! Which signing key belongs to which store.
//!
//! Terminals trust central's key from their enrolment on, and reject everything that another key signed. So the store keeps the public
//! half, and a key file that does not fit, or is missing beside a store in use, ends the start with the way to mend it: going on with a
//! fresh key would cut off every terminal at once.

use std::{fs, io, path::Path, sync::Arc};

use anyhow::Context as _;

use super::{
    clock,
    data_dir::{DATABASE_FILE, open_store},
    store::{Store, sqlite::key},
};
use crate::{durable, sign::KeyPair};

/// Central's signing key in the data folder: 32 bytes, readable by its owner only.
pub(super) const KEY_FILE: &str = "central.key";

/// What a store says about its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    /// The public half, once it was noted.
    pub(super) public_key: Option<String>,
    /// Whether terminals were enrolled or enrolment codes made: then somebody knows the key, or is about to.
    pub(super) in_use: bool,
}

/// What to do about the key at a start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decision {
    /// Go on with the key that is there.
    Go,
    /// A new store: make a key.
    Make,
    /// The key is missing, and terminals know it.
    Missing,
    /// The key is another one than the store's.
    Other,
}

/// Decides by the key file's public half.
pub(super) fn decide(kept: &Kept, found: Option<&str>) -> Decision {
    match (found, &kept.public_key) {
        (Some(found), Some(held)) if found != held => Decision::Other,
        (Some(_), _) => Decision::Go,
        (None, None) if !kept.in_use => Decision::Make,
        (None, _) => Decision::Missing,
    }
}

/// Opens store and key of a data folder, and notes in the store which key is its own.
pub(super) fn open(data_dir: &Path) -> anyhow::Result<(Arc<dyn Store>, KeyPair)> {
    let store = open_store(data_dir)?;
    let database = data_dir.join(DATABASE_FILE);
    let file = data_dir.join(KEY_FILE);
    let kept = key::kept(&database).with_context(|| format!("cannot read {}", database.display()))?;
    let found = read_key(&file)?;
    let public = found.as_ref().map(|key| key.public().to_string());
    match decide(&kept, public.as_deref()) {
        Decision::Go | Decision::Make => {}
        Decision::Missing => anyhow::bail!(
            "{} is missing, and the terminals of {} know the key in it; put it back from the backup that the database came from \
             (`xinsheng-central restore` does both). Without a backup of it, every terminal has to be enrolled anew: move the \
             database away and start again",
            file.display(),
            database.display()
        ),
        Decision::Other => anyhow::bail!(
            "the key in {} does not belong to {}: terminals would reject everything that central signs; put back the key and the \
             database of the same backup (`xinsheng-central restore` does both)",
            file.display(),
            database.display()
        ),
    }
    let key = match found {
        Some(key) => key,
        None => make_key(&file)?,
    };
    if kept.public_key.is_none() {
        key::note(&database, &key.public().to_string())
            .with_context(|| format!("cannot write {}", database.display()))?;
    }
    Ok((store, key))
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
    match durable::create(path, &clock::random::<32>()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.with_context(|| format!("cannot write the key {}", path.display()))?,
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read the key {}", path.display()))?;
    let seed = <[u8; 32]>::try_from(bytes.as_slice());
    Ok(KeyPair::from_seed(&seed.ok().with_context(|| format!("{} is no key", path.display()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_store_gets_a_fresh_key() {
        let kept = |held: Option<&str>, in_use| Kept { public_key: held.map(str::to_owned), in_use };
        assert_eq!(decide(&kept(None, false), None), Decision::Make);
        assert_eq!(decide(&kept(None, true), None), Decision::Missing, "a store of an earlier version");
        assert_eq!(decide(&kept(Some("a"), false), None), Decision::Missing);
        assert_eq!(decide(&kept(Some("a"), true), Some("b")), Decision::Other);
        assert_eq!(decide(&kept(Some("a"), true), Some("a")), Decision::Go);
        assert_eq!(decide(&kept(None, true), Some("a")), Decision::Go);
    }
}
