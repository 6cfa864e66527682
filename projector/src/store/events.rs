//! The table `events`: what is known, what waits, and appending.

use crate::fold::{
    Change, EventRow, SessionKey, SessionState,
    duration::{Leave, View},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{EventId, Kind, PageviewId, SessionId, WorkspaceNo};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

pub(super) const FIND_KNOWN: &str = "
SELECT known.workspace_no, known.event_id
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, event_id)
JOIN events AS known USING (workspace_no, event_id)";

pub(super) const FIND_SESSIONS_OF_VIEWS: &str = "
SELECT viewed.workspace_no, viewed.pageview_id, viewed.session_id
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, pageview_id)
JOIN events AS viewed USING (workspace_no, pageview_id)
WHERE viewed.kind = 4";

pub(super) const LOAD_VIEWS: &str = "
SELECT viewed.workspace_no, viewed.session_id, viewed.occurred_at, viewed.event_id, viewed.pageview_id
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, session_id)
JOIN events AS viewed USING (workspace_no, session_id)
WHERE viewed.kind = 4";

pub(super) const LOAD_LEAVES: &str = "
SELECT gone.workspace_no, gone.pageview_id, gone.occurred_at, gone.event_id, gone.duration_seconds
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, pageview_id)
JOIN events AS gone USING (workspace_no, pageview_id)
WHERE gone.kind = 5";

pub(super) const RELEASE_WAITING: &str = "
UPDATE events
SET page_id = session.page_id, seq = session.seq
FROM UNNEST($1::int4[], $2::uuid[], $3::uuid[], $4::int8[]) AS session (workspace_no, session_id, page_id, seq)
WHERE events.workspace_no = session.workspace_no
  AND events.session_id = session.session_id
  AND events.kind IN (4, 6)
  AND events.page_id IS NULL";

pub(super) const INSERT: &str = "
INSERT INTO events (
    workspace_no, seq, event_id, kind, occurred_at, received_at, page_id, session_id, pageview_id,
    link_id, user_hash, path, title, referrer, duration_seconds, scroll_depth_percent, name,
    properties, refusal_reason, refusal_count
)
SELECT *
FROM UNNEST(
    $1::int4[], $2::int8[], $3::uuid[], $4::int2[], $5::timestamptz[], $6::timestamptz[], $7::uuid[],
    $8::uuid[], $9::uuid[], $10::uuid[], $11::bytea[], $12::text[], $13::text[], $14::text[],
    $15::float8[], $16::float8[], $17::text[], $18::text[]::jsonb[], $19::text[], $20::int4[]
)";

pub(super) async fn find_known(
    connection: &mut PgConnection,
    ids: &[(WorkspaceNo, EventId)],
) -> sqlx::Result<HashSet<(WorkspaceNo, EventId)>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let (workspaces, events): (Vec<i32>, Vec<Uuid>) =
        ids.iter().map(|(no, id)| (int4(*no), id.0)).unzip();
    let rows = sqlx::query(FIND_KNOWN)
        .bind(workspaces)
        .bind(events)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((workspace(row)?, EventId(row.try_get("event_id")?))))
        .collect()
}

pub(super) async fn find_sessions_of_views(
    connection: &mut PgConnection,
    views: &[(WorkspaceNo, PageviewId)],
) -> sqlx::Result<Vec<(PageviewId, SessionKey)>> {
    if views.is_empty() {
        return Ok(Vec::new());
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) =
        views.iter().map(|(no, id)| (int4(*no), id.0)).unzip();
    let rows = sqlx::query(FIND_SESSIONS_OF_VIEWS)
        .bind(workspaces)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((PageviewId(row.try_get("pageview_id")?), session_key(row)?)))
        .collect()
}

/// The views of those sessions.
pub(super) async fn load_views(
    connection: &mut PgConnection,
    sessions: &[SessionKey],
) -> sqlx::Result<BTreeMap<SessionKey, Vec<View>>> {
    let mut loaded: BTreeMap<SessionKey, Vec<View>> = BTreeMap::new();
    if sessions.is_empty() {
        return Ok(loaded);
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) =
        sessions.iter().map(|(no, id)| (int4(*no), id.0)).unzip();
    let rows = sqlx::query(LOAD_VIEWS)
        .bind(workspaces)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    for row in rows {
        let (key, view) = (session_key(&row)?, read_view(&row)?);
        loaded.entry(key).or_default().push(view);
    }
    Ok(loaded)
}

/// The leaves of those views, whenever they came.
pub(super) async fn load_leaves(
    connection: &mut PgConnection,
    views: &BTreeMap<SessionKey, Vec<View>>,
) -> sqlx::Result<BTreeMap<SessionKey, Vec<Leave>>> {
    let session_of: HashMap<(WorkspaceNo, PageviewId), SessionKey> = views
        .iter()
        .flat_map(|(key, views)| views.iter().map(|view| ((key.0, view.pageview_id), *key)))
        .collect();
    let mut loaded: BTreeMap<SessionKey, Vec<Leave>> = BTreeMap::new();
    if session_of.is_empty() {
        return Ok(loaded);
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) =
        session_of.keys().map(|(no, id)| (int4(*no), id.0)).unzip();
    let rows = sqlx::query(LOAD_LEAVES)
        .bind(workspaces)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    for row in rows {
        let leave = read_leave(&row)?;
        if let Some(key) = session_of.get(&(workspace(&row)?, leave.pageview_id)) {
            loaded.entry(*key).or_default().push(leave);
        }
    }
    Ok(loaded)
}

