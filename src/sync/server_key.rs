//! Whom a server is taken for by its certificate: whoever the authorities vouch for, or the holder of one key.
//!
//! A central that made its certificate itself is known by the key in it: no name and no date of such a certificate is looked at, since a terminal
//! knows the key from its enrolment, and a terminal whose clock is wrong must reach central to have it set. That the server holds the key
//! is proven in every handshake.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};

use super::transport::TransportError;
use crate::{chain, durable, enrolment_code::EnrolmentCode, model::Hash};

/// Which servers are taken for central.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerKey {
    /// Those that the authorities vouch for: the ones in the authority file, or the system's.
    Authorities,
    /// The one with this key, and those that the authority file vouches for, if there is one.
    Known(Hash),
    /// The one whose key this code was made for.
    OfCode(EnrolmentCode),
    /// Every one, as long as it stays the same. Only for a question whose answer is held against the key that was seen.
    Any,
}

/// What came of the handshakes of a connection.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<What>>);

#[derive(Default)]
struct What {
    key: Option<Hash>,
    refused: bool,
}

impl Seen {
    fn what(&self) -> MutexGuard<'_, What> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of the server, once there was one that was taken for central.
    pub(super) fn key(&self) -> Option<Hash> {
        self.what().key
    }

    /// Whether a server was refused for its key since this was asked last.
    pub(super) fn take_refusal(&self) -> bool {
        std::mem::take(&mut self.what().refused)
    }
}

/// A TLS client that takes only these servers for central.
pub(super) fn client_config(
    expected: ServerKey,
    authority_file: Option<&Path>,
    seen: Seen,
) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let authorities = match (&expected, authority_file) {
        (ServerKey::Known(_), Some(path)) => Some(authorities_in(path, &provider)?),
        _ => None,
    };
    let algorithms = provider.signature_verification_algorithms;
    let keeps_sessions = expected != ServerKey::Any;
    let check = Check { expected, authorities, algorithms, seen };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TransportError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(check))
        .with_no_client_auth();
    if !keeps_sessions {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

fn authorities_in(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TransportError> {
    let failed = |source| TransportError::Authority { path: path.to_owned(), source };
    let pem = durable::read_file(path).map_err(|error| failed(error.into()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| failed(error.into()))?;
        roots.add(certificate).map_err(|error| failed(error.into()))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| failed(error.into()))
}

struct Check {
    expected: ServerKey,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    seen: Seen,
}

impl Check {
    fn is_expected(&self, key: Hash) -> bool {
        match &self.expected {
            ServerKey::Authorities => false,
            ServerKey::Known(known) => *known == key,
            ServerKey::OfCode(code) => code.fits(key),
            ServerKey::Any => self.seen.key().is_none_or(|seen| seen == key),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = key_of(end_entity)?;
        let vouched = |authorities: &Arc<WebPkiServerVerifier>| {
            authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).is_ok()
        };
        if self.is_expected(key) || self.authorities.as_ref().is_some_and(vouched) {
            self.seen.what().key = Some(key);
            return Ok(ServerCertVerified::assertion());
        }
        self.seen.what().refused = true;
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// SHA-256 of the key in a certificate (its `SubjectPublicKeyInfo`): the same for every certificate with that key.
fn key_of(certificate: &CertificateDer<'_>) -> Result<Hash, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(chain::sha256(parsed.subject_public_key_info().as_ref()))
}
