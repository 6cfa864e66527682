//! librdkafka: records come back as sent, from any offset and time, and wake waiting consumers.

use std::time::{Duration, Instant};

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::{BorrowedMessage, Header, Headers as _, OwnedHeaders},
    producer::{FutureRecord, Producer as _},
    types::RDKafkaErrorCode,
};

use crate::target::{PATIENCE, Target, numbered};

const FIRST_TIME: i64 = 1_700_000_000_000;

/// A record with all fields that a consumer sees.
#[derive(Clone, Debug, PartialEq)]
struct Record {
    offset: i64,
    time: Option<i64>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| {
            let each = headers.iter();
            each.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect()
        });
        Self {
            offset: message.offset(),
            time: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
        }
    }
}

/// A consumer of one partition, without a group.
fn reader(target: &Target, topic: &str, from: Offset) -> BaseConsumer {
    let mut config = target.access.client();
    let consumer: BaseConsumer = config
        .set("group.id", "unused")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        // librdkafka then verifies the checksum of each batch too.
        .set("check.crcs", "true")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, from).unwrap();
    consumer.assign(&partitions).unwrap();
    consumer
}

#[track_caller]
fn read(consumer: &BaseConsumer, count: usize) -> Vec<Record> {
    let started = Instant::now();
    let mut records = Vec::new();
    while records.len() < count {
        assert!(
            started.elapsed() < PATIENCE,
            "only {} of {count} records came",
            records.len()
        );
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            records.push(Record::of(&message.unwrap()));
        }
    }
    records
}

/// Records of every shape: missing, empty and long keys and values; headers without a value and repeated ones.
fn shapes(codec: &str) -> Vec<Record> {
    let long = format!("{codec} ").repeat(20_000).into_bytes();
    let keys = [None, Some(Vec::new()), Some(b"key".to_vec())];
    let values = [None, Some(Vec::new()), Some(b"value".to_vec()), Some(long)];
    let headers = [
        vec![],
        vec![
            ("codec".to_owned(), Some(codec.as_bytes().to_vec())),
            ("twice".to_owned(), Some(b"1".to_vec())),
            ("twice".to_owned(), Some(b"2".to_vec())),
            ("none".to_owned(), None),
            ("empty".to_owned(), Some(Vec::new())),
            ("\u{dc}nicode".to_owned(), Some(vec![0, 255])),
        ],
    ];
    let mut records = Vec::new();
    for key in &keys {
        for value in &values {
            for headers in &headers {
                let number = i64::try_from(records.len()).unwrap();
                records.push(Record {
                    offset: number,
                    // Timestamps that rise and fall, so the newest record is not the last.
                    time: Some(FIRST_TIME + (number * 7919) % 1000),
                    key: key.clone(),
                    value: value.clone(),
                    headers: headers.clone(),
                });
            }
        }
    }
    records
}

async fn records_come_back(codec: &str) {
    let target = Target::shared();
    let topic = format!("records.{codec}");
    target.create_topic(&topic, 1).await;
    let producer = target.producer(codec);
    let sent = shapes(codec);
    let mut deliveries = Vec::new();
    for record in &sent {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &record.headers {
            let value = value.as_deref();
            headers = headers.insert(Header { key, value });
        }
        let mut message = FutureRecord::to(&topic)
            .partition(0)
            .timestamp(record.time.unwrap())
            .headers(headers);
        message.key = record.key.as_ref();
        message.payload = record.value.as_ref();
        deliveries.push(producer.send_result(message).unwrap());
    }
    for (delivery, record) in deliveries.into_iter().zip(&sent) {
        let delivered = delivery.await.unwrap().unwrap();
        assert_eq!((delivered.partition, delivered.offset), (0, record.offset));
    }
    let all = read(&reader(&target, &topic, Offset::Beginning), sent.len());
    assert_eq!(all, sent);
    // Read from each offset; most of them are within a batch.
    for from in 0..sent.len() {
        let offset = Offset::Offset(i64::try_from(from).unwrap());
        let one = read(&reader(&target, &topic, offset), 1);
        assert_eq!(one, sent[from..=from]);
    }
}

#[tokio::test]
async fn uncompressed_records_come_back_as_sent() {
    records_come_back("none").await;
}

#[tokio::test]
async fn gzip_records_come_back_as_sent() {
    records_come_back("gzip").await;
}

#[tokio::test]
async fn snappy_records_come_back_as_sent() {
    records_come_back("snappy").await;
}

#[tokio::test]
async fn lz4_records_come_back_as_sent() {
    records_come_back("lz4").await;
}

#[tokio::test]
async fn zstd_records_come_back_as_sent() {
    records_come_back("zstd").await;
}

