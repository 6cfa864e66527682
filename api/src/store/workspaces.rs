//! Workspaces and their members: whose they are, and what a user is in them.
//!
//! The one rule: a deleted workspace (`ended_at`) keeps its row and everything in it. So each
//! statement that finds a workspace for a caller leaves it out.

use super::{Statement, Tx, creators::workspace_no, row::row, statements};
use crate::auth::Plan;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use runtime::IdSource;
use schemas::{WorkspaceId, WorkspaceNo, directory};
use serde::Serialize;
use sqlx::{FromRow, PgExecutor, Row, postgres::PgRow};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    INSERT,
    INSERT_MEMBER,
    MEMBERSHIP,
    OF_USER,
    LOCK,
    LOCK_SETTINGS,
    UPDATE,
    COUNT_OF_USER,
    IS_OPEN,
    HAS_CREATOR,
    DELETE
];

pub(super) const INSERT: &str = "\
INSERT INTO workspaces (id, name, slug, plan, timezone, default_currency, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id, no, name, slug, plan, timezone, default_currency, created_at, row_version";

pub(super) const INSERT_MEMBER: &str = "\
INSERT INTO members (id, workspace_id, sub, role, created_at)
VALUES ($1, $2, $3, $4, $5)";

// The wanted workspace, else the one of the user's creator, else the one joined first.
pub(super) const MEMBERSHIP: &str = "\
SELECT workspaces.id, no, name, slug, plan, timezone, default_currency, workspaces.created_at, row_version, role
FROM members
JOIN workspaces ON workspaces.id = members.workspace_id
LEFT JOIN creators ON creators.workspace_id = workspaces.id AND creators.sub = members.sub
WHERE members.sub = $1
  AND ($2::uuid IS NULL OR members.workspace_id = $2)
  AND ended_at IS NULL
ORDER BY creators.id IS NULL, members.created_at, members.id
LIMIT 1";

pub(super) const OF_USER: &str = "\
SELECT workspaces.id, no, name, slug, plan, timezone, default_currency, workspaces.created_at, row_version, role
FROM members
JOIN workspaces ON workspaces.id = members.workspace_id
LEFT JOIN creators ON creators.workspace_id = workspaces.id AND creators.sub = members.sub
WHERE members.sub = $1
  AND ended_at IS NULL
ORDER BY creators.id IS NULL, members.created_at, members.id
LIMIT $2";

// Deleted ones count for their owners, so that deletions and creations in turn use up no numbers.
pub(super) const COUNT_OF_USER: &str = "\
SELECT count(*)
FROM members
JOIN workspaces ON workspaces.id = members.workspace_id
WHERE members.sub = $1
  AND (ended_at IS NULL OR role = 'owner')";

pub(super) const LOCK_SETTINGS: &str = "\
SELECT name, slug, plan, timezone, default_currency
FROM workspaces
WHERE id = $1
  AND ended_at IS NULL
FOR UPDATE";

pub(super) const UPDATE: &str = "\
UPDATE workspaces
SET name = $2,
    slug = $3,
    plan = $4,
    timezone = $5,
    default_currency = $6
WHERE id = $1
RETURNING id, no, name, slug, plan, timezone, default_currency, created_at, row_version";

pub(super) const LOCK: &str = "\
SELECT ended_at IS NULL
FROM workspaces
WHERE id = $1
FOR NO KEY UPDATE";

pub(super) const IS_OPEN: &str = "\
SELECT EXISTS (
    SELECT
    FROM workspaces
    WHERE id = $1
      AND ended_at IS NULL)";

pub(super) const HAS_CREATOR: &str = "\
SELECT EXISTS (
    SELECT
    FROM creators
    WHERE workspace_id = $1)";

pub(super) const DELETE: &str = "\
UPDATE workspaces
SET ended_at = $2,
    row_version = row_version + 1
WHERE id = $1
  AND ended_at IS NULL
RETURNING id, no, name, slug, plan, timezone, default_currency, created_at, row_version";

row! {
    /// A workspace.
    #[derive(Clone, Debug)]
    pub(crate) struct Workspace {
        pub(crate) id: Uuid,
        no: i32,
        pub(crate) name: String,
        pub(crate) slug: String,
        plan: String,
        pub(crate) timezone: String,
        pub(crate) default_currency: String,
        created_at: jiff_sqlx::Timestamp,
        row_version: i64,
    }
}

row! {
    /// What members may change.
    #[derive(Clone, Debug, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct Settings {
        pub(crate) name: String,
        pub(crate) slug: String,
        /// Only owners, and only where the operator lets them.
        pub(crate) plan: String,
        pub(crate) timezone: String,
        pub(crate) default_currency: String,
    }
}

/// A new workspace.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) plan: Plan,
    pub(crate) timezone: String,
    pub(crate) default_currency: String,
}

/// What a user is in a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) workspace: Workspace,
    pub(crate) role: String,
}

impl FromRow<'_, PgRow> for Membership {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            workspace: Workspace::from_row(row)?,
            role: row.try_get("role")?,
        })
    }
}

