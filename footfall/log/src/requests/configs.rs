//! `DescribeConfigs`: shows the settings of topics and of the broker. Clients cannot change them.

use std::collections::BTreeSet;

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        DescribeConfigsRequest, DescribeConfigsResponse,
        describe_configs_request::DescribeConfigsResource,
        describe_configs_response::{
            DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
        },
    },
};

use super::{
    NODE_ID, Node,
    settings::{SETTINGS, default_of},
    text,
};
use crate::store::{CLEANUP_POLICY, Topic};

/// Kafka's numbers of resource types with settings.
pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
/// Kafka's numbers of the source of a value.
const OF_TOPIC: i8 = 1;
const OF_BROKER: i8 = 4;
const DEFAULT: i8 = 5;
/// Kafka's number of the type text.
const TEXT: i8 = 2;

/// One setting and its value.
struct Entry {
    name: String,
    value: String,
    source: i8,
    kind: i8,
    default: Option<&'static str>,
}

/// Returns the requested settings.
pub(crate) fn serve(node: &Node, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let synonyms = request.include_synonyms;
    let mut seen = BTreeSet::new();
    let resources = request.resources.into_iter().filter(|resource| {
        // Answer each resource once, because each response takes kilobytes.
        seen.insert((resource.resource_type, resource.resource_name.clone()))
    });
    let results = resources.map(|resource| {
        let (outcome, message) = match find(node, &resource) {
            Ok(entries) => (Ok(entries), None),
            Err((error, message)) => (Err(error), Some(text(message))),
        };
        let error = super::code(&outcome);
        let entries = outcome.unwrap_or_default().into_iter();
        let wanted = entries.filter(|entry| {
            let keys = resource.configuration_keys.as_ref();
            keys.is_none_or(|keys| keys.iter().any(|key| **key == *entry.name))
        });
        DescribeConfigsResult::default()
            .with_error_code(error)
            .with_error_message(message)
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone())
            .with_configs(wanted.map(|entry| describe(entry, synonyms)).collect())
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn find(
    node: &Node,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Entry>, (Error, &'static str)> {
    let name = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC => match node.store.topics().named(name) {
            Some(topic) => Ok(of_topic(topic)),
            None => Err((Error::UnknownTopicOrPartition, "the topic does not exist")),
        },
        // An empty name means the defaults of all brokers.
        BROKER if name.is_empty() || name == NODE_ID.0.to_string() => Ok(of_broker(node)),
        BROKER => Err((Error::InvalidRequest, "the broker does not exist")),
        _ => Err((
            Error::InvalidRequest,
            "only topics and the broker have settings",
        )),
    }
}

fn of_topic(topic: &Topic) -> Vec<Entry> {
    let entries = SETTINGS.iter().map(|setting| {
        let given = topic.configs.get(setting.name);
        Entry {
            name: setting.name.to_owned(),
            value: given.cloned().unwrap_or_else(|| setting.default.to_owned()),
            source: if given.is_some() { OF_TOPIC } else { DEFAULT },
            kind: setting.kind.number(),
            default: Some(setting.default),
        }
    });
    entries.collect()
}

fn of_broker(node: &Node) -> Vec<Entry> {
    let listener = format!("SASL_PLAINTEXT://{}", node.address);
    // In Kafka the broker's settings are the defaults of its topics.
    let of_topics = [
        ("log.cleanup.policy", CLEANUP_POLICY),
        ("log.message.timestamp.type", "message.timestamp.type"),
        ("log.retention.bytes", "retention.bytes"),
        ("log.retention.ms", "retention.ms"),
        ("message.max.bytes", "max.message.bytes"),
        ("min.insync.replicas", "min.insync.replicas"),
    ];
    let of_topics = of_topics.map(|(name, of_topic)| (name, default_of(of_topic).to_owned()));
    let values = [
        ("advertised.listeners", listener.clone()),
        ("auto.create.topics.enable", "false".to_owned()),
        ("broker.id", NODE_ID.0.to_string()),
        ("default.replication.factor", "1".to_owned()),
        ("delete.topic.enable", "true".to_owned()),
        ("listeners", listener),
        ("node.id", NODE_ID.0.to_string()),
        ("num.partitions", "1".to_owned()),
        ("sasl.enabled.mechanisms", "PLAIN".to_owned()),
    ];
    let entries = values
        .into_iter()
        .chain(of_topics)
        .map(|(name, value)| Entry {
            name: name.to_owned(),
            value,
            source: OF_BROKER,
            kind: TEXT,
            default: None,
        });
    entries.collect()
}

fn describe(entry: Entry, synonyms: bool) -> DescribeConfigsResourceResult {
    let synonym = |value: &str, source| {
        DescribeConfigsSynonym::default()
            .with_name(text(&entry.name))
            .with_value(Some(text(value)))
            .with_source(source)
    };
    let mut others = Vec::new();
    if synonyms {
        others.push(synonym(&entry.value, entry.source));
        if entry.source != DEFAULT
            && let Some(default) = entry.default
        {
            others.push(synonym(default, DEFAULT));
        }
    }
    DescribeConfigsResourceResult::default()
        .with_synonyms(others)
        .with_read_only(true)
        .with_config_source(entry.source)
        .with_config_type(entry.kind)
        .with_name(text(entry.name))
        .with_value(Some(text(entry.value)))
}
