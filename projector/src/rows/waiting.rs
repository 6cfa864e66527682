//! The table `waiting`: events that do not count, mostly because their session or view has not come yet.

use jiff::Timestamp;
use schemas::{EventId, PageviewId, SessionId, WorkspaceNo};

columns! {
    readable
    /// A row of `waiting`.
    WaitingRow {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// When ingest received it; decides for how long it waits.
        received_at: Timestamp,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Identity.
        event_id: EventId,
        /// The session that it names; leaves name their view only.
        session_id: Option<SessionId>,
        /// The view that it is, or names.
        pageview_id: Option<PageviewId>,
        /// The record as the log has it. It is folded again when the event counts.
        record: Vec<u8>,
    }
}
