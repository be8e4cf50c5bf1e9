//! The nginx configuration that is shipped, `deploy/nginx.conf`, as it stands but for names, ports and certificate.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::aws_lc_rs, pki_types::CertificateDer,
};
use xinsheng::{
    central::Central,
    model::TerminalId,
    sign::{AnsweredRequest, KeyPair, Proof, PublicKey, ResponseParts, verify_response},
    wire::{EnrolmentReply, Receipt},
};

use super::{Nginx, central, free};
use crate::{
    http::{header_of, split},
    journal::{Journal, answer},
    signed::{Call, enrolment},
};

const NAME: &str = "hospital.example";
const BASE: &str = "/xinsheng";
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers that come later than nginx waits for them in this test.
const READ_TIMEOUT_S: u64 = 12;

type Encrypted = StreamOwned<ClientConnection, TcpStream>;

struct Site {
    nginx: Nginx,
    central: Central,
    client: Arc<ClientConfig>,
    _folders: (tempfile::TempDir, tempfile::TempDir),
}

impl Site {
    /// `None` if there is no nginx.
    fn start() -> Option<Self> {
        let (central, data) = central(&format!("https://{NAME}{BASE}"));
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec![NAME.to_owned()]).unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&cert, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let address = free();
        let mut text = fs::read_to_string("deploy/nginx.conf").unwrap();
        for (shipped, here) in [
            ("listen 443 ssl http2;", format!("listen {address} ssl http2;")),
            ("listen [::]:443 ssl http2;", String::new()),
            ("server 127.0.0.1:8460;", format!("server {};", central.address())),
            ("/etc/ssl/xinsheng/fullchain.pem", cert.display().to_string()),
            ("/etc/ssl/xinsheng/privkey.pem", key.display().to_string()),
            ("proxy_read_timeout 60s;", format!("proxy_read_timeout {READ_TIMEOUT_S}s;")),
        ] {
            assert_eq!(text.matches(shipped).count(), 1, "`{shipped}` stands once in the shipped file");
            text = text.replace(shipped, &here);
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(made.cert.der().to_vec())).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let nginx = Nginx::start_with(address, &text)?;
        Some(Self { nginx, central, client: Arc::new(client), _folders: (data, folder) })
    }

    /// Sends a request without a client certificate, and gives the stream with the answer.
    fn send(&self, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Encrypted {
        let connection = ClientConnection::new(Arc::clone(&self.client), NAME.try_into().unwrap()).unwrap();
        let socket = TcpStream::connect(self.nginx.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        let mut head = format!(
            "{method} {BASE}{path} HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // Whoever is refused is not always read to the end.
        let _ = stream.write_all(body);
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut bytes = Vec::new();
        // nginx closes without a farewell of TLS.
        let _ = self.send("GET", path, &[], b"").read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn post(&self, asked: &Call<'_>) -> (String, Vec<u8>) {
        let mut bytes = Vec::new();
        let _ = self.send(asked.method, &asked.uri(), &asked.headers(), &asked.body).read_to_end(&mut bytes);
        split(&bytes)
    }

    fn terminal(&self) -> Terminal {
        let code = self.central.new_code(&"window".parse().unwrap()).unwrap();
        let key = KeyPair::from_seed(&[1; 32]);
        let (head, body) = self.post(&enrolment(&key, &code));
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let welcome: EnrolmentReply = serde_json::from_slice(&body).unwrap();
        Terminal { key, id: welcome.terminal, central: welcome.central_key.parse().unwrap() }
    }
}

struct Terminal {
    key: KeyPair,
    id: TerminalId,
    central: PublicKey,
}

impl Terminal {
    fn batch(&self, body: Vec<u8>) -> Call<'_> {
        Call {
            key: &self.key,
            terminal: Some(self.id.to_string()),
            method: "POST",
            path: "/v1/terminals/self/entries",
            query: None,
            kind: "application/x-ndjson",
            body,
            encoding: None,
            protocol: "1",
        }
    }

    /// Whether an answer is central's own, to the byte, to that very request.
    fn believes(&self, asked: &Call<'_>, sent: &[(&str, String)], head: &str, body: &[u8]) -> bool {
        let field =
            |name: &str| sent.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let parts = ResponseParts {
            status: head[9..12].parse().unwrap(),
            content_type: header_of(head, "content-type"),
            etag: header_of(head, "etag"),
            body,
            request: AnsweredRequest {
                method: asked.method,
                path: asked.path,
                query: None,
                content_digest: field("content-digest"),
                signature: field("signature").unwrap(),
            },
        };
        let proof = Proof {
            content_digest: header_of(head, "content-digest"),
            signature_input: header_of(head, "signature-input").unwrap_or_default(),
            signature: header_of(head, "signature").unwrap_or_default(),
        };
        verify_response(&self.central, &parts, &proof).is_ok()
    }
}

#[test]
fn the_shipped_nginx_serves_central_below_its_path_without_client_certificates_and_keeps_the_numbers_in() {
    let Some(site) = Site::start() else { return };
    let bare = site.get("").to_lowercase();
    assert!(bare.starts_with("http/1.1 308"), "{bare}");
    assert!(
        bare.contains(&format!("location: https://{NAME}{BASE}/\r\n")) || bare.contains("/xinsheng/\r\n"),
        "{bare}"
    );
    for file in ["/", "/page.js", "/page.css", "/healthz", "/readyz", "/openapi.json"] {
        let found = site.get(file);
        assert!(found.starts_with("HTTP/1.1 200"), "{file}: {found}");
    }
    assert!(site.get("/").contains("href=\"/xinsheng/page.css\""));
    assert!(site.get("/metrics").starts_with("HTTP/1.1 404"), "{}", site.get("/metrics"));
}

#[test]
fn behind_the_shipped_nginx_a_terminal_gets_central_s_own_signed_answers_long_bodies_included() {
    let Some(site) = Site::start() else { return };
    let terminal = site.terminal();
    let mut journal = Journal::new(1);
    (0..500).for_each(|n| _ = journal.push(answer(n, 5)));
    let asked = terminal.batch(journal.body(1, 500));
    // A terminal that could read packed answers: packed on the way they would not be what central signed.
    let mut headers = asked.headers();
    headers.push(("accept-encoding", "gzip".to_owned()));
    let send = |asked: &Call<'_>, headers: &[(&str, String)]| {
        let mut bytes = Vec::new();
        let _ = site.send(asked.method, asked.path, headers, &asked.body).read_to_end(&mut bytes);
        split(&bytes)
    };
    let (head, body) = send(&asked, &headers);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(terminal.believes(&asked, &headers, &head, &body), "{head}");
    let receipt: Receipt = serde_json::from_slice(&body).unwrap();
    assert_eq!((receipt.accepted_through, receipt.stored), (500, 500));

    // More than central takes, and more than nginx does by itself.
    let long = terminal.batch(vec![b'a'; 1_500_000]);
    let headers = long.headers();
    let (head, body) = send(&long, &headers);
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
    assert!(
        terminal.believes(&long, &headers, &head, &body),
        "refused by somebody else than central: {head}"
    );
}

#[test]
fn the_shipped_nginx_passes_events_on_at_once_and_keeps_a_quiet_stream_open() {
    let Some(site) = Site::start() else { return };
    let terminal = site.terminal();
    let mut stream = site.send("GET", "/v1/events", &[], b"");
    let mut text = String::new();
    let mut read_until = |what: &str, enough: &dyn Fn(&str) -> bool, patience: Duration| {
        let until = std::time::Instant::now() + patience;
        while !enough(&text) {
            let left = until.saturating_duration_since(std::time::Instant::now());
            assert!(!left.is_zero(), "{what} does not come within {patience:?}: {text}");
            stream.sock.set_read_timeout(Some(left)).unwrap();
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk) {
                Ok(0) => panic!("the stream ended: {text}"),
                Ok(n) => text.push_str(&String::from_utf8_lossy(&chunk[..n])),
                Err(_) => {}
            }
        }
    };
    read_until("the first event", &|text| text.contains("event: refresh"), Duration::from_secs(5));
    let mut journal = Journal::new(1);
    (0..3).for_each(|n| _ = journal.push(answer(n, 5)));
    assert!(site.post(&terminal.batch(journal.body(1, 3))).0.starts_with("HTTP/1.1 200"));
    read_until("the news of a batch", &|text| text.contains("event: scores"), Duration::from_secs(5));
    // Two comments are twenty seconds of silence otherwise: longer than nginx waits here.
    let comments = |text: &str| text.matches("\n:").count() >= 2;
    read_until("a stream that stays open", &comments, Duration::from_secs(2 * READ_TIMEOUT_S + 6));
}
