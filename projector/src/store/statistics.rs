//! Keeps the planner's idea of the tables near the truth while they grow fast.
//!
//! Autovacuum looks once a minute. Within that minute an import makes a table of a thousand rows one of a
//! million, and the planner, which believes that a tenant has some rows, goes through all of them for every
//! key that it looks up. The one rule: nothing is done for tables that are known as they are.

use super::Store;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;
use tracing::debug;

/// The tables that the planner knows too little of: partitions with more than twice the pages that they had when
/// they were last analysed, and parents whose partitions together have more than twice the rows. Autovacuum never
/// analyses a parent.
pub(super) const OUTGROWN: &str = "
SELECT tables.oid::regclass::text AS name
FROM pg_inherits
JOIN pg_class AS tables ON tables.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = ANY (ARRAY['seen'::regclass, 'hits'::regclass, 'sessions'::regclass])
  AND tables.relkind = 'r'
  AND pg_relation_size(tables.oid) / current_setting('block_size')::int8 > 2 * tables.relpages + 64
UNION ALL
SELECT parents.oid::regclass::text
FROM pg_inherits
JOIN pg_class AS tables ON tables.oid = pg_inherits.inhrelid
JOIN pg_class AS parents ON parents.oid = pg_inherits.inhparent
WHERE parents.oid = ANY (ARRAY['hits'::regclass, 'sessions'::regclass])
GROUP BY parents.oid, parents.reltuples
HAVING sum(greatest(tables.reltuples, 0)) > 2 * greatest(parents.reltuples, 0) + 1000";

/// An analysis reads a sample, of slow disks too: it has a limit of its own instead of that of a batch's statements.
const ALLOW_ANALYSIS: &str = "SET LOCAL statement_timeout = '10min'";

/// When the connection of an analysis is given up, above the server's limit.
const DEADLINE: Duration = Duration::from_mins(11);

impl Store {
    /// Has the tables analysed when they have outgrown what the planner knows of them. A look costs a
    /// fraction of a millisecond, an analysis some hundred, and there are as many as a table has doubled.
    ///
    /// # Errors
    /// When the database refuses or does not answer; the tables are as right as before.
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
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(ALLOW_ANALYSIS)
            .execute(&mut *transaction)
            .await?;
        // The server has quoted the name.
        sqlx::raw_sql(AssertSqlSafe(format!("ANALYZE {table}")))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}
