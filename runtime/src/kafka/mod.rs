//! Kafka clients as Footfall needs them: what may be configured and what may not.

pub mod properties;
#[cfg(test)]
mod tests;

use crate::Settings;
use rdkafka::{
    ClientConfig,
    config::RDKafkaLogLevel,
    consumer::BaseConsumer,
    error::{KafkaError, KafkaResult},
    producer::BaseProducer,
    types::RDKafkaConfRes,
};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tracing::warn;

/// Until when a record must be acknowledged. A request waits for it, so one that is answered 503 leaves nothing
/// behind that is delivered later.
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(4);

/// How much may wait for the broker. Above it beacons are answered 503.
const QUEUE_MAX_MESSAGES: &str = "100000";
const QUEUE_MAX_KBYTES: &str = "131072";
/// Long enough for the records that [`Producer`](crate::Producer) hands over together to get into one batch.
const LINGER_MS: &str = "0.5";
/// Codec of live events, which come in batches of a few.
const LIVE_CODEC: &str = "lz4";
/// Codec of imports, whose batches are large.
const BULK_CODEC: &str = "zstd";

/// Properties that Footfall's promises rest on.
const FIXED: &[&str] = &[
    "acks",
    "request.required.acks",
    "enable.idempotence",
    "retries",
    "message.send.max.retries",
    "transactional.id",
    "delivery.report.only.error",
    "enable.auto.commit",
    "auto.commit.enable",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "auto.offset.reset",
    "allow.auto.create.topics",
    "partitioner",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "partition.assignment.strategy",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "bootstrap.servers",
    "metadata.broker.list",
];

/// A cluster and how to talk to it.
#[derive(Clone)]
pub struct KafkaSettings {
    brokers: String,
    extra: Vec<(String, String)>,
}

/// Without the values of further properties, passwords among them.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.extra.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("extra", &names)
            .finish()
    }
}

