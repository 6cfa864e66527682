//! Finds the events that the log and the tables have already, for an import.

use super::{
    Store,
    seen::{self, by_months},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{EventId, WorkspaceNo};
use sqlx::Row;
use std::collections::HashSet;
use uuid::Uuid;

pub(super) fn statements() -> Vec<&'static str> {
    vec![FIND_IN_LOG]
}

/// Only events of the log that is folded now. This log may lack an event of an earlier log, so the
/// import must publish that event again.
pub(super) const FIND_IN_LOG: &str = "
SELECT asked.event_id
FROM UNNEST($4::int4[], $5::int4[], $6::uuid[]) AS asked (partition, workspace_no, event_id)
JOIN log_partitions AS log ON log.topic = $3 AND log.partition = asked.partition
CROSS JOIN LATERAL (
    SELECT
    FROM seen
    WHERE workspace_no = asked.workspace_no
      AND event_id = asked.event_id
      AND month >= $1
      AND month <= $2
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
        let mut found = HashSet::new();
        let months = |asked: &&Asked| seen::months(asked.occurred_at, asked.received_at);
        for ((since, until), group) in by_months(asked, months) {
            let partitions = group.iter().map(|asked| asked.partition);
            let workspaces = group.iter().map(|asked| super::int4(asked.workspace_no));
            let events = group.iter().map(|asked| asked.event_id.0);
            let rows = sqlx::query(FIND_IN_LOG)
                .bind(since.to_sqlx())
                .bind(until.to_sqlx())
                .bind(topic)
                .bind(partitions.collect::<Vec<i32>>())
                .bind(workspaces.collect::<Vec<i32>>())
                .bind(events.collect::<Vec<Uuid>>())
                .fetch_all(&self.pool)
                .await?;
            for row in rows {
                found.insert(EventId(row.try_get("event_id")?));
            }
        }
        Ok(found)
    }
}
