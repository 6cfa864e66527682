//! `CreateTopics` and `DeleteTopics`: creates and deletes topics.
//!
//! The rule to keep: a deletion removes exactly the named topic, and never a protected one.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
        TopicName,
        create_topics_request::CreatableTopic,
        create_topics_response::{CreatableTopicConfigs, CreatableTopicResult},
        delete_topics_response::DeletableTopicResult,
    },
};
use tracing::info;
use uuid::Uuid;

use super::{
    NODE_ID, Node, errors,
    settings::{self, SETTINGS},
    text,
};
use crate::store::Topics;

/// Maximum length of a topic's name, the same as Kafka's.
const MAX_NAME: usize = 249;
/// Maximum partitions of one topic. Each has its own table in the file.
const MAX_PARTITIONS: i32 = 1_000;
/// Maximum partitions of all topics.
const MAX_ALL_PARTITIONS: usize = 10_000;
/// The number with which a client leaves the choice to the broker.
const BROKERS_CHOICE: i32 = -1;
/// The message of refusals for protected topics.
pub(super) const PROTECTED: &str =
    "the embedded log protects this topic: it, its settings and its records cannot be changed";

/// A refusal with a message for the client.
type Refusal = (Error, String);

/// Creates topics, or only checks whether that is possible.
pub(crate) async fn create(
    node: &Node,
    request: CreateTopicsRequest,
    version: i16,
) -> CreateTopicsResponse {
    let mut names = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for topic in &request.topics {
        if !names.insert(topic.name.clone()) {
            twice.insert(topic.name.clone());
        }
    }
    let mut results = Vec::new();
    for topic in request.topics {
        if !names.remove(&topic.name) {
            // Already answered.
            continue;
        }
        let created = if twice.contains(&topic.name) {
            let message = "the request names this topic more than once".to_owned();
            Err((Error::InvalidRequest, message))
        } else {
            create_one(node, &topic, request.validate_only).await
        };
        results.push(describe(topic.name, created, version));
    }
    CreateTopicsResponse::default().with_topics(results)
}

/// A topic that was created or could be.
struct Created {
    id: Uuid,
    partitions: i32,
    configs: BTreeMap<String, String>,
}

async fn create_one(
    node: &Node,
    topic: &CreatableTopic,
    validate_only: bool,
) -> Result<Created, Refusal> {
    let known = node.store.topics();
    check_name(&known, topic.name.as_str())?;
    let partitions = check_partitions(&known, topic)?;
    let configs = check_configs(topic)?;
    let mut id = Uuid::nil();
    if !validate_only {
        let made = node
            .store
            .create_topic(topic.name.as_str(), partitions, configs.clone())
            .await
            .map_err(|error| (errors::of_store(&error), error.to_string()))?;
        id = made.id;
        info!(
            kafka.topic = topic.name.as_str(),
            "topic {} was created with {partitions} partitions",
            topic.name.as_str()
        );
    }
    Ok(Created {
        id,
        partitions,
        configs,
    })
}

fn check_name(known: &Topics, name: &str) -> Result<(), Refusal> {
    if !is_valid_name(name) {
        let message =
            "a topic name must have 1 to 249 letters, digits, dots, underscores and hyphens";
        return Err((Error::InvalidTopicException, message.to_owned()));
    }
    if known.named(name).is_some() {
        let message = format!("topic {name} already exists");
        return Err((Error::TopicAlreadyExists, message));
    }
    // Kafka's metrics replace dots by underscores, so Kafka refuses a name that differs from another only in these.
    let plain = |name: &str| name.replace('.', "_");
    let mut others = known.iter();
    if let Some(other) = others.find(|other| plain(&other.name) == plain(name)) {
        let message = format!("topic {name} collides with topic {}", other.name);
        return Err((Error::InvalidTopicException, message));
    }
    Ok(())
}

/// Whether the request has an id.
pub(super) fn is_given(id: Uuid) -> bool {
    !id.is_nil()
}

/// Whether Kafka allows this topic name.
pub(super) fn is_valid_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name != "."
        && name != ".."
        && name.bytes().all(allowed)
}

