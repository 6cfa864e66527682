//! Whether the log is still the one that was published to, and still holds what was published.

use super::PublishError;
use crate::store::outbox::PublishedLog;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    types::RDKafkaErrorCode,
};
use runtime::{
    kafka::{KafkaSettings, blocking},
    topics,
};
use schemas::topics::DIRECTORY;
use std::time::Duration;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The log's name, and whether it holds what is remembered of it.
///
/// # Errors
/// When the cluster does not answer, or has no topics yet.
pub(super) async fn compare(
    kafka: &KafkaSettings,
    remembered: Option<&PublishedLog>,
) -> Result<(Uuid, bool), PublishError> {
    let log = topics::read_log(kafka).await?.ok_or(PublishError::NoLog)?;
    let holds = match remembered {
        Some(published) if published.log_id == log.log_id => holds(kafka, published).await?,
        _ => false,
    };
    Ok((log.log_id, holds))
}

async fn holds(kafka: &KafkaSettings, published: &PublishedLog) -> KafkaResult<bool> {
    let config = kafka.consumer_with_ends("footfall-outbox");
    let published = published.clone();
    blocking(move || read(&config, &published)).await
}

fn read(config: &ClientConfig, published: &PublishedLog) -> KafkaResult<bool> {
    let consumer: BaseConsumer = config.create()?;
    let (_, high) = consumer.fetch_watermarks(DIRECTORY, 0, TIMEOUT)?;
    if high < published.next_offset {
        return Ok(false);
    }
    // A log that lost its end and got records of others since has the length, but not the record.
    // Ours is the last of its key, so compaction never takes it.
    let Some(payload) = &published.last_payload else {
        return Ok(true);
    };
    let last = published.next_offset.saturating_sub(1);
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(DIRECTORY, 0, Offset::Offset(last))?;
    consumer.assign(&partitions)?;
    match consumer.poll(TIMEOUT) {
        Some(Ok(message)) => {
            Ok(message.offset() == last && message.payload() == Some(payload.as_slice()))
        }
        Some(Err(KafkaError::PartitionEOF(_))) => Ok(false),
        Some(Err(error)) if is_out_of_range(&error) => Ok(false),
        Some(Err(error)) => Err(error),
        None => Err(KafkaError::MessageConsumption(
            RDKafkaErrorCode::OperationTimedOut,
        )),
    }
}

fn is_out_of_range(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset)
    )
}
