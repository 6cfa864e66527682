//! `ListOffsets` and `OffsetForLeaderEpoch`: finds the bounds of partitions, and offsets by time.

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
        OffsetForLeaderEpochResponse,
        list_offsets_request::ListOffsetsPartition,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult},
    },
};

use super::{Node, errors};
use crate::store::{Partition, RecordPosition};

/// Special times that stand for a position.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
/// The record with the largest timestamp, and the first version that knows this value.
const NEWEST: (i64, i16) = (-3, 7);
/// The first offset on the broker's own disk rather than a remote tier.
const EARLIEST_LOCAL: (i64, i16) = (-4, 8);
/// The last offset of a remote tier. This broker has no remote tier.
const LATEST_TIERED: (i64, i16) = (-5, 9);

/// No offset, no time, no epoch.
const NONE: i64 = -1;
const NO_EPOCH: i32 = -1;

/// Finds offsets by time.
pub(crate) async fn serve(
    node: &Node,
    request: ListOffsetsRequest,
    version: i16,
) -> ListOffsetsResponse {
    let mut topics = Vec::new();
    for asked in request.topics {
        let known = node.store.topics();
        let topic = known.named(asked.name.as_str());
        let mut partitions = Vec::new();
        for wanted in asked.partitions {
            let partition = topic.and_then(|topic| topic.partition(wanted.partition_index));
            let found = match partition {
                Some(partition) => find(node, partition, &wanted, version).await,
                None => Err(Error::UnknownTopicOrPartition),
            };
            partitions.push(describe(wanted.partition_index, found, version));
        }
        let topic = ListOffsetsTopicResponse::default().with_name(asked.name);
        topics.push(topic.with_partitions(partitions));
    }
    ListOffsetsResponse::default().with_topics(topics)
}

async fn find(
    node: &Node,
    partition: &Partition,
    wanted: &ListOffsetsPartition,
    version: i16,
) -> Result<Option<RecordPosition>, Error> {
    check_epoch(partition, wanted.current_leader_epoch)?;
    let at = |offset: i64| RecordPosition {
        offset,
        timestamp_ms: NONE,
        leader_epoch: epoch_of(partition),
    };
    let offered = |(time, since): (i64, i16)| wanted.timestamp == time && version >= since;
    if wanted.timestamp == LATEST {
        return Ok(Some(at(partition.end())));
    }
    if wanted.timestamp == EARLIEST || offered(EARLIEST_LOCAL) {
        return Ok(Some(at(partition.start())));
    }
    if offered(LATEST_TIERED) {
        return Ok(None);
    }
    let found = if offered(NEWEST) {
        node.store.max_timestamp(partition).await
    } else if wanted.timestamp < 0 {
        // A special time that this broker, or this version of the request, does not know.
        return Err(Error::UnsupportedVersion);
    } else {
        let time = wanted.timestamp;
        node.store.offset_for_time(partition, time).await
    };
    found.map_err(|error| errors::of_store(&error))
}

/// The epoch of a partition's records; none if it is empty.
fn epoch_of(partition: &Partition) -> i32 {
    if partition.start() < partition.end() {
        partition.leader_epoch()
    } else {
        NO_EPOCH
    }
}

/// Checks the epoch that a client knows against the partition's. A negative epoch means that it knows none.
pub(super) fn check_epoch(partition: &Partition, known: i32) -> Result<(), Error> {
    match known.cmp(&partition.leader_epoch()) {
        _ if known < 0 => Ok(()),
        std::cmp::Ordering::Less => Err(Error::FencedLeaderEpoch),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Error::UnknownLeaderEpoch),
    }
}

fn describe(
    index: i32,
    found: Result<Option<RecordPosition>, Error>,
    version: i16,
) -> ListOffsetsPartitionResponse {
    /// From this version on a response includes the epoch.
    const WITH_EPOCH: i16 = 4;
    let error = super::code(&found);
    let nowhere = RecordPosition {
        offset: NONE,
        timestamp_ms: NONE,
        leader_epoch: NO_EPOCH,
    };
    let position = found.ok().flatten().unwrap_or(nowhere);
    let response = ListOffsetsPartitionResponse::default()
        .with_partition_index(index)
        .with_error_code(error)
        .with_timestamp(position.timestamp_ms)
        .with_offset(position.offset);
    if version < WITH_EPOCH {
        return response;
    }
    response.with_leader_epoch(position.leader_epoch)
}

/// Finds the end of an epoch. The only epoch ends at the end of the partition. For any other epoch the response says
/// that its records were never here.
pub(crate) fn serve_epochs(
    node: &Node,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let known = node.store.topics();
    let topics = request.topics.into_iter().map(|asked| {
        let topic = known.named(asked.topic.as_str());
        let partitions = asked.partitions.iter().map(|wanted| {
            let partition = topic.and_then(|topic| topic.partition(wanted.partition));
            let end = match partition {
                Some(partition) => check_epoch(partition, wanted.current_leader_epoch)
                    .map(|()| epoch_end(partition, wanted.leader_epoch)),
                None => Err(Error::UnknownTopicOrPartition),
            };
            let error = super::code(&end);
            let (epoch, offset) = end.unwrap_or((NO_EPOCH, NONE));
            EpochEndOffset::default()
                .with_error_code(error)
                .with_partition(wanted.partition)
                .with_leader_epoch(epoch)
                .with_end_offset(offset)
        });
        OffsetForLeaderTopicResult::default()
            .with_partitions(partitions.collect())
            .with_topic(asked.topic)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

fn epoch_end(partition: &Partition, epoch: i32) -> (i32, i64) {
    if epoch == partition.leader_epoch() {
        (epoch, partition.end())
    } else {
        (NO_EPOCH, NONE)
    }
}
