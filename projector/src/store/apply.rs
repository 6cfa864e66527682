//! One batch as one transaction: what is new is folded and written, the offset advances.

use super::{
    Claim, Store,
    counting::Counting,
    events,
    fence::{Stand, Verdict},
    sessions,
    views::{self, ViewKey},
};
use crate::{
    batch::Batch,
    fold::{Change, SessionKey, Summary, fold},
};
use jiff_sqlx::ToSqlx;
use schemas::{EventId, Kind, WorkspaceNo};
use sqlx::{Connection as _, PgConnection, Row};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};
use thiserror::Error;

/// How long a batch may take before its connection is given up. Two statements may reach their limit within.
pub(crate) const BATCH_DEADLINE: Duration = Duration::from_mins(2);

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
    /// A later claim holds the partition.
    #[error("the partition has another owner")]
    Fenced,
    /// The table was set to another place, as a restored database is. A new claim says where.
    #[error("the table has another offset of the partition than this claim")]
    Moved,
    /// No answer within [`BATCH_DEADLINE`].
    #[error("the transaction took longer than {} s", BATCH_DEADLINE.as_secs())]
    TooSlow,
    /// The database refused or did not answer.
    #[error("{}", runtime::database::message(.0))]
    Database(#[from] sqlx::Error),
}

impl Store {
    /// Writes what a batch changes and moves the claim to its end.
    ///
    /// # Errors
    /// [`ApplyError::Fenced`] and [`ApplyError::Moved`] when the claim is void. After any error nothing was
    /// written, unless the answer to the commit was lost: the next attempt finds out.
    pub async fn apply(
        &self,
        claim: &mut Claim,
        batch: &Batch,
        now: jiff::Timestamp,
    ) -> Result<Applied, ApplyError> {
        if batch.end.is_none() {
            return Ok(Applied::default());
        }
        let mut lease = self.lease().await?;
        let applying = apply(&mut lease, claim, batch, now);
        let applied = tokio::time::timeout(BATCH_DEADLINE, applying).await;
        lease.settle(applied).unwrap_or(Err(ApplyError::TooSlow))
    }
}

async fn apply(
    connection: &mut PgConnection,
    claim: &mut Claim,
    batch: &Batch,
    now: jiff::Timestamp,
) -> Result<Applied, ApplyError> {
    let Some((next_offset, last_event_id)) = batch.end else {
        return Ok(Applied::default());
    };
    let mut transaction = connection.begin().await?;
    let stand = lock_partition(&mut transaction, claim).await?;
    let applied = match claim.compare(stand, next_offset) {
        Verdict::Holds => {
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
            applied
        }
        Verdict::Committed => {
            transaction.rollback().await?;
            Applied::default()
        }
        Verdict::Fenced => return Err(ApplyError::Fenced),
        Verdict::Moved => return Err(ApplyError::Moved),
    };
    claim.next_offset = next_offset;
    claim.last_event_id = Some(last_event_id);
    Ok(applied)
}

/// How far a batch brings the fold, by the time at which ingest received its events. A clock that is ahead says
/// nothing about the records of others.
fn received_until(batch: &Batch, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let received = batch.events.iter().map(|(_, event)| event.received_at);
    received.max().map(|latest| latest.min(now))
}

/// The stored place of the claim's partition, its row locked; `None` without a row.
async fn lock_partition(
    connection: &mut PgConnection,
    claim: &Claim,
) -> sqlx::Result<Option<Stand>> {
    let row = sqlx::query(LOCK_PARTITION)
        .bind(claim.topic)
        .bind(claim.partition)
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        Ok(Stand {
            epoch: row.try_get("epoch")?,
            generation: row.try_get("generation")?,
            next_offset: row.try_get("next_offset")?,
        })
    })
    .transpose()
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
