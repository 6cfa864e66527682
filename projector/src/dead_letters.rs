//! Setting records aside that no build can read, with the reason beside them.

use crate::batch::DeadRecord;
use jiff::Timestamp;
use runtime::producer::{Producer, Record, SendError};
use schemas::{dead_letter, topics};

/// Appends records to the dead-letter topic, each as it was. Returns when all are acknowledged; a
/// crash before the offset is committed sets them aside a second time.
///
/// # Errors
/// The first record that was not acknowledged.
pub async fn set_aside(
    producer: &Producer,
    topic: &str,
    partition: i32,
    records: &[DeadRecord],
    now: Timestamp,
) -> Result<(), SendError> {
    let time = now.to_string();
    let partition = partition.to_string();
    for dead in records {
        let offset = dead.raw.offset.to_string();
        let headers = [
            (dead_letter::REASON, dead.reason.as_str()),
            (dead_letter::TOPIC, topic),
            (dead_letter::PARTITION, partition.as_str()),
            (dead_letter::OFFSET, offset.as_str()),
            (dead_letter::TIME, time.as_str()),
        ];
        let key = String::from_utf8_lossy(dead.raw.key.as_deref().unwrap_or_default());
        let record = Record {
            topic: topics::DEAD_LETTERS,
            key: &key,
            payload: dead.raw.payload.as_deref().unwrap_or_default(),
            headers: &headers,
        };
        for outcome in producer.send(&[record]).await {
            outcome?;
        }
    }
    Ok(())
}
