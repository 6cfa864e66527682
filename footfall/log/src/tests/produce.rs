//! Tests produce requests: order, acknowledgements and refusals.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError as Error,
    messages::{
        InitProducerIdRequest, InitProducerIdResponse, ProduceResponse, TransactionalId,
        api_versions_response::ApiVersion,
    },
};

use super::{
    wire::{Wire, batch, changed, produce, request_frame, sequenced, string},
    *,
};

#[tokio::test(flavor = "multi_thread")]
async fn librdkafka_consumes_its_own_records_with_every_codec() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 2).await;
    for (offset, codec) in (0..).zip(["none", "gzip", "lz4", "snappy"]) {
        let producer: FutureProducer = client(&broker)
            .set("compression.type", codec)
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        assert_eq!(
            publish(&producer, "events", 1, &codec.repeat(50)).await,
            offset
        );
    }
    let reader = consumer(&broker);
    assign(&reader, "events", 1, 0);
    let all = ["none", "gzip", "lz4", "snappy"].map(|codec| codec.repeat(50));
    assert_eq!(values(&reader, 4).await, all);
    assign(&reader, "events", 1, 2);
    assert_eq!(values(&reader, 2).await, all[2..]);
    broker.stop().await;
    // The same after a restart.
    let broker = start(dir.path()).await;
    let reader = consumer(&broker);
    assign(&reader, "events", 1, 0);
    assert_eq!(values(&reader, 4).await, all);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_before_a_bad_one_are_answered() {
    const GOOD: i32 = 3;
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let good = |id| request_frame(9, id, &produce(-1, "events", 0, batch(&[(1, "x")])));
    // A body that ends too early, an unknown version, and a length that no request may have.
    let cut = {
        let whole = good(GOOD);
        let length = u32::try_from(whole.len() - 8).unwrap();
        let mut frame = whole.slice(..whole.len() - 4).to_vec();
        frame[..4].copy_from_slice(&length.to_be_bytes());
        frame
    };
    let unknown = {
        let mut frame = good(GOOD).to_vec();
        frame[6..8].copy_from_slice(&99_i16.to_be_bytes());
        frame
    };
    for bad in [cut, unknown, vec![0xff; 4]] {
        let mut wire = Wire::connect(&broker).await;
        let mut frames: Vec<u8> = (0..GOOD).flat_map(good).collect();
        frames.extend_from_slice(&bad);
        wire.send(&frames).await;
        for id in 0..GOOD {
            let (answered, response) = wire.answer::<ProduceResponse>(9).await.expect("an answer");
            assert_eq!(answered, id);
            let partition = &response.responses[0].partition_responses[0];
            assert_eq!(partition.error_code, 0);
        }
        assert_eq!(wire.frame().await, None);
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_appended_and_answered_in_order() {
    const COUNT: i32 = 100;
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let mut wire = Wire::connect(&broker).await;
    let init = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_producer_id((-1).into());
    let made: InitProducerIdResponse = wire.call(4, &init).await;
    assert_eq!((made.error_code, made.producer_epoch), (0, 0));
    // Batches of an idempotent producer: one out of order would be refused.
    let mut frames = Vec::new();
    for sequence in 0..COUNT {
        let records = sequenced(&batch(&[(1, "x")]), made.producer_id.0, 0, sequence);
        let request = produce(-1, "events", 0, records);
        frames.extend_from_slice(&request_frame(9, sequence, &request));
    }
    wire.send(&frames).await;
    for sequence in 0..COUNT {
        let answer = wire.answer::<ProduceResponse>(9).await;
        let (correlation_id, response) = answer.unwrap();
        let partition = &response.responses[0].partition_responses[0];
        assert_eq!(correlation_id, sequence);
        assert_eq!(partition.error_code, 0);
        assert_eq!(partition.base_offset, i64::from(sequence));
    }
    // The last one again gets the same response and is not appended.
    let again = sequenced(&batch(&[(1, "x")]), made.producer_id.0, 0, COUNT - 1);
    let known = i64::from(COUNT - 1);
    assert_eq!(wire.produce("events", 0, again).await, (0, known));
    let ahead = sequenced(&batch(&[(1, "x")]), made.producer_id.0, 0, COUNT + 1);
    let (error, _) = wire.produce("events", 0, ahead).await;
    assert_eq!(error, Error::OutOfOrderSequenceNumber.code());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_without_acknowledgements_gets_no_response() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let mut wire = Wire::connect(&broker).await;
    let silent = produce(0, "events", 0, batch(&[(1, "a")]));
    wire.send(&request_frame(9, 1, &silent)).await;
    // The next response belongs to the next request.
    assert_eq!(wire.produce("events", 0, batch(&[(1, "b")])).await, (0, 1));
    let failing = produce(0, "absent", 0, batch(&[(1, "a")]));
    wire.send(&request_frame(9, 2, &failing)).await;
    assert!(wire.frame().await.is_none(), "the connection ends");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_batches_leave_the_log_unchanged() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let mut wire = Wire::connect(&broker).await;
    let whole = batch(&[(1, "a"), (1, "b")]);
    let damaged: Bytes = {
        let mut bytes = whole.to_vec();
        bytes[70] ^= 1;
        bytes.into()
    };
    let large = batch(&[(1, &"x".repeat(1_100_000))]);
    let transactional = changed(&whole, |bytes| bytes[22] |= 16);
    let control = changed(&whole, |bytes| bytes[22] |= 32);
    for (records, error) in [
        (damaged, Error::CorruptMessage),
        (whole.slice(..40), Error::CorruptMessage),
        (Bytes::new(), Error::InvalidRecord),
        (large, Error::MessageTooLarge),
        (transactional, Error::TransactionalIdAuthorizationFailed),
        (control, Error::InvalidRecord),
    ] {
        assert_eq!(
            wire.produce("events", 0, records).await,
            (error.code(), -1),
            "{error}"
        );
    }
    for (topic, partition) in [("absent", 0), ("events", 1), ("events", -1)] {
        let (error, _) = wire.produce(topic, partition, whole.clone()).await;
        assert_eq!(error, Error::UnknownTopicOrPartition.code());
    }
    let strange = produce(7, "events", 0, whole.clone());
    let response: ProduceResponse = wire.call(9, &strange).await;
    let refused = response.responses[0].partition_responses[0].error_code;
    assert_eq!(refused, Error::InvalidRequiredAcks.code());
    let transaction = produce(-1, "events", 0, whole.clone())
        .with_transactional_id(Some(TransactionalId(string("t"))));
    let response: ProduceResponse = wire.call(9, &transaction).await;
    let refused = response.responses[0].partition_responses[0].error_code;
    assert_eq!(refused, Error::TransactionalIdAuthorizationFailed.code());
    let init =
        InitProducerIdRequest::default().with_transactional_id(Some(TransactionalId(string("t"))));
    let refused: InitProducerIdResponse = wire.call(4, &init).await;
    assert_eq!(
        refused.error_code,
        Error::TransactionalIdAuthorizationFailed.code()
    );
    assert_eq!(wire.produce("events", 0, whole).await, (0, 0));
    broker.stop().await;
}

/// After this error, Java's producers start their next epoch only if the response has the log's start offset.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_producer_learns_the_start_offset_of_the_log() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let mut wire = Wire::connect(&broker).await;
    let forgotten = sequenced(&batch(&[(1, "x")]), 4711, 0, 5);
    let request = produce(-1, "events", 0, forgotten);
    let response: ProduceResponse = wire.call(9, &request).await;
    let partition = &response.responses[0].partition_responses[0];
    assert_eq!(partition.error_code, Error::UnknownProducerId.code());
    assert_eq!((partition.base_offset, partition.log_start_offset), (-1, 0));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_found_by_their_ids() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let mut wire = Wire::connect(&broker).await;
    let id = super::topics::topic_id(&mut wire, "events").await;
    for (id, error) in [(id, 0), (uuid::Uuid::from_u128(7), 100)] {
        let mut request = produce(-1, "", 0, batch(&[(1, "a")]));
        request.topic_data[0].topic_id = id;
        let response: ProduceResponse = wire.call(13, &request).await;
        let topic = &response.responses[0];
        assert_eq!(topic.topic_id, id);
        assert_eq!(topic.partition_responses[0].error_code, error);
    }
    broker.stop().await;
}

/// Clients use the newest version that both sides support, so the codec must have every supported version.
#[tokio::test]
async fn every_supported_version_can_be_decoded() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut wire = Wire::connect(&broker).await;
    let request = kafka_protocol::messages::ApiVersionsRequest::default();
    let offered = wire.call(0, &request).await;
    for ApiVersion {
        api_key,
        min_version,
        max_version,
        ..
    } in offered.api_keys
    {
        let key = kafka_protocol::messages::ApiKey::try_from(api_key).unwrap();
        let range = key.valid_versions();
        assert!(
            range.min <= min_version && max_version <= range.max,
            "{key:?}"
        );
    }
    broker.stop().await;
}
