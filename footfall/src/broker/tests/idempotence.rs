//! Idempotent producers: what they send again is not stored again, and nothing is missing between.

use nisshi_sans_io::ErrorCode;
use runtime::{
    kafka::KafkaSettings,
    producer::{Position, Producer, Record, SendError},
};

use super::{
    wire::{Wire, batch},
    *,
};

fn refused(code: ErrorCode) -> (i16, i64) {
    (code.into(), -1)
}

async fn read(brokers: &str, count: usize) -> Vec<String> {
    let consumer = consumer(brokers, 100);
    assign(&consumer, "events", &[(0, 0)]);
    let (_, high) = consumer.fetch_watermarks("events", 0, PATIENCE).unwrap();
    assert_eq!(high, i64::try_from(count).unwrap());
    values(&consumer, count).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_batch_is_answered_with_its_place_and_stored_once() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 2, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let id = wire.producer_id().await;
    for sequence in 0..6 {
        let next = batch((id, 0, sequence * 2), &["x", "y"]);
        let offset = i64::from(sequence) * 2;
        assert_eq!(wire.produce("events", 0, next).await, (0, offset));
    }
    for sequence in 1..6 {
        let again = batch((id, 0, sequence * 2), &["x", "y"]);
        let offset = i64::from(sequence) * 2;
        assert_eq!(wire.produce("events", 0, again).await, (0, offset));
    }
    // Before the last five: appended, nobody knows where. A part of a batch: no client does that.
    let first = batch((id, 0, 0), &["x", "y"]);
    let duplicate = refused(ErrorCode::DuplicateSequenceNumber);
    assert_eq!(wire.produce("events", 0, first).await, duplicate);
    let gap = refused(ErrorCode::OutOfOrderSequenceNumber);
    let over_the_end = batch((id, 0, 11), &["y", "z"]);
    assert_eq!(wire.produce("events", 0, over_the_end).await, gap);
    let too_early = batch((id, 0, 13), &["z"]);
    assert_eq!(wire.produce("events", 0, too_early).await, gap);
    // A repetition and what follows it, in one request.
    let both = [
        &batch((id, 0, 10), &["x", "y"])[..],
        &batch((id, 0, 12), &["z"])[..],
    ];
    assert_eq!(wire.produce("events", 0, both.concat()).await, (0, 10));
    // If one is refused, so are all.
    let torn = [
        &batch((id, 0, 13), &["a"])[..],
        &batch((id, 0, 15), &["b"])[..],
    ];
    assert_eq!(wire.produce("events", 0, torn.concat()).await, gap);
    assert_eq!(
        wire.produce("events", 0, batch((id, 0, 13), &["a"])).await,
        (0, 13)
    );
    // Each partition counts for itself.
    let elsewhere = batch((id, 0, 14), &["a"]);
    assert_eq!(wire.produce("events", 1, elsewhere).await, gap);
    let elsewhere = batch((id, 0, 0), &["a"]);
    assert_eq!(wire.produce("events", 1, elsewhere).await, (0, 0));
    let nobody = batch((id + 1, 0, 0), &["x"]);
    let unknown = refused(ErrorCode::UnknownProducerId);
    assert_eq!(wire.produce("events", 0, nobody).await, unknown);
    assert_eq!(read(broker.brokers(), 14).await.concat(), "xyxyxyxyxyxyza");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_goes_on_in_the_next_epoch_from_its_beginning() {
    let dir = data_dir();
    let mut broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let id = wire.producer_id().await;
    let gap = refused(ErrorCode::OutOfOrderSequenceNumber);
    let fenced = refused(ErrorCode::InvalidProducerEpoch);
    assert_eq!(
        wire.produce("events", 0, batch((id, 0, 0), &["a", "b"]))
            .await,
        (0, 0)
    );
    assert_eq!(
        wire.produce("events", 0, batch((id, 1, 2), &["c"])).await,
        gap
    );
    assert_eq!(
        wire.produce("events", 0, batch((id, 1, 0), &["c"])).await,
        (0, 2)
    );
    // The same in the file as in memory.
    for _ in 0..2 {
        assert_eq!(
            wire.produce("events", 0, batch((id, 0, 2), &["d"])).await,
            fenced
        );
        assert_eq!(
            wire.produce("events", 0, batch((id, 1, 2), &["d"])).await,
            gap
        );
        broker.stop().await;
        broker = start(dir.path()).await;
        wire = Wire::connect(broker.brokers()).await;
    }
    assert_eq!(
        wire.produce("events", 0, batch((id, 1, 1), &["d"])).await,
        (0, 3)
    );
    // Epochs may be left out: one that had nothing to say here.
    assert_eq!(
        wire.produce("events", 0, batch((id, 9, 0), &["e"])).await,
        (0, 4)
    );
    assert_eq!(read(broker.brokers(), 5).await.concat(), "abcde");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_no_sequence() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let id = wire.producer_id().await;
    for (sequence, value) in [(0, "a"), (1, "b")] {
        let next = batch((id, 0, sequence), &[value]);
        assert_eq!(wire.produce("events", 0, next).await.0, 0);
    }
    broker.stop().await;
    let broker = start(dir.path()).await;
    let mut wire = Wire::connect(broker.brokers()).await;
    // Its answer may have been lost with the broker: clients take this for it.
    let again = batch((id, 0, 1), &["b"]);
    let duplicate = refused(ErrorCode::DuplicateSequenceNumber);
    assert_eq!(wire.produce("events", 0, again).await, duplicate);
    let gap = refused(ErrorCode::OutOfOrderSequenceNumber);
    let too_early = batch((id, 0, 3), &["d"]);
    assert_eq!(wire.produce("events", 0, too_early).await, gap);
    let next = batch((id, 0, 2), &["c"]);
    assert_eq!(wire.produce("events", 0, next.clone()).await, (0, 2));
    assert_eq!(wire.produce("events", 0, next).await, (0, 2));
    assert_eq!(read(broker.brokers(), 3).await.concat(), "abc");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_go_round() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(broker.brokers(), "events", 1, "delete", "-1").await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let id = wire.producer_id().await;
    let file = dir.path().join("log.db");
    let file = libsql::Builder::new_local(file).build().await.unwrap();
    let progress = "INSERT INTO producer_detail (producer_epoch, topition, sequence)
        SELECT id, 1, ?2 FROM producer_epoch WHERE producer = ?1";
    let progress = file
        .connect()
        .unwrap()
        .execute(progress, libsql::params![id, i32::MAX - 1])
        .await;
    assert_eq!(progress.unwrap(), 1);
    let across = batch((id, 0, i32::MAX - 1), &["a", "b", "c"]);
    assert_eq!(wire.produce("events", 0, across.clone()).await, (0, 0));
    assert_eq!(wire.produce("events", 0, across).await, (0, 0));
    let gap = refused(ErrorCode::OutOfOrderSequenceNumber);
    let too_early = batch((id, 0, 2), &["e"]);
    assert_eq!(wire.produce("events", 0, too_early).await, gap);
    let next = batch((id, 0, 1), &["d"]);
    assert_eq!(wire.produce("events", 0, next).await, (0, 3));
    broker.stop().await;
}

async fn send(producer: &Producer, value: &str) -> Result<Position, SendError> {
    let record = Record {
        topic: "events",
        key: "k",
        payload: value.as_bytes(),
        headers: &[],
    };
    producer.send(&[record]).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_gave_up_a_record_goes_on_itself() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let brokers = broker.brokers().to_owned();
    let port = brokers.rsplit(':').next().unwrap().parse().unwrap();
    make_topic(&brokers, "events", 1, "delete", "-1").await;
    let producer = Producer::new(&KafkaSettings::new(brokers.clone())).unwrap();
    send(&producer, "before").await.unwrap();
    broker.stop().await;
    let lost = send(&producer, "given up").await;
    assert!(
        matches!(lost, Err(SendError::Unacknowledged(_))),
        "{lost:?}"
    );
    let broker = EmbeddedBroker::start(dir.path(), Some(port)).await.unwrap();
    for (offset, value) in [(1, "after"), (2, "and again")] {
        let position = send(&producer, value).await.unwrap();
        assert_eq!(position.offset, offset);
    }
    assert_eq!(read(&brokers, 3).await, ["before", "after", "and again"]);
    broker.stop().await;
    let file = libsql::Builder::new_local(dir.path().join("log.db"));
    let file = file.build().await.unwrap().connect().unwrap();
    let epochs = "SELECT count(DISTINCT producer), count(*), max(epoch) FROM producer_epoch";
    let mut rows = file.query(epochs, ()).await.unwrap();
    let row = rows.next().await.unwrap().unwrap();
    let numbers = [0, 1, 2].map(|column| row.get::<i64>(column).unwrap());
    assert_eq!(numbers, [1, 2, 1], "one producer in two epochs");
}
