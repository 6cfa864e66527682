//! How often beacons may come: the published limits and what each is counted by.
//!
//! Owns the numbers and the keys, nothing of the counting. The one rule: many people behind one address
//! must not be lost, so only the flood guard counts by address alone.

use crate::accept::{BeaconKind, Bucket};
use runtime::throttle::{Limit, Standing, Throttles};
use std::net::{IpAddr, Ipv6Addr};

/// Every beacon, by address: keeps one client from costing more than its share.
pub const FLOOD: &str = "analytics.flood";
/// Batches, by address.
pub const BATCH: &str = "analytics.batch";

/// The published limits (contract, section 2 and decision 10).
pub const PUBLISHED: &[Limit] = &[
    limit(BeaconKind::Session.throttle(), 10, 60),
    limit(BeaconKind::Heartbeat.throttle(), 5, 30),
    // Nothing is published for identify; a user signs in more rarely than anything is tracked.
    limit(BeaconKind::Identify.throttle(), 60, 60),
    limit(BeaconKind::Pageview.throttle(), 30, 60),
    limit(BeaconKind::Leave.throttle(), 10, 60),
    limit(BeaconKind::Track.throttle(), 60, 60),
    limit(FLOOD, 600, 60),
    limit(BATCH, 60, 60),
];

const fn limit(route: &'static str, count: u32, seconds: u32) -> Limit {
    Limit {
        route,
        count,
        seconds,
    }
}

/// A limit that is spent: which, and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Id of the limit.
    pub route: &'static str,
    /// How it stands.
    pub standing: Standing,
}

/// Spends one of a limit that counts by address.
///
/// # Errors
/// [`Spent`] when none is left.
pub fn spend_address(
    throttles: &Throttles,
    route: &'static str,
    address: IpAddr,
) -> Result<(), Spent> {
    match throttles.spend(route, neighbourhood(address)) {
        Ok(_) => Ok(()),
        Err(standing) => Err(Spent { route, standing }),
    }
}

/// Spends one of a beacon's own limit.
///
/// # Errors
/// [`Spent`] when none is left.
pub fn spend(throttles: &Throttles, kind: BeaconKind, bucket: Bucket<'_>) -> Result<(), Spent> {
    let route = kind.throttle();
    let spent = match bucket {
        Bucket::Visit {
            address,
            visitor_id,
            page,
        } => throttles.spend(route, (neighbourhood(address), visitor_id, page)),
        Bucket::Session(id) => throttles.spend(route, id),
        Bucket::Pageview(id) => throttles.spend(route, id),
        Bucket::User(subject) => throttles.spend(route, subject),
    };
    match spent {
        Ok(_) => Ok(()),
        Err(standing) => Err(Spent { route, standing }),
    }
}

/// What counts as one address: an IPv4 address, or the /64 that an IPv6 customer has to himself and
/// could otherwise draw a fresh address from for every beacon.
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

    #[test]
    fn an_ipv6_customer_is_one_address_and_ipv4_neighbours_are_two() {
        let at = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2:3::4"), at("2001:db8:1:2:ffff::1"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
