//! The consumer thread: owns partitions, polls their records, has them applied.
//!
//! One thread, one loop, so that the way of a batch can be followed: changes of ownership, then a
//! batch, then its transactions. Each partition is in one [`State`]:
//!
//! ```text
//!   assigned --claim--> Running --unknown type--> Stopped (aloud, until a restart)
//!                          |----fenced----------> given up: the group is joined anew
//!                          '----another log-----> Running, next generation, from offset 0
//! ```

mod ownership;

use crate::{
    batch::{Batch, RawRecord},
    dead_letters,
    identity::is_out_of_range,
    store::{Applied, ApplyError, Claim, Store},
};
use ownership::{Change, Ownership};
use rdkafka::{Message, consumer::BaseConsumer, error::KafkaError, message::BorrowedMessage};
use runtime::{
    Context, Producer,
    kafka::{KafkaSettings, is_transient},
};
use schemas::topics::EVENTS;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;
use tracing::{debug, error, info, warn};

pub use ownership::Assignment;

/// Most records of a batch: enough that the transaction's fixed cost vanishes, few enough that a
/// batch takes well below a second.
const BATCH_RECORDS: usize = 4_000;
/// How long the loop waits for a record before it looks whether to stop.
const POLL: Duration = Duration::from_millis(250);
/// Pause before a batch is tried again while the database is away.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How long a look at one partition's end may take.
const GAUGE_TIMEOUT: Duration = Duration::from_secs(1);
/// Time between two looks at lag and waiting sessions.
const GAUGES_EVERY: Duration = Duration::from_secs(10);

/// What the thread works with.
#[derive(Debug)]
pub struct Worker {
    /// The cluster.
    pub kafka: KafkaSettings,
    /// The tables.
    pub store: Store,
    /// For dead letters.
    pub producer: Arc<Producer>,
    /// Which partitions it takes.
    pub assignment: Assignment,
}

/// Where one partition of ours stands.
#[derive(Debug)]
enum State {
    /// Records are applied under this claim.
    Running(Claim),
    /// A record that only a newer build can fold is next.
    Stopped,
}

/// Why the thread ends early.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// librdkafka refused the settings, or declared itself unusable.
    #[error("{0}")]
    Kafka(#[from] KafkaError),
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
pub fn run(worker: Worker, context: &Context, handle: &Handle) -> Result<(), ConsumerError> {
    let ownership = Ownership::new(&worker.kafka, worker.assignment)?;
    Thread {
        worker,
        context,
        handle,
        ownership,
        partitions: BTreeMap::new(),
        gauges_at: None,
    }
    .run()
}

struct Thread<'a> {
    worker: Worker,
    context: &'a Context,
    handle: &'a Handle,
    ownership: Ownership,
    partitions: BTreeMap<i32, State>,
    gauges_at: Option<Instant>,
}

