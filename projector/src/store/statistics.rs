//! Keeps the planner's statistics correct while tables grow fast.
//!
//! Autovacuum checks once a minute. Within that minute an import may grow a table from a thousand
//! rows to a million. The planner still expects a few rows per tenant, and reads all of them for
//! every key. The one rule: tables whose statistics are correct are not analysed.

use super::Store;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;
use tracing::debug;

pub(super) fn statements() -> Vec<&'static str> {
    vec![OUTGROWN]
}

/// The tables with outdated statistics: parents whose partitions together have more than twice the
/// rows of their last analysis, and partitions with more than twice the pages. Autovacuum never
/// analyses a parent.
///
/// The analysis of a parent includes its partitions, so these are left out then. The rows of a partition
/// are estimated from its pages, as the planner does, so that a parent need not wait for the analyses of
/// its partitions; one that was never analysed counts 20 rows a page.
pub(super) const OUTGROWN: &str = "
WITH partitions AS (
    SELECT
        tables.oid,
        pg_inherits.inhparent AS parent,
        pg_relation_size(tables.oid) / current_setting('block_size')::int8 AS pages,
        tables.relpages AS analysed_pages,
        CASE WHEN tables.relpages > 0 THEN tables.reltuples / tables.relpages ELSE 20 END AS rows_a_page
    FROM pg_inherits
    JOIN pg_class AS tables ON tables.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = ANY (ARRAY['seen'::regclass, 'hits'::regclass, 'sessions'::regclass])
      AND tables.relkind = 'r'
),
parents AS (
    SELECT tables.oid
    FROM partitions
    JOIN pg_class AS tables ON tables.oid = partitions.parent
    WHERE tables.oid <> 'seen'::regclass
    GROUP BY tables.oid, tables.reltuples
    HAVING sum(partitions.pages * partitions.rows_a_page) > 2 * greatest(tables.reltuples, 0) + 1000
)
SELECT oid::regclass::text AS name
FROM parents
UNION ALL
SELECT oid::regclass::text
FROM partitions
WHERE pages > 2 * analysed_pages + 64
  AND parent NOT IN (SELECT oid FROM parents)";

/// An analysis reads a sample, which takes long on slow disks. So it has a longer limit than the
/// statements of a batch. With the usual target of 100 the sample has ten times as many rows, and the
/// analyses take a seventh of the server's time during an import; the plans are the same.
const ALLOW_ANALYSIS: &str =
    "SET LOCAL statement_timeout = '10min'; SET LOCAL default_statistics_target = 10";

/// When the connection of an analysis is closed, above the server's limit.
const DEADLINE: Duration = Duration::from_mins(11);

impl Store {
    /// Analyses the tables that have outgrown their statistics. A check costs a fraction of a
    /// millisecond and an analysis some hundred. A table is analysed once each time it doubles.
    ///
    /// # Errors
    /// When the database refuses or does not answer. The content of the tables is not affected.
    pub async fn refresh_statistics(&self) -> sqlx::Result<()> {
        let mut lease = self.lease().await?;
        let refreshed = tokio::time::timeout(DEADLINE, refresh(&mut lease)).await;
        lease.settle_short(refreshed)
    }
}

async fn refresh(connection: &mut PgConnection) -> sqlx::Result<()> {
    let outgrown: Vec<String> = sqlx::query_scalar(OUTGROWN)
        .fetch_all(&mut *connection)
        .await?;
    for table in outgrown {
        debug!("analysing {table}, which has more than doubled");
        // `SET LOCAL` lasts until the end of the transaction, so each analysis has its own.
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(ALLOW_ANALYSIS)
            .execute(&mut *transaction)
            .await?;
        // `regclass::text` has quoted the name.
        sqlx::raw_sql(AssertSqlSafe(format!("ANALYZE {table}")))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}
