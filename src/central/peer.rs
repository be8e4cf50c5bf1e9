//! Who is at the other end of a connection, and of the proxy before it.
//!
//! Invariant: what a request says about its sender (`X-Forwarded-For`) is believed from a proxy that central.toml trusts, from nobody else.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The ends of the connection a request came by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Peer {
    /// Who asks: the other end, or whom a trusted proxy says it asks for.
    pub(super) client: IpAddr,
    /// Our own end.
    pub(super) local: IpAddr,
    /// It came through a trusted proxy that named nobody.
    pub(super) is_proxy: bool,
}

impl Peer {
    /// The client, or its network: see [`network_of`].
    pub(super) fn network(&self) -> IpAddr {
        network_of(self.client)
    }
}

/// One household or attacker has a whole IPv6 network of 64 bits.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// The proxies that are trusted.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    /// `behind_proxy`: one on this machine.
    pub(super) on_this_machine: bool,
    /// `trusted_proxies`.
    pub(super) named: Vec<IpNet>,
}

impl Proxies {
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        (self.on_this_machine && address.is_loopback()) || self.named.iter().any(|net| net.contains(&address))
    }

    /// The last address of the chain that no trusted proxy has: everything before it can be made up.
    pub(super) fn peer(&self, remote: IpAddr, local: IpAddr, headers: &HeaderMap) -> Peer {
        let remote = remote.to_canonical();
        if !self.trust(remote) {
            return Peer { client: remote, local, is_proxy: false };
        }
        let mut chain: Vec<&str> = Vec::new();
        for value in headers.get_all("x-forwarded-for") {
            chain.extend(value.to_str().unwrap_or("?").split(',').map(str::trim));
        }
        for said in chain.into_iter().rev() {
            match said.parse::<IpAddr>() {
                Ok(address) if self.trust(address) => {}
                Ok(address) => return Peer { client: address.to_canonical(), local, is_proxy: false },
                Err(_) => break,
            }
        }
        Peer { client: remote, local, is_proxy: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(proxies: &Proxies, remote: &str, forwarded: &[&str]) -> (String, bool) {
        let headers: HeaderMap = forwarded
            .iter()
            .map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()))
            .collect();
        let peer = proxies.peer(remote.parse().unwrap(), "127.0.0.1".parse().unwrap(), &headers);
        (peer.client.to_string(), peer.is_proxy)
    }

    #[test]
    fn x_forwarded_for_is_believed_from_trusted_proxies_alone() {
        let nobody = Proxies::default();
        assert_eq!(asked(&nobody, "127.0.0.1", &["9.9.9.9"]), ("127.0.0.1".into(), false));
        let proxies = Proxies { on_this_machine: true, named: vec!["10.1.0.0/16".parse().unwrap()] };
        assert_eq!(asked(&proxies, "192.168.0.7", &["9.9.9.9"]), ("192.168.0.7".into(), false));
        assert_eq!(asked(&proxies, "127.0.0.1", &["9.9.9.9"]), ("9.9.9.9".into(), false));
        assert_eq!(
            asked(&proxies, "::ffff:10.1.2.3", &["1.1.1.1, 9.9.9.9, 10.1.7.7"]),
            ("9.9.9.9".into(), false)
        );
        assert_eq!(asked(&proxies, "10.1.2.3", &["1.1.1.1", "9.9.9.9"]), ("9.9.9.9".into(), false));
        for silent in [&[][..], &["unknown"], &["9.9.9.9, unknown"], &["10.1.0.1"]] {
            assert_eq!(asked(&proxies, "10.1.2.3", silent), ("10.1.2.3".into(), true), "{silent:?}");
        }
    }
}
