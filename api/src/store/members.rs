//! The members of workspaces.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] =
    statements![LIST, COUNT, FIND, COUNT_OWNERS, UPDATE, DELETE];

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

impl Stored for Member {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = COUNT;
    type Filter = ();

    fn bind((): &(), statement: Bound) -> Bound {
        statement
    }
}

/// How many members a workspace has.
pub(crate) async fn count(executor: impl PgExecutor<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(executor, COUNT, workspace_id).await
}

/// How many owners a workspace has.
pub(crate) async fn count_owners(tx: &mut Tx<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT_OWNERS)
        .bind(workspace_id)
        .fetch_one(&mut **tx)
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
