//! Produce on the wire: what is appended, what is refused, and what a refusal leaves behind.

use std::time::Instant;

use bytes::Bytes;
use nisshi_sans_io::{Body, ErrorCode, record::deflated};
use nisshi_storage::{Storage as _, Topition};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use tokio_util::sync::CancellationToken;

use super::{
    wire::{Wire, batch, builder, encode, request},
    *,
};
use crate::broker::{location::Location, open_storage};

/// Nobody's batch: without a producer's id.
const NOBODY: (i64, i16, i32) = (-1, -1, -1);

fn refused(code: ErrorCode) -> (i16, i64) {
    (code.into(), -1)
}

/// The values of a partition, all there are.
async fn all(brokers: &str, topic: &str, partition: i32) -> Vec<String> {
    let consumer = consumer(brokers, 100);
    assign(&consumer, topic, &[(partition, 0)]);
    let (low, high) = consumer
        .fetch_watermarks(topic, partition, PATIENCE)
        .unwrap();
    values(&consumer, usize::try_from(high - low).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_producers_at_once_fill_partitions_without_holes() {
    const EACH: usize = 3_000;
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 3, "delete", "-1").await;
    let senders = ["a", "b"].map(|name| (name, producer(broker.brokers())));
    let begun = Instant::now();
    let sent = (0..EACH).flat_map(|number| senders.iter().map(move |sender| (number, sender)));
    let sent = sent.map(|(number, (name, sender))| async move {
        let partition = i32::try_from(number % 3).unwrap();
        let value = format!("{name}{number}");
        publish(sender, "events", partition, name, &value).await
    });
    let offsets = futures::future::join_all(sent).await;
    eprintln!("{} records in {:?}", offsets.len(), begun.elapsed());
    for partition in 0..3_i32 {
        let read = all(broker.brokers(), "events", partition).await;
        assert_eq!(read.len(), 2 * EACH / 3);
        for name in ["a", "b"] {
            let numbers = read.iter().filter_map(|value| value.strip_prefix(name));
            let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap()).collect();
            let first = usize::try_from(partition).unwrap();
            let expected: Vec<usize> = (first..EACH).step_by(3).collect();
            assert_eq!(numbers, expected, "in order, and once");
        }
        let consumer = consumer(broker.brokers(), 100);
        let expected = i64::try_from(read.len()).unwrap();
        let marks = consumer.fetch_watermarks("events", partition, PATIENCE);
        assert_eq!(marks.unwrap(), (0, expected));
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_part_is_another_one_than_an_empty_one() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let producer = producer(broker.brokers());
    let headers = [("h", None), ("h", Some("")), ("g", Some("ü"))];
    let headers = headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: *value })
        });
    let parts = [None, Some(""), Some("x")];
    for key in parts {
        for value in parts {
            let mut record = FutureRecord::<str, str>::to("events").timestamp(5);
            (record.key, record.payload) = (key, value);
            record.headers = Some(headers.clone());
            let sent = producer.send(record, Timeout::After(PATIENCE)).await;
            sent.unwrap();
        }
    }
    broker.stop().await;
    let broker = start(dir.path()).await;
    let consumer = consumer(broker.brokers(), 100);
    assign(&consumer, "events", &[(0, 0)]);
    for key in parts {
        for value in parts {
            let message = tokio::time::timeout(PATIENCE, consumer.recv()).await;
            let message = message.unwrap().unwrap();
            // librdkafka shows an empty key as none.
            assert_eq!(
                message.key().unwrap_or_default(),
                key.unwrap_or("").as_bytes()
            );
            assert_eq!(message.payload(), value.map(str::as_bytes));
            assert_eq!(message.timestamp().to_millis(), Some(5));
            let read = message.headers().unwrap();
            let read = read.iter().map(|header| (header.key, header.value));
            let expected = [("h", None), ("h", Some("")), ("g", Some("ü"))];
            let expected = expected.map(|(key, value)| (key, value.map(str::as_bytes)));
            assert_eq!(read.collect::<Vec<_>>(), expected);
        }
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_codec_is_read() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let mut expected = Vec::new();
    for codec in ["gzip", "snappy", "lz4", "none"] {
        let sender: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", broker.brokers())
            .set("compression.type", codec)
            .set("linger.ms", "50")
            .create()
            .unwrap();
        let sent: Vec<String> = (0..50)
            .map(|n| format!("{codec} {n}").repeat(100))
            .collect();
        let all = sent
            .iter()
            .map(|value| publish(&sender, "events", 0, "k", value));
        futures::future::join_all(all).await;
        expected.extend(sent);
    }
    let mut wire = Wire::connect(broker.brokers()).await;
    let zstd = encode(builder(NOBODY, &["zstd"]).attributes(4));
    assert_eq!(wire.produce("events", 0, zstd).await, (0, 200));
    expected.push("zstd".to_owned());
    assert_eq!(all(broker.brokers(), "events", 0).await, expected);
    let unknown = encode(builder(NOBODY, &["x"]));
    let unknown = with_attributes(&unknown, 5);
    assert_eq!(
        wire.produce("events", 0, unknown).await,
        refused(ErrorCode::UnsupportedCompressionType)
    );
    let not_gzip = with_attributes(&batch(NOBODY, &["x"]), 1);
    assert_eq!(
        wire.produce("events", 0, not_gzip).await,
        refused(ErrorCode::CorruptMessage)
    );
    broker.stop().await;
}

