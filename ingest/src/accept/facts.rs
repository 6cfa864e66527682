//! What a beacon is judged by, besides what it says.

use crate::enrich::PurposeHeaders;
use jiff::Timestamp;
use std::net::IpAddr;

/// What acceptance is configured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// False: custom events are answered and not recorded.
    pub tracking_enabled: bool,
    /// Most bytes of a custom event's properties.
    pub max_event_data_bytes: usize,
}

/// How far what is said is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A request from anywhere: consent must be stated and pages proven.
    Beacon,
    /// The operator's own history: consent is taken as given, no page needs proof.
    History,
}

/// What is known beside the body.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The client's address, after trusted proxies.
    pub address: IpAddr,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// Headers that say that nobody asked for this yet.
    pub purpose: PurposeHeaders<'a>,
    /// Subject of a verified token; beacons for users are not judged without.
    pub user: Option<&'a str>,
    /// When it happened; also the moment at which a tracking token must be valid.
    pub occurred_at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// How far it is believed.
    pub trust: Trust,
}
