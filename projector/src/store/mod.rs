//! The analytics database: who owns a partition, and one transaction per batch.
//!
//! The one rule: rows, session states and the partition's offset change together or not at all, and
//! only for the owner of the newest epoch who stands exactly where the table says.

mod apply;
mod events;
mod fence;
mod lease;
mod refusal;
mod session_row;
mod sessions;
mod statistics;

pub use apply::{Applied, ApplyError};
pub use fence::LockHolder;
pub use refusal::{Cause, cause, reason};

use lease::SHORT;
use schemas::{EventId, WorkspaceNo};
use sqlx::{PgPool, Row};
use tokio::time::timeout;
use uuid::Uuid;

/// Every fixed statement, so that a test can prepare each on a freshly migrated database.
pub const STATEMENTS: &[&str] = &[
    CLAIM,
    RAISE_GENERATION,
    COUNT_WAITING,
    READ_PROGRESS,
    KNOWS,
    fence::LOCK_HOLDER,
    apply::LOCK_PARTITION,
    apply::ADVANCE_PARTITION,
    events::FIND_KNOWN,
    events::INSERT,
    events::FIND_SESSIONS_OF_VIEWS,
    events::LOAD_VIEWS,
    events::LOAD_LEAVES,
    events::RELEASE_WAITING,
    sessions::LOAD,
    sessions::DELETE,
    session_row::INSERT,
    sessions::SAVE_STATE,
    statistics::HAVE_OUTGROWN,
];

const CLAIM: &str = "
INSERT INTO log_partitions (topic, partition, epoch)
VALUES ($1, $2, 1)
ON CONFLICT (topic, partition) DO UPDATE
SET epoch = log_partitions.epoch + 1, updated_at = now()
RETURNING epoch, generation, next_offset, last_event_id";

const RAISE_GENERATION: &str = "
UPDATE log_partitions
SET generation = generation + 1, next_offset = 0, last_event_id = NULL, updated_at = now()
WHERE topic = $1 AND partition = $2 AND epoch = $3
RETURNING generation";

const COUNT_WAITING: &str = "SELECT count(*) FROM sessions WHERE started_at IS NULL";

const READ_PROGRESS: &str = "
SELECT partition, next_offset
FROM log_partitions
WHERE topic = $1
ORDER BY partition";

const KNOWS: &str = "
SELECT EXISTS (SELECT FROM events WHERE workspace_no = $1 AND event_id = $2)";

/// The right to fold one partition, from one offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Topic.
    pub topic: &'static str,
    /// Partition.
    pub partition: i32,
    /// Number of this ownership; a later claim makes it void.
    pub epoch: i64,
    /// Which log the offsets are of.
    pub generation: i32,
    /// The next offset to fold.
    pub next_offset: i64,
    /// Identity of the record before it, if there was one.
    pub last_event_id: Option<EventId>,
}

impl Claim {
    /// The place of an offset among all events of its workspace.
    #[must_use]
    pub const fn seq(&self, offset: i64) -> i64 {
        ((self.generation as i64) << 48) | offset
    }
}

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

    /// Takes a partition over; every earlier claim of it is void from now on.
    ///
    /// # Errors
    /// When the database refuses or is away.
    pub async fn claim(&self, topic: &'static str, partition: i32) -> sqlx::Result<Claim> {
        let mut lease = self.lease().await?;
        let claiming = sqlx::query(CLAIM)
            .bind(topic)
            .bind(partition)
            .fetch_one(&mut *lease);
        let claimed = timeout(SHORT, claiming).await;
        let row = lease.settle_short(claimed)?;
        let last_event_id: Option<Uuid> = row.try_get("last_event_id")?;
        Ok(Claim {
            topic,
            partition,
            epoch: row.try_get("epoch")?,
            generation: row.try_get("generation")?,
            next_offset: row.try_get("next_offset")?,
            last_event_id: last_event_id.map(EventId),
        })
    }

    /// Notes that the log is another one than the tables were made from: it is folded from its
    /// beginning, and what is known already is absorbed. `None` when the claim is void.
    ///
    /// # Errors
    /// When the database refuses or is away.
    pub async fn raise_generation(&self, claim: &Claim) -> sqlx::Result<Option<Claim>> {
        let mut lease = self.lease().await?;
        let raising = sqlx::query(RAISE_GENERATION)
            .bind(claim.topic)
            .bind(claim.partition)
            .bind(claim.epoch)
            .fetch_optional(&mut *lease);
        let raised = timeout(SHORT, raising).await;
        let Some(row) = lease.settle_short(raised)? else {
            return Ok(None);
        };
        let generation = row.try_get("generation")?;
        Ok(Some(Claim {
            generation,
            next_offset: 0,
            last_event_id: None,
            ..claim.clone()
        }))
    }

    /// Sessions of which something arrived before their start.
    ///
    /// # Errors
    /// When the database refuses or is away.
    pub async fn count_waiting(&self) -> sqlx::Result<i64> {
        let mut lease = self.lease().await?;
        let counting = sqlx::query(COUNT_WAITING).fetch_one(&mut *lease);
        let counted = timeout(SHORT, counting).await;
        lease.settle_short(counted)?.try_get(0)
    }

    /// True when the event was applied.
    ///
    /// # Errors
    /// When the database refuses or is away.
    pub async fn knows(&self, workspace: WorkspaceNo, event_id: EventId) -> sqlx::Result<bool> {
        sqlx::query(KNOWS)
            .bind(workspace.as_int4().unwrap_or_default())
            .bind(event_id.0)
            .fetch_one(&self.pool)
            .await?
            .try_get(0)
    }

    /// The next offset to fold, per partition.
    ///
    /// # Errors
    /// When the database refuses or is away.
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
