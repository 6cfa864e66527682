//! The client's address: the peer's, or the one that a trusted proxy forwards.
//!
//! The one rule: a forwarded header from any other peer is ignored.

use crate::{Settings, settings::Setting};
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing::warn;

pub(super) const PROXIES: Setting = Setting::new(
    "TRUSTED_PROXIES",
    "none",
    "networks (CIDR, separated by commas) whose CF-Connecting-IP and X-Forwarded-For are trusted",
);

/// The other end of a connection, as a request extension.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Networks whose forwarded headers are trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Arc<Vec<IpNet>>,
    warned: Arc<AtomicBool>,
}

impl TrustedProxies {
    /// Reads `TRUSTED_PROXIES`.
    pub fn read(settings: &mut Settings) -> Self {
        let mut networks = Vec::new();
        for text in settings.text(PROXIES).unwrap_or_default().split(',') {
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            // A single address counts as a network with one member.
            match text
                .parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            {
                Ok(network) => networks.push(network),
                Err(_) => settings.problem(
                    PROXIES,
                    format!("contains {text:?}; give networks such as 10.0.0.0/8"),
                ),
            }
        }
        Self {
            networks: Arc::new(networks),
            warned: Arc::default(),
        }
    }

    /// The client's address. Behind a trusted proxy it is `CF-Connecting-IP`, or else the rightmost
    /// `X-Forwarded-For` entry that is not itself a trusted proxy. Empty entries are skipped, as in
    /// every HTTP list. An IPv4 address inside IPv6 becomes IPv4.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            self.warn_once(headers);
            return peer;
        }
        let connecting = headers
            .get("cf-connecting-ip")
            .and_then(|value| value.to_str().ok())
            .and_then(read_address);
        if let Some(connecting) = connecting {
            return connecting;
        }
        let lines = headers.get_all("x-forwarded-for").iter();
        let hops: Vec<&[u8]> = lines
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|hop| !hop.is_empty())
            .collect();
        for hop in hops.into_iter().rev() {
            match std::str::from_utf8(hop).ok().and_then(read_address) {
                Some(hop) if self.trusts(hop) => {}
                Some(hop) => return hop,
                // `unknown`, `_hidden` or noise: such a hop vouches for none of the entries before
                // it.
                None => return peer,
            }
        }
        peer
    }

    /// The host that the client asked for, as sent: `Host`, or the first `X-Forwarded-Host` of a
    /// trusted proxy.
    #[must_use]
    pub fn host<'a>(&self, peer: IpAddr, headers: &'a HeaderMap) -> Option<&'a str> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let forwarded = self.trusts(peer.to_canonical()).then(|| {
            let hosts = text("x-forwarded-host")?;
            hosts
                .split(',')
                .map(str::trim)
                .find(|host| !host.is_empty())
        });
        forwarded.flatten().or_else(|| text("host"))
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    fn warn_once(&self, headers: &HeaderMap) {
        let forwarded =
            headers.contains_key("x-forwarded-for") || headers.contains_key("cf-connecting-ip");
        if forwarded && !self.warned.swap(true, Ordering::Relaxed) {
            warn!(
                "ignored a forwarded address from a peer that is not a trusted proxy; if the proxy is yours, add it to TRUSTED_PROXIES"
            );
        }
    }
}

/// Parses an address as proxies write it: with or without a port, brackets, quotes or a zone. An
/// IPv4 address inside IPv6 becomes IPv4.
#[must_use]
pub fn read_address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bracketed = text.strip_prefix('[').and_then(|text| {
        let (inside, port) = text.split_once(']')?;
        let port = port.strip_prefix(':').map(str::parse::<u16>);
        (text.ends_with(']') || port.is_some_and(|port| port.is_ok())).then_some(inside)
    });
    let bare = bracketed.unwrap_or(text);
    // A zone names a network interface of the machine that wrote the address.
    let bare = match bare.split_once('%') {
        Some((address, zone)) if address.contains(':') && !zone.is_empty() => address,
        _ => bare,
    };
    let address = bare.parse::<IpAddr>().ok().or_else(|| {
        let with_port: SocketAddr = text.parse().ok()?;
        Some(with_port.ip())
    })?;
    Some(address.to_canonical())
}

