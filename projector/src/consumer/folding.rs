//! The thread of a worker: applies the batches of one partition.
//!
//! When the database refuses a batch, it is halved until the refused record is alone.

use super::{
    backoff::Backoff,
    shared::{Failed, Found, Link, Piece, Report, Room, Shared},
    standing::Trouble,
};
use crate::{
    batch::Batch,
    dead_letters,
    store::{Applied, Claim},
};
use runtime::Context;
use schemas::topics::EVENTS;
use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

/// A batch stops growing at this many records: enough that the transaction's fixed cost is
/// negligible, few enough that a batch takes well below a second.
const BATCH_RECORDS: usize = 8_000;

/// The state of the thread.
pub(super) struct Folding {
    pub(super) shared: Arc<Shared>,
    pub(super) partition: i32,
    pub(super) serial: u64,
    pub(super) gate: Arc<Mutex<()>>,
    pub(super) received: mpsc::UnboundedReceiver<Piece>,
    pub(super) link: Arc<Link>,
    /// Unreadable records before this offset are in the dead-letter topic.
    pub(super) set_aside_before: i64,
    /// True if its last report was that all is well.
    pub(super) thrives: bool,
}

impl Folding {
    pub(super) fn run(mut self) {
        let Some(mut claim) = self.claim() else {
            return;
        };
        info!(
            kafka.partition = claim.partition,
            kafka.offset = claim.next_offset,
            "folding partition {} from offset {} of generation {}",
            claim.partition,
            claim.next_offset,
            claim.generation,
        );
        self.report(Found::Claimed(claim.next_offset));
        self.thrive();
        while let Some((batch, _rooms)) = self.receive(claim.next_offset) {
            let stopped = batch.stopped.clone();
            if self.fold(&mut claim, batch).is_none() {
                return;
            }
            if let Some(stop) = stopped {
                // The partition stays stopped until a restart: only an upgrade can read the record.
                self.suffer(Trouble::at_record(stop.offset, stop.error));
                return;
            }
        }
    }

    /// Joins everything read since the last batch into the next one; `None` when no more records
    /// will come.
    fn receive(&mut self, next_offset: i64) -> Option<(Batch, Vec<Room>)> {
        let Piece { mut batch, room } = self.received.blocking_recv()?;
        let mut rooms = vec![room];
        while batch.records() < BATCH_RECORDS
            && let Ok(Piece { batch: next, room }) = self.received.try_recv()
        {
            batch.append(next);
            rooms.push(room);
        }
        // Records that are applied may have been fetched again.
        batch.skip_before(next_offset);
        Some((batch, rooms))
    }

    /// Applies a batch, as a whole or in parts. `None` when this worker must end.
    fn fold(&mut self, claim: &mut Claim, batch: Batch) -> Option<()> {
        let mut rest = batch;
        // The number of records per attempt: halved when the database refuses them, doubled when it
        // accepts them.
        let mut most = usize::MAX;
        let mut backoff = Backoff::new();
        while rest.records() > 0 {
            if self.is_ending() {
                return None;
            }
            let mut part = rest.take_first(most);
            let Err(failed) = self.write(claim, &part) else {
                self.thrive();
                self.refresh_statistics();
                most = most.saturating_mul(2);
                backoff = Backoff::new();
                continue;
            };
            let records = part.records();
            let first = part.first_offset();
            // Nothing was written, so the part goes back in front of the rest and is tried again.
            part.append(rest);
            rest = part;
            match failed {
                Failed::Fenced => {
                    count_batch("fenced");
                    self.report(Found::Fenced);
                    return None;
                }
                Failed::Moved => {
                    count_batch("moved");
                    self.report(Found::Moved);
                    return None;
                }
                Failed::Refused(reason) if records > 1 => {
                    count_batch("failed");
                    debug!("halving a batch of {records} records: {reason}");
                    most = records / 2;
                }
                Failed::Refused(reason) => {
                    count_batch("failed");
                    let refused = format!("the database refuses this record: {reason}");
                    // A single record is retried for ever: skipping it would lose it without a
                    // trace.
                    let trouble = Trouble::at_record(first.unwrap_or_default(), refused);
                    self.wait_after(Failed::Retry(trouble), &mut backoff);
                }
                failed => {
                    count_batch("failed");
                    self.wait_after(failed, &mut backoff);
                }
            }
        }
        Some(())
    }

