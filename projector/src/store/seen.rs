//! The table `seen`: tells events that were folded before from new ones.
//!
//! The one rule: an import looks into one partition. A history keeps its times when it is sent again, so an old
//! event is looked for in its own month only, and an import touches one month's index at a time. A live beacon may
//! have any time when it is sent again, and may name an event of an old import, so a recent event is looked for in
//! every month.

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

/// An event that ingest received within this time is recent. Longer than the 30 days for which a live beacon may be
/// sent again.
const RECENT: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Before every event of the log.
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
    let own = month(occurred_at);
    if received_at.duration_since(occurred_at).abs() > RECENT {
        return (own, own);
    }
    let latest = occurred_at.checked_add(RECENT).unwrap_or(occurred_at);
    (FIRST, month(latest))
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
