//! Creators: which creator a token's subject is, and which reports it may read.

use super::{Statement, Tx, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{WorkspaceNo, directory};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] =
    statements![BY_SUB, BY_ID_AND_SUB, CONFLICTS, INSERT, GRANT];

pub(super) const BY_SUB: &str = "\
SELECT creators.id, workspace_id, workspaces.no, username, display_name, creators.created_at
FROM creators
JOIN workspaces ON workspaces.id = workspace_id
WHERE sub = $1";

pub(super) const BY_ID_AND_SUB: &str = "\
SELECT creators.id, workspace_id, workspaces.no, username, display_name, creators.created_at
FROM creators
JOIN workspaces ON workspaces.id = workspace_id
WHERE creators.id = $1
  AND sub = $2";

pub(super) const CONFLICTS: &str = "\
SELECT coalesce(bool_or(sub = $1), false), coalesce(bool_or(username = $2), false)
FROM creators
WHERE sub = $1
   OR username = $2";

pub(super) const INSERT: &str = "\
INSERT INTO creators (id, workspace_id, sub, username, display_name, created_at)
VALUES ($1, $2, $3, $4, $5, $6)";

// The requested page if it is the creator's, else none; the first one if no page is requested.
pub(super) const GRANT: &str = "\
SELECT creators.id AS creator_id, workspaces.no AS workspace_no, page.id AS page_id
FROM creators
JOIN workspaces ON workspaces.id = workspace_id
LEFT JOIN LATERAL (
    SELECT id
    FROM bio_pages
    WHERE creator_id = creators.id
      AND ($2::uuid IS NULL OR id = $2)
    ORDER BY position, created_at, id
    LIMIT 1
) AS page ON true
WHERE sub = $1";

row! {
    /// A creator with its workspace.
    #[derive(Clone, Debug)]
    pub(crate) struct Creator {
        pub(crate) id: Uuid,
        pub(crate) workspace_id: Uuid,
        no: i32,
        pub(crate) username: String,
        pub(crate) display_name: String,
        created_at: jiff_sqlx::Timestamp,
    }
}

impl Creator {
    /// When it was created.
    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at.to_jiff()
    }

    /// The workspace's number on the wire.
    pub(crate) fn workspace_no(&self) -> WorkspaceNo {
        workspace_no(self.no)
    }
}

/// A number from PostgreSQL's `int4`, which is positive because the column's identity starts at 1.
pub(crate) fn workspace_no(no: i32) -> WorkspaceNo {
    WorkspaceNo(no.unsigned_abs())
}

row! {
    /// What a token's subject may read: its workspace, and one of its pages.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Granted {
        pub(crate) creator_id: Uuid,
        pub(crate) workspace_no: i32,
        /// `None` when the requested page is not the creator's.
        pub(crate) page_id: Option<Uuid>,
    }
}

/// The creator of a token's subject.
pub(crate) async fn find_by_sub(
    executor: impl PgExecutor<'_>,
    sub: &str,
) -> sqlx::Result<Option<Creator>> {
    sqlx::query_as(BY_SUB)
        .bind(sub)
        .fetch_optional(executor)
        .await
}

/// The creator of that id, if it is the subject's.
pub(crate) async fn find_owned(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    sub: &str,
) -> sqlx::Result<Option<Creator>> {
    sqlx::query_as(BY_ID_AND_SUB)
        .bind(id)
        .bind(sub)
        .fetch_optional(executor)
        .await
}

/// What the subject may read: that page or its first one; `None` without a creator.
pub(crate) async fn grant(
    pool: &PgPool,
    sub: &str,
    page_id: Option<Uuid>,
) -> sqlx::Result<Option<Granted>> {
    sqlx::query_as(GRANT)
        .bind(sub)
        .bind(page_id)
        .fetch_optional(pool)
        .await
}

/// Whether the subject has a creator, and whether the username is taken.
pub(crate) async fn find_conflicts(
    tx: &mut Tx<'_>,
    sub: &str,
    username: &str,
) -> sqlx::Result<(bool, bool)> {
    sqlx::query_as(CONFLICTS)
        .bind(sub)
        .bind(username)
        .fetch_one(&mut **tx)
        .await
}

/// Creates a creator. The constraints `creators_sub_key` and `creators_username_key` decide between
/// concurrent requests.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    (id, workspace): (Uuid, &directory::Workspace),
    sub: &str,
    (username, display_name): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<Creator> {
    sqlx::query(INSERT)
        .bind(id)
        .bind(workspace.workspace_id.0)
        .bind(sub)
        .bind(username)
        .bind(display_name)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(Creator {
        id,
        workspace_id: workspace.workspace_id.0,
        no: workspace.workspace_no.as_int4().unwrap_or_default(),
        username: username.to_owned(),
        display_name: display_name.to_owned(),
        created_at: now.to_sqlx(),
    })
}
