//! Which hosts short URLs have, besides that of `PUBLIC_URL`.

use super::{Statement, Tx, statements};
use sqlx::PgPool;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] =
    statements![FIND_VERIFIED, FIND_DEFAULT, IS_VERIFIED, LIST_VERIFIED];

pub(super) const FIND_VERIFIED: &str = "\
SELECT host
FROM domains
WHERE id = $1
  AND workspace_id = $2
  AND verified_at IS NOT NULL
  AND removed_at IS NULL";

pub(super) const FIND_DEFAULT: &str = "\
SELECT id
FROM domains
WHERE workspace_id = $1
  AND is_default
  AND verified_at IS NOT NULL
  AND removed_at IS NULL";

pub(super) const IS_VERIFIED: &str = "\
SELECT EXISTS (
    SELECT
    FROM domains
    WHERE host = $1
      AND workspace_id = $2
      AND verified_at IS NOT NULL
      AND removed_at IS NULL)";

// A host of a deleted workspace serves no link.
pub(super) const LIST_VERIFIED: &str = "\
SELECT host
FROM domains
JOIN workspaces ON workspaces.id = workspace_id
WHERE host = ANY($1)
  AND verified_at IS NOT NULL
  AND removed_at IS NULL
  AND ended_at IS NULL";

/// The host of a verified domain of a workspace.
pub(crate) async fn find_verified(
    tx: &mut Tx<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(FIND_VERIFIED)
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(&mut **tx)
        .await
}

/// The default domain of a workspace; `None` is the host of `PUBLIC_URL`.
pub(crate) async fn find_default(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(FIND_DEFAULT)
        .bind(workspace_id)
        .fetch_optional(&mut **tx)
        .await
}

/// True if the host is a verified domain of the workspace.
pub(crate) async fn is_verified(
    tx: &mut Tx<'_>,
    host: &str,
    workspace_id: Uuid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(IS_VERIFIED)
        .bind(host)
        .bind(workspace_id)
        .fetch_one(&mut **tx)
        .await
}

/// Those of these hosts that are verified domains of any workspace.
pub(crate) async fn list_verified(pool: &PgPool, hosts: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(LIST_VERIFIED)
        .bind(hosts)
        .fetch_all(pool)
        .await
}
