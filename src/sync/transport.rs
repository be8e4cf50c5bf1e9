//! The way to central: one request at a time over TLS, with a deadline for the whole of it.
//!
//! Invariants:
//! - no redirect is followed, no answer is unpacked, no answer longer than [`ANSWER_BYTES_MAX`] is read;
//! - plain HTTP goes to this machine only, and never through a proxy;
//! - every request resolves the name and connects anew: an address that moved or a connection a router forgot costs one attempt, not all.

use std::{
    error::Error,
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Certificate, Url, blocking::Client, redirect};

use crate::{durable, model::Hash};

use super::{
    diagnosis::{Diagnosis, Fault},
    message::{ANSWER_BYTES_MAX, Method, Reply, Request},
    outcome::Trouble,
    proxy::proxy_for,
    server_key::{Seen, ServerKey, client_config},
};

/// From the first packet to the last byte of the answer: a full batch at 64 kbit/s takes 20 s.
const DEADLINE: Duration = Duration::from_mins(1);

/// Until there is a connection; a hospital's network answers in milliseconds or not at all.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// Sends one request and brings what came back.
pub trait Transport: Send {
    /// Waits for the answer, at most as long as its deadline.
    fn send(&mut self, request: &Request) -> Result<Reply, Trouble>;

    /// The proxy that everything goes through, without its password.
    fn proxy(&self) -> Option<&str> {
        None
    }

    /// The key of the server's certificate, once there was a connection to one that is known by it.
    fn server_key(&self) -> Option<Hash> {
        None
    }

    /// What staff are told of trouble on this way: whoever looks for a fault must know of the proxy.
    fn told(&self, found: Diagnosis) -> Diagnosis {
        let Some(proxy) = self.proxy() else { return found };
        Diagnosis {
            words: format!("{found} (through the proxy {proxy} that the environment names)"),
            ..found
        }
    }
}

/// Why there can be no connection as configured.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Not an address.
    #[error("`{0}` is no address of a central; write it like https://feedback.hospital.example")]
    Address(String),
    /// HTTP to another machine.
    #[error("`{0}` would send ratings unencrypted; write https, plain http is for this machine only")]
    Plain(String),
    /// The authority's file is missing or holds no certificate.
    #[error("cannot use the certificate authority in {path}; it must be a PEM file with central's authority")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Encryption cannot be set up.
    #[error("the encryption for the connection to central cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The client cannot start.
    #[error("the connection to central cannot be set up")]
    Client(#[from] reqwest::Error),
}

impl TransportError {
    /// What of it staff can tell apart.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Address(_) | Self::Plain(_) | Self::Authority { .. } => Fault::Misconfigured,
            Self::Tls(_) | Self::Client(_) => Fault::Other,
        }
    }
}

/// How long a request may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadlines {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the last byte of the answer.
    pub whole: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: CONNECT_DEADLINE, whole: DEADLINE }
    }
}

/// The real transport.
pub struct HttpTransport {
    client: Client,
    base: String,
    deadline: Duration,
    proxy: Option<String>,
    seen: Seen,
}

impl HttpTransport {
    /// Prepares connections to central at `url`. With an authority file only that authority is believed, not the system's.
    /// Elsewhere than on this machine it goes through the proxy that the environment names for HTTPS.
    pub fn new(url: &str, ca_file: Option<&Path>, deadlines: Deadlines) -> Result<Self, TransportError> {
        Self::expecting(url, ca_file, ServerKey::Authorities, deadlines)
    }

    /// The same to a central that is known otherwise than by its authority.
    pub fn expecting(
        url: &str,
        ca_file: Option<&Path>,
        expected: ServerKey,
        deadlines: Deadlines,
    ) -> Result<Self, TransportError> {
        Self::with_environment(url, ca_file, expected, deadlines, &|name| std::env::var(name).ok())
    }

    /// The same with the environment as an argument: it looks a variable up.
    pub fn with_environment(
        url: &str,
        ca_file: Option<&Path>,
        expected: ServerKey,
        deadlines: Deadlines,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TransportError> {
        let parsed = Url::parse(url).map_err(|_| TransportError::Address(url.to_owned()))?;
        let loopback = check_address(&parsed, url)?;
        let mut builder = Client::builder()
            .user_agent(concat!("xinsheng/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(deadlines.connect)
            .timeout(deadlines.whole)
            .pool_max_idle_per_host(0)
            .no_proxy();
        let proxy = if is_this_machine(&parsed) { None } else { proxy_for(url, environment) };
        if let Some(proxy) = &proxy {
            builder = builder.proxy(reqwest::Proxy::https(&proxy.address)?);
            tracing::info!(
                proxy = proxy.shown,
                "central is reached through the proxy that the environment names"
            );
        }
        let seen = Seen::default();
        builder = match (expected, ca_file) {
            // No certificate is looked at, and a machine without a certificate store must be able to run the demo.
            (_, None) if loopback => builder.tls_certs_only(Vec::new()),
            (ServerKey::Authorities, None) => builder,
            (ServerKey::Authorities, Some(path)) => builder.tls_certs_only(authorities(path)?),
            (expected, path) => {
                builder.tls_backend_preconfigured(client_config(expected, path, seen.clone())?)
            }
        };
        Ok(Self {
            client: builder.build()?,
            base: url.trim_end_matches('/').to_owned(),
            deadline: deadlines.whole,
            proxy: proxy.map(|proxy| proxy.shown),
            seen,
        })
    }

    fn exchange(&self, request: &Request) -> Result<Reply, Trouble> {
        let query = request.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
        let url = format!("{}{}{query}", self.base, request.path);
        let mut builder = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url).body(request.body.clone()),
        };
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        // Set on the request itself it covers the answer's body too, not only each read of it.
        let response = builder.timeout(self.deadline).send().map_err(|error| {
            if self.seen.take_refusal() { Trouble::CertificateKey } else { trouble(&error) }
        })?;
        let mut reply = Reply { status: response.status().as_u16(), ..Reply::default() };
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            let all = reply.headers.entry(name.as_str().to_owned()).or_default();
            if !all.is_empty() {
                all.push_str(", ");
            }
            all.push_str(&value);
        }
        // One byte more than allowed tells too long from just long enough.
        let limit = ANSWER_BYTES_MAX as u64 + 1;
        response.take(limit).read_to_end(&mut reply.body).map_err(|error| trouble(&error))?;
        if reply.body.len() > ANSWER_BYTES_MAX { Err(Trouble::TooLong) } else { Ok(reply) }
    }
}

