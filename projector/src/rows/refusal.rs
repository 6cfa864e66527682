//! The table `refusals`: sums of beacons that were not counted.

use jiff::Timestamp;
use schemas::{EventId, PageId, WorkspaceNo};

columns! {
    /// A row of `refusals`.
    RefusalRow {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// The minute; decides the month's partition.
        occurred_at: Timestamp,
        /// When ingest wrote it.
        received_at: Timestamp,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// The number of refused beacons.
        refusal_count: i32,
        /// Identity.
        event_id: EventId,
        /// The page they were sent for.
        page_id: PageId,
        /// Why the beacons were not counted.
        refusal_reason: &'static str,
    }
}
