//! Hosts of short URLs. Several workspaces may want a host; at most one has proven that it is its own.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{WorkspaceNo, directory};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    LIST,
    COUNT,
    HAS_DEFAULT,
    FIND,
    INSERT,
    LOCK_HOST,
    LOSE,
    VERIFY,
    REMOVE,
    CLEAR_DEFAULT,
    SET_DEFAULT
];

pub(super) const LIST: &str = "\
SELECT id, workspace_id, host, is_default, proof, created_at, verified_at, row_version
FROM domains
WHERE workspace_id = $1
  AND removed_at IS NULL
ORDER BY created_at, id
LIMIT $2
OFFSET $3";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM domains
WHERE workspace_id = $1
  AND removed_at IS NULL";

pub(super) const HAS_DEFAULT: &str = "\
SELECT EXISTS (
    SELECT
    FROM domains
    WHERE workspace_id = $1
      AND is_default
      AND removed_at IS NULL
)";

pub(super) const FIND: &str = "\
SELECT id, workspace_id, host, is_default, proof, created_at, verified_at, row_version
FROM domains
WHERE id = $1
  AND workspace_id = $2
  AND removed_at IS NULL";

pub(super) const INSERT: &str = "\
INSERT INTO domains (id, workspace_id, host, proof, created_at)
VALUES ($1, $2, $3, $4, $5)
RETURNING id, workspace_id, host, is_default, proof, created_at, verified_at, row_version";

// In the order of ids, so that two transactions never wait for each other.
pub(super) const LOCK_HOST: &str = "\
SELECT id
FROM domains
WHERE host = $1
  AND removed_at IS NULL
ORDER BY id
FOR UPDATE";

pub(super) const LOSE: &str = "\
UPDATE domains
SET verified_at = NULL,
    is_default = false,
    row_version = nextval('domain_versions')
WHERE host = $1
  AND workspace_id <> $2
  AND verified_at IS NOT NULL
  AND removed_at IS NULL
RETURNING id, workspace_id, host, is_default, proof, created_at, verified_at, row_version";

pub(super) const VERIFY: &str = "\
UPDATE domains
SET verified_at = $2,
    row_version = nextval('domain_versions')
WHERE id = $1
RETURNING id, workspace_id, host, is_default, proof, created_at, verified_at, row_version";

pub(super) const REMOVE: &str = "\
UPDATE domains
SET removed_at = $2,
    is_default = false,
    row_version = nextval('domain_versions')
WHERE id = $1
RETURNING id, workspace_id, host, is_default, proof, created_at, verified_at, row_version";

pub(super) const CLEAR_DEFAULT: &str = "\
UPDATE domains
SET is_default = false
WHERE workspace_id = $1
  AND is_default";

pub(super) const SET_DEFAULT: &str = "\
UPDATE domains
SET is_default = $2
WHERE id = $1
RETURNING id, workspace_id, host, is_default, proof, created_at, verified_at, row_version";

row! {
    /// A host that a workspace wants or has.
    #[derive(Clone, Debug)]
    pub(crate) struct Domain {
        pub(crate) id: Uuid,
        pub(crate) workspace_id: Uuid,
        pub(crate) host: String,
        pub(crate) is_default: bool,
        pub(crate) proof: String,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) verified_at: Option<jiff_sqlx::Timestamp>,
        row_version: i64,
    }
}

impl Domain {
    /// Its entry in the directory. The number is its workspace's.
    pub(crate) fn directory_entry(
        &self,
        workspace_no: WorkspaceNo,
        deleted: bool,
    ) -> directory::Domain {
        directory::Domain {
            host: self.host.clone(),
            workspace_no,
            verified: self.verified_at.is_some(),
            deleted,
            row_version: self.row_version,
        }
    }
}

impl Stored for Domain {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = COUNT;
    type Filter = ();

    fn bind((): &(), statement: Bound) -> Bound {
        statement
    }
}

/// How many hosts a workspace has.
pub(crate) async fn count(executor: impl PgExecutor<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(executor, COUNT, workspace_id).await
}

/// Whether one of a workspace's hosts is its default.
pub(crate) async fn has_default(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(HAS_DEFAULT)
        .bind(workspace_id)
        .fetch_one(executor)
        .await
}

/// Adds a host, unproven. The index `domains_of_workspace` refuses one that the workspace has.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    (id, workspace_id): (Uuid, Uuid),
    (host, proof): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<Domain> {
    sqlx::query_as(INSERT)
        .bind(id)
        .bind(workspace_id)
        .bind(host)
        .bind(proof)
        .bind(now.to_sqlx())
        .fetch_one(&mut **tx)
        .await
}

/// Makes all changes of a host take turns, in all workspaces, until the transaction ends.
pub(crate) async fn lock_host(tx: &mut Tx<'_>, host: &str) -> sqlx::Result<()> {
    sqlx::query(LOCK_HOST).bind(host).execute(&mut **tx).await?;
    Ok(())
}

/// Takes a host from the other workspace that has it, if any.
pub(crate) async fn lose(
    tx: &mut Tx<'_>,
    host: &str,
    winner: Uuid,
) -> sqlx::Result<Option<Domain>> {
    sqlx::query_as(LOSE)
        .bind(host)
        .bind(winner)
        .fetch_optional(&mut **tx)
        .await
}

/// Records the proof of a host.
pub(crate) async fn verify(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<Domain> {
    sqlx::query_as(VERIFY)
        .bind(id)
        .bind(now.to_sqlx())
        .fetch_one(&mut **tx)
        .await
}

/// Removes a host.
pub(crate) async fn remove(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<Domain> {
    sqlx::query_as(REMOVE)
        .bind(id)
        .bind(now.to_sqlx())
        .fetch_one(&mut **tx)
        .await
}

/// Makes a host the workspace's default, or no longer.
pub(crate) async fn set_default(
    tx: &mut Tx<'_>,
    (id, workspace_id): (Uuid, Uuid),
    is_default: bool,
) -> sqlx::Result<Domain> {
    if is_default {
        sqlx::query(CLEAR_DEFAULT)
            .bind(workspace_id)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query_as(SET_DEFAULT)
        .bind(id)
        .bind(is_default)
        .fetch_one(&mut **tx)
        .await
}
