//! Reading a topic from one end to where the other was at the start, partition by partition.

use super::{
    Selection,
    bound::{Bound, ceil_ms},
    record,
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use runtime::kafka::{KafkaSettings, is_transient};
use std::{
    io::Write,
    time::{Duration, Instant},
};

/// How long the log may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a replay ends early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such topic.
    #[error("there is no topic {topic}; there are: {known}")]
    NoTopic {
        /// The one asked for.
        topic: String,
        /// Those that are there.
        known: String,
    },
    /// The log does not answer.
    #[error("the log does not answer: {0}")]
    Kafka(#[from] KafkaError),
    /// The log stopped answering.
    #[error("the log said nothing for {} s", PATIENCE.as_secs())]
    Silent,
    /// The lines cannot be written.
    #[error("the lines cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

/// Writes the selected records, those of the first partition first. Blocks.
///
/// # Errors
/// [`ReplayError`]; what was written until then is whole lines.
pub fn write(
    kafka: &KafkaSettings,
    selection: &Selection,
    out: &mut impl Write,
) -> Result<(), ReplayError> {
    let consumer: BaseConsumer = kafka.consumer_with_ends("footfall-replay").create()?;
    let partitions = partitions(&consumer, &selection.topic)?;
    // All ends first: what is appended while the first partitions are read is not part of it.
    let mut ends = Vec::new();
    for partition in 0..partitions {
        let (low, high) = consumer.fetch_watermarks(&selection.topic, partition, PATIENCE)?;
        ends.push((partition, low, high));
    }
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
            // Times need not grow with offsets: where several programs append, they overlap.
            Some(Bound::Time(_)) | None => high,
        };
        if from < to {
            read(&consumer, selection, partition, from..to, out)?;
        }
    }
    Ok(())
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

fn read(
    consumer: &BaseConsumer,
    selection: &Selection,
    partition: i32,
    offsets: std::ops::Range<i64>,
    out: &mut impl Write,
) -> Result<(), ReplayError> {
    let mut assigned = TopicPartitionList::new();
    let first = Offset::Offset(offsets.start);
    assigned.add_partition_offset(&selection.topic, partition, first)?;
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
            Some(Ok(message)) if message.partition() != partition => continue,
            Some(Ok(message)) => {
                let offset = message.offset();
                if offset < offsets.end && selection.wants(&message) {
                    record::write(&message, out)?;
                }
                if offset + 1 >= offsets.end {
                    return Ok(());
                }
            }
        }
        heard = Instant::now();
    }
    Err(ReplayError::Silent)
}
