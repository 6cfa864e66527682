//! The table `hits`: page views that count, clicks included, each with its latest leave.

use jiff::Timestamp;
use schemas::{EventId, LinkId, PageId, PageviewId, SessionId, WorkspaceNo};

columns! {
    readable
    /// A row of `hits`.
    HitRow {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// The seq at which readers see it: the higher of its own seq and its session's.
        visible_seq: i64,
        /// When it happened; decides the month's partition.
        occurred_at: Timestamp,
        /// When ingest received it.
        received_at: Timestamp,
        /// Time of the latest leave.
        left_at: Option<Timestamp>,
        /// Duration of the view, from that leave.
        left_micros: Option<i64>,
        /// Scroll depth, from that leave.
        scroll_depth_percent: Option<f64>,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Identity.
        event_id: EventId,
        /// The page, which is the session's.
        page_id: PageId,
        /// The session.
        session_id: SessionId,
        /// The id of the view, which leaves name.
        pageview_id: PageviewId,
        /// The link clicked.
        link_id: Option<LinkId>,
        /// Identity of the latest leave. Of two leaves at the same time, the one with the greater
        /// id counts.
        left_by: Option<EventId>,
        /// Path.
        path: Option<String>,
        /// Title.
        title: Option<String>,
        /// Referrer.
        referrer: Option<String>,
    }
}

columns! {
    /// The key of a hit, and the columns that a leave changes.
    LeaveColumns {
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Seq of the hit.
        seq: i64,
        /// When the view happened.
        occurred_at: Timestamp,
        /// Time of the latest leave.
        left_at: Timestamp,
        /// Identity of that leave.
        left_by: EventId,
        /// Duration of the view, from that leave.
        left_micros: i64,
        /// Scroll depth, from that leave.
        scroll_depth_percent: Option<f64>,
    }
}
