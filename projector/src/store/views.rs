//! Views and leaves in the table `events`: a view's neighbours in its session, and how it was left.
//!
//! The one rule: every statement goes down an index to single rows, so a batch costs as much as it holds, however
//! many views a session has and however often one was left.

use super::events::{int4, read_summary, session_key, timestamp, workspace};
use crate::fold::{
    SessionKey, Summary,
    duration::{Leave, Place, View, micros},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{EventId, PageviewId, WorkspaceNo};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::HashMap;
use uuid::Uuid;

/// A view within its tenant.
pub(super) type ViewKey = (WorkspaceNo, PageviewId);

/// `OFFSET 0` keeps the planner from joining the other way round, through all views, while it does not know how
/// many there are.
pub(super) const FIND_COUNTED: &str = "
SELECT viewed.*
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, pageview_id)
CROSS JOIN LATERAL (
    SELECT workspace_no, session_id, occurred_at, event_id, pageview_id, received_at, visible_seq
    FROM events
    WHERE workspace_no = asked.workspace_no
      AND pageview_id = asked.pageview_id
      AND kind = 4
      AND visible_seq IS NOT NULL
    OFFSET 0
) AS viewed";

pub(super) const LOAD_NEIGHBOURS: &str = "
SELECT asked.workspace_no, asked.session_id, near.occurred_at, near.event_id, near.pageview_id
FROM UNNEST($1::int4[], $2::uuid[], $3::timestamptz[], $4::uuid[])
    AS asked (workspace_no, session_id, occurred_at, event_id)
CROSS JOIN LATERAL (
    (
        SELECT occurred_at, event_id, pageview_id
        FROM events
        WHERE workspace_no = asked.workspace_no
          AND session_id = asked.session_id
          AND kind = 4
          AND visible_seq IS NOT NULL
          AND (occurred_at, event_id) < (asked.occurred_at, asked.event_id)
        ORDER BY occurred_at DESC, event_id DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT occurred_at, event_id, pageview_id
        FROM events
        WHERE workspace_no = asked.workspace_no
          AND session_id = asked.session_id
          AND kind = 4
          AND visible_seq IS NOT NULL
          AND (occurred_at, event_id) > (asked.occurred_at, asked.event_id)
        ORDER BY occurred_at, event_id
        LIMIT 1
    )
) AS near";

pub(super) const LOAD_LATEST_LEAVES: &str = "
SELECT asked.workspace_no, asked.pageview_id, latest.occurred_at, latest.event_id, latest.duration_seconds
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, pageview_id)
CROSS JOIN LATERAL (
    SELECT occurred_at, event_id, duration_seconds
    FROM events
    WHERE workspace_no = asked.workspace_no
      AND pageview_id = asked.pageview_id
      AND kind = 5
      AND visible_seq IS NOT NULL
    ORDER BY occurred_at DESC, event_id DESC
    LIMIT 1
) AS latest";

/// Locked, so that none of them expires before the batch is written.
pub(super) const LOAD_WAITING_LEAVES: &str = "
SELECT gone.*
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, pageview_id)
CROSS JOIN LATERAL (
    SELECT workspace_no, seq, event_id, kind, occurred_at, received_at, session_id, pageview_id, user_hash,
           duration_seconds
    FROM events
    WHERE workspace_no = asked.workspace_no
      AND pageview_id = asked.pageview_id
      AND kind = 5
      AND visible_seq IS NULL
    FOR UPDATE
) AS gone";

/// A view of the table that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountedView {
    pub(super) session: SessionKey,
    pub(super) view: View,
    pub(super) received_at: Timestamp,
    pub(super) visible_seq: i64,
}

/// Those of the views that count.
pub(super) async fn find_counted(
    connection: &mut PgConnection,
    views: &[ViewKey],
) -> sqlx::Result<Vec<CountedView>> {
    let rows = select(connection, FIND_COUNTED, views).await?;
    rows.iter()
        .map(|row| {
            Ok(CountedView {
                session: session_key(row)?,
                view: read_view(row)?,
                received_at: timestamp(row, "received_at")?,
                visible_seq: row.try_get("visible_seq")?,
            })
        })
        .collect()
}

/// The views that count directly before and after those places.
pub(super) async fn load_neighbours(
    connection: &mut PgConnection,
    places: &[(SessionKey, Place)],
) -> sqlx::Result<Vec<(SessionKey, View)>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let workspaces: Vec<i32> = places.iter().map(|((no, _), _)| int4(*no)).collect();
    let sessions: Vec<Uuid> = places.iter().map(|((_, id), _)| id.0).collect();
    let times: Vec<jiff_sqlx::Timestamp> = places.iter().map(|(_, (at, _))| at.to_sqlx()).collect();
    let events: Vec<Uuid> = places.iter().map(|(_, (_, id))| id.0).collect();
    let rows = sqlx::query(LOAD_NEIGHBOURS)
        .bind(workspaces)
        .bind(sessions)
        .bind(times)
        .bind(events)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((session_key(row)?, read_view(row)?)))
        .collect()
}

/// Of each of the views the leave that stands, if one counts.
pub(super) async fn load_latest_leaves(
    connection: &mut PgConnection,
    views: &[ViewKey],
) -> sqlx::Result<HashMap<ViewKey, Leave>> {
    let rows = select(connection, LOAD_LATEST_LEAVES, views).await?;
    rows.iter()
        .map(|row| {
            let key = (workspace(row)?, PageviewId(row.try_get("pageview_id")?));
            let leave = Leave {
                at: timestamp(row, "occurred_at")?,
                event_id: EventId(row.try_get("event_id")?),
                micros: micros(row.try_get("duration_seconds")?),
            };
            Ok((key, leave))
        })
        .collect()
}

/// Leaves of those views that came before them and do not count yet.
pub(super) async fn load_waiting_leaves(
    connection: &mut PgConnection,
    views: &[ViewKey],
) -> sqlx::Result<Vec<Summary>> {
    let rows = select(connection, LOAD_WAITING_LEAVES, views).await?;
    rows.iter().map(read_summary).collect()
}

async fn select(
    connection: &mut PgConnection,
    statement: &'static str,
    views: &[ViewKey],
) -> sqlx::Result<Vec<PgRow>> {
    if views.is_empty() {
        return Ok(Vec::new());
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) =
        views.iter().map(|(no, id)| (int4(*no), id.0)).unzip();
    sqlx::query(statement)
        .bind(workspaces)
        .bind(ids)
        .fetch_all(connection)
        .await
}

fn read_view(row: &PgRow) -> sqlx::Result<View> {
    Ok(View {
        at: timestamp(row, "occurred_at")?,
        event_id: EventId(row.try_get("event_id")?),
        pageview_id: PageviewId(row.try_get("pageview_id")?),
    })
}
