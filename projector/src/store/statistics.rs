//! Keeps the planner's idea of the tables near the truth while they grow fast.
//!
//! Autovacuum looks once a minute. Within that minute an import makes a table of a thousand rows one of a
//! million, and the planner, which believes that a tenant has some rows, goes through all of them for every
//! key that it looks up. The one rule: nothing is done for tables that are known as they are.

use super::Store;
use sqlx::{Connection, PgConnection, Row};
use std::time::Duration;
use tracing::debug;

/// Whether a table has more than twice the pages that it had when it was last analysed.
pub(super) const HAVE_OUTGROWN: &str = "
SELECT bool_or(pg_relation_size(oid) / current_setting('block_size')::int8 > 2 * relpages + 64)
FROM pg_class
WHERE oid = ANY (ARRAY['events'::regclass, 'sessions'::regclass])";

/// An analysis reads a sample, of slow disks too: it has a limit of its own instead of that of a batch's statements.
const ALLOW_ANALYSIS: &str = "SET LOCAL statement_timeout = '10min'";

const ANALYSE: &str = "ANALYZE events, sessions";

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
    let outgrown: Option<bool> = sqlx::query(HAVE_OUTGROWN)
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    if outgrown == Some(true) {
        debug!("analysing tables that have more than doubled");
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(ALLOW_ANALYSIS)
            .execute(&mut *transaction)
            .await?;
        sqlx::raw_sql(ANALYSE).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}