impl Transport for HttpTransport {
    fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    fn server_key(&self) -> Option<Hash> {
        self.seen.key()
    }

    fn send(&mut self, request: &Request) -> Result<Reply, Trouble> {
        self.exchange(request)
    }
}

fn is_this_machine(parsed: &Url) -> bool {
    let host = parsed.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Whether nothing will be encrypted, because it stays on this machine; an error if the address must not be used.
fn check_address(parsed: &Url, url: &str) -> Result<bool, TransportError> {
    let host = parsed.host_str().unwrap_or_default();
    let loopback = is_this_machine(parsed);
    match parsed.scheme() {
        _ if host.is_empty() || parsed.query().is_some() || parsed.fragment().is_some() => {
            Err(TransportError::Address(url.to_owned()))
        }
        "https" => Ok(false),
        "http" if loopback => Ok(true),
        "http" => Err(TransportError::Plain(url.to_owned())),
        _ => Err(TransportError::Address(url.to_owned())),
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, TransportError> {
    let failed = |source| TransportError::Authority { path: path.to_owned(), source };
    let pem = durable::read_file(path).map_err(|error| failed(error.into()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.into()))?;
    if found.is_empty() { Err(failed("no certificate in it".into())) } else { Ok(found) }
}

/// Finds in a chain of errors what staff can act on. The libraries below tell these cases apart in their texts only.
fn trouble(error: &(dyn Error + 'static)) -> Trouble {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    diagnose(&texts)
}

fn diagnose(texts: &[String]) -> Trouble {
    let all = texts.join(": ").to_lowercase();
    let last = texts.last().cloned().unwrap_or_default();
    let has = |patterns: &[&str]| patterns.iter().any(|pattern| all.contains(pattern));
    if has(&["dns error", "failed to lookup", "name or service not known"]) {
        Trouble::Resolve
    } else if has(&["not valid yet", "notvalidyet"]) {
        Trouble::CertificateNotYetValid
    } else if has(&["certificate expired"]) {
        Trouble::CertificateExpired
    } else if has(&["not valid for name", "notvalidforname"]) {
        Trouble::CertificateName
    // A bad signature is another authority under the name of the expected one.
    } else if has(&["unknownissuer", "unknown issuer", "unknownca", "badsignature"]) {
        Trouble::CertificateIssuer
    } else if has(&["timed out"]) {
        Trouble::Timeout
    } else if has(&["tcp connect error", "connection refused", "unreachable"]) {
        Trouble::Connect
    } else if has(&["certificate", "tls", "handshake"]) {
        Trouble::Tls(last)
    } else {
        Trouble::Broken(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        let check = |url: &str| HttpTransport::new(url, None, Deadlines::default()).map(|_| ());
        for fine in ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:8080"] {
            assert!(check(fine).is_ok(), "{fine}");
        }
        for plain in ["http://10.0.0.1", "http://central.example:80", "http://127.0.0.1.example"] {
            assert!(matches!(check(plain), Err(TransportError::Plain(_))), "{plain}");
        }
        for wrong in ["", "central", "ftp://127.0.0.1", "http://127.0.0.1/?a=b", "file:///etc/passwd"] {
            assert!(matches!(check(wrong), Err(TransportError::Address(_))), "{wrong}");
        }
    }

    #[test]
    fn a_missing_or_empty_authority_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let make = || HttpTransport::new("https://127.0.0.1:1", Some(&path), Deadlines::default());
        assert!(matches!(make(), Err(TransportError::Authority { .. })));
        std::fs::write(&path, "hello").unwrap();
        assert!(matches!(make(), Err(TransportError::Authority { .. })));
    }

    #[test]
    fn the_libraries_texts_become_diagnoses() {
        for (text, expected) in [
            ("dns error: failed to lookup address information", Trouble::Resolve),
            ("tcp connect error: Connection refused (os error 111)", Trouble::Connect),
            ("tcp connect error: No route to host (os error 113)", Trouble::Connect),
            ("operation timed out", Trouble::Timeout),
            ("invalid peer certificate: UnknownIssuer", Trouble::CertificateIssuer),
            ("invalid peer certificate: BadSignature", Trouble::CertificateIssuer),
            ("invalid peer certificate: certificate expired: verification time", Trouble::CertificateExpired),
            ("invalid peer certificate: certificate not valid yet", Trouble::CertificateNotYetValid),
            ("invalid peer certificate: certificate not valid for name \"a\"", Trouble::CertificateName),
        ] {
            assert_eq!(diagnose(&["error sending request".into(), text.into()]), expected, "{text}");
        }
        assert_eq!(diagnose(&["a".into(), "b".into()]), Trouble::Broken("b".into()));
    }
}
