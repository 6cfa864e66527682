//! The summary of an event for counting: its position, its times, and the session and view that it
//! names.

use super::{
    SessionKey,
    duration::{Leave, View},
};
use jiff::Timestamp;
use schemas::{Event, EventId, Kind, PageId, PageviewId, SessionId, UserHash, WorkspaceNo};

/// The summary of an event, either of this batch or from the table `waiting`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Tenant.
    pub workspace_no: WorkspaceNo,
    /// Generation of the log and offset of the record; never changes.
    pub seq: i64,
    /// Identity.
    pub event_id: EventId,
    /// Type.
    pub kind: Kind,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest received it.
    pub received_at: Timestamp,
    /// Its session. Leaves name only their view.
    pub session_id: Option<SessionId>,
    /// Its view.
    pub pageview_id: Option<PageviewId>,
    /// The page, for events that name it themselves.
    pub page_id: Option<PageId>,
    /// The signed-in user.
    pub user_hash: Option<UserHash>,
    /// The measures of a leave.
    pub left: Option<Left>,
}

/// The measures of a leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    /// How long the view lasted.
    pub micros: i64,
    /// How far down the page was read.
    pub scroll_depth_percent: Option<f64>,
}

impl Summary {
    /// Reads the envelope; the fold of the event's type adds the rest.
    pub(super) fn of(event: &Event, seq: i64) -> Self {
        Self {
            workspace_no: event.workspace_no,
            seq,
            event_id: event.event_id,
            kind: event.body.kind(),
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            session_id: None,
            pageview_id: None,
            page_id: None,
            user_hash: event.visitor.as_ref().and_then(|visitor| visitor.user_hash),
            left: None,
        }
    }

    /// True when the event is of this type.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    /// The session that it names.
    #[must_use]
    pub fn session(&self) -> Option<SessionKey> {
        self.session_id.map(|session| (self.workspace_no, session))
    }

    /// The view, if the event is one.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let view = View {
            at: self.occurred_at,
            event_id: self.event_id,
            pageview_id: self.pageview_id?,
        };
        self.is(Kind::PageViewed).then_some(view)
    }

    /// The leave and the view that was left, if the event is a leave.
    #[must_use]
    pub fn leave(&self) -> Option<(PageviewId, Leave)> {
        let leave = Leave {
            at: self.occurred_at,
            event_id: self.event_id,
            micros: self.left?.micros,
        };
        Some((self.pageview_id?, leave))
    }
}