impl Thread<'_> {
    fn run(mut self) -> Result<(), ConsumerError> {
        while !self.context.lifecycle.are_workers_stopping() {
            for change in self.ownership.take_changes() {
                self.change_ownership(&change)?;
            }
            let polled = self.poll()?;
            for (partition, records) in polled {
                self.take(partition, records)?;
            }
            self.set_gauges();
        }
        Ok(())
    }

    fn change_ownership(&mut self, change: &Change) -> Result<(), ConsumerError> {
        self.context
            .readiness
            .missing("projector", "taking over its partitions");
        match change {
            Change::Revoked(partitions) => {
                self.partitions
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
                    self.partitions
                        .insert(claim.partition, State::Running(claim));
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
        let store = &self.worker.store;
        let claim = self
            .handle
            .block_on(store.claim(EVENTS, partition))
            .map_err(|error| error.to_string())?;
        if self
            .ownership
            .probe()
            .is_same_log(&claim)
            .map_err(|error| error.to_string())?
        {
            return Ok(claim);
        }
        warn!(
            kafka.partition = partition,
            "partition {partition} holds another log than the tables were made from; folding it from its beginning",
        );
        metrics::counter!("projector_generations_total").increment(1);
        let raised = self
            .handle
            .block_on(store.raise_generation(&claim))
            .map_err(|error| error.to_string())?;
        raised.ok_or_else(|| "another projector claimed it".to_owned())
    }

    /// Waits for a record, then takes what else is there, by partition.
    fn poll(&mut self) -> Result<BTreeMap<i32, Vec<RawRecord>>, ConsumerError> {
        let mut polled: BTreeMap<i32, Vec<RawRecord>> = BTreeMap::new();
        let mut timeout = POLL;
        for _ in 0..BATCH_RECORDS {
            let consumer = self.ownership.consumer();
            match consumer.poll(timeout) {
                None => break,
                Some(Ok(message)) => {
                    polled
                        .entry(message.partition())
                        .or_default()
                        .push(raw(&message));
                    timeout = Duration::ZERO;
                }
                Some(Err(error)) if is_out_of_range(&error) => {
                    let partitions: Vec<i32> = self.partitions.keys().copied().collect();
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

    /// Applies one partition's records; tries again while the database or the broker is away.
    fn take(&mut self, partition: i32, records: Vec<RawRecord>) -> Result<(), ConsumerError> {
        let Some(State::Running(claim)) = self.partitions.get_mut(&partition) else {
            return Ok(());
        };
        // Records that were fetched before the partition was assigned anew are not ours to take twice.
        let from = claim.next_offset;
        let batch = Batch::read(
            records
                .into_iter()
                .filter(|record| record.offset >= from)
                .collect(),
        );
        let mut retried = false;
        while !self.context.lifecycle.are_workers_stopping() {
            let started = Instant::now();
            let applied = self
                .handle
                .block_on(apply(&self.worker, self.context, claim, &batch));
            match applied {
                Ok(applied) => {
                    note_committed(self.context, &batch, &applied, started.elapsed());
                    self.refresh_statistics();
                    if retried {
                        self.context.readiness.ready("projector");
                    }
                    break;
                }
                Err(Failed::Fenced) => {
                    metrics::counter!("projector_batches_total", "result" => "fenced").increment(1);
                    warn!(
                        "partition {partition} has another owner; nothing of this batch was written"
                    );
                    self.partitions.clear();
                    return match self.worker.assignment {
                        Assignment::All { .. } => Err(ConsumerError::TakenOver(partition)),
                        Assignment::Group => Ok(self.ownership.rejoin()?),
                    };
                }
                Err(Failed::Retry(reason)) => {
                    metrics::counter!("projector_batches_total", "result" => "failed").increment(1);
                    warn!(
                        "a batch of partition {partition} was not written, trying again: {reason}"
                    );
                    self.context.readiness.missing("projector", reason);
                    retried = true;
                    std::thread::sleep(RETRY_PAUSE);
                }
            }
        }
        if let Some(stop) = batch.stopped {
            let label = partition.to_string();
            metrics::gauge!("projector_partition_stopped", "partition" => label).set(1.0);
            error!(
                kafka.partition = partition,
                kafka.offset = stop.offset,
                "partition {partition} is stopped at offset {}: {}",
                stop.offset,
                stop.error,
            );
            self.ownership.pause(partition)?;
            self.partitions.insert(partition, State::Stopped);
        }
        Ok(())
    }

    /// Lets the planner know of tables that grow fast. Without it batches are slow, and not wrong.
    fn refresh_statistics(&self) {
        let refreshing = self.worker.store.refresh_statistics();
        if let Err(error) = self.handle.block_on(refreshing) {
            debug!("the tables could not be analysed: {error}");
        }
    }

    fn set_gauges(&mut self) {
        if self.gauges_at.is_some_and(|at| at.elapsed() < GAUGES_EVERY) {
            return;
        }
        for (partition, state) in &self.partitions {
            let State::Running(claim) = state else {
                continue;
            };
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
            let lag = (high - claim.next_offset).max(0) as f64;
            metrics::gauge!("projector_lag_records", "partition" => partition.to_string()).set(lag);
        }
        if let Ok(waiting) = self.handle.block_on(self.worker.store.count_waiting()) {
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!("projector_waiting_sessions").set(waiting as f64);
        }
        self.gauges_at = Some(Instant::now());
    }
}

enum Failed {
    Fenced,
    Retry(String),
}

async fn apply(
    worker: &Worker,
    context: &Context,
    claim: &mut Claim,
    batch: &Batch,
) -> Result<Applied, Failed> {
    let now = context.clock.now();
    if !batch.dead.is_empty() {
        dead_letters::set_aside(
            &worker.producer,
            claim.topic,
            claim.partition,
            &batch.dead,
            now,
        )
        .await
        .map_err(|error| Failed::Retry(format!("dead letters: {error}")))?;
    }
    worker
        .store
        .apply(claim, batch, now)
        .await
        .map_err(|error| match error {
            ApplyError::Fenced => Failed::Fenced,
            ApplyError::Database(error) => Failed::Retry(error.to_string()),
        })
}

fn note_committed(context: &Context, batch: &Batch, applied: &Applied, took: Duration) {
    if batch.end.is_none() {
        return;
    }
    metrics::counter!("projector_batches_total", "result" => "committed").increment(1);
    metrics::histogram!("projector_batch_seconds").record(took.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a histogram")]
    metrics::histogram!("projector_batch_records")
        .record((batch.events.len() + batch.dead.len()) as f64);
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
    for (_, event) in &batch.events {
        let delay = now.duration_since(event.received_at).as_secs_f64().max(0.0);
        metrics::histogram!("projector_delay_seconds").record(delay);
    }
}

fn raw(message: &BorrowedMessage<'_>) -> RawRecord {
    RawRecord {
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().map(<[u8]>::to_vec),
    }
}

fn fatal(consumer: &BaseConsumer<ownership::Rebalances>) -> Option<(String, String)> {
    use rdkafka::consumer::Consumer;
    consumer
        .client()
        .fatal_error()
        .map(|(code, reason)| (format!("{code:?}"), reason))
}
