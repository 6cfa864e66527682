//! Is this still the log that the tables were made from? Answered by the log's id, which its directory names,
//! and by one record: the last one applied.

use crate::store::{Claim, Found};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    types::RDKafkaErrorCode,
};
use runtime::{kafka::KafkaSettings, topics};
use schemas::{EventId, events::wire};
use std::time::Duration;
use thiserror::Error;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Why nothing can be said about the log.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// The cluster did not answer in time.
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    /// The topics are being made.
    #[error("the log has no name yet; `footfall topics` gives it one")]
    Unnamed,
}

/// Reads single records, for the check.
pub struct Probe {
    consumer: BaseConsumer,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}

impl Probe {
    /// A probe of that cluster.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn new(kafka: &KafkaSettings) -> KafkaResult<Self> {
        Ok(Self {
            consumer: kafka
                .consumer_with_ends("footfall-projector-probe")
                .create()?,
        })
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

    /// What the log says about a claim. A record that is missing, or another one in its place, means that the log
    /// has lost its end. Asks with a client of its own, so that no other partition waits for the answer.
    ///
    /// # Errors
    /// When the cluster does not answer in time, which says nothing about the log, or the log has no name.
    pub fn look(kafka: &KafkaSettings, claim: &Claim) -> Result<Found, ProbeError> {
        let probe = Self::new(kafka)?;
        let log = topics::read_log_by(&probe.consumer)?.ok_or(ProbeError::Unnamed)?;
        Ok(Found {
            log_id: log.log_id,
            has_last_record: probe.has_last_record(claim)?,
        })
    }

    fn has_last_record(&self, claim: &Claim) -> KafkaResult<bool> {
        let Some(last) = claim.last_event_id else {
            return Ok(claim.next_offset == 0);
        };
        let (low, high) = self.watermarks(claim.topic, claim.partition, TIMEOUT)?;
        let offset = claim.next_offset - 1;
        if offset < low || offset >= high {
            return Ok(false);
        }
        Ok(self.identity_at(claim.topic, claim.partition, offset)? == Some(last))
    }

    fn identity_at(
        &self,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> KafkaResult<Option<EventId>> {
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
            Some(Ok(message)) if message.offset() == offset => Ok(Some(wire::record_identity(
                message.payload().unwrap_or_default(),
            ))),
            Some(Ok(_)) => Ok(None),
        };
        self.consumer.unassign()?;
        found
    }
}

/// True when the broker has no such offset: the log is another one.
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
