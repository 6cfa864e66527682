//! Finds the events that the log and the tables have already, for an import.

use super::{Store, seen};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{EventId, WorkspaceNo};
use sqlx::Row;
use std::collections::HashSet;
use uuid::Uuid;

/// Only events of the log that is folded now. This log may lack an event of an earlier log, so the
/// import must publish that event again.
pub(super) const FIND_IN_LOG: &str = "
SELECT asked.event_id
FROM UNNEST($2::int4[], $3::int4[], $4::uuid[], $5::date[], $6::date[])
    AS asked (partition, workspace_no, event_id, since, until)
JOIN log_partitions AS log ON log.topic = $1 AND log.partition = asked.partition
CROSS JOIN LATERAL (
    SELECT
    FROM seen
    WHERE workspace_no = asked.workspace_no
      AND event_id = asked.event_id
      AND month >= asked.since
      AND month <= asked.until
      AND seq >> 48 = log.generation
    LIMIT 1
) AS known";

/// An event to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The partition of its workspace.
    pub partition: i32,
    /// Its tenant's number.
    pub workspace_no: WorkspaceNo,
    /// Its identity. It is derived from its workspace, so it never equals another tenant's.
    pub event_id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest received it.
    pub received_at: Timestamp,
}

impl Store {
    /// Returns the events that were folded from the present log of this topic.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn find_in_log(
        &self,
        topic: &str,
        asked: &[Asked],
    ) -> sqlx::Result<HashSet<EventId>> {
        let partitions: Vec<i32> = asked.iter().map(|asked| asked.partition).collect();
        let workspaces = asked.iter().map(|asked| asked.workspace_no.as_int4());
        let workspaces: Vec<i32> = workspaces.map(Option::unwrap_or_default).collect();
        let events: Vec<Uuid> = asked.iter().map(|asked| asked.event_id.0).collect();
        let months = asked
            .iter()
            .map(|asked| seen::months(asked.occurred_at, asked.received_at));
        let (since, until): (Vec<_>, Vec<_>) = months
            .map(|(since, until)| (since.to_sqlx(), until.to_sqlx()))
            .unzip();
        let rows = sqlx::query(FIND_IN_LOG)
            .bind(topic)
            .bind(partitions)
            .bind(workspaces)
            .bind(events)
            .bind(since)
            .bind(until)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| row.try_get("event_id").map(EventId))
            .collect()
    }
}
