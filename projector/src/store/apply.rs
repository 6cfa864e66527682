//! Applies a batch in one transaction: folds and writes the new events, and advances the offset.

use super::{
    Claim, Store,
    change::Change,
    clicks, conversions,
    counting::Counting,
    facts,
    fence::{self, Verdict},
    hits::{self, ViewKey},
    months, seen,
    sessions::{self, Asked},
    waiting,
};
use crate::{
    batch::Batch,
    fold::{self, SessionKey, Summary},
    rows::{Rows, SeenRow, ViewColumns},
};
use jiff::Timestamp;
use schemas::Kind;
use sqlx::{Connection as _, PgConnection};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};
use thiserror::Error;

/// How long a batch may take before its connection is closed. Two statements may reach their own
/// limit within this time.
pub(crate) const BATCH_DEADLINE: Duration = Duration::from_mins(2);

/// The result of a committed batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// New events, by type.
    pub applied: BTreeMap<Kind, u64>,
    /// Events that were folded before, by type.
    pub duplicate: BTreeMap<Kind, u64>,
}

/// Why a batch was not committed.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// A later claim holds the partition.
    #[error("the partition has another owner")]
    Fenced,
    /// The table has another offset, for example after a restore. A new claim reads it.
    #[error("the table has another offset for the partition than this claim")]
    Moved,
    /// No answer within [`BATCH_DEADLINE`].
    #[error("the transaction took longer than {} s", BATCH_DEADLINE.as_secs())]
    TooSlow,
    /// The database refused or did not answer.
    #[error("{}", runtime::database::message(.0))]
    Database(#[from] sqlx::Error),
}

