//! Produce: appends records, and acknowledges them.
//!
//! The rules to keep: a response without an error means that the records are in the file. There is no `await` before
//! the append, so the requests of a connection reach the writer in order.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::{
    ResponseError as Error,
    messages::{
        ProduceRequest, ProduceResponse,
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
};

use super::{Node, errors, settings};
use crate::{
    batch,
    store::{Append, Appended, Topic},
};

/// Acknowledgements that a client may request: none, the leader's, or those of all replicas. Here the last two are the
/// same.
const ACKS: std::ops::RangeInclusive<i16> = -1..=1;
/// From this version on requests name topics by id.
const BY_ID: i16 = 13;

/// Appends the records of a request.
pub(crate) async fn serve(node: &Node, request: ProduceRequest, version: i16) -> ProduceResponse {
    let refusal = if request.transactional_id.is_some() {
        Some(Error::TransactionalIdAuthorizationFailed)
    } else if ACKS.contains(&request.acks) {
        None
    } else {
        Some(Error::InvalidRequiredAcks)
    };
    let known = node.store.topics();
    let mut appends = Vec::new();
    let mut topics = Vec::new();
    let mut left = batch::MAX_REQUEST_INFLATED_BYTES;
    for data in request.topic_data {
        let topic = if version >= BY_ID {
            known.with_id(data.topic_id).ok_or(Error::UnknownTopicId)
        } else {
            let named = known.named(data.name.as_str());
            named.ok_or(Error::UnknownTopicOrPartition)
        };
        let mut partitions = Vec::new();
        for partition in data.partition_data {
            let append = match refusal {
                Some(error) => Err(error),
                None => topic.and_then(|topic| {
                    check(node, topic, partition.index, partition.records, &mut left)
                }),
            };
            // Remember the position of this append among the outcomes.
            let place = append.map(|append| {
                let start = append.partition.start();
                appends.push(append);
                (appends.len() - 1, start)
            });
            partitions.push((partition.index, place));
        }
        topics.push((data.name, data.topic_id, partitions));
    }
    let outcomes = if appends.is_empty() {
        Vec::new()
    } else {
        node.store.append(appends).await
    };
    let responses = topics.into_iter().map(|(name, id, partitions)| {
        let partitions = partitions.into_iter().map(|(index, place)| {
            let (outcome, start) = match place {
                Ok((place, start)) => (
                    match outcomes.get(place) {
                        Some(Ok(appended)) => Ok(appended),
                        Some(Err(error)) => Err(errors::of_append(*error)),
                        None => Err(Error::UnknownServerError),
                    },
                    start,
                ),
                Err(error) => (Err(error), -1),
            };
            describe(index, outcome, start)
        });
        TopicProduceResponse::default()
            .with_name(name)
            .with_topic_id(id)
            .with_partition_responses(partitions.collect())
    });
    ProduceResponse::default().with_responses(responses.collect())
}

/// Checks the records for a partition. Returns an append, or an error if the partition does not exist or a batch is
/// invalid.
fn check(
    node: &Node,
    topic: &Topic,
    index: i32,
    records: Option<Bytes>,
    left: &mut usize,
) -> Result<Append, Error> {
    let partition = topic.partition(index);
    let partition = Arc::clone(partition.ok_or(Error::UnknownTopicOrPartition)?);
    let limits = batch::Limits {
        max_batch_bytes: settings::max_message_bytes(&topic.configs)
            .min(node.batch_limits.max_batch_bytes),
        ..node.batch_limits
    };
    let batches = batch::check(records.unwrap_or_default(), &limits, left);
    let batches = batches.map_err(|error| errors::of_batch(&error))?;
    Ok(Append { partition, batches })
}

fn describe(index: i32, outcome: Result<&Appended, Error>, start: i64) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default()
        .with_index(index)
        // Also with an error: without it, a Java producer that the log has forgotten never starts its next epoch, and
        // repeats the request until it times out.
        .with_log_start_offset(start)
        // Records keep their producer's timestamps.
        .with_log_append_time_ms(-1);
    match outcome {
        Ok(appended) => response.with_base_offset(appended.base_offset),
        Err(error) => response.with_error_code(error.code()).with_base_offset(-1),
    }
}

/// Whether all partitions accepted their records.
pub(super) fn is_success(response: &ProduceResponse) -> bool {
    let topics = response.responses.iter();
    let mut partitions = topics.flat_map(|topic| &topic.partition_responses);
    partitions.all(|partition| partition.error_code == 0)
}
