//! Parses a run of records of one partition: events to fold, records to set aside, and where to
//! stop.

use schemas::{Event, EventId, ReadError, events::wire};
use std::sync::Arc;

/// A record as it was polled.
#[derive(Clone, Debug)]
pub struct RawRecord {
    /// Offset in its partition.
    pub offset: i64,
    /// Its key, unchanged.
    pub key: Option<Vec<u8>>,
    /// Its payload, unchanged; `None` for a tombstone, which our programs never write.
    pub payload: Option<Vec<u8>>,
}

/// A record that no build can read.
#[derive(Clone, Debug)]
pub struct DeadRecord {
    /// The record.
    pub raw: RawRecord,
    /// Why it is unreadable.
    pub reason: String,
}

/// A run of records of one partition, in order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Events with their offsets. Shared, because a batch that was not committed is tried again.
    pub events: Vec<(i64, Arc<Event>)>,
    /// Records for the dead-letter topic.
    pub dead: Vec<DeadRecord>,
    /// The offset after the last record, and that record's identity.
    pub end: Option<(i64, EventId)>,
    /// Why this build cannot read the record at `end`, if the batch ends there for that reason.
    pub stopped: Option<Stop>,
}

/// A record that a newer build must fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its offset.
    pub offset: i64,
    /// Why this build cannot read it.
    pub error: ReadError,
}

impl Batch {
    /// Adds the record at `offset`, the next one of its partition. After a record that only a newer
    /// build can fold, it adds nothing more.
    pub fn push(&mut self, offset: i64, key: Option<&[u8]>, payload: Option<&[u8]>) {
        if self.stopped.is_some() {
            return;
        }
        let bytes = payload.unwrap_or_default();
        let identity = match Event::from_bytes(bytes) {
            Ok(event) => {
                let identity = event.event_id;
                self.events.push((offset, Arc::new(event)));
                identity
            }
            Err(ReadError::Malformed(reason)) => {
                let raw = RawRecord {
                    offset,
                    key: key.map(<[u8]>::to_vec),
                    payload: payload.map(<[u8]>::to_vec),
                };
                self.dead.push(DeadRecord { raw, reason });
                // The offset advances past a dead record too, so it needs an identity for the check
                // of the log.
                wire::record_identity(bytes)
            }
            Err(error) => {
                self.stopped = Some(Stop { offset, error });
                return;
            }
        };
        self.end = Some((offset + 1, identity));
    }

    /// Appends the batch that was read after this one, under the same rule.
    pub fn append(&mut self, mut later: Self) {
        if self.stopped.is_some() {
            return;
        }
        self.events.append(&mut later.events);
        self.dead.append(&mut later.dead);
        self.end = later.end.or(self.end);
        self.stopped = later.stopped;
    }

    /// Drops records before an offset, which were applied before and read again.
    pub fn skip_before(&mut self, offset: i64) {
        self.events.retain(|(at, _)| *at >= offset);
        self.dead.retain(|dead| dead.raw.offset >= offset);
        self.end = self.end.filter(|(next, _)| *next > offset);
    }

    /// Removes and returns the first `records` records, in the order of the log.
    #[must_use]
    pub fn take_first(&mut self, records: usize) -> Self {
        if records >= self.records() {
            return std::mem::take(self);
        }
        let (mut events, mut dead, mut end) = (0, 0, None);
        // Both lists are in the order of the log, so this merges them by offset.
        for _ in 0..records {
            match (self.events.get(events), self.dead.get(dead)) {
                (Some((offset, event)), later)
                    if later.is_none_or(|later| *offset < later.raw.offset) =>
                {
                    events += 1;
                    end = Some((offset + 1, event.event_id));
                }
                (_, Some(DeadRecord { raw, .. })) => {
                    dead += 1;
                    let bytes = raw.payload.as_deref().unwrap_or_default();
                    end = Some((raw.offset + 1, wire::record_identity(bytes)));
                }
                (_, None) => break,
            }
        }
        Self {
            events: self.events.drain(..events).collect(),
            dead: self.dead.drain(..dead).collect(),
            end,
            stopped: None,
        }
    }

    /// The offset of the first record.
    #[must_use]
    pub fn first_offset(&self) -> Option<i64> {
        let event = self.events.first().map(|(offset, _)| *offset);
        let dead = self.dead.first().map(|dead| dead.raw.offset);
        event.into_iter().chain(dead).min()
    }

    /// The number of records.
    #[must_use]
    pub const fn records(&self) -> usize {
        self.events.len() + self.dead.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Kind;
    use std::fs;

    fn read(records: &[(i64, &str)]) -> Batch {
        let mut batch = Batch::default();
        for (offset, payload) in records {
            batch.push(*offset, None, Some(payload.as_bytes()));
        }
        batch
    }

    fn offsets(batch: &Batch) -> Vec<i64> {
        batch.events.iter().map(|(offset, _)| *offset).collect()
    }

    fn example(kind: Kind) -> String {
        let name = format!("../schemas/examples/{}.v1.json", kind.name());
        fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
    }

    #[test]
    fn malformed_records_are_set_aside_and_an_unknown_type_ends_the_batch_before_it() {
        let good = example(Kind::PageViewed);
        let newer = good.replace("page.viewed", "page.printed");
        let batch = read(&[(5, &good), (6, "{"), (8, &newer), (9, &good)]);
        assert_eq!(offsets(&batch), [5]);
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
        let batch = read(&[(0, &newer)]);
        assert_eq!(batch.end, None);
        assert!(matches!(
            batch.stopped,
            Some(Stop {
                offset: 0,
                error: ReadError::UnknownVersion { .. }
            })
        ));
    }

    #[test]
    fn appended_parts_make_one_batch_that_starts_at_the_wanted_offset() {
        let good = example(Kind::PageViewed);
        let newer = r#"{"type": "page.printed", "version": 1}"#;
        let mut batch = read(&[(3, &good), (4, "{"), (6, &good)]);
        let first = batch.end;
        batch.append(Batch::default());
        assert_eq!(batch.end, first);
        batch.append(read(&[(7, &good), (8, newer)]));
        batch.append(read(&[(9, &good)]));
        assert_eq!(batch.stopped.as_ref().unwrap().offset, 8);
        batch.skip_before(6);
        assert_eq!((offsets(&batch), batch.records()), (vec![6, 7], 2));
        batch.skip_before(10);
        assert_eq!((batch.records(), batch.end), (0, None));
    }

    #[test]
    fn taking_the_first_records_and_appending_the_rest_gives_the_whole_batch() {
        let good = example(Kind::PageViewed);
        let newer = r#"{"type": "page.printed", "version": 1}"#;
        let records = [
            (2, good.as_str()),
            (3, "{"),
            (5, &good),
            (6, "["),
            (7, &good),
            (9, newer),
        ];
        let whole = read(&records);
        for first in 0..=6 {
            let mut rest = whole.clone();
            let mut part = rest.take_first(first);
            let taken = first.min(5);
            assert_eq!((part.records(), rest.records()), (taken, 5 - taken));
            if let Some(last) = taken.checked_sub(1) {
                let expected = read(&records[..taken]).end.unwrap();
                assert_eq!(
                    (part.end, expected.0),
                    (Some(expected), records[last].0 + 1)
                );
                assert_eq!(part.first_offset(), Some(2));
            }
            part.append(rest);
            assert_eq!((part.end, &part.stopped), (whole.end, &whole.stopped));
            assert_eq!(offsets(&part), offsets(&whole));
        }
        assert_eq!(Batch::default().first_offset(), None);
    }
}
