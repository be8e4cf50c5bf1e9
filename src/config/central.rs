//! central.toml: the server. Where it listens, where its data lies, and its limits.
//!
//! [`CentralFile`] is the file's shape and the source of its schema; [`CentralConfig`] is the validated value. The sections that need no more
//! than their schema ([`Limits`], [`Scores`], [`Terminals`]) are the same in both, so a new setting is one field there, with its comment, bounds
//! and default, and is read where it counts as `settings.config.SECTION.FIELD`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    check::{Located, Report},
    values::url,
};
use crate::questionnaire::Hospital;

/// Central's configuration, validated. Paths are absolute or relative to the working folder. It holds no secret: the TLS key is named,
/// never read into it.
#[derive(Clone, PartialEq, Debug)]
pub struct CentralConfig {
    /// Address and port it listens on.
    pub listen: SocketAddr,
    /// Its address as terminals and browsers see it, without a slash at the end.
    pub public_url: Option<String>,
    /// Where the database and the key lie.
    pub data_dir: PathBuf,
    /// Sites, touchpoints and questionnaires.
    pub touchpoints_file: PathBuf,
    /// Who encrypts.
    pub tls: Tls,
    /// Proxies on other machines that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// More names central is reached by.
    pub hosts: Vec<String>,
    /// What one request and one terminal may ask for.
    pub limits: Limits,
    /// How scores are shown.
    pub scores: Scores,
    /// What terminals are told.
    pub terminals: Terminals,
}

impl CentralConfig {
    /// Defaults for a data folder: on this machine only.
    pub fn on_loopback(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            touchpoints_file: data_dir.join(USUAL_TOUCHPOINTS_FILE),
            data_dir,
            tls: Tls::Loopback,
            trusted_proxies: Vec::new(),
            hosts: Vec::new(),
            // Nobody asks a central on this machine alone whether it is ready.
            limits: Limits { stop_notice_s: 0, ..Limits::default() },
            scores: Scores::default(),
            terminals: Terminals::default(),
        }
    }
}

/// Who encrypts the way to the terminals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tls {
    /// Nobody: central is reached on this machine only.
    Loopback,
    /// A proxy in front of it.
    BehindProxy,
    /// Central itself, with a certificate that it makes.
    Own,
    /// Central itself, with these PEM files.
    Files {
        /// Certificate and the ones between it and the authority.
        cert: PathBuf,
        /// Private key.
        key: PathBuf,
    },
}

impl Tls {
    /// Whether central itself encrypts.
    pub const fn encrypts_here(&self) -> bool {
        match self {
            Self::Own | Self::Files { .. } => true,
            Self::Loopback | Self::BehindProxy => false,
        }
    }
}

const USUAL_TOUCHPOINTS_FILE: &str = "touchpoints.toml";

/// The server (central.toml).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "central.toml")]
pub(crate) struct CentralFile {
    /// Address and port to listen on: 127.0.0.1 for this machine only, 0.0.0.0 for the whole network.
    #[schemars(example = &"127.0.0.1:8460")]
    pub listen: Located<String>,
    /// Address as terminals and browsers see it.
    #[schemars(example = &"https://xinsheng.example-hospital.cn")]
    pub public_url: Option<Located<String>>,
    /// A proxy in front of central encrypts (nginx, Caddy, a load balancer).
    #[serde(default)]
    pub behind_proxy: Option<Located<bool>>,
    /// Addresses or networks of proxies on other machines; with `behind_proxy` only they, and this machine, are listened to.
    #[serde(default)]
    #[schemars(example = &["10.20.0.5"])]
    pub trusted_proxies: Vec<Located<String>>,
    /// More names browsers reach central by, beside that of `public_url`, of the certificate and of this machine.
    #[serde(default)]
    #[schemars(example = &["xinsheng.local"])]
    pub hosts: Vec<Located<String>>,
    /// Sites, touchpoints and questionnaires. Relative to this file.
    #[serde(default)]
    #[schemars(length(min = 1), example = &"touchpoints.toml")]
    pub touchpoints_file: Option<Located<String>>,
    /// Where data lies.
    pub storage: CentralStorageFile,
    /// Certificate and key of the hospital. Without them, and without a proxy, central makes its own where it is reached over a network.
    pub tls: Option<Located<TlsFile>>,
    /// What one request and one terminal may ask for.
    #[serde(default)]
    pub limits: Limits,
    /// How scores are shown.
    #[serde(default)]
    pub scores: Scores,
    /// What terminals are told.
    #[serde(default)]
    pub terminals: Terminals,
}

