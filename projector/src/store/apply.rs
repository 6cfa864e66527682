//! One batch as one transaction: what is new is folded and written, the offset advances.

use super::{
    Claim, Store, events,
    fence::{Stand, Verdict},
    sessions,
};
use crate::{
    batch::Batch,
    fold::{
        Change, SessionKey, SessionState,
        duration::{self, View},
        fold,
    },
};
use jiff_sqlx::ToSqlx;
use schemas::{EventId, Kind, PageviewId, WorkspaceNo};
use sqlx::{Connection as _, PgConnection, Row};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};
use thiserror::Error;
use uuid::Uuid;

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
SET next_offset = $4, last_event_id = $5, updated_at = $6
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
    #[error("the partition stands elsewhere in the table than this claim")]
    Moved,
    /// No answer within [`BATCH_DEADLINE`].
    #[error("the transaction took longer than {} s", BATCH_DEADLINE.as_secs())]
    TooSlow,
    /// The database refused or is away.
    #[error("{0}")]
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

/// Where the claim's partition stands, its row locked; `None` without a row.
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
    let mut states = SessionChanges::of(&changes);
    states.add_sessions_of_leaves(connection, &changes).await?;

    let known = sessions::load(connection, &states.keys()).await?;
    let released = states.merge(known);
    events::place(&mut changes, &states.merged);
    events::insert(connection, &changes).await?;
    events::release_waiting(connection, &released).await?;
    // Views and leaves are in the table now, those of this batch included.
    states.measure(connection).await?;
    sessions::save(connection, &states.merged, &states.begun, &states.known).await?;
    Ok(applied)
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

/// What a batch does to sessions.
#[derive(Default)]
struct SessionChanges {
    /// By the batch's own events.
    changed: BTreeMap<SessionKey, SessionState>,
    /// Views of this batch, by session.
    views: BTreeMap<SessionKey, Vec<View>>,
    /// Sessions whose views' durations must be summed anew.
    remeasure: BTreeSet<SessionKey>,
    /// Sessions of which the table had something: views, too, perhaps.
    known: BTreeSet<SessionKey>,
    /// With what the table had.
    merged: BTreeMap<SessionKey, SessionState>,
    /// Sessions whose row must be written whole, because their start is in this batch.
    begun: BTreeSet<SessionKey>,
}

impl SessionChanges {
    fn of(changes: &[Change]) -> Self {
        let mut states = Self::default();
        for change in changes {
            let Some((key, state)) = &change.session else {
                continue;
            };
            if let Some(pageview_id) = change.row.pageview_id {
                states.views.entry(*key).or_default().push(View {
                    at: change.row.occurred_at,
                    event_id: change.row.event_id,
                    pageview_id,
                });
                states.remeasure.insert(*key);
            }
            states
                .changed
                .entry(*key)
                .or_default()
                .absorb(state.clone());
        }
        states
    }

    /// A leave names its view only; the view's session has changed as well.
    async fn add_sessions_of_leaves(
        &mut self,
        connection: &mut PgConnection,
        changes: &[Change],
    ) -> sqlx::Result<()> {
        let here: HashMap<(WorkspaceNo, PageviewId), SessionKey> = self
            .views
            .iter()
            .flat_map(|(key, views)| views.iter().map(|view| ((key.0, view.pageview_id), *key)))
            .collect();
        let mut left: Vec<(SessionKey, i64)> = Vec::new();
        let mut elsewhere: BTreeMap<(WorkspaceNo, PageviewId), i64> = BTreeMap::new();
        for change in changes {
            let Some(view) = change.leaves else { continue };
            let view = (change.row.workspace_no, view);
            if let Some(key) = here.get(&view) {
                left.push((*key, change.row.seq));
            } else {
                elsewhere.insert(view, change.row.seq);
            }
        }
        let asked: Vec<(WorkspaceNo, PageviewId)> = elsewhere.keys().copied().collect();
        for (view, key) in events::find_sessions_of_views(connection, &asked).await? {
            let seq = elsewhere.get(&(key.0, view)).copied().unwrap_or_default();
            left.push((key, seq));
        }
        for (key, seq) in left {
            self.remeasure.insert(key);
            self.changed.entry(key).or_default().absorb(SessionState {
                seq,
                ..SessionState::default()
            });
        }
        Ok(())
    }

    fn keys(&self) -> Vec<SessionKey> {
        self.changed.keys().copied().collect()
    }

    /// Joins with what the table had; gives the sessions for which something had waited, with their
    /// page and the seq from which on it counts.
    fn merge(
        &mut self,
        mut known: BTreeMap<SessionKey, SessionState>,
    ) -> Vec<(SessionKey, Uuid, i64)> {
        let mut released = Vec::new();
        for (key, change) in std::mem::take(&mut self.changed) {
            let starts = change.started.as_ref().map(|started| started.event_id);
            let before = known.remove(&key);
            if before.is_some() {
                self.known.insert(key);
            }
            let waited = before.as_ref().is_some_and(|state| state.started.is_none());
            let mut state = before.unwrap_or_default();
            state.absorb(change);
            if let Some(started) = &state.started
                && starts == Some(started.event_id)
            {
                self.begun.insert(key);
                if waited {
                    released.push((key, started.page_id.0, state.seq));
                }
            }
            self.merged.insert(key, state);
        }
        released
    }

    async fn measure(&mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let stored: Vec<SessionKey> = self.remeasure.intersection(&self.known).copied().collect();
        let mut views = events::load_views(connection, &stored).await?;
        for key in self.remeasure.difference(&self.known) {
            views.insert(*key, self.views.remove(key).unwrap_or_default());
        }
        let leaves = events::load_leaves(connection, &views).await?;
        for key in &self.remeasure {
            let views = views.get(key).map_or(&[][..], Vec::as_slice);
            let leaves = leaves.get(key).map_or(&[][..], Vec::as_slice);
            let viewed = duration::of_views(views, leaves);
            let state = self.merged.entry(*key).or_default();
            state.left_views = viewed.left_views;
            state.viewed_seconds = viewed.seconds;
            state.last_activity_at = state.last_activity_at.max(viewed.last_left_at);
        }
        Ok(())
    }
}
