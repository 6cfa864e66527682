//! The table `seen`: tells events that were folded before from new ones.
//!
//! The one rule: a look-up goes to few partitions. A history keeps its times when it is sent again, so an old
//! event is looked for in its own month only, and an import touches one month's index at a time. A live beacon
//! that is sent again may have another time, so a recent event is looked for a month before and after as well.

use crate::rows::{
    SeenRow,
    columns::{Columns, insert_into},
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use jiff_sqlx::ToSqlx;
use schemas::{Event, EventId, WorkspaceNo};
use sqlx::{PgConnection, Row};
use std::{collections::HashSet, sync::LazyLock};
use uuid::Uuid;

/// For how long a beacon that is sent again is recognised, whatever its time says by then.
const RETRIES: SignedDuration = SignedDuration::from_hours(31 * 24);

pub(super) const FIND: &str = "
SELECT asked.workspace_no, asked.event_id
FROM UNNEST($1::int4[], $2::uuid[], $3::date[], $4::date[]) AS asked (workspace_no, event_id, since, until)
CROSS JOIN LATERAL (
    SELECT
    FROM seen
    WHERE workspace_no = asked.workspace_no
      AND event_id = asked.event_id
      AND month >= asked.since
      AND month <= asked.until
    LIMIT 1
) AS known";

pub(super) static INSERT: LazyLock<String> =
    LazyLock::new(|| insert_into("seen", &[SeenRow::COLUMNS]));

/// An event as it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sought {
    pub(super) workspace_no: WorkspaceNo,
    pub(super) event_id: EventId,
    /// First and last month in which it may have been seen.
    pub(super) months: (Date, Date),
}

impl Sought {
    pub(super) fn of(event: &Event) -> Self {
        Self {
            workspace_no: event.workspace_no,
            event_id: event.event_id,
            months: months(event.occurred_at, event.received_at),
        }
    }
}

/// The months in which an event with those times may have been seen.
pub(super) fn months(occurred_at: Timestamp, received_at: Timestamp) -> (Date, Date) {
    let is_recent = received_at.duration_since(occurred_at).abs() <= RETRIES;
    if !is_recent {
        return (month(occurred_at), month(occurred_at));
    }
    let moved = |by: SignedDuration| occurred_at.checked_add(by).map_or(occurred_at, |at| at);
    (month(moved(-RETRIES)), month(moved(RETRIES)))
}

/// The first day of the month in which something happened, by UTC.
pub(super) fn month(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

/// Those of the events that were folded before.
pub(super) async fn find(
    connection: &mut PgConnection,
    sought: &[Sought],
) -> sqlx::Result<HashSet<(WorkspaceNo, EventId)>> {
    if sought.is_empty() {
        return Ok(HashSet::new());
    }
    let workspaces = sought.iter().map(|sought| super::int4(sought.workspace_no));
    let events = sought.iter().map(|sought| sought.event_id.0);
    let since = sought.iter().map(|sought| sought.months.0.to_sqlx());
    let until = sought.iter().map(|sought| sought.months.1.to_sqlx());
    let rows = sqlx::query(FIND)
        .bind(workspaces.collect::<Vec<i32>>())
        .bind(events.collect::<Vec<Uuid>>())
        .bind(since.collect::<Vec<_>>())
        .bind(until.collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let event_id = EventId(row.try_get("event_id")?);
            Ok((super::workspace(row)?, event_id))
        })
        .collect()
}

/// Notes events that were not seen before.
pub(super) async fn insert(connection: &mut PgConnection, rows: &[SeenRow]) -> sqlx::Result<()> {
    super::append(connection, &INSERT, rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_looked_for_in_its_own_month_and_a_live_event_around_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let occurred = at("2026-03-15T23:59:59Z");
        let now = at("2026-11-20T00:00:00Z");
        let march = day("2026-03-01");
        assert_eq!(months(occurred, now), (march, march));
        let around = (day("2026-02-01"), day("2026-04-01"));
        assert_eq!(months(occurred, occurred), around);
        // Whoever sends a live beacon again within 30 days finds the first one.
        for days in 0..=30 {
            let again = occurred + SignedDuration::from_hours(24 * days);
            let (since, until) = months(again, again);
            assert!((since..=until).contains(&march), "{days}");
        }
    }
}
