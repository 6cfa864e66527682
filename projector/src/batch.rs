//! Records of one partition, read and sorted out: what to fold, what to set aside, where to stop.

use schemas::{Event, EventId, ReadError, wire};

/// A record as it was polled.
#[derive(Clone, Debug)]
pub struct RawRecord {
    /// Offset in its partition.
    pub offset: i64,
    /// Key, as it was.
    pub key: Option<Vec<u8>>,
    /// Payload, as it was; `None` for a tombstone, which the log has none of.
    pub payload: Option<Vec<u8>>,
}

/// A record that no build can read.
#[derive(Clone, Debug)]
pub struct DeadRecord {
    /// The record.
    pub raw: RawRecord,
    /// Why.
    pub reason: String,
}

/// A run of one partition's records, in order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Events with their offsets.
    pub events: Vec<(i64, Event)>,
    /// Records for the dead-letter topic.
    pub dead: Vec<DeadRecord>,
    /// Offset after the last record taken, and that record's identity.
    pub end: Option<(i64, EventId)>,
    /// Why the record at `end` cannot be taken by this build, if that is why the batch ends there.
    pub stopped: Option<Stop>,
}

/// A record that a newer build must fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its offset.
    pub offset: i64,
    /// What it is.
    pub error: ReadError,
}

impl Batch {
    /// Reads records up to the first that only a newer build can fold.
    #[must_use]
    pub fn read(records: Vec<RawRecord>) -> Self {
        let mut batch = Self::default();
        for raw in records {
            let offset = raw.offset;
            let bytes = raw.payload.as_deref().unwrap_or_default();
            let identity = wire::record_identity(bytes);
            match Event::from_bytes(bytes) {
                Ok(event) => batch.events.push((offset, event)),
                Err(ReadError::Malformed(reason)) => batch.dead.push(DeadRecord { raw, reason }),
                Err(error) => {
                    batch.stopped = Some(Stop { offset, error });
                    break;
                }
            }
            batch.end = Some((offset + 1, identity));
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Kind;
    use std::fs;

    fn record(offset: i64, payload: &str) -> RawRecord {
        RawRecord {
            offset,
            key: None,
            payload: Some(payload.as_bytes().to_vec()),
        }
    }

    fn example(kind: Kind) -> String {
        let name = format!("../schemas/examples/{}.v1.json", kind.name());
        fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
    }

    #[test]
    fn malformed_records_are_set_aside_and_an_unknown_type_ends_the_batch_before_it() {
        let good = example(Kind::PageViewed);
        let newer = good.replace("page.viewed", "page.printed");
        let records = vec![
            record(5, &good),
            record(6, "{"),
            record(8, &newer),
            record(9, &good),
        ];
        let batch = Batch::read(records);
        assert_eq!(
            batch
                .events
                .iter()
                .map(|(offset, _)| *offset)
                .collect::<Vec<_>>(),
            [5]
        );
        assert_eq!(
            batch
                .dead
                .iter()
                .map(|dead| dead.raw.offset)
                .collect::<Vec<_>>(),
            [6]
        );
        assert_eq!(batch.end, Some((7, EventId::of_bytes(b"{"))));
        assert_eq!(batch.stopped.unwrap().offset, 8);
    }

    #[test]
    fn a_batch_of_one_unknown_record_takes_nothing() {
        let newer = example(Kind::PageViewed).replace("\"version\": 1", "\"version\": 2");
        let batch = Batch::read(vec![record(0, &newer)]);
        assert_eq!(batch.end, None);
        assert!(matches!(
            batch.stopped,
            Some(Stop {
                offset: 0,
                error: ReadError::UnknownVersion { .. }
            })
        ));
    }
}
