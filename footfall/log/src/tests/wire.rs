//! A minimal client that sends requests and returns responses exactly as the protocol defines them.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        ApiKey, ProduceRequest, ProduceResponse, RequestHeader, SaslAuthenticateRequest,
        SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse, TopicName,
        produce_request::{PartitionProduceData, TopicProduceData},
    },
    protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    Broker,
    batch::{Builder, Codec},
};

/// A connection to a broker.
pub(super) struct Wire(TcpStream);

pub(super) fn string(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(crate) fn topic_name(text: &str) -> TopicName {
    TopicName(string(text))
}

impl Wire {
    /// Connects without a login.
    pub(super) async fn nameless(broker: &Broker) -> Self {
        Self(
            TcpStream::connect(broker.bootstrap_servers())
                .await
                .unwrap(),
        )
    }

    /// Connects and logs in.
    pub(super) async fn connect(broker: &Broker) -> Self {
        let mut wire = Self::nameless(broker).await;
        let agreed: SaslHandshakeResponse = wire.call(1, &handshake("PLAIN")).await;
        assert_eq!(agreed.error_code, 0);
        let welcome: SaslAuthenticateResponse = wire.call(2, &token("footfall", "right")).await;
        assert_eq!(welcome.error_code, 0, "{:?}", welcome.error_message);
        wire
    }

    pub(super) async fn send(&mut self, frame: &[u8]) {
        self.0.write_all(frame).await.unwrap();
    }

    /// Sends bytes. Fails if the connection has ended.
    pub(super) async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Receives the bytes of the next response; `None` if the connection has ended.
    pub(super) async fn frame(&mut self) -> Option<Bytes> {
        let length = self.0.read_u32().await.ok()?;
        let mut frame = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut frame).await.ok()?;
        Some(frame.into())
    }

    /// Receives the next response; `None` if the connection has ended.
    pub(super) async fn answer<R: Decodable + HeaderVersion>(
        &mut self,
        version: i16,
    ) -> Option<(i32, R)> {
        let mut frame = self.frame().await?;
        let correlation_id = frame.get_i32();
        if R::header_version(version) > 0 {
            assert_eq!(frame.get_u8(), 0);
        }
        let response = R::decode(&mut frame, version).unwrap();
        assert!(frame.is_empty(), "{} bytes are left", frame.len());
        Some((correlation_id, response))
    }

    pub(super) async fn call<Q: Request>(&mut self, version: i16, request: &Q) -> Q::Response {
        self.send(&request_frame(version, 7, request)).await;
        let answer = self.answer(version).await;
        let (correlation_id, response) = answer.expect("an answer");
        assert_eq!(correlation_id, 7);
        response
    }

    /// Appends bytes to a partition. Returns the error code and the first offset.
    pub(super) async fn produce(
        &mut self,
        topic: &str,
        partition: i32,
        records: Bytes,
    ) -> (i16, i64) {
        let request = produce(-1, topic, partition, records);
        let response: ProduceResponse = self.call(9, &request).await;
        let answer = &response.responses[0].partition_responses[0];
        assert_eq!(answer.index, partition);
        (answer.error_code, answer.base_offset)
    }
}

pub(super) fn request_frame<Q: Request>(version: i16, correlation_id: i32, request: &Q) -> Bytes {
    let header = RequestHeader::default()
        .with_request_api_key(Q::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(string("tests")));
    let mut body = BytesMut::new();
    let key = ApiKey::try_from(Q::KEY).unwrap();
    header
        .encode(&mut body, key.request_header_version(version))
        .unwrap();
    request.encode(&mut body, version).unwrap();
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(body.len()).unwrap());
    frame.put(body);
    frame.freeze()
}

pub(super) fn handshake(mechanism: &str) -> SaslHandshakeRequest {
    SaslHandshakeRequest::default().with_mechanism(string(mechanism))
}

pub(super) fn token(name: &str, password: &str) -> SaslAuthenticateRequest {
    let token = format!("\0{name}\0{password}");
    SaslAuthenticateRequest::default().with_auth_bytes(token.into_bytes().into())
}

pub(super) fn produce(acks: i16, topic: &str, partition: i32, records: Bytes) -> ProduceRequest {
    let data = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(vec![data]);
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(1_000)
        .with_topic_data(vec![topic])
}

/// A batch of these values at these times, without a producer id.
pub(crate) fn batch(values: &[(i64, &str)]) -> Bytes {
    let first = values.first().map_or(0, |(time, _)| *time);
    let mut builder = Builder::new(0, first);
    for (offset, (time, value)) in (0..).zip(values) {
        let headers: [(&[u8], Option<&[u8]>); 0] = [];
        let added = builder.add(
            offset,
            *time,
            Some(b"k"),
            Some(value.as_bytes()),
            headers.into_iter(),
        );
        assert!(added);
    }
    let last = i64::try_from(values.len()).unwrap() - 1;
    builder.finish(Codec::None, last).unwrap()
}

/// The same batch, from an idempotent producer.
pub(super) fn sequenced(batch: &Bytes, producer: i64, epoch: i16, sequence: i32) -> Bytes {
    changed(batch, |bytes| {
        bytes[43..51].copy_from_slice(&producer.to_be_bytes());
        bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    })
}

/// The same batch with changed bytes and a correct checksum.
pub(super) fn changed(batch: &Bytes, change: impl FnOnce(&mut [u8])) -> Bytes {
    let mut bytes = batch.to_vec();
    change(&mut bytes);
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    bytes.into()
}