#[tokio::test]
async fn each_time_finds_the_first_record_with_that_timestamp_or_later() {
    let target = Target::shared();
    target.create_topic("records.times", 1).await;
    // Two batches. The second has records older than the newest of the first.
    let values = numbered("v", 20);
    target
        .append("records.times", 0, FIRST_TIME, &values[..10])
        .await;
    target
        .append("records.times", 0, FIRST_TIME + 5_500, &values[10..])
        .await;
    let times = (0..10).map(|number| FIRST_TIME + number * 1000);
    let times: Vec<i64> = times
        .clone()
        .chain(times.map(|time| time + 5_500))
        .collect();

    let consumer = reader(&target, "records.times", Offset::Beginning);
    for asked in (FIRST_TIME - 1000..FIRST_TIME + 16_000).step_by(250) {
        let found = times.iter().position(|time| *time >= asked);
        let expected = found.map_or(Offset::End, |offset| {
            Offset::Offset(i64::try_from(offset).unwrap())
        });
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("records.times", 0, Offset::Offset(asked))
            .unwrap();
        let answer = consumer.offsets_for_times(list, PATIENCE).unwrap();
        let answer = answer.find_partition("records.times", 0).unwrap();
        answer.error().unwrap();
        assert_eq!(answer.offset(), expected, "at {asked}");
    }
}

#[tokio::test]
async fn an_empty_partition_begins_and_ends_at_zero_and_has_no_timestamps() {
    let target = Target::shared();
    target.create_topic("records.empty", 1).await;
    let consumer = reader(&target, "records.empty", Offset::Beginning);
    let bounds = consumer.fetch_watermarks("records.empty", 0, PATIENCE);
    assert_eq!(bounds.unwrap(), (0, 0));
    let mut list = TopicPartitionList::new();
    list.add_partition_offset("records.empty", 0, Offset::Offset(0))
        .unwrap();
    let answer = consumer.offsets_for_times(list, PATIENCE).unwrap();
    let answer = answer.find_partition("records.empty", 0).unwrap();
    assert_eq!(answer.offset(), Offset::End);
}

#[tokio::test]
async fn an_offset_after_the_end_is_out_of_range() {
    let target = Target::shared();
    target.create_topic("records.range", 1).await;
    target
        .append("records.range", 0, FIRST_TIME, &numbered("v", 3))
        .await;
    let consumer = reader(&target, "records.range", Offset::Offset(4));
    let started = Instant::now();
    let error = loop {
        assert!(started.elapsed() < PATIENCE, "no error is reported");
        if let Some(answer) = consumer.poll(Duration::from_millis(100)) {
            break answer.map(|message| Record::of(&message)).unwrap_err();
        }
    };
    // With `auto.offset.reset=error`, librdkafka reports the broker's OFFSET_OUT_OF_RANGE with its own code.
    let expected = KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset);
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_consumer_that_waits_at_the_end_is_woken_by_each_record() {
    let target = Target::shared();
    target.create_topic("records.wait", 1).await;
    let mut config = target.access.client();
    let consumer: BaseConsumer = config
        .set("group.id", "unused")
        // Much longer than the test's patience, so only a produce can end the wait.
        .set("fetch.wait.max.ms", "300000")
        .set("socket.timeout.ms", "300000")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions
        .add_partition_offset("records.wait", 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&partitions).unwrap();
    // Repeat it, because a single fetch may have come after the record.
    for value in numbered("new", 5) {
        let values = [value];
        target.append("records.wait", 0, FIRST_TIME, &values).await;
        let woken = read(&consumer, 1);
        assert_eq!(woken[0].value.as_deref(), Some(values[0].as_bytes()));
    }
}

#[tokio::test]
async fn a_record_above_the_limit_is_refused_and_the_next_one_accepted() {
    let target = Target::shared();
    target.create_topic("records.large", 1).await;
    let mut config = target.access.client();
    let producer: rdkafka::producer::FutureProducer = config
        .set("enable.idempotence", "true")
        .set("message.max.bytes", "20000000")
        .create()
        .unwrap();
    let large = vec![b'x'; 2_000_000];
    let record = FutureRecord::<(), _>::to("records.large")
        .partition(0)
        .payload(&large);
    let refused = producer.send_result(record).unwrap().await.unwrap();
    let (error, _) = refused.unwrap_err();
    let expected = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
    assert_eq!(error, expected);
    let record = FutureRecord::<(), _>::to("records.large")
        .partition(0)
        .payload("small");
    let taken = producer.send_result(record).unwrap().await.unwrap();
    assert_eq!(taken.unwrap().offset, 0);
}

#[tokio::test]
async fn transactions_are_refused_with_one_of_kafkas_errors() {
    let target = Target::shared();
    let mut config = target.access.client();
    let producer: rdkafka::producer::FutureProducer = config
        .set("transactional.id", "records.transaction")
        .create()
        .unwrap();
    let begun = producer.init_transactions(PATIENCE);
    if target.ours {
        // Any error is fine if it is immediate and not a timeout.
        let error = begun.unwrap_err();
        let code = error.rdkafka_error_code().unwrap();
        assert_ne!(code, RDKafkaErrorCode::OperationTimedOut, "{error}");
        assert_ne!(code, RDKafkaErrorCode::InProgress, "{error}");
    } else {
        begun.unwrap();
    }
}
