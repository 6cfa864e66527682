//! `OffsetCommit`, `OffsetFetch` and `OffsetDelete`: the committed offsets of groups. They are as durable as records.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
        OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse, TopicName,
        offset_commit_request::OffsetCommitRequestPartition,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic},
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
    },
};
use tracing::warn;

use super::{Node, text};
use crate::{groups::MAX_NAME, store::CommittedOffset};

/// Maximum bytes of an offset's metadata; Kafka's default.
const MAX_METADATA: usize = 4_096;
/// The value for a partition without a committed offset.
const NOTHING: i64 = -1;
const NO_EPOCH: i32 = -1;

/// Stores offsets if the client may commit for the group.
pub(crate) async fn commit(node: &Node, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let group = request.group_id.as_str();
    let allowed = if group.len() > MAX_NAME {
        Err(Error::InvalidGroupId)
    } else {
        node.groups.check_commit(
            group,
            request.member_id.as_str(),
            request.group_instance_id.as_deref(),
            request.generation_id_or_member_epoch,
        )
    };
    let known = node.store.topics();
    let mut kept = Vec::new();
    let mut topics = Vec::new();
    for topic in &request.topics {
        let found = known.named(topic.name.as_str());
        let mut partitions = Vec::new();
        for partition in &topic.partitions {
            let exists = found.is_some_and(|topic| {
                let index = partition.partition_index;
                topic.partition(index).is_some()
            });
            let outcome = match allowed {
                Err(error) => Err(error),
                Ok(()) if !exists => Err(Error::UnknownTopicOrPartition),
                Ok(()) => read(&topic.name, partition),
            };
            partitions.push((partition.partition_index, outcome.as_ref().err().copied()));
            kept.extend(outcome);
        }
        topics.push((topic.name.clone(), partitions));
    }
    let written = if kept.is_empty() {
        Ok(())
    } else {
        node.store.commit_offsets(group, kept).await
    };
    let failure = written.err().map(|error| {
        warn!(%error, kafka.group = group, "offsets of group {group} could not be stored: {error}");
        // Consumers retry a commit after this error.
        Error::CoordinatorNotAvailable
    });
    let topics = topics.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, error)| {
            let error = error.or(failure);
            OffsetCommitResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(error.map_or(0, |error| error.code()))
        });
        OffsetCommitResponseTopic::default()
            .with_name(name)
            .with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn read(
    topic: &TopicName,
    partition: &OffsetCommitRequestPartition,
) -> Result<CommittedOffset, Error> {
    let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
    if metadata.len() > MAX_METADATA {
        return Err(Error::OffsetMetadataTooLarge);
    }
    Ok(CommittedOffset {
        topic: topic.to_string(),
        partition: partition.partition_index,
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition
            .committed_metadata
            .as_ref()
            .map(ToString::to_string),
    })
}

/// Deletes offsets of a group without members. With members it is refused, because they would start over at their next
/// start.
pub(crate) async fn delete(node: &Node, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let group = request.group_id.as_str();
    let known = node.store.groups().await;
    let refusal = match known {
        Ok(known) if known.iter().any(|name| name == group) => None,
        Ok(_) if node.groups.view(group).is_some() => None,
        Ok(_) => Some(Error::GroupIdNotFound),
        Err(_) => Some(Error::CoordinatorNotAvailable),
    };
    if let Some(error) = refusal {
        return OffsetDeleteResponse::default().with_error_code(error.code());
    }
    let in_use = !node.groups.is_empty(group);
    let topics = node.store.topics();
    let mut gone = Vec::new();
    let mut results = Vec::new();
    for topic in request.topics {
        let found = topics.named(topic.name.as_str());
        let mut partitions = Vec::new();
        for partition in topic.partitions {
            let index = partition.partition_index;
            let exists = found.is_some_and(|topic| topic.partition(index).is_some());
            let outcome = if !exists {
                Err(Error::UnknownTopicOrPartition)
            } else if in_use {
                Err(Error::GroupSubscribedToTopic)
            } else {
                gone.push((topic.name.to_string(), index));
                Ok(())
            };
            partitions.push(
                OffsetDeleteResponsePartition::default()
                    .with_partition_index(index)
                    .with_error_code(super::code(&outcome)),
            );
        }
        let result = OffsetDeleteResponseTopic::default().with_name(topic.name);
        results.push(result.with_partitions(partitions));
    }
    if let Err(error) = node.store.delete_offsets(group, gone).await {
        warn!(%error, kafka.group = group, "offsets of group {group} could not be deleted: {error}");
        return OffsetDeleteResponse::default()
            .with_error_code(Error::CoordinatorNotAvailable.code());
    }
    OffsetDeleteResponse::default().with_topics(results)
}

