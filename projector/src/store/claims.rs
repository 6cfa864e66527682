//! Claims of partitions, and the generations of the logs that they are parts of.
//!
//! The one rule: `seq` never repeats and only grows within a workspace. So a log has a generation of its own,
//! higher than those of the logs before it, and gets a further one when it has lost records, since others may
//! have taken their offsets. A partition that lost nothing keeps the one that it has.

use super::{Store, lease::SHORT};
use schemas::EventId;
use sqlx::{Connection as _, PgConnection, Row};
use tokio::time::timeout;
use uuid::Uuid;

pub(super) const CLAIM: &str = "
INSERT INTO log_partitions (topic, partition, epoch)
VALUES ($1, $2, 1)
ON CONFLICT (topic, partition) DO UPDATE
SET epoch = log_partitions.epoch + 1, updated_at = now()
RETURNING epoch, generation, log_id, next_offset, last_event_id";

/// The newest generations of this log, of other logs, and of all; partitions count that were folded by a build
/// that knew no log ids.
pub(super) const READ_GENERATIONS: &str = "
SELECT max(generation) FILTER (WHERE log_id = $1) AS own,
       max(generation) FILTER (WHERE log_id <> $1) AS others,
       greatest(
           max(generation),
           (
               SELECT max(generation)
               FROM log_partitions
               WHERE log_id IS NOT NULL OR next_offset > 0 OR generation > 0
           )
       ) AS newest
FROM logs";

pub(super) const GIVE_GENERATION: &str = "
INSERT INTO logs (generation, log_id)
VALUES ($1, $2)
ON CONFLICT (generation) DO NOTHING";

/// Two partitions of one log must get one generation, so they wait for each other.
const LOCK_LOGS: &str = "LOCK TABLE logs IN SHARE ROW EXCLUSIVE MODE";

pub(super) const SETTLE: &str = "
UPDATE log_partitions
SET log_id = $4,
    generation = $5,
    next_offset = $6,
    last_event_id = $7,
    folded_until = CASE WHEN next_offset = $6 THEN folded_until END,
    updated_at = now()
WHERE topic = $1 AND partition = $2 AND epoch = $3";

/// The right to fold one partition, from one offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Topic.
    pub topic: &'static str,
    /// Partition.
    pub partition: i32,
    /// Number of this ownership; a later claim makes it void.
    pub epoch: i64,
    /// The log that the offsets are of; `None` when nothing was folded, or by a build that did not know it.
    pub log_id: Option<Uuid>,
    /// That log's generation in this partition.
    pub generation: i32,
    /// The next offset to fold.
    pub next_offset: i64,
    /// Identity of the record before it, if there was one.
    pub last_event_id: Option<EventId>,
}

/// What the log says about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The id that its directory names.
    pub log_id: Uuid,
    /// Whether the record before the next offset is the one that was applied last, or none was.
    pub has_last_record: bool,
}

#[derive(Debug)]
struct Generations {
    own: Option<i32>,
    others: Option<i32>,
    newest: Option<i32>,
}

impl Claim {
    /// The place of an offset among all events of its workspace.
    #[must_use]
    pub const fn seq(&self, offset: i64) -> i64 {
        ((self.generation as i64) << 48) | offset
    }

    /// Whether rows may have this claim's generation in their seq.
    const fn is_used(&self) -> bool {
        self.log_id.is_some() || self.next_offset > 0 || self.generation > 0
    }

    /// Whether folding goes on where the tables are.
    fn goes_on(&self, found: Found, generations: &Generations) -> bool {
        let is_newest = generations
            .others
            .is_none_or(|other| other < self.generation);
        let is_same = match self.log_id {
            Some(log_id) => log_id == found.log_id,
            None => self.next_offset > 0,
        };
        found.has_last_record && is_newest && is_same
    }
}

impl Store {
    /// Takes a partition over; every earlier claim of it is void from now on.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
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
            log_id: row.try_get("log_id")?,
            generation: row.try_get("generation")?,
            next_offset: row.try_get("next_offset")?,
            last_event_id: last_event_id.map(EventId),
        })
    }

    /// Holds a claim against the log. Where the log is another one, or lacks the last record, the claim is for
    /// folding it from its beginning in a generation of its own; what is known already is absorbed. `None` when
    /// the claim is void.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    pub async fn settle(&self, claim: &Claim, found: Found) -> sqlx::Result<Option<Claim>> {
        let mut lease = self.lease().await?;
        let settled = timeout(SHORT, settle(&mut lease, claim, found)).await;
        lease.settle_short(settled)
    }
}

async fn settle(
    connection: &mut PgConnection,
    claim: &Claim,
    found: Found,
) -> sqlx::Result<Option<Claim>> {
    let mut transaction = connection.begin().await?;
    let generations = read_generations(&mut transaction, found.log_id).await?;
    if claim.log_id.is_some() && claim.goes_on(found, &generations) {
        transaction.rollback().await?;
        return Ok(Some(claim.clone()));
    }
    sqlx::raw_sql(LOCK_LOGS).execute(&mut *transaction).await?;
    let generations = read_generations(&mut transaction, found.log_id).await?;
    let mut settled = Claim {
        log_id: Some(found.log_id),
        ..claim.clone()
    };
    if claim.goes_on(found, &generations) {
        // The tables of an older build: the log is named now, and the seqs stay as they are.
        if generations.own.is_none() {
            let newest = generations.newest.unwrap_or(claim.generation);
            give(&mut transaction, newest, found.log_id).await?;
        }
    } else {
        let used = claim.is_used().then_some(claim.generation);
        let above = generations.others.max(used);
        settled.generation = match generations.own {
            Some(own) if Some(own) > above => own,
            _ => generations.newest.map_or(0, |newest| newest + 1),
        };
        settled.next_offset = 0;
        settled.last_event_id = None;
        give(&mut transaction, settled.generation, found.log_id).await?;
    }
    let done = sqlx::query(SETTLE)
        .bind(claim.topic)
        .bind(claim.partition)
        .bind(claim.epoch)
        .bind(settled.log_id)
        .bind(settled.generation)
        .bind(settled.next_offset)
        .bind(settled.last_event_id.map(|id| id.0))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok((done.rows_affected() == 1).then_some(settled))
}

async fn read_generations(
    connection: &mut PgConnection,
    log_id: Uuid,
) -> sqlx::Result<Generations> {
    let row = sqlx::query(READ_GENERATIONS)
        .bind(log_id)
        .fetch_one(connection)
        .await?;
    Ok(Generations {
        own: row.try_get("own")?,
        others: row.try_get("others")?,
        newest: row.try_get("newest")?,
    })
}

async fn give(connection: &mut PgConnection, generation: i32, log_id: Uuid) -> sqlx::Result<()> {
    sqlx::query(GIVE_GENERATION)
        .bind(generation)
        .bind(log_id)
        .execute(connection)
        .await?;
    Ok(())
}
