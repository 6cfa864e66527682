//! Finds the events of a list that the log and the tables have already.

use super::Store;
use schemas::{EventId, WorkspaceNo};
use sqlx::Row;
use std::collections::HashSet;
use uuid::Uuid;

/// Only rows of the log that is folded now: what an earlier log had may be missing in this one, which is then
/// not whole until it is brought back.
pub(super) const FIND_IN_LOG: &str = "
SELECT known.event_id
FROM UNNEST($2::int4[], $3::int4[], $4::uuid[]) AS asked (partition, workspace_no, event_id)
JOIN events AS known USING (workspace_no, event_id)
JOIN log_partitions AS log ON log.topic = $1 AND log.partition = asked.partition
WHERE known.seq >> 48 = log.generation";

/// An event that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The partition of its workspace.
    pub partition: i32,
    /// Its tenant's number.
    pub workspace_no: WorkspaceNo,
    /// Its identity, which is derived from its workspace and so never another tenant's.
    pub event_id: EventId,
}

impl Store {
    /// Those of the events that were folded from the log of this topic.
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
        let rows = sqlx::query(FIND_IN_LOG)
            .bind(topic)
            .bind(partitions)
            .bind(workspaces)
            .bind(events)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| row.try_get("event_id").map(EventId))
            .collect()
    }
}
