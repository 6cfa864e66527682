//! Creates the topics, checks their settings, and gives the log that they hold its name.

use super::{
    KafkaSettings, blocking, is_transient,
    producer::{Producer, Record},
};
use crate::IdSource;
use jiff::Timestamp;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    types::RDKafkaErrorCode,
};
use schemas::{
    directory::{Entry, Log, SecretFingerprints},
    topics::{DIRECTORY, EVENTS, TopicSpec, specs},
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use thiserror::Error;
use tracing::{debug, warn};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before new topics are checked again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Why the topics cannot be used.
#[derive(Debug, Error)]
pub enum TopicError {
    /// The cluster did not answer, or refused.
    #[error("{said}")]
    Kafka {
        /// The client's error.
        error: KafkaError,
        /// Its text for people, with the cluster's address if it did not answer.
        said: String,
    },
    /// A topic does not exist.
    #[error("topic {0} does not exist; create it with `footfall topics`")]
    Missing(String),
    /// A topic has wrong settings.
    #[error("topic {topic}: {what}")]
    Wrong {
        /// The topic.
        topic: String,
        /// The actual and the required setting.
        what: String,
    },
    /// The name of the log could not be written.
    #[error("the name of the log could not be written: {0}")]
    Unwritten(String),
}

impl TopicError {
    /// For `map_err`: describes an error of this cluster's client.
    fn of(kafka: &KafkaSettings) -> impl Fn(KafkaError) -> Self {
        move |error| Self::Kafka {
            said: kafka.describe(&error),
            error,
        }
    }

    /// True for errors that are usual just after topics were created.
    fn passes(&self) -> bool {
        match self {
            Self::Kafka { error, .. } => is_transient(error),
            Self::Missing(_) => true,
            Self::Wrong { .. } | Self::Unwritten(_) => false,
        }
    }
}

/// The result of [`ensure`].
#[derive(Clone, Debug)]
pub struct Topics {
    /// The log's name and shape.
    pub log: Log,
    /// Names of the topics that were created.
    pub created: Vec<String>,
}

/// Creates the missing topics, checks all of them and gives the log its name.
///
/// # Errors
/// [`TopicError`] when the cluster refuses or a topic has wrong settings.
pub async fn ensure(
    kafka: &KafkaSettings,
    events_partitions: i32,
    ids: &dyn IdSource,
    now: Timestamp,
) -> Result<Topics, TopicError> {
    let created = create(kafka, events_partitions).await?;
    let begun = Instant::now();
    loop {
        match name(kafka, ids, now).await {
            Ok(log) => return Ok(Topics { log, created }),
            // A cluster reports a topic as created before every broker knows its leaders.
            Err(error) if error.passes() && begun.elapsed() < TIMEOUT => {
                debug!("the topics do not exist yet: {error}");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn name(
    kafka: &KafkaSettings,
    ids: &dyn IdSource,
    now: Timestamp,
) -> Result<Log, TopicError> {
    let log = match read_log(kafka).await? {
        Some(log) => log,
        None => write_log(kafka, ids, now).await?,
    };
    check(kafka, &log).await?;
    Ok(log)
}

/// Checks that the topics exist and have the right settings. Every service does this at its start.
///
/// # Errors
/// [`TopicError`] says what is wrong.
pub async fn ready(kafka: &KafkaSettings) -> Result<Log, TopicError> {
    let log = read_log(kafka)
        .await?
        .ok_or_else(|| TopicError::Missing(DIRECTORY.to_owned()))?;
    check(kafka, &log).await?;
    Ok(log)
}

async fn create(kafka: &KafkaSettings, events_partitions: i32) -> Result<Vec<String>, TopicError> {
    let (existing, brokers) = metadata(kafka).await?;
    let missing: Vec<TopicSpec> = specs(events_partitions)
        .into_iter()
        .filter(|spec| !existing.contains_key(spec.name))
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let admin = admin(kafka).map_err(TopicError::of(kafka))?;
    // Three replicas if there are three brokers; `footfall topics` runs once, before any traffic.
    let replicas = i32::try_from(brokers).unwrap_or(3).clamp(1, 3);
    let retentions: Vec<String> = missing
        .iter()
        .map(|spec| spec.retention_ms.unwrap_or(-1).to_string())
        .collect();
    let topics: Vec<NewTopic<'_>> = missing
        .iter()
        .zip(&retentions)
        .map(|(spec, retention)| {
            let topic = NewTopic::new(
                spec.name,
                spec.partitions,
                TopicReplication::Fixed(replicas),
            )
            .set("cleanup.policy", spec.cleanup_policy);
            // A compacted topic deletes nothing by age or size.
            if spec.retention_ms.is_some() {
                topic
                    .set("retention.ms", retention)
                    .set("retention.bytes", "-1")
            } else {
                topic
            }
        })
        .collect();
    let results = admin
        .create_topics(
            &topics,
            &AdminOptions::new().operation_timeout(Some(TIMEOUT)),
        )
        .await
        .map_err(TopicError::of(kafka))?;
    let mut created = Vec::new();
    for result in results {
        match result {
            Ok(name) => created.push(name),
            // Another program created it first.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                return Err(TopicError::Wrong {
                    topic: name,
                    what: format!("cannot be created: {code}"),
                });
            }
        }
    }
    Ok(created)
}

async fn check(kafka: &KafkaSettings, log: &Log) -> Result<(), TopicError> {
    let (existing, _) = metadata(kafka).await?;
    // The log's own entry has the partition count that the log was made with.
    let specs = specs(log.events_partitions);
    for spec in &specs {
        let partitions = existing
            .get(spec.name)
            .ok_or_else(|| TopicError::Missing(spec.name.to_owned()))?;
        if i32::try_from(*partitions) != Ok(spec.partitions) {
            let what = format!(
                "has {partitions} partitions, must have {}: a log keeps the partition count it was made with",
                spec.partitions
            );
            return Err(TopicError::Wrong {
                topic: spec.name.to_owned(),
                what,
            });
        }
    }
    let admin = admin(kafka).map_err(TopicError::of(kafka))?;
    let resources: Vec<ResourceSpecifier<'_>> = specs
        .iter()
        .map(|spec| ResourceSpecifier::Topic(spec.name))
        .collect();
    let answers = admin
        .describe_configs(
            &resources,
            &AdminOptions::new().request_timeout(Some(TIMEOUT)),
        )
        .await
        .map_err(TopicError::of(kafka))?;
    for (spec, answer) in specs.iter().zip(answers) {
        let resource = match answer {
            Ok(resource) => resource,
            // A user without the right DescribeConfigs can still read and write.
            Err(code) => {
                let topic = spec.name;
                warn!("the settings of topic {topic} were not checked: {code}");
                continue;
            }
        };
        let value = |name: &str| resource.get(name).and_then(|entry| entry.value.clone());
        let retention = spec.retention_ms.map(|ms| ms.to_string());
        let forever = spec.retention_ms.map(|_| "-1".to_owned());
        for (name, right) in [
            ("cleanup.policy", Some(spec.cleanup_policy.to_owned())),
            ("retention.ms", retention),
            ("retention.bytes", forever),
        ] {
            if let (Some(right), Some(is)) = (right, value(name))
                && is != right
            {
                let what = format!(
                    "has {name}={is}, must have {right}; the broker must not delete any part of the log"
                );
                return Err(TopicError::Wrong {
                    topic: spec.name.to_owned(),
                    what,
                });
            }
        }
    }
    Ok(())
}

/// Topics with their partition counts, and how many brokers there are.
async fn metadata(kafka: &KafkaSettings) -> Result<(HashMap<String, usize>, usize), TopicError> {
    let config = kafka.admin();
    let found = blocking(move || {
        let client: BaseConsumer = config.create()?;
        let metadata = client.fetch_metadata(None, TIMEOUT)?;
        let topics = metadata
            .topics()
            .iter()
            .filter(|topic| !topic.partitions().is_empty());
        let counts = topics
            .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
            .collect();
        Ok((counts, metadata.brokers().len()))
    });
    found.await.map_err(TopicError::of(kafka))
}

fn admin(kafka: &KafkaSettings) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
    kafka.admin().create()
}

async fn write_log(
    kafka: &KafkaSettings,
    ids: &dyn IdSource,
    now: Timestamp,
) -> Result<Log, TopicError> {
    let (existing, _) = metadata(kafka).await?;
    // An events topic from before may have another partition count than a new one.
    let partitions = existing.get(EVENTS).copied().unwrap_or_default();
    let log = Log {
        log_id: ids.uuid_v7(now),
        events_partitions: i32::try_from(partitions).unwrap_or_default(),
    };
    let entry = Entry::Log(log.clone());
    let payload =
        serde_json::to_vec(&entry).map_err(|error| TopicError::Unwritten(error.to_string()))?;
    let producer = Producer::new(kafka).map_err(TopicError::of(kafka))?;
    let record = Record {
        topic: DIRECTORY,
        key: &entry.key(),
        payload: &payload,
        headers: &[],
    };
    match producer.send(&[record]).await.pop() {
        Some(Ok(_)) => Ok(log),
        Some(Err(error)) => Err(TopicError::Unwritten(error.to_string())),
        None => Err(TopicError::Unwritten("no delivery report".to_owned())),
    }
}

/// The log's name and shape, as its directory has them; `None` while the directory has none.
///
/// # Errors
/// When the cluster does not answer.
pub async fn read_log(kafka: &KafkaSettings) -> Result<Option<Log>, TopicError> {
    scan_directory(kafka, log_of).await
}

/// The same, with a consumer that reports ends of partitions and has no other use. Blocks.
pub(super) fn read_log_by(consumer: &BaseConsumer) -> KafkaResult<Option<Log>> {
    let found = scan(consumer, log_of);
    consumer.unassign()?;
    found
}

fn log_of(entry: Option<Entry>) -> Option<Log> {
    match entry {
        Some(Entry::Log(log)) => Some(log),
        _ => None,
    }
}

/// The fingerprints of ingest's secrets; `None` if ingest was never started on this log.
///
/// # Errors
/// When the cluster does not answer.
pub async fn read_secrets(kafka: &KafkaSettings) -> Result<Option<SecretFingerprints>, TopicError> {
    let mut newest = None;
    let found = scan_directory(kafka, move |entry| match entry {
        Some(Entry::Secrets(found)) => {
            newest = Some(found);
            None
        }
        Some(_) => None,
        None => newest.take(),
    });
    found.await
}

/// Passes the directory's entries to `find` in their order, and `None` at its end, until it finds
/// something.
async fn scan_directory<T: Send + 'static>(
    kafka: &KafkaSettings,
    find: impl FnMut(Option<Entry>) -> Option<T> + Send + 'static,
) -> Result<Option<T>, TopicError> {
    let config: ClientConfig = kafka.consumer_with_ends("footfall-directory-scan");
    let found = blocking(move || scan(&config.create()?, find));
    found.await.map_err(TopicError::of(kafka))
}

fn scan<T>(
    consumer: &BaseConsumer,
    mut find: impl FnMut(Option<Entry>) -> Option<T>,
) -> KafkaResult<Option<T>> {
    let (low, high) = match consumer.fetch_watermarks(DIRECTORY, 0, TIMEOUT) {
        Ok(watermarks) => watermarks,
        Err(error) if is_unknown_topic(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    if low >= high {
        return Ok(None);
    }
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(DIRECTORY, 0, Offset::Offset(low))?;
    consumer.assign(&partitions)?;
    loop {
        match consumer.poll(TIMEOUT) {
            None => {
                return Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::OperationTimedOut,
                ));
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(find(None)),
            Some(Err(error)) => return Err(error),
            Some(Ok(message)) => {
                // A newer program may have written entries that this one does not know.
                let entry = serde_json::from_slice(message.payload().unwrap_or_default());
                if let Ok(entry) = entry
                    && let Some(found) = find(Some(entry))
                {
                    return Ok(Some(found));
                }
            }
        }
    }
}

fn is_unknown_topic(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::UnknownTopic
        )
    )
}