/// The batch with other attributes, and the checksum that belongs to it.
fn with_attributes(batch: &[u8], attributes: i16) -> Bytes {
    patched(batch, 21, &attributes.to_be_bytes())
}

/// The batch with other bytes at a place behind its checksum, and the checksum that belongs to it.
fn patched(batch: &[u8], at: usize, bytes: &[u8]) -> Bytes {
    let mut batch = batch.to_vec();
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &batch[21..]);
    batch[17..21].copy_from_slice(&u32::try_from(crc).unwrap().to_be_bytes());
    batch.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_batches_are_refused_with_their_code_and_nothing_else_is() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 2, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let whole = batch(NOBODY, &["a", "b"]);
    let flipped = {
        let mut batch = whole.to_vec();
        *batch.last_mut().unwrap() ^= 1;
        Bytes::from(batch)
    };
    let with_length = |length: i32| {
        let mut batch = whole.to_vec();
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        Bytes::from(batch)
    };
    let of_magic = |magic| {
        let mut batch = whole.to_vec();
        batch[16] = magic;
        Bytes::from(batch)
    };
    let with_tail = [&whole[..], &whole[..20]].concat();
    let cases = [
        (ErrorCode::CorruptMessage, flipped),
        (ErrorCode::CorruptMessage, whole.slice(..whole.len() - 1)),
        (ErrorCode::CorruptMessage, whole.slice(..11)),
        (ErrorCode::CorruptMessage, with_length(-1)),
        (ErrorCode::CorruptMessage, with_length(i32::MAX)),
        (ErrorCode::CorruptMessage, with_length(0)),
        (ErrorCode::CorruptMessage, with_tail.into()),
        (ErrorCode::InvalidRecord, of_magic(1)),
        (ErrorCode::InvalidRecord, Bytes::new()),
        // Control records, those of no transaction, and times that the broker would have to make up.
        (ErrorCode::InvalidRecord, with_attributes(&whole, 1 << 5)),
        (ErrorCode::InvalidTxnState, with_attributes(&whole, 1 << 4)),
        (ErrorCode::InvalidTimestamp, with_attributes(&whole, 1 << 3)),
        // Two records that say to be three, one, none and four milliards.
        (
            ErrorCode::InvalidRecord,
            patched(&whole, 23, &2_i32.to_be_bytes()),
        ),
        (
            ErrorCode::InvalidRecord,
            patched(&whole, 57, &1_i32.to_be_bytes()),
        ),
        (
            ErrorCode::InvalidRecord,
            patched(&whole, 57, &0_i32.to_be_bytes()),
        ),
        (ErrorCode::InvalidRecord, patched(&whole, 57, &[0xff; 4])),
        // A record longer than the batch, one shorter than itself.
        (ErrorCode::InvalidRecord, patched(&whole, 61, &[0x7e])),
        (ErrorCode::InvalidRecord, patched(&whole, 61, &[0x02])),
        (ErrorCode::InvalidRecord, batch((3, 0, -1), &["x"])),
        (ErrorCode::InvalidProducerEpoch, batch((3, -1, 0), &["x"])),
    ];
    for (number, (code, records)) in cases.into_iter().enumerate() {
        let answers = [(0, Some(records)), (1, Some(whole.clone()))];
        let answers = wire.produce_all("events", &answers).await;
        let answers: Vec<_> = answers
            .iter()
            .map(|answer| (answer.index, answer.error_code, answer.base_offset))
            .collect();
        let next = i64::try_from(number * 2).unwrap();
        assert_eq!(
            answers,
            [(0, code.into(), -1), (1, 0, next)],
            "case {number}"
        );
    }
    let absent = wire.produce_all("events", &[(0, None)]).await;
    assert_eq!(absent[0].error_code, i16::from(ErrorCode::InvalidRecord));
    assert_eq!(wire.produce("events", 0, whole.clone()).await, (0, 0));
    let two = [&whole[..], &batch(NOBODY, &["c"])[..]].concat();
    assert_eq!(wire.produce("events", 0, two).await, (0, 2));
    assert_eq!(
        all(broker.brokers(), "events", 0).await,
        ["a", "b", "a", "b", "c"]
    );
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_are_not_there_take_nothing() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let records = batch(NOBODY, &["x"]);
    let unknown = refused(ErrorCode::UnknownTopicOrPartition);
    assert_eq!(wire.produce("absent", 0, records.clone()).await, unknown);
    assert_eq!(wire.produce("events", 1, records.clone()).await, unknown);
    assert_eq!(wire.produce("events", -1, records.clone()).await, unknown);
    assert_eq!(wire.produce("events", 0, records.clone()).await, (0, 0));
    assert_eq!(wire.produce("events", 0, records.clone()).await, (0, 1));
    assert_eq!(all(broker.brokers(), "events", 0).await, ["x", "x"]);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_acknowledgement_gets_none() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let records = [(0, Some(batch(NOBODY, &["x"])))];
    wire.send(&request(0, "events", &records)).await;
    // The next answer on this connection is that of the next request.
    assert_eq!(wire.producer_id().await, 1);
    assert_eq!(all(broker.brokers(), "events", 0).await, ["x"]);
    // A failure shows in the only way left.
    wire.send(&request(0, "absent", &records)).await;
    assert!(wire.answer(0, 8).await.is_none(), "the connection ended");

    let mut wire = Wire::connect(broker.brokers()).await;
    wire.send(&request(2, "events", &records)).await;
    let Some(Body::ProduceResponse(answer)) = wire.answer(0, 8).await else {
        panic!("another answer");
    };
    let code = answer.responses.unwrap()[0]
        .partition_responses
        .as_ref()
        .unwrap()[0]
        .error_code;
    assert_eq!(code, i16::from(ErrorCode::InvalidRequiredAcks));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_ends_too_early_ends_its_connection_only() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let whole = request(-1, "events", &[(0, Some(batch(NOBODY, &["x"])))]);
    for length in 4..whole.len() {
        let mut wire = Wire::connect(broker.brokers()).await;
        let mut cut = whole[..length].to_vec();
        cut[..4].copy_from_slice(&u32::try_from(length - 4).unwrap().to_be_bytes());
        wire.send(&cut).await;
        assert!(wire.answer(0, 8).await.is_none(), "at {length}");
    }
    let mut wire = Wire::connect(broker.brokers()).await;
    assert_eq!(wire.produce("events", 0, batch(NOBODY, &["x"])).await.1, 0);
    broker.stop().await;
}