    fn write(&mut self, claim: &mut Claim, batch: &Batch) -> Result<(), Failed> {
        let started = Instant::now();
        let handle = self.shared.handle.clone();
        let applied = handle.block_on(self.apply(claim, batch))?;
        note_committed(&self.shared.context, batch, &applied, started.elapsed());
        Ok(())
    }

    async fn apply(&mut self, claim: &mut Claim, batch: &Batch) -> Result<Applied, Failed> {
        let shared = &self.shared;
        let now = shared.context.clock.now();
        // Dead letters are written first: after the commit of the offset, a crash would lose them.
        if !batch.dead.is_empty() {
            dead_letters::set_aside(
                &shared.producer,
                claim.topic,
                claim.partition,
                &batch.dead,
                now,
                &mut self.set_aside_before,
            )
            .await
            .map_err(|error| {
                let text = format!("cannot write its dead letters, retrying: {error}");
                Failed::Retry(Trouble::here(text))
            })?;
        }
        // The semaphore is never closed.
        let _turn = shared.turns.acquire().await.ok();
        Ok(shared.store.apply(claim, batch, now).await?)
    }

    /// True when another worker has the partition, or the program stops.
    pub(super) fn is_ending(&self) -> bool {
        self.link.is_abandoned() || self.shared.context.lifecycle.are_workers_stopping()
    }

    fn report(&self, found: Found) {
        self.shared.report(Report {
            partition: self.partition,
            worker: self.serial,
            found,
        });
    }

    pub(super) fn suffer(&mut self, trouble: Trouble) {
        self.thrives = false;
        let standings = &self.shared.standings;
        standings.suffers(self.partition, self.serial, trouble);
    }

    /// Reports that all is well, after a claim and after trouble.
    fn thrive(&mut self) {
        let standings = &self.shared.standings;
        if !std::mem::replace(&mut self.thrives, true) {
            standings.folds(self.partition, self.serial);
        }
    }

    /// Refreshes the planner's statistics of fast-growing tables, in parallel with the next batch.
    /// A failure makes batches slow, not wrong.
    fn refresh_statistics(&self) {
        if self.shared.analysing.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        self.shared.handle.spawn(async move {
            if let Err(error) = shared.store.refresh_statistics().await {
                debug!("the tables could not be analysed: {error}");
            }
            shared.analysing.store(false, Ordering::Release);
        });
    }
}

fn count_batch(result: &'static str) {
    metrics::counter!("projector_batches_total", "result" => result).increment(1);
}

fn note_committed(context: &Context, batch: &Batch, applied: &Applied, took: Duration) {
    count_batch("committed");
    metrics::histogram!("projector_batch_seconds").record(took.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a histogram")]
    metrics::histogram!("projector_batch_records").record(batch.records() as f64);
    for (outcome, counts) in [
        ("applied", &applied.applied),
        ("duplicate", &applied.duplicate),
    ] {
        for (kind, count) in counts {
            metrics::counter!("projector_events_total", "type" => kind.name(), "outcome" => outcome).increment(*count);
        }
    }
    for dead in &batch.dead {
        warn!(
            kafka.topic = EVENTS,
            kafka.offset = dead.raw.offset,
            "a record was set aside: {}",
            dead_letters::shortened(&dead.reason)
        );
        metrics::counter!("projector_events_total", "type" => "unreadable", "outcome" => "dead")
            .increment(1);
    }
    let now = context.clock.now();
    let delays = metrics::histogram!("projector_delay_seconds");
    for (_, event) in &batch.events {
        let delay = now.duration_since(event.received_at).as_secs_f64().max(0.0);
        delays.record(delay);
    }
}
