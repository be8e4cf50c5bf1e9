//! What an answer, or the lack of one, means: a pure function of status, headers, body and signature.
//!
//! Invariants:
//! - an answer that is not central's, signed for this very request, changes nothing but the time of the next attempt: it is
//!   [`Outcome::Unknown`], or an unsigned [`Outcome::Wait`];
//! - the statuses are one table without a default arm.

use httpdate::parse_http_date;
use serde::de::DeserializeOwned;

use super::{
    diagnosis::{Diagnosis, Fault},
    message::{Reply, Request, Stamp},
};
use crate::{
    model::{ChainId, StoreId},
    sign::{PublicKey, SignError},
    wire::{CursorReply, HealthReply, Problem, Receipt, content_type},
};

/// Longest wait a server can ask for, in milliseconds: a mistyped year must not silence a terminal.
pub(crate) const RETRY_AFTER_MAX_MS: u64 = 3_600_000;

/// Longest piece of somebody else's text that is repeated in a diagnosis, in characters.
const QUOTED_CHARS_MAX: usize = 120;

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// How far central is.
    Cursor,
    /// To take entries.
    Batch {
        /// Place of the first.
        first_seq: u64,
        /// How many.
        count: usize,
    },
    /// To note how the terminal is.
    Health,
    /// For the configuration.
    Config,
}

/// A request that is under way: what an answer is held against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// What was asked.
    pub asked: Asked,
    /// The chain it was about.
    pub chain: ChainId,
    /// The request, as an answer must name it.
    pub request: Stamp,
}

impl Exchange {
    /// What the answer to this request will be held against.
    pub fn new(asked: Asked, chain: ChainId, request: &Request) -> Self {
        Self { asked, chain, request: request.stamp() }
    }
}

/// Whose word counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trust {
    /// Central's key.
    pub key: PublicKey,
    /// Central's store.
    pub store: StoreId,
}

/// What came of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Central signed for entries.
    Receipt(Receipt),
    /// Central signed how far it is.
    Cursor(CursorReply),
    /// Central took the health report.
    Health(HealthReply),
    /// A configuration, signed by central.
    Config {
        /// Its `ETag`.
        etag: String,
        /// Its text.
        text: String,
    },
    /// The configuration is the one the terminal has.
    ConfigUnchanged,
    /// It may have arrived or not: send again later.
    Unknown(Trouble),
    /// Central is busy and says how long.
    Wait {
        /// Milliseconds, at most [`RETRY_AFTER_MAX_MS`].
        ms: u64,
        /// The status.
        status: u16,
        /// Whether central itself said so.
        signed: bool,
    },
    /// Central finds the body too large.
    TooLarge,
    /// Central refuses the content.
    Refused {
        /// Its reason.
        reason: String,
    },
    /// Central does not know this terminal, or no longer.
    NotAllowed {
        /// The status.
        status: u16,
        /// Its reason.
        reason: String,
    },
    /// Wrong address or wrong version.
    Misconfigured {
        /// The status.
        status: u16,
        /// What was answered.
        reason: String,
    },
    /// Central holds another history under this chain.
    Conflict,
}

impl Outcome {
    /// What went wrong; `None` if central did what it was asked. `url` is where it was asked.
    pub(crate) fn diagnosis(&self, url: &str) -> Option<Diagnosis> {
        let (fault, words) = match self {
            Self::Receipt(_)
            | Self::Cursor(_)
            | Self::Health(_)
            | Self::Config { .. }
            | Self::ConfigUnchanged => return None,
            Self::Unknown(trouble @ (Trouble::Foreign { .. } | Trouble::Unproven { .. })) => {
                (trouble.fault(), format!("{trouble}; asked {url}"))
            }
            Self::Unknown(trouble) => (trouble.fault(), trouble.to_string()),
            Self::Wait { ms, status, .. } => {
                (Fault::Busy, format!("central is busy ({status}) and asks to wait {} s", ms / 1000))
            }
            Self::TooLarge => (Fault::Other, "a request was too large (413)".into()),
            Self::Refused { reason } => (Fault::Other, format!("central refused a request: {reason}")),
            Self::NotAllowed { status, reason } => {
                (Fault::NotAccepted, format!("central does not accept this terminal ({status}): {reason}"))
            }
            Self::Misconfigured { status, reason } => {
                (Fault::Misconfigured, format!("{url} answered {status}: {reason}"))
            }
            Self::Conflict => (Fault::Other, "central holds another history under this chain (409)".into()),
        };
        Some(Diagnosis { fault, words })
    }
}