impl Workspace {
    /// Its number in ids and tables.
    pub(crate) fn workspace_no(&self) -> WorkspaceNo {
        workspace_no(self.no)
    }

    /// Its plan. The database accepts no other name than those of plans.
    pub(crate) fn plan(&self) -> Plan {
        Plan::named(&self.plan).unwrap_or(Plan::Starter)
    }

    /// Its number in the analytics tables.
    pub(crate) const fn number(&self) -> i32 {
        self.no
    }

    /// When it was created.
    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at.to_jiff()
    }

    /// Its entry in the directory.
    pub(crate) fn directory_entry(&self) -> directory::Workspace {
        directory::Workspace {
            workspace_no: workspace_no(self.no),
            workspace_id: WorkspaceId(self.id),
            deleted: false,
            row_version: self.row_version,
        }
    }

    /// A workspace of the smallest plan.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            id: Uuid::from_u128(7),
            no: 7,
            name: "Ada".to_owned(),
            slug: "ada".to_owned(),
            plan: "starter".to_owned(),
            timezone: "UTC".to_owned(),
            default_currency: "USD".to_owned(),
            created_at: Timestamp::UNIX_EPOCH.to_sqlx(),
            row_version: 1,
        }
    }
}

/// Creates a workspace whose owner is that user. The constraint `workspaces_slug_key` decides
/// between concurrent requests.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    ids: &dyn IdSource,
    draft: Draft,
    owner: &str,
    now: Timestamp,
) -> sqlx::Result<Workspace> {
    let workspace: Workspace = sqlx::query_as(INSERT)
        .bind(ids.uuid_v7(now))
        .bind(draft.name)
        .bind(draft.slug)
        .bind(draft.plan.name())
        .bind(draft.timezone)
        .bind(draft.default_currency)
        .bind(now.to_sqlx())
        .fetch_one(&mut **tx)
        .await?;
    insert_member(tx, (ids.uuid_v7(now), workspace.id), (owner, "owner"), now).await?;
    Ok(workspace)
}

/// Adds a member. The constraint `members_sub_key` refuses a user who is one already.
pub(crate) async fn insert_member(
    tx: &mut Tx<'_>,
    (id, workspace_id): (Uuid, Uuid),
    (sub, role): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(INSERT_MEMBER)
        .bind(id)
        .bind(workspace_id)
        .bind(sub)
        .bind(role)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The wanted workspace if the user is a member of it; the user's default one if none is wanted.
pub(crate) async fn find_membership(
    executor: impl PgExecutor<'_>,
    sub: &str,
    wanted: Option<Uuid>,
) -> sqlx::Result<Option<Membership>> {
    sqlx::query_as(MEMBERSHIP)
        .bind(sub)
        .bind(wanted)
        .fetch_optional(executor)
        .await
}

/// The workspaces of a user, the default one first.
pub(crate) async fn list_of_user(
    executor: impl PgExecutor<'_>,
    sub: &str,
    limit: i64,
) -> sqlx::Result<Vec<Membership>> {
    sqlx::query_as(OF_USER)
        .bind(sub)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// How many workspaces a user has or had, for the limit of them.
pub(crate) async fn count_of_user(tx: &mut Tx<'_>, sub: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT_OF_USER)
        .bind(sub)
        .fetch_one(&mut **tx)
        .await
}

/// Locks a workspace until the transaction ends, so that its things are counted one request after
/// the other. False when it is deleted.
pub(crate) async fn lock(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<bool> {
    let locked: Option<bool> = sqlx::query_scalar(LOCK)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(locked.unwrap_or(false))
}

/// Whether a workspace exists and is not deleted.
pub(crate) async fn is_open(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(IS_OPEN)
        .bind(id)
        .fetch_one(&mut **tx)
        .await
}

/// Whether a creator's pages are in the workspace.
pub(crate) async fn has_creator(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(HAS_CREATOR)
        .bind(id)
        .fetch_one(&mut **tx)
        .await
}

/// Deletes a workspace; `None` when it is deleted already.
pub(crate) async fn delete(
    tx: &mut Tx<'_>,
    id: Uuid,
    now: Timestamp,
) -> sqlx::Result<Option<Workspace>> {
    sqlx::query_as(DELETE)
        .bind(id)
        .bind(now.to_sqlx())
        .fetch_optional(&mut **tx)
        .await
}

/// The settings of a workspace, locked until the transaction ends; `None` when it is deleted.
pub(crate) async fn lock_settings(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<Option<Settings>> {
    sqlx::query_as(LOCK_SETTINGS)
        .bind(id)
        .fetch_optional(&mut **tx)
        .await
}

/// Stores the settings of a workspace. The constraint `workspaces_slug_key` decides between
/// concurrent requests.
pub(crate) async fn update(
    tx: &mut Tx<'_>,
    id: Uuid,
    settings: &Settings,
) -> sqlx::Result<Workspace> {
    sqlx::query_as(UPDATE)
        .bind(id)
        .bind(&settings.name)
        .bind(&settings.slug)
        .bind(&settings.plan)
        .bind(&settings.timezone)
        .bind(&settings.default_currency)
        .fetch_one(&mut **tx)
        .await
}
