//! The members of workspaces.

use super::{Tx, row::row};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const LIST: &str = "\
SELECT id, sub, role, created_at
FROM members
WHERE workspace_id = $1
ORDER BY created_at, id
LIMIT $2
OFFSET $3";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM members
WHERE workspace_id = $1";

pub(super) const FIND: &str = "\
SELECT id, sub, role, created_at
FROM members
WHERE id = $1
  AND workspace_id = $2";

pub(super) const COUNT_OWNERS: &str = "\
SELECT count(*)
FROM members
WHERE workspace_id = $1
  AND role = 'owner'";

pub(super) const UPDATE: &str = "\
UPDATE members
SET role = $2
WHERE id = $1
RETURNING id, sub, role, created_at";

pub(super) const DELETE: &str = "\
DELETE FROM members
WHERE id = $1";

row! {
    /// A member.
    #[derive(Clone, Debug)]
    pub(crate) struct Member {
        pub(crate) id: Uuid,
        pub(crate) sub: String,
        pub(crate) role: String,
        pub(crate) created_at: jiff_sqlx::Timestamp,
    }
}

/// A page of a workspace's members, in the order in which they joined.
pub(crate) async fn list(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
    (limit, offset): (i64, i64),
) -> sqlx::Result<Vec<Member>> {
    sqlx::query_as(LIST)
        .bind(workspace_id)
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await
}

/// How many members a workspace has.
pub(crate) async fn count(executor: impl PgExecutor<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT)
        .bind(workspace_id)
        .fetch_one(executor)
        .await
}

/// How many owners a workspace has.
pub(crate) async fn count_owners(tx: &mut Tx<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT_OWNERS)
        .bind(workspace_id)
        .fetch_one(&mut **tx)
        .await
}

/// A member of a workspace.
pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<Member>> {
    sqlx::query_as(FIND)
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(executor)
        .await
}

/// Changes the role of a member.
pub(crate) async fn update(tx: &mut Tx<'_>, id: Uuid, role: &str) -> sqlx::Result<Member> {
    sqlx::query_as(UPDATE)
        .bind(id)
        .bind(role)
        .fetch_one(&mut **tx)
        .await
}

/// Removes a member.
pub(crate) async fn delete(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(DELETE).bind(id).execute(&mut **tx).await?;
    Ok(())
}
