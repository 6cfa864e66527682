//! Reads and writes the table `waiting`: events that are kept until their session or view arrives.

use super::{change::Change, hits::ViewKey};
use crate::{
    fold::SessionKey,
    rows::{
        WaitingRow,
        columns::{Columns, ReadRow, insert_into},
    },
};
use schemas::{Event, WorkspaceNo};
use sqlx::{PgConnection, postgres::PgRow};
use std::{
    collections::{BTreeSet, HashSet},
    sync::LazyLock,
};
use uuid::Uuid;

pub(super) fn statements() -> Vec<&'static str> {
    vec![FIND_TENANTS, LOAD_OF_SESSIONS, LOAD_LEAVES, DELETE, &INSERT]
}

/// Finds the tenants that have waiting events. Nearly always there are none, and one look-up per
/// tenant replaces one per session and view. `session_id` decides which of two partial indexes serves.
pub(super) const FIND_TENANTS: &str = "
SELECT workspace_no
FROM UNNEST($1::int4[]) AS asked (workspace_no)
WHERE EXISTS (
        SELECT FROM waiting
        WHERE workspace_no = asked.workspace_no AND session_id IS NOT NULL
    )
    OR EXISTS (
        SELECT FROM waiting
        WHERE workspace_no = asked.workspace_no AND session_id IS NULL
    )";

/// Locks the rows, so that none of them expires before the batch is written.
pub(super) const LOAD_OF_SESSIONS: &str = "
SELECT found.*
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, id)
CROSS JOIN LATERAL (
    SELECT *
    FROM waiting
    WHERE workspace_no = asked.workspace_no AND session_id = asked.id
    FOR UPDATE
) AS found";

/// Locks the rows too. `session_id IS NULL` selects leaves, because a view also names its session.
pub(super) const LOAD_LEAVES: &str = "
SELECT found.*
FROM UNNEST($1::int4[], $2::uuid[]) AS asked (workspace_no, id)
CROSS JOIN LATERAL (
    SELECT *
    FROM waiting
    WHERE workspace_no = asked.workspace_no AND pageview_id = asked.id AND session_id IS NULL
    FOR UPDATE
) AS found";

pub(super) const DELETE: &str = "
DELETE FROM waiting
USING UNNEST($1::int4[], $2::uuid[]) AS counted (workspace_no, event_id)
WHERE waiting.workspace_no = counted.workspace_no AND waiting.event_id = counted.event_id";

pub(super) static INSERT: LazyLock<String> =
    LazyLock::new(|| insert_into("waiting", &[WaitingRow::COLUMNS]));

/// Of these tenants, finds those that have waiting events.
pub(super) async fn find_tenants(
    connection: &mut PgConnection,
    tenants: BTreeSet<WorkspaceNo>,
) -> sqlx::Result<HashSet<WorkspaceNo>> {
    let tenants: Vec<i32> = tenants.into_iter().map(super::int4).collect();
    let rows = sqlx::query(FIND_TENANTS)
        .bind(tenants)
        .fetch_all(connection)
        .await?;
    rows.iter().map(super::workspace).collect()
}

/// Loads the events of these tenants that wait for these sessions.
pub(super) async fn load_of_sessions(
    connection: &mut PgConnection,
    tenants: &HashSet<WorkspaceNo>,
    sessions: &[SessionKey],
) -> sqlx::Result<Vec<Change>> {
    let sessions = sessions.iter().filter(|(no, _)| tenants.contains(no));
    let keys = sessions.map(|(no, id)| (super::int4(*no), id.0));
    load(connection, LOAD_OF_SESSIONS, keys.collect()).await
}

/// Loads the leaves of these tenants that wait for these views.
pub(super) async fn load_leaves(
    connection: &mut PgConnection,
    tenants: &HashSet<WorkspaceNo>,
    views: &[ViewKey],
) -> sqlx::Result<Vec<Change>> {
    let views = views.iter().filter(|(no, _)| tenants.contains(no));
    let keys = views.map(|(no, id)| (super::int4(*no), id.0));
    load(connection, LOAD_LEAVES, keys.collect()).await
}

async fn load(
    connection: &mut PgConnection,
    statement: &'static str,
    keys: Vec<(i32, Uuid)>,
) -> sqlx::Result<Vec<Change>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (workspaces, ids): (Vec<i32>, Vec<Uuid>) = keys.into_iter().unzip();
    let rows = sqlx::query(statement)
        .bind(workspaces)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> sqlx::Result<Change> {
    let row = WaitingRow::read(row)?;
    let event = Event::from_bytes(&row.record).map_err(|error| {
        // Another build wrote it, for example a newer one before a downgrade.
        let what = format!("waiting.record of event {}: {error}", row.event_id);
        sqlx::Error::Decode(what.into())
    })?;
    Ok(Change::waiting(event, row.seq))
}

/// Saves the events of a batch that do not count, and deletes waiting events that count now.
pub(super) async fn save(connection: &mut PgConnection, changes: &[Change]) -> sqlx::Result<()> {
    let counted = changes
        .iter()
        .filter(|change| change.has_waited && change.counts());
    let keys = counted.map(|change| {
        (
            super::int4(change.event.workspace_no),
            change.event.event_id.0,
        )
    });
    let (workspaces, events): (Vec<i32>, Vec<Uuid>) = keys.unzip();
    if !events.is_empty() {
        sqlx::query(DELETE)
            .bind(workspaces)
            .bind(events)
            .execute(&mut *connection)
            .await?;
    }
    let waiting = changes
        .iter()
        .filter(|change| !change.has_waited && !change.counts());
    let rows: Vec<WaitingRow> = waiting.filter_map(row).collect();
    super::execute(connection, &INSERT, &rows).await
}

fn row(change: &Change) -> Option<WaitingRow> {
    let summary = &change.summary;
    Some(WaitingRow {
        seq: summary.seq,
        received_at: summary.received_at,
        workspace_no: summary.workspace_no,
        event_id: summary.event_id,
        session_id: summary.session_id,
        pageview_id: summary.pageview_id,
        // Serializing our types never fails.
        record: change.event.to_bytes().ok()?,
    })
}