/// Where data lies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Storage")]
pub(crate) struct CentralStorageFile {
    /// Folder of the database and central's key. Relative to this file.
    #[schemars(length(min = 1), example = &"/var/lib/xinsheng-central")]
    pub dir: Located<String>,
}

/// Certificate and key (PEM files). Relative to this file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub(crate) struct TlsFile {
    /// Certificate, followed by the ones between it and the authority.
    #[schemars(length(min = 1), example = &"central.pem")]
    pub cert: Located<String>,
    /// Private key; readable by central alone.
    #[schemars(length(min = 1), example = &"central.key")]
    pub key: Located<String>,
}

/// What one request and one terminal may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Most kilobytes of a request, as sent and after decompression; a full batch of a terminal is about 50, compressed.
    #[schemars(range(min = 64, max = 16384))]
    pub body_kib: u32,
    /// Seconds for a request, its body included.
    #[schemars(range(min = 5, max = 300))]
    pub request_timeout_s: u16,
    /// Most requests of one terminal in a minute; a healthy one makes two.
    #[schemars(range(min = 6, max = 6000))]
    pub requests_per_minute: NonZeroU32,
    /// Most connections in all; a terminal has one for some milliseconds a minute, an open page has one.
    #[schemars(range(min = 64, max = 65536))]
    pub connections: u32,
    /// Most connections from one address; raise it where a whole hospital comes from one (NAT). A trusted proxy is not counted.
    #[schemars(range(min = 8, max = 65536))]
    pub connections_per_address: u32,
    /// Most open pages from one address.
    #[schemars(range(min = 1, max = 256))]
    pub pages_per_address: u32,
    /// Seconds from the first packet of a connection to the end of its first request's headers.
    #[schemars(range(min = 2, max = 60))]
    pub header_timeout_s: u16,
    /// Seconds that a connection may wait for its next request.
    #[schemars(range(min = 2, max = 300))]
    pub idle_timeout_s: u16,
    /// Seconds of a stop in which /readyz says 503 and requests are still taken, so that a load balancer sends them elsewhere.
    #[schemars(range(max = 5))]
    pub stop_notice_s: u16,
}

impl Default for Limits {
    fn default() -> Self {
        // A backlog of a month drains at a batch a request; 600 of them are 300,000 entries a minute.
        let requests_per_minute = NonZeroU32::new(600).unwrap_or(NonZeroU32::MIN);
        Self {
            body_kib: 1024,
            request_timeout_s: 30,
            requests_per_minute,
            // A terminal connects for a request of some milliseconds, a page holds one: enough for a thousand terminals and all pages.
            connections: 1024,
            // A whole hospital behind one address has a share of the connections that leaves others room.
            connections_per_address: 512,
            pages_per_address: 128,
            header_timeout_s: 10,
            // Proxies and browsers keep connections for the next request about as long.
            idle_timeout_s: 30,
            // Most load balancers ask every second or two.
            stop_notice_s: 2,
        }
    }
}

impl Limits {
    /// Most bytes of a body.
    pub fn body_bytes(&self) -> usize {
        usize::try_from(self.body_kib).unwrap_or(usize::MAX).saturating_mul(1024)
    }

    /// Time for one request.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s.into())
    }

    /// From accept to the end of the first request's head.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_s.into())
    }

    /// Between two requests of a connection, the next head included.
    pub fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_s.into())
    }

    /// From the end of readiness to the end of listening.
    pub fn stop_notice(&self) -> Duration {
        Duration::from_secs(self.stop_notice_s.into())
    }
}

/// How scores are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scores {
    /// Scores of fewer answers are hidden, so that nobody is recognised and no ward is judged on a handful.
    #[schemars(range(min = 1, max = 100))]
    pub hide_below: u32,
}

impl Default for Scores {
    fn default() -> Self {
        Self { hide_below: 5 }
    }
}

/// What terminals are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Terminals {
    /// Seconds until a terminal comes again when it has nothing new.
    #[schemars(range(min = 5, max = 3600))]
    pub next_sync_after_s: u16,
    /// Give the touchpoints file to terminals whose kiosk.toml says source = "central".
    pub deliver_config: bool,
}

impl Default for Terminals {
    fn default() -> Self {
        Self { next_sync_after_s: 60, deliver_config: true }
    }
}

