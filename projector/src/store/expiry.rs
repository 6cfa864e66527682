//! Deletes events that will never count, because their session or view did not arrive in time.
//!
//! The one rule: this changes no number. [`crate::fold::limits`] decides whether an event counts,
//! only from times in the log. The events deleted here can never count, as long as records are late
//! by at most a day.

use super::{Store, lease::SHORT};
use crate::fold::limits::LONGEST_WAIT;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use schemas::topics::EVENTS;
use sqlx::Row;
use tokio::time::timeout;

pub(super) fn statements() -> Vec<&'static str> {
    vec![NOTE_FOLDED, READ_HORIZON, EXPIRE]
}

/// How late a record may be in its partition, compared with records that ingest received after it.
/// Clocks differ, and an ingest without Kafka holds records back.
const LATENESS: SignedDuration = SignedDuration::from_hours(24);

/// Most rows that one statement deletes. It then takes, and holds its locks for, some hundred
/// milliseconds.
const BITE: i64 = 5_000;

pub(super) const NOTE_FOLDED: &str = "
UPDATE log_partitions
SET folded_until = greatest(folded_until, $3)
WHERE topic = $1 AND partition = $2 AND next_offset = $4";

/// NULL until every partition has a time: a partition that was never folded may have awaited
/// records.
pub(super) const READ_HORIZON: &str = "
SELECT CASE WHEN count(folded_until) = $2 THEN min(folded_until) END AS horizon
FROM log_partitions
WHERE topic = $1 AND partition < $2";

/// `SKIP LOCKED` leaves rows that a batch has locked because it is about to count them.
pub(super) const EXPIRE: &str = "
DELETE FROM waiting
USING (
    SELECT workspace_no, event_id
    FROM waiting
    WHERE received_at < $1
    ORDER BY received_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
) AS expired
WHERE waiting.workspace_no = expired.workspace_no AND waiting.event_id = expired.event_id";

impl Store {
    /// Records that a partition was folded to its `end` at the time `at`. Changes nothing if the
    /// fold has not reached it.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn note_folded(&self, partition: i32, end: i64, at: Timestamp) -> sqlx::Result<()> {
        let mut lease = self.lease().await?;
        let noting = sqlx::query(NOTE_FOLDED)
            .bind(EVENTS)
            .bind(partition)
            .bind(at.to_sqlx())
            .bind(end)
            .execute(&mut *lease);
        let noted = timeout(SHORT, noting).await;
        lease.settle_short(noted)?;
        Ok(())
    }

    /// Deletes a bounded number of events that have waited too long. Returns their number, and
    /// whether there may be more. `partitions` is the number of partitions of the log.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn expire_waiting(
        &self,
        partitions: i32,
        now: Timestamp,
    ) -> sqlx::Result<(u64, bool)> {
        let mut lease = self.lease().await?;
        let reading = sqlx::query(READ_HORIZON)
            .bind(EVENTS)
            .bind(partitions)
            .fetch_one(&mut *lease);
        let read = timeout(SHORT, reading).await;
        let row = lease.settle_short(read)?;
        let horizon: Option<jiff_sqlx::Timestamp> = row.try_get("horizon")?;
        let Some(horizon) = horizon else {
            return Ok((0, false));
        };
        let horizon = horizon.to_jiff().min(now);
        let Ok(before) = horizon.checked_sub(LONGEST_WAIT + LATENESS) else {
            return Ok((0, false));
        };
        let mut lease = self.lease().await?;
        let deleting = sqlx::query(EXPIRE)
            .bind(before.to_sqlx())
            .bind(BITE)
            .execute(&mut *lease);
        let deleted = timeout(SHORT, deleting).await;
        let deleted = lease.settle_short(deleted)?.rows_affected();
        Ok((deleted, i64::try_from(deleted) == Ok(BITE)))
    }
}