/// Why nothing is known, in words for the log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// The name has no address.
    #[error("central's name cannot be resolved; check the network cable, the DNS server and [central] url")]
    Resolve,
    /// No connection.
    #[error("central cannot be reached; check the network and whether central runs")]
    Connect,
    /// The certificate is over.
    #[error("central's certificate has expired, or this terminal's clock is wrong")]
    CertificateExpired,
    /// The certificate is not valid yet.
    #[error("central's certificate is not valid yet, or this terminal's clock is wrong")]
    CertificateNotYetValid,
    /// Signed by an unknown authority.
    #[error(
        "central's certificate comes from an unknown authority; set [central] ca_file, or something intercepts the connection"
    )]
    CertificateIssuer,
    /// For another name.
    #[error("central's certificate is for another name than the one in [central] url")]
    CertificateName,
    /// With another key than central's, and central does not vouch for it.
    #[error(
        "central's certificate has another key than the one this terminal knows, and central's own signature does not vouch for it; something \
         in between answers, or central has a proxy before it now (then set [central] ca_file), or it was set up anew (then enrol this terminal again)"
    )]
    CertificateKey,
    /// TLS failed otherwise.
    #[error("the encrypted connection to central failed: {0}")]
    Tls(String),
    /// The deadline passed.
    #[error("central did not answer in time")]
    Timeout,
    /// The connection broke, or what came was no HTTP.
    #[error("the connection to central broke: {0}")]
    Broken(String),
    /// The answer is longer than any answer of central.
    #[error("the answer is too long to be central's; something in between answers")]
    TooLong,
    /// Central or a proxy failed.
    #[error("the server answered {0}; it may be restarting or overloaded")]
    Status(u16),
    /// A success that is none of ours.
    #[error("the answer {status} is not central's ({what}); a login page or proxy may be in between")]
    Foreign {
        /// The status.
        status: u16,
        /// What was wrong with it.
        what: String,
    },
    /// A refusal or redirect that is not central's own.
    #[error("the answer {status} is not central's own; something in between answers{}", hint(*.status, .redirected_to.as_deref()))]
    Unproven {
        /// The status.
        status: u16,
        /// Where to, if it is a redirect.
        redirected_to: Option<String>,
    },
    /// A success that is not proven.
    #[error("the answer {status} does not carry central's signature ({error})")]
    Unsigned {
        /// The status.
        status: u16,
        /// Why not.
        error: SignError,
    },
}

impl Trouble {
    /// What of it staff can tell apart.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Resolve => Fault::NameUnresolved,
            Self::Connect => Fault::Unreached,
            Self::CertificateExpired | Self::CertificateNotYetValid => Fault::CertificateTime,
            Self::CertificateIssuer => Fault::CertificateIssuer,
            Self::CertificateName => Fault::CertificateName,
            Self::Tls(_) => Fault::Other,
            Self::Timeout | Self::Broken(_) => Fault::NoAnswer,
            Self::Status(_) => Fault::Busy,
            Self::CertificateKey
            | Self::TooLong
            | Self::Foreign { .. }
            | Self::Unproven { .. }
            | Self::Unsigned { .. } => Fault::InBetween,
        }
    }
}

/// What to look for where something else answers with this status. Its own words are not repeated: nobody knows whose they are.
fn hint(status: u16, redirected_to: Option<&str>) -> String {
    let words = match status {
        300..=399 => return format!(": redirected to `{}`", redirected_to.unwrap_or_default()),
        401 | 403 => {
            " (a login page or firewall); if nothing is, see whether central's list has this terminal"
        }
        404 | 405 | 410 => "; look at the address in [central] url, and at the proxy's paths",
        407 => ": a proxy that wants a password",
        413 => ": a proxy that lets only small requests through; raise its limit for bodies",
        511 => ": a login page of the network",
        _ => "",
    };
    words.to_owned()
}

/// Judges what came back.
pub fn classify(exchange: &Exchange, trust: &Trust, answer: Result<&Reply, &Trouble>) -> Outcome {
    let reply = match answer {
        Ok(reply) => reply,
        Err(trouble) => return Outcome::Unknown(trouble.clone()),
    };
    let status = reply.status;
    let judged = match status {
        200..=299 => success(exchange, trust, reply),
        304 if exchange.asked == Asked::Config => unchanged(exchange, trust, reply),
        400 | 422 => refusal(exchange, trust, reply).map(|reason| Outcome::Refused { reason }),
        401 | 403 => refusal(exchange, trust, reply).map(|reason| Outcome::NotAllowed { status, reason }),
        409 => refusal(exchange, trust, reply).map(|_| Outcome::Conflict),
        413 => refusal(exchange, trust, reply).map(|_| Outcome::TooLarge),
        429 | 503 | 507 => Ok(match retry_after_ms(reply) {
            Some(ms) => Outcome::Wait { ms, status, signed: proven(exchange, trust, reply).is_ok() },
            None => Outcome::Unknown(Trouble::Status(status)),
        }),
        300..=399 | 402 | 404..=407 | 410..=412 | 414..=421 | 423..=424 | 426..=428 | 430..=499 | 511 => {
            refusal(exchange, trust, reply).map(|reason| Outcome::Misconfigured { status, reason })
        }
        0..=199 | 408 | 425 | 500..=502 | 504..=506 | 508..=510 | 512..=u16::MAX => {
            Ok(Outcome::Unknown(Trouble::Status(status)))
        }
    };
    judged.unwrap_or_else(Outcome::Unknown)
}

