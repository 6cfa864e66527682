//! A row of `events`: what is kept of an event for ever.

use super::text::storable;
use jiff::Timestamp;
use schemas::{Event, EventId, LinkId, PageId, PageviewId, SessionId, UserHash, WorkspaceNo};
use serde_json::Value;

/// One row of `events`: its members are the columns, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Tenant.
    pub workspace_no: WorkspaceNo,
    /// Log generation and offset.
    pub seq: i64,
    /// Identity.
    pub event_id: EventId,
    /// Number of its type.
    pub kind: i16,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest had it.
    pub received_at: Timestamp,
    /// Its page; `None` while its session is not there.
    pub page_id: Option<PageId>,
    /// Its session.
    pub session_id: Option<SessionId>,
    /// Its view.
    pub pageview_id: Option<PageviewId>,
    /// The link clicked.
    pub link_id: Option<LinkId>,
    /// The signed-in user.
    pub user_hash: Option<UserHash>,
    /// Path of a view.
    pub path: Option<String>,
    /// Title of a view.
    pub title: Option<String>,
    /// Referrer of a view or a session.
    pub referrer: Option<String>,
    /// Duration of a leave.
    pub duration_seconds: Option<f64>,
    /// Scroll depth of a leave.
    pub scroll_depth_percent: Option<f64>,
    /// Name of a custom event.
    pub name: Option<String>,
    /// Properties of a custom event.
    pub properties: Option<Value>,
    /// Why beacons were refused.
    pub refusal_reason: Option<&'static str>,
    /// How many were.
    pub refusal_count: Option<i32>,
}

impl EventRow {
    /// The envelope's part of the row; the rest is the fold's.
    pub(super) fn of(event: &Event, seq: i64) -> Self {
        Self {
            workspace_no: event.workspace_no,
            seq,
            event_id: event.event_id,
            kind: event.body.kind().number(),
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            page_id: None,
            session_id: None,
            pageview_id: None,
            link_id: None,
            user_hash: event.visitor.as_ref().and_then(|visitor| visitor.user_hash),
            path: None,
            title: None,
            referrer: None,
            duration_seconds: None,
            scroll_depth_percent: None,
            name: None,
            properties: None,
            refusal_reason: None,
            refusal_count: None,
        }
    }
}

/// An optional text as PostgreSQL can hold it.
pub(super) fn text(text: Option<&String>) -> Option<String> {
    text.map(|text| storable(text))
}

/// A count as an `int4` column holds it. Above its range, which no beacon reaches, the range's end:
/// an error here would stop the partition for ever.
pub(super) fn int4(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
