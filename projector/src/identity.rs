//! Is this still the log that the tables were made from? Answered by the log's id, which its directory names,
//! and by one record: the last one applied.

use crate::store::{Claim, Found};
use rdkafka::error::{KafkaError, KafkaResult};
use runtime::kafka::{KafkaSettings, same_log::LogReader};
use schemas::events::wire;
use schemas::topics::EVENTS;
use std::time::Duration;
use thiserror::Error;

/// The name under which the projector reads single records and offsets.
pub const PROBE: &str = "footfall-projector-probe";

/// How long a look at one partition's end may take.
const TIMEOUT: Duration = Duration::from_secs(5);

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

/// What the log says about a claim. A record that is missing, or another one in its place, means that the log
/// has lost its end. Asks with a client of its own, so that no other partition waits for the answer.
///
/// # Errors
/// When the cluster does not answer in time, which says nothing about the log, or the log has no name.
pub fn look(kafka: &KafkaSettings, claim: &Claim) -> Result<Found, ProbeError> {
    let reader = LogReader::new(kafka, PROBE)?;
    let log = reader.log()?.ok_or(ProbeError::Unnamed)?;
    Ok(Found {
        log_id: log.log_id,
        has_last_record: has_last_record(&reader, claim)?,
    })
}

fn has_last_record(reader: &LogReader, claim: &Claim) -> KafkaResult<bool> {
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
