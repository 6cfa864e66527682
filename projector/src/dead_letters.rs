//! Writes records that no build can read to the dead-letter topic, with the reason.

use crate::batch::DeadRecord;
use jiff::Timestamp;
use runtime::producer::{Producer, Record, SendError};
use schemas::{dead_letter, topics};

/// Longest reason in a header. A parser may quote a whole invalid text.
const MAX_REASON_CHARS: usize = 500;
/// Longest payload of a letter; with its headers it stays below a broker's limit (1 MB). The
/// complete record stays in the log, at the offset in the headers.
const MAX_PAYLOAD_BYTES: usize = 900_000;
/// Longest key of a letter.
const MAX_KEY_BYTES: usize = 1_000;

/// Appends records to the dead-letter topic, cut to its limits. Records below `done_before` are
/// there already. It advances with each acknowledged record, so a retry of the batch appends none
/// again. A crash before the offset is committed appends them a second time.
///
/// # Errors
/// The error of the first record that was not acknowledged.
pub async fn set_aside(
    producer: &Producer,
    topic: &str,
    partition: i32,
    records: &[DeadRecord],
    now: Timestamp,
    done_before: &mut i64,
) -> Result<(), SendError> {
    let time = now.to_string();
    let partition = partition.to_string();
    for dead in records {
        if dead.raw.offset < *done_before {
            continue;
        }
        let offset = dead.raw.offset.to_string();
        let reason = shortened(&dead.reason);
        let headers = [
            (dead_letter::REASON, reason.as_str()),
            (dead_letter::TOPIC, topic),
            (dead_letter::PARTITION, partition.as_str()),
            (dead_letter::OFFSET, offset.as_str()),
            (dead_letter::TIME, time.as_str()),
        ];
        let key = dead.raw.key.as_deref().unwrap_or_default();
        let key = String::from_utf8_lossy(key.get(..MAX_KEY_BYTES).unwrap_or(key));
        let payload = dead.raw.payload.as_deref().unwrap_or_default();
        let record = Record {
            topic: topics::DEAD_LETTERS,
            key: &key,
            payload: payload.get(..MAX_PAYLOAD_BYTES).unwrap_or(payload),
            headers: &headers,
        };
        for outcome in producer.send(&[record]).await {
            outcome?;
        }
        *done_before = dead.raw.offset + 1;
    }
    Ok(())
}

/// A reason, cut for headers and log lines.
#[must_use]
pub fn shortened(reason: &str) -> String {
    reason.chars().take(MAX_REASON_CHARS).collect()
}
