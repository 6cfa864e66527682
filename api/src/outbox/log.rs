//! Checks that the log is still the one that was published to, and still has what was published.

use super::PublishError;
use crate::store::outbox::PublishedLog;
use rdkafka::error::KafkaResult;
use runtime::kafka::{KafkaSettings, blocking, same_log::LogReader};
use schemas::topics::DIRECTORY;
use std::time::Duration;
use uuid::Uuid;

/// Timeout for the cluster's answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The log's name, and whether the log holds what is stored about it.
///
/// # Errors
/// When the cluster does not answer, or has no topics yet.
pub(super) async fn compare(
    kafka: &KafkaSettings,
    remembered: Option<&PublishedLog>,
) -> Result<(Uuid, bool), PublishError> {
    let (kafka, remembered) = (kafka.clone(), remembered.cloned());
    let compared = blocking(move || {
        let reader = LogReader::new(&kafka, "footfall-outbox")?;
        let Some(log) = reader.log()? else {
            return Ok(None);
        };
        let holds = match remembered {
            Some(published) if published.log_id == log.log_id => holds(&reader, &published)?,
            _ => false,
        };
        Ok(Some((log.log_id, holds)))
    });
    compared.await?.ok_or(PublishError::NoLog)
}

fn holds(reader: &LogReader, published: &PublishedLog) -> KafkaResult<bool> {
    let (_, high) = reader.watermarks(DIRECTORY, 0, TIMEOUT)?;
    if high < published.next_offset {
        return Ok(false);
    }
    // A log that lost its end and received other records since has the length, but not the record.
    // Ours is the newest of its key, so compaction keeps it.
    let Some(payload) = &published.last_payload else {
        return Ok(true);
    };
    let last = published.next_offset.saturating_sub(1);
    Ok(reader.payload_at(DIRECTORY, 0, last)?.as_ref() == Some(payload))
}
