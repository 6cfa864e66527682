//! The counted clicks of links with a limit: from the analytics tables into the main database.
//!
//! The one rule: a workspace's position and the clicks up to it change in one transaction. So each
//! click is added once, also when several instances count at the same time.

use super::{Statement, Tx, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    ANY,
    FORGET,
    FORGET_ALL,
    RECOUNT_ALL,
    POSITIONS,
    POSITION,
    START,
    UNCOUNTED,
    ADVANCE,
    ADD,
    SET
];
pub(super) const ANALYTICS_STATEMENTS: &[Statement] = statements![PROGRESS, SINCE, NEWEST, UNTIL];

pub(super) const PROGRESS: &str = "\
SELECT generation, next_offset
FROM log_partitions
ORDER BY topic, partition";

// A workspace's clicks on short links are folded in the order of their seq, so none appears before
// a position later. The span of time keeps the server from looking into every month.
pub(super) const SINCE: &str = "\
SELECT asked.workspace_no, part.link_id, max(part.seq) AS seq, count(*) AS rows,
       count(*) FILTER (WHERE part.counts) AS clicks
FROM unnest($1::int4[], $2::int8[]) AS asked (workspace_no, seq)
CROSS JOIN LATERAL (
    SELECT hits.seq, link_id, click_id IS NOT NULL AND bot_reason IS NULL AND NOT is_duplicate AS counts
    FROM hits
    WHERE hits.workspace_no = asked.workspace_no
      AND hits.seq > asked.seq
      AND occurred_at >= $3
    ORDER BY hits.seq
    LIMIT $4
) AS part
GROUP BY asked.workspace_no, part.link_id";

pub(super) const NEWEST: &str = "\
SELECT coalesce(max(seq), 0)
FROM hits
WHERE workspace_no = $1
  AND occurred_at >= $2";

// The limit bounds the work: beyond it, more clicks make no difference.
pub(super) const UNTIL: &str = "\
SELECT count(*)
FROM (SELECT
      FROM hits
      WHERE workspace_no = $1
        AND link_id = $2
        AND click_id IS NOT NULL
        AND bot_reason IS NULL
        AND NOT is_duplicate
        AND seq <= $3
      LIMIT $4) AS counted";

pub(super) const ANY: &str = "\
SELECT EXISTS (SELECT FROM click_positions)
       OR EXISTS (SELECT FROM links WHERE clicks_limit IS NOT NULL AND deleted_at IS NULL AND NOT clicks_counted)";

pub(super) const FORGET: &str = "\
DELETE FROM click_positions
WHERE NOT EXISTS (SELECT
                  FROM links
                  WHERE links.workspace_id = click_positions.workspace_id
                    AND clicks_limit IS NOT NULL
                    AND deleted_at IS NULL
                    AND (NOT clicks_counted OR clicks_used < clicks_limit))";

pub(super) const FORGET_ALL: &str = "DELETE FROM click_positions";

pub(super) const RECOUNT_ALL: &str = "\
UPDATE links
SET clicks_counted = false
WHERE clicks_limit IS NOT NULL
  AND clicks_counted";

pub(super) const POSITIONS: &str = "\
SELECT workspace_id, no, seq
FROM click_positions
JOIN workspaces ON workspaces.id = workspace_id
WHERE workspace_id > $1
ORDER BY workspace_id
LIMIT $2";

pub(super) const POSITION: &str = "\
SELECT seq
FROM click_positions
WHERE workspace_id = $1";

pub(super) const START: &str = "\
INSERT INTO click_positions (workspace_id, seq)
VALUES ($1, $2)
ON CONFLICT DO NOTHING";

pub(super) const UNCOUNTED: &str = "\
SELECT links.id, workspace_id, no, clicks_limit, clicks_used
FROM links
JOIN workspaces ON workspaces.id = workspace_id
WHERE clicks_limit IS NOT NULL
  AND deleted_at IS NULL
  AND NOT clicks_counted
ORDER BY links.id
LIMIT $1";

pub(super) const ADVANCE: &str = "\
UPDATE click_positions
SET seq = $3
WHERE workspace_id = $1
  AND seq = $2";

pub(super) const ADD: &str = "\
UPDATE links
SET clicks_used = least(clicks_used + clicks, 2147483647),
    row_version = row_version + 1
FROM unnest($1::uuid[], $2::int8[]) AS new (id, clicks)
WHERE links.id = new.id
  AND workspace_id = $3
  AND clicks_limit IS NOT NULL
  AND deleted_at IS NULL
  AND clicks_counted
RETURNING links.id";

pub(super) const SET: &str = "\
UPDATE links
SET clicks_used = $2,
    clicks_counted = true,
    row_version = row_version + CASE WHEN clicks_used = $2 THEN 0 ELSE 1 END
WHERE id = $1
  AND clicks_limit IS NOT NULL
  AND deleted_at IS NULL
  AND NOT clicks_counted";

