//! The table `seen`: the identities of all folded events, so that a repeated event counts once.

use jiff::civil::Date;
use schemas::{EventId, WorkspaceNo};

columns! {
    /// A row of `seen`.
    SeenRow {
        /// Generation of the log and offset of the record.
        seq: i64,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// First day of the month in which the event happened; decides the partition.
        month: Date,
        /// Identity.
        event_id: EventId,
    }
}
