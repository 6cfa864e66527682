//! The table of event types: every type of the log with its number, name, version and body.
//!
//! A new type starts as a row of [`event_types`]. The reader, the writer and the JSON Schema follow
//! from it. Every exhaustive match on [`Kind`] or [`Body`] fails to compile until it covers the new
//! type.

mod bodies;
mod click;
mod conversion;
pub mod json_schema;
#[macro_use]
mod types;
pub mod wire;

pub use bodies::{
    BeaconRefused, CustomTracked, PageLeft, PageViewed, RefusalReason, SessionHeartbeat,
    SessionIdentified, SessionStarted,
};
pub use click::{BIO_TRIGGER, BotReason, LinkClicked, TRIGGERS, Trigger};
pub use conversion::{
    ATTRIBUTION_WINDOW, Amount, AttributedBy, ConversionClass, ConversionRecorded,
    ConversionSource, ConversionStatus, ConversionStatusChanged, Dollars, Refund, SaleType,
    is_attributable,
};
pub use wire::ReadError;

use crate::{
    context::{EnrichmentVersions, Visitor},
    ids::{EventId, WorkspaceId, WorkspaceNo},
};
use jiff::Timestamp;

event_types! {
    // number => Type = "name on the wire", body version, owner, whether it extends the visit

    /// A visit to a bio page began.
    1 => SessionStarted = "session.started", version 1, within Page, extends false;
    /// A visit was still in view, 30 seconds after its last sign of life.
    2 => SessionHeartbeat = "session.heartbeat", version 1, within Session, extends true;
    /// A visit was bound to a signed-in user.
    3 => SessionIdentified = "session.identified", version 1, within Session, extends false;
    /// A page was viewed; with a link id it is a click as well.
    4 => PageViewed = "page.viewed", version 1, within Session, extends true;
    /// A viewed page was left.
    5 => PageLeft = "page.left", version 1, within View, extends false;
    /// A site's own event within a visit.
    6 => CustomTracked = "custom.tracked", version 1, within Session, extends false;
    /// Beacons that were not counted, summed over a minute. Never a person.
    7 => BeaconRefused = "beacon.refused", version 1, within Page, extends false;
    /// A short link was opened, by a person or by a machine.
    8 => LinkClicked = "link.clicked", version 1, within Link, extends false;
    /// A click or a customer led to a lead, a sale or another milestone.
    9 => ConversionRecorded = "conversion.recorded", version 1, within Workspace, extends false;
    /// A conversion was judged again, refunded or converted to dollars.
    10 => ConversionStatusChanged = "conversion.status_changed", version 1, within Workspace, extends false;
}

/// The object that an event belongs to, which must be known before the event counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// A page. The event counts at once.
    Page,
    /// A session. The event waits for the session's start.
    Session,
    /// A link. The event counts at once.
    Link,
    /// The tenant. The event counts at once.
    Workspace,
    /// A page view. The event waits for the view, and with it for the session's start.
    View,
}

impl Kind {
    /// The type with this name on the wire, if this build knows it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One event of the log: an envelope and a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The identity by which it counts once; see [`EventId::derive`].
    pub event_id: EventId,
    /// When it happened; decides every window and bucket.
    pub occurred_at: Timestamp,
    /// When ingest received it.
    pub received_at: Timestamp,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The tenant's number, which tables have instead of the UUID.
    pub workspace_no: WorkspaceNo,
    /// Program and version that wrote it (`ingest/0.1.0`).
    pub producer: String,
    /// The data it was enriched with; absent on events that are not enriched.
    pub enrichment: Option<EnrichmentVersions>,
    /// The person behind it; absent when there is none, or after an erasure.
    pub visitor: Option<Visitor>,
    /// The body of its type.
    pub body: Body,
}

impl Event {
    /// The key of its record. All events of a workspace share a partition, which keeps them in
    /// order.
    #[must_use]
    pub fn key(&self) -> String {
        self.workspace_id.to_string()
    }
}
