//! One batch as one transaction: what is new is folded and written, the offset advances.

use super::{Claim, Store, counting::Counting, events, sessions, views, views::ViewKey};
use crate::{
    batch::Batch,
    fold::{Change, SessionKey, Summary, fold},
};
use jiff_sqlx::ToSqlx;
use schemas::{EventId, Kind, WorkspaceNo};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use thiserror::Error;

/// Locks the partition's row; a zombie waits here until the new owner has committed, and is then refused.
pub(super) const LOCK_PARTITION: &str = "
SELECT epoch, generation, next_offset
FROM log_partitions
WHERE topic = $1 AND partition = $2
FOR UPDATE";

pub(super) const ADVANCE_PARTITION: &str = "
UPDATE log_partitions
SET next_offset = $4, last_event_id = $5, updated_at = $6, folded_until = greatest(folded_until, $7)
WHERE topic = $1 AND partition = $2 AND epoch = $3";

/// What a committed batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Events that count now, by type.
    pub applied: BTreeMap<Kind, u64>,
    /// Events that had been counted before, by type.
    pub duplicate: BTreeMap<Kind, u64>,
}

/// Why a batch was not committed.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// Somebody else owns the partition, or stands elsewhere in it.
    #[error("the partition has another owner")]
    Fenced,
    /// The database refused or is away.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
}

impl Store {
    /// Writes what a batch changes and moves the claim to its end.
    ///
    /// # Errors
    /// [`ApplyError::Fenced`] when the claim is void. After any error nothing was written.
    pub async fn apply(
        &self,
        claim: &mut Claim,
        batch: &Batch,
        now: jiff::Timestamp,
    ) -> Result<Applied, ApplyError> {
        let Some((next_offset, last_event_id)) = batch.end else {
            return Ok(Applied::default());
        };
        let mut transaction = self.pool.begin().await?;
        let stands = lock_partition(&mut transaction, claim).await?;
        if stands == (claim.epoch, claim.generation, next_offset)
            && next_offset != claim.next_offset
        {
            // Our own commit, whose answer was lost: nobody else writes under this epoch.
            transaction.rollback().await?;
            claim.next_offset = next_offset;
            claim.last_event_id = Some(last_event_id);
            return Ok(Applied::default());
        }
        if stands != (claim.epoch, claim.generation, claim.next_offset) {
            return Err(ApplyError::Fenced);
        }
        let applied = write(&mut transaction, claim, batch).await?;
        sqlx::query(ADVANCE_PARTITION)
            .bind(claim.topic)
            .bind(claim.partition)
            .bind(claim.epoch)
            .bind(next_offset)
            .bind(last_event_id.0)
            .bind(now.to_sqlx())
            .bind(received_until(batch, now).map(ToSqlx::to_sqlx))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        claim.next_offset = next_offset;
        claim.last_event_id = Some(last_event_id);
        Ok(applied)
    }
}

/// How far a batch brings the fold, by the time at which ingest received its events. A clock that is ahead says
/// nothing about the records of others.
fn received_until(batch: &Batch, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let received = batch.events.iter().map(|(_, event)| event.received_at);
    received.max().map(|latest| latest.min(now))
}

/// Epoch, generation and next offset of the claim's partition, locked.
async fn lock_partition(
    connection: &mut PgConnection,
    claim: &Claim,
) -> Result<(i64, i32, i64), ApplyError> {
    let row = sqlx::query(LOCK_PARTITION)
        .bind(claim.topic)
        .bind(claim.partition)
        .fetch_optional(connection)
        .await?
        .ok_or(ApplyError::Fenced)?;
    Ok((
        row.try_get("epoch")?,
        row.try_get("generation")?,
        row.try_get("next_offset")?,
    ))
}

async fn write(
    connection: &mut PgConnection,
    claim: &Claim,
    batch: &Batch,
) -> sqlx::Result<Applied> {
    let (mut changes, applied) = new_changes(connection, claim, batch).await?;
    let left = views::find_counted(connection, &views_left_elsewhere(&changes)).await?;
    let named: BTreeSet<SessionKey> = changes
        .iter()
        .filter_map(|change| change.row.summary().session())
        .chain(left.iter().map(|view| view.session))
        .collect();
    let named: Vec<SessionKey> = named.into_iter().collect();
    let known = sessions::load(connection, &named).await?;

    let mut counting = Counting::new(known, &mut changes);
    let waiting = events::load_waiting(connection, &counting.begun()).await?;
    counting.count_events(&mut changes, &waiting, &left);
    let waiting = views::load_waiting_leaves(connection, counting.new_views()).await?;
    counting.count_leaves(&mut changes, &waiting);
    let neighbours = views::load_neighbours(connection, &counting.places()).await?;
    counting.note_neighbours(neighbours);
    let leaves = views::load_latest_leaves(connection, &counting.counted_views()).await?;
    counting.measure(&leaves);

    events::insert(connection, &changes).await?;
    events::release(connection, counting.released()).await?;
    sessions::save(connection, &counting.changed()).await?;
    Ok(applied)
}

/// The views that leaves of the batch name and that are not in the batch.
fn views_left_elsewhere(changes: &[Change]) -> Vec<ViewKey> {
    let key = |event: &Summary| Some((event.workspace_no, event.pageview_id?));
    let here: HashSet<ViewKey> = changes
        .iter()
        .map(|change| change.row.summary())
        .filter(|event| event.is(Kind::PageViewed))
        .filter_map(|event| key(&event))
        .collect();
    let left: BTreeSet<ViewKey> = changes
        .iter()
        .map(|change| change.row.summary())
        .filter(|event| event.is(Kind::PageLeft))
        .filter_map(|event| key(&event))
        .collect();
    left.into_iter()
        .filter(|view| !here.contains(view))
        .collect()
}

/// The changes of those events that are neither in the tables nor earlier in the batch.
async fn new_changes(
    connection: &mut PgConnection,
    claim: &Claim,
    batch: &Batch,
) -> sqlx::Result<(Vec<Change>, Applied)> {
    let ids: Vec<(WorkspaceNo, EventId)> = batch
        .events
        .iter()
        .map(|(_, event)| (event.workspace_no, event.event_id))
        .collect();
    let mut known: HashSet<(WorkspaceNo, EventId)> = events::find_known(connection, &ids).await?;
    let mut applied = Applied::default();
    let mut changes = Vec::with_capacity(batch.events.len());
    for (offset, event) in &batch.events {
        let kind = event.body.kind();
        if known.insert((event.workspace_no, event.event_id)) {
            *applied.applied.entry(kind).or_default() += 1;
            changes.push(fold(event, claim.seq(*offset)));
        } else {
            *applied.duplicate.entry(kind).or_default() += 1;
        }
    }
    Ok((changes, applied))
}
