//! Tests fetches, and lookups of offsets.

use std::time::Instant;

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
        OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic},
    },
};

use super::{
    wire::{Wire, batch, request_frame, topic_name},
    *,
};
use crate::batch::Head;

fn fetch(partitions: &[(i32, i64)]) -> FetchRequest {
    let partitions = partitions.iter().map(|(partition, offset)| {
        FetchPartition::default()
            .with_partition(*partition)
            .with_fetch_offset(*offset)
            .with_partition_max_bytes(1_000_000)
    });
    let topic = FetchTopic::default()
        .with_topic(topic_name("events"))
        .with_partitions(partitions.collect());
    FetchRequest::default()
        .with_max_bytes(10_000_000)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

fn partitions(response: &FetchResponse) -> &[PartitionData] {
    assert_eq!(response.error_code, 0);
    &response.responses[0].partitions
}

/// The base offsets of the batches of a response.
fn bases(data: &PartitionData) -> Vec<i64> {
    let mut rest = data.records.clone().unwrap();
    let mut bases = Vec::new();
    while !rest.is_empty() {
        let length = i32::from_be_bytes(rest[8..12].try_into().unwrap());
        let batch = rest.split_to(12 + usize::try_from(length).unwrap());
        bases.push(Head::read(&batch).unwrap().base_offset);
    }
    bases
}

async fn with_records(dir: &Path) -> (Broker, Wire) {
    let broker = start(dir).await;
    make_topic(&broker, "events", 3).await;
    let mut wire = Wire::connect(&broker).await;
    for base in [0, 3, 6] {
        let records = batch(&[(100 + base, "a"), (300 + base, "b"), (200 + base, "c")]);
        assert_eq!(wire.produce("events", 0, records).await, (0, base));
    }
    (broker, wire)
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_batches_are_returned_whole_from_any_offset() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    for (offset, expected) in [
        (0, &[0, 3, 6][..]),
        (2, &[0, 3, 6]),
        (3, &[3, 6]),
        (5, &[3, 6]),
        (8, &[6]),
        (9, &[]),
    ] {
        let response = wire.call(11, &fetch(&[(0, offset)])).await;
        let data = &partitions(&response)[0];
        assert_eq!(bases(data), expected, "from {offset}");
        assert_eq!((data.high_watermark, data.last_stable_offset), (9, 9));
        assert_eq!(data.log_start_offset, 0);
    }
    // Exactly one batch, even for the smallest request.
    let mut small = fetch(&[(0, 0)]);
    small.max_bytes = 1;
    small.topics[0].partitions[0].partition_max_bytes = 1;
    let response = wire.call(11, &small).await;
    assert_eq!(bases(&partitions(&response)[0]), [0]);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_a_fetch_are_returned_at_once() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    let waiting = |partitions: &[(i32, i64)]| {
        fetch(partitions)
            .with_max_wait_ms(60_000)
            .with_min_bytes(1_000_000)
    };
    let begun = Instant::now();
    for (partition, offset, error) in [
        (0, 10, Error::OffsetOutOfRange),
        (0, -1, Error::OffsetOutOfRange),
        (3, 0, Error::UnknownTopicOrPartition),
    ] {
        let request = waiting(&[(1, 0), (partition, offset)]);
        let response = wire.call(11, &request).await;
        let data = &partitions(&response)[1];
        assert_eq!(data.error_code, error.code());
        assert_eq!(data.high_watermark, -1);
    }
    for (epoch, error) in [(1, Error::UnknownLeaderEpoch.code()), (0, 0), (-1, 0)] {
        let mut request = fetch(&[(0, 0)]);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        let response = wire.call(11, &request).await;
        assert_eq!(partitions(&response)[0].error_code, error);
    }
    let session = fetch(&[(0, 0)]).with_session_id(5).with_session_epoch(1);
    let response = wire.call(11, &session).await;
    assert_eq!(response.error_code, Error::FetchSessionIdNotFound.code());
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_fetch_is_woken_by_a_produce_into_any_of_its_partitions() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    let mut reader = Wire::connect(&broker).await;
    let mut offsets = [(0, 9), (1, 0), (2, 0)];
    for partition in [2, 1, 0] {
        let waiting = fetch(&offsets).with_max_wait_ms(60_000).with_min_bytes(1);
        reader.send(&request_frame(11, 1, &waiting)).await;
        let one = batch(&[(1, "woken")]);
        // The fetch also returns if the produce comes first, so the order does not matter.
        assert_eq!(wire.produce("events", partition, one).await.0, 0);
        let (_, response) = reader.answer::<FetchResponse>(11).await.unwrap();
        let index = usize::try_from(partition).unwrap();
        assert_eq!(bases(&partitions(&response)[index]).len(), 1);
        offsets[index].1 += 1;
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_waits_for_its_minimum_of_bytes() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    let mut reader = Wire::connect(&broker).await;
    let one = batch(&[(1, "x")]);
    let least = i32::try_from(one.len() * 3).unwrap();
    let waiting = fetch(&[(1, 0), (2, 0)])
        .with_max_wait_ms(60_000)
        .with_min_bytes(least);
    reader.send(&request_frame(11, 1, &waiting)).await;
    for partition in [1, 2, 1] {
        assert_eq!(wire.produce("events", partition, one.clone()).await.0, 0);
    }
    let (_, response) = reader.answer::<FetchResponse>(11).await.unwrap();
    let data = partitions(&response);
    assert_eq!((bases(&data[0]).len(), bases(&data[1]).len()), (2, 1));
    // Without enough bytes the fetch waits for its whole time.
    let brief = fetch(&[(2, 1)]).with_max_wait_ms(50).with_min_bytes(1);
    let begun = Instant::now();
    let response = wire.call(11, &brief).await;
    assert!(bases(&partitions(&response)[0]).is_empty());
    assert!(begun.elapsed() >= Duration::from_millis(50));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_fetches_are_answered_when_the_broker_stops_or_the_topic_is_deleted() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    make_topic(&broker, "other", 1).await;
    let mut waiting = fetch(&[(0, 0)]).with_max_wait_ms(60_000).with_min_bytes(1);
    waiting.topics[0].topic = topic_name("other");
    wire.send(&request_frame(11, 1, &waiting)).await;
    let deleted = admin(&broker)
        .delete_topics(&["other"], &AdminOptions::new())
        .await
        .unwrap();
    assert_eq!(deleted, [Ok("other".to_owned())]);
    let (_, response) = wire.answer::<FetchResponse>(11).await.unwrap();
    let error = partitions(&response)[0].error_code;
    assert_eq!(error, Error::UnknownTopicOrPartition.code());

    let waiting = fetch(&[(0, 9)]).with_max_wait_ms(60_000).with_min_bytes(1);
    // Both requests are sent in one piece. When the produce is answered, the broker has read the fetch too.
    let produce = super::wire::produce(-1, "events", 1, batch(&[(1, "x")]));
    let both = [
        request_frame(9, 2, &produce),
        request_frame(11, 3, &waiting),
    ];
    wire.send(&both.concat()).await;
    assert!(wire.frame().await.is_some());
    let begun = Instant::now();
    broker.stop().await;
    let (_, response) = wire.answer::<FetchResponse>(11).await.unwrap();
    assert!(bases(&partitions(&response)[0]).is_empty());
    assert!(begun.elapsed() < PATIENCE / 2);
    assert!(wire.frame().await.is_none(), "the connection ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_by_time_are_exact_to_the_record() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    // Offset, time, epoch.
    for (time, expected) in [
        (-1, (9, -1, 0)),
        (-2, (0, -1, 0)),
        (-3, (7, 306, 0)),
        (-4, (0, -1, 0)),
        (-5, (-1, -1, -1)),
        (0, (0, 100, 0)),
        (100, (0, 100, 0)),
        (101, (1, 300, 0)),
        (301, (4, 303, 0)),
        (306, (7, 306, 0)),
        (307, (-1, -1, -1)),
    ] {
        let (error, found) = list(&mut wire, 0, time).await;
        assert_eq!((error, found), (0, expected), "{time}");
    }
    for (time, expected) in [
        (-1, (0, -1, -1)),
        (-2, (0, -1, -1)),
        (-3, (-1, -1, -1)),
        (0, (-1, -1, -1)),
    ] {
        let (error, found) = list(&mut wire, 1, time).await;
        assert_eq!(
            (error, found),
            (0, expected),
            "{time} in an empty partition"
        );
    }
    let (error, _) = list(&mut wire, 3, -1).await;
    assert_eq!(error, Error::UnknownTopicOrPartition.code());
    let (error, _) = list(&mut wire, 0, -9).await;
    assert_eq!(error, Error::UnsupportedVersion.code());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_returns_offsets() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    for version in 1..=10 {
        let partition = ListOffsetsPartition::default().with_timestamp(-1);
        let topic = ListOffsetsTopic::default()
            .with_name(topic_name("events"))
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default().with_topics(vec![topic]);
        let response: ListOffsetsResponse = wire.call(version, &request).await;
        let found = &response.topics[0].partitions[0];
        let epoch = if version < 4 { -1 } else { 0 };
        assert_eq!((found.offset, found.leader_epoch), (9, epoch));
    }
    broker.stop().await;
}

async fn list(wire: &mut Wire, partition: i32, time: i64) -> (i16, (i64, i64, i32)) {
    let partition = ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_timestamp(time);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name("events"))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default().with_topics(vec![topic]);
    let response: ListOffsetsResponse = wire.call(10, &request).await;
    let found = &response.topics[0].partitions[0];
    let place = (found.offset, found.timestamp, found.leader_epoch);
    (found.error_code, place)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_epoch_ends_where_the_partition_does() {
    let dir = data_dir();
    let (broker, mut wire) = with_records(dir.path()).await;
    for (known, epoch, expected) in [
        (0, 0, (0, 0, 9)),
        (-1, 0, (0, 0, 9)),
        (0, 1, (0, -1, -1)),
        (5, 0, (Error::UnknownLeaderEpoch.code(), -1, -1)),
    ] {
        let partition = OffsetForLeaderPartition::default()
            .with_partition(0)
            .with_current_leader_epoch(known)
            .with_leader_epoch(epoch);
        let topic = OffsetForLeaderTopic::default()
            .with_topic(topic_name("events"))
            .with_partitions(vec![partition]);
        let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
        let response: OffsetForLeaderEpochResponse = wire.call(4, &request).await;
        let found = &response.topics[0].partitions[0];
        let found = (found.error_code, found.leader_epoch, found.end_offset);
        assert_eq!(found, expected);
    }
    broker.stop().await;
}
