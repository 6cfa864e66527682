//! Writes the analytics database: ownership of partitions, and one transaction per batch.
//!
//! The one rule: rows, session states and the partition's offset change together or not at all.
//! Only the owner of the newest epoch may change them, and only from the offset in the table.

mod append;
mod apply;
mod change;
mod claims;
mod clicks;
mod conversions;
mod counting;
mod expiry;
mod facts;
mod fence;
mod fresh;
mod hits;
mod known;
mod lease;
mod lock_holder;
mod lookup;
mod months;
mod refusal;
mod seen;
mod sessions;
mod statistics;
mod waiting;

pub use apply::{Applied, ApplyError};
pub use claims::{Claim, Found};
pub use known::Asked;
pub use lock_holder::LockHolder;
pub use refusal::{Cause, cause, reason};

use crate::rows::columns::TableRow;
use jiff::Timestamp;
use lease::SHORT;
use schemas::WorkspaceNo;
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};
use std::sync::Arc;
use tokio::time::timeout;

pub(crate) fn statements() -> Vec<&'static str> {
    [
        vec![COUNT_WAITING, READ_PROGRESS],
        claims::statements(),
        clicks::statements(),
        conversions::statements(),
        expiry::statements(),
        facts::statements(),
        fence::statements(),
        fresh::statements(),
        hits::statements(),
        known::statements(),
        lock_holder::statements(),
        months::statements(),
        seen::statements(),
        sessions::statements(),
        statistics::statements(),
        waiting::statements(),
    ]
    .concat()
}

const COUNT_WAITING: &str = "
SELECT count(*)
FROM (
    SELECT DISTINCT workspace_no, session_id
    FROM waiting
    WHERE session_id IS NOT NULL
    LIMIT $1
) AS waiting";

/// The most waiting sessions counted. A flood of them must not make the gauge expensive.
const MOST_COUNTED: i64 = 100_000;

const READ_PROGRESS: &str = "
SELECT partition, next_offset
FROM log_partitions
WHERE topic = $1
ORDER BY partition";

/// The tables of the analytics database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    /// Months whose partitions are known to exist.
    months: Arc<months::Known>,
}

impl Store {
    /// The tables behind this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            months: Arc::default(),
        }
    }

    /// Counts the sessions that are named by an event that does not count, usually because their
    /// start has not arrived. At most 100,000.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn count_waiting(&self) -> sqlx::Result<i64> {
        let mut lease = self.lease().await?;
        let counting = sqlx::query(COUNT_WAITING)
            .bind(MOST_COUNTED)
            .fetch_one(&mut *lease);
        let counted = timeout(SHORT, counting).await;
        lease.settle_short(counted)?.try_get(0)
    }

    /// Creates the partitions for the months of these times. Batches do that by themselves.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn provide_months(
        &self,
        times: impl IntoIterator<Item = Timestamp>,
    ) -> sqlx::Result<()> {
        let mut connection = self.pool.acquire().await?;
        months::provide(&mut connection, &self.months, times).await
    }

    /// The next offset to fold, per partition.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn progress(&self, topic: &str) -> sqlx::Result<Vec<(i32, i64)>> {
        let mut lease = self.lease().await?;
        let reading = sqlx::query(READ_PROGRESS)
            .bind(topic)
            .fetch_all(&mut *lease);
        let read = timeout(SHORT, reading).await;
        let rows = lease.settle_short(read)?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }
}

/// Runs a statement that takes one array per column, if there are rows.
async fn execute<R: TableRow>(
    connection: &mut PgConnection,
    statement: &'static str,
    rows: &[R],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let query = R::bind_groups(rows.iter(), sqlx::query(statement));
    query.execute(connection).await?;
    Ok(())
}

/// Converts the number for the tables. The reader of events has checked that it fits.
fn int4(no: WorkspaceNo) -> i32 {
    no.as_int4().unwrap_or_default()
}

fn workspace(row: &PgRow) -> sqlx::Result<WorkspaceNo> {
    let no: i32 = row.try_get("workspace_no")?;
    Ok(WorkspaceNo(no.unsigned_abs()))
}
