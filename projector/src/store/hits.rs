//! Reads and writes the table `hits`: views by id, their neighbours in the session, and latest
//! leaves.
//!
//! The one rule: every statement finds single rows by an index. So the cost of a batch depends only
//! on its size, not on the number of views in a session or of leaves of a view.

use super::{
    append::Append,
    lookup::{self, Span},
    sessions::RowKey,
};
use crate::{
    fold::{SessionKey, duration::Place},
    rows::{
        AgentColumns, HitRow, LeaveColumns, PlaceColumns, SourceColumns, UtmColumns, ViewColumns,
        VisitClickRow,
        columns::{Columns, Named, ReadRow, TableRow, names, unnest},
    },
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{PageviewId, WorkspaceNo};
use sqlx::{PgConnection, postgres::PgRow};
use std::{collections::HashSet, sync::LazyLock};
use uuid::Uuid;

pub(super) fn statements() -> Vec<&'static str> {
    vec![
        &FIND,
        &LOAD_NEIGHBOURS,
        &APPEND.insert,
        &APPEND_CLICKS.insert,
        &INSERT_LATER_CLICKS,
        &LEAVE,
    ]
}

/// A view within its tenant.
pub(super) type ViewKey = (WorkspaceNo, PageviewId);

pub(super) static APPEND: LazyLock<Append> = LazyLock::new(|| Append::to::<HitRow>("hits"));

pub(super) static APPEND_CLICKS: LazyLock<Append> =
    LazyLock::new(|| Append::to::<VisitClickRow<'_>>("hits"));

/// Copies the dimensions from the row of the visit, which is found by its key.
pub(super) static INSERT_LATER_CLICKS: LazyLock<String> = LazyLock::new(|| {
    let own = HitRow::GROUPS.concat();
    let copied = [
        SourceColumns::COLUMNS,
        UtmColumns::COLUMNS,
        PlaceColumns::COLUMNS,
        AgentColumns::COLUMNS,
    ]
    .concat();
    let copied: Vec<&str> = copied.iter().map(|(name, _)| *name).collect();
    let given = |of: &str, names: &[&str]| {
        let qualified = names.iter().map(|name| format!("{of}.{name}"));
        qualified.collect::<Vec<_>>().join(", ")
    };
    let own_names: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
    let keys: [Named; 2] = [("visit_seq", "int8"), ("visit_started_at", "timestamptz")];
    let columns = [&own[..], &keys].concat();
    format!(
        "
INSERT INTO hits ({hit}, {copied_names})
SELECT {clicked}, {copied}
FROM {unnest} AS clicked ({names})
LEFT JOIN sessions AS visits
    ON visits.workspace_no = clicked.workspace_no
    AND visits.seq = clicked.visit_seq
    AND visits.started_at = clicked.visit_started_at",
        hit = names(&own),
        copied_names = copied.join(", "),
        clicked = given("clicked", &own_names),
        copied = given("visits", &copied),
        unnest = unnest(&columns),
        names = names(&columns)
    )
});

pub(super) static FIND: LazyLock<String> =
    LazyLock::new(|| lookup::by_id("hits", "pageview_id", "occurred_at", ViewColumns::COLUMNS));

/// The comparison of times is redundant, but it lets the server skip partitions.
pub(super) static LOAD_NEIGHBOURS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
SELECT near.*
FROM UNNEST($1::int4[], $2::uuid[], $3::timestamptz[], $4::uuid[])
    AS asked (workspace_no, session_id, occurred_at, event_id)
CROSS JOIN LATERAL (
    (
        SELECT {columns}
        FROM hits
        WHERE workspace_no = asked.workspace_no
          AND session_id = asked.session_id
          AND occurred_at <= asked.occurred_at
          AND (occurred_at, event_id) < (asked.occurred_at, asked.event_id)
        ORDER BY occurred_at DESC, event_id DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT {columns}
        FROM hits
        WHERE workspace_no = asked.workspace_no
          AND session_id = asked.session_id
          AND occurred_at >= asked.occurred_at
          AND (occurred_at, event_id) > (asked.occurred_at, asked.event_id)
        ORDER BY occurred_at, event_id
        LIMIT 1
    )
) AS near",
        columns = names(ViewColumns::COLUMNS)
    )
});

