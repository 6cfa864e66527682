//! Tests the broker from outside: with librdkafka, and with hand-made requests for everything it does not send.

mod access;
mod fetch;
mod groups;
mod produce;
mod topics;
pub(crate) mod wire;

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

use crate::{Broker, Credentials, Options};

/// Much longer than any step here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn credentials() -> Credentials {
    Credentials {
        username: "footfall".to_owned(),
        password: "right".to_owned(),
    }
}

fn options() -> Options {
    Options {
        protected_topics: vec!["events".to_owned()],
        ..Options::new(credentials())
    }
}

async fn start(dir: &Path) -> Broker {
    Broker::start(dir, options()).await.unwrap()
}

fn data_dir() -> TempDir {
    TempDir::new().unwrap()
}

/// The settings of a client with the password.
fn client(broker: &Broker) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", broker.bootstrap_servers())
        .set("security.protocol", "SASL_PLAINTEXT")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", "footfall")
        .set("sasl.password", "right");
    config
}

fn admin(broker: &Broker) -> AdminClient<DefaultClientContext> {
    client(broker).create().unwrap()
}

async fn make_topic(broker: &Broker, name: &str, partitions: i32) {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1))
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1");
    let made = admin(broker)
        .create_topics([&topic], &AdminOptions::new())
        .await
        .unwrap();
    assert_eq!(made, [Ok(name.to_owned())]);
}

fn producer(broker: &Broker) -> FutureProducer {
    client(broker)
        .set("enable.idempotence", "true")
        .set("linger.ms", "0")
        .create()
        .unwrap()
}

async fn publish(producer: &FutureProducer, topic: &str, partition: i32, value: &str) -> i64 {
    let record = FutureRecord::to(topic)
        .partition(partition)
        .key("k")
        .payload(value);
    let sent = producer.send(record, Timeout::After(PATIENCE)).await;
    sent.unwrap().offset
}

fn consumer(broker: &Broker) -> StreamConsumer {
    client(broker)
        .set("group.id", "readers")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .create()
        .unwrap()
}

fn assign(consumer: &StreamConsumer, topic: &str, partition: i32, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))
        .unwrap();
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