async fn database(dir: &Path) -> libsql::Connection {
    let file = libsql::Builder::new_local(dir.join("log.db"));
    let connection = file.build().await.unwrap().connect().unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_keeps_nothing_and_is_tried_again() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 2, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let id = wire.producer_id().await;
    assert_eq!(
        wire.produce("events", 0, batch((id, 0, 0), &["0"])).await,
        (0, 0)
    );
    let file = database(dir.path()).await;
    file.execute(
        "CREATE TRIGGER full BEFORE INSERT ON record WHEN new.topition = 2
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        (),
    )
    .await
    .unwrap();
    let both = [
        (0, Some(batch((id, 0, 1), &["1"]))),
        (1, Some(batch((id, 0, 0), &["a"]))),
    ];
    for _ in 0..3 {
        let answers = wire.produce_all("events", &both).await;
        let codes: Vec<i16> = answers.iter().map(|answer| answer.error_code).collect();
        assert_eq!(codes, [i16::from(ErrorCode::KafkaStorageError); 2]);
    }
    file.execute("DROP TRIGGER full", ()).await.unwrap();
    let answers = wire.produce_all("events", &both).await;
    let answers: Vec<_> = answers
        .iter()
        .map(|answer| (answer.error_code, answer.base_offset))
        .collect();
    assert_eq!(answers, [(0, 1), (0, 0)]);
    assert_eq!(all(broker.brokers(), "events", 0).await, ["0", "1"]);
    assert_eq!(all(broker.brokers(), "events", 1).await, ["a"]);
    broker.stop().await;
}

