//! API keys of workspaces, by the hash of their secret.

use super::{Bound, Statement, Stored, Tx, row::row, statements, workspaces::Workspace};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{FromRow, PgExecutor, Row, postgres::PgRow};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    BY_HASH, RECORD_USE, INSERT, COUNT_LIVE, LIST, COUNT, FIND, NAMES, REVOKE, END
];

// The role is that of the member who made the key; none after the member has left.
pub(super) const BY_HASH: &str = "\
SELECT api_keys.id AS key_id, scopes, created_by, last_used_at, expires_at, revoked_at, role,
       workspaces.id, no, workspaces.name, slug, plan, timezone, default_currency, workspaces.created_at, row_version
FROM api_keys
JOIN workspaces ON workspaces.id = api_keys.workspace_id
LEFT JOIN members ON members.workspace_id = api_keys.workspace_id AND members.sub = created_by
WHERE secret_hash = $1
  AND ended_at IS NULL";

pub(super) const RECORD_USE: &str = "\
UPDATE api_keys
SET last_used_at = $2
WHERE id = $1
  AND (last_used_at IS NULL OR last_used_at <= $3)";

pub(super) const INSERT: &str = "\
INSERT INTO api_keys (id, workspace_id, secret_hash, prefix, name, scopes, created_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING id, prefix, name, scopes, created_by, created_at, last_used_at, expires_at, revoked_at";

pub(super) const COUNT_LIVE: &str = "\
SELECT count(*)
FROM api_keys
WHERE workspace_id = $1
  AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > $2)";

pub(super) const LIST: &str = "\
SELECT id, prefix, name, scopes, created_by, created_at, last_used_at, expires_at, revoked_at
FROM api_keys
WHERE workspace_id = $1
ORDER BY created_at DESC, id DESC
LIMIT $2
OFFSET $3";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM api_keys
WHERE workspace_id = $1";

pub(super) const FIND: &str = "\
SELECT id, prefix, name, scopes, created_by, created_at, last_used_at, expires_at, revoked_at
FROM api_keys
WHERE id = $1
  AND workspace_id = $2";

pub(super) const NAMES: &str = "\
SELECT id, name
FROM api_keys
WHERE workspace_id = $1
  AND id = ANY($2)";

pub(super) const REVOKE: &str = "\
UPDATE api_keys
SET revoked_at = $3
WHERE id = $1
  AND workspace_id = $2
  AND revoked_at IS NULL
RETURNING id, prefix, name, scopes, created_by, created_at, last_used_at, expires_at, revoked_at";

pub(super) const END: &str = "\
UPDATE api_keys
SET expires_at = least(expires_at, $2)
WHERE id = $1";

/// A key as a request presents it.
#[derive(Clone, Debug)]
pub(crate) struct FoundKey {
    pub(crate) key_id: Uuid,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_by: String,
    pub(crate) last_used_at: Option<jiff_sqlx::Timestamp>,
    expires_at: Option<jiff_sqlx::Timestamp>,
    revoked_at: Option<jiff_sqlx::Timestamp>,
    /// The role of the member who made it.
    pub(crate) role: Option<String>,
    pub(crate) workspace: Workspace,
}

impl FromRow<'_, PgRow> for FoundKey {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            key_id: row.try_get("key_id")?,
            scopes: row.try_get("scopes")?,
            created_by: row.try_get("created_by")?,
            last_used_at: row.try_get("last_used_at")?,
            expires_at: row.try_get("expires_at")?,
            revoked_at: row.try_get("revoked_at")?,
            role: row.try_get("role")?,
            workspace: Workspace::from_row(row)?,
        })
    }
}

impl FoundKey {
    /// Whether it opens anything at that time: it is neither revoked nor expired, and the member who
    /// made it is still there.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.role.is_some() && is_live(self.revoked_at, self.expires_at, now)
    }
}

