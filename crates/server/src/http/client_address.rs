//! The client's address: the peer of the connection, or the address that a trusted proxy reports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Once;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::http::header_bytes::{parts, unquoted};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How much of an unreadable value is logged, in bytes.
const SHOWN: usize = 64;

/// The address of a client, for the log, the audit log and the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAddress {
    Known(IpAddr),
    /// The trusted proxy with this address reports a client, but no readable address of it. All such clients of a proxy count
    /// as one, and never as the proxy itself.
    UnknownBehind(IpAddr),
}

impl ClientAddress {
    /// The address, if it is known.
    pub(crate) fn known(self) -> Option<IpAddr> {
        match self {
            Self::Known(address) => Some(address),
            Self::UnknownBehind(_) => None,
        }
    }

    /// True for a program on this machine.
    pub(crate) fn is_loopback(self) -> bool {
        self.known().is_some_and(|address| address.is_loopback())
    }

    /// The key under which failures of the client are counted: a /64 for IPv6, because one customer has a whole /64.
    pub(crate) fn counted_as(self) -> String {
        match self {
            Self::Known(IpAddr::V4(address)) => address.to_string(),
            Self::Known(IpAddr::V6(address)) => {
                let network = u128::from(address) & (u128::MAX << 64);
                format!("{}/64", Ipv6Addr::from(network))
            }
            Self::UnknownBehind(proxy) => format!("unknown/{proxy}"),
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(address) => address.fmt(f),
            Self::UnknownBehind(proxy) => write!(f, "unknown client behind {proxy}"),
        }
    }
}

/// A fault of a proxy's set-up that a request shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProxyFault {
    /// A peer with a private or loopback address sends `X-Forwarded-For` and is not in `trusted_proxies`: all clients behind it
    /// count as one. A public peer is not reported, because everyone can send the header.
    Untrusted { peer: IpAddr },
    /// A trusted proxy reports a client whose address cannot be read.
    Unreadable { proxy: IpAddr, value: String },
}

/// The client's address, and the fault that the request shows. `X-Forwarded-For` is used only if the connection comes from a
/// trusted proxy. It is read from its end, where trusted proxies append, up to the first address that is not a trusted proxy.
pub(crate) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> (ClientAddress, Option<ProxyFault>) {
    let peer = peer.to_canonical();
    if !headers.contains_key(FORWARDED_FOR) {
        return (ClientAddress::Known(peer), None);
    }
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(&peer) {
        return (ClientAddress::Known(peer), is_private(peer).then_some(ProxyFault::Untrusted { peer }));
    }
    let unreadable = |proxy, value: &[u8]| {
        let value = &value[..value.len().min(SHOWN)];
        let fault = ProxyFault::Unreadable { proxy, value: value.escape_ascii().to_string() };
        (ClientAddress::UnknownBehind(proxy), Some(fault))
    };
    let mut nearest = None;
    for hop in parts(headers, FORWARDED_FOR, b',').rev() {
        let Some(address) = address_in(hop) else { return unreadable(nearest.unwrap_or(peer), hop) };
        nearest = Some(address);
        if !is_trusted(&address) {
            break;
        }
    }
    match nearest {
        Some(address) => (ClientAddress::Known(address), None),
        None => unreadable(peer, b""),
    }
}

/// The address in one part of `X-Forwarded-For`: with or without quotes and a port, an IPv6 address also in brackets and with
/// a zone. The header has no standard; these are the forms of Azure, IIS, HAProxy and of RFC 7239, 6.
fn address_in(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(unquoted(hop)).ok()?.trim();
    let is_port = |port: &str| {
        port.is_empty() || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
    };
    let text = if let Some(rest) = hop.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let has_port = rest.strip_prefix(':').is_some_and(is_port);
        (rest.is_empty() || has_port).then_some(address)?
    } else {
        match hop.split_once(':') {
            Some((address, port)) if !port.contains(':') => is_port(port).then_some(address)?,
            _ => hop,
        }
    };
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let address = address.parse::<IpAddr>().ok()?;
    // The zone names the proxy's own interface.
    (zone.is_none() || address.is_ipv6()).then(|| address.to_canonical())
}

/// True for an address that only proxies and clients of the operator's own network have.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64; // RFC 6598
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The peer of a request without a connection.
pub(crate) const NO_PEER: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Warns about each kind of [`ProxyFault`] once; metrics count them all.
#[derive(Debug)]
pub(crate) struct ProxyWarnings {
    untrusted: Once,
    unreadable: Once,
}

impl ProxyWarnings {
    pub(crate) fn new() -> Self {
        Self { untrusted: Once::new(), unreadable: Once::new() }
    }

