//! Configures each kind of Kafka client: what the promises require, and the operator's settings.

use super::{
    KafkaSettings,
    scopes::{self, Kind},
};
use rdkafka::{
    ClientConfig,
    config::RDKafkaLogLevel,
    error::{KafkaError, KafkaResult},
};
use std::time::Duration;

/// Deadline for a record's acknowledgement. A request waits for it, so nothing of a request that
/// was answered 503 is delivered later.
pub const MESSAGE_TIMEOUT: Duration = Duration::from_secs(4);

/// Most that may wait for the broker. Above it, beacons are answered 503.
const QUEUE_MAX_MESSAGES: &str = "100000";
const QUEUE_MAX_KBYTES: &str = "131072";
/// Long enough for records that [`Producer`](crate::Producer) hands over together to share a batch.
const LINGER_MS: &str = "0.5";
/// Codec of live events, which come in batches of a few.
const LIVE_CODEC: &str = "lz4";
/// Codec of imports, whose batches are large.
const BULK_CODEC: &str = "zstd";

impl KafkaSettings {
    /// The text for an error of this cluster's client. If no broker answers, it names those that
    /// were asked.
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
        // The usual cause is a wrong address, so the text names the setting.
        if silent {
            let brokers = &self.brokers;
            format!("Kafka does not answer at {brokers} ({error}); check KAFKA_BROKERS")
        } else {
            format!("Kafka: {error}")
        }
    }

    fn base(&self, kind: Kind) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "footfall")
            .set("allow.auto.create.topics", "false")
            .set("reconnect.backoff.max.ms", "1000")
            // Otherwise a small request that waits for the previous acknowledgement takes 40 ms
            // longer.
            .set("socket.nagle.disable", "true")
            .set_log_level(RDKafkaLogLevel::Warning);
        // librdkafka warns about each property that a client cannot use.
        let given = self.extra.iter();
        for (property, value) in given.filter(|(property, _)| scopes::applies(property, kind)) {
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
        self.base(Kind::Admin)
    }

    /// For a producer: idempotent, acknowledged by all replicas, bounded in time and memory.
    #[must_use]
    pub fn producer(&self) -> ClientConfig {
        let mut config = self.base(Kind::Producer);
        if !self.given("queue.buffering.max.messages") {
            config.set("queue.buffering.max.messages", QUEUE_MAX_MESSAGES);
        }
        if !self.given("queue.buffering.max.kbytes") {
            config.set("queue.buffering.max.kbytes", QUEUE_MAX_KBYTES);
        }
        // A property counts as given under either of its names.
        if !self.given("compression.codec") && !self.given("compression.type") {
            config.set("compression.codec", LIVE_CODEC);
        }
        if !self.given("linger.ms") && !self.given("queue.buffering.max.ms") {
            config.set("linger.ms", LINGER_MS);
        }
        config
            // The promises depend on these, so no setting may change them.
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("partitioner", "murmur2_random")
            .set(
                "message.timeout.ms",
                MESSAGE_TIMEOUT.as_millis().to_string(),
            );
        config
    }

    /// For a producer that never gives up: all records reach the log in the order given, however
    /// long the broker is unavailable. The log lacks only records that the broker refuses.
    #[must_use]
    pub fn patient_producer(&self) -> ClientConfig {
        let mut config = self.producer();
        config
            .set("message.timeout.ms", "0")
            // Not configurable: this producer has one batch in flight and no place for records that
            // do not fit.
            .set("queue.buffering.max.messages", QUEUE_MAX_MESSAGES)
            .set("queue.buffering.max.kbytes", QUEUE_MAX_KBYTES);
        if !self.given("compression.codec") && !self.given("compression.type") {
            config.set("compression.codec", BULK_CODEC);
        }
        config
    }

    /// For a consumer whose offsets Kafka never stores: they are stored with the results of the
    /// records.
    #[must_use]
    pub fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.base(Kind::Consumer);
        if !self.given("queued.max.messages.kbytes") {
            // Per partition. The default of 64 MB would fill most of a small machine while it
            // catches up.
            config.set("queued.max.messages.kbytes", "8192");
        }
        if !self.given("fetch.queue.backoff.ms") {
            // With the default, the client fetches nothing for a second after its queue was full, and
            // the reader is idle for most of that second.
            config.set("fetch.queue.backoff.ms", "10");
        }
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error");
        config
    }

    /// Like [`Self::consumer`], but reports when a partition has been read to its end.
    #[must_use]
    pub fn consumer_with_ends(&self, group: &str) -> ClientConfig {
        let mut config = self.consumer(group);
        config.set("enable.partition.eof", "true");
        config
    }
}

/// True for transient errors: the client reconnects and continues.
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

/// Runs a closure that blocks on librdkafka, without blocking the runtime.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> KafkaResult<T> + Send + 'static,
) -> KafkaResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(KafkaError::Canceled),
    }
}
