//! A log for one system: an embedded log of its own, or topics created again on a given cluster.

use footfall_log::{Broker, Credentials, Options};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::Headers,
};
use runtime::{Clock, IdSource, SystemClock, SystemIds, kafka::KafkaSettings, topics};
use schemas::topics::{DEAD_LETTERS, DIRECTORY, EVENTS, EVENTS_PARTITIONS_EMBEDDED};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

const TIMEOUT: Duration = Duration::from_secs(20);
const USERNAME: &str = "tests";
const PASSWORD: &str = "a password for tests";

/// Systems on a given cluster take turns, because they share its topics.
static GIVEN_CLUSTER: std::sync::LazyLock<Arc<Mutex<()>>> = std::sync::LazyLock::new(Arc::default);

/// The log of a system.
pub struct TestLog {
    broker: Option<Broker>,
    kafka: KafkaSettings,
    folder: PathBuf,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// A record of the log.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key.
    pub key: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
}

/// True if the tests run against a given cluster.
#[must_use]
pub fn is_given() -> bool {
    std::env::var("KAFKA_BROKERS").is_ok_and(|brokers| !brokers.is_empty())
}

impl TestLog {
    /// A fresh, empty log with its topics.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn start() -> Self {
        let log = Self::bare().await;
        log.make_topics().await;
        log
    }

    /// A log without topics.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn bare() -> Self {
        let folder = std::env::temp_dir().join(format!(
            "footfall-log-{}",
            SystemIds.uuid_v7(SystemClock.now())
        ));
        if is_given() {
            let turn = Arc::clone(&GIVEN_CLUSTER).lock_owned().await;
            let brokers = std::env::var("KAFKA_BROKERS").unwrap_or_default();
            delete_topics(&brokers).await;
            Self {
                broker: None,
                kafka: KafkaSettings::new(brokers),
                folder,
                _turn: Some(turn),
            }
        } else {
            let broker = start(&folder, None).await;
            let kafka = KafkaSettings::with_login(broker.bootstrap_servers(), USERNAME, PASSWORD);
            Self {
                broker: Some(broker),
                kafka,
                folder,
                _turn: None,
            }
        }
    }

    /// Makes the missing topics.
    ///
    /// # Panics
    /// If the broker refuses.
    pub async fn make_topics(&self) {
        let ids = SystemIds;
        topics::ensure(
            &self.kafka(),
            EVENTS_PARTITIONS_EMBEDDED,
            &ids,
            crate::noon(),
        )
        .await
        .unwrap();
    }

    /// The same log for a further system. That system must end before this one, which removes the log.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self {
            broker: None,
            kafka: self.kafka.clone(),
            folder: self.folder.clone(),
            _turn: None,
        }
    }

    /// The bootstrap servers.
    #[must_use]
    pub fn brokers(&self) -> &str {
        self.kafka.brokers()
    }

    /// Settings of a program that uses this log.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        self.kafka.variables().into_iter().collect()
    }

    /// Its folder, for tests that change its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Settings for a client of this log.
    #[must_use]
    pub fn kafka(&self) -> KafkaSettings {
        self.kafka.clone()
    }

    /// Stops the embedded log, to make it unavailable. Does nothing on a given cluster.
    pub async fn stop(&mut self) {
        if let Some(broker) = self.broker.take() {
            broker.stop().await;
        }
    }

    /// Starts the embedded log again at the same address, with the current content of its folder.
    ///
    /// # Panics
    /// If it cannot be started.
    pub async fn start_again(&mut self) {
        let port = self
            .brokers()
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        self.broker = Some(start(&self.folder, port).await);
    }

    /// Removes the log and begins a new one. On a given cluster, it creates the topics again.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn replace(&mut self) {
        if is_given() {
            delete_topics(self.brokers()).await;
        } else {
            self.stop().await;
            std::fs::remove_dir_all(&self.folder).unwrap();
            self.start_again().await;
        }
        self.make_topics().await;
    }

    /// Every record of a topic, by partition and offset.
    ///
    /// # Panics
    /// If the broker does not answer.
    pub async fn read(&self, topic: &'static str) -> Vec<Stored> {
        let kafka = self.kafka();
        tokio::task::spawn_blocking(move || read_all(&kafka, topic))
            .await
            .unwrap()
    }

    /// The next offset of each partition of events.
    ///
    /// # Panics
    /// If the broker does not answer.
    pub async fn ends(&self) -> Vec<(i32, i64)> {
        let kafka = self.kafka();
        tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = kafka.consumer("footfall-tests").create().unwrap();
            (0..EVENTS_PARTITIONS_EMBEDDED)
                .map(|partition| {
                    (
                        partition,
                        consumer
                            .fetch_watermarks(EVENTS, partition, TIMEOUT)
                            .unwrap()
                            .1,
                    )
                })
                .collect()
        })
        .await
        .unwrap()
    }

    /// Stops the log and removes its folder.
    pub async fn finish(mut self) {
        self.stop().await;
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn start(folder: &Path, port: Option<u16>) -> Broker {
    let mut options = Options::new(Credentials {
        username: USERNAME.to_owned(),
        password: PASSWORD.to_owned(),
    });
    options.port = port;
    options.protected_topics = [EVENTS, DIRECTORY, DEAD_LETTERS].map(str::to_owned).into();
    Broker::start(folder, options).await.unwrap()
}

fn read_all(kafka: &KafkaSettings, topic: &str) -> Vec<Stored> {
    let consumer: BaseConsumer = kafka.consumer_with_ends("footfall-tests").create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).unwrap();
    let partitions = metadata
        .topics()
        .first()
        .map_or(0, |topic| topic.partitions().len());
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::try_from(partitions).unwrap() {
        list.add_partition_offset(topic, partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut records = Vec::new();
    let mut ended = 0;
    while ended < partitions {
        match consumer.poll(TIMEOUT) {
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Ok(message)) => records.push(Stored {
                partition: message.partition(),
                offset: message.offset(),
                key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
                payload: message.payload().unwrap_or_default().to_vec(),
                headers: message.headers().map(headers).unwrap_or_default(),
            }),
            Some(Err(error)) => panic!("reading {topic}: {error}"),
            None => panic!("reading {topic} took too long"),
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

fn headers(headers: &rdkafka::message::BorrowedHeaders) -> BTreeMap<String, String> {
    let text =
        |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    headers
        .iter()
        .map(|header| (header.key.to_owned(), text(header.value)))
        .collect()
}

async fn delete_topics(brokers: &str) {
    let admin: AdminClient<DefaultClientContext> =
        KafkaSettings::new(brokers).admin().create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let _ = admin
        .delete_topics(&[EVENTS, DIRECTORY, DEAD_LETTERS], &options)
        .await
        .unwrap();
    // The broker deletes topics after it acknowledges the deletion.
    let consumer: BaseConsumer = KafkaSettings::new(brokers)
        .consumer("footfall-tests")
        .create()
        .unwrap();
    loop {
        let metadata = consumer.fetch_metadata(None, TIMEOUT).unwrap();
        if !metadata
            .topics()
            .iter()
            .any(|topic| topic.name().starts_with("footfall."))
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
