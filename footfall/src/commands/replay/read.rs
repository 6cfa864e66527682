//! Reads a topic partition by partition, up to the end that it had at the start.

use super::{
    Selection,
    belonging::Belonging,
    bound::{Bound, ceil_ms},
    record,
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::BorrowedMessage,
};
use runtime::kafka::{KafkaSettings, is_transient};
use schemas::topics::DIRECTORY;
use std::{
    io::Write,
    ops::Range,
    time::{Duration, Instant},
};

/// How long the log may stay silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a replay ends early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The topic does not exist.
    #[error("unknown topic {topic}; the topics are {known}")]
    NoTopic {
        /// The requested topic.
        topic: String,
        /// The existing topics.
        known: String,
    },
    /// The log does not answer.
    #[error("the log does not answer: {0}")]
    Kafka(#[from] KafkaError),
    /// The log stopped answering.
    #[error("the log did not answer for {} s", PATIENCE.as_secs())]
    Silent,
    /// The lines cannot be written.
    #[error("the lines cannot be written: {0}")]
    Write(#[from] std::io::Error),
    /// The files cannot be written.
    #[error("the files cannot be written: {0}")]
    Files(String),
}

/// Writes the selected records, partition after partition. Blocks.
///
/// # Errors
/// [`ReplayError`]; all lines written before it are complete.
pub fn write(
    kafka: &KafkaSettings,
    selection: &Selection,
    out: &mut impl Write,
) -> Result<(), ReplayError> {
    each(
        kafka,
        selection,
        |_, _| (),
        |record| Ok(record::write(record, out)?),
    )
}

/// Calls `take` for each selected record, and `passed` after each record with the number of records
/// read so far and in all. Blocks.
pub(super) fn each(
    kafka: &KafkaSettings,
    selection: &Selection,
    mut passed: impl FnMut(u64, u64),
    mut take: impl FnMut(&BorrowedMessage<'_>) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    let consumer: BaseConsumer = kafka.consumer_with_ends("footfall-replay").create()?;
    let partitions = partitions(&consumer, &selection.topic)?;
    // All ends first: records that are appended during the replay are not part of it.
    let mut ends = Vec::new();
    for partition in 0..partitions {
        let (low, high) = consumer.fetch_watermarks(&selection.topic, partition, PATIENCE)?;
        ends.push((partition, low, high));
    }
    let belonging = belonging(&consumer, selection, &ends)?;
    let mut places = Vec::new();
    for (partition, low, high) in ends {
        let from = match selection.from {
            None => low,
            Some(Bound::Offset(offset)) => offset.max(low),
            Some(Bound::Time(time)) => {
                let time_ms = ceil_ms(time);
                offset_of(&consumer, &selection.topic, partition, time_ms)?.unwrap_or(high)
            }
        };
        let to = match selection.to {
            Some(Bound::Offset(offset)) => offset.min(high),
            // Times need not grow with offsets if several programs append, so an end by time reads
            // all records.
            Some(Bound::Time(_)) | None => high,
        };
        places.push(Place {
            topic: &selection.topic,
            partition,
            offsets: from..to,
        });
    }
    let offsets: u64 = places.iter().map(Place::len).sum();
    let mut before = 0;
    for place in places {
        place.read(&consumer, |message| {
            if selection.wants(message, &belonging) {
                take(message)?;
            }
            let within = message.offset() + 1 - place.offsets.start;
            passed(before + within.unsigned_abs(), offsets);
            Ok(())
        })?;
        before += place.len();
    }
    Ok(())
}

/// Learns to recognise the workspace's records that do not name it: a link's entry has only its
/// number, and a tombstone has no payload. Reads the whole topic even if only a part is printed,
/// because the record with the number may be anywhere.
fn belonging(
    consumer: &BaseConsumer,
    selection: &Selection,
    ends: &[(i32, i64, i64)],
) -> Result<Belonging, ReplayError> {
    let mut belonging = Belonging::default();
    let Some(workspace) = selection.workspace.filter(|_| selection.topic == DIRECTORY) else {
        return Ok(belonging);
    };
    // Numbers first, because the workspace's entry may have been published again after its links.
    for learn in [Belonging::learn_numbers, Belonging::learn_keys] {
        for (partition, low, high) in ends {
            let place = Place {
                topic: &selection.topic,
                partition: *partition,
                offsets: *low..*high,
            };
            place.read(consumer, |message| {
                learn(&mut belonging, workspace, message.key(), message.payload());
                Ok(())
            })?;
        }
    }
    Ok(belonging)
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<i32, ReplayError> {
    let metadata = consumer.fetch_metadata(None, PATIENCE)?;
    let mut known = Vec::new();
    for found in metadata.topics() {
        if found.name() == topic && !found.partitions().is_empty() {
            return Ok(i32::try_from(found.partitions().len()).unwrap_or(i32::MAX));
        }
        known.push(found.name());
    }
    known.sort_unstable();
    Err(ReplayError::NoTopic {
        topic: topic.to_owned(),
        known: known.join(", "),
    })
}

/// The first offset of a record of that millisecond or later, if there is one.
fn offset_of(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    time_ms: i64,
) -> Result<Option<i64>, ReplayError> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition_offset(topic, partition, Offset::Offset(time_ms.max(0)))?;
    let found = consumer.offsets_for_times(asked, PATIENCE)?;
    let found = found.find_partition(topic, partition);
    Ok(match found.map(|found| found.offset()) {
        Some(Offset::Offset(offset)) => Some(offset),
        _ => None,
    })
}

/// A part of a partition.
struct Place<'a> {
    topic: &'a str,
    partition: i32,
    offsets: Range<i64>,
}

impl Place<'_> {
    /// How many offsets it has.
    fn len(&self) -> u64 {
        u64::try_from(self.offsets.end - self.offsets.start).unwrap_or_default()
    }

    /// Calls `take` for each record, in order.
    fn read(
        &self,
        consumer: &BaseConsumer,
        mut take: impl FnMut(&BorrowedMessage<'_>) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        if self.offsets.is_empty() {
            return Ok(());
        }
        let mut assigned = TopicPartitionList::new();
        let first = Offset::Offset(self.offsets.start);
        assigned.add_partition_offset(self.topic, self.partition, first)?;
        consumer.assign(&assigned)?;
        let mut heard = Instant::now();
        while heard.elapsed() < PATIENCE {
            match consumer.poll(Duration::from_secs(1)) {
                None => continue,
                Some(Err(error)) if is_transient(&error) => continue,
                // A compacted topic may end before its last offset.
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
                Some(Err(error)) => return Err(error.into()),
                // Fetched before this partition was assigned.
                Some(Ok(message)) if message.partition() != self.partition => continue,
                Some(Ok(message)) => {
                    let offset = message.offset();
                    if offset < self.offsets.end {
                        take(&message)?;
                    }
                    if offset + 1 >= self.offsets.end {
                        return Ok(());
                    }
                }
            }
            heard = Instant::now();
        }
        Err(ReplayError::Silent)
    }
}
