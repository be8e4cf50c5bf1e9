//! The terminal's identity: a file that only its owner can read, written as a whole or not at all.
//!
//! Invariants:
//! - the secret leaves this module as a [`KeyPair`] only, and is in no `Debug` output;
//! - an identity belongs to one machine: on another one (a copied card) it is put aside, see [`Identity::is_of_this_machine`].

use std::{
    fmt, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

use super::{diagnosis::Fault, hardware};
use crate::{
    durable,
    model::{Hash, SiteId, StoreId, TerminalId, TouchpointId},
    sign::{KeyError, KeyPair, PublicKey},
    wire::EnrolmentReply,
};

/// The sync thread and the staff area's write the identity; neither may write over what the other has just written.
static WRITING: Mutex<()> = Mutex::new(());

/// Bits that must be clear in the file's mode.
const OTHERS: u32 = 0o077;

/// Why there is no usable identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The terminal was never enrolled.
    #[error(
        "this terminal is not enrolled: no file {0}; make a code on central and run `xinsheng-kiosk enrol --code CODE`"
    )]
    Missing(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot use the identity file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// The file is not what this program wrote.
    #[error("the identity file {path} cannot be read; put it aside and enrol this terminal anew")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A key in the file, or one sent by central, is none.
    #[error("a key of the identity is damaged; enrol this terminal anew")]
    Key(#[from] KeyError),
}

impl IdentityError {
    /// What of it staff can tell apart.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Missing(_) | Self::Unreadable { .. } | Self::Key(_) => Fault::NotEnrolled,
            Self::Io { .. } => Fault::Other,
        }
    }
}

/// Who this terminal is, and whom it believes.
#[derive(Clone)]
pub struct Identity {
    /// The terminal's key pair.
    pub key: KeyPair,
    /// Its name.
    pub terminal: TerminalId,
    /// Where it belongs.
    pub site: SiteId,
    /// The touchpoint its enrolment code was made for.
    pub touchpoint: TouchpointId,
    /// The store it reports to.
    pub store: StoreId,
    /// The key that store signs with.
    pub central_key: PublicKey,
    /// SHA-256 of the key in central's certificate, where the terminal knows central by it and not by an authority.
    pub tls_key: Option<Hash>,
    /// The machine it was enrolled on; see [`hardware::hardware_id`].
    pub hardware_id: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("terminal", &self.terminal)
            .field("site", &self.site)
            .field("store", &self.store)
            .field("key", &self.key.public())
            .finish_non_exhaustive()
    }
}

/// The file's shape.
#[derive(Serialize, Deserialize)]
struct IdentityFile {
    /// Ed25519 secret key, base64 of 32 bytes.
    secret: String,
    terminal: TerminalId,
    site: SiteId,
    touchpoint: TouchpointId,
    store: StoreId,
    central_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls_key: Option<Hash>,
    hardware_id: String,
}

impl Identity {
    /// Puts together what the terminal made and what central answered.
    pub fn new(key: KeyPair, hardware_id: String, reply: EnrolmentReply) -> Result<Self, KeyError> {
        Ok(Self {
            key,
            terminal: reply.terminal,
            site: reply.site,
            touchpoint: reply.touchpoint,
            store: reply.store,
            central_key: reply.central_key.parse()?,
            tls_key: None,
            hardware_id,
        })
    }

    /// Reads the identity. A file that others can read is used, with a warning: a terminal that stops for this helps nobody.
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        let io = |source: io::Error| {
            if source.kind() == io::ErrorKind::NotFound {
                IdentityError::Missing(path.to_owned())
            } else {
                IdentityError::Io { path: path.to_owned(), source }
            }
        };
        let text = fs::read_to_string(path).map_err(io)?;
        let mode = fs::metadata(path).map_err(io)?.permissions().mode();
        if mode & OTHERS != 0 {
            tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777), "the terminal's key can be read by others; run chmod 600");
        }
        let file: IdentityFile = serde_json::from_str(&text)
            .map_err(|source| IdentityError::Unreadable { path: path.to_owned(), source })?;
        Ok(Self {
            key: KeyPair::from_seed(&seed(&file.secret)?),
            terminal: file.terminal,
            site: file.site,
            touchpoint: file.touchpoint,
            store: file.store,
            central_key: file.central_key.parse()?,
            tls_key: file.tls_key,
            hardware_id: file.hardware_id,
        })
    }

    /// Writes the identity: after a power cut the old or the new one is there.
    pub fn save(&self, path: &Path) -> Result<(), IdentityError> {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(path)
    }

    /// Keeps the key of central's certificate with the identity, unless the terminal was enrolled anew meanwhile.
    pub(crate) fn note_tls_key(&self, path: &Path) -> Result<(), IdentityError> {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Self::load(path)?;
        if kept.key.public() == self.key.public() { self.write(path) } else { Ok(()) }
    }

    fn write(&self, path: &Path) -> Result<(), IdentityError> {
        let file = IdentityFile {
            secret: BASE64_STANDARD.encode(self.key.seed()),
            terminal: self.terminal.clone(),
            site: self.site.clone(),
            touchpoint: self.touchpoint.clone(),
            store: self.store,
            central_key: self.central_key.to_string(),
            tls_key: self.tls_key,
            hardware_id: self.hardware_id.clone(),
        };
        let text = serde_json::to_string_pretty(&file)
            .map_err(|source| IdentityError::Unreadable { path: path.to_owned(), source })?;
        durable::replace(path, text.as_bytes())
            .map_err(|source| IdentityError::Io { path: path.to_owned(), source })
    }

    /// Whether it was enrolled on this machine. A machine that does not say who it is gets the benefit of the doubt.
    pub(crate) fn is_of_this_machine(&self, hardware_id: &str) -> bool {
        hardware::may_be_same(&self.hardware_id, hardware_id)
    }
}

