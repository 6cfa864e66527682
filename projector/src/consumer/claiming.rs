//! Claims a worker's partition, and makes sure that its log is the one the tables were made from.

use super::{folding::Folding, standing::Trouble, worker::Failed};
use crate::{identity, store::Claim};
use schemas::topics::EVENTS;
use std::{sync::PoisonError, time::Duration};
use tracing::{debug, warn};

/// Pause before a failed step is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Time between two looks at who holds a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(500);

/// Pauses that grow from one failure to the next.
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

impl Folding {
    /// Claims the partition. Tries until it succeeds; `None` when this worker is over.
    pub(super) fn claim(&mut self) -> Option<Claim> {
        let mut backoff = Backoff::new();
        while !self.is_ending() {
            match self.try_claim() {
                Ok(Some(claim)) => return Some(claim),
                Ok(None) => return None,
                Err(failed) => self.wait_after(failed, &mut backoff),
            }
        }
        None
    }

    fn try_claim(&self) -> Result<Option<Claim>, Failed> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        // A newer worker of this partition has come while this one waited; its claim must be the later one.
        if self.is_ending() {
            return Ok(None);
        }
        let Some(claim) = self.until_stop(self.take_over()) else {
            return Ok(None);
        };
        drop(gate);
        let claim = claim?;
        let found = identity::look(&self.shared.kafka, &claim).map_err(|error| {
            let text = format!("waits for its log to be read: {error}");
            Failed::Retry(Trouble::here(text))
        })?;
        let Some(settled) = self.until_stop(self.shared.store.settle(&claim, found)) else {
            return Ok(None);
        };
        let settled = settled
            .map_err(|error| Failed::of_database(&error))?
            .ok_or_else(|| Failed::Retry(Trouble::here("was claimed by another projector")))?;
        if settled.next_offset < claim.next_offset {
            let partition = self.partition;
            warn!(
                kafka.partition = partition,
                "partition {partition} holds another log than the tables were made from, or has lost records; folding it from its beginning",
            );
            metrics::counter!("projector_generations_total").increment(1);
        }
        Ok(Some(settled))
    }

    async fn take_over(&self) -> Result<Claim, Failed> {
        // Never closed.
        let _turn = self.shared.turns.acquire().await.ok();
        let claiming = self.shared.store.claim(EVENTS, self.partition);
        claiming.await.map_err(|error| Failed::of_database(&error))
    }

    /// Says what is wrong and waits until another attempt is worth its while.
    pub(super) fn wait_after(&mut self, failed: Failed, backoff: &mut Backoff) {
        match failed {
            Failed::Locked(reason) => self.wait_for_lock(&reason, backoff),
            Failed::Retry(trouble) => {
                self.suffer(trouble);
                self.pause(backoff);
            }
            Failed::Refused(reason) => {
                self.suffer(Trouble::here(format!(
                    "is refused by the database: {reason}"
                )));
                self.pause(backoff);
            }
            // The worker ends instead.
            Failed::Fenced | Failed::Moved => {}
        }
    }

    /// Waits while the session that holds the partition's row stays the same, without waiting in the database: that
    /// would take connections and turns from other partitions.
    fn wait_for_lock(&mut self, reason: &str, backoff: &mut Backoff) {
        let mut first = None;
        while !self.is_ending() {
            let finding = self.shared.store.find_lock_holder(EVENTS, self.partition);
            let found = self.until_stop(finding);
            let holder = found.and_then(|found| {
                found.unwrap_or_else(|error| {
                    debug!("the holder of a lock could not be found: {error}");
                    None
                })
            });
            let Some(holder) = holder else {
                // The row is free. If it never was held, the lock is elsewhere.
                if first.is_none() {
                    let text = format!("waits for a lock in the database: {reason}");
                    self.suffer(Trouble::here(text));
                    self.pause(backoff);
                }
                return;
            };
            if first.as_ref().is_some_and(|first| *first != holder.pid) {
                return;
            }
            first = Some(holder.pid);
            let text =
                format!("waits for the lock of its row in log_partitions, which {holder} holds");
            self.suffer(Trouble::here(text));
            self.sleep(LOCK_PAUSE);
        }
    }

    fn pause(&self, backoff: &mut Backoff) {
        self.sleep(backoff.next());
    }

    /// Ends early when the program stops.
    fn sleep(&self, pause: Duration) {
        // The timer must be made on the runtime, which this thread is not part of.
        self.until_stop(async move { tokio::time::sleep(pause).await });
    }

    /// Drives a future on this thread; `None` when the program stops before it is ready.
    fn until_stop<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let lifecycle = &self.shared.context.lifecycle;
        self.shared.handle.block_on(async {
            tokio::select! {
                done = work => Some(done),
                () = lifecycle.workers_stopping() => None,
            }
        })
    }
}
