//! The proxy that the environment names: for encrypted connections only, and never for this machine.
//!
//! Invariant: what is sent unencrypted goes straight to this machine, whatever `http_proxy` says: a proxy would read the enrolment code.

use hyper_util::client::proxy::matcher::Matcher;

/// A proxy for HTTPS.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct WebProxy {
    /// As the environment has it; it may hold a password.
    pub(super) address: String,
    /// The same without user and password.
    pub(super) shown: String,
}

/// The proxy for an address, out of `https_proxy`, `all_proxy` and `no_proxy` in either case. `environment` looks a variable up.
pub(super) fn proxy_for(url: &str, environment: &dyn Fn(&str) -> Option<String>) -> Option<WebProxy> {
    let first = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| environment(name).map(|value| value.trim().to_owned()))
            .filter(|value| !value.is_empty())
    };
    let address = first(["HTTPS_PROXY", "https_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"]))?;
    let excepted = first(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let matcher = Matcher::builder().https(address.clone()).no(excepted).build();
    let found = matcher.intercept(&url.parse().ok()?)?;
    // Others would need code that is not in this program.
    let scheme = found.uri().scheme_str()?;
    let is_https = url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    (is_https && ["http", "https"].contains(&scheme))
        .then(|| WebProxy { address, shown: found.uri().to_string().trim_end_matches('/').to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let look =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        proxy_for(url, &look).map(|proxy| proxy.shown)
    }

    #[test]
    fn row_8_a_proxy_is_honoured_for_https_only() {
        let central = "https://central.example";
        let proxy = Some("http://proxy.example:3128".to_owned());
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            assert_eq!(shown(central, &[(name, "http://proxy.example:3128")]), proxy, "{name}");
            assert_eq!(
                shown("http://127.0.0.1:8460", &[(name, "http://proxy.example:3128")]),
                None,
                "{name}"
            );
        }
        assert_eq!(shown(central, &[("https_proxy", "proxy.example:3128")]), proxy);
        assert_eq!(shown(central, &[("http_proxy", "http://proxy.example:3128")]), None);
        let both = [("https_proxy", "http://proxy.example:3128"), ("no_proxy", "example")];
        assert_eq!(shown(central, &both), None);
        assert_eq!(shown(central, &[("https_proxy", "")]), None);
        assert_eq!(shown(central, &[("all_proxy", "socks5://proxy.example:1080")]), None);
        assert_eq!(shown(central, &[]), None);
    }

    #[test]
    fn a_password_for_the_proxy_is_not_shown() {
        let found =
            shown("https://central.example", &[("https_proxy", "http://me:secret@proxy.example:3128")]);
        assert_eq!(found.as_deref(), Some("http://proxy.example:3128"));
    }
}