fn read_view(row: &PgRow) -> sqlx::Result<View> {
    Ok(View {
        at: timestamp(row, "occurred_at")?,
        event_id: EventId(row.try_get("event_id")?),
        pageview_id: PageviewId(row.try_get("pageview_id")?),
    })
}

fn read_leave(row: &PgRow) -> sqlx::Result<Leave> {
    Ok(Leave {
        at: timestamp(row, "occurred_at")?,
        event_id: EventId(row.try_get("event_id")?),
        pageview_id: PageviewId(row.try_get("pageview_id")?),
        seconds: row.try_get("duration_seconds")?,
    })
}

/// Gives views and custom events the page of their session, where that is known. Other rows of a
/// session have none: nothing counts them by page, and what waits must end like what did not.
pub(super) fn place(changes: &mut [Change], sessions: &BTreeMap<SessionKey, SessionState>) {
    let counted = [Kind::PageViewed.number(), Kind::CustomTracked.number()];
    for change in changes {
        if let Some((key, _)) = &change.session
            && counted.contains(&change.row.kind)
        {
            let started = sessions.get(key).and_then(|state| state.started.as_ref());
            change.row.page_id = started.map(|started| started.page_id);
        }
    }
}

/// Appends the batch's rows, column by column: a third of the time that the server takes to read them as JSON.
pub(super) async fn insert(connection: &mut PgConnection, changes: &[Change]) -> sqlx::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    sqlx::query(INSERT)
        .bind(column(changes, |row| int4(row.workspace_no)))
        .bind(column(changes, |row| row.seq))
        .bind(column(changes, |row| row.event_id.0))
        .bind(column(changes, |row| row.kind))
        .bind(column(changes, |row| row.occurred_at.to_sqlx()))
        .bind(column(changes, |row| row.received_at.to_sqlx()))
        .bind(column(changes, |row| row.page_id.map(|id| id.0)))
        .bind(column(changes, |row| row.session_id.map(|id| id.0)))
        .bind(column(changes, |row| row.pageview_id.map(|id| id.0)))
        .bind(column(changes, |row| row.link_id.map(|id| id.0)))
        .bind(column(changes, |row| row.user_hash.map(|hash| hash.0)))
        .bind(column(changes, |row| row.path.as_deref()))
        .bind(column(changes, |row| row.title.as_deref()))
        .bind(column(changes, |row| row.referrer.as_deref()))
        .bind(column(changes, |row| row.duration_seconds))
        .bind(column(changes, |row| row.scroll_depth_percent))
        .bind(column(changes, |row| row.name.as_deref()))
        .bind(column(changes, |row| {
            row.properties.as_ref().map(ToString::to_string)
        }))
        .bind(column(changes, |row| row.refusal_reason))
        .bind(column(changes, |row| row.refusal_count))
        .execute(connection)
        .await?;
    Ok(())
}

fn column<'a, T>(changes: &'a [Change], read: impl Fn(&'a EventRow) -> T) -> Vec<T> {
    changes.iter().map(|change| read(&change.row)).collect()
}

/// Counts what had waited for a session from this moment on: with its page, and with the seq of the
/// change that released it, since readers by seq have passed its own.
pub(super) async fn release_waiting(
    connection: &mut PgConnection,
    released: &[(SessionKey, Uuid, i64)],
) -> sqlx::Result<()> {
    if released.is_empty() {
        return Ok(());
    }
    let workspaces: Vec<i32> = released.iter().map(|((no, _), ..)| int4(*no)).collect();
    let sessions: Vec<Uuid> = released.iter().map(|((_, id), ..)| id.0).collect();
    let pages: Vec<Uuid> = released.iter().map(|(_, page, _)| *page).collect();
    let seqs: Vec<i64> = released.iter().map(|(.., seq)| *seq).collect();
    sqlx::query(RELEASE_WAITING)
        .bind(workspaces)
        .bind(sessions)
        .bind(pages)
        .bind(seqs)
        .execute(connection)
        .await?;
    Ok(())
}

/// The number as the tables hold it; reading an event has checked that it fits.
pub(super) fn int4(no: WorkspaceNo) -> i32 {
    no.as_int4().unwrap_or_default()
}

pub(super) fn session_key(row: &PgRow) -> sqlx::Result<SessionKey> {
    Ok((workspace(row)?, SessionId(row.try_get("session_id")?)))
}

pub(super) fn timestamp(row: &PgRow, column: &str) -> sqlx::Result<Timestamp> {
    row.try_get::<jiff_sqlx::Timestamp, _>(column)
        .map(jiff_sqlx::Timestamp::to_jiff)
}

fn workspace(row: &PgRow) -> sqlx::Result<WorkspaceNo> {
    let no: i32 = row.try_get("workspace_no")?;
    Ok(WorkspaceNo(no.unsigned_abs()))
}
