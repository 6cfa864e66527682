//! Workspaces and their members: whose they are, and what a user is in them.

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
    UPDATE
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
ORDER BY creators.id IS NULL, members.created_at, members.id
LIMIT 1";

pub(super) const OF_USER: &str = "\
SELECT workspaces.id, no, name, slug, plan, timezone, default_currency, workspaces.created_at, row_version, role
FROM members
JOIN workspaces ON workspaces.id = members.workspace_id
LEFT JOIN creators ON creators.workspace_id = workspaces.id AND creators.sub = members.sub
WHERE members.sub = $1
ORDER BY creators.id IS NULL, members.created_at, members.id
LIMIT $2";

pub(super) const LOCK_SETTINGS: &str = "\
SELECT name, slug, timezone, default_currency
FROM workspaces
WHERE id = $1
FOR UPDATE";

pub(super) const UPDATE: &str = "\
UPDATE workspaces
SET name = $2,
    slug = $3,
    timezone = $4,
    default_currency = $5
WHERE id = $1
RETURNING id, no, name, slug, plan, timezone, default_currency, created_at, row_version";

pub(super) const LOCK: &str = "\
SELECT id
FROM workspaces
WHERE id = $1
FOR NO KEY UPDATE";

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

/// Locks a workspace until the transaction ends, so that its things are counted one request after
/// the other.
pub(crate) async fn lock(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(LOCK).bind(id).execute(&mut **tx).await?;
    Ok(())
}

/// The settings of a workspace, locked until the transaction ends.
pub(crate) async fn lock_settings(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<Settings> {
    sqlx::query_as(LOCK_SETTINGS)
        .bind(id)
        .fetch_one(&mut **tx)
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
        .bind(&settings.timezone)
        .bind(&settings.default_currency)
        .fetch_one(&mut **tx)
        .await
}
