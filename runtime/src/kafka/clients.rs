//! The configuration of each kind of client: what the promises need, and what the operator gave beyond that.

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

impl KafkaSettings {
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

    fn base(&self, kind: Kind) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "footfall")
            .set("allow.auto.create.topics", "false")
            .set("reconnect.backoff.max.ms", "1000")
            // A small request that waits for the acknowledgement of the one before takes 40 ms more.
            .set("socket.nagle.disable", "true")
            .set_log_level(RDKafkaLogLevel::Warning);
        // librdkafka warns of each property that a client cannot use.
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

    /// For a producer that never gives up: all records reach the log in the order given, however long the broker is
    /// unavailable. The log lacks only records that the broker refuses.
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
        let mut config = self.base(Kind::Consumer);
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
