//! The table `sessions`: loading what is known of some, saving what they have become.

use super::{
    events::{int4, session_key, timestamp},
    session_row::{self, SessionRow},
};
use crate::fold::{Identified, SessionKey, SessionState, Started};
use jiff_sqlx::ToSqlx;
use schemas::{EventId, PageId, UserHash};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(super) const LOAD: &str = "
SELECT workspace_no, session_id, seq, started_at, start_event_id, page_id, user_hash, identified_at,
       identified_by, last_activity_at, heartbeats, page_views, left_views, viewed_seconds
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, session_id)
JOIN sessions USING (workspace_no, session_id)";

pub(super) const DELETE: &str = "
DELETE FROM sessions
USING UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, session_id)
WHERE sessions.workspace_no = asked.workspace_no AND sessions.session_id = asked.session_id";

pub(super) const SAVE_STATE: &str = "
INSERT INTO sessions (
    workspace_no, session_id, seq, last_activity_at, heartbeats, page_views, bounced, left_views,
    viewed_seconds, duration_seconds, user_hash, identified_at, identified_by
)
SELECT *
FROM UNNEST(
    $1::int4[], $2::uuid[], $3::int8[], $4::timestamptz[], $5::int4[], $6::int4[], $7::bool[], $8::int4[],
    $9::float8[], $10::float8[], $11::bytea[], $12::timestamptz[], $13::uuid[]
)
ON CONFLICT (workspace_no, session_id) DO UPDATE
SET seq = excluded.seq,
    last_activity_at = excluded.last_activity_at,
    heartbeats = excluded.heartbeats,
    page_views = excluded.page_views,
    bounced = excluded.bounced,
    left_views = excluded.left_views,
    viewed_seconds = excluded.viewed_seconds,
    duration_seconds = excluded.duration_seconds,
    user_hash = excluded.user_hash,
    identified_at = excluded.identified_at,
    identified_by = excluded.identified_by";

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
    let started_at: Option<jiff_sqlx::Timestamp> = row.try_get("started_at")?;
    let start_event_id: Option<Uuid> = row.try_get("start_event_id")?;
    let page_id: Option<Uuid> = row.try_get("page_id")?;
    let started = match (started_at, start_event_id, page_id) {
        (Some(at), Some(event_id), Some(page_id)) => Some(Started {
            at: at.to_jiff(),
            event_id: EventId(event_id),
            page_id: PageId(page_id),
            dimensions: None,
        }),
        _ => None,
    };
    let identified_at: Option<jiff_sqlx::Timestamp> = row.try_get("identified_at")?;
    let identified_by: Option<Uuid> = row.try_get("identified_by")?;
    let user_hash: Option<Vec<u8>> = row.try_get("user_hash")?;
    let identified = match (identified_at, identified_by, user_hash) {
        (Some(at), Some(event_id), Some(hash)) => Some(Identified {
            at: at.to_jiff(),
            event_id: EventId(event_id),
            user_hash: UserHash(
                hash.try_into()
                    .map_err(|_| wrong_length("sessions.user_hash"))?,
            ),
        }),
        _ => None,
    };
    Ok(SessionState {
        seq: row.try_get("seq")?,
        started,
        identified,
        last_activity_at: Some(timestamp(row, "last_activity_at")?),
        heartbeats: row.try_get("heartbeats")?,
        page_views: row.try_get("page_views")?,
        left_views: row.try_get("left_views")?,
        viewed_seconds: row.try_get("viewed_seconds")?,
    })
}

fn wrong_length(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{column} must be 16 bytes long").into())
}

/// Saves sessions: those that began in this batch whole, of the others only what changes. `known` has those
/// of which the table has a row, which is in the state already.
pub(super) async fn save(
    connection: &mut PgConnection,
    sessions: &BTreeMap<SessionKey, SessionState>,
    begun: &BTreeSet<SessionKey>,
    known: &BTreeSet<SessionKey>,
) -> sqlx::Result<()> {
    let replaced: Vec<SessionKey> = begun.intersection(known).copied().collect();
    delete(connection, &replaced).await?;
    let rows: Vec<SessionRow<'_>> = begun
        .iter()
        .filter_map(|key| SessionRow::new(*key, sessions.get(key)?))
        .collect();
    session_row::insert(connection, &rows).await?;
    let others: Vec<(&SessionKey, &SessionState)> = sessions
        .iter()
        .filter(|(key, _)| !begun.contains(key))
        .collect();
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

async fn save_state(
    connection: &mut PgConnection,
    sessions: &[(&SessionKey, &SessionState)],
) -> sqlx::Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let column = |read: fn(&SessionState) -> i32| -> Vec<i32> {
        sessions.iter().map(|(_, state)| read(state)).collect()
    };
    let seconds = |read: fn(&SessionState) -> f64| -> Vec<f64> {
        sessions.iter().map(|(_, state)| read(state)).collect()
    };
    let identified: Vec<Option<Identified>> =
        sessions.iter().map(|(_, state)| state.identified).collect();
    let last_activity: Vec<jiff_sqlx::Timestamp> = sessions
        .iter()
        .map(|(_, state)| state.last_activity_at.unwrap_or_default().to_sqlx())
        .collect();
    sqlx::query(SAVE_STATE)
        .bind(
            sessions
                .iter()
                .map(|((no, _), _)| int4(*no))
                .collect::<Vec<_>>(),
        )
        .bind(sessions.iter().map(|((_, id), _)| id.0).collect::<Vec<_>>())
        .bind(
            sessions
                .iter()
                .map(|(_, state)| state.seq)
                .collect::<Vec<_>>(),
        )
        .bind(last_activity)
        .bind(column(|state| state.heartbeats))
        .bind(column(|state| state.page_views))
        .bind(
            sessions
                .iter()
                .map(|(_, state)| state.bounced())
                .collect::<Vec<_>>(),
        )
        .bind(column(|state| state.left_views))
        .bind(seconds(|state| state.viewed_seconds))
        .bind(seconds(SessionState::duration_seconds))
        .bind(
            identified
                .iter()
                .map(|by| by.map(|by| by.user_hash.0.to_vec()))
                .collect::<Vec<_>>(),
        )
        .bind(
            identified
                .iter()
                .map(|by| by.map(|by| by.at.to_sqlx()))
                .collect::<Vec<_>>(),
        )
        .bind(
            identified
                .iter()
                .map(|by| by.map(|by| by.event_id.0))
                .collect::<Vec<_>>(),
        )
        .execute(connection)
        .await?;
    Ok(())
}
