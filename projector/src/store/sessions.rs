//! The table `sessions`: loading what is known of some, saving what they have become.

use super::{
    events::{int4, session_key, timestamp, user_hash},
    session_row::{self, SessionRow},
};
use crate::fold::{Identified, SessionKey, SessionState, Started, duration::Viewed};
use jiff_sqlx::ToSqlx;
use schemas::{EventId, PageId};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const LOAD: &str = "
SELECT workspace_no, session_id, seq, started_at, start_event_id, start_received_at, page_id, user_hash,
       identified_at, identified_by, last_activity_at, heartbeats, page_views, left_views, viewed_micros
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, session_id)
JOIN sessions USING (workspace_no, session_id)";

pub(super) const DELETE: &str = "
DELETE FROM sessions
USING UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, session_id)
WHERE sessions.workspace_no = asked.workspace_no AND sessions.session_id = asked.session_id";

pub(super) const SAVE_STATE: &str = "
UPDATE sessions
SET last_activity_at = state.last_activity_at,
    heartbeats = state.heartbeats,
    page_views = state.page_views,
    bounced = state.bounced,
    left_views = state.left_views,
    viewed_micros = state.viewed_micros,
    duration_seconds = state.duration_seconds,
    user_hash = state.user_hash,
    identified_at = state.identified_at,
    identified_by = state.identified_by
FROM UNNEST(
    $1::int4[], $2::uuid[], $3::timestamptz[], $4::int4[], $5::int4[], $6::bool[], $7::int4[], $8::int8[],
    $9::float8[], $10::bytea[], $11::timestamptz[], $12::uuid[]
) AS state (
    workspace_no, session_id, last_activity_at, heartbeats, page_views, bounced, left_views, viewed_micros,
    duration_seconds, user_hash, identified_at, identified_by
)
WHERE sessions.workspace_no = state.workspace_no AND sessions.session_id = state.session_id";

/// What the table knows of those sessions, without the columns that only a start fills.
pub(super) async fn load(
    connection: &mut PgConnection,
    keys: &[SessionKey],
) -> sqlx::Result<BTreeMap<SessionKey, SessionState>> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) =
        keys.iter().map(|(no, id)| (int4(*no), id.0)).unzip();
    let rows = sqlx::query(LOAD)
        .bind(workspaces)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((session_key(row)?, read(row)?)))
        .collect()
}

fn read(row: &PgRow) -> sqlx::Result<SessionState> {
    let started = Started {
        at: timestamp(row, "started_at")?,
        event_id: EventId(row.try_get("start_event_id")?),
        received_at: timestamp(row, "start_received_at")?,
        seq: row.try_get("seq")?,
        page_id: PageId(row.try_get("page_id")?),
        dimensions: None,
    };
    let identified_at: Option<jiff_sqlx::Timestamp> = row.try_get("identified_at")?;
    let identified_by: Option<Uuid> = row.try_get("identified_by")?;
    let identified = match (
        identified_at,
        identified_by,
        user_hash(row, "sessions.user_hash")?,
    ) {
        (Some(at), Some(event_id), Some(user_hash)) => Some(Identified {
            at: at.to_jiff(),
            event_id: EventId(event_id),
            user_hash,
        }),
        _ => None,
    };
    Ok(SessionState {
        started: Some(started),
        identified,
        last_activity_at: Some(timestamp(row, "last_activity_at")?),
        heartbeats: row.try_get("heartbeats")?,
        page_views: row.try_get("page_views")?,
        viewed: Viewed {
            left_views: row.try_get("left_views")?,
            micros: row.try_get("viewed_micros")?,
        },
    })
}

/// A session that a batch changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved<'a> {
    pub(super) key: SessionKey,
    pub(super) state: &'a SessionState,
    /// Whether the table has a row of it, which is in the state already.
    pub(super) is_known: bool,
}

/// Saves sessions: whole if their start is in this batch, else only what changes.
pub(super) async fn save(
    connection: &mut PgConnection,
    sessions: &[Saved<'_>],
) -> sqlx::Result<()> {
    let (begun, others): (Vec<Saved<'_>>, Vec<Saved<'_>>) =
        sessions.iter().partition(|saved| saved.state.begins());
    // Only another start of the same session, which ids rule out, finds a row.
    let replaced: Vec<SessionKey> = begun
        .iter()
        .filter(|saved| saved.is_known)
        .map(|saved| saved.key)
        .collect();
    delete(connection, &replaced).await?;
    let rows: Vec<SessionRow<'_>> = begun
        .iter()
        .filter_map(|saved| SessionRow::new(saved.key, saved.state))
        .collect();
    session_row::insert(connection, &rows).await?;
    save_state(connection, &others).await
}

async fn delete(connection: &mut PgConnection, keys: &[SessionKey]) -> sqlx::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) =
        keys.iter().map(|(no, id)| (int4(*no), id.0)).unzip();
    sqlx::query(DELETE)
        .bind(workspaces)
        .bind(ids)
        .execute(connection)
        .await?;
    Ok(())
}

async fn save_state(connection: &mut PgConnection, sessions: &[Saved<'_>]) -> sqlx::Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    sqlx::query(SAVE_STATE)
        .bind(keys(sessions, |(no, _)| int4(no)))
        .bind(keys(sessions, |(_, id)| id.0))
        .bind(column(sessions, |state| {
            state.last_activity_at.unwrap_or_default().to_sqlx()
        }))
        .bind(column(sessions, |state| state.heartbeats))
        .bind(column(sessions, |state| state.page_views))
        .bind(column(sessions, SessionState::bounced))
        .bind(column(sessions, |state| state.viewed.left_views))
        .bind(column(sessions, |state| state.viewed.micros))
        .bind(column(sessions, SessionState::duration_seconds))
        .bind(column(sessions, |state| {
            state.identified.map(|by| by.user_hash.0)
        }))
        .bind(column(sessions, |state| {
            state.identified.map(|by| by.at.to_sqlx())
        }))
        .bind(column(sessions, |state| {
            state.identified.map(|by| by.event_id.0)
        }))
        .execute(connection)
        .await?;
    Ok(())
}

fn keys<T>(sessions: &[Saved<'_>], read: impl Fn(SessionKey) -> T) -> Vec<T> {
    sessions.iter().map(|saved| read(saved.key)).collect()
}

fn column<T>(sessions: &[Saved<'_>], read: impl Fn(&SessionState) -> T) -> Vec<T> {
    sessions.iter().map(|saved| read(saved.state)).collect()
}