/// The unit that limits count as one address: an IPv4 address, or an IPv6 /64. An IPv6 customer has
/// a whole /64, and could otherwise use a new address for every beacon.
#[must_use]
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(trusted: &str, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut settings = Settings::from_pairs([("TRUSTED_PROXIES", trusted)]);
        let proxies = TrustedProxies::read(&mut settings);
        settings.finish().unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_forwards_a_host() {
        let mut settings = Settings::from_pairs([("TRUSTED_PROXIES", "10.0.0.0/8")]);
        let proxies = TrustedProxies::read(&mut settings);
        let host = |peer: &str, headers: &[(&'static str, &'static str)]| {
            let pairs = headers.iter().copied();
            let map: HeaderMap = pairs
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect();
            let found = proxies.host(peer.parse().unwrap(), &map);
            found.map(str::to_owned)
        };
        let both = [
            ("host", "inside"),
            ("x-forwarded-host", "go.example, inside"),
        ];
        assert_eq!(host("10.0.0.1", &both).as_deref(), Some("go.example"));
        assert_eq!(host("9.9.9.9", &both).as_deref(), Some("inside"));
        assert_eq!(host("10.0.0.1", &both[..1]).as_deref(), Some("inside"));
        let empty = [("host", "inside"), ("x-forwarded-host", " ,")];
        assert_eq!(host("10.0.0.1", &empty).as_deref(), Some("inside"));
        assert_eq!(host("10.0.0.1", &[]), None);
    }

    #[test]
    fn forwarded_headers_of_untrusted_peers_are_ignored() {
        assert_eq!(
            client("", "9.9.9.9", &[("x-forwarded-for", "1.2.3.4")]),
            "9.9.9.9"
        );
        assert_eq!(
            client("10.0.0.0/8", "9.9.9.9", &[("cf-connecting-ip", "1.2.3.4")]),
            "9.9.9.9"
        );
    }

    #[test]
    fn trusted_proxies_name_the_client() {
        let trusted = "10.0.0.0/8, 192.168.1.1";
        assert_eq!(client(trusted, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(
            client(
                trusted,
                "::ffff:10.0.0.1",
                &[("x-forwarded-for", "1.2.3.4")]
            ),
            "1.2.3.4"
        );
        assert_eq!(
            client(
                trusted,
                "10.0.0.1",
                &[("x-forwarded-for", "6.6.6.6, 1.2.3.4, 192.168.1.1")]
            ),
            "1.2.3.4"
        );
        let two = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "1.2.3.4:4711"),
        ];
        assert_eq!(client(trusted, "10.0.0.1", &two), "1.2.3.4");
        let both = [
            ("x-forwarded-for", "1.2.3.4"),
            ("cf-connecting-ip", "2001:db8::1"),
        ];
        assert_eq!(client(trusted, "10.0.0.1", &both), "2001:db8::1");
        assert_eq!(
            client(
                trusted,
                "10.0.0.1",
                &[("x-forwarded-for", "1.2.3.4, unknown")]
            ),
            "10.0.0.1"
        );
    }

    #[test]
    fn addresses_are_read_with_port_brackets_and_zone() {
        let cases = [
            ("1.2.3.4", Some("1.2.3.4")),
            (" 1.2.3.4:80 ", Some("1.2.3.4")),
            ("::ffff:1.2.3.4", Some("1.2.3.4")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("[fe80::1%25eth0]:443", Some("fe80::1")),
            ("[2001:db8::1]443", None),
            ("[2001:db8::1]:", None),
            ("[2001:db8::1]:70000", None),
            ("[2001:db8::1", None),
            ("1.2.3.4%eth0", None),
            ("1.2.3.4:80:80", None),
            ("unknown", None),
            ("_hidden", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected: Option<IpAddr> = expected.map(|text| text.parse().unwrap());
            assert_eq!(read_address(text), expected, "{text}");
        }
    }

    #[test]
    fn a_forwarded_list_may_have_gaps_ports_quotes_and_brackets() {
        let trusted = "10.0.0.0/8";
        let behind = |lines: &[&str]| {
            let headers: Vec<_> = lines
                .iter()
                .map(|line| ("x-forwarded-for", *line))
                .collect();
            client(trusted, "10.0.0.1", &headers)
        };
        for (lines, expected) in [
            (&["81.2.69.142,"][..], "81.2.69.142"),
            (&[" 81.2.69.142 , "], "81.2.69.142"),
            (&[",81.2.69.142,,10.0.0.2,"], "81.2.69.142"),
            (&["81.2.69.142\t,\t10.0.0.2"], "81.2.69.142"),
            (&["81.2.69.142", ""], "81.2.69.142"),
            (&["81.2.69.142", "10.0.0.2", ","], "81.2.69.142"),
            (&["81.2.69.142:443"], "81.2.69.142"),
            (&["\"81.2.69.142\""], "81.2.69.142"),
            (&["[81.2.69.142]:443"], "81.2.69.142"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["\"[2001:db8::1]:443\""], "2001:db8::1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["fe80::1%eth0"], "fe80::1"),
            (&["[fe80::1%25eth0]:80"], "fe80::1"),
            (&["::ffff:81.2.69.142"], "81.2.69.142"),
            (&["[::ffff:81.2.69.142]:80"], "81.2.69.142"),
            (&["81.2.69.142, ::ffff:10.0.0.2"], "81.2.69.142"),
            // An unknown, hidden or unreadable hop ends the list; the entries before it do not
            // count.
            (&["6.6.6.6, unknown"], "10.0.0.1"),
            (&["6.6.6.6, _hidden"], "10.0.0.1"),
            (&["6.6.6.6, 81.2.69"], "10.0.0.1"),
            (&["6.6.6.6", "\u{e9}"], "10.0.0.1"),
            (&["[81.2.69.142]x"], "10.0.0.1"),
            (&["unknown, 81.2.69.142"], "81.2.69.142"),
            (&[""], "10.0.0.1"),
            (&[",, ,"], "10.0.0.1"),
        ] {
            assert_eq!(behind(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_ipv6_customer_is_one_address_and_ipv4_neighbours_are_two() {
        let at = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2:3::4"), at("2001:db8:1:2:ffff::1"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