row! {
    /// Up to where the clicks of a workspace are counted.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Position {
        pub(crate) workspace_id: Uuid,
        pub(crate) no: i32,
        pub(crate) seq: i64,
    }
}

row! {
    /// A link whose clicks must be counted from the tables.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Uncounted {
        pub(crate) id: Uuid,
        pub(crate) workspace_id: Uuid,
        pub(crate) no: i32,
        pub(crate) clicks_limit: i32,
        /// What its entry says.
        pub(crate) clicks_used: i32,
    }
}

row! {
    /// What came after a position: the rows of one link, or those without a link.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Since {
        pub(crate) workspace_no: i32,
        pub(crate) link_id: Option<Uuid>,
        pub(crate) seq: i64,
        pub(crate) rows: i64,
        pub(crate) clicks: i64,
    }
}

/// How far the analytics tables are, in words that only equality says something about.
pub(crate) async fn progress(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<(i32, i64)>> {
    sqlx::query_as(PROGRESS).fetch_all(executor).await
}

/// What came after these positions, at most `limit` rows of each workspace.
pub(crate) async fn since(
    executor: impl PgExecutor<'_>,
    positions: &[Position],
    (from, limit): (Timestamp, i64),
) -> sqlx::Result<Vec<Since>> {
    let (nos, seqs): (Vec<i32>, Vec<i64>) = positions
        .iter()
        .map(|position| (position.no, position.seq))
        .unzip();
    sqlx::query_as(SINCE)
        .bind(nos)
        .bind(seqs)
        .bind(from.to_sqlx())
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// The newest place of a workspace in the tables.
pub(crate) async fn newest(
    executor: impl PgExecutor<'_>,
    no: i32,
    from: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(NEWEST)
        .bind(no)
        .bind(from.to_sqlx())
        .fetch_one(executor)
        .await
}

/// The counted clicks of a link up to a place, or its limit if there are more.
pub(crate) async fn until(
    executor: impl PgExecutor<'_>,
    link: Uncounted,
    seq: i64,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(UNTIL)
        .bind(link.no)
        .bind(link.id)
        .bind(seq)
        .bind(i64::from(link.clicks_limit))
        .fetch_one(executor)
        .await
}

/// Whether clicks are counted for any link, or must be.
pub(crate) async fn any(executor: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar(ANY).fetch_one(executor).await
}

/// Forgets the positions of workspaces without a link to count for.
pub(crate) async fn forget(executor: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query(FORGET).execute(executor).await?;
    Ok(())
}

/// Has everything counted from the tables again, for a log with other places.
pub(crate) async fn start_over(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    sqlx::query(FORGET_ALL).execute(&mut **tx).await?;
    sqlx::query(RECOUNT_ALL).execute(&mut **tx).await?;
    Ok(())
}

/// Positions after that workspace, in the order of ids.
pub(crate) async fn positions(
    executor: impl PgExecutor<'_>,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Position>> {
    sqlx::query_as(POSITIONS)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// The position of a workspace.
pub(crate) async fn position(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(POSITION)
        .bind(workspace_id)
        .fetch_optional(executor)
        .await
}

/// Gives a workspace a position, unless it has one.
pub(crate) async fn start(
    executor: impl PgExecutor<'_>,
    workspace_id: Uuid,
    seq: i64,
) -> sqlx::Result<()> {
    sqlx::query(START)
        .bind(workspace_id)
        .bind(seq)
        .execute(executor)
        .await?;
    Ok(())
}

/// Links whose clicks must be counted from the tables.
pub(crate) async fn uncounted(
    connection: &mut PgConnection,
    limit: i64,
) -> sqlx::Result<Vec<Uncounted>> {
    sqlx::query_as(UNCOUNTED)
        .bind(limit)
        .fetch_all(connection)
        .await
}

/// Moves a position; false when it is another one by now.
pub(crate) async fn advance(tx: &mut Tx<'_>, position: Position, seq: i64) -> sqlx::Result<bool> {
    let done = sqlx::query(ADVANCE)
        .bind(position.workspace_id)
        .bind(position.seq)
        .bind(seq)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds clicks to the links of a workspace that have a limit: those links.
pub(crate) async fn add(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    clicks: &[(Uuid, i64)],
) -> sqlx::Result<Vec<Uuid>> {
    let (ids, clicks): (Vec<Uuid>, Vec<i64>) = clicks.iter().copied().unzip();
    sqlx::query_scalar(ADD)
        .bind(ids)
        .bind(clicks)
        .bind(workspace_id)
        .fetch_all(&mut **tx)
        .await
}

/// Sets the clicks of a link that was not counted yet; false when it was, or has no limit any more.
pub(crate) async fn set(tx: &mut Tx<'_>, id: Uuid, clicks: i32) -> sqlx::Result<bool> {
    let done = sqlx::query(SET)
        .bind(id)
        .bind(clicks)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}
