//! The consumer thread: owns partitions, polls and reads their records, hands them to the partitions' workers.
//!
//! One thread, one loop, so that the way of a record can be followed: changes of ownership, then what the log
//! has, then the [`worker`] of its partition. Each partition is in one state:
//!
//! ```text
//!   assigned --claim--> a worker runs --unknown type--> closed (aloud, until a restart)
//!                          |----fenced----------------> given up: the group is joined anew
//!                          '----another log-----------> a worker runs, next generation, from offset 0
//! ```

mod ownership;
mod worker;

use crate::{
    batch::Batch,
    identity::is_out_of_range,
    store::{Claim, Store},
};
use ownership::{Change, Ownership};
use rdkafka::{Message, consumer::BaseConsumer, error::KafkaError};
use runtime::{
    Context, Producer,
    kafka::{KafkaSettings, is_transient},
};
use schemas::topics::EVENTS;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tracing::{debug, error, info, warn};
use worker::{Piece, RETRY_PAUSE, Shared, Worker};

pub use ownership::Assignment;
pub(crate) use worker::WRITERS;

/// Most records that are read before they are handed over: few enough that a worker is not kept waiting.
const POLLED_RECORDS: usize = 1_000;
/// Bytes of records that may lie between this thread and the workers. While there is room, a partition that is
/// far behind does not keep the records of the others waiting; an import's 20,000 records fit.
const ROOM_BYTES: u32 = 32 * 1024 * 1024;
/// How long the loop waits for a record before it looks whether to stop.
const POLL: Duration = Duration::from_millis(250);
/// How long a look at one partition's end may take.
const GAUGE_TIMEOUT: Duration = Duration::from_secs(1);
/// Time between two looks at lag and waiting sessions.
const GAUGES_EVERY: Duration = Duration::from_secs(10);

/// What the thread works with.
#[derive(Debug)]
pub struct Parts {
    /// The cluster.
    pub kafka: KafkaSettings,
    /// The tables.
    pub store: Store,
    /// For dead letters.
    pub producer: Arc<Producer>,
    /// Which partitions it takes.
    pub assignment: Assignment,
}

/// Why the thread ends early.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// librdkafka refused the settings, or declared itself unusable.
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    /// The system gives no more threads.
    #[error("no thread for a partition: {0}")]
    Thread(std::io::Error),
    /// Another projector took a partition that nobody else may own.
    #[error(
        "another projector took over partition {0}; two programs fold the same log into the same tables"
    )]
    TakenOver(i32),
}

/// Folds records until the lifecycle stops workers; what is polled is then committed or left to the
/// next start. Blocks; run it on a thread of its own.
///
/// # Errors
/// [`ConsumerError`]; a broker or a database that is away is waited for instead.
pub fn run(parts: Parts, context: &Context, handle: &Handle) -> Result<(), ConsumerError> {
    let Parts {
        kafka,
        store,
        producer,
        assignment,
    } = parts;
    let ownership = Ownership::new(&kafka, assignment)?;
    let shared = Shared {
        context: context.clone(),
        handle: handle.clone(),
        store,
        turns: Semaphore::new(WRITERS as usize),
        producer,
        analysing: AtomicBool::new(false),
        fenced: Mutex::default(),
    };
    Thread {
        assignment,
        context,
        handle,
        shared: Arc::new(shared),
        room: Arc::new(Semaphore::new(ROOM_BYTES as usize)),
        ownership,
        workers: BTreeMap::new(),
        gauges_at: None,
    }
    .run()
}

struct Thread<'a> {
    assignment: Assignment,
    context: &'a Context,
    handle: &'a Handle,
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
    ownership: Ownership,
    workers: BTreeMap<i32, Worker>,
    gauges_at: Option<Instant>,
}

/// What was polled of one partition.
#[derive(Default)]
struct Polled {
    batch: Batch,
    bytes: usize,
}

