//! One partition's worker: a thread that applies what was read of the partition, batch after batch.
//!
//! The one rule: a partition has one batch in the database at a time, and each partition has its own thread.
//! So one that is far behind holds up no other one, and the next records are read while a batch is written.

use crate::{
    batch::Batch,
    dead_letters,
    store::{Applied, ApplyError, Claim, Store},
};
use runtime::{Context, Producer};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tracing::{debug, warn};

/// With how many records a batch takes no more pieces: enough that the transaction's fixed cost vanishes, few
/// enough that a batch takes well below a second.
const BATCH_RECORDS: usize = 4_000;
/// How many partitions are written at the same moment; a database of few cores gains nothing by more.
pub(crate) const WRITERS: u32 = 4;
/// Pause before a batch is tried again while the database is away.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// What all workers use.
pub(super) struct Shared {
    pub(super) context: Context,
    pub(super) handle: Handle,
    pub(super) store: Store,
    /// Whoever writes has one. To wait for a connection instead would end in an error after some seconds.
    pub(super) turns: Semaphore,
    /// For dead letters.
    pub(super) producer: Arc<Producer>,
    /// One of them has the tables analysed.
    pub(super) analysing: AtomicBool,
    /// Partitions that somebody else owns now, with the epoch of the claim that became void.
    pub(super) fenced: Mutex<Vec<(i32, i64)>>,
}

/// Records of one partition as they were read, with the room in memory that they take.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) batch: Batch,
    pub(super) room: OwnedSemaphorePermit,
}

/// A worker, as the thread that polls sees it. When that lets go of it, the worker ends after the batch that it
/// writes.
#[derive(Debug)]
pub(super) struct Worker {
    epoch: i64,
    pieces: Option<mpsc::UnboundedSender<Piece>>,
    progress: Arc<Progress>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Progress {
    /// The next offset to fold.
    next_offset: AtomicI64,
    /// What was given is not wanted any more.
    abandoned: AtomicBool,
}

impl Worker {
    /// Starts the thread of a claimed partition.
    pub(super) fn start(shared: &Arc<Shared>, claim: Claim) -> std::io::Result<Self> {
        let (pieces, received) = mpsc::unbounded_channel();
        let progress = Arc::new(Progress {
            next_offset: AtomicI64::new(claim.next_offset),
            abandoned: AtomicBool::new(false),
        });
        let epoch = claim.epoch;
        let thread = Folding {
            shared: Arc::clone(shared),
            claim,
            received,
            progress: Arc::clone(&progress),
        };
        let thread = thread::Builder::new()
            .name(format!("fold partition {}", thread.claim.partition))
            .spawn(move || thread.run())?;
        Ok(Self {
            epoch,
            pieces: Some(pieces),
            progress,
            thread: Some(thread),
        })
    }

    /// Which claim it works under.
    pub(super) const fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The next offset that it will fold.
    pub(super) fn next_offset(&self) -> i64 {
        self.progress.next_offset.load(Ordering::Relaxed)
    }

    /// Hands records over. A worker that is over takes none, nor one that is to take no more.
    pub(super) fn give(&self, piece: Piece) {
        if let Some(pieces) = &self.pieces {
            // Whoever is over has said why, or panicked, which `reap` passes on.
            let _ = pieces.send(piece);
        }
    }

    /// Gives it nothing more; what it has been given it applies.
    pub(super) fn close(&mut self) {
        self.pieces = None;
    }

    /// True until it is to take no more.
    pub(super) const fn is_open(&self) -> bool {
        self.pieces.is_some()
    }

    /// Looks after a worker that is over.
    ///
    /// # Panics
    /// When the worker has panicked: with it.
    pub(super) fn reap(&mut self) {
        if self
            .thread
            .as_ref()
            .is_some_and(thread::JoinHandle::is_finished)
        {
            self.join();
        }
    }

