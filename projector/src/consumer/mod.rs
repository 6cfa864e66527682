//! The consumer thread: owns partitions, polls and parses their records, and hands them to the
//! workers.
//!
//! One thread and one loop keep the path of a record easy to follow: first changes of ownership,
//! then reports of workers, then records of the log. The loop never waits for the database. Each
//! partition is in one state:
//!
//! ```text
//!   assigned --its worker claims it--> fetched --share of memory full--> paused, then fetched again
//!       ^                                 |----unknown type------------> closed (reported, until a restart)
//!       |----table has another offset-----|
//!       '----log ends before the table----'----fenced------------------> given up: the group is joined again
//! ```

mod backoff;
mod claiming;
mod folding;
mod gauges;
mod ownership;
mod shared;
mod standing;
mod worker;

use crate::{batch::Batch, identity::PROBE, store::Store};
use ownership::{Change, Ownership};
use rdkafka::{Message, consumer::BaseConsumer, error::KafkaError};
use runtime::{
    Context, Producer,
    kafka::{
        KafkaSettings, is_transient,
        same_log::{LogReader, is_out_of_range},
    },
};
use shared::{Found, Shared};
use standing::Standings;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
};
use tracing::{debug, error, info, warn};
use worker::Worker;

pub use ownership::Assignment;
pub(crate) use worker::WRITERS;

/// The maximum number and approximate bytes of records polled before they are handed over: few
/// enough that no worker waits for them.
const POLLED_RECORDS: usize = 1_000;
const POLLED_BYTES: usize = 1024 * 1024;
/// Bytes of records that may be queued between this thread and the workers. The partitions with
/// queued records have equal shares. So a partition that cannot be written does not use up the room
/// of the others. A share shrinks when another partition gets records, and nothing is dropped then.
/// So if the partitions stop one after the other, more is queued: half of this for the second, a
/// third for the third. That is twice as much for 4 partitions, three times for 12.
///
/// Half the room lasts longer than a fetch may wait (`fetch.wait.max.ms`, 500 ms). The client has one
/// fetch at a time, so a resumed partition waits for that of the others.
const ROOM_BYTES: usize = 32 * 1024 * 1024;
/// How long the loop waits for a record before it checks for other work.
const POLL: Duration = Duration::from_millis(250);
/// The same while a worker is about to need records.
const SHORT_POLL: Duration = Duration::from_millis(20);

/// The parts that the thread works with.
#[derive(Debug)]
pub struct Parts {
    /// The cluster.
    pub kafka: KafkaSettings,
    /// The tables.
    pub store: Store,
    /// Publishes dead letters.
    pub producer: Arc<Producer>,
    /// The partitions that it takes.
    pub assignment: Assignment,
}

/// Why the thread ends early.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// librdkafka refused the settings, or declared itself unusable.
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    /// The operating system refused another thread.
    #[error("cannot start a thread for a partition: {0}")]
    Thread(std::io::Error),
    /// Another projector claimed a partition that only this program may own.
    #[error(
        "another projector took over partition {0}; two programs fold the same log into the same tables"
    )]
    TakenOver(i32),
}

/// Folds records until the lifecycle stops the workers. Records polled by then are committed, or
/// left to the next start. Blocks, so it needs its own thread.
///
/// # Errors
/// [`ConsumerError`]. An unavailable broker or database is not an error; the thread waits for it.
pub fn run(parts: Parts, context: &Context, handle: &Handle) -> Result<(), ConsumerError> {
    let Parts {
        kafka,
        store,
        producer,
        assignment,
    } = parts;
    let ownership = Ownership::new(&kafka, assignment)?;
    let probe = LogReader::new(&kafka, PROBE)?;
    let standings = Standings::new(context.readiness.clone(), Arc::clone(&context.clock));
    let shared = Arc::new(Shared {
        context: context.clone(),
        handle: handle.clone(),
        store,
        kafka,
        turns: Semaphore::new(WRITERS as usize),
        producer,
        analysing: AtomicBool::new(false),
        standings,
        reports: Mutex::default(),
        ownership_changed: Notify::new(),
    });
    let watching = gauges::watch(Arc::clone(&shared), probe);
    context
        .lifecycle
        .spawn_until_stop("projector gauges", watching);
    Thread {
        assignment,
        context,
        shared,
        ownership,
        held: BTreeMap::new(),
        gates: BTreeMap::new(),
        workers_started: 0,
    }
    .run()
}