    pub(crate) fn warn(&self, fault: &ProxyFault) {
        match fault {
            ProxyFault::Untrusted { peer } => self.untrusted.call_once(|| {
                tracing::warn!(
                    %peer,
                    setting = "trusted_proxies",
                    "a request has X-Forwarded-For, but trusted_proxies does not list the peer: all clients behind it share \
                     one address. If the peer is your reverse proxy, add its address to trusted_proxies"
                );
            }),
            ProxyFault::Unreadable { proxy, value } => self.unreadable.call_once(|| {
                tracing::warn!(
                    %proxy,
                    value,
                    "a trusted proxy sends a client address in X-Forwarded-For that cannot be read: such clients share one \
                     limit on failures"
                );
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(peer: &str, forwarded: &[&[u8]]) -> (ClientAddress, Option<ProxyFault>) {
        let trusted: Vec<IpNet> =
            ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"].map(|network| network.parse().unwrap()).to_vec();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(value).unwrap());
        }
        client_address(peer.parse().unwrap(), &headers, &trusted)
    }

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let forwarded: Vec<&[u8]> = forwarded.iter().map(|value| value.as_bytes()).collect();
        read(peer, &forwarded).0.to_string()
    }

    #[test]
    fn only_trusted_proxies_speak_for_others() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_the_client_wrote_itself_does_not_count() {
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.3"]), "10.0.0.3");
    }

    #[test]
    fn f8_every_form_of_an_address_is_read() {
        for (forwarded, address) in [
            ("203.0.113.7:51008", "203.0.113.7"),
            ("203.0.113.7:", "203.0.113.7"),
            ("\"203.0.113.7:51008\"", "203.0.113.7"),
            (" \t203.0.113.7\t ", "203.0.113.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]\"", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25en0]:8443", "fe80::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
            ("unknown, 203.0.113.7", "203.0.113.7"),
            ("203.0.113.7,", "203.0.113.7"),
            (", ,203.0.113.7, , 10.0.0.2:9,", "203.0.113.7"),
            ("203.0.113.7:1, [fd00::5]:2, ::ffff:10.1.1.1", "203.0.113.7"),
            ("张三, 203.0.113.7", "203.0.113.7"),
        ] {
            assert_eq!(client("10.0.0.1", &[forwarded]), address, "{forwarded}");
            let (_, fault) = read("10.0.0.1", &[forwarded.as_bytes()]);
            assert_eq!(fault, None, "{forwarded}");
        }
        assert_eq!(read("10.0.0.1", &[b"\xff", b"203.0.113.7"]).0.to_string(), "203.0.113.7");
        assert_eq!(read("10.0.0.1", &[b"\x80, 203.0.113.7, 10.0.0.9"]).0.to_string(), "203.0.113.7");
    }

    #[test]
    fn f8_unknown_clients_of_a_proxy_are_counted_apart_from_it() {
        let own = read("127.0.0.1", &[]).0;
        for forwarded in [
            &b"unknown"[..],
            b"",
            b" , ,",
            b"_hidden",
            b"1.1.1.1, garbage",
            b"203.0.113.7:port",
            b"203.0.113.7:99999",
            b"203.0.113.7:+80",
            b"[203.0.113.7",
            b"[2001:db8::1]443",
            b"[]",
            b"\"",
            b"203.0.113.7%eth0",
            b"010.0.0.1",
            b"2001:db8::1\xff",
        ] {
            let (client, fault) = read("127.0.0.1", &[forwarded]);
            let shown = String::from_utf8_lossy(forwarded);
            assert_eq!(client.to_string(), "unknown client behind 127.0.0.1", "{shown}");
            assert!(!client.is_loopback() && own.is_loopback(), "{shown}");
            assert_ne!(client.counted_as(), own.counted_as(), "{shown}");
            assert!(matches!(fault, Some(ProxyFault::Unreadable { .. })), "{shown}");
        }
        // The nearest trusted proxy that is known, so that two proxies have two counts.
        assert_eq!(client("10.0.0.1", &["unknown, 10.0.0.2"]), "unknown client behind 10.0.0.2");
        let (_, fault) = read("10.0.0.1", &[b"a\x80\n"[..2].as_ref()]);
        let value = "a\\x80".to_owned();
        assert_eq!(fault, Some(ProxyFault::Unreadable { proxy: [10, 0, 0, 1].into(), value }));
    }

    #[test]
    fn f6_a_proxy_of_our_own_network_that_is_not_trusted_is_reported() {
        for (peer, is_reported) in [
            ("192.168.1.2", true),
            ("172.31.0.9", true),
            ("169.254.0.1", true),
            ("100.64.0.1", true),
            ("127.0.0.2", true),
            ("::1", true),
            ("fe80::1", true),
            ("fc00::1", true),
            ("::ffff:192.168.1.2", true),
            ("203.0.113.9", false),
            ("100.128.0.1", false),
            ("2001:db8::1", false),
            ("10.0.0.1", false),
        ] {
            let (_, fault) = read(peer, &[b"198.51.100.1"]);
            assert_eq!(matches!(fault, Some(ProxyFault::Untrusted { .. })), is_reported, "{peer}");
            assert_eq!(read(peer, &[]).1, None, "{peer}");
        }
    }

    #[test]
    fn ipv6_is_counted_by_network() {
        let counted = |text: &str| ClientAddress::Known(text.parse().unwrap()).counted_as();
        assert_eq!(counted("2001:db8::1"), counted("2001:db8::ffff"));
        assert_ne!(counted("2001:db8::1"), counted("2001:db8:0:1::1"));
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }
}
