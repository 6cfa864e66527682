//! Metadata: describes the topics, which are all on this node.
//!
//! The rule to keep: a metadata request never creates a topic, even if it allows that.

use std::collections::BTreeSet;

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        MetadataRequest, MetadataResponse, TopicName,
        metadata_request::MetadataRequestTopic,
        metadata_response::{
            MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
        },
    },
    protocol::StrBytes,
};

use super::{NODE_ID, Node, cluster, text, topics::is_valid_name};
use crate::store::Topic;

/// The first version that can report a topic without a name.
const NAMELESS: i16 = 12;

/// Describes the broker and the requested topics.
pub(crate) fn serve(node: &Node, request: MetadataRequest, version: i16) -> MetadataResponse {
    let operations = request.include_topic_authorized_operations;
    let known = node.store.topics();
    let topics = match request.topics {
        // In version 0 an empty list requests all topics.
        Some(asked) if version > 0 || !asked.is_empty() => {
            let mut seen = BTreeSet::new();
            let asked = asked.into_iter().filter(|topic| {
                // Answer each topic once, because a name of five bytes gets kilobytes in response.
                seen.insert((topic.name.clone(), topic.topic_id))
            });
            asked
                .map(|asked| find(node, &asked, version, operations))
                .collect()
        }
        _ => {
            let known = known.iter();
            known
                .map(|topic| describe(node, topic, operations))
                .collect()
        }
    };
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE_ID)
        .with_host(text(node.address.ip().to_string()))
        .with_port(node.address.port().into());
    let response = MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(&node.cluster_id)))
        .with_controller_id(NODE_ID)
        .with_topics(topics);
    if request.include_cluster_authorized_operations {
        response.with_cluster_authorized_operations(cluster::OPERATIONS)
    } else {
        response
    }
}

fn find(
    node: &Node,
    asked: &MetadataRequestTopic,
    version: i16,
    operations: bool,
) -> MetadataResponseTopic {
    let topics = node.store.topics();
    let found = match &asked.name {
        Some(name) => topics.named(name.as_str()),
        None => topics.with_id(asked.topic_id),
    };
    if let Some(topic) = found {
        return describe(node, topic, operations);
    }
    let error = match &asked.name {
        None => Error::UnknownTopicId,
        Some(name) if !is_valid_name(name.as_str()) => Error::InvalidTopicException,
        Some(_) => Error::UnknownTopicOrPartition,
    };
    let name = match &asked.name {
        None if version < NAMELESS => Some(TopicName::default()),
        name => name.clone(),
    };
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(name)
        .with_topic_id(asked.topic_id)
}

fn describe(node: &Node, topic: &Topic, operations: bool) -> MetadataResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| {
        MetadataResponsePartition::default()
            .with_partition_index(partition.index)
            .with_leader_id(NODE_ID)
            .with_leader_epoch(partition.leader_epoch())
            .with_replica_nodes(vec![NODE_ID])
            .with_isr_nodes(vec![NODE_ID])
    });
    let described = MetadataResponseTopic::default()
        .with_name(Some(name(topic)))
        .with_topic_id(topic.id)
        .with_partitions(partitions.collect());
    if operations {
        let allowed = cluster::topic_operations(node.protects(&topic.name));
        described.with_topic_authorized_operations(allowed)
    } else {
        described
    }
}

/// A topic's name as a protocol type.
fn name(topic: &Topic) -> TopicName {
    TopicName(StrBytes::from_string(topic.name.clone()))
}