fn is_live(
    revoked_at: Option<jiff_sqlx::Timestamp>,
    expires_at: Option<jiff_sqlx::Timestamp>,
    now: Timestamp,
) -> bool {
    revoked_at.is_none() && expires_at.is_none_or(|at| now < at.to_jiff())
}

row! {
    /// A key as its workspace sees it. The secret is not among it.
    #[derive(Clone, Debug)]
    pub(crate) struct Key {
        pub(crate) id: Uuid,
        pub(crate) prefix: String,
        pub(crate) name: String,
        pub(crate) scopes: Vec<String>,
        pub(crate) created_by: String,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) last_used_at: Option<jiff_sqlx::Timestamp>,
        pub(crate) expires_at: Option<jiff_sqlx::Timestamp>,
        pub(crate) revoked_at: Option<jiff_sqlx::Timestamp>,
    }
}

impl Key {
    /// Whether it is neither revoked nor expired.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        is_live(self.revoked_at, self.expires_at, now)
    }
}

impl Stored for Key {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = COUNT;
    type Filter = ();

    fn bind((): &(), statement: Bound) -> Bound {
        statement
    }
}

/// A new key.
#[derive(Clone, Debug)]
pub(crate) struct NewKey<'a> {
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) hash: [u8; 32],
    pub(crate) prefix: &'a str,
    pub(crate) name: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) created_by: &'a str,
    pub(crate) expires_at: Option<Timestamp>,
}

/// The key with that hash, unless its workspace is deleted.
pub(crate) async fn find_by_hash(
    executor: impl PgExecutor<'_>,
    hash: &[u8; 32],
) -> sqlx::Result<Option<FoundKey>> {
    sqlx::query_as(BY_HASH)
        .bind(hash.as_slice())
        .fetch_optional(executor)
        .await
}

/// Records that a key was used, unless it was also used after `before`.
pub(crate) async fn record_use(
    executor: impl PgExecutor<'_>,
    id: Uuid,
    now: Timestamp,
    before: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(RECORD_USE)
        .bind(id)
        .bind(now.to_sqlx())
        .bind(before.to_sqlx())
        .execute(executor)
        .await?;
    Ok(())
}

/// Stores a key.
pub(crate) async fn insert(tx: &mut Tx<'_>, key: NewKey<'_>, now: Timestamp) -> sqlx::Result<Key> {
    sqlx::query_as(INSERT)
        .bind(key.id)
        .bind(key.workspace_id)
        .bind(key.hash.as_slice())
        .bind(key.prefix)
        .bind(key.name)
        .bind(key.scopes)
        .bind(key.created_by)
        .bind(now.to_sqlx())
        .bind(key.expires_at.map(ToSqlx::to_sqlx))
        .fetch_one(&mut **tx)
        .await
}

/// How many keys of a workspace are neither revoked nor expired.
pub(crate) async fn count_live(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    now: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT_LIVE)
        .bind(workspace_id)
        .bind(now.to_sqlx())
        .fetch_one(&mut **tx)
        .await
}

/// The names of these keys of a workspace, revoked ones included.
pub(crate) async fn names(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
    ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, String)>> {
    sqlx::query_as(NAMES)
        .bind(workspace_id)
        .bind(ids)
        .fetch_all(executor)
        .await
}

/// Revokes a key of a workspace; `None` when there is none that could be revoked.
pub(crate) async fn revoke(
    tx: &mut Tx<'_>,
    id: Uuid,
    workspace_id: Uuid,
    now: Timestamp,
) -> sqlx::Result<Option<Key>> {
    sqlx::query_as(REVOKE)
        .bind(id)
        .bind(workspace_id)
        .bind(now.to_sqlx())
        .fetch_optional(&mut **tx)
        .await
}

/// Lets a key expire at that time, unless it does so earlier.
pub(crate) async fn end(tx: &mut Tx<'_>, id: Uuid, at: Timestamp) -> sqlx::Result<()> {
    sqlx::query(END)
        .bind(id)
        .bind(at.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
