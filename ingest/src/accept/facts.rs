//! The inputs to a judgement other than the beacon itself.

use crate::enrich::PurposeHeaders;
use jiff::Timestamp;
use std::net::IpAddr;

/// The configuration of acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// When false, custom events are answered but not recorded.
    pub tracking_enabled: bool,
    /// Most bytes of a custom event's properties.
    pub max_event_data_bytes: usize,
}

/// How far the sender of a beacon is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A request from anywhere. It must state consent and prove its page.
    Beacon,
    /// The operator's own history. Consent is assumed, and pages need no proof.
    History,
}

/// What is known about a beacon besides its body.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The client's address, after trusted proxies.
    pub address: IpAddr,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// Headers that mark a request which the browser makes before the person asks for it.
    pub purpose: PurposeHeaders<'a>,
    /// Subject of a verified token. Beacons that need a user are not judged without one.
    pub user: Option<&'a str>,
    /// When the beacon happened. A tracking token must be valid at this time.
    pub occurred_at: Timestamp,
    /// When ingest received the beacon.
    pub received_at: Timestamp,
    /// How far the sender is trusted.
    pub trust: Trust,
}
