//! Networks of machines, such as those of data centres, from the operator's list.
//!
//! Owns the format of the list and the look-up. The one rule: a list with a line that cannot be read
//! is refused as a whole, because a part of a list would judge visits without a sign of what is missing.

use ipnet::IpNet;
use std::{
    fmt, fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
};
use thiserror::Error;

/// First and last addresses, as numbers.
type Ranges = Vec<(u128, u128)>;

/// Networks in memory; none by default. Clones share them.
#[derive(Clone, Default)]
pub struct Networks {
    inner: Arc<Inner>,
}

/// Sorted ranges that neither overlap nor touch. An IPv4 address is in no IPv6 network.
#[derive(Default)]
struct Inner {
    v4: Ranges,
    v6: Ranges,
    version: String,
}

/// Why a list is unusable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetworksError {
    /// The file could not be read.
    #[error("cannot read the list of networks {name}: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// The error of the operating system.
        reason: String,
    },
    /// A line is neither empty nor an address, a network or a comment.
    #[error("line {line} of {name} is not an address or a network, such as 192.0.2.0/24")]
    Line {
        /// The file.
        name: String,
        /// The number of the line, from 1.
        line: usize,
    },
    /// A network contains every address.
    #[error("line {line} of {name} is the whole internet")]
    Everything {
        /// The file.
        name: String,
        /// The number of the line, from 1.
        line: usize,
    },
    /// The file has no network: probably a download that failed.
    #[error("{name} has no networks")]
    Empty {
        /// The file.
        name: String,
    },
}

impl Networks {
    /// Reads a file with a network (CIDR) or an address a line. `#` begins a comment.
    ///
    /// # Errors
    /// [`NetworksError`] names the file and the line.
    pub fn open(path: &Path) -> Result<Self, NetworksError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| NetworksError::Unreadable {
            name: name.clone(),
            reason: error.to_string(),
        })?;
        Self::from_lines(&text, &name)
    }

    fn from_lines(text: &str, name: &str) -> Result<Self, NetworksError> {
        let (mut v4, mut v6) = (Ranges::new(), Ranges::new());
        // Editors of other systems begin a file with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        for (line, content) in (1..).zip(text.lines()) {
            let name = || name.to_owned();
            let network = content.split('#').next().unwrap_or_default().trim();
            if network.is_empty() {
                continue;
            }
            let network = network
                .parse::<IpNet>()
                .or_else(|_| network.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| NetworksError::Line { name: name(), line })?;
            let (ranges, range, all) = match of_v4(network) {
                Some((first, last)) => (&mut v4, (first, last), u32::MAX.into()),
                None => (&mut v6, of_any(network), u128::MAX),
            };
            if range == (0, all) {
                return Err(NetworksError::Everything { name: name(), line });
            }
            ranges.push(range);
        }
        if v4.is_empty() && v6.is_empty() {
            return Err(NetworksError::Empty {
                name: name.to_owned(),
            });
        }
        let (v4, v6) = (merged(v4), merged(v6));
        let version = format!("networks {:08x}", fingerprint(v4.iter().chain(&v6)));
        let inner = Arc::new(Inner { v4, v6, version });
        Ok(Self { inner })
    }

    /// Whether an address is in one of the networks. An IPv4 address inside IPv6 counts as IPv4.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let (ranges, number) = match address.to_canonical() {
            IpAddr::V4(address) => (&self.inner.v4, number(address)),
            IpAddr::V6(address) => (&self.inner.v6, address.into()),
        };
        let after = ranges.partition_point(|(first, _)| *first <= number);
        let last_before = after.checked_sub(1).and_then(|at| ranges.get(at));
        last_before.is_some_and(|(_, last)| number <= *last)
    }

    /// A name for these networks ("networks 5f3a9c1e"), for the event's envelope; empty for none. The
    /// same networks have the same name, however the list writes them.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.version
    }
}

/// Without the networks: there may be thousands.
impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Networks").field(&self.version()).finish()
    }
}

fn number(address: Ipv4Addr) -> u128 {
    u32::from(address).into()
}

/// The range of an IPv4 network, also of one that is written inside IPv6 (`::ffff:192.0.2.0/120`).
fn of_v4(network: IpNet) -> Option<(u128, u128)> {
    let (first, last) = match network {
        IpNet::V4(network) => (network.network(), network.broadcast()),
        IpNet::V6(network) => (
            network.network().to_ipv4_mapped()?,
            network.broadcast().to_ipv4_mapped()?,
        ),
    };
    Some((number(first), number(last)))
}

fn of_any(network: IpNet) -> (u128, u128) {
    let of = |address| match address {
        IpAddr::V4(address) => number(address),
        IpAddr::V6(address) => address.into(),
    };
    (of(network.network()), of(network.broadcast()))
}

