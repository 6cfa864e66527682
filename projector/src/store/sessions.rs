//! Loads the states of sessions from the table `sessions`, and saves changed ones.

use super::{
    append::Append,
    lookup::{self, Span},
};
use crate::{
    fold::{Identified, SessionKey, SessionState, Started, duration::Viewed},
    rows::{
        Dimensions, SessionRow, StateColumns,
        columns::{Columns, ReadRow, names, unnest},
    },
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, postgres::PgRow};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

pub(super) fn statements() -> Vec<&'static str> {
    vec![&LOAD, DELETE, &APPEND.insert, &UPDATE]
}

/// The number of leading columns that a start fixes. An update finds the row by some of them and
/// changes none.
const FIXED: usize = 7;

pub(super) static LOAD: LazyLock<String> = LazyLock::new(|| {
    lookup::by_id(
        "sessions",
        "session_id",
        "started_at",
        StateColumns::COLUMNS,
    )
});

pub(super) const DELETE: &str = "
DELETE FROM sessions
USING UNNEST($1::int4[], $2::int8[], $3::timestamptz[]) AS replaced (workspace_no, seq, started_at)
WHERE sessions.workspace_no = replaced.workspace_no
  AND sessions.seq = replaced.seq
  AND sessions.started_at = replaced.started_at";

pub(super) static APPEND: LazyLock<Append> =
    LazyLock::new(|| Append::to::<SessionRow<'_>>("sessions"));

pub(super) static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns = StateColumns::COLUMNS;
    let set: Vec<String> = columns
        .iter()
        .skip(FIXED)
        .map(|(name, _)| format!("{name} = state.{name}"))
        .collect();
    format!(
        "
UPDATE sessions
SET {set}
FROM {unnest} AS state ({names})
WHERE sessions.workspace_no = state.workspace_no
  AND sessions.seq = state.seq
  AND sessions.started_at = state.started_at",
        set = set.join(", "),
        unnest = unnest(columns),
        names = names(columns)
    )
});

/// A session to look up, with the times of the events that name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) key: SessionKey,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// The key of a session's row, besides the workspace.
pub(super) type RowKey = (i64, Timestamp);

/// Loads the states of these sessions, without the columns that only a start fills.
///
/// `begun` are the sessions that start in the batch. We make the ids, so the table has no such
/// session in another month.
pub(super) async fn load(
    connection: &mut PgConnection,
    named: &[Asked],
    begun: &BTreeSet<SessionKey>,
) -> sqlx::Result<BTreeMap<SessionKey, SessionState>> {
    let sought = |(no, id): SessionKey, span: Span| ((no, id.0), span);
    let near: Vec<_> = named
        .iter()
        .map(|named| sought(named.key, lookup::around(named.first, named.last)))
        .collect();
    let mut known = read(&lookup::find(connection, &LOAD, &near).await?)?;
    let far: Vec<_> = named
        .iter()
        .filter(|named| !known.contains_key(&named.key) && !begun.contains(&named.key))
        .map(|named| sought(named.key, lookup::ANY_TIME))
        .collect();
    known.extend(read(&lookup::find(connection, &LOAD, &far).await?)?);
    Ok(known)
}

fn read(rows: &[PgRow]) -> sqlx::Result<BTreeMap<SessionKey, SessionState>> {
    rows.iter()
        .map(|row| {
            let row = StateColumns::read(row)?;
            Ok(((row.workspace_no, row.session_id), state(&row)))
        })
        .collect()
}

fn state(row: &StateColumns) -> SessionState {
    let identified = match (row.identified_at, row.identified_by, row.user_hash) {
        (Some(at), Some(event_id), Some(user_hash)) => Some(Identified {
            at,
            event_id,
            user_hash,
        }),
        _ => None,
    };
    SessionState {
        started: Some(Started {
            at: row.started_at,
            event_id: row.start_event_id,
            received_at: row.start_received_at,
            seq: row.seq,
            page_id: row.page_id,
            dimensions: None,
        }),
        identified,
        last_activity_at: Some(row.last_activity_at),
        heartbeats: row.heartbeats,
        page_views: row.page_views,
        viewed: Viewed {
            left_views: row.left_views,
            micros: row.viewed_micros,
        },
    }
}

/// A session that a batch changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved<'a> {
    pub(super) key: SessionKey,
    pub(super) state: &'a SessionState,
    /// Its row in the table, which the state includes.
    pub(super) stored: Option<RowKey>,
}

impl Saved<'_> {
    /// The columns of the state; `None` for a session without a start.
    fn columns(&self) -> Option<StateColumns> {
        let state = self.state;
        let started = state.started.as_ref()?;
        let (workspace_no, session_id) = self.key;
        Some(StateColumns {
            seq: started.seq,
            started_at: started.at,
            start_received_at: started.received_at,
            workspace_no,
            session_id,
            start_event_id: started.event_id,
            page_id: started.page_id,
            last_activity_at: state.last_activity_at.unwrap_or(started.at),
            viewed_micros: state.viewed.micros,
            duration_seconds: state.duration_seconds(),
            heartbeats: state.heartbeats,
            page_views: state.page_views,
            left_views: state.viewed.left_views,
            bounced: state.bounced(),
            identified_at: state.identified.map(|identified| identified.at),
            identified_by: state.identified.map(|identified| identified.event_id),
            user_hash: state.identified.map(|identified| identified.user_hash),
        })
    }

    /// The whole row; `None` unless the batch has the start.
    fn row(&self) -> Option<SessionRow<'_>> {
        let fixed: &Dimensions = self.state.started.as_ref()?.dimensions.as_deref()?;
        let state = self.columns()?;
        Some(SessionRow { state, fixed })
    }
}

/// Saves sessions: the whole row if the start is in this batch, else only the columns that change.
pub(super) async fn save(
    connection: &mut PgConnection,
    sessions: &[Saved<'_>],
) -> sqlx::Result<()> {
    let (begun, others): (Vec<Saved<'_>>, Vec<Saved<'_>>) =
        sessions.iter().partition(|saved| saved.state.begins());
    // A new start finds a row only if a foreign log has two starts of one session. The row is
    // replaced as a whole.
    let replaced = begun
        .iter()
        .filter_map(|saved| Some((saved.key, saved.stored?)));
    delete(connection, &replaced.collect::<Vec<_>>()).await?;
    let rows: Vec<SessionRow<'_>> = begun.iter().filter_map(Saved::row).collect();
    APPEND.rows(connection, &rows).await?;
    let states: Vec<StateColumns> = others.iter().filter_map(Saved::columns).collect();
    super::execute(connection, &UPDATE, &states).await
}

async fn delete(
    connection: &mut PgConnection,
    replaced: &[(SessionKey, RowKey)],
) -> sqlx::Result<()> {
    if replaced.is_empty() {
        return Ok(());
    }
    let workspaces = replaced.iter().map(|((no, _), _)| super::int4(*no));
    let seqs = replaced.iter().map(|(_, (seq, _))| *seq);
    let times = replaced.iter().map(|(_, (_, at))| at.to_sqlx());
    sqlx::query(DELETE)
        .bind(workspaces.collect::<Vec<i32>>())
        .bind(seqs.collect::<Vec<i64>>())
        .bind(times.collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