impl Thread<'_> {
    fn run(mut self) -> Result<(), ConsumerError> {
        while !self.context.lifecycle.are_workers_stopping() {
            for change in self.ownership.take_changes() {
                self.change_ownership(&change)?;
            }
            for (partition, polled) in self.poll()? {
                self.hand_over(partition, polled)?;
            }
            self.look_after_workers()?;
            self.set_gauges();
        }
        // Each writes the batch that it is at, and leaves the rest to the next start.
        for worker in self.workers.values_mut() {
            worker.join();
        }
        Ok(())
    }

    fn change_ownership(&mut self, change: &Change) -> Result<(), ConsumerError> {
        self.context
            .readiness
            .missing("projector", "taking over its partitions");
        match change {
            Change::Revoked(partitions) => {
                self.workers
                    .retain(|partition, _| !partitions.contains(partition));
                info!("gave up partitions {partitions:?}");
            }
            Change::Assigned(partitions) => {
                let mut claims = Vec::new();
                for partition in partitions {
                    let Some(claim) = self.claim(*partition) else {
                        return Ok(());
                    };
                    claims.push(claim);
                }
                self.ownership.start(&claims)?;
                for claim in claims {
                    info!(
                        kafka.partition = claim.partition,
                        kafka.offset = claim.next_offset,
                        "folding partition {} from offset {} of generation {}",
                        claim.partition,
                        claim.next_offset,
                        claim.generation,
                    );
                    metrics::gauge!("projector_partition_stopped", "partition" => claim.partition.to_string())
                        .set(0.0);
                    let partition = claim.partition;
                    let worker =
                        Worker::start(&self.shared, claim).map_err(ConsumerError::Thread)?;
                    self.workers.insert(partition, worker);
                }
            }
        }
        self.context.readiness.ready("projector");
        Ok(())
    }

    /// Claims a partition and makes sure that its log is the one the tables were made from. Tries
    /// until it succeeds; `None` when the program stops.
    fn claim(&self, partition: i32) -> Option<Claim> {
        while !self.context.lifecycle.are_workers_stopping() {
            match self.try_claim(partition) {
                Ok(claim) => return Some(claim),
                Err(reason) => {
                    self.context
                        .readiness
                        .missing("projector", format!("partition {partition}: {reason}"));
                    warn!("partition {partition} cannot be taken over yet: {reason}");
                    std::thread::sleep(RETRY_PAUSE);
                }
            }
        }
        None
    }

    fn try_claim(&self, partition: i32) -> Result<Claim, String> {
        let store = &self.shared.store;
        let claim = self
            .handle
            .block_on(store.claim(EVENTS, partition))
            .map_err(|error| error.to_string())?;
        let found = self
            .ownership
            .probe()
            .look(&claim)
            .map_err(|error| error.to_string())?;
        let settled = self
            .handle
            .block_on(store.settle(&claim, found))
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "another projector claimed it".to_owned())?;
        if settled.next_offset < claim.next_offset {
            warn!(
                kafka.partition = partition,
                "partition {partition} holds another log than the tables were made from, or has lost records; folding it from its beginning",
            );
            metrics::counter!("projector_generations_total").increment(1);
        }
        Ok(settled)
    }

    /// Waits for a record, then reads what else is there, by partition.
    fn poll(&mut self) -> Result<BTreeMap<i32, Polled>, ConsumerError> {
        let mut polled: BTreeMap<i32, Polled> = BTreeMap::new();
        let mut timeout = POLL;
        for _ in 0..POLLED_RECORDS {
            let consumer = self.ownership.consumer();
            match consumer.poll(timeout) {
                None => break,
                Some(Ok(message)) => {
                    let (key, payload) = (message.key(), message.payload());
                    let of_partition = polled.entry(message.partition()).or_default();
                    of_partition.batch.push(message.offset(), key, payload);
                    of_partition.bytes += payload.map_or(0, <[u8]>::len);
                    timeout = Duration::ZERO;
                }
                Some(Err(error)) if is_out_of_range(&error) => {
                    let partitions: Vec<i32> = self.workers.keys().copied().collect();
                    warn!("the log ends before the tables do ({error}); checking which log it is");
                    self.change_ownership(&Change::Assigned(partitions))?;
                    return Ok(BTreeMap::new());
                }
                Some(Err(error)) => {
                    if let Some((code, reason)) = fatal(consumer) {
                        error!("the consumer is unusable ({code}: {reason})");
                        return Err(error.into());
                    }
                    if is_transient(&error) {
                        // librdkafka reconnects by itself.
                        debug!("kafka consumer: {error}");
                    } else {
                        warn!("the log cannot be read: {error}");
                    }
                    break;
                }
            }
        }
        Ok(polled)
    }

    /// Gives what was read to its partition's worker, as soon as there is room.
    fn hand_over(&mut self, partition: i32, polled: Polled) -> Result<(), ConsumerError> {
        let Polled { batch, bytes } = polled;
        let stopped = batch.stopped.clone();
        if self.workers.contains_key(&partition)
            && let Some(room) = self.make_room(bytes)
            && let Some(worker) = self.workers.get_mut(&partition)
        {
            worker.give(Piece { batch, room });
            if let Some(stop) = stopped {
                worker.close();
                self.ownership.pause(partition)?;
                let label = partition.to_string();
                metrics::gauge!("projector_partition_stopped", "partition" => label).set(1.0);
                error!(
                    kafka.partition = partition,
                    kafka.offset = stop.offset,
                    "partition {partition} is stopped at offset {}: {}",
                    stop.offset,
                    stop.error,
                );
            }
        }
        Ok(())
    }

    /// Waits until there is room for that many bytes; `None` when the program stops before.
    fn make_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(ROOM_BYTES);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes);
        self.handle.block_on(async {
            tokio::select! {
                room = room => room.ok(),
                () = self.context.lifecycle.workers_stopping() => None,
            }
        })
    }

    /// Acts on workers that are over.
    fn look_after_workers(&mut self) -> Result<(), ConsumerError> {
        for worker in self.workers.values_mut() {
            worker.reap();
        }
        let fenced = std::mem::take(
            &mut *self
                .shared
                .fenced
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for (partition, epoch) in fenced {
            // A worker that we let go of ourselves is fenced by our own next claim.
            let worker = self.workers.get(&partition);
            if worker.is_none_or(|worker| worker.epoch() != epoch) {
                continue;
            }
            warn!("partition {partition} has another owner; nothing of this batch was written");
            self.workers.clear();
            return match self.assignment {
                Assignment::All { .. } => Err(ConsumerError::TakenOver(partition)),
                Assignment::Group => Ok(self.ownership.rejoin()?),
            };
        }
        Ok(())
    }

    fn set_gauges(&mut self) {
        if self.gauges_at.is_some_and(|at| at.elapsed() < GAUGES_EVERY) {
            return;
        }
        for (partition, worker) in &self.workers {
            if !worker.is_open() {
                continue;
            }
            if self.context.lifecycle.are_workers_stopping() {
                return;
            }
            // A broker that is away must not hold up the other partitions.
            let Ok((_, high)) =
                self.ownership
                    .probe()
                    .watermarks(EVENTS, *partition, GAUGE_TIMEOUT)
            else {
                break;
            };
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            let lag = (high - worker.next_offset()).max(0) as f64;
            metrics::gauge!("projector_lag_records", "partition" => partition.to_string()).set(lag);
        }
        if let Ok(waiting) = self.handle.block_on(self.shared.store.count_waiting()) {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!("projector_waiting_sessions").set(waiting as f64);
        }
        self.gauges_at = Some(Instant::now());
    }
}

fn fatal(consumer: &BaseConsumer<ownership::Rebalances>) -> Option<(String, String)> {
    use rdkafka::consumer::Consumer;
    consumer
        .client()
        .fatal_error()
        .map(|(code, reason)| (format!("{code:?}"), reason))
}
