//! The producer against librdkafka's own mock broker: order, slow partitions, flushing.

use super::*;
use futures::future::join_all;
use rdkafka::mocking::MockCluster;
use std::task::Poll;

const TOPIC: &str = "records";

fn cluster(
    brokers: i32,
    partitions: i32,
) -> MockCluster<'static, rdkafka::producer::DefaultProducerContext> {
    let cluster = MockCluster::new(brokers).unwrap();
    cluster.create_topic(TOPIC, partitions, 1).unwrap();
    cluster
}

fn record(key: &str) -> Record<'_> {
    Record {
        topic: TOPIC,
        key,
        payload: b"{}",
        headers: &[],
    }
}

async fn send(producer: &Producer, key: &str) -> Result<Position, SendError> {
    producer.send(&[record(key)]).await.remove(0)
}

/// A key for each partition.
async fn keys(producer: &Producer, partitions: usize) -> Vec<String> {
    let mut keys = vec![None; partitions];
    for number in 0.. {
        let key = format!("key {number}");
        let position = send(producer, &key).await.unwrap();
        keys[usize::try_from(position.partition).unwrap()].get_or_insert(key);
        if keys.iter().all(Option::is_some) {
            break;
        }
    }
    keys.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_made_one_after_another_keep_their_order_while_the_broker_is_slow() {
    let cluster = cluster(1, 1);
    // Longer than records wait for acknowledgements, so that all ways of handing over occur.
    cluster
        .broker_round_trip_time(1, Duration::from_millis(40))
        .unwrap();
    let producer = Producer::new(&KafkaSettings::new(cluster.bootstrap_servers())).unwrap();
    let mut sends = Vec::new();
    for number in 0..300 {
        let producer = &producer;
        // Every tenth call has many records.
        let records = if number % 10 == 0 { 120 } else { 1 };
        let mut sent = Box::pin(async move { producer.send(&vec![record("one"); records]).await });
        assert!(
            futures::poll!(&mut sent).is_pending(),
            "nothing is acknowledged yet"
        );
        sends.push(sent);
    }
    let outcomes = join_all(sends).await;
    let offsets: Vec<i64> = outcomes
        .into_iter()
        .flatten()
        .map(|outcome| outcome.unwrap().offset)
        .collect();
    assert_eq!(offsets, (0..30 * 120 + 270).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_without_its_broker_does_not_hold_up_the_others() {
    let cluster = cluster(2, 2);
    for (partition, broker) in [(0, 1), (1, 2)] {
        cluster
            .partition_leader(TOPIC, partition, Some(broker))
            .unwrap();
    }
    let producer = Producer::new(&KafkaSettings::new(cluster.bootstrap_servers())).unwrap();
    let keys = keys(&producer, 2).await;
    cluster.broker_down(2).unwrap();
    let mut stuck = Box::pin(send(&producer, &keys[1]));
    assert_eq!(futures::poll!(&mut stuck), Poll::Pending);
    for _ in 0..20 {
        send(&producer, &keys[0]).await.unwrap();
        assert_eq!(futures::poll!(&mut stuck), Poll::Pending);
    }
    cluster.broker_up(2).unwrap();
    stuck.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_hands_over_waiting_records() {
    let cluster = cluster(1, 1);
    let producer = Producer::new(&KafkaSettings::new(cluster.bootstrap_servers())).unwrap();
    send(&producer, "first").await.unwrap();
    let mut sends: Vec<_> = (0..3).map(|_| Box::pin(send(&producer, "one"))).collect();
    for sent in &mut sends {
        assert!(futures::poll!(sent).is_pending());
    }
    // The test does not poll the sends meanwhile, so only the flush can hand their records over.
    producer.flush(Duration::from_secs(20)).await;
    for sent in sends {
        let mut sent = sent;
        match futures::poll!(&mut sent) {
            Poll::Ready(outcome) => drop(outcome.unwrap()),
            Poll::Pending => panic!("not acknowledged by the flush"),
        }
    }
}