/// Central's own reason for a refusal; whatever else says no has not spoken for central.
fn refusal(exchange: &Exchange, trust: &Trust, reply: &Reply) -> Result<String, Trouble> {
    let redirected_to = reply.header("location").map(quoted);
    let unproven = |_| Trouble::Unproven { status: reply.status, redirected_to };
    proven(exchange, trust, reply).map_err(unproven)?;
    Ok(reason(reply))
}

/// Still the configuration that the terminal has: a proxy may have asked about another one.
fn unchanged(exchange: &Exchange, trust: &Trust, reply: &Reply) -> Result<Outcome, Trouble> {
    proven(exchange, trust, reply)?;
    let known = exchange.request.known_etag.as_deref();
    if known.is_some() && known == reply.header("etag") {
        Ok(Outcome::ConfigUnchanged)
    } else {
        let what = "it names another configuration than the terminal's".to_owned();
        Err(Trouble::Foreign { status: reply.status, what })
    }
}

fn success(exchange: &Exchange, trust: &Trust, reply: &Reply) -> Result<Outcome, Trouble> {
    let foreign = |what: &str| Trouble::Foreign { status: reply.status, what: what.to_owned() };
    let expected = match exchange.asked {
        Asked::Batch { .. } => content_type::RECEIPT,
        Asked::Cursor | Asked::Health => content_type::JSON,
        Asked::Config => content_type::TOML,
    };
    if reply.content_type() != expected {
        return Err(foreign(&format!("its type is `{}`", quoted(reply.content_type()))));
    }
    proven(exchange, trust, reply)?;
    match exchange.asked {
        Asked::Batch { .. } => {
            let receipt: Receipt = read(reply)?;
            if receipt.store != trust.store || receipt.chain != exchange.chain {
                return Err(foreign("it is for another store or chain"));
            }
            Ok(Outcome::Receipt(receipt))
        }
        Asked::Cursor => {
            let cursor: CursorReply = read(reply)?;
            if cursor.store != trust.store || cursor.chain != exchange.chain {
                return Err(foreign("it is for another store or chain"));
            }
            Ok(Outcome::Cursor(cursor))
        }
        Asked::Health => Ok(Outcome::Health(read(reply)?)),
        Asked::Config => {
            let text = std::str::from_utf8(&reply.body).map_err(|_| foreign("it is not UTF-8"))?;
            let etag = reply.header("etag").unwrap_or_default().to_owned();
            Ok(Outcome::Config { etag, text: text.to_owned() })
        }
    }
}

/// Whether central signed this answer to this request.
fn proven(exchange: &Exchange, trust: &Trust, reply: &Reply) -> Result<(), Trouble> {
    let unsigned = |error| Trouble::Unsigned { status: reply.status, error };
    let params = reply.verify(&trust.key, &exchange.request).map_err(unsigned)?;
    let expected = trust.store.to_string();
    if params.keyid == expected {
        Ok(())
    } else {
        Err(unsigned(SignError::KeyId { expected, found: params.keyid }))
    }
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, Trouble> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Trouble::Foreign { status: reply.status, what: error.to_string() })
}

/// The problem's own words, or the status alone.
fn reason(reply: &Reply) -> String {
    match serde_json::from_slice::<Problem>(&reply.body) {
        Ok(problem) => quoted(&problem.detail.unwrap_or(problem.title)),
        Err(_) => format!("status {}", reply.status),
    }
}

fn quoted(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTED_CHARS_MAX).collect()
}

/// Seconds, or an HTTP date held against the answer's own `Date`: the terminal's clock may be wrong by years. Any number of digits is a
/// number of seconds, however long.
fn retry_after_ms(reply: &Reply) -> Option<u64> {
    let value = reply.header("retry-after")?.trim();
    let ms = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().unwrap_or(u64::MAX).saturating_mul(1000)
    } else {
        let until = parse_http_date(value).ok()?;
        let now = parse_http_date(reply.header("date")?.trim()).ok()?;
        let wait = until.duration_since(now).unwrap_or_default();
        u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
    };
    Some(ms.min(RETRY_AFTER_MAX_MS))
}

#[cfg(test)]
mod tests;
