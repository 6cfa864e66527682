//! Reads pages of what a workspace has, for the tables that are listed.

use sqlx::{FromRow, PgExecutor, postgres::PgRow};
use uuid::Uuid;

/// The rows of a workspace at this limit and offset. The statement takes them in this order.
pub(super) async fn page<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(
    executor: impl PgExecutor<'_>,
    statement: &'static str,
    workspace_id: Uuid,
    (limit, offset): (i64, i64),
) -> sqlx::Result<Vec<T>> {
    sqlx::query_as(statement)
        .bind(workspace_id)
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await
}

/// How many rows a workspace has.
pub(super) async fn count(
    executor: impl PgExecutor<'_>,
    statement: &'static str,
    workspace_id: Uuid,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(statement)
        .bind(workspace_id)
        .fetch_one(executor)
        .await
}
