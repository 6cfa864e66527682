//! The rate limits of beacons: the published numbers, and the key of each limit.
//!
//! Owns the numbers and the keys, not the counting. The one rule: many people behind one address
//! must not be lost. So only the flood guards count by address, and their limits are high.

use crate::accept::BeaconKind;
use runtime::{
    http::client::neighbourhood,
    jwt::BAD_TOKENS,
    throttle::{Limit, Standing, Throttles},
};
use schemas::PageId;
use std::net::IpAddr;

/// Every beacon, by address. Keeps one client from taking more than its share.
pub const FLOOD: &str = "analytics.flood";
/// Batches, by address.
pub const BATCH: &str = "analytics.batch";
/// New sessions of one page, by address. Keeps one client from inventing an audience.
pub const PAGE_FLOOD: &str = "analytics.page_flood";

/// Most new sessions of one page that an address may start in a minute.
pub const PAGE_SESSIONS: u32 = 120;

/// The published limits.
pub const PUBLISHED: &[Limit] = &[
    limit(BeaconKind::Session.throttle(), 10, 60),
    limit(BeaconKind::Heartbeat.throttle(), 5, 30),
    // The contract has no limit for identify. Users sign in less often than they are tracked.
    limit(BeaconKind::Identify.throttle(), 60, 60),
    limit(BeaconKind::Pageview.throttle(), 30, 60),
    limit(BeaconKind::Leave.throttle(), 10, 60),
    limit(BeaconKind::Track.throttle(), 60, 60),
    limit(FLOOD, 600, 60),
    limit(BATCH, 60, 60),
    limit(PAGE_FLOOD, PAGE_SESSIONS, 60),
    BAD_TOKENS,
];

const fn limit(route: &'static str, count: u32, seconds: u32) -> Limit {
    Limit {
        route,
        count,
        seconds,
    }
}

/// A limit that is spent, and its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Id of the limit.
    pub route: &'static str,
    /// The state of the limit.
    pub standing: Standing,
}

impl Spent {
    /// The limit of [`BAD_TOKENS`] is spent.
    #[must_use]
    pub const fn bad_tokens(standing: Standing) -> Self {
        let route = BAD_TOKENS.route;
        Self { route, standing }
    }
}

/// Spends one use of a limit that counts by address.
///
/// # Errors
/// [`Spent`] when the limit is exhausted.
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

/// Spends one use of the limit on new sessions of a page from an address.
///
/// # Errors
/// [`Spent`] when the limit is exhausted.
pub fn spend_page(throttles: &Throttles, address: IpAddr, page: PageId) -> Result<(), Spent> {
    let route = PAGE_FLOOD;
    match throttles.spend(route, (neighbourhood(address), page)) {
        Ok(_) => Ok(()),
        Err(standing) => Err(Spent { route, standing }),
    }
}