fn merged(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut merged = Ranges::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv>), folded to 32 bits: stable over builds, and
/// only a name.
fn fingerprint<'a>(ranges: impl Iterator<Item = &'a (u128, u128)>) -> u64 {
    let bytes = ranges.flat_map(|(first, last)| [first.to_be_bytes(), last.to_be_bytes()]);
    let hash = bytes.flatten().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) ^ (hash & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::net::Ipv6Addr;

    fn read(text: &str) -> Result<Networks, String> {
        Networks::from_lines(text, "list").map_err(|error| error.to_string())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_networks_and_comments_are_read() {
        let text = "\u{feff}# ours\n192.0.2.0/25\r\n\n  198.51.100.7  # one\n#10.0.0.0/8\n2001:db8::/32\n::ffff:203.0.113.0/120\n192.0.2.128/25";
        let networks = read(text).unwrap();
        for inside in [
            "192.0.2.0",
            "192.0.2.255",
            "198.51.100.7",
            "2001:db8:ffff::1",
            "203.0.113.9",
            "::ffff:192.0.2.1",
        ] {
            assert!(networks.contain(address(inside)), "{inside}");
        }
        for outside in [
            "192.0.1.255",
            "192.0.3.0",
            "198.51.100.6",
            "198.51.100.8",
            "10.0.0.1",
            "2001:db9::",
            "::",
            "::192.0.2.1",
        ] {
            assert!(!networks.contain(address(outside)), "{outside}");
        }
        assert!(!Networks::default().contain(address("192.0.2.1")));
    }

    #[test]
    fn an_ipv4_address_is_in_no_ipv6_network() {
        let networks = read("::/1\n::fffe:0:0/95").unwrap();
        assert!(networks.contain(address("::1")));
        assert!(!networks.contain(address("192.0.2.1")));
        assert!(!networks.contain(address("::ffff:192.0.2.1")));
    }

    #[test]
    fn a_wrong_line_refuses_the_whole_list_and_is_named() {
        let not = |line: u32| {
            format!("line {line} of list is not an address or a network, such as 192.0.2.0/24")
        };
        for (text, expected) in [
            ("192.0.2.0/24\nexample.com", not(2)),
            ("\n192.0.2.0/33", not(2)),
            ("192.0.2.0/24, 198.51.100.0/24", not(1)),
            ("<html>", not(1)),
            (
                "0.0.0.0/0",
                "line 1 of list is the whole internet".to_owned(),
            ),
            (
                "# v6\n::/0",
                "line 2 of list is the whole internet".to_owned(),
            ),
            (
                "::ffff:0:0/96",
                "line 1 of list is the whole internet".to_owned(),
            ),
            ("", "list has no networks".to_owned()),
            ("# none\n\n", "list has no networks".to_owned()),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
        let missing = Networks::open(Path::new("no/such/list")).unwrap_err();
        assert!(missing.to_string().contains("no/such/list"), "{missing}");
    }

    #[test]
    fn the_same_networks_have_the_same_name() {
        let version = |text| read(text).unwrap().version().to_owned();
        let one = version("192.0.2.0/24\n2001:db8::/32");
        assert_eq!(
            one,
            version("2001:db8::/32\n192.0.2.128/25\n192.0.2.0/25 # both")
        );
        assert_ne!(one, version("192.0.2.0/24\n2001:db8::/33"));
        assert_ne!(one, version("192.0.2.0/24"));
        assert_eq!(one.len(), "networks 01234567".len());
    }

    /// Networks that overlap, touch and contain each other, and addresses at their edges.
    fn network() -> impl Strategy<Value = IpNet> {
        let small = any::<u128>().prop_map(|bits| bits & 0x3ff);
        prop_oneof![
            (small.clone(), 22..=32_u8).prop_map(|(bits, length)| {
                let bits = u32::try_from(bits).unwrap() | 0xc000_0000;
                IpNet::new(Ipv4Addr::from(bits).into(), length).unwrap()
            }),
            (small.clone(), 118..=128_u8).prop_map(|(bits, length)| {
                let high = 0x2001_0db8_u128 << 96;
                IpNet::new(Ipv6Addr::from(bits | high).into(), length).unwrap()
            }),
            (any::<u32>(), 1..=32_u8).prop_map(|(bits, length)| IpNet::new(
                Ipv4Addr::from(bits).into(),
                length
            )
            .unwrap()),
            (any::<u128>(), 1..=128_u8).prop_map(|(bits, length)| IpNet::new(
                Ipv6Addr::from(bits).into(),
                length
            )
            .unwrap()),
        ]
    }

    fn beside(address: IpAddr) -> Vec<IpAddr> {
        match address {
            IpAddr::V4(v4) => {
                let bits = u32::from(v4);
                [bits.wrapping_sub(1), bits, bits.wrapping_add(1)]
                    .map(|bits| Ipv4Addr::from(bits).into())
                    .to_vec()
            }
            IpAddr::V6(v6) => {
                let bits = u128::from(v6);
                [bits.wrapping_sub(1), bits, bits.wrapping_add(1)]
                    .map(|bits| Ipv6Addr::from(bits).into())
                    .to_vec()
            }
        }
    }

    proptest! {
        #[test]
        fn a_search_finds_what_a_plain_loop_finds(
            listed in vec(network(), 1..40), v4 in any::<u32>(), v6 in any::<u128>(),
        ) {
            let text: Vec<String> = listed.iter().map(ToString::to_string).collect();
            let networks = read(&text.join("\n")).unwrap();
            let edges = listed.iter().flat_map(|network| [network.network(), network.broadcast()]);
            let asked = edges.flat_map(beside);
            for asked in asked.chain([Ipv4Addr::from(v4).into(), Ipv6Addr::from(v6).into()]) {
                let canonical = asked.to_canonical();
                let expected = listed.iter().any(|network| network.contains(&canonical));
                prop_assert_eq!(networks.contain(asked), expected, "{}", asked);
                if let IpAddr::V4(inside) = canonical {
                    prop_assert_eq!(networks.contain(inside.to_ipv6_mapped().into()), expected);
                }
            }
        }
    }
}
