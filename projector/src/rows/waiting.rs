//! The table `waiting`: events that do not count, usually because their session or view has not
//! arrived.

use jiff::Timestamp;
use schemas::{EventId, PageviewId, SessionId, WorkspaceNo};

columns! {
    readable
    /// A row of `waiting`.
    WaitingRow {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// When ingest received it; decides how long it waits.
        received_at: Timestamp,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Identity.
        event_id: EventId,
        /// The session that it names. Leaves name only their view.
        session_id: Option<SessionId>,
        /// The view that the event is, or that it names.
        pageview_id: Option<PageviewId>,
        /// The event as JSON. It is folded again when the event counts.
        record: Vec<u8>,
    }
}
