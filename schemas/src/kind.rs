//! The table of event types: wire name, number in tables, newest version.
//!
//! A type is added here first; everything that matches on [`Kind`] then fails to compile until it
//! says what it does with the new one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of an event, in the past tense as on the wire (`session.started`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Kind {
    /// A visit to a bio page began.
    #[serde(rename = "session.started")]
    SessionStarted,
    /// A visit was still in view, 30 seconds after the last word of it.
    #[serde(rename = "session.heartbeat")]
    SessionHeartbeat,
    /// A visit was bound to a signed-in user.
    #[serde(rename = "session.identified")]
    SessionIdentified,
    /// A page was viewed; with a link id it is a click as well.
    #[serde(rename = "page.viewed")]
    PageViewed,
    /// A viewed page was left.
    #[serde(rename = "page.left")]
    PageLeft,
    /// A site's own event within a visit.
    #[serde(rename = "custom.tracked")]
    CustomTracked,
    /// Beacons that were not counted, summed over a minute. Never a person.
    #[serde(rename = "beacon.refused")]
    BeaconRefused,
}

impl Kind {
    /// Every type, in the order of its number.
    pub const ALL: [Self; 7] = [
        Self::SessionStarted,
        Self::SessionHeartbeat,
        Self::SessionIdentified,
        Self::PageViewed,
        Self::PageLeft,
        Self::CustomTracked,
        Self::BeaconRefused,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionStarted => "session.started",
            Self::SessionHeartbeat => "session.heartbeat",
            Self::SessionIdentified => "session.identified",
            Self::PageViewed => "page.viewed",
            Self::PageLeft => "page.left",
            Self::CustomTracked => "custom.tracked",
            Self::BeaconRefused => "beacon.refused",
        }
    }

    /// The number in the `events` table; once given it is never given again.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::SessionStarted => 1,
            Self::SessionHeartbeat => 2,
            Self::SessionIdentified => 3,
            Self::PageViewed => 4,
            Self::PageLeft => 5,
            Self::CustomTracked => 6,
            Self::BeaconRefused => 7,
        }
    }

    /// The newest version this build reads and the only one it writes.
    #[must_use]
    pub const fn version(self) -> u16 {
        1
    }

    /// The type of that wire name, if this build knows it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