struct Thread<'a> {
    assignment: Assignment,
    context: &'a Context,
    shared: Arc<Shared>,
    ownership: Ownership,
    /// Our partitions.
    held: BTreeMap<i32, Held>,
    /// See [`Worker::start`].
    gates: BTreeMap<i32, Arc<Mutex<()>>>,
    workers_started: u64,
}

/// One of our partitions.
struct Held {
    worker: Worker,
    /// The offset of the next record to hand over; `None` until the worker has claimed the
    /// partition.
    position: Option<i64>,
    /// True while its share of the memory is full.
    is_paused: bool,
}

/// The records polled from one partition.
#[derive(Default)]
struct Polled {
    batch: Batch,
    bytes: usize,
    /// The offset after the last record.
    next_offset: i64,
}

impl Thread<'_> {
    fn run(mut self) -> Result<(), ConsumerError> {
        while !self.context.lifecycle.are_workers_stopping() {
            for change in self.ownership.take_changes() {
                self.change_ownership(&change)?;
            }
            self.look_after_workers()?;
            self.share_memory()?;
            for (partition, polled) in self.poll()? {
                self.hand_over(partition, polled)?;
            }
        }
        // Each worker finishes its current batch and leaves the rest to the next start. Workers
        // that still wait for their claim have nothing to finish.
        for held in self.held.values_mut() {
            if held.position.is_some() {
                held.worker.join();
            }
        }
        Ok(())
    }

    fn change_ownership(&mut self, change: &Change) -> Result<(), ConsumerError> {
        match change {
            Change::Revoked(partitions) => {
                self.give_up(partitions);
                info!("gave up partitions {partitions:?}");
            }
            Change::Assigned(partitions) => {
                for partition in partitions {
                    self.begin(*partition)?;
                }
                // Even without a claimed partition: the group waits for an answer to its
                // assignment.
                self.fetch()?;
                self.shared.standings.publish();
            }
        }
        self.shared.ownership_changed.notify_one();
        Ok(())
    }

    fn give_up(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.held.remove(partition);
            self.shared.standings.end(*partition);
        }
    }

    /// Starts a worker that claims a partition. The partition's records are fetched after the
    /// claim.
    fn begin(&mut self, partition: i32) -> Result<(), ConsumerError> {
        self.workers_started += 1;
        let serial = self.workers_started;
        let gate = Arc::clone(self.gates.entry(partition).or_default());
        self.shared.standings.begin(partition, serial);
        let worker =
            Worker::start(&self.shared, partition, serial, gate).map_err(ConsumerError::Thread)?;
        let held = Held {
            worker,
            position: None,
            is_paused: false,
        };
        // If the partition was held before, this drops its former worker, which then ends.
        self.held.insert(partition, held);
        Ok(())
    }

    /// Fetches the partitions that are claimed and open.
    fn fetch(&mut self) -> Result<(), ConsumerError> {
        let mut positions = Vec::new();
        for (partition, held) in &mut self.held {
            held.is_paused = false;
            if let Some(position) = held.position
                && held.worker.is_open()
            {
                positions.push((*partition, position));
            }
        }
        Ok(self.ownership.fetch(&positions)?)
    }

    /// Waits for a record, then polls all available records without waiting, by partition.
    fn poll(&mut self) -> Result<BTreeMap<i32, Polled>, ConsumerError> {
        let mut polled: BTreeMap<i32, Polled> = BTreeMap::new();
        let waits = |held: &Held| held.position.is_none() || held.is_paused;
        let mut timeout = if self.held.values().any(waits) {
            SHORT_POLL
        } else {
            POLL
        };
        let mut bytes = 0;
        for _ in 0..POLLED_RECORDS {
            let consumer = self.ownership.consumer();
            match consumer.poll(timeout) {
                None => break,
                Some(Ok(message)) => {
                    let (key, payload) = (message.key(), message.payload());
                    let size = payload.map_or(0, <[u8]>::len);
                    let of_partition = polled.entry(message.partition()).or_default();
                    of_partition.batch.push(message.offset(), key, payload);
                    of_partition.bytes += size;
                    of_partition.next_offset = message.offset() + 1;
                    bytes += size;
                    if bytes >= POLLED_BYTES {
                        break;
                    }
                    timeout = Duration::ZERO;
                }
                Some(Err(error)) if is_out_of_range(&error) => {
                    let partitions: Vec<i32> = self.held.keys().copied().collect();
                    warn!("the log ends before the stored offset ({error}); checking the log");
                    // The error does not name a partition, so all are claimed again. The claims
                    // check the log.
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

    /// Gives polled records to their partition's worker. Records of a partition that is being
    /// claimed again are dropped here and fetched again later.
    fn hand_over(&mut self, partition: i32, polled: Polled) -> Result<(), ConsumerError> {
        let Some(held) = self.held.get_mut(&partition) else {
            return Ok(());
        };
        if held.position.is_none() || !held.worker.is_open() {
            return Ok(());
        }
        held.position = Some(polled.next_offset);
        let is_stopped = polled.batch.stopped.is_some();
        held.worker.give(polled.batch, polled.bytes);
        if is_stopped {
            // The worker reports the stop once all records before it are written.
            held.worker.close();
            self.ownership.pause(partition)?;
        }
        Ok(())
    }

    /// Pauses partitions whose workers do not keep up, and resumes those that have room again.
    fn share_memory(&mut self) -> Result<(), ConsumerError> {
        let queued = self.held.values().map(|held| held.worker.queued_bytes());
        let share = share_of(queued.filter(|queued| *queued > 0).count());
        for (partition, held) in &mut self.held {
            if !held.worker.is_open() {
                continue;
            }
            let queued = held.worker.queued_bytes();
            // Resuming only at half the share avoids a pause and a resume for every batch.
            if held.is_paused && queued <= share / 2 {
                self.ownership.resume(*partition)?;
                held.is_paused = false;
            } else if !held.is_paused && queued >= share {
                self.ownership.pause(*partition)?;
                held.is_paused = true;
            }
        }
        Ok(())
    }

    /// Acts on the reports of workers.
    fn look_after_workers(&mut self) -> Result<(), ConsumerError> {
        for held in self.held.values_mut() {
            held.worker.reap();
        }
        let mut is_changed = false;
        for report in self.shared.take_reports() {
            // Reports of a replaced worker are ignored: our own newer claim fences it.
            let held = self.held.get_mut(&report.partition);
            let Some(held) = held.filter(|held| held.worker.serial() == report.worker) else {
                continue;
            };
            let partition = report.partition;
            match report.found {
                Found::Claimed(next_offset) => {
                    held.position = Some(next_offset);
                    is_changed = true;
                }
                Found::Moved => {
                    warn!(
                        kafka.partition = partition,
                        "the tables were set to another offset of partition {partition}; claiming it again"
                    );
                    self.begin(partition)?;
                    is_changed = true;
                }
                Found::Fenced => {
                    warn!(
                        "another projector took over partition {partition}; this batch was not written"
                    );
                    // Another member owns a partition of ours, so our whole assignment is outdated.
                    let ours: Vec<i32> = self.held.keys().copied().collect();
                    self.give_up(&ours);
                    return match self.assignment {
                        Assignment::All { .. } => Err(ConsumerError::TakenOver(partition)),
                        Assignment::Group => Ok(self.ownership.rejoin()?),
                    };
                }
            }
        }
        if is_changed {
            self.fetch()?;
            self.shared.ownership_changed.notify_one();
        }
        Ok(())
    }
}

/// The bytes of records that each of the partitions with queued records may have in memory.
const fn share_of(partitions: usize) -> usize {
    let partitions = if partitions == 0 { 1 } else { partitions };
    ROOM_BYTES / partitions
}

fn fatal(consumer: &BaseConsumer<ownership::Rebalances>) -> Option<(String, String)> {
    use rdkafka::consumer::Consumer;
    consumer
        .client()
        .fatal_error()
        .map(|(code, reason)| (format!("{code:?}"), reason))
}
