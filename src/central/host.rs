//! What browsers may ask for: under central's own names only, and changes from its own pages only.
//!
//! A page on another site can make a browser in the hospital send requests here. Under a name of its own that it lets resolve to central's
//! address (DNS rebinding) it could read the answers as well; so a name that is not central's is refused. Requests that change something
//! must come from central's own pages, or from something that is no browser. Terminals sign what they say and are asked neither.

use std::{
    net::IpAddr,
    sync::{PoisonError, RwLock},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{app::Shared, error::ApiError, peer::Peer, settings::Settings};

/// The names and origins that are central's.
pub(super) struct Names {
    configured: Vec<String>,
    /// Host and port of the public address, as browsers write an origin.
    public_origin: Option<String>,
    /// From the certificate: who has that for a name is central under that name.
    certificate: RwLock<Vec<String>>,
}

impl Names {
    pub(super) fn new(settings: &Settings) -> Self {
        let public = settings.config.public_url.as_deref();
        let authority = public.and_then(|url| url.split_once("://")?.1.split('/').next());
        let mut configured: Vec<String> = settings.config.hosts.iter().map(|host| host_of(host)).collect();
        configured.extend(authority.map(host_of));
        let public_origin = public.and_then(|url| {
            let (scheme, rest) = url.split_once("://")?;
            Some(format!("{scheme}://{}", rest.split('/').next()?).to_ascii_lowercase())
        });
        Self { configured, public_origin, certificate: RwLock::default() }
    }

    pub(super) fn set_certificate(&self, names: Vec<String>) {
        *self.certificate.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    fn is_ours(&self, host: &str, local: Option<IpAddr>) -> bool {
        if let Ok(ip) = host.parse::<IpAddr>() {
            let ip = ip.to_canonical();
            // An address is no name that somebody else could let resolve to us.
            return ip.is_loopback()
                || local.is_some_and(|local| local.to_canonical() == ip)
                || self.configured.iter().any(|known| known == host);
        }
        if host == "localhost" || host.ends_with(".localhost") {
            return true;
        }
        let certificate = self.certificate.read().unwrap_or_else(PoisonError::into_inner);
        self.configured.iter().any(|known| known == host)
            || certificate.iter().any(|name| match name.strip_prefix("*.") {
                Some(rest) => host.split_once('.').is_some_and(|(_, parent)| parent == rest),
                None => name == host,
            })
    }
}

/// Refuses what a foreign page made a browser send.
pub(super) async fn guard(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let local = request.extensions().get::<Peer>().map(|peer| peer.local);
    let checked = check_host(&app.names, request.headers(), local)
        .and_then(|()| check_origin(&app.names, request.method(), request.headers()));
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Only browsers can be tricked, and they always name a host.
fn check_host(names: &Names, headers: &HeaderMap, local: Option<IpAddr>) -> Result<(), ApiError> {
    let Some(host) = headers.get(header::HOST) else { return Ok(()) };
    let host = host_of(host.to_str().unwrap_or_default());
    if names.is_ours(&host, local) {
        return Ok(());
    }
    Err(ApiError::misdirected(format!(
        "central is not known as `{host}`; if it is, add that name to `hosts` in central.toml, or set public_url"
    )))
}

/// As browsers tell it: `Sec-Fetch-Site` where they send it, else `Origin`. Neither: no browser.
fn check_origin(names: &Names, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    let origin = text("origin");
    let is_public = origin.is_some() && origin == names.public_origin;
    let is_own = match (text("sec-fetch-site").as_deref(), &origin) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, None) => true,
        (None, Some(origin)) => {
            let host = text("host").unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
    };
    if is_own || is_public {
        Ok(())
    } else {
        Err(ApiError::forbidden("only central's own pages may change something from within a browser"))
    }
}

/// The host without its port, lower case; an IPv6 address without its brackets.
pub(super) fn host_of(authority: &str) -> String {
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None if authority.matches(':').count() > 1 => authority,
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut settings = Settings::new("data");
        settings.config.public_url = Some("https://Xinsheng.hospital.example:8443/feedback".into());
        settings.config.hosts = vec!["central.local".into(), "10.9.9.9".into()];
        Names::new(&settings)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_name_that_is_not_central_s_is_refused() {
        let (names, local) = (names(), Some("10.0.0.5".parse().unwrap()));
        let good = |host: &str| check_host(&names, &headers(&[("host", host)]), local).is_ok();
        for host in [
            "localhost:8460",
            "127.0.0.1",
            "127.8.0.1:1",
            "[::1]:8460",
            "10.0.0.5:8460",
            "10.9.9.9",
            "xinsheng.hospital.example",
            "XINSHENG.hospital.example.:8443",
            "central.local:8460",
        ] {
            assert!(good(host), "{host}");
        }
        for host in
            ["evil.example", "10.0.0.6", "central.local.evil.example", "127.0.0.1.evil.example", "", "[::2]"]
        {
            assert!(!good(host), "{host}");
        }
        names.set_certificate(vec!["*.clinic.example".into(), "one.example".into()]);
        assert!(good("a.clinic.example") && good("one.example"));
        assert!(!good("a.b.clinic.example") && !good("clinic.example"));
        assert!(check_host(&names, &HeaderMap::new(), local).is_ok(), "no browser");
    }

    #[test]
    fn a_change_comes_from_central_s_own_pages_or_from_no_browser() {
        let names = names();
        let good = |method: Method, pairs: &[(&'static str, &str)]| {
            check_origin(&names, &method, &headers(pairs)).is_ok()
        };
        let (host, evil) = (("host", "127.0.0.1:8460"), ("origin", "https://evil.example"));
        assert!(good(Method::GET, &[host, evil, ("sec-fetch-site", "cross-site")]));
        assert!(good(Method::POST, &[host]));
        assert!(good(Method::POST, &[host, ("origin", "http://127.0.0.1:8460")]));
        assert!(good(Method::POST, &[host, ("sec-fetch-site", "same-origin")]));
        // Behind a proxy that keeps no host, over TLS: the browser itself says that it is the same site.
        assert!(good(
            Method::POST,
            &[host, ("origin", "https://other.example"), ("sec-fetch-site", "same-origin")]
        ));
        assert!(good(Method::POST, &[host, ("origin", "https://xinsheng.hospital.example:8443")]));
        for bad in ["cross-site", "same-site", ""] {
            assert!(!good(Method::POST, &[host, ("sec-fetch-site", bad)]), "{bad}");
        }
        for bad in
            ["https://evil.example", "null", "http://127.0.0.1:9999", "http://xinsheng.hospital.example:8443"]
        {
            assert!(!good(Method::POST, &[host, ("origin", bad)]), "{bad}");
        }
    }
}
