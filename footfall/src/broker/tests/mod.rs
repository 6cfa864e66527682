//! The broker as librdkafka sees it: what the services rely on, and what nisshi alone would get wrong.

mod groups;
mod idempotence;
mod log;
mod process;
mod produce;
mod refused;
mod wire;

use std::{path::Path, time::Duration};

use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{Consumer as _, StreamConsumer},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use tempfile::TempDir;

use super::EmbeddedBroker;

/// Far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

async fn start(dir: &Path) -> EmbeddedBroker {
    EmbeddedBroker::start(dir, None).await.unwrap()
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
        .unwrap()
}

async fn make_topic(brokers: &str, name: &str, partitions: i32, policy: &str, retention_ms: &str) {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1))
        .set("cleanup.policy", policy)
        .set("retention.ms", retention_ms);
    let made = admin(brokers)
        .create_topics([&topic], &AdminOptions::new())
        .await
        .unwrap();
    assert_eq!(made, [Ok(name.to_owned())]);
}

fn producer(brokers: &str) -> FutureProducer {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "0")
        .create()
        .unwrap()
}

async fn publish(
    producer: &FutureProducer,
    topic: &str,
    partition: i32,
    key: &str,
    value: &str,
) -> i64 {
    let record = FutureRecord::to(topic)
        .partition(partition)
        .key(key)
        .payload(value);
    let sent = producer.send(record, Timeout::After(PATIENCE)).await;
    sent.unwrap().offset
}

fn consumer(brokers: &str, fetch_wait_ms: u32) -> StreamConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "readers")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .set("fetch.wait.max.ms", fetch_wait_ms.to_string())
        .create()
        .unwrap()
}

fn assign(consumer: &StreamConsumer, topic: &str, offsets: &[(i32, i64)]) {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
            .unwrap();
    }
    consumer.assign(&list).unwrap();
}

/// The next `count` values.
async fn values(consumer: &StreamConsumer, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    while values.len() < count {
        let message = tokio::time::timeout(PATIENCE, consumer.recv()).await;
        let message = message.expect("a record in time").unwrap();
        values.push(String::from_utf8_lossy(message.payload().unwrap()).into_owned());
    }
    values
}

fn data_dir() -> TempDir {
    TempDir::new().unwrap()
}
