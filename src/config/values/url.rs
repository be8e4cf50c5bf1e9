//! Addresses in config files: where central is, as terminals reach it.

use std::net::IpAddr;

use crate::config::check::{Located, Report};

/// What must be right about an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Shape,
    Scheme,
    Blank,
    Letters,
    Port,
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
        Fault::Blank => {
            ("an address must not hold a blank", "delete it; one may stand before or behind the address too")
        }
        Fault::Letters => (
            "the name of a computer must be in Latin letters here",
            "write it as the network knows it, beginning with xn--; whoever set up the name can tell",
        ),
        Fault::Port => (
            "this is not the number of a port",
            "write a number from 1 to 65535, or leave it out with its colon",
        ),
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
        (scheme, host) if scheme == "https" || is_loopback(&host) => {
            let (_, rest) = text.split_once("://").ok_or(Fault::Scheme)?;
            Ok(format!("{scheme}://{}", rest.trim_end_matches('/')))
        }
        _ => Err(Fault::Plain),
    }
}

/// The scheme and the host, in small letters: both are the same in any case.
fn split(text: &str) -> Result<(String, String), Fault> {
    let (scheme, rest) = text.split_once("://").ok_or(Fault::Scheme)?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err(Fault::Scheme);
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Fault::Credentials);
    }
    if text.chars().any(char::is_whitespace) {
        return Err(Fault::Blank);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(Fault::Shape)?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(Fault::Shape)?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if !host.is_ascii() {
        return Err(Fault::Letters);
    }
    if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Err(Fault::Port);
    }
    let host_fits = is_host(host)
        && !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':'));
    let path_fits = !rest.contains(['?', '#']) && !rest.chars().any(char::is_whitespace);
    if host_fits && path_fits { Ok((scheme, host.to_ascii_lowercase())) } else { Err(Fault::Shape) }
}

/// Names whose parts are none too short or too long, and numbers only where they are an address.
fn is_host(host: &str) -> bool {
    if host.contains(':') {
        return host.parse::<IpAddr>().is_ok();
    }
    let parts = || host.strip_suffix('.').unwrap_or(host).split('.');
    let is_number = parts().next_back().is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let fits = |part: &str| (1..=63).contains(&part.len()) && !part.starts_with('-') && !part.ends_with('-');
    host.len() <= 253 && parts().all(fits) && (!is_number || host.parse::<IpAddr>().is_ok())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "localhost."
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_host_are_the_same_in_any_case() {
        assert_eq!(usable("HTTPS://Central.Example/x/"), Ok("https://Central.Example/x".to_owned()));
        assert_eq!(usable("http://LocalHost:8471"), Ok("http://LocalHost:8471".to_owned()));
        assert_eq!(usable("HTTP://central.example"), Err(Fault::Plain));
    }

    #[test]
    fn addresses_are_taken_apart() {
        let good = |text: &str| split(text).map_err(|fault| panic!("{text}: {fault:?}")).unwrap();
        assert_eq!(good("https://a.example:8443/x"), ("https".to_owned(), "a.example".to_owned()));
        assert_eq!(good("http://[::1]:8460"), ("http".to_owned(), "::1".to_owned()));
        for (text, fault) in [
            ("a.example", Fault::Scheme),
            ("ftp://a.example", Fault::Scheme),
            ("https://", Fault::Shape),
            ("https://a b", Fault::Blank),
            (" https://a", Fault::Scheme),
            ("https://a:99999", Fault::Port),
            ("https://a:0", Fault::Port),
            ("https://a:", Fault::Port),
            ("https://a?x=1", Fault::Shape),
            ("https://me:secret@a", Fault::Credentials),
            ("https://me:sec ret@a", Fault::Credentials),
            ("https://医院.example", Fault::Letters),
            ("https://256.1.1.1", Fault::Shape),
            ("https://a..example", Fault::Shape),
            ("https://.example", Fault::Shape),
            ("https://-a.example", Fault::Shape),
        ] {
            assert_eq!(split(text), Err(fault), "{text}");
        }
        assert!(is_loopback("127.0.0.1") && is_loopback("::1") && is_loopback("localhost"));
        assert!(!is_loopback("10.0.0.1") && !is_loopback("127.0.0.1.example"));
    }
}
