//! Addresses in config files: where central is, as terminals reach it.

use std::net::IpAddr;

use crate::config::check::{Located, Report};

/// What must be right about an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Shape,
    Scheme,
    Credentials,
    Plain,
}

/// Checks an address and gives it without a slash at the end.
///
/// Plain http is for this machine only: ratings travel signed, but nobody on the way shall read which ward is rated how.
pub fn read(text: &Located<String>, report: &mut Report<'_>) -> Option<String> {
    let fault = match usable(&text.value) {
        Ok(address) => return Some(address),
        Err(fault) => fault,
    };
    let (what, fix) = match fault {
        Fault::Shape => ("this is not an address", "write it like \"https://xinsheng.example-hospital.cn\""),
        Fault::Scheme => {
            ("an address must begin with https://", "write it like \"https://xinsheng.example-hospital.cn\"")
        }
        Fault::Credentials => (
            "an address must not hold a name or password",
            "remove what stands before the @; terminals sign with their own key",
        ),
        Fault::Plain => (
            "http:// is not encrypted and only for this machine (127.0.0.1, localhost)",
            "use https://, with ca_file for a certificate of your own",
        ),
    };
    report.error(&text.span, what, fix);
    None
}

/// The address without a slash at the end, if it may be used.
pub(crate) fn usable(text: &str) -> Result<String, Fault> {
    match split(text)? {
        (scheme, host) if scheme == "https" || is_loopback(host) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(Fault::Plain),
    }
}

fn split(text: &str) -> Result<(&str, &str), Fault> {
    let (scheme, rest) = text.split_once("://").ok_or(Fault::Scheme)?;
    if scheme != "http" && scheme != "https" {
        return Err(Fault::Scheme);
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Fault::Credentials);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(Fault::Shape)?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(Fault::Shape)?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let host_fits =
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':'));
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let path_fits = !rest.contains(['?', '#']) && !rest.chars().any(char::is_whitespace);
    if host_fits && port_fits && path_fits { Ok((scheme, host)) } else { Err(Fault::Shape) }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(split("https://a.example:8443/x"), Ok(("https", "a.example")));
        assert_eq!(split("http://[::1]:8460"), Ok(("http", "::1")));
        assert_eq!(split("a.example"), Err(Fault::Scheme));
        assert_eq!(split("ftp://a.example"), Err(Fault::Scheme));
        assert_eq!(split("https://"), Err(Fault::Shape));
        assert_eq!(split("https://a b"), Err(Fault::Shape));
        assert_eq!(split("https://a:99999"), Err(Fault::Shape));
        assert_eq!(split("https://a?x=1"), Err(Fault::Shape));
        assert_eq!(split("https://me:secret@a"), Err(Fault::Credentials));
        assert!(is_loopback("127.0.0.1") && is_loopback("::1") && is_loopback("localhost"));
        assert!(!is_loopback("10.0.0.1") && !is_loopback("127.0.0.1.example"));
    }
}
