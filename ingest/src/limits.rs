//! How often beacons may come: the published limits and what each is counted by.
//!
//! Owns the numbers and the keys, nothing of the counting. The one rule: many people behind one address
//! must not be lost, so only the flood guards count by address, and their limits are high.

use crate::accept::BeaconKind;
use runtime::{
    http::client::neighbourhood,
    jwt::BAD_TOKENS,
    throttle::{Limit, Standing, Throttles},
};
use schemas::PageId;
use std::net::IpAddr;

/// Every beacon, by address: keeps one client from costing more than its share.
pub const FLOOD: &str = "analytics.flood";
/// Batches, by address.
pub const BATCH: &str = "analytics.batch";
/// New sessions of one page, by address: keeps one client from inventing an audience.
pub const PAGE_FLOOD: &str = "analytics.page_flood";

/// New sessions of one page that an address may begin in a minute.
pub const PAGE_SESSIONS: u32 = 120;

/// The published limits.
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

/// A limit that is spent: which, and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Id of the limit.
    pub route: &'static str,
    /// How it stands.
    pub standing: Standing,
}

impl Spent {
    /// [`BAD_TOKENS`], spent.
    #[must_use]
    pub const fn bad_tokens(standing: Standing) -> Self {
        let route = BAD_TOKENS.route;
        Self { route, standing }
    }
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

/// Spends one of the limit on new sessions of a page from an address.
///
/// # Errors
/// [`Spent`] when none is left.
pub fn spend_page(throttles: &Throttles, address: IpAddr, page: PageId) -> Result<(), Spent> {
    let route = PAGE_FLOOD;
    match throttles.spend(route, (neighbourhood(address), page)) {
        Ok(_) => Ok(()),
        Err(standing) => Err(Spent { route, standing }),
    }
}
