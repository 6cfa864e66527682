//! A client without opinions: requests as bytes, answers as the protocol has them.

use bytes::{BufMut as _, Bytes, BytesMut};
use nisshi_sans_io::{
    ApiKey, Body, Frame, Header, InitProducerIdRequest, ProduceResponse,
    produce_response::PartitionProduceResponse,
    record::{Record, deflated, inflated},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The newest version of produce requests whose lengths are all of a fixed size.
const PRODUCE_VERSION: i16 = 8;
const INIT_VERSION: i16 = 4;

/// A connection to a broker.
pub(super) struct Wire(TcpStream);

impl Wire {
    pub(super) async fn connect(brokers: &str) -> Self {
        Self(TcpStream::connect(brokers).await.unwrap())
    }

    pub(super) async fn call<Q: ApiKey + Into<Body>>(&mut self, version: i16, request: Q) -> Body {
        let header = Header::Request {
            api_key: Q::KEY,
            api_version: version,
            correlation_id: 7,
            client_id: Some("wire".to_owned()),
        };
        self.send(&Frame::request(header, request.into()).unwrap())
            .await;
        self.answer(Q::KEY, version).await.expect("an answer")
    }

    pub(super) async fn send(&mut self, frame: &[u8]) {
        self.0.write_all(frame).await.unwrap();
    }

    /// The next answer; none if the connection ended.
    pub(super) async fn answer(&mut self, api_key: i16, version: i16) -> Option<Body> {
        let length = self.0.read_u32().await.ok()?;
        let mut answer = length.to_be_bytes().to_vec();
        answer.resize(4 + usize::try_from(length).unwrap(), 0);
        self.0.read_exact(&mut answer[4..]).await.unwrap();
        let frame = Frame::response_from_bytes(&answer[..], api_key, version).unwrap();
        assert_eq!(frame.correlation_id().unwrap(), 7);
        Some(frame.body)
    }

    /// A new idempotent producer.
    pub(super) async fn producer_id(&mut self) -> i64 {
        let request = InitProducerIdRequest::default()
            .transactional_id(None)
            .transaction_timeout_ms(0)
            .producer_id(Some(-1))
            .producer_epoch(Some(-1));
        let Body::InitProducerIdResponse(made) = self.call(INIT_VERSION, request).await else {
            panic!("another answer");
        };
        assert_eq!((made.error_code, made.producer_epoch), (0, 0));
        made.producer_id
    }

    /// Asks for these bytes to be appended to these partitions of one topic.
    pub(super) async fn produce_all(
        &mut self,
        topic: &str,
        records: &[(i32, Option<Bytes>)],
    ) -> Vec<PartitionProduceResponse> {
        self.send(&request(-1, topic, records)).await;
        let answer = self.answer(0, PRODUCE_VERSION).await.expect("an answer");
        let mut answer = ProduceResponse::try_from(answer).unwrap();
        let mut topics = answer.responses.take().unwrap();
        assert_eq!(topics.len(), 1);
        topics[0].partition_responses.take().unwrap()
    }

    /// The same for one partition: the error's code and the first offset.
    pub(super) async fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        records: impl Into<Bytes>,
    ) -> (i16, i64) {
        let records = [(partition, Some(records.into()))];
        let answers = self.produce_all(topic, &records).await;
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].index, partition);
        (answers[0].error_code, answers[0].base_offset)
    }
}

/// A produce request as it is sent.
pub(super) fn request(acks: i16, topic: &str, records: &[(i32, Option<Bytes>)]) -> Bytes {
    let short = |text: &str| i16::try_from(text.len()).unwrap();
    let long = |length: usize| i32::try_from(length).unwrap();
    let mut body = BytesMut::new();
    body.put_i16(0);
    body.put_i16(PRODUCE_VERSION);
    body.put_i32(7);
    body.put_i16(short("wire"));
    body.put_slice(b"wire");
    // No transaction.
    body.put_i16(-1);
    body.put_i16(acks);
    body.put_i32(1_000);
    body.put_i32(1);
    body.put_i16(short(topic));
    body.put_slice(topic.as_bytes());
    body.put_i32(long(records.len()));
    for (index, records) in records {
        body.put_i32(*index);
        body.put_i32(records.as_ref().map_or(-1, |records| long(records.len())));
        body.put_slice(records.as_deref().unwrap_or_default());
    }
    let mut frame = BytesMut::new();
    frame.put_i32(long(body.len()));
    frame.put(body);
    frame.freeze()
}

/// A batch of these values by that producer (id, epoch, first sequence); by none if the id is -1.
pub(super) fn batch(producer: (i64, i16, i32), values: &[&str]) -> Bytes {
    encode(builder(producer, values))
}

pub(super) fn builder(producer: (i64, i16, i32), values: &[&str]) -> inflated::Builder {
    let (id, epoch, sequence) = producer;
    let batch = inflated::Batch::builder()
        .producer_id(id)
        .producer_epoch(epoch)
        .base_sequence(sequence)
        .base_timestamp(1_000_000)
        .max_timestamp(1_000_000)
        .last_offset_delta(i32::try_from(values.len()).unwrap() - 1);
    let values = (0..).zip(values);
    values.fold(batch, |batch, (delta, value)| {
        let value = Bytes::copy_from_slice(value.as_bytes());
        batch.record(Record::builder().offset_delta(delta).value(Some(value)))
    })
}

pub(super) fn encode(batch: inflated::Builder) -> Bytes {
    deflated::Batch::try_from(batch.build().unwrap())
        .unwrap()
        .into()
}
