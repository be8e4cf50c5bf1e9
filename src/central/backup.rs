//! Backup while central serves, and restore: the database and the key that belongs to it, always together, and the certificate that central made
//! itself, if it did.
//!
//! Invariants:
//! - a backup is one consistent state of the database (`VACUUM INTO`), checked before it is called one, and its files are readable
//!   for their owner alone;
//! - a restore replaces nothing before the backup was found whole and its key fitting, deletes nothing, and is either not begun, whole, or
//!   refused by the next start: the database comes into its place last;
//! - nothing is restored beneath a running server: it holds a lock on the data folder.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Utc};

use super::{
    clock,
    data_dir::DATABASE_FILE,
    own_certificate,
    signing_key::{KEY_FILE, read_key},
    store::sqlite::copy,
};
use crate::durable;

/// Held shared by servers and exclusively by a restore.
const LOCK_FILE: &str = "central.lock";

/// A database that a restore has copied and not yet put in its place.
const RESTORING_FILE: &str = "central.sqlite.restoring";

/// When the last backup that succeeded was begun, for whoever watches over backups.
const LAST_FILE: &str = "central.last-backup";

/// Files of a store that a restore sets aside.
const SET_ASIDE: [&str; 4] = [DATABASE_FILE, "central.sqlite-wal", "central.sqlite-shm", KEY_FILE];

/// The certificate that central made itself, and its key: their names in the data folder, and their endings in a backup.
const CERTIFICATE: [(&str, &str); 2] =
    [(own_certificate::CERT_FILE, "tls.pem"), (own_certificate::KEY_FILE, "tls.key")];

/// A data folder in use by a server; dropping it lets go.
#[derive(Debug)]
pub(super) struct InUse(#[expect(dead_code, reason = "the lock ends with the file")] fs::File);

/// Takes the data folder into use.
pub(super) fn take_into_use(data_dir: &Path) -> anyhow::Result<InUse> {
    let lock = lock_file(data_dir)?;
    match lock.try_lock_shared() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => bail!("a restore into {} is under way", data_dir.display()),
        Err(fs::TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", data_dir.display()));
        }
    }
    ensure!(
        !data_dir.join(RESTORING_FILE).exists(),
        "a restore into {} was interrupted; run `xinsheng-central restore --replace` again",
        data_dir.display()
    );
    Ok(InUse(lock))
}

fn lock_file(data_dir: &Path) -> anyhow::Result<fs::File> {
    fs::create_dir_all(data_dir)
        .with_context(|| format!("cannot make the data folder {}", data_dir.display()))?;
    let path = data_dir.join(LOCK_FILE);
    let open = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    open.with_context(|| format!("cannot open {}", path.display()))
}

