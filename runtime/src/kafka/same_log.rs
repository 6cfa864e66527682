//! Reads single records, to check that a log still holds what it held before.
//!
//! A log that lost its end and received other records since may have the same name and length. Only
//! the record shows the difference.

use super::{KafkaSettings, topics};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    types::RDKafkaErrorCode,
};
use schemas::directory::Log;
use std::time::Duration;

/// Timeout for the cluster's answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads single records of a cluster. Every method blocks.
pub struct LogReader {
    consumer: BaseConsumer,
}

impl std::fmt::Debug for LogReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogReader").finish_non_exhaustive()
    }
}

impl LogReader {
    /// A reader with its own client. The group is only a name: no offsets are stored.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn new(kafka: &KafkaSettings, group: &str) -> KafkaResult<Self> {
        let consumer = kafka.consumer_with_ends(group).create()?;
        Ok(Self { consumer })
    }

    /// First and next offset of a partition.
    ///
    /// # Errors
    /// When the cluster does not answer in time.
    pub fn watermarks(
        &self,
        topic: &str,
        partition: i32,
        timeout: Duration,
    ) -> KafkaResult<(i64, i64)> {
        self.consumer.fetch_watermarks(topic, partition, timeout)
    }

    /// The log's name and shape; `None` while its topics are being created.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn log(&self) -> KafkaResult<Option<Log>> {
        topics::read_log_by(&self.consumer)
    }

    /// The payload of the record at an offset; `None` when the log has no such record.
    ///
    /// # Errors
    /// When the cluster does not answer in time. That says nothing about the log.
    pub fn payload_at(
        &self,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> KafkaResult<Option<Vec<u8>>> {
        let (low, high) = self.watermarks(topic, partition, TIMEOUT)?;
        if offset < low || offset >= high {
            return Ok(None);
        }
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(topic, partition, Offset::Offset(offset))?;
        self.consumer.assign(&partitions)?;
        let found = match self.consumer.poll(TIMEOUT) {
            None => Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::OperationTimedOut,
            )),
            Some(Err(KafkaError::PartitionEOF(_))) => Ok(None),
            Some(Err(error)) if is_out_of_range(&error) => Ok(None),
            Some(Err(error)) => Err(error),
            Some(Ok(message)) if message.offset() == offset => {
                Ok(Some(message.payload().unwrap_or_default().to_vec()))
            }
            // Compaction has removed the record.
            Some(Ok(_)) => Ok(None),
        };
        self.consumer.unassign()?;
        found
    }
}

/// True when the broker does not have such an offset: the log is a different one.
#[must_use]
pub fn is_out_of_range(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::OffsetOutOfRange
                | RDKafkaErrorCode::AutoOffsetReset
                | RDKafkaErrorCode::NoOffset
        )
    )
}
