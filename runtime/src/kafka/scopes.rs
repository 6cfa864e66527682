//! Which kind of client each librdkafka property applies to.
//!
//! The lists are librdkafka's own, without callbacks.

/// A kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Appends records.
    Producer,
    /// Reads records.
    Consumer,
    /// Queries and changes topics. To librdkafka, some of its clients are producers, others
    /// consumers.
    Admin,
}

pub(super) const OF_PRODUCERS: &[&str] = &[
    "acks",
    "batch.num.messages",
    "batch.size",
    "compression.codec",
    "compression.level",
    "compression.type",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "linger.ms",
    "message.send.max.retries",
    "message.timeout.ms",
    "partitioner",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queuing.strategy",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "sticky.partitioning.linger.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

pub(super) const OF_CONSUMERS: &[&str] = &[
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "check.crcs",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "session.timeout.ms",
];

/// Whether a client of that kind can use the property.
pub(super) fn applies(property: &str, kind: Kind) -> bool {
    let of_producers = OF_PRODUCERS.contains(&property);
    let of_consumers = OF_CONSUMERS.contains(&property);
    match kind {
        Kind::Producer => !of_consumers,
        Kind::Consumer => !of_producers,
        Kind::Admin => !of_producers && !of_consumers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::{
        ClientContext,
        config::{ClientConfig, RDKafkaLogLevel},
        consumer::{BaseConsumer, ConsumerContext},
        producer::{BaseProducer, DeliveryResult, ProducerContext},
    };
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    /// Collects librdkafka's log lines.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<String>>>);

    impl ClientContext for Said {
        fn log(&self, _: RDKafkaLogLevel, _: &str, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }
    }
    impl ConsumerContext for Said {}
    impl ProducerContext for Said {
        type DeliveryOpaque = ();
        fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
    }

    /// Whether librdkafka warned that the client cannot use the property. It may use the property's
    /// other name.
    fn was_warned(said: &Said) -> bool {
        let said = said.0.lock().unwrap();
        said.iter().any(|text| text.contains("will be ignored"))
    }

    /// A value for a property whose default librdkafka does not report.
    fn some_value(property: &str) -> &'static str {
        match property {
            "auto.offset.reset" => "error",
            "partitioner" => "random",
            "queuing.strategy" => "fifo",
            _ => "1",
        }
    }

    fn poll_until(done: impl Fn() -> bool, poll: impl Fn(Duration)) {
        for _ in 0..1_000 {
            if done() {
                return;
            }
            poll(Duration::from_millis(1));
        }
    }

    #[test]
    fn librdkafka_agrees_about_every_property() {
        for (properties, of_producers) in [(OF_PRODUCERS, true), (OF_CONSUMERS, false)] {
            for property in properties {
                let mut config = ClientConfig::new();
                config.set_log_level(RDKafkaLogLevel::Warning);
                let native = config.create_native_config().unwrap();
                let value = native
                    .get(property)
                    .unwrap_or_else(|_| some_value(property).to_owned());
                config.set(*property, value);
                let said = Said::default();
                // A client checks its configuration during its first polls.
                if of_producers {
                    let client: BaseConsumer<_> = config.create_with_context(said.clone()).unwrap();
                    poll_until(|| was_warned(&said), |wait| drop(client.poll(wait)));
                } else {
                    let client: BaseProducer<_> = config.create_with_context(said.clone()).unwrap();
                    poll_until(|| was_warned(&said), |wait| client.poll(wait));
                }
                assert!(was_warned(&said), "{property}");
            }
        }
    }
}
