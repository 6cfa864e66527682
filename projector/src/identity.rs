//! Checks whether this is still the log that the tables were made from.
//!
//! Compares the log's id, which its directory names, and one record: the last one applied.

use crate::store::{Claim, Found};
use rdkafka::error::{KafkaError, KafkaResult};
use runtime::kafka::{KafkaSettings, same_log::LogReader};
use schemas::events::wire;
use schemas::topics::EVENTS;
use std::time::Duration;
use thiserror::Error;

/// The client name for reading single records and offsets.
pub const PROBE: &str = "footfall-projector-probe";

/// Timeout for reading the end of one partition.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why the log cannot be checked.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// The cluster did not answer in time.
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    /// The topics are still being created.
    #[error("the log has no id yet; run `footfall topics`")]
    Unnamed,
}

/// Looks up a claim's log. A missing record, or another one at its offset, means that the log has
/// lost its end. Uses a client of its own, so no other partition waits for the answer.
///
/// # Errors
/// When the cluster does not answer in time, or the log has no name. Neither proves anything about
/// the log.
pub fn look(kafka: &KafkaSettings, claim: &Claim) -> Result<Found, ProbeError> {
    let reader = LogReader::new(kafka, PROBE)?;
    let log = reader.log()?.ok_or(ProbeError::Unnamed)?;
    Ok(Found {
        log_id: log.log_id,
        has_last_record: has_last_record(&reader, claim)?,
    })
}

fn has_last_record(reader: &LogReader, claim: &Claim) -> KafkaResult<bool> {
    // Without a stored identity, only the beginning of the log needs no proof.
    let Some(last) = claim.last_event_id else {
        return Ok(claim.next_offset == 0);
    };
    let offset = claim.next_offset - 1;
    let found = reader.payload_at(claim.topic, claim.partition, offset)?;
    Ok(found.is_some_and(|payload| wire::record_identity(&payload) == last))
}

/// The next offset of each partition.
pub(crate) async fn ends(
    kafka: &KafkaSettings,
    partitions: i32,
) -> Result<Vec<(i32, i64)>, KafkaError> {
    let kafka = kafka.clone();
    runtime::kafka::blocking(move || {
        let probe = LogReader::new(&kafka, PROBE)?;
        (0..partitions)
            .map(|partition| {
                let (_, end) = probe.watermarks(EVENTS, partition, TIMEOUT)?;
                Ok((partition, end))
            })
            .collect()
    })
    .await
}