/// Checks the server's file. `folder` is where it lies; `hospital` reads the touchpoints file.
pub fn build(
    file: &CentralFile,
    folder: &Path,
    report: &mut Report<'_>,
    hospital: impl FnOnce(&Path, &mut Report<'_>, Option<&Located<String>>) -> Option<Hospital>,
) -> Option<(CentralConfig, Hospital)> {
    let listen = listen(&file.listen, report);
    let tls = tls(file, listen, folder, report);
    let trusted_proxies = trusted_proxies(&file.trusted_proxies, report);
    let hosts = hosts(&file.hosts, report);
    let public_url = file.public_url.as_ref().and_then(|text| url::read(text, report));
    if let (Some(text), Some(url), Some(tls)) = (&file.public_url, &public_url, &tls)
        && tls.encrypts_here()
        && url.starts_with("http://")
    {
        let what = "central encrypts what it serves, so nothing is to be found at an address with http://";
        report.error(
            &text.span,
            what,
            "write https://, and the name that terminals and browsers reach central by",
        );
    }
    let name = file.touchpoints_file.as_ref();
    let touchpoints_file = folder.join(name.map_or(USUAL_TOUCHPOINTS_FILE, |name| name.value.as_str()));
    let hospital = hospital(&touchpoints_file, report, name)?;
    let config = CentralConfig {
        listen: listen?,
        public_url,
        data_dir: folder.join(&file.storage.dir.value),
        touchpoints_file,
        tls: tls?,
        limits: file.limits,
        scores: file.scores,
        terminals: file.terminals,
        trusted_proxies: trusted_proxies?,
        hosts: hosts?,
    };
    Some((config, hospital))
}

fn listen(text: &Located<String>, report: &mut Report<'_>) -> Option<SocketAddr> {
    if let Ok(address) = text.value.parse() {
        return Some(address);
    }
    let what = format!("`{}` is not an address with a port", text.value);
    report.error(&text.span, what, "write numbers, like \"127.0.0.1:8460\" or \"0.0.0.0:8460\"");
    None
}

/// One address is a network of one.
fn trusted_proxies(texts: &[Located<String>], report: &mut Report<'_>) -> Option<Vec<IpNet>> {
    let mut read = |text: &Located<String>| {
        let address = text.value.parse::<IpAddr>().map(IpNet::from).ok();
        let net = address.or_else(|| text.value.parse().ok());
        match net {
            Some(net) if net.prefix_len() > 0 => Some(net),
            Some(_) => {
                let what = format!("`{}` is everybody", text.value);
                report.error(
                    &text.span,
                    what,
                    "name the proxy itself: everybody could claim to ask for somebody else",
                );
                None
            }
            None => {
                let what = format!("`{}` is neither an address nor a network", text.value);
                report.error(&text.span, what, "write \"10.20.0.5\" or \"10.20.0.0/24\"");
                None
            }
        }
    };
    let read: Vec<Option<IpNet>> = texts.iter().map(&mut read).collect();
    read.into_iter().collect()
}

fn hosts(texts: &[Located<String>], report: &mut Report<'_>) -> Option<Vec<String>> {
    let mut read = |text: &Located<String>| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if !text.value.is_empty() && text.value.chars().all(fits) {
            return Some(text.value.to_ascii_lowercase());
        }
        let what = format!("`{}` is not the name of a host", text.value);
        report.error(
            &text.span,
            what,
            "write the name alone, like \"xinsheng.local\", without https:// and path",
        );
        None
    };
    let read: Vec<Option<String>> = texts.iter().map(&mut read).collect();
    read.into_iter().collect()
}

fn tls(
    file: &CentralFile,
    listen: Option<SocketAddr>,
    folder: &Path,
    report: &mut Report<'_>,
) -> Option<Tls> {
    let proxy = file.behind_proxy.as_ref().filter(|proxy| proxy.value);
    match (&file.tls, proxy) {
        (Some(_), Some(proxy)) => {
            let what = "central cannot encrypt itself and leave it to a proxy";
            report.error(&proxy.span, what, "remove behind_proxy, or the section [tls]");
            None
        }
        (Some(tls), None) => Some(Tls::Files {
            cert: folder.join(&tls.value.cert.value),
            key: folder.join(&tls.value.key.value),
        }),
        (None, Some(proxy))
            if file.trusted_proxies.is_empty() && listen.is_some_and(|at| !at.ip().is_loopback()) =>
        {
            let what = "any machine of the network could pass by the proxy, unencrypted";
            let fix = "listen on 127.0.0.1 if the proxy is on this machine, else name it: trusted_proxies = [\"10.20.0.5\"]";
            report.error(&proxy.span, what, fix);
            None
        }
        (None, Some(_)) => Some(Tls::BehindProxy),
        (None, None) if listen.is_some_and(|address| !address.ip().is_loopback()) => Some(Tls::Own),
        (None, None) => Some(Tls::Loopback),
    }
}
