//! A connection that stays with central when its certificate gets another key.
//!
//! A terminal that knows central by the key of its certificate meets another one: something in between, or central after a change. It asks for
//! central's word over a connection to whoever answers: a request that tells nothing but the terminal's name, and whose answer central signs
//! for this very request with its own key, known since the enrolment. The answer names the key of central's certificate. Only if that is the
//! key of the connection it came over is the new key taken, and kept. Something in between can pass the question on, but the answer names
//! central's key and not its own.

use std::{path::PathBuf, sync::Arc};

use super::{
    diagnosis::Diagnosis,
    keys::Identity,
    link::Link,
    message::{Reply, Request, Speaker, Stamp, ask_certificate},
    nonce,
    outcome::Trouble,
    server_key::ServerKey,
    transport::{Deadlines, Transport, TransportError},
};
use crate::{
    clock::Clock,
    model::Hash,
    wire::{CertificateReply, content_type},
};

/// A connection to the central of an identity.
pub(super) struct Following {
    link: Link,
    deadlines: Deadlines,
    identity: Identity,
    identity_file: PathBuf,
    clock: Arc<dyn Clock>,
    inner: Box<dyn Transport>,
}

impl Following {
    /// To a central that is known by its key.
    pub(super) fn new(
        link: Link,
        deadlines: Deadlines,
        identity: Identity,
        identity_file: PathBuf,
        clock: Arc<dyn Clock>,
        key: Hash,
    ) -> Result<Self, TransportError> {
        let inner = link.connect(ServerKey::Known(key), deadlines)?;
        Ok(Self { link, deadlines, identity, identity_file, clock, inner })
    }

    /// Goes over to the key of the server that answers, if central vouches for it.
    fn follow(&mut self) -> Result<(), String> {
        let key = self.vouched()?;
        self.inner = self
            .link
            .connect(ServerKey::Known(key), self.deadlines)
            .map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
        self.identity.tls_key = Some(key);
        match self.identity.note_tls_key(&self.identity_file) {
            Ok(()) => tracing::info!(%key, "central's certificate has a new key, and central vouches for it"),
            // It is asked for again after the next start.
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "central's new key cannot be kept on disk"
                );
            }
        }
        Ok(())
    }

    /// The key of the server that answers, by central's own word.
    fn vouched(&self) -> Result<Hash, String> {
        let mut connection = self
            .link
            .connect(ServerKey::Any, self.deadlines)
            .map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
        let nonce = nonce();
        let at = self.clock.now().wall;
        let terminal = Some(self.identity.terminal.as_str());
        let speaker = Speaker { key: &self.identity.key, terminal, at, nonce: &nonce };
        let request = ask_certificate(&speaker).map_err(|error| error.to_string())?;
        let reply = connection.send(&request).map_err(|trouble| trouble.to_string())?;
        let said = said(&reply, &self.identity, &request.stamp())?;
        let seen = connection.server_key().ok_or("the connection was not encrypted")?;
        match said {
            Some(named) if named == seen => Ok(seen),
            Some(_) => Err("central's certificate has another key than the one this server shows".into()),
            None => Err("central does not encrypt by itself; a proxy before it does".into()),
        }
    }
}

/// Which key central says its certificate has.
fn said(reply: &Reply, identity: &Identity, request: &Stamp) -> Result<Option<Hash>, String> {
    let params = reply.verify(&identity.central_key, request).map_err(|error| {
        format!("the answer {} does not carry central's signature ({error})", reply.status)
    })?;
    if reply.status != 200 || reply.content_type() != content_type::JSON {
        return Err(format!("central answered {}", reply.status));
    }
    let said: CertificateReply = serde_json::from_slice(&reply.body).map_err(|error| error.to_string())?;
    if params.keyid != identity.store.to_string() || said.store != identity.store {
        return Err("the answer is for another store".into());
    }
    Ok(said.key)
}

impl Transport for Following {
    fn send(&mut self, request: &Request) -> Result<Reply, Trouble> {
        match self.inner.send(request) {
            Err(Trouble::CertificateKey) => {}
            answer => return answer,
        }
        if let Err(why) = self.follow() {
            tracing::warn!(why, "a server with another key than central's answers, and is not followed");
            return Err(Trouble::CertificateKey);
        }
        // Nothing was sent yet: the handshake failed.
        self.inner.send(request)
    }

    fn proxy(&self) -> Option<&str> {
        self.inner.proxy()
    }

    fn told(&self, found: Diagnosis) -> Diagnosis {
        self.inner.told(found)
    }

    fn server_key(&self) -> Option<Hash> {
        self.inner.server_key()
    }
}
