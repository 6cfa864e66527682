//! Claims partitions, and assigns generations to their logs.
//!
//! The one rule: `seq` never repeats and only grows within a workspace. So each log has its own
//! generation, higher than those of earlier logs. A log that has lost records gets a further one,
//! because other records may have taken their offsets. A partition that lost nothing keeps its
//! generation.

use super::{Store, fresh::Fresh, lease::SHORT};
use schemas::EventId;
use sqlx::{Connection as _, PgConnection, Row};
use tokio::time::timeout;
use uuid::Uuid;

pub(super) fn statements() -> Vec<&'static str> {
    vec![CLAIM, READ_GENERATIONS, GIVE_GENERATION, SETTLE]
}

pub(super) const CLAIM: &str = "
INSERT INTO log_partitions (topic, partition, epoch)
VALUES ($1, $2, 1)
ON CONFLICT (topic, partition) DO UPDATE
SET epoch = log_partitions.epoch + 1, updated_at = now()
RETURNING epoch, generation, log_id, next_offset, last_event_id";

/// The newest generations of this log, of other logs, and of all logs. The last includes partitions
/// that were folded by a build without log ids.
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

/// All partitions of a log must get the same generation, so their transactions wait for each other.
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

/// The right to fold one partition from an offset on.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Topic.
    pub topic: &'static str,
    /// Partition.
    pub partition: i32,
    /// The number of this claim; a later claim makes it void.
    pub epoch: i64,
    /// The log of the offsets; `None` when nothing was folded, or only by a build without log ids.
    pub log_id: Option<Uuid>,
    /// That log's generation in this partition.
    pub generation: i32,
    /// The next offset to fold.
    pub next_offset: i64,
    /// Identity of the record before it, if there was one.
    pub last_event_id: Option<EventId>,
    /// What is known of the months of its workspaces.
    pub(super) fresh: Fresh,
}

/// The state of the log, compared with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The log's id in its directory.
    pub log_id: Uuid,
    /// True if the record before the next offset is the one applied last, or if none was applied.
    pub has_last_record: bool,
}

#[derive(Debug)]
struct Generations {
    own: Option<i32>,
    others: Option<i32>,
    newest: Option<i32>,
}

impl Claim {
    /// The seq of an offset: its position among all events of its workspace.
    #[must_use]
    pub const fn seq(&self, offset: i64) -> i64 {
        ((self.generation as i64) << 48) | offset
    }

    /// True if rows may have this claim's generation in their seq.
    const fn is_used(&self) -> bool {
        self.log_id.is_some() || self.next_offset > 0 || self.generation > 0
    }

    /// True if folding may continue at the claim's offset.
    fn goes_on(&self, found: Found, generations: &Generations) -> bool {
        // Below another log's generation, new rows would get a lower seq than existing ones.
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
    /// Takes a partition over. Every earlier claim of it becomes void.
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
            fresh: Fresh::default(),
        })
    }

    /// Compares a claim with the log. If the log is another one, or lacks the last record, the
    /// returned claim folds it from its beginning, in a generation above those used before. Known
    /// events then change nothing. `None` when the claim is void.
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
    // The common case above needs no lock. Under the lock, another partition may have assigned the
    // generation meanwhile, so it is read again.
    sqlx::raw_sql(LOCK_LOGS).execute(&mut *transaction).await?;
    let generations = read_generations(&mut transaction, found.log_id).await?;
    let mut settled = Claim {
        log_id: Some(found.log_id),
        ..claim.clone()
    };
    if claim.goes_on(found, &generations) {
        // The tables come from a build without log ids. The log gets its name, and every seq stays.
        if generations.own.is_none() {
            let newest = generations.newest.unwrap_or(claim.generation);
            give(&mut transaction, newest, found.log_id).await?;
        }
    } else {
        // Reuses a generation that another partition of this log got, but only above those of other
        // logs and above any that this partition has used.
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
