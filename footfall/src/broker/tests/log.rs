//! Records: acknowledged, kept, found, delivered at once.

use std::time::Instant;

use rdkafka::{
    admin::ResourceSpecifier,
    error::KafkaError,
    message::{Header, Headers as _, OwnedHeaders},
    types::RDKafkaErrorCode,
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_produce_wakes_a_waiting_consumer() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 4, "delete", "-1").await;
    let producer = producer(broker.brokers());
    // A poll would find the records after seconds only.
    let consumer = consumer(broker.brokers(), 20_000);
    assign(&consumer, "events", &[(0, 0), (1, 0), (2, 0), (3, 0)]);
    publish(&producer, "events", 0, "k", "first").await;
    assert_eq!(values(&consumer, 1).await, ["first"]);
    let mut delays = Vec::new();
    for round in 0..20 {
        let begun = Instant::now();
        let sent = publish(&producer, "events", round % 4, "k", "next");
        let (_, received) = tokio::join!(sent, values(&consumer, 1));
        assert_eq!(received, ["next"]);
        delays.push(begun.elapsed());
    }
    delays.sort();
    eprintln!(
        "produce to consume: median {:?}, slowest {:?}",
        delays[10], delays[19]
    );
    assert!(delays[10] < Duration::from_secs(1), "{delays:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_topic_kept_for_ever_are_kept() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    make_topic(broker.brokers(), "directory", 1, "compact", "-1").await;
    make_topic(broker.brokers(), "other", 1, "compact", "-1").await;
    make_topic(broker.brokers(), "both", 1, "compact,delete", "1").await;
    let sender = producer(broker.brokers());
    // Enough for a compaction.
    let rounds = 1_100;
    let all = ["events", "directory", "other", "both"];
    let sent = (0..rounds).flat_map(|round| all.map(|topic| (topic, round)));
    futures::future::join_all(sent.map(|(topic, round)| {
        let sender = sender.clone();
        async move {
            publish(
                &sender,
                topic,
                0,
                &format!("key {}", round % 10),
                &round.to_string(),
            )
            .await
        }
    }))
    .await;
    broker.stop().await;

    let broker = start(dir.path()).await;
    for topic in all {
        let consumer = consumer(broker.brokers(), 100);
        assign(&consumer, topic, &[(0, 0)]);
        assert_eq!(values(&consumer, rounds).await.len(), rounds, "{topic}");
    }
    for topic in ["events", "both", "absent"] {
        assert_eq!(broker.compact(topic).await.unwrap(), 0, "{topic}");
    }
    assert_eq!(broker.compact("directory").await.unwrap(), 1_090);
    for topic in ["events", "other", "both"] {
        let consumer = consumer(broker.brokers(), 100);
        assign(&consumer, topic, &[(0, 0)]);
        assert_eq!(values(&consumer, rounds).await.len(), rounds, "{topic}");
    }
    let compacted = consumer(broker.brokers(), 100);
    assign(&compacted, "directory", &[(0, 0)]);
    let mut kept = values(&compacted, 10).await;
    kept.sort();
    assert_eq!(
        kept,
        (1_090..1_100)
            .map(|round| round.to_string())
            .collect::<Vec<_>>()
    );
    let (_, end) = compacted
        .fetch_watermarks("directory", 0, PATIENCE)
        .unwrap();
    assert_eq!(end, 1_100);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_topic_can_be_read_back() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 4, "delete", "-1").await;
    let admin = admin(broker.brokers());
    let resource = ResourceSpecifier::Topic("events");
    let described = admin
        .describe_configs([&resource], &AdminOptions::new())
        .await
        .unwrap();
    let described = described.into_iter().next().unwrap().unwrap();
    let value = |name| {
        described
            .entry_map()
            .get(name)
            .and_then(|entry| entry.value.clone())
    };
    assert_eq!(value("cleanup.policy").as_deref(), Some("delete"));
    assert_eq!(value("retention.ms").as_deref(), Some("-1"));
    assert_eq!(value("no.such"), None);

    let again = NewTopic::new("events", 4, TopicReplication::Fixed(1));
    let again = admin
        .create_topics([&again], &AdminOptions::new())
        .await
        .unwrap();
    assert_eq!(
        again,
        [Err((
            "events".to_owned(),
            RDKafkaErrorCode::TopicAlreadyExists
        ))]
    );
    let absent = ResourceSpecifier::Topic("absent");
    let absent = admin
        .describe_configs([&absent], &AdminOptions::new())
        .await;
    eprintln!("describe_configs of an absent topic: {absent:?}");
    let consumer = consumer(broker.brokers(), 100);
    let metadata = consumer.fetch_metadata(Some("events"), PATIENCE).unwrap();
    assert_eq!(metadata.topics()[0].partitions().len(), 4);
    let metadata = consumer.fetch_metadata(Some("absent"), PATIENCE).unwrap();
    eprintln!(
        "metadata of an absent topic: {:?}",
        metadata.topics()[0].error()
    );
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    eprintln!(
        "all topics: {:?}",
        metadata
            .topics()
            .iter()
            .map(rdkafka::metadata::MetadataTopic::name)
            .collect::<Vec<_>>()
    );
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_outside_of_the_log_is_an_error() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    publish(&producer(broker.brokers()), "events", 0, "k", "only").await;
    let reader = consumer(broker.brokers(), 20_000);
    assign(&reader, "events", &[(0, 7)]);
    let error = tokio::time::timeout(PATIENCE, reader.recv())
        .await
        .expect("an answer in time");
    let Err(KafkaError::MessageConsumption(code)) = error else {
        panic!("an error about the offset, not {error:?}");
    };
    assert_eq!(code, RDKafkaErrorCode::AutoOffsetReset);

    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_find_offsets() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let producer = producer(broker.brokers());
    for (time_ms, value) in [(1_000_i64, "a"), (2_000, "b"), (3_000, "c")] {
        let headers = OwnedHeaders::new().insert(Header {
            key: "n",
            value: Some(value),
        });
        let record = FutureRecord::to("events")
            .key("k")
            .payload(value)
            .timestamp(time_ms)
            .headers(headers);
        producer
            .send(record, Timeout::After(PATIENCE))
            .await
            .unwrap();
    }
    let consumer = consumer(broker.brokers(), 100);
    let at = |time_ms| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("events", 0, Offset::Offset(time_ms))
            .unwrap();
        let found = consumer.offsets_for_times(list, PATIENCE).unwrap();
        found.elements()[0].offset()
    };
    assert_eq!(at(0), Offset::Offset(0));
    assert_eq!(at(1_500), Offset::Offset(1));
    assert_eq!(at(3_000), Offset::Offset(2));
    assert_eq!(at(3_001), Offset::End);
    assert_eq!(
        consumer.fetch_watermarks("events", 0, PATIENCE).unwrap(),
        (0, 3)
    );
    assign(&consumer, "events", &[(0, 1)]);
    let message = tokio::time::timeout(PATIENCE, consumer.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(message.payload(), Some(&b"b"[..]));
    assert_eq!(message.timestamp().to_millis(), Some(2_000));
    assert_eq!(message.key(), Some(&b"k"[..]));
    let headers = message.headers().unwrap();
    assert_eq!(headers.get(0).value, Some(&b"b"[..]));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_records_and_many_records_arrive() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let sender = producer(broker.brokers());
    let large = "x".repeat(900_000);
    let sent = (0..20).map(|_| publish(&sender, "events", 0, "k", &large));
    futures::future::join_all(sent).await;
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.brokers())
        .set("group.id", "readers")
        .set("enable.auto.commit", "false")
        .set("max.partition.fetch.bytes", "1000")
        .create()
        .unwrap();
    assign(&consumer, "events", &[(0, 0)]);
    let read = values(&consumer, 20).await;
    assert!(read.iter().all(|value| value.len() == large.len()));
    broker.stop().await;
}
