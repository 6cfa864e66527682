//! The events that one line adds to the log, and their partition.

use ingest::history::{Taken, TakenConversion, TakenRecord};
use jiff::Timestamp;
use schemas::{Body, BotReason, Event, EventId, RefusalReason, WorkspaceNo};

/// The events of one line. They belong to one workspace, and so to one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) kind: UnitKind,
    pub(super) workspace_no: WorkspaceNo,
    /// The records' key: the workspace's id.
    pub(super) key: String,
    pub(super) partition: i32,
    /// In the order in which they happened.
    pub(super) events: Vec<Payload>,
    /// Number of further events, which are above the limits of a session.
    pub(super) over: u64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnitKind {
    /// A visit of a page.
    Visit,
    /// A click on a short link.
    Click,
    /// A record of a log.
    Record,
}

/// An event in its stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) event_id: EventId,
    pub(super) occurred_at: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) bytes: Vec<u8>,
}

/// The result of a valid line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Made {
    /// Events for the log.
    Unit(Unit),
    /// A click that does not count, because a machine made it.
    Machine(Unit, BotReason),
    /// A conversion, which the main database decides about.
    Conversion(Box<TakenConversion>),
    /// A refused visit.
    Refused(RefusalReason),
}

impl Made {
    /// From the verdict on a line, for a log with that many partitions.
    pub(super) fn of(taken: Taken, partitions: i32) -> Self {
        match taken {
            Taken::Refused(reason) => Self::Refused(reason),
            Taken::Record(record) => Self::Unit(of_record(record, partitions)),
            Taken::Conversion(conversion) => Self::Conversion(Box::new(conversion)),
            Taken::Click(click) => {
                let unit = of_events(UnitKind::Click, &[&click.event], partitions);
                match click.event.body {
                    Body::LinkClicked(ref body) => match body.bot_reason {
                        Some(reason) => Self::Machine(unit, reason),
                        None => Self::Unit(unit),
                    },
                    _ => Self::Unit(unit),
                }
            }
            Taken::Visit(visit) => {
                let events: Vec<&Event> = visit.events.iter().collect();
                Self::Unit(Unit {
                    over: visit.over,
                    ..of_events(UnitKind::Visit, &events, partitions)
                })
            }
        }
    }
}

/// A unit of events of one workspace.
fn of_events(kind: UnitKind, events: &[&Event], partitions: i32) -> Unit {
    let first = events.first();
    let workspace_no = first.map_or(WorkspaceNo::NONE, |event| event.workspace_no);
    let key = first.map_or_else(String::new, |event| event.key());
    let events = events.iter().filter_map(|event| {
        Some(Payload {
            event_id: event.event_id,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            // Events made of these types are always JSON.
            bytes: event.to_bytes().ok()?,
        })
    });
    Unit {
        kind,
        workspace_no,
        partition: partition(key.as_bytes(), partitions),
        key,
        events: events.collect(),
        over: 0,
    }
}

fn of_record(record: TakenRecord, partitions: i32) -> Unit {
    let TakenRecord {
        event_id,
        workspace_no,
        occurred_at,
        received_at,
        outgoing,
    } = record;
    Unit {
        kind: UnitKind::Record,
        workspace_no,
        partition: partition(outgoing.key.as_bytes(), partitions),
        key: outgoing.key,
        events: vec![Payload {
            event_id,
            occurred_at,
            received_at,
            bytes: outgoing.payload,
        }],
        over: 0,
    }
}

/// The partition that `murmur2_random`, the partitioner of all our producers, chooses for a key.
fn partition(key: &[u8], partitions: i32) -> i32 {
    let positive = (murmur2(key) & 0x7fff_ffff).cast_signed();
    positive.checked_rem(partitions).unwrap_or(0)
}

/// `MurmurHash2` as in Kafka's Java client.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const FACTOR: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (words, rest) = data.as_chunks::<4>();
    let mut hash = words.iter().fold(SEED ^ length, |hash, word| {
        let word = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        let word = (word ^ (word >> 24)).wrapping_mul(FACTOR);
        hash.wrapping_mul(FACTOR) ^ word
    });
    if !rest.is_empty() {
        let last = rest
            .iter()
            .rev()
            .fold(0, |last, byte| last << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(FACTOR);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hashed_as_kafkas_java_client_hashes_them() {
        // From the tests of that client.
        let cases: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
        for key in ["21", "abc", "foobar"] {
            assert!((0..4).contains(&partition(key.as_bytes(), 4)));
        }
    }
}
