//! Claims a worker's partition, and checks that its log is the one the tables were made from.

use super::{backoff::Backoff, folding::Folding, shared::Failed, standing::Trouble};
use crate::{identity, store::Claim};
use schemas::topics::EVENTS;
use std::{sync::PoisonError, time::Duration};
use tracing::{debug, warn};

/// Time between two checks of who holds a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(500);

impl Folding {
    /// Claims the partition. Retries until it succeeds; `None` when this worker must end.
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
        // A newer worker of this partition may have started during the wait. Its claim must be the
        // later one, or it would be fenced by this one.
        if self.is_ending() {
            return Ok(None);
        }
        let Some(claim) = self.until_stop(self.take_over()) else {
            return Ok(None);
        };
        // Only the order of claims matters. The check of the log below may take seconds.
        drop(gate);
        let claim = claim?;
        let found = identity::look(&self.shared.kafka, &claim).map_err(|error| {
            let text = format!("cannot read its log, retrying: {error}");
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
                "the log of partition {partition} was replaced or has lost records; folding it from its beginning",
            );
            metrics::counter!("projector_generations_total").increment(1);
        }
        Ok(Some(settled))
    }

    async fn take_over(&self) -> Result<Claim, Failed> {
        // The semaphore is never closed.
        let _turn = self.shared.turns.acquire().await.ok();
        let claiming = self.shared.store.claim(EVENTS, self.partition);
        claiming.await.map_err(|error| Failed::of_database(&error))
    }

    /// Reports the failure and waits until a retry is worthwhile.
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
            // The caller ends the worker for these.
            Failed::Fenced | Failed::Moved => {}
        }
    }

    /// Waits while the same session holds the partition's row. It polls instead of waiting in the
    /// database, which would take connections and turns from other partitions.
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
                // The row is free. If it never was held, the lock is on something else.
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

    /// Sleeps, but ends early when the program stops.
    fn sleep(&self, pause: Duration) {
        // A timer must be created on the runtime, and this thread is outside it.
        self.until_stop(async move { tokio::time::sleep(pause).await });
    }

    /// Runs a future on this thread; `None` when the program stops first.
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
