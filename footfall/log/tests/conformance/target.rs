//! The broker that all tests share, and its differences from Apache Kafka.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    producer::{FutureProducer, FutureRecord},
};
use tempfile::TempDir;

use crate::{
    access::{Access, Login},
    process::BrokerProcess,
};

/// The protected topic, which clients may not delete or reconfigure, on brokers with such topics.
pub const PROTECTED: &str = "protected.v1";
/// Longer than any step takes on a busy machine. Only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The broker under test.
pub struct Target {
    /// Its address and login.
    pub access: Access,
    /// Whether it is this crate's broker, which has no transactions and keeps every record, rather than Apache Kafka.
    pub ours: bool,
    files: TempDir,
    _broker: Option<BrokerProcess>,
}

/// Concurrent tests share one broker; the last one ends it.
static SHARED: Mutex<Weak<Target>> = Mutex::new(Weak::new());

impl Target {
    /// The shared broker. The first test starts it.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap();
        if let Some(target) = shared.upgrade() {
            return target;
        }
        let target = Arc::new(Self::start());
        *shared = Arc::downgrade(&target);
        target
    }

    fn start() -> Self {
        let files = tempfile::tempdir().unwrap();
        let given = std::env::var("KAFKA_BROKERS").unwrap_or_default();
        if !given.is_empty() {
            let access = Access {
                bootstrap: given,
                login: None,
            };
            return Self::with(access, files, None);
        }
        let login = Login {
            username: "footfall".to_owned(),
            password: "correct-horse-battery".to_owned(),
        };
        let credentials = files.path().join("credentials");
        let mut access = Access {
            bootstrap: String::new(),
            login: Some(login),
        };
        access.write_properties(&credentials);
        let folder = files.path().join("log");
        let options = ["--protect", PROTECTED];
        let broker = BrokerProcess::start(&folder, &credentials, &options, &[]).unwrap();
        access.bootstrap.clone_from(&broker.bootstrap);
        Self::with(access, files, Some(broker))
    }

    fn with(access: Access, files: TempDir, broker: Option<BrokerProcess>) -> Self {
        access.write_properties(&files.path().join("client.properties"));
        Self {
            access,
            ours: broker.is_some(),
            files,
            _broker: broker,
        }
    }

    /// A file with the settings of a client, for `kcat -F`.
    pub fn properties(&self) -> PathBuf {
        self.files.path().join("client.properties")
    }

    /// A folder for files of tests, removed with the broker.
    pub fn folder(&self) -> &Path {
        self.files.path()
    }

    /// Creates an admin client.
    pub fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.access.client().create().unwrap()
    }

    /// Creates a topic with this many partitions.
    pub async fn create_topic(&self, name: &str, partitions: i32) {
        // The records have old timestamps, so Apache Kafka would soon delete them.
        let topic =
            NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("retention.ms", "-1");
        let created = self.admin().create_topics([&topic], &options()).await;
        for result in created.unwrap() {
            result.unwrap();
        }
        // Apache Kafka answers shortly before its broker knows the topic.
        let consumer: BaseConsumer = self.access.client().create().unwrap();
        let count = usize::try_from(partitions).unwrap();
        eventually("the topic is known", || {
            let metadata = consumer.fetch_metadata(Some(name), PATIENCE).unwrap();
            let topic = metadata.topics().first().unwrap();
            let led = topic
                .partitions()
                .iter()
                .filter(|partition| partition.leader() >= 0);
            led.count() == count
        });
    }

    /// Creates the protected topic, unless an earlier test did.
    pub async fn create_protected_topic(&self) {
        let topic = NewTopic::new(PROTECTED, 1, TopicReplication::Fixed(1));
        let created = self.admin().create_topics([&topic], &options()).await;
        for result in created.unwrap() {
            if let Err((_, code)) = result {
                assert_eq!(code, rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists);
            }
        }
    }

    /// Creates an idempotent producer that compresses with this codec.
    pub fn producer(&self, codec: &str) -> FutureProducer {
        let mut config = self.access.client();
        config
            .set("enable.idempotence", "true")
            .set("compression.codec", codec)
            .set("linger.ms", "20");
        config.create().unwrap()
    }

    /// Appends values with the timestamps `first_time`, `first_time + 1000`, ... in as few batches as the client
    /// allows.
    pub async fn append(&self, topic: &str, partition: i32, first_time: i64, values: &[String]) {
        let producer = self.producer("lz4");
        let mut deliveries = Vec::new();
        for (time, value) in (first_time..).step_by(1000).zip(values) {
            let record = FutureRecord::<(), _>::to(topic)
                .partition(partition)
                .timestamp(time)
                .payload(value);
            deliveries.push(producer.send_result(record).unwrap());
        }
        for delivery in deliveries {
            delivery.await.unwrap().unwrap();
        }
    }
}

/// Waits until a condition is true. This crate's broker shows changes at once; Apache Kafka's shows some a little
/// later.
#[track_caller]
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
    }
}

/// Options of admin requests.
pub fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(PATIENCE))
        .request_timeout(Some(PATIENCE))
}

/// `prefix-0`, `prefix-1`, ...
pub fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{prefix}-{number}"))
        .collect()
}