/// Puts an identity of another machine aside, beside itself, so that this terminal counts as not enrolled.
pub(crate) fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = beside(path, ".of-another-machine");
    fs::rename(path, &aside)?;
    durable::sync_folder(path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok(aside)
}

/// The key of an enrolment under way, made once and kept until it is through: central knows a repeated enrolment by it.
pub(crate) fn pending_key(path: &Path, random: &[u8; 32]) -> Result<KeyPair, IdentityError> {
    let pending = beside(path, ".pending");
    if let Ok(text) = fs::read_to_string(&pending)
        && let Ok(seed) = seed(text.trim())
    {
        return Ok(KeyPair::from_seed(&seed));
    }
    durable::replace(&pending, BASE64_STANDARD.encode(random).as_bytes())
        .map_err(|source| IdentityError::Io { path: pending, source })?;
    Ok(KeyPair::from_seed(random))
}

/// Forgets the key of [`pending_key`]: it is in the identity now.
pub(crate) fn forget_pending(path: &Path) {
    let pending = beside(path, ".pending");
    if let Err(error) = fs::remove_file(&pending)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %pending.display(), "cannot remove the key of a finished enrolment");
    }
}

fn seed(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = BASE64_STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    // The text is a secret: it is not repeated in the error.
    bytes.ok_or_else(|| KeyError::Text("the secret key".to_owned()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn identity() -> Identity {
        let reply = EnrolmentReply {
            terminal: "t-0001".parse().unwrap(),
            site: "main".parse().unwrap(),
            touchpoint: "registration".parse().unwrap(),
            store: StoreId(uuid::Uuid::max()),
            central_key: KeyPair::from_seed(&[2; 32]).public().to_string(),
            time: DateTime::UNIX_EPOCH,
        };
        Identity::new(KeyPair::from_seed(&[1; 32]), "serial-1".into(), reply).unwrap()
    }

    #[test]
    fn an_identity_reads_back_and_only_the_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        assert!(matches!(Identity::load(&path), Err(IdentityError::Missing(_))));
        fs::write(beside(&path, ".new"), "left over").unwrap();
        identity().save(&path).unwrap();
        identity().save(&path).unwrap();
        let read = Identity::load(&path).unwrap();
        assert_eq!(read.key.seed(), [1; 32]);
        assert_eq!((read.terminal.as_str(), read.central_key), ("t-0001", identity().central_key));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Identity::load(&path).is_ok(), "a warning, not a terminal that stops");
    }

    #[test]
    fn damaged_files_are_told_from_missing_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        fs::write(&path, "").unwrap();
        assert!(matches!(Identity::load(&path), Err(IdentityError::Unreadable { .. })));
        identity().save(&path).unwrap();
        let secret = BASE64_STANDARD.encode([1; 32]);
        let text = fs::read_to_string(&path).unwrap().replace(&secret, "AAAA");
        fs::write(&path, text).unwrap();
        let error = Identity::load(&path).unwrap_err();
        assert!(matches!(&error, IdentityError::Key(_)));
        assert!(!format!("{error:?}").contains("AAAA"));
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", identity()).contains(&BASE64_STANDARD.encode([1; 32])));
    }

    #[test]
    fn a_copied_card_is_noticed_and_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        identity().save(&path).unwrap();
        let read = Identity::load(&path).unwrap();
        assert!(read.is_of_this_machine("serial-1"));
        assert!(!read.is_of_this_machine("serial-2"));
        assert!(read.is_of_this_machine("unknown"));
        let aside = put_aside(&path).unwrap();
        assert!(aside.exists() && matches!(Identity::load(&path), Err(IdentityError::Missing(_))));
    }

    #[test]
    fn an_enrolment_that_was_cut_off_goes_on_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        let first = pending_key(&path, &[5; 32]).unwrap().public();
        assert_eq!(pending_key(&path, &[6; 32]).unwrap().public(), first);
        forget_pending(&path);
        forget_pending(&path);
        assert_ne!(pending_key(&path, &[6; 32]).unwrap().public(), first);
    }
}