/// A leave changes the row of its view. The first three columns are the row's key.
pub(super) static LEAVE: LazyLock<String> = LazyLock::new(|| {
    let columns = LeaveColumns::COLUMNS;
    let set: Vec<String> = columns
        .iter()
        .skip(3)
        .map(|(name, _)| format!("{name} = gone.{name}"))
        .collect();
    format!(
        "
UPDATE hits
SET {set}
FROM {unnest} AS gone ({names})
WHERE hits.workspace_no = gone.workspace_no
  AND hits.seq = gone.seq
  AND hits.occurred_at = gone.occurred_at",
        set = set.join(", "),
        unnest = unnest(columns),
        names = names(columns)
    )
});

/// Finds views that count by id. Each has the time of the event that names it.
pub(super) async fn find(
    connection: &mut PgConnection,
    views: &[(ViewKey, Timestamp)],
) -> sqlx::Result<Vec<ViewColumns>> {
    let sought = |((no, id), span): (ViewKey, Span)| ((no, id.0), span);
    let near: Vec<_> = views
        .iter()
        .map(|(key, at)| sought((*key, lookup::around(*at, *at))))
        .collect();
    let mut found = read(&lookup::find(connection, &FIND, &near).await?)?;
    let known: HashSet<ViewKey> = found
        .iter()
        .map(|hit| (hit.workspace_no, hit.pageview_id))
        .collect();
    let far: Vec<_> = views
        .iter()
        .filter(|(key, _)| !known.contains(key))
        .map(|(key, _)| sought((*key, lookup::ANY_TIME)))
        .collect();
    found.extend(read(&lookup::find(connection, &FIND, &far).await?)?);
    Ok(found)
}

fn read(rows: &[PgRow]) -> sqlx::Result<Vec<ViewColumns>> {
    rows.iter().map(ViewColumns::read).collect()
}

/// Loads the views directly before and after these positions.
pub(super) async fn load_neighbours(
    connection: &mut PgConnection,
    places: &[(SessionKey, Place)],
) -> sqlx::Result<Vec<ViewColumns>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let workspaces = places.iter().map(|((no, _), _)| super::int4(*no));
    let sessions = places.iter().map(|((_, id), _)| id.0);
    let times = places.iter().map(|(_, (at, _))| at.to_sqlx());
    let events = places.iter().map(|(_, (_, id))| id.0);
    let rows = sqlx::query(LOAD_NEIGHBOURS.as_str())
        .bind(workspaces.collect::<Vec<i32>>())
        .bind(sessions.collect::<Vec<Uuid>>())
        .bind(times.collect::<Vec<_>>())
        .bind(events.collect::<Vec<Uuid>>())
        .fetch_all(connection)
        .await?;
    read(&rows)
}

/// Appends views that are no clicks, and clicks of visits that start in the batch.
pub(super) async fn insert(
    connection: &mut PgConnection,
    views: &[HitRow],
    clicks: &[VisitClickRow<'_>],
) -> sqlx::Result<()> {
    APPEND.rows(connection, views).await?;
    APPEND_CLICKS.rows(connection, clicks).await
}

/// Appends clicks of visits that are in the table, each with the key of its visit.
pub(super) async fn insert_later_clicks(
    connection: &mut PgConnection,
    rows: &[(HitRow, RowKey)],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(INSERT_LATER_CLICKS.as_str());
    let query = HitRow::bind_groups(rows.iter().map(|(hit, _)| hit), query);
    let seqs = rows.iter().map(|(_, (seq, _))| *seq);
    let starts = rows.iter().map(|(_, (_, started_at))| started_at.to_sqlx());
    let query = query.bind(seqs.collect::<Vec<i64>>());
    let query = query.bind(starts.collect::<Vec<_>>());
    query.execute(connection).await?;
    Ok(())
}

/// Writes the latest leaves of views in the table.
pub(super) async fn leave(
    connection: &mut PgConnection,
    rows: &[LeaveColumns],
) -> sqlx::Result<()> {
    super::execute(connection, &LEAVE, rows).await
}
