//! From batches to the log: one after the other, with a pause while the tables are behind.
//!
//! The one rule: the next batch goes only when that keeps the tables within [`MAX_BEHIND`] records of the
//! log's end, so that nobody's live events wait behind history.

use super::{
    accept::Batch,
    progress::{Doing, Progress},
    summary::Counts,
    tables::Standing,
};
use ingest::Outgoing;
use runtime::{
    Producer,
    producer::{Record, SendError},
};
use schemas::topics::EVENTS;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, watch};
use tracing::warn;

/// How far the tables may be behind (the program from outside, section 1).
const MAX_BEHIND: u64 = 20_000;
/// How long the log may take for a batch before the import gives up: longer than a cluster takes to find
/// another leader.
const GIVE_UP_AFTER: Duration = Duration::from_mins(1);
/// Time between two words about a pause, or a log that does not answer.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// After how long without a step of the tables somebody should look after the projectors.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// The log does not take what it is given.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It says nothing. What it took stands in it in order, without a gap.
    #[error(
        "the log acknowledged nothing for {seconds} s; start the same import again when it is back: nothing counts twice",
        seconds = GIVE_UP_AFTER.as_secs()
    )]
    Silent,
    /// It says no.
    #[error(
        "the log refuses events ({0}); start the same import again when that is mended: nothing counts twice"
    )]
    Told(SendError),
}

/// What is in the log.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) counts: Counts,
    /// Bytes of the input that it was made from.
    pub(super) read_bytes: u64,
    /// How long the tables were waited for.
    pub(super) paused: Duration,
}

/// Puts batches into the log.
pub(super) struct Publisher<'a> {
    /// A patient one: the records of a visit stay in their order, whatever the log goes through.
    pub(super) producer: &'a Producer,
    pub(super) standing: watch::Receiver<Option<Standing>>,
    /// Our acknowledged records, for whoever looks at the tables.
    pub(super) acknowledged: Arc<AtomicU64>,
    pub(super) progress: &'a mut Progress,
    pub(super) published: Published,
}

impl Publisher<'_> {
    /// Publishes until the last batch is acknowledged.
    ///
    /// The next batches are made while one is in flight, but not sent: of an idempotent producer, librdkafka
    /// has one request to a partition in flight, and while it holds further messages that are due it asks
    /// without a pause whether they may go, which costs a core.
    ///
    /// # Errors
    /// [`Refused`] when the log takes nothing for too long.
    pub(super) async fn run(
        mut self,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<Published, Refused> {
        while let Some(mut batch) = batches.recv().await {
            let records = std::mem::take(&mut batch.records);
            if !records.is_empty() {
                self.pause(records.len() as u64).await;
                self.put(&records).await?;
            }
            self.published.counts.add(batch.counts);
            self.published.read_bytes = self.published.read_bytes.max(batch.read_bytes);
            let published = self.published.counts.published();
            self.acknowledged.store(published, Ordering::Release);
            self.tell(&Doing::Publishing);
        }
        Ok(self.published)
    }

    /// Waits until the tables are near enough for that many records more.
    async fn pause(&mut self, records: u64) {
        let begun = Instant::now();
        let mut watch = Watch::new();
        loop {
            let standing = self.standing.borrow_and_update().clone();
            let published = self.published.counts.published();
            let behind = standing.as_ref().map(|found| found.behind_after(published));
            if behind.is_some_and(|behind| behind + records <= MAX_BEHIND) {
                break;
            }
            watch.look(standing.as_ref());
            self.tell(&Doing::Pausing(behind.unwrap_or(0)));
            // Whoever looks at the tables looks as long as we listen.
            let _ = tokio::time::timeout(TELL_EVERY, self.standing.changed()).await;
        }
        self.published.paused += begun.elapsed();
    }

    /// Puts records into the log, in their order.
    async fn put(&mut self, records: &[Outgoing]) -> Result<(), Refused> {
        let sent: Vec<Record<'_>> = records.iter().map(record).collect();
        let begun = Instant::now();
        let sending = self.producer.send(&sent);
        tokio::pin!(sending);
        loop {
            if let Ok(outcomes) = tokio::time::timeout(TELL_EVERY, &mut sending).await {
                return outcomes
                    .into_iter()
                    .try_for_each(|outcome| outcome.map(|_| ()))
                    .map_err(Refused::Told);
            }
            if begun.elapsed() >= GIVE_UP_AFTER {
                return Err(Refused::Silent);
            }
            self.tell(&Doing::Unanswered(begun.elapsed()));
        }
    }

    fn tell(&mut self, doing: &Doing) {
        let published = &self.published;
        self.progress
            .tell(&published.counts, published.read_bytes, doing);
    }
}

fn record(outgoing: &Outgoing) -> Record<'_> {
    Record {
        topic: EVENTS,
        key: &outgoing.key,
        payload: &outgoing.payload,
        headers: &[],
    }
}

/// Says when the tables stand still while they are waited for.
pub(super) struct Watch {
    next: BTreeMap<i32, i64>,
    moved_at: Instant,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            next: BTreeMap::new(),
            moved_at: Instant::now(),
        }
    }

    /// Looks at tables that are waited for; `None` while nobody knows where they are.
    pub(super) fn look(&mut self, standing: Option<&Standing>) {
        match standing {
            Some(standing) if standing.next != self.next => {
                self.next.clone_from(&standing.next);
                self.moved_at = Instant::now();
            }
            _ if self.moved_at.elapsed() >= STUCK_AFTER => {
                warn!(
                    "the tables have not moved for {} s; is a projector running, and does the analytics database answer?",
                    STUCK_AFTER.as_secs()
                );
                self.moved_at = Instant::now();
            }
            _ => {}
        }
    }
}
