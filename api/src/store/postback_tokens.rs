//! The tokens that workspaces require in postbacks; only their hashes are kept.

use super::{Statement, Tx, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sha2::{Digest, Sha256};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![FIND, SET, CLEAR];

pub(super) const FIND: &str = "\
SELECT token_hash
FROM postback_tokens
WHERE workspace_id = $1";

pub(super) const SET: &str = "\
INSERT INTO postback_tokens (workspace_id, token_hash, created_at)
VALUES ($1, $2, $3)
ON CONFLICT (workspace_id) DO UPDATE
SET token_hash = excluded.token_hash,
    created_at = excluded.created_at";

pub(super) const CLEAR: &str = "\
DELETE FROM postback_tokens
WHERE workspace_id = $1";

/// What is kept of a token. The token is random, so its plain hash reveals nothing.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The hash of the token that a workspace requires; `None` if it requires none.
pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar(FIND)
        .bind(workspace_id)
        .fetch_optional(executor)
        .await
}

/// Requires a token from now on, instead of a former one.
pub(crate) async fn set(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    token: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(SET)
        .bind(workspace_id)
        .bind(hash(token))
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Requires no token any more.
pub(crate) async fn clear(tx: &mut Tx<'_>, workspace_id: Uuid) -> sqlx::Result<()> {
    sqlx::query(CLEAR)
        .bind(workspace_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
