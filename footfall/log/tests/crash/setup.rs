//! Sets up a broker with one topic and its clients, and reads a whole log.

use std::{
    ffi::OsString,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
};
use tempfile::TempDir;

use crate::{
    access::{Access, Login},
    checker::{Partition, Seen},
    process::BrokerProcess,
};

/// The topic of these tests.
pub const TOPIC: &str = "crash";
/// The number of its partitions.
pub const PARTITIONS: Partition = 3;
/// Longer than any step takes on a busy machine. Only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The files of a test, removed at its end.
pub struct Setup {
    files: TempDir,
    credentials: PathBuf,
}

impl Setup {
    /// Creates a folder with credentials and without a log.
    pub fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let credentials = files.path().join("credentials");
        access("").write_properties(&credentials);
        Self { files, credentials }
    }

    /// A path in the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Keeps the files after the test, to examine a failure.
    pub fn keep(self) -> PathBuf {
        self.files.keep()
    }

    /// Starts a broker on a folder.
    ///
    /// # Errors
    /// If the broker ends instead, its output.
    pub fn start(
        &self,
        folder: &Path,
        options: &[&str],
        wrapper: &[OsString],
    ) -> Result<BrokerProcess, String> {
        BrokerProcess::start(folder, &self.credentials, options, wrapper)
    }

    /// Starts a broker and kills it after this time, ready or not.
    pub fn start_and_kill(&self, folder: &Path, options: &[&str], after: Duration) {
        BrokerProcess::start_and_kill(folder, &self.credentials, options, after);
    }
}

/// Access to the broker at an address.
pub fn access(bootstrap: &str) -> Access {
    Access {
        bootstrap: bootstrap.to_owned(),
        login: Some(Login {
            username: "footfall".to_owned(),
            password: "correct-horse-battery".to_owned(),
        }),
    }
}

/// Creates the topic.
pub fn create_topic(access: &Access) {
    let admin: AdminClient<DefaultClientContext> = access.client().create().unwrap();
    let topic = NewTopic::new(TOPIC, PARTITIONS, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let created = block_on(admin.create_topics([&topic], &options));
    for result in created.unwrap() {
        result.unwrap();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

/// Reads all records of the topic; `None` if the topic does not exist.
///
/// # Errors
/// The consumer's error.
pub fn read_log(access: &Access) -> Result<Option<Vec<Seen>>, String> {
    let mut config = access.client();
    config
        .set("group.id", "unused")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .set("check.crcs", "true");
    let consumer: BaseConsumer = config.create().unwrap();
    let metadata = consumer
        .fetch_metadata(None, PATIENCE)
        .map_err(|error| error.to_string())?;
    if !metadata.topics().iter().any(|topic| topic.name() == TOPIC) {
        return Ok(None);
    }
    let mut partitions = TopicPartitionList::new();
    let mut expected = 0;
    for partition in 0..PARTITIONS {
        let bounds = consumer.fetch_watermarks(TOPIC, partition, PATIENCE);
        let (start, end) = bounds.map_err(|error| error.to_string())?;
        expected += end - start;
        let at = Offset::Offset(start);
        partitions
            .add_partition_offset(TOPIC, partition, at)
            .unwrap();
    }
    consumer.assign(&partitions).unwrap();
    let expected = usize::try_from(expected).map_err(|error| error.to_string())?;
    let mut log = Vec::with_capacity(expected);
    let started = Instant::now();
    while log.len() < expected {
        if started.elapsed() > PATIENCE {
            return Err(format!(
                "only {} of {expected} records can be read",
                log.len()
            ));
        }
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => log.push(seen(&message)),
            Some(Err(error)) => return Err(error.to_string()),
            None => {}
        }
    }
    Ok(Some(log))
}

/// Converts a record for the checker.
pub fn seen(message: &impl rdkafka::Message) -> Seen {
    let text = message
        .payload()
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    Seen {
        partition: message.partition(),
        offset: message.offset(),
        value: text.and_then(|text| text.parse().ok()),
    }
}

/// Reads a number from the environment.
pub fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable);
    given.map_or(default, |text| text.parse().unwrap())
}

/// A port for a broker that restarts repeatedly. It is below the usual range of outgoing connections: one of these
/// could otherwise take the port while the broker is down.
pub fn free_port() -> String {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let mut ports = (first..30_000).chain(20_000..first);
    let free = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.unwrap().to_string()
}
