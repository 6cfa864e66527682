//! Token buckets of API keys, shared by all instances.

use super::{Statement, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![SPEND];

// One statement, so that two instances cannot spend one token twice. Clocks of instances differ, so
// time never runs backwards. A token that is whole but for rounding counts as whole.
pub(super) const SPEND: &str = "\
INSERT INTO rate_buckets AS bucket (key_id, scope, tokens, at)
VALUES ($1, $2, $3 - 1, $5)
ON CONFLICT (key_id, scope) DO UPDATE
SET (tokens, granted, at) = (
    SELECT CASE WHEN refilled >= 0.999999 THEN refilled - 1 ELSE refilled END,
           refilled >= 0.999999,
           greatest(bucket.at, excluded.at)
    FROM (
        SELECT least($3, bucket.tokens + $4 * greatest(extract(epoch FROM excluded.at - bucket.at)::float8, 0)) AS refilled
    ) AS present
)
RETURNING tokens, granted";

/// Takes a token from the bucket of a key and a scope, which holds `size` tokens and gets
/// `a_second` back. Returns what is left, and whether there was a token.
pub(crate) async fn spend(
    executor: impl PgExecutor<'_>,
    key_id: Uuid,
    scope: &str,
    (size, a_second): (f64, f64),
    now: Timestamp,
) -> sqlx::Result<(f64, bool)> {
    sqlx::query_as(SPEND)
        .bind(key_id)
        .bind(scope)
        .bind(size)
        .bind(a_second)
        .bind(now.to_sqlx())
        .fetch_one(executor)
        .await
}