/// Writes a backup of a data folder, beside a running server or without one, and gives the database's path; the key lies beside it with
/// the ending `.key`, a certificate that central made with `.tls.pem` and `.tls.key`. `to` is a file that does not exist yet, or a folder, which gets a file with the date in its name.
pub fn backup(data_dir: &Path, to: &Path) -> anyhow::Result<PathBuf> {
    let from = data_dir.join(DATABASE_FILE);
    ensure!(from.is_file(), "there is no database {}", from.display());
    let begun = clock::now();
    let to = target(to, begun);
    let key_to = key_beside(&to);
    let key = fs::read(data_dir.join(KEY_FILE))
        .with_context(|| format!("cannot read the key in {}", data_dir.display()))?;
    let made = new_file(&to)?;
    let mut written = vec![to.clone()];
    let mut write = || -> anyhow::Result<()> {
        copy::vacuum_into(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        made.sync_all()?;
        let mut create = |path: PathBuf, bytes: &[u8]| {
            durable::create(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
            written.push(path);
            anyhow::Ok(())
        };
        create(key_to.clone(), &key)?;
        for (name, ending) in CERTIFICATE {
            match fs::read(data_dir.join(name)) {
                Ok(bytes) => create(to.with_extension(ending), &bytes)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
            }
        }
        check(&to)?;
        Ok(durable::sync_folder(&folder_of(&to))?)
    };
    if let Err(error) = write() {
        // Half a backup must not be taken for one.
        written.iter().for_each(|path| drop(fs::remove_file(path)));
        return Err(error.context(format!("no backup was made at {}", to.display())));
    }
    if let Err(error) = durable::replace(&data_dir.join(LAST_FILE), begun.to_rfc3339().as_bytes()) {
        tracing::warn!(%error, "the backup is made; that it was cannot be noted for /metrics");
    }
    Ok(to)
}

/// When the last backup of a data folder that succeeded was begun.
pub(super) fn last(data_dir: &Path) -> Option<DateTime<Utc>> {
    let text = fs::read_to_string(data_dir.join(LAST_FILE)).ok()?;
    Some(DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc())
}

/// What a restore did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// Where the files lie that were in its place.
    pub set_aside: Option<PathBuf>,
    /// Entries of the restored store.
    pub entries: u64,
}

/// Puts a backup in place of what a data folder holds. With anything in it that somebody could miss, `replace` must be set; the files are
/// set aside, not deleted. Terminals send again what the backup does not have.
pub fn restore(from: &Path, data_dir: &Path, replace: bool) -> anyhow::Result<Restored> {
    let entries = check(from).with_context(|| format!("{} cannot be restored", from.display()))?;
    let lock = lock_file(data_dir)?;
    lock.try_lock()
        .map_err(|_| anyhow::anyhow!("a server uses {}: stop it first, then restore", data_dir.display()))?;
    let present = data_dir.join(DATABASE_FILE);
    let restoring = data_dir.join(RESTORING_FILE);
    let holds_something = present.exists() && copy::entries(&present).map_or(true, |entries| entries > 0);
    if holds_something && !replace {
        bail!(
            "{} holds a store in use: say --replace to set it aside (nothing is deleted) and put the backup in its place",
            data_dir.display()
        );
    }
    // A draft of an interrupted restore is a copy of a backup.
    drop(fs::remove_file(&restoring));
    copy_file(from, &restoring)?;
    // A backup without a certificate leaves the one that is there: terminals may know central by it.
    let certificate: Vec<(&str, PathBuf)> = CERTIFICATE
        .into_iter()
        .map(|(name, ending)| (name, from.with_extension(ending)))
        .filter(|(_, file)| file.exists())
        .collect();
    let mut replaced = SET_ASIDE.to_vec();
    if !certificate.is_empty() {
        replaced.extend(CERTIFICATE.map(|(name, _)| name));
    }
    let set_aside = set_aside(data_dir, &replaced, clock::now())?;
    copy_file(&key_beside(from), &data_dir.join(KEY_FILE))?;
    for (name, file) in certificate {
        copy_file(&file, &data_dir.join(name))?;
    }
    fs::rename(&restoring, &present).with_context(|| format!("cannot make {}", present.display()))?;
    durable::sync_folder(data_dir)?;
    drop(lock);
    Ok(Restored { set_aside, entries })
}

/// Whether a file is a whole backup with its key; gives the number of its entries.
fn check(database: &Path) -> anyhow::Result<u64> {
    ensure!(database.is_file(), "there is no file {}", database.display());
    let found = copy::inspect(database)?;
    let key_path = key_beside(database);
    let key = read_key(&key_path)?
        .with_context(|| format!("the key {} is missing; it belongs to the backup", key_path.display()))?;
    let public = key.public().to_string();
    ensure!(
        found.public_key.is_none_or(|held| held == public),
        "the key {} does not belong to this database; put the one of the same backup beside it",
        key_path.display()
    );
    let [(_, certificate), (_, certificate_key)] = CERTIFICATE;
    let (certificate, certificate_key) =
        (database.with_extension(certificate), database.with_extension(certificate_key));
    ensure!(
        certificate_key.exists() || !certificate.exists(),
        "the key {} is missing; it belongs to the certificate of the backup",
        certificate_key.display()
    );
    Ok(found.entries)
}

fn target(to: &Path, now: DateTime<Utc>) -> PathBuf {
    if to.is_dir() {
        to.join(format!("xinsheng-central-{}.sqlite", now.format("%Y%m%dT%H%M%S%3fZ")))
    } else {
        to.to_owned()
    }
}

fn key_beside(database: &Path) -> PathBuf {
    database.with_extension("key")
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

fn new_file(path: &Path) -> anyhow::Result<fs::File> {
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.with_context(|| format!("cannot make {}; name a file that does not exist yet", path.display()))
}

fn copy_file(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copying = || format!("cannot copy {} to {}", from.display(), to.display());
    let mut source = fs::File::open(from).with_context(copying)?;
    let mut copy = new_file(to)?;
    io::copy(&mut source, &mut copy).with_context(copying)?;
    copy.sync_all().with_context(copying)
}

fn set_aside(data_dir: &Path, names: &[&str], now: DateTime<Utc>) -> anyhow::Result<Option<PathBuf>> {
    let present: Vec<&&str> = names.iter().filter(|name| data_dir.join(name).exists()).collect();
    if present.is_empty() {
        return Ok(None);
    }
    let folder = data_dir.join(format!("before-restore-{}", now.format("%Y%m%dT%H%M%S%3fZ")));
    fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for name in present {
        fs::rename(data_dir.join(name), folder.join(name))
            .with_context(|| format!("cannot set {name} aside to {}", folder.display()))?;
    }
    durable::sync_folder(&folder)?;
    Ok(Some(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::central::{open_store, signing_key};

    fn store_in(folder: &Path) {
        drop(signing_key::open(folder).unwrap());
    }

    #[test]
    fn a_backup_needs_its_own_key_and_a_whole_database() {
        let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        store_in(data.path());
        let made = backup(data.path(), out.path()).unwrap();
        let name = made.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("xinsheng-central-2") && name.ends_with("Z.sqlite"), "{name}");
        for file in [made.clone(), key_beside(&made)] {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
        assert!(backup(data.path(), &made).is_err(), "a backup is never written over");

        let fresh = tempfile::tempdir().unwrap();
        let key = fs::read(key_beside(&made)).unwrap();
        let refused = || format!("{:#}", restore(&made, fresh.path(), true).unwrap_err());
        fs::write(key_beside(&made), [9; 32]).unwrap();
        assert!(refused().contains("does not belong"), "{}", refused());
        fs::remove_file(key_beside(&made)).unwrap();
        assert!(refused().contains("is missing"), "{}", refused());
        fs::write(key_beside(&made), key).unwrap();
        let bytes = fs::read(&made).unwrap();
        fs::write(&made, &bytes[..bytes.len() / 2]).unwrap();
        assert!(restore(&made, fresh.path(), true).is_err());
        fs::write(&made, b"no database at all, but long enough to be looked at as one").unwrap();
        assert!(restore(&made, fresh.path(), true).is_err());
        assert!(!fresh.path().join(DATABASE_FILE).exists(), "nothing is touched before the check");
        fs::write(&made, &bytes).unwrap();
        assert_eq!(restore(&made, fresh.path(), false).unwrap(), Restored { set_aside: None, entries: 0 });
        store_in(fresh.path());
    }

    #[test]
    fn nothing_is_restored_beneath_a_running_server_and_an_interrupted_restore_does_not_start() {
        let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        store_in(data.path());
        let made = backup(data.path(), &out.path().join("a.sqlite")).unwrap();
        let running = take_into_use(data.path()).unwrap();
        let refused = format!("{:#}", restore(&made, data.path(), true).unwrap_err());
        assert!(refused.contains("stop it first"), "{refused}");
        drop(running);
        fs::write(data.path().join(RESTORING_FILE), b"half").unwrap();
        let refused = format!("{:#}", take_into_use(data.path()).unwrap_err());
        assert!(refused.contains("interrupted"), "{refused}");
        let done = restore(&made, data.path(), true).unwrap();
        assert!(done.set_aside.unwrap().join(KEY_FILE).is_file(), "nothing is deleted");
        take_into_use(data.path()).unwrap();
        drop(open_store(data.path()).unwrap());
    }
}
