//! Determines which partitions are ours: all of them, or those that the consumer group assigns.
//!
//! The callback of librdkafka only records a rebalance. The loop first claims the partitions, then
//! assigns them at the offsets stored in the database.

use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
    topic_partition_list::TopicPartitionListElem,
    types::RDKafkaRespErr,
};
use runtime::kafka::KafkaSettings;
use schemas::topics::EVENTS;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tracing::{debug, warn};

/// The consumer group of all projectors of a cluster.
const GROUP: &str = "footfall-projector";
/// The interval of heartbeats, by which members learn about changes in the group.
const HEARTBEAT_INTERVAL_MS: &str = "1000";
/// How long the group waits before it gives up a dead projector.
const SESSION_TIMEOUT_MS: &str = "10000";

/// Which partitions a projector takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// Those that the consumer group assigns. Several projectors share the work.
    Group,
    /// All partitions, without a group: for the embedded log, which only this process reads into
    /// these tables. After a crash, a start then need not wait for a group to give up the dead
    /// member.
    All {
        /// The number of partitions.
        partitions: i32,
    },
}

/// A change that the loop must act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// These partitions are ours now.
    Assigned(Vec<i32>),
    /// These partitions are no longer ours.
    Revoked(Vec<i32>),
}

/// Records the rebalances that librdkafka reports.
#[derive(Debug, Default)]
pub(super) struct Rebalances {
    changes: Mutex<Vec<Change>>,
    /// Set when the consumer is closing. A late assignment must then be given back at once, because
    /// the consumer waits for an answer to every assignment.
    closing: AtomicBool,
}

impl Rebalances {
    fn note(&self, change: Change) {
        self.changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(change);
    }
}

impl ClientContext for Rebalances {
    fn error(&self, error: KafkaError, reason: &str) {
        debug!("kafka consumer: {error}: {reason}");
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let elements = partitions.elements();
        let numbers: Vec<i32> = elements
            .iter()
            .map(TopicPartitionListElem::partition)
            .collect();
        match code {
            // Not assigned here: `Ownership::fetch` assigns partitions after they are claimed.
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                if self.closing.load(Ordering::Acquire) {
                    let _ = consumer.unassign();
                } else {
                    self.note(Change::Assigned(numbers));
                }
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                // Given up without waiting for batches in flight: the next owner's claim fences
                // them.
                if let Err(error) = consumer.unassign() {
                    warn!("partitions could not be given up: {error}");
                }
                self.note(Change::Revoked(numbers));
            }
            other => warn!("the consumer group could not be rebalanced: {other:?}"),
        }
    }
}

/// The consumer and its group.
pub(super) struct Ownership {
    consumer: BaseConsumer<Rebalances>,
}

impl Ownership {
    pub fn new(kafka: &KafkaSettings, assignment: Assignment) -> KafkaResult<Self> {
        let mut config = kafka.consumer(GROUP);
        config
            .set("session.timeout.ms", SESSION_TIMEOUT_MS)
            .set("heartbeat.interval.ms", HEARTBEAT_INTERVAL_MS)
            .set("partition.assignment.strategy", "range");
        let consumer = BaseConsumer::from_config_and_context(&config, Rebalances::default())?;
        match assignment {
            Assignment::Group => consumer.subscribe(&[EVENTS])?,
            Assignment::All { partitions } => consumer
                .context()
                .note(Change::Assigned((0..partitions).collect())),
        }
        Ok(Self { consumer })
    }

    pub const fn consumer(&self) -> &BaseConsumer<Rebalances> {
        &self.consumer
    }

    pub fn take_changes(&self) -> Vec<Change> {
        std::mem::take(
            &mut *self
                .consumer
                .context()
                .changes
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Fetches exactly these partitions, each from its offset. Records that were fetched before but
    /// not polled are fetched again.
    pub fn fetch(&self, positions: &[(i32, i64)]) -> KafkaResult<()> {
        let mut partitions = TopicPartitionList::new();
        for (partition, position) in positions {
            // If an operator deleted the first records, offset 0 does not exist any more.
            let offset = match position {
                0 => Offset::Beginning,
                next => Offset::Offset(*next),
            };
            partitions.add_partition_offset(EVENTS, *partition, offset)?;
        }
        self.consumer.assign(&partitions)?;
        if partitions.count() > 0 {
            // In librdkafka a pause survives a new assignment.
            self.consumer.resume(&partitions)?;
        }
        Ok(())
    }

    /// Stops fetching a partition until [`Self::resume`]. Records not polled yet are then fetched
    /// again.
    pub fn pause(&self, partition: i32) -> KafkaResult<()> {
        self.consumer.pause(&only(partition))
    }

    pub fn resume(&self, partition: i32) -> KafkaResult<()> {
        self.consumer.resume(&only(partition))
    }

    /// Leaves the group and joins it again, to get a new assignment.
    pub fn rejoin(&self) -> KafkaResult<()> {
        self.consumer.unsubscribe();
        self.consumer.subscribe(&[EVENTS])
    }
}

fn only(partition: i32) -> TopicPartitionList {
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition(EVENTS, partition);
    partitions
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.consumer
            .context()
            .closing
            .store(true, Ordering::Release);
        let _ = self.consumer.unassign();
    }
}
