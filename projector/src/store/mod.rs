//! The analytics database: who owns a partition, and one transaction per batch.
//!
//! The one rule: rows, session states and the partition's offset change together or not at all, and
//! only for the owner of the newest epoch who stands exactly where the table says.

mod apply;
mod claims;
mod counting;
mod events;
mod expiry;
mod fence;
mod known;
mod lease;
mod refusal;
mod session_row;
mod sessions;
mod statistics;
mod views;

pub use apply::{Applied, ApplyError};
pub use claims::{Claim, Found};
pub use fence::LockHolder;
pub use known::Asked;
pub use refusal::{Cause, cause, reason};

use lease::SHORT;
use sqlx::{PgPool, Row};
use tokio::time::timeout;

/// Every fixed statement, so that a test can prepare each on a freshly migrated database.
pub const STATEMENTS: &[&str] = &[
    claims::CLAIM,
    claims::READ_GENERATIONS,
    claims::GIVE_GENERATION,
    claims::SETTLE,
    COUNT_WAITING,
    READ_PROGRESS,
    fence::LOCK_HOLDER,
    known::FIND_IN_LOG,
    apply::LOCK_PARTITION,
    apply::ADVANCE_PARTITION,
    events::FIND_KNOWN,
    events::INSERT,
    events::LOAD_WAITING,
    events::RELEASE,
    views::FIND_COUNTED,
    views::LOAD_NEIGHBOURS,
    views::LOAD_LATEST_LEAVES,
    views::LOAD_WAITING_LEAVES,
    sessions::LOAD,
    sessions::DELETE,
    session_row::INSERT,
    sessions::SAVE_STATE,
    statistics::HAVE_OUTGROWN,
    expiry::NOTE_FOLDED,
    expiry::READ_HORIZON,
    expiry::EXPIRE,
];

const COUNT_WAITING: &str = "
SELECT count(*)
FROM (
    SELECT DISTINCT workspace_no, session_id
    FROM events
    WHERE visible_seq IS NULL AND session_id IS NOT NULL
    LIMIT $1
) AS waiting";

/// Where counting of waiting sessions ends: a flood of them must not make the gauge expensive.
const MOST_COUNTED: i64 = 100_000;

const READ_PROGRESS: &str = "
SELECT partition, next_offset
FROM log_partitions
WHERE topic = $1
ORDER BY partition";

/// The tables.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// The tables behind that pool.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// How many sessions are named by an event that does not count, mostly because their start has not come; at most
    /// 100,000.
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
