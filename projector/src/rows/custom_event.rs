//! The table `custom_events`: a site's own events that count.

use jiff::Timestamp;
use schemas::{EventId, PageId, SessionId, UserHash, WorkspaceNo};
use serde_json::Value;

columns! {
    /// A row of `custom_events`.
    CustomEventRow {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// The seq at which readers see it: the higher of its own seq and its session's.
        visible_seq: i64,
        /// When it happened; decides the month's partition.
        occurred_at: Timestamp,
        /// When ingest received it.
        received_at: Timestamp,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Identity.
        event_id: EventId,
        /// The page, which is the session's.
        page_id: Option<PageId>,
        /// The session.
        session_id: SessionId,
        /// The signed-in user.
        user_hash: Option<UserHash>,
        /// The name that the site gave it.
        name: String,
        /// Properties as the site sent them.
        properties: Value,
    }
}
