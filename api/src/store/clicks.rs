//! Clicks in the analytics database, by their id.

use super::{Statement, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{ClickId, WorkspaceNo};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![LINK];

/// The span of time lets the server read one partition.
pub(super) const LINK: &str = "\
SELECT link_id, campaign_id
FROM hits
WHERE workspace_no = $1
  AND click_id = $2
  AND occurred_at >= $3
  AND occurred_at < $4
ORDER BY seq
LIMIT 1";

/// The link and the campaign of a click in a span of time; `None` while the click is not in the tables.
pub(crate) async fn find_context(
    executor: impl PgExecutor<'_>,
    no: WorkspaceNo,
    click: ClickId,
    (since, until): (Timestamp, Timestamp),
) -> sqlx::Result<Option<(Option<Uuid>, Option<Uuid>)>> {
    sqlx::query_as(LINK)
        .bind(no.as_int4().unwrap_or_default())
        .bind(click.0)
        .bind(since.to_sqlx())
        .bind(until.to_sqlx())
        .fetch_optional(executor)
        .await
}