impl KafkaSettings {
    /// The brokers at `host:port[,host:port]`, nothing else set.
    #[must_use]
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            extra: Vec::new(),
        }
    }

    /// The brokers at `host:port[,host:port]`, with a name and a password by SASL/PLAIN, without TLS.
    #[must_use]
    pub fn with_login(brokers: impl Into<String>, username: &str, password: &str) -> Self {
        let extra = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", username),
            ("sasl.password", password),
        ];
        Self {
            brokers: brokers.into(),
            extra: extra
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// The same as settings of a program: `KAFKA_BROKERS` and every further `KAFKA_<NAME>` with its value, passwords
    /// included.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let further = self.extra.iter().map(|(property, value)| {
            let name = property.to_uppercase().replace('.', "_");
            (format!("KAFKA_{name}"), value.clone())
        });
        std::iter::once(("KAFKA_BROKERS".to_owned(), self.brokers.clone()))
            .chain(further)
            .collect()
    }

    /// Reads `KAFKA_BROKERS` and every further `KAFKA_<NAME>`. Unknown names are warned about, fixed
    /// ones are problems.
    pub fn read(settings: &mut Settings) -> Self {
        let brokers = settings.required("KAFKA_BROKERS");
        Self::read_with(settings, brokers)
    }

    /// Notes the problems of every `KAFKA_<NAME>`, for a program that may not need a cluster.
    pub fn check_given(settings: &mut Settings) {
        let brokers = settings.text("KAFKA_BROKERS").unwrap_or_default();
        Self::read_with(settings, brokers);
    }

    fn read_with(settings: &mut Settings, brokers: String) -> Self {
        let mut extra = Vec::new();
        for (name, value) in settings.with_prefix("KAFKA_") {
            if name == "BROKERS" {
                continue;
            }
            let full = format!("KAFKA_{name}");
            let property = name.to_lowercase().replace('_', ".");
            if FIXED.contains(&property.as_str()) {
                settings.problem(
                    &full,
                    format!("{property} cannot be changed: exactly-once counting rests on it"),
                );
                continue;
            }
            match ClientConfig::new()
                .set(&property, &value)
                .create_native_config()
            {
                Ok(_) => extra.push((property, value)),
                Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
                    if is_first(&full) {
                        warn!("{full} is ignored: librdkafka has no property {property}");
                    }
                }
                Err(KafkaError::ClientConfig(_, text, ..)) => {
                    settings.problem(&full, refusal(&property, &text));
                }
                Err(error) => settings.problem(&full, error.to_string()),
            }
        }
        let kafka = Self { brokers, extra };
        kafka.check(settings);
        kafka
    }

    /// Notes what librdkafka refuses of these settings together, for example more requests in flight than an
    /// idempotent producer may have: it says so only when a client is made.
    fn check(&self, settings: &mut Settings) {
        if self.extra.is_empty() {
            return;
        }
        let trial = |mut config: ClientConfig| {
            // Nothing is to be connected to, nor joined, nor said about that.
            config
                .remove("bootstrap.servers")
                .remove("group.id")
                .set_log_level(RDKafkaLogLevel::Emerg);
            config
        };
        let producer = trial(self.producer()).create::<BaseProducer>().map(drop);
        let consumer = trial(self.consumer("")).create::<BaseConsumer>().map(drop);
        for made in [producer, consumer] {
            if let Err(KafkaError::ClientCreation(text)) = made {
                let name = self.blame(&text);
                let advice = advice(&text);
                settings.problem(&name, format!("cannot be used: {text}{advice}"));
            }
        }
    }

    /// The setting that a text of librdkafka is about, which puts names of properties between backticks.
    fn blame(&self, text: &str) -> String {
        let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        let is_meant = |property: &str| {
            // Some have a short name and a long one.
            let same = |name: &&str| property.starts_with(*name) || name.starts_with(property);
            named.iter().any(same)
        };
        let mut given = self.extra.iter().map(|(property, _)| property.as_str());
        let blamed = given.clone().find(|property| is_meant(property));
        let blamed = blamed.or_else(|| given.next().filter(|_| self.extra.len() == 1));
        blamed.map_or_else(
            || "KAFKA_BROKERS".to_owned(),
            |property| format!("KAFKA_{}", property.to_uppercase().replace('.', "_")),
        )
    }

    /// The bootstrap servers.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// An error of a client of this cluster. One that means that no broker answers says which were asked.
    #[must_use]
    pub fn describe(&self, error: &KafkaError) -> String {
        use rdkafka::types::RDKafkaErrorCode as Code;
        let silent = matches!(
            error.rdkafka_error_code(),
            Some(
                Code::BrokerTransportFailure
                    | Code::AllBrokersDown
                    | Code::OperationTimedOut
                    | Code::Resolve
            )
        );
        if silent {
            let brokers = &self.brokers;
            format!("Kafka does not answer at {brokers} ({error}); check KAFKA_BROKERS")
        } else {
            format!("Kafka: {error}")
        }
    }

    fn base(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "footfall")
            .set("allow.auto.create.topics", "false")
            .set("reconnect.backoff.max.ms", "1000")
            // A small request that waits for the acknowledgement of the one before takes 40 ms more.
            .set("socket.nagle.disable", "true")
            .set_log_level(RDKafkaLogLevel::Warning);
        for (property, value) in &self.extra {
            config.set(property, value);
        }
        config
    }

    fn given(&self, property: &str) -> bool {
        self.extra.iter().any(|(name, _)| name == property)
    }

    /// For administration.
    #[must_use]
    pub fn admin(&self) -> ClientConfig {
        self.base()
    }

    /// For a producer: idempotent, acknowledged by all replicas, bounded in time and memory.
    #[must_use]
    pub fn producer(&self) -> ClientConfig {
        let mut config = self.base();
        if !self.given("queue.buffering.max.messages") {
            config.set("queue.buffering.max.messages", QUEUE_MAX_MESSAGES);
        }
        if !self.given("queue.buffering.max.kbytes") {
            config.set("queue.buffering.max.kbytes", QUEUE_MAX_KBYTES);
        }
        if !self.given("compression.codec") && !self.given("compression.type") {
            config.set("compression.codec", LIVE_CODEC);
        }
        if !self.given("linger.ms") && !self.given("queue.buffering.max.ms") {
            config.set("linger.ms", LINGER_MS);
        }
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("partitioner", "murmur2_random")
            .set(
                "message.timeout.ms",
                MESSAGE_TIMEOUT.as_millis().to_string(),
            );
        config
    }

    /// For a producer that gives up no record, so that all get into the log in the order given, however long the
    /// broker is away. Only a record that the broker refuses is left out.
    #[must_use]
    pub fn patient_producer(&self) -> ClientConfig {
        let mut config = self.producer();
        config
            .set("message.timeout.ms", "0")
            // Its own, whatever is set: it has one batch in hand and nowhere to put back what does not fit.
            .set("queue.buffering.max.messages", QUEUE_MAX_MESSAGES)
            .set("queue.buffering.max.kbytes", QUEUE_MAX_KBYTES);
        if !self.given("compression.codec") && !self.given("compression.type") {
            config.set("compression.codec", BULK_CODEC);
        }
        config
    }

    /// For a consumer whose offsets Kafka never keeps: they live beside what was made of them.
    #[must_use]
    pub fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.base();
        if !self.given("fetch.wait.max.ms") {
            config.set("fetch.wait.max.ms", "500");
        }
        if !self.given("queued.max.messages.kbytes") {
            // Per partition; the default of 64 MB would be most of a small machine while catching up.
            config.set("queued.max.messages.kbytes", "8192");
        }
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error");
        config
    }

    /// Like [`Self::consumer`], and also told when a partition has been read to its end.
    #[must_use]
    pub fn consumer_with_ends(&self, group: &str) -> ClientConfig {
        let mut config = self.consumer(group);
        config.set("enable.partition.eof", "true");
        config
    }
}

/// What librdkafka says against the value of a property. It names a property of two names by the other one.
fn refusal(property: &str, text: &str) -> String {
    let text = text.trim();
    let named = ["property \"", "value for \""]
        .into_iter()
        .find_map(|before| {
            let (start, rest) = text.split_once(before)?;
            let (_, end) = rest.split_once('"')?;
            Some(format!("{start}{before}{property}\"{end}"))
        });
    let text = named.as_deref().unwrap_or(text);
    format!("{text}{}", advice(text))
}

/// What to do about a text of librdkafka that says that a part of it is missing.
fn advice(text: &str) -> &'static str {
    let missing = [
        "not supported in this build",
        "not available at build time",
        "recompile librdkafka",
    ];
    if missing.iter().any(|words| text.contains(words)) {
        "; TLS and SASL need a build with `--features kafka-tls`"
    } else {
        ""
    }
}

/// True the first time that a name is ignored: each part of a program reads the settings, and one warning is enough.
fn is_first(name: &str) -> bool {
    static IGNORED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut ignored = IGNORED.lock().unwrap_or_else(PoisonError::into_inner);
    ignored.insert(name.to_owned())
}

/// True for errors that pass by themselves: the client reconnects and goes on.
#[must_use]
pub fn is_transient(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::OperationTimedOut
                | Code::Resolve
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::RequestTimedOut
                | Code::NetworkException
        )
    )
}

/// Turns a closure that blocks on librdkafka into a future.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> KafkaResult<T> + Send + 'static,
) -> KafkaResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(KafkaError::Canceled),
    }
}
