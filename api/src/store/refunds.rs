//! Refunds of conversions.

use super::{Statement, Tx, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![FIND, COUNT, INSERT];

pub(super) const FIND: &str = "\
SELECT refund_id, amount_minor, reason
FROM refunds
WHERE conversion_id = $1
  AND refund_id = $2";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM refunds
WHERE conversion_id = $1";

pub(super) const INSERT: &str = "\
INSERT INTO refunds (conversion_id, refund_id, amount_minor, reason, created_at)
VALUES ($1, $2, $3, $4, $5)";

row! {
    /// A refund of a conversion.
    #[derive(Clone, Debug)]
    pub(crate) struct RefundRow {
        pub(crate) refund_id: String,
        pub(crate) amount_minor: i64,
        pub(crate) reason: Option<String>,
    }
}

/// A refund by the caller's id of it.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    conversion_id: Uuid,
    refund_id: &str,
) -> sqlx::Result<Option<RefundRow>> {
    sqlx::query_as(FIND)
        .bind(conversion_id)
        .bind(refund_id)
        .fetch_optional(&mut **tx)
        .await
}

/// How many refunds a conversion has.
pub(crate) async fn count(tx: &mut Tx<'_>, conversion_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT)
        .bind(conversion_id)
        .fetch_one(&mut **tx)
        .await
}

/// Writes a refund.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    conversion_id: Uuid,
    refund: &RefundRow,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(conversion_id)
        .bind(&refund.refund_id)
        .bind(refund.amount_minor)
        .bind(&refund.reason)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