impl Store {
    /// Writes the changes of a batch and moves the claim to its end.
    ///
    /// # Errors
    /// [`ApplyError::Fenced`] and [`ApplyError::Moved`] when the claim is void. After any error
    /// nothing is written, unless only the answer to the commit was lost. The next attempt detects
    /// that.
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
        let applying = async {
            let times = batch.events.iter().map(|(_, event)| event.occurred_at);
            // Before the transaction: creating partitions commits by itself, so a failed batch
            // keeps them.
            months::provide(&mut lease, &self.months, times).await?;
            apply(&mut lease, claim, batch, now).await
        };
        let applied = tokio::time::timeout(BATCH_DEADLINE, applying).await;
        let applied = lease.settle(applied).unwrap_or(Err(ApplyError::TooSlow));
        if applied.is_err() {
            // After a restore, partitions that existed before may be missing.
            self.months.forget();
            claim.fresh.forget();
        }
        applied
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
    // The lock comes before any write: a former owner waits here and is then refused.
    let stand = fence::lock(&mut transaction, claim).await?;
    let applied = match claim.compare(stand, next_offset) {
        Verdict::Holds => {
            let applied = write(&mut transaction, claim, batch).await?;
            let end = (next_offset, last_event_id);
            let received_until = received_until(batch, now);
            fence::advance(&mut transaction, claim, end, now, received_until).await?;
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
    // Only after the commit: a failed batch is applied again from the same offset.
    claim.next_offset = next_offset;
    claim.last_event_id = Some(last_event_id);
    Ok(applied)
}

/// The time of receipt up to which the fold has come with this batch. Capped at now, because a
/// clock that is ahead proves nothing about other records.
fn received_until(batch: &Batch, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let received = batch.events.iter().map(|(_, event)| event.received_at);
    received.max().map(|latest| latest.min(now))
}

async fn write(
    connection: &mut PgConnection,
    claim: &mut Claim,
    batch: &Batch,
) -> sqlx::Result<Applied> {
    let (mut changes, applied) = new_changes(connection, claim, batch).await?;
    // A leave names only its view, which leads to the session whose duration it changes.
    let left = hits::find(connection, &views_left_elsewhere(&changes)).await?;
    let (named, begun) = named_sessions(&changes, &left);
    let known = sessions::load(connection, &named, &begun).await?;

    // The order matters: events of new sessions first, then leaves, since a waiting view that now
    // counts may have waiting leaves. Durations come last, when all new views and leaves are known.
    let mut counting = Counting::new(known, &changes);
    let tenants = changes.iter().map(|change| change.summary.workspace_no);
    let tenants = waiting::find_tenants(connection, tenants.collect()).await?;
    changes.extend(waiting::load_of_sessions(connection, &tenants, &counting.begun()).await?);
    counting.count_events(&mut changes, &left);
    changes.extend(waiting::load_leaves(connection, &tenants, counting.new_views()).await?);
    counting.count_leaves(&mut changes);
    let neighbours = hits::load_neighbours(connection, &counting.places()).await?;
    counting.note_neighbours(&neighbours);
    counting.measure();

    let mut rows = rows(&changes);
    // A new view and its leave become one insert.
    counting.leave(&mut rows.hits);
    let split = counting.split_clicks(rows.hits.drain(..));
    hits::insert(connection, &split.views, &split.clicks).await?;
    hits::leave(connection, &counting.left()).await?;
    clicks::insert(connection, &mut rows.clicks).await?;
    conversions::insert(connection, &rows).await?;
    facts::insert(connection, &rows).await?;
    waiting::save(connection, &changes).await?;
    sessions::save(connection, &counting.changed()).await?;
    hits::insert_later_clicks(connection, &split.later_clicks).await?;
    Ok(applied)
}

fn rows(changes: &[Change]) -> Rows {
    let mut rows = Rows::default();
    for change in changes {
        if let Some(counted) = change.counted {
            fold::add_rows(&change.event, change.summary.seq, counted, &mut rows);
        }
    }
    rows
}

/// The sessions that the batch names, with the times of their events, and the sessions that it
/// starts.
fn named_sessions(changes: &[Change], left: &[ViewColumns]) -> (Vec<Asked>, BTreeSet<SessionKey>) {
    let by_events = changes.iter().filter_map(|change| {
        let key = change.summary.session()?;
        Some((key, change.summary.occurred_at))
    });
    let by_views = left
        .iter()
        .map(|hit| ((hit.workspace_no, hit.session_id), hit.occurred_at));
    let mut named: BTreeMap<SessionKey, (Timestamp, Timestamp)> = BTreeMap::new();
    for (key, at) in by_events.chain(by_views) {
        let span = named.entry(key).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
    }
    let begun = changes
        .iter()
        .filter(|change| change.summary.is(Kind::SessionStarted))
        .filter_map(|change| change.summary.session())
        .collect();
    let named = named
        .into_iter()
        .map(|(key, (first, last))| Asked { key, first, last })
        .collect();
    (named, begun)
}

/// The views that leaves of the batch name but that are not in the batch.
fn views_left_elsewhere(changes: &[Change]) -> Vec<(ViewKey, Timestamp)> {
    let key = |event: &Summary| Some((event.workspace_no, event.pageview_id?));
    let summaries = || changes.iter().map(|change| &change.summary);
    let here: HashSet<ViewKey> = summaries()
        .filter(|event| event.is(Kind::PageViewed))
        .filter_map(key)
        .collect();
    let left: BTreeMap<ViewKey, Timestamp> = summaries()
        .filter(|event| event.is(Kind::PageLeft))
        .filter_map(|event| Some((key(event)?, event.occurred_at)))
        .filter(|(view, _)| !here.contains(view))
        .collect();
    left.into_iter().collect()
}

/// The events of the batch that are new: neither in the tables nor earlier in the batch. Notes them as seen.
async fn new_changes(
    connection: &mut PgConnection,
    claim: &mut Claim,
    batch: &Batch,
) -> sqlx::Result<(Vec<Change>, Applied)> {
    let events = batch.events.iter().map(|(_, event)| &**event);
    let mut known = seen::find(connection, &mut claim.fresh, events).await?;
    let mut applied = Applied::default();
    let mut changes = Vec::with_capacity(batch.events.len());
    let mut rows = Vec::with_capacity(batch.events.len());
    for (offset, event) in &batch.events {
        let (kind, seq) = (event.body.kind(), claim.seq(*offset));
        // An event that is repeated within the batch is known from then on.
        if known.insert((event.workspace_no, event.event_id)) {
            *applied.applied.entry(kind).or_default() += 1;
            rows.push(SeenRow {
                seq,
                workspace_no: event.workspace_no,
                month: seen::month(event.occurred_at),
                event_id: event.event_id,
            });
            changes.push(Change::new(Arc::clone(event), seq));
        } else {
            *applied.duplicate.entry(kind).or_default() += 1;
        }
    }
    seen::insert(connection, &mut claim.fresh, rows).await?;
    Ok((changes, applied))
}
