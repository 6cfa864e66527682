//! The table `seen`: distinguishes new events from those folded before.
//!
//! The one rule: an import reads one partition. A history keeps its times when it is imported
//! again, so an old event is looked for only in its own month, and an import uses one month's index
//! at a time. A live beacon may have another time when it is sent again, and may repeat an event of
//! an old import. So a recent event is looked for in every month.

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

/// An event received within this time of its occurrence is recent. Longer than the 30 days in which
/// a live beacon may be retried.
const RECENT: SignedDuration = SignedDuration::from_hours(31 * 24);

/// A month before every event of the log.
const FIRST: Date = Date::constant(1970, 1, 1);

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

/// An event to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sought {
    pub(super) workspace_no: WorkspaceNo,
    pub(super) event_id: EventId,
    /// The first and last month in which it may have been seen.
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

/// The months in which an event with these times may have been seen.
pub(super) fn months(occurred_at: Timestamp, received_at: Timestamp) -> (Date, Date) {
    let own = month(occurred_at);
    if received_at.duration_since(occurred_at).abs() > RECENT {
        return (own, own);
    }
    let latest = occurred_at.checked_add(RECENT).unwrap_or(occurred_at);
    (FIRST, month(latest))
}

/// The first day of the month of a time, in UTC.
pub(super) fn month(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

/// Returns the events that were folded before.
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

/// Adds new events.
pub(super) async fn insert(connection: &mut PgConnection, rows: &[SeenRow]) -> sqlx::Result<()> {
    super::append(connection, &INSERT, rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_looked_for_in_its_own_month_and_a_live_event_in_every_month() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let occurred = at("2026-03-15T23:59:59Z");
        let march = "2026-03-01".parse::<Date>().unwrap();
        assert_eq!(months(occurred, at("2026-11-20T00:00:00Z")), (march, march));
        for days in -30..=2_000 {
            let again = occurred + SignedDuration::from_hours(24 * days);
            let (since, until) = months(again, again);
            assert!((since..=until).contains(&march), "{days}");
        }
    }
}
