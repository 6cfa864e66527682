//! Looks rows up by the ids that events name, first in the partitions near the events' times.
//!
//! The tables are partitioned by month. A row is nearly always close in time to the events that name it, so most
//! lookups read one or two partitions of many.

use crate::rows::columns::{Named, names};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use schemas::WorkspaceNo;
use sqlx::{PgConnection, postgres::PgRow};
use std::sync::LazyLock;
use uuid::Uuid;

/// How far from an event the first lookup searches: a visit's day, and clocks that differ.
const NEAR: SignedDuration = SignedDuration::from_hours(25);

/// A range of times, without its end.
pub(super) type Span = (Timestamp, Timestamp);

/// The range of the second lookup, for rows that the first one did not find.
pub(super) const ANY_TIME: Span = (Timestamp::UNIX_EPOCH, Timestamp::MAX);

/// The range of the first lookup, for events of these times.
pub(super) fn around(first: Timestamp, last: Timestamp) -> Span {
    let moved = |at: Timestamp, by: SignedDuration| at.checked_add(by).unwrap_or(at);
    (moved(first, -NEAR), moved(last, NEAR))
}

/// The statement that finds rows of a table by tenant, id and time, for [`find`].
pub(super) fn by_id(table: &str, id: &str, time: &str, columns: &[Named]) -> String {
    // OFFSET 0 keeps the planner from joining the other way round, through the whole table, while it has no
    // statistics about it.
    format!(
        "
SELECT found.*
FROM UNNEST($1::int4[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
    AS asked (workspace_no, id, since, until)
CROSS JOIN LATERAL (
    SELECT {columns}
    FROM {table}
    WHERE workspace_no = asked.workspace_no
      AND {id} = asked.id
      AND {time} >= asked.since
      AND {time} < asked.until
    OFFSET 0
) AS found",
        columns = names(columns)
    )
}

/// Runs a statement of [`by_id`] for ids that are each looked up in a span of time.
pub(super) async fn find(
    connection: &mut PgConnection,
    statement: &'static LazyLock<String>,
    sought: &[((WorkspaceNo, Uuid), Span)],
) -> sqlx::Result<Vec<PgRow>> {
    if sought.is_empty() {
        return Ok(Vec::new());
    }
    let workspaces = sought.iter().map(|((no, _), _)| super::int4(*no));
    let ids = sought.iter().map(|((_, id), _)| *id);
    let since = sought.iter().map(|(_, span)| span.0.to_sqlx());
    let until = sought.iter().map(|(_, span)| span.1.to_sqlx());
    sqlx::query(statement.as_str())
        .bind(workspaces.collect::<Vec<i32>>())
        .bind(ids.collect::<Vec<Uuid>>())
        .bind(since.collect::<Vec<_>>())
        .bind(until.collect::<Vec<_>>())
        .fetch_all(connection)
        .await
}