/// The committed offsets of a group, by topic and partition.
type Committed = BTreeMap<(String, i32), CommittedOffset>;

/// The requested partitions of a group; `None` for all with committed offsets.
type Wanted = Option<Vec<(TopicName, Vec<i32>)>>;

/// Returns committed offsets.
pub(crate) async fn fetch(
    node: &Node,
    request: OffsetFetchRequest,
    version: i16,
) -> OffsetFetchResponse {
    /// From this version on a request names several groups.
    const SEVERAL: i16 = 8;
    if version < SEVERAL {
        let wanted = request.topics.map(|topics| {
            let topics = topics.into_iter();
            topics
                .map(|topic| (topic.name, topic.partition_indexes))
                .collect()
        });
        let found = look_up(node, request.group_id.as_str(), wanted).await;
        return describe_one(found);
    }
    let mut groups = Vec::new();
    let mut seen = BTreeSet::new();
    for group in request.groups {
        if !seen.insert(group.group_id.clone()) {
            continue;
        }
        let wanted = group.topics.map(|topics| {
            let topics = topics.into_iter();
            topics
                .map(|topic| (topic.name, topic.partition_indexes))
                .collect()
        });
        let found = look_up(node, group.group_id.as_str(), wanted).await;
        groups.push(describe_group(group.group_id, found));
    }
    OffsetFetchResponse::default().with_groups(groups)
}

/// Offsets by topic, in the order of the request.
type Found = Vec<(TopicName, Vec<CommittedOffset>)>;

async fn look_up(node: &Node, group: &str, wanted: Wanted) -> Result<Found, Error> {
    let committed = match node.store.committed_offsets(group).await {
        Ok(committed) => committed,
        Err(error) => {
            warn!(%error, kafka.group = group, "offsets of group {group} could not be read: {error}");
            // All consumers retry after this error. Java's consumer fails after most other retriable ones.
            return Err(Error::NotCoordinator);
        }
    };
    let Some(wanted) = wanted else {
        let mut by_topic: BTreeMap<String, Vec<CommittedOffset>> = BTreeMap::new();
        for offset in committed {
            let topic = by_topic.entry(offset.topic.clone()).or_default();
            topic.push(offset);
        }
        let topics = by_topic.into_iter();
        return Ok(topics
            .map(|(topic, offsets)| (TopicName(text(topic)), offsets))
            .collect());
    };
    let committed: Committed = committed
        .into_iter()
        .map(|offset| ((offset.topic.clone(), offset.partition), offset))
        .collect();
    let found = wanted.into_iter().map(|(topic, partitions)| {
        let offsets = partitions.into_iter().map(|partition| {
            let place = (topic.to_string(), partition);
            let known = committed.get(&place).cloned();
            known.unwrap_or(CommittedOffset {
                topic: place.0,
                partition,
                offset: NOTHING,
                leader_epoch: NO_EPOCH,
                metadata: None,
            })
        });
        let offsets = offsets.collect();
        (topic, offsets)
    });
    Ok(found.collect())
}

/// The topics of a response. Requests for one group and for several have the same members under different types.
macro_rules! describe {
    ($found:expr, $topic:ident, $partition:ident) => {
        $found
            .unwrap_or_default()
            .into_iter()
            .map(|(name, offsets)| {
                let partitions = offsets.into_iter().map(|offset| {
                    $partition::default()
                        .with_partition_index(offset.partition)
                        .with_committed_offset(offset.offset)
                        .with_committed_leader_epoch(offset.leader_epoch)
                        .with_metadata(Some(text(offset.metadata.unwrap_or_default())))
                });
                $topic::default()
                    .with_name(name)
                    .with_partitions(partitions.collect())
            })
            .collect()
    };
}

fn describe_one(found: Result<Found, Error>) -> OffsetFetchResponse {
    OffsetFetchResponse::default()
        .with_error_code(super::code(&found))
        .with_topics(describe!(
            found,
            OffsetFetchResponseTopic,
            OffsetFetchResponsePartition
        ))
}

fn describe_group(group: GroupId, found: Result<Found, Error>) -> OffsetFetchResponseGroup {
    OffsetFetchResponseGroup::default()
        .with_group_id(group)
        .with_error_code(super::code(&found))
        .with_topics(describe!(
            found,
            OffsetFetchResponseTopics,
            OffsetFetchResponsePartitions
        ))
}
