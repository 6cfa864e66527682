//! A row of `events`: what is kept of an event for ever.

use super::{
    SessionKey,
    duration::{Leave, View, micros},
    text::storable,
};
use jiff::Timestamp;
use schemas::{Event, EventId, Kind, LinkId, PageId, PageviewId, SessionId, UserHash, WorkspaceNo};
use serde_json::Value;

/// One row of `events`: its members are the columns, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Tenant.
    pub workspace_no: WorkspaceNo,
    /// Generation of the log and offset of the record: never changes.
    pub seq: i64,
    /// From where on readers by seq see it: the highest of its own seq and those of what it waited for.
    /// `None` while it does not count.
    pub visible_seq: Option<i64>,
    /// Identity.
    pub event_id: EventId,
    /// Number of its type.
    pub kind: i16,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest had it.
    pub received_at: Timestamp,
    /// Its page; `None` while it does not count.
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
            visible_seq: None,
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

    /// The row as far as counting asks.
    #[must_use]
    pub const fn summary(&self) -> Summary {
        Summary {
            workspace_no: self.workspace_no,
            seq: self.seq,
            event_id: self.event_id,
            kind: self.kind,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            session_id: self.session_id,
            pageview_id: self.pageview_id,
            user_hash: self.user_hash,
            duration_seconds: self.duration_seconds,
        }
    }
}

/// What counting asks of a row, whether it is in this batch or has waited in the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Tenant.
    pub workspace_no: WorkspaceNo,
    /// Its own seq.
    pub seq: i64,
    /// Identity.
    pub event_id: EventId,
    /// Number of its type.
    pub kind: i16,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest had it.
    pub received_at: Timestamp,
    /// Its session; leaves name their view only.
    pub session_id: Option<SessionId>,
    /// Its view.
    pub pageview_id: Option<PageviewId>,
    /// The signed-in user.
    pub user_hash: Option<UserHash>,
    /// Duration of a leave.
    pub duration_seconds: Option<f64>,
}

impl Summary {
    /// True when it is of that type.
    #[must_use]
    pub const fn is(&self, kind: Kind) -> bool {
        self.kind == kind.number()
    }

    /// The session that it names.
    #[must_use]
    pub fn session(&self) -> Option<SessionKey> {
        self.session_id.map(|session| (self.workspace_no, session))
    }

    /// The view, if it is one.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let view = View {
            at: self.occurred_at,
            event_id: self.event_id,
            pageview_id: self.pageview_id?,
        };
        self.is(Kind::PageViewed).then_some(view)
    }

    /// The leave, if it is one, and the view that was left.
    #[must_use]
    pub fn leave(&self) -> Option<(PageviewId, Leave)> {
        let leave = Leave {
            at: self.occurred_at,
            event_id: self.event_id,
            micros: micros(self.duration_seconds?),
        };
        self.is(Kind::PageLeft)
            .then_some((self.pageview_id?, leave))
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
