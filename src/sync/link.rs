//! Where central is, for everybody on this terminal who talks to it.
//!
//! The sync thread and the network test of the staff area share one [`Link`], so that what staff test is what is used. Invariant: a changed
//! address, authority file or content of that file is noticed before the next request.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    following::Following,
    keys::Identity,
    server_key::ServerKey,
    transport::{Deadlines, HttpTransport, Transport, TransportError},
};
use crate::{clock::Clock, durable};

/// Where central is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Address {
    /// Its URL.
    pub url: String,
    /// Whom its certificate must come from; `None`: anybody the system trusts.
    pub ca_file: Option<PathBuf>,
    /// The terminal takes its touchpoints file from there.
    pub takes_config: bool,
}

/// Makes a connection; the real one, or a test's.
pub type Connect =
    Box<dyn Fn(&Address, ServerKey, Deadlines) -> Result<Box<dyn Transport>, TransportError> + Send + Sync>;

/// The way to central as it is configured at the moment. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Link(Arc<Shared>);

struct Shared {
    address: Mutex<Address>,
    connect: Connect,
}

/// What a connection was made with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Version {
    pub address: Address,
    /// The content of the authority file, if it can be read.
    authority: Option<Vec<u8>>,
}

impl Link {
    /// By HTTPS.
    pub fn new(address: Address) -> Self {
        let connect: Connect = Box::new(|address, expected, deadlines| {
            let ca_file = address.ca_file.as_deref();
            Ok(Box::new(HttpTransport::expecting(&address.url, ca_file, expected, deadlines)?))
        });
        Self::through(address, connect)
    }

    /// By other means.
    pub fn through(address: Address, connect: Connect) -> Self {
        Self(Arc::new(Shared { address: Mutex::new(address), connect }))
    }

    /// Where central is now.
    pub fn address(&self) -> Address {
        self.0.address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Central is somewhere else now.
    pub fn change(&self, address: Address) {
        *self.0.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// A connection to where central is now; the authority file is read anew.
    pub fn connect(
        &self,
        expected: ServerKey,
        deadlines: Deadlines,
    ) -> Result<Box<dyn Transport>, TransportError> {
        (self.0.connect)(&self.address(), expected, deadlines)
    }

    /// The same to the central of an identity: by the key that it knows, which follows central's; else by the authorities.
    pub(crate) fn connect_as(
        &self,
        identity: &Identity,
        identity_file: &Path,
        clock: &Arc<dyn Clock>,
        deadlines: Deadlines,
    ) -> Result<Box<dyn Transport>, TransportError> {
        let Some(key) = identity.tls_key else { return self.connect(ServerKey::Authorities, deadlines) };
        let (link, clock) = (self.clone(), Arc::clone(clock));
        let following =
            Following::new(link, deadlines, identity.clone(), identity_file.to_owned(), clock, key)?;
        Ok(Box::new(following))
    }

    /// What a connection would be made with now.
    pub(super) fn version(&self) -> Version {
        let address = self.address();
        let authority = address.ca_file.as_ref().and_then(|path| durable::read_file(path).ok());
        Version { address, authority }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_and_another_content_of_the_authority_file_are_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let address = Address { url: "https://a".into(), ca_file: Some(file.clone()), takes_config: false };
        let link = Link::new(address.clone());
        let missing = link.version();
        std::fs::write(&file, "one").unwrap();
        let one = link.version();
        assert_ne!(missing, one);
        assert_eq!(one, link.version());
        std::fs::write(&file, "two").unwrap();
        assert_ne!(one, link.version());
        let two = link.version();
        link.clone().change(Address { url: "https://b".into(), ..address.clone() });
        assert_ne!(two, link.version(), "all clones see the same");
        link.change(Address { takes_config: true, ..address });
        assert_ne!(two, link.version());
    }
}