fn check_partitions(known: &Topics, topic: &CreatableTopic) -> Result<i32, Refusal> {
    let refuse = |error: Error, message: &str| Err((error, message.to_owned()));
    let partitions = if topic.assignments.is_empty() {
        if topic.replication_factor != 1 && topic.replication_factor != -1 {
            return refuse(
                Error::InvalidReplicationFactor,
                "the replication factor must be 1, because there is one broker",
            );
        }
        match topic.num_partitions {
            BROKERS_CHOICE => 1,
            partitions => partitions,
        }
    } else {
        if topic.num_partitions != BROKERS_CHOICE || topic.replication_factor != -1 {
            return refuse(
                Error::InvalidRequest,
                "give either assignments or the numbers of partitions and replicas",
            );
        }
        let mut indexes: Vec<i32> = topic
            .assignments
            .iter()
            .map(|assignment| assignment.partition_index)
            .collect();
        indexes.sort_unstable();
        let complete = (0..).zip(&indexes).all(|(place, index)| place == *index);
        let mut assignments = topic.assignments.iter();
        if !complete || !assignments.all(|assignment| assignment.broker_ids == [NODE_ID]) {
            return refuse(
                Error::InvalidReplicaAssignment,
                "partitions must be numbered from 0 without gaps, each with broker 1 as its only replica",
            );
        }
        i32::try_from(indexes.len()).unwrap_or(i32::MAX)
    };
    if !(1..=MAX_PARTITIONS).contains(&partitions) {
        return refuse(
            Error::InvalidPartitions,
            "a topic must have 1 to 1,000 partitions",
        );
    }
    let others: usize = known.iter().map(|topic| topic.partitions.len()).sum();
    if others + usize::try_from(partitions).unwrap_or(usize::MAX) > MAX_ALL_PARTITIONS {
        return refuse(
            Error::PolicyViolation,
            "all topics together may have at most 10,000 partitions",
        );
    }
    Ok(partitions)
}

fn check_configs(topic: &CreatableTopic) -> Result<BTreeMap<String, String>, Refusal> {
    let mut configs = BTreeMap::new();
    for config in &topic.configs {
        let value = config.value.as_deref();
        if let Some(problem) = settings::problem(config.name.as_str(), value) {
            return Err((Error::InvalidConfig, problem));
        }
        let value = value.unwrap_or_default().to_owned();
        configs.insert(config.name.to_string(), value);
    }
    Ok(configs)
}

fn describe(
    name: TopicName,
    created: Result<Created, Refusal>,
    version: i16,
) -> CreatableTopicResult {
    /// From this version on a response describes the created topic.
    const DETAILED: i16 = 5;
    let result = CreatableTopicResult::default().with_name(name);
    let created = match created {
        Ok(created) => created,
        Err((error, message)) => {
            return result
                .with_error_code(error.code())
                .with_error_message(Some(text(message)));
        }
    };
    if version < DETAILED {
        return result;
    }
    let configs = SETTINGS.iter().map(|setting| {
        let given = created.configs.get(setting.name);
        let value = given.map_or(setting.default, String::as_str);
        CreatableTopicConfigs::default()
            .with_name(text(setting.name))
            .with_value(Some(text(value)))
            .with_read_only(true)
            .with_config_source(if given.is_some() { 1 } else { 5 })
    });
    result
        .with_topic_id(created.id)
        .with_num_partitions(created.partitions)
        .with_replication_factor(1)
        .with_configs(Some(configs.collect()))
}

/// Deletes topics, each independently.
pub(crate) async fn delete(
    node: &Node,
    request: DeleteTopicsRequest,
    version: i16,
) -> DeleteTopicsResponse {
    /// From this version on requests may name topics by id.
    const BY_STATE: i16 = 6;
    let asked: Vec<(Option<TopicName>, Uuid)> = if version >= BY_STATE {
        let topics = request.topics.into_iter();
        topics.map(|topic| (topic.name, topic.topic_id)).collect()
    } else {
        let names = request.topic_names.into_iter();
        names.map(|name| (Some(name), Uuid::nil())).collect()
    };
    let mut results = Vec::new();
    for (name, id) in asked {
        let outcome = delete_one(node, name.as_ref(), id).await;
        let mut result = DeletableTopicResult::default();
        let known = match &outcome {
            Ok((name, id)) => (Some(TopicName(text(name))), *id),
            Err(_) => (name, id),
        };
        result = result.with_name(known.0).with_topic_id(known.1);
        if let Err((error, message)) = outcome {
            result = result
                .with_error_code(error.code())
                .with_error_message(Some(text(message)));
        }
        results.push(result);
    }
    DeleteTopicsResponse::default().with_responses(results)
}

async fn delete_one(
    node: &Node,
    name: Option<&TopicName>,
    id: Uuid,
) -> Result<(String, Uuid), Refusal> {
    let known = node.store.topics();
    let topic = match name {
        Some(_) if is_given(id) => {
            let message = "give either the name or the id of a topic, not both".to_owned();
            return Err((Error::InvalidRequest, message));
        }
        Some(name) => {
            let error = Error::UnknownTopicOrPartition;
            known.named(name.as_str()).ok_or(error)
        }
        None => known.with_id(id).ok_or(Error::UnknownTopicId),
    };
    let topic = topic.map_err(|error| (error, "the topic does not exist".to_owned()))?;
    if node.protects(&topic.name) {
        return Err((Error::TopicAuthorizationFailed, PROTECTED.to_owned()));
    }
    let deleted = node.store.delete_topic(&topic.name).await;
    deleted.map_err(|error| (errors::of_store(&error), error.to_string()))?;
    info!(kafka.topic = %topic.name, "topic {} was deleted", topic.name);
    Ok((topic.name.clone(), topic.id))
}
