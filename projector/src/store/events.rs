//! The table `events`: what is known, what waits for a session, appending, and what begins to count.

use crate::fold::{Change, EventRow, SessionKey, Summary};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{EventId, PageId, PageviewId, SessionId, UserHash, WorkspaceNo};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::HashSet;
use uuid::Uuid;

pub(super) const FIND_KNOWN: &str = "
SELECT known.workspace_no, known.event_id
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, event_id)
JOIN events AS known USING (workspace_no, event_id)";

/// Locked, so that none of them expires before the batch is written. That also keeps the planner from joining
/// the other way round, through everything that waits.
pub(super) const LOAD_WAITING: &str = "
SELECT waiting.*
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, session_id)
CROSS JOIN LATERAL (
    SELECT workspace_no, seq, event_id, kind, occurred_at, received_at, session_id, pageview_id, user_hash,
           duration_seconds
    FROM events
    WHERE workspace_no = asked.workspace_no AND session_id = asked.session_id AND visible_seq IS NULL
    FOR UPDATE
) AS waiting";

pub(super) const RELEASE: &str = "
UPDATE events
SET visible_seq = released.visible_seq, page_id = released.page_id
FROM UNNEST($1::int4[], $2::uuid[], $3::int8[], $4::uuid[]) AS released (workspace_no, event_id, visible_seq, page_id)
WHERE events.workspace_no = released.workspace_no AND events.event_id = released.event_id";

pub(super) const INSERT: &str = "
INSERT INTO events (
    workspace_no, seq, visible_seq, event_id, kind, occurred_at, received_at, page_id, session_id,
    pageview_id, link_id, user_hash, path, title, referrer, duration_seconds, scroll_depth_percent, name,
    properties, refusal_reason, refusal_count
)
SELECT *
FROM UNNEST(
    $1::int4[], $2::int8[], $3::int8[], $4::uuid[], $5::int2[], $6::timestamptz[], $7::timestamptz[],
    $8::uuid[], $9::uuid[], $10::uuid[], $11::uuid[], $12::bytea[], $13::text[], $14::text[], $15::text[],
    $16::float8[], $17::float8[], $18::text[], $19::text[]::jsonb[], $20::text[], $21::int4[]
)";

/// A row that had waited and begins to count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Released {
    pub(super) workspace_no: WorkspaceNo,
    pub(super) event_id: EventId,
    pub(super) visible_seq: i64,
    pub(super) page_id: Option<PageId>,
}

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

/// What names those sessions and does not count.
pub(super) async fn load_waiting(
    connection: &mut PgConnection,
    sessions: &[SessionKey],
) -> sqlx::Result<Vec<Summary>> {
    if sessions.is_empty() {
        return Ok(Vec::new());
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) =
        sessions.iter().map(|(no, id)| (int4(*no), id.0)).unzip();
    let rows = sqlx::query(LOAD_WAITING)
        .bind(workspaces)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read_summary).collect()
}

pub(super) fn read_summary(row: &PgRow) -> sqlx::Result<Summary> {
    let session_id: Option<Uuid> = row.try_get("session_id")?;
    let pageview_id: Option<Uuid> = row.try_get("pageview_id")?;
    Ok(Summary {
        workspace_no: workspace(row)?,
        seq: row.try_get("seq")?,
        event_id: EventId(row.try_get("event_id")?),
        kind: row.try_get("kind")?,
        occurred_at: timestamp(row, "occurred_at")?,
        received_at: timestamp(row, "received_at")?,
        session_id: session_id.map(SessionId),
        pageview_id: pageview_id.map(PageviewId),
        user_hash: user_hash(row, "events.user_hash")?,
        duration_seconds: row.try_get("duration_seconds")?,
    })
}

/// Appends the batch's rows, column by column: a third of the time that the server takes to read them as JSON.
pub(super) async fn insert(connection: &mut PgConnection, changes: &[Change]) -> sqlx::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    sqlx::query(INSERT)
        .bind(column(changes, |row| int4(row.workspace_no)))
        .bind(column(changes, |row| row.seq))
        .bind(column(changes, |row| row.visible_seq))
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

/// Counts rows that had waited from this moment on.
pub(super) async fn release(
    connection: &mut PgConnection,
    released: &[Released],
) -> sqlx::Result<()> {
    if released.is_empty() {
        return Ok(());
    }
    let workspaces: Vec<i32> = released.iter().map(|row| int4(row.workspace_no)).collect();
    let events: Vec<Uuid> = released.iter().map(|row| row.event_id.0).collect();
    let seqs: Vec<i64> = released.iter().map(|row| row.visible_seq).collect();
    let pages: Vec<Option<Uuid>> = released
        .iter()
        .map(|row| row.page_id.map(|page| page.0))
        .collect();
    sqlx::query(RELEASE)
        .bind(workspaces)
        .bind(events)
        .bind(seqs)
        .bind(pages)
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

pub(super) fn workspace(row: &PgRow) -> sqlx::Result<WorkspaceNo> {
    let no: i32 = row.try_get("workspace_no")?;
    Ok(WorkspaceNo(no.unsigned_abs()))
}

/// The hash in `user_hash`; `column` names it in an error.
pub(super) fn user_hash(row: &PgRow, column: &str) -> sqlx::Result<Option<UserHash>> {
    let hash: Option<Vec<u8>> = row.try_get("user_hash")?;
    let Some(hash) = hash else { return Ok(None) };
    let hash = hash.try_into().map_err(|_| {
        let what = format!("{column} must be 16 bytes long");
        sqlx::Error::Decode(what.into())
    })?;
    Ok(Some(UserHash(hash)))
}