/// Everything that an append leaves in the file, in words.
async fn contents(dir: &Path) -> Vec<String> {
    let file = database(dir).await;
    let mut contents = Vec::new();
    for sql in [
        "SELECT topition, offset_id, attributes, producer_id, producer_epoch, timestamp, hex(v), v IS NULL, typeof(v), hex(k), k IS NULL, typeof(k) FROM record ORDER BY 1, 2",
        "SELECT topition, offset_id, hex(k), typeof(k), hex(v), typeof(v) FROM header ORDER BY 1, 2, rowid",
        "SELECT topition, low, high FROM watermark ORDER BY 1",
        "SELECT producer, epoch FROM producer_epoch ORDER BY 1, 2",
        "SELECT producer_epoch, topition, sequence FROM producer_detail ORDER BY 1, 2",
    ] {
        let mut rows = file.query(sql, ()).await.unwrap();
        while let Some(row) = rows.next().await.unwrap() {
            let cells = (0..row.column_count()).map(|column| row.get_value(column).unwrap());
            contents.push(format!("{:?}", cells.collect::<Vec<_>>()));
        }
        contents.push(String::new());
    }
    contents
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_as_nisshi_would_have_written_it() {
    use nisshi_sans_io::record::{Header, Record};
    let bytes = Bytes::from_static;
    let record = |delta: i32| {
        Record::builder()
            .offset_delta(delta)
            .timestamp_delta(i64::from(delta) * 3)
    };
    let full = |producer, values: &[&str]| {
        let next = i32::try_from(values.len()).unwrap();
        builder(producer, values)
            .record(
                record(next)
                    .key(Some(bytes(b"k")))
                    .value(Some(bytes(b"v")))
                    .header(Header::builder().key(bytes(b"a")).value(bytes(b"b")))
                    .header(Header::builder().key(bytes(b"a")))
                    .header(Header::builder().key(bytes(b"")).value(bytes(b""))),
            )
            .record(record(next + 1).key(Some(bytes(b""))).value(None))
            .record(record(next + 2).value(Some(bytes(b""))))
            .last_offset_delta(next + 2)
    };
    let (ours, theirs) = (data_dir(), data_dir());
    for dir in [&ours, &theirs] {
        let broker = start(dir.path()).await;
        make_topic(broker.brokers(), "other", 1, "delete", "-1").await;
        make_topic(broker.brokers(), "events", 2, "delete", "-1").await;
        let mut wire = Wire::connect(broker.brokers()).await;
        let (one, two) = (wire.producer_id().await, wire.producer_id().await);
        assert_eq!((one, two), (1, 2));
        broker.stop().await;
    }
    let batches = [
        (0, full((1, 0, 0), &["x"])),
        (1, full((2, 0, 0), &[])),
        (0, full((1, 0, 4), &["y", "z"]).attributes(1)),
        (0, full(NOBODY, &["n"]).attributes(4)),
        (1, full((1, 0, 0), &["x"])),
    ];
    let broker = start(ours.path()).await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let location = Location::of(theirs.path()).unwrap();
    let storage = open_storage(
        &location,
        "127.0.0.1:9".parse().unwrap(),
        CancellationToken::new(),
    )
    .await
    .unwrap();
    for (partition, batch) in batches {
        let (error, offset) = wire
            .produce("events", partition, encode(batch.clone()))
            .await;
        assert_eq!(error, 0);
        let batch = deflated::Batch::try_from(batch.build().unwrap()).unwrap();
        let place = Topition::new("events", partition);
        assert_eq!(storage.produce(None, &place, batch).await.unwrap(), offset);
    }
    broker.stop().await;
    drop(storage);
    let (ours, theirs) = (contents(ours.path()).await, contents(theirs.path()).await);
    assert_eq!(ours, theirs);
    assert!(ours.len() > 20, "{ours:#?}");
}