    /// Waits until the worker is over.
    ///
    /// # Panics
    /// When the worker has panicked: with it.
    pub(super) fn join(&mut self) {
        self.close();
        if let Some(Err(panic)) = self.thread.take().map(thread::JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.progress.abandoned.store(true, Ordering::Relaxed);
    }
}

/// The thread.
struct Folding {
    shared: Arc<Shared>,
    claim: Claim,
    received: mpsc::UnboundedReceiver<Piece>,
    progress: Arc<Progress>,
}

enum Failed {
    Fenced,
    Retry(String),
}

impl Folding {
    fn run(mut self) {
        while let Some((batch, _rooms)) = self.receive() {
            if self.take(&batch).is_none() {
                return;
            }
        }
    }

    /// What was read since the last batch, as the next one; `None` when there will be nothing more.
    fn receive(&mut self) -> Option<(Batch, Vec<OwnedSemaphorePermit>)> {
        let Piece { mut batch, room } = self.received.blocking_recv()?;
        let mut rooms = vec![room];
        while batch.records() < BATCH_RECORDS
            && let Ok(Piece { batch: next, room }) = self.received.try_recv()
        {
            batch.append(next);
            rooms.push(room);
        }
        batch.skip_before(self.claim.next_offset);
        Some((batch, rooms))
    }

    /// Applies a batch; tries again while the database or the broker is away. `None` when this worker is over.
    fn take(&mut self, batch: &Batch) -> Option<()> {
        let (context, partition) = (&self.shared.context, self.claim.partition);
        let mut retried = false;
        while !self.is_abandoned() && !context.lifecycle.are_workers_stopping() {
            let started = Instant::now();
            let applying = apply(&self.shared, &mut self.claim, batch);
            match self.shared.handle.block_on(applying) {
                Ok(applied) => {
                    note_committed(context, batch, &applied, started.elapsed());
                    let next = self.claim.next_offset;
                    self.progress.next_offset.store(next, Ordering::Relaxed);
                    self.refresh_statistics();
                    if retried {
                        context.readiness.ready("projector");
                    }
                    return Some(());
                }
                Err(Failed::Fenced) => {
                    metrics::counter!("projector_batches_total", "result" => "fenced").increment(1);
                    let fenced = &self.shared.fenced;
                    fenced
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((partition, self.claim.epoch));
                    return None;
                }
                // Whoever owns the partition now says whether it is well.
                Err(Failed::Retry(_)) if self.is_abandoned() => return None,
                Err(Failed::Retry(reason)) => {
                    metrics::counter!("projector_batches_total", "result" => "failed").increment(1);
                    warn!(
                        "a batch of partition {partition} was not written, trying again: {reason}"
                    );
                    context.readiness.missing("projector", reason);
                    retried = true;
                    thread::sleep(RETRY_PAUSE);
                }
            }
        }
        None
    }

    fn is_abandoned(&self) -> bool {
        self.progress.abandoned.load(Ordering::Relaxed)
    }

    /// Lets the planner know of tables that grow fast, beside the next batch. Without it batches are slow, and
    /// not wrong.
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

async fn apply(shared: &Shared, claim: &mut Claim, batch: &Batch) -> Result<Applied, Failed> {
    let now = shared.context.clock.now();
    if !batch.dead.is_empty() {
        let (topic, partition) = (claim.topic, claim.partition);
        dead_letters::set_aside(&shared.producer, topic, partition, &batch.dead, now)
            .await
            .map_err(|error| Failed::Retry(format!("dead letters: {error}")))?;
    }
    // Nobody closes them.
    let _turn = shared.turns.acquire().await.ok();
    let applying = shared.store.apply(claim, batch, now);
    applying.await.map_err(|error| match error {
        ApplyError::Fenced => Failed::Fenced,
        error @ ApplyError::Database(_) => Failed::Retry(error.to_string()),
    })
}

fn note_committed(context: &Context, batch: &Batch, applied: &Applied, took: Duration) {
    if batch.end.is_none() {
        return;
    }
    metrics::counter!("projector_batches_total", "result" => "committed").increment(1);
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
